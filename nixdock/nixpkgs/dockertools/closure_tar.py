"""The layer of a `buildImage`, completed: its own files, then the store paths that it refers to.

A file that the layers below have already, or the layer itself, is not added again.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import layer_tar, tar_header
from .tar_header import EPOCH, MemberHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Addition:
    """A member to add, and the file that has its content."""

    member: MemberHeader
    path: str


@dataclass(frozen=True, slots=True)
class CompletedLayer:
    """A layer that is a tar on disk and more members after it.

    Args:
        tar: The file of the first part.
        length: Its bytes without what ends an archive.
        additions: What comes after it.
    """

    tar: str
    length: int
    additions: tuple[Addition, ...]

    @property
    def size(self) -> int:
        """The bytes of the whole layer."""
        total = self._content_size()
        return total + len(tar_header.ending(total))

    def chunks(self) -> Iterator[bytes]:
        """Yield the layer's bytes."""
        return layer_tar.joined(self._pieces())

    def _content_size(self) -> int:
        return self.length + sum(
            len(tar_header.header(one.member, "gnu")) + one.member.size + tar_header.padding(one.member.size)
            for one in self.additions
        )

    def _pieces(self) -> Iterator[bytes]:
        with open(self.tar, "rb", buffering=0) as file:  # noqa: PTH123 - as in `layer_tar`
            missing = self.length
            while missing:
                piece = file.read(min(missing, 1 << 20))
                missing -= len(piece)
                yield piece
        for one in self.additions:
            yield tar_header.header(one.member, "gnu")
            if one.member.size:
                yield from layer_tar.content(one.path, one.member.size)
        yield tar_header.ending(self._content_size())


def complete(tar: str, closure: Iterable[str], below: Iterable[str]) -> CompletedLayer:
    """Return a layer with the store paths that it lacks.

    Args:
        tar: The layer of the image's own files.
        closure: Store paths.
        below: The names in the layers below, as `plain_name` gives them.
    """
    names, length = _listed(tar)
    known = names | set(below)
    paths = sorted(closure)
    additions = list(_directories(known)) if paths else []
    for path in paths:
        additions += _missing(path, known)
    return CompletedLayer(tar, length, tuple(additions))


def plain_name(name: str) -> str:
    """Return a member's name without what does not matter: `./`, a slash at either end."""
    return name.removeprefix("./").strip("/")


def _listed(tar: str) -> tuple[set[str], int]:
    """Return the names in an archive, and its length without what ends it."""
    names = set()
    end = 0
    with tarfile.open(tar, "r:") as archive:
        for member in archive:
            names.add(plain_name(member.name))
            size = member.size if member.isreg() else 0
            end = member.offset_data + size + tar_header.padding(size)
    return names, end


def _directories(known: set[str]) -> Iterator[Addition]:
    for name in ("nix", "nix/store"):
        if name not in known:
            yield Addition(MemberHeader(f"./{name}/", tar_header.DIRECTORY, 0o555, mtime=EPOCH), "")


def _missing(path: str, known: set[str]) -> Iterator[Addition]:
    # The same walk, and the same members, as a streamed layer has after its two directories.
    found = layer_tar.members((path,), layer_tar.Stamp(mtime=EPOCH, uname="", gname=""))
    for member, file in found:
        if file in {"/nix/", "/nix/store/"} or plain_name(member.name) in known:
            continue
        yield Addition(replace(member, name=member.name.lstrip("/")), file)
