"""Images to measure with: random enough not to compress away, regular enough to compress at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_SIZES = (2_000, 20_000, 300_000, 3_000_000)


@dataclass(frozen=True)
class Archive:
    """An image as a docker-archive, and the name that it gets."""

    tag: str
    tar: Path


class Corpus:
    """Images of one size that differ in their top layer.

    Args:
        folder: Where everything goes.
        megabytes: Of each image.
        layers: Of each image.
    """

    def __init__(self, folder: Path, megabytes: int, layers: int) -> None:
        self.folder = folder
        self.megabytes = megabytes
        self.layers = layers
        self._made: dict[str, Archive] = {}
        folder.mkdir(exist_ok=True)

    @property
    def label(self) -> str:
        """What tables call it."""
        return f"{self.megabytes} MB, {self.layers} layer{'s' if self.layers > 1 else ''}"

    def archive(self, top: str) -> Archive:
        """Return the image with this top layer."""
        if top not in self._made:
            self._made[top] = self._make(top)
        return self._made[top]

    def compress(self, archive: Archive) -> Path:
        """Return the same archive in gzip."""
        packed = archive.tar.with_suffix(".tar.gz")
        with archive.tar.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            shutil.copyfileobj(source, target, 1 << 20)
        return packed

    @contextmanager
    def streamed(self) -> Iterator[tuple[Path, str]]:
        """Put a streamed image of this size into the Nix store for a while; return its conf and its name."""
        added: list[str] = []
        try:
            yield self._stream_conf(added)
        finally:
            subprocess.run(["nix-store", "--delete", *added], check=True, capture_output=True)

    def _stream_conf(self, added: list[str]) -> tuple[Path, str]:
        for number in range(self.layers):
            tree = self.folder / f"bench-{self.megabytes}-{self.layers}-{number}"
            tree.mkdir()
            subprocess.run(["tar", "-xf", self._layer(f"stream-{number}"), "-C", tree], check=True)
            added.append(_add(tree))
            shutil.rmtree(tree)
        custom = self.folder / "bench-customisation"
        custom.mkdir(exist_ok=True)
        empty = _tar([])
        (custom / "layer.tar").write_bytes(empty)
        (custom / "checksum").write_text(hashlib.sha256(empty).hexdigest() + "\n")
        added.append(_add(custom))
        tag = f"bench-stream:{self.megabytes}-{self.layers}"
        moment = "1970-01-01T00:00:01+00:00"
        conf: dict[str, Any] = {
            "architecture": "amd64",
            "config": {},
            "os": "linux",
            "store_dir": "/nix/store",
            "from_image": None,
            "store_layers": [[path] for path in added[:-1]],
            "customisation_layer": added[-1],
            "repo_tag": tag,
            "created": moment,
            "mtime": moment,
            "uid": "0",
            "gid": "0",
            "uname": "root",
            "gname": "root",
        }
        path = self.folder / "bench-conf.json"
        path.write_text(json.dumps(conf))
        return path, tag

    def remove(self) -> None:
        """Remove all files."""
        shutil.rmtree(self.folder)

    def _make(self, top: str) -> Archive:
        names = [*(f"layer-{number}" for number in range(self.layers - 1)), f"top-{top}"]
        paths = [self._layer(name) for name in names]
        digests = []
        for path in paths:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        tag = f"bench:{self.megabytes}-{self.layers}-{top}"
        members = [f"{digest}/layer.tar" for digest in digests]
        manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": members}]).encode()
        plain = self.folder / f"{top}.tar"
        with tarfile.open(plain, "w") as tar:
            for path, member in zip(paths, members, strict=True):
                tar.add(path, member)
            for name, data in ((config_name, config), ("manifest.json", manifest)):
                _add_file(tar, name, data)
        return Archive(tag, plain)

    def _layer(self, name: str) -> Path:
        path = self.folder / f"{name}-{self.megabytes}-{self.layers}.layer"
        if path.exists():
            return path
        chance = random.Random(path.name)  # noqa: S311  # the same in each run, and no secret
        left = self.megabytes * 1_000_000 // self.layers
        with tarfile.open(path, "w") as tar:
            number = 0
            while left > 0:
                size = min(left, chance.choice(FILE_SIZES))
                noise = chance.randbytes(size // 2)
                text = (b"file %d of %s\n" % (number, name.encode())) * (size // 20 + 1)
                _add_file(tar, f"opt/{name}/{number}", (noise + text)[:size])
                left -= size
                number += 1
        return path


def tiny_images(first: int, last: int) -> bytes:
    """Return a docker-archive of many images that share one small layer."""
    layer = _tar([("tiny", b"tiny")])
    digest = hashlib.sha256(layer).hexdigest()
    entries = [("layer.tar", layer)]
    documents = []
    for number in range(first, last):
        rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
        labels = {"Labels": {"number": str(number)}}
        config = {"architecture": "amd64", "os": "linux", "config": labels, "rootfs": rootfs}
        entries.append((f"{number}.json", json.dumps(config).encode()))
        documents.append(
            {"Config": f"{number}.json", "RepoTags": [f"tiny:{number}"], "Layers": ["layer.tar"]}
        )
    return _tar([*entries, ("manifest.json", json.dumps(documents).encode())])


def _add(path: Path) -> str:
    words = ["nix-store", "--add", str(path)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _tar(entries: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in entries:
            _add_file(tar, name, data)
    return out.getvalue()


def _add_file(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))
