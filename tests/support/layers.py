"""Layers made in memory, by the standard library's tarfile."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from nixdock.checks.files.layer_index import index_layers
from nixdock.checks.files.tree import Tree, build_tree
from nixdock.image.model import Blob, Layer
from nixdock.image.reference import Digest


class MemoryLayer:
    """A layer of bytes; with `seekable` false its stream can only be read on."""

    blob: Blob | None = None
    position = 0
    name = "a layer in memory"

    def __init__(self, tar: bytes, *, seekable: bool = True, diff_id: Digest | None = None) -> None:
        self.tar = tar
        self.size = len(tar)
        self.opened = 0
        self._diff_id = diff_id or Digest.of(tar)
        self._seekable = seekable

    @property
    def diff_id(self) -> Digest:
        return self._diff_id

    @property
    def known_diff_id(self) -> Digest:
        return self._diff_id

    def open(self) -> IO[bytes]:
        self.opened += 1
        return io.BytesIO(self.tar) if self._seekable else io.BufferedReader(_Pipe(self.tar))


class _Pipe(io.RawIOBase):
    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._stream = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._stream.readinto(buffer)


def file(
    name: str, data: bytes = b"", mode: int = 0o644, uid: int = 0, gid: int = 0
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uid, info.gid = len(data), mode, uid, gid
    return info, data


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info, b""


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, target
    return info, b""


def hardlink(name: str, target: str, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.LNKTYPE, target, mode
    return info, b""


def device(name: str, kind: bytes = tarfile.CHRTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.mode = kind, 0o666
    return info, b""


def tar_of(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def layer_of(*members: tuple[tarfile.TarInfo, bytes], seekable: bool = True) -> MemoryLayer:
    return MemoryLayer(tar_of(members), seekable=seekable)


def read_tree(layers: Iterable[Layer], *, contents: bool = False, cache: Path | None = None) -> Tree:
    """The file system of an image of these layers, bottom first."""
    return build_tree(index_layers(tuple(layers), contents=contents, cache=cache))
