"""The tar of a file tree is byte for byte GNU tar's."""

from __future__ import annotations

import io
import os
import shutil
import socket
import tarfile
from pathlib import Path

import pytest

from nixdock import process
from nixdock.nixpkgs.dockertools import tree_tar

needs_fakeroot = pytest.mark.skipif(shutil.which("fakeroot") is None, reason="fakeroot is not installed here")
PACKAGE_PARENT = Path(tree_tar.__file__).parents[1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    deep = root / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    (deep / "leaf").write_text("leaf")
    for name in ("a/z", "a-b", "a.b", ".hidden", "ü", "n" * 98, "m" * 97, "x" * 200):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode() * 7)
    (root / "empty").mkdir()
    (root / "program").write_bytes(bytes(1_300_000))
    (root / "program").chmod(0o4755)
    os.link(root / "program", root / "same-program")
    (root / "link").symlink_to("a/z")
    (root / "long-link").symlink_to("t" * 150)
    (root / ("l" * 120)).symlink_to("t" * 150)
    os.mkfifo(root / "fifo")
    return root


def gnu_tar(root: Path, *options: str, before: str = "true") -> bytes:
    out = root.parent / "gnu.tar"
    words = f"--sort=name --mtime=@315532800 --hard-dereference {' '.join(options)}"
    command = f"{before}; exec tar {words} -cf {out} ."
    outcome = process.run(["fakeroot", "sh", "-c", command], cwd=root)
    assert outcome, outcome.error_text
    return out.read_bytes()


@needs_fakeroot
def test_what_root_owns(tree: Path) -> None:
    ours = b"".join(tree_tar.chunks(str(tree), owner=(0, 0)))

    assert ours == gnu_tar(tree, "--numeric-owner")


@needs_fakeroot
def test_owners_and_devices_are_those_that_fakeroot_tells(tree: Path) -> None:
    change = "chown 1000:100 a-b; chown -h 3000000:5 link; mknod null c 1 3; chmod 2711 a"
    theirs = gnu_tar(tree, "--numeric-owner", before=change)
    (tree / "null").unlink()
    out = tree.parent / "ours.tar"
    program = (
        "import sys; from dockertools import tree_tar;sys.stdout.buffer.writelines(tree_tar.chunks('.'))"
    )
    outcome = process.run(
        ["fakeroot", "sh", "-c", f'{change}; exec python3 -c "{program}" > {out}'],
        cwd=tree,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE_PARENT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert outcome, outcome.error_text

    assert out.read_bytes() == theirs


def test_what_is_excluded_is_not_there_and_nothing_below_it(tree: Path) -> None:
    data = b"".join(tree_tar.chunks(str(tree), owner=(0, 0), without=["./a", "./program"]))

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
    assert "./a-b" in names
    assert not {"./a", "./a/z", "./program"} & set(names)


def test_a_socket_is_left_out_as_tar_leaves_it_out(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        names = [member.name for member, _ in tree_tar.members(str(tmp_path))]

    assert names == ["./"]
