"""Build the corpus of the golden vectors of streamed images, and the conf files that name it.

Each tree is added to the Nix store, so the paths depend on content and name alone: they are the same on
every machine. `expected.json` holds what nixpkgs' own streamer made of each conf: image ID, diff IDs,
layer sizes.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, data: bytes = b"", mode: int = 0o444) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def tree_edges(root: Path) -> None:
    """Make sizes around the block, sort order, long and non-ASCII names, links, empty directories."""
    for size in (0, 1, 511, 512, 513, 10_239, 10_240, 10_241, 70_000):
        write(root / "sizes" / f"f{size}", bytes(i % 251 for i in range(size)))
    for name in ("a/z", "a-b", "a.b", "a b", "A", "a/a", "ab", ".hidden", "a/.x", "~", "-", "a+b", "0"):
        write(root / "order" / name, name.encode())
    write(root / "bin" / "run", b"#!/bin/sh\nexit 0\n", 0o555)
    (root / "empty" / "inside").mkdir(parents=True)
    long = root / "long"
    write(long / ("n" * 99), b"99")
    write(long / ("n" * 100), b"100")
    write(long / ("n" * 101), b"101")
    write(long / ("d" * 60) / ("e" * 60) / ("f" * 60) / "leaf", b"deep")
    write(long / ("x" * 255), b"255")
    for name in ("ü", "naïve-café", "日本語", "emoji-🙂", "e\u0301"):
        write(root / "unicode" / name, name.encode())
    links = root / "links"
    links.mkdir()
    (links / "relative").symlink_to("../bin/run")
    (links / "absolute").symlink_to("/nix/store")
    (links / "dangling").symlink_to("nowhere")
    (links / "target100").symlink_to("t" * 100)
    (links / "target101").symlink_to("t" * 101)
    (links / "target-unicode").symlink_to("ziel-ü")
    (links / "to-directory").symlink_to("../empty")
    (links / ("l" * 120)).symlink_to("p" * 150)


def tree_many(root: Path) -> None:
    for i in range(2_000):
        write(
            root / f"d{i % 40:02}" / f"s{i % 7}" / f"file-{i}.txt",
            (f"{i}\n" * (i % 97)).encode(),
            0o555 if i % 13 == 0 else 0o444,
        )


def add(path: Path) -> str:
    argv = ["nix-store", "--add", str(path)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def tar(entries: list[tuple[str, bytes | None]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name, data in entries:
            ti = tarfile.TarInfo(name)
            ti.mtime = 315_532_800
            if data is None:
                ti.type, ti.mode = tarfile.DIRTYPE, 0o755
                t.addfile(ti)
            else:
                ti.size, ti.mode = len(data), 0o644
                t.addfile(ti, io.BytesIO(data))
    return out.getvalue()


def customisation(root: Path, entries: list[tuple[str, bytes | None]]) -> None:
    layer = tar(entries)
    write(root / "layer.tar", layer)
    write(root / "checksum", hashlib.sha256(layer).hexdigest().encode() + b"\n")


def base_image(path: Path) -> None:
    one, two = tar([("./etc", None), ("./etc/base", b"1\n")]), tar([("./etc/second", b"2\n")])
    layers = [one, two, one]
    diff = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:01Z",
            "config": {"Env": ["PATH=/base", "KEEP=yes", "TWICE=a", "TWICE=b"], "Cmd": ["/no"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + d for d in diff]},
            "history": [{"created": "1970-01-01T00:00:01Z"}] * 3,
        }
    ).encode()
    manifest = json.dumps(
        [{"Config": "c.json", "RepoTags": ["base:1"], "Layers": [f"{d}/layer.tar" for d in diff]}]
    ).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as t:
        for name, data in [
            (f"{diff[0]}/layer.tar", one),
            (f"{diff[1]}/layer.tar", two),
            ("c.json", config),
            ("manifest.json", manifest),
        ]:
            ti = tarfile.TarInfo(name)
            ti.size = len(data)
            t.addfile(ti, io.BytesIO(data))
    path.chmod(0o444)


def make(out: Path) -> dict[str, Path]:
    """Make the corpus below a new folder; return each case's conf by its name."""
    out.mkdir(parents=True)
    tree_edges(out / "golden-edges")
    tree_many(out / "golden-many")
    write(out / "golden-file", b"a store path that is a file\n")
    write(out / "golden-script", b"#!/bin/sh\necho hi\n", 0o555)
    (out / "golden-link").symlink_to("/nix/store/golden-target")
    customisation(out / "golden-customisation", [("./", None), ("./etc", None), ("./etc/motd", b"hello\n")])
    customisation(out / "golden-customisation-empty", [("./", None)])
    base_image(out / "golden-base.tar")
    names = [
        "golden-edges",
        "golden-many",
        "golden-file",
        "golden-script",
        "golden-link",
        "golden-customisation",
        "golden-customisation-empty",
        "golden-base.tar",
    ]
    store = {name: add(out / name) for name in names}

    def conf(**changes: object) -> dict[str, object]:
        default: dict[str, object] = {
            "architecture": "amd64",
            "config": {"Cmd": ["/bin/run"], "Env": ["A=ü", "B=2"]},
            "os": "linux",
            "store_dir": "/nix/store",
            "from_image": None,
            "store_layers": [],
            "customisation_layer": store["golden-customisation"],
            "repo_tag": "golden:1",
            "created": "1970-01-01T00:00:01+00:00",
            "mtime": "1970-01-01T00:00:01+00:00",
            "uid": "0",
            "gid": "0",
            "uname": "root",
            "gname": "root",
        }
        return default | changes

    s = store
    cases = {
        "plain": conf(
            store_layers=[
                [s["golden-edges"]],
                [s["golden-many"]],
                [s["golden-file"], s["golden-script"], s["golden-link"]],
            ]
        ),
        "owner": conf(
            store_layers=[[s["golden-edges"], s["golden-file"]]],
            uid="1000",
            gid="100",
            uname="ann",
            gname="users",
            created="2024-05-06T07:08:09+00:00",
            mtime="2024-05-06T07:08:09+00:00",
            architecture="arm64",
        ),
        "base": conf(
            from_image=s["golden-base.tar"],
            store_layers=[[s["golden-file"]]],
            config={"Env": ["PATH=/top", "NEW=1"], "Cmd": ["/x"]},
        ),
        "base-no-env": conf(from_image=s["golden-base.tar"], config={}),
        "bare": conf(customisation_layer=s["golden-customisation-empty"], config={}),
    }
    confs = {}
    for name, case in cases.items():
        confs[name] = out / f"case-{name}.json"
        confs[name].write_text(json.dumps(case, indent=2))
    return confs
