"""What checks find in an image is what a container of it has."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from support.archives import Sample, docker_archive, program_layer
from support.engines import Engine
from support.layers import MemoryLayer, read_tree
from support.overlaid import OVERLAID

# Docker 20.10 does not unpack these: names that stand twice, paths below a link to a lower layer.
REFUSED = {
    "file-below-link-same",
    "same-link-lower",
    "same-link-dir",
    "hard-then-over",
    *(case for case in OVERLAID if case.startswith("dup-")),
}
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
}
# What the engine itself puts there.
OTHERS = ("dev", "proc", "sys", "etc", ".dockerenv")
LIST = "cd /; busybox find . -xdev -exec busybox stat -c '%n|%f|%u|%g' {} +"


@pytest.mark.sampled(12)
@pytest.mark.parametrize("case", sorted(set(OVERLAID) - REFUSED))
def test_a_container_has_what_the_layers_say(case: str, engine: Engine, tmp_path: Path) -> None:
    sample = Sample((program_layer(), *OVERLAID[case]), tags=("overlaid:1",))
    engine.docker("load", stdin=docker_archive(sample))
    try:
        words = ("--network=none", "--env=PATH=/bin", "--entrypoint=/bin/busybox", "overlaid:1", "sh", "-c")
        listed = engine.docker("run", "--rm", *words, LIST)
    finally:
        engine.docker("rmi", "--force", "overlaid:1")

    tree = read_tree(map(MemoryLayer, sample.layers), cache=tmp_path)
    has = {}
    for line in listed.split("\n")[:-1]:
        name, mode, uid, gid = line.rsplit("|", 3)
        path = name.removeprefix(".").removeprefix("/")
        if path.split("/")[0] not in OTHERS:
            has[path] = (KINDS[stat.S_IFMT(int(mode, 16))], stat.S_IMODE(int(mode, 16)), int(uid), int(gid))
    assert {path: (one.kind, one.mode, one.uid, one.gid) for path, one in tree.entries.items()} == has
