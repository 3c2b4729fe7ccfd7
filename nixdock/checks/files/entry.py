"""One path of a layer: what a tar header says of it, and where its content lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class LayerEntry(NamedTuple):
    """A path and its properties.

    A named tuple, for an image has a hundred thousand of them and they are kept as JSON rows.

    Args:
        path: From the image's root, without a slash before or after: `etc/passwd`; the root is "".
        kind: `file`, `directory`, `symlink`, `hardlink`, `fifo`, `character`, `block` or `whiteout`; hard
            links and whiteouts are in layers, and no more where these lie over each other.
        mode: Permission bits, set-id and sticky bits among them.
        uid: Of the owner.
        gid: Of the group.
        size: Bytes of content.
        offset: Where the content begins in the layer's tar; -1 where there is none.
        target: What a symbolic link says, or the path of what a hard link is.
        mtime: Seconds since 1970.
        layer: Which layer it is from, bottom first.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    offset: int
    target: str
    mtime: int
    layer: int = 0

    @property
    def absolute(self) -> str:
        """The path as it is written in the image: `/etc/passwd`."""
        return f"/{self.path}"

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind == "directory"


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """What a dynamic linker and a kernel look at in an ELF file.

    Args:
        machine: The number of the architecture (`e_machine`).
        bits: 32 or 64.
        executable: Whether it is a program (it has an interpreter, or is not a shared object).
        interpreter: The dynamic linker it asks for, or "".
        needed: The libraries it asks for.
        search: The folders of its RUNPATH, or of its RPATH where it has no RUNPATH.
        soname: What it is called as a library, or "".
    """

    machine: int
    bits: int
    executable: bool
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    soname: str = ""


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """What is known of a file's content.

    Args:
        references: The base names of store paths that are named in it.
        shebang: What stands behind `#!` in its first line, or "".
        elf: What it is as an ELF file, or None.
    """

    references: tuple[str, ...] = ()
    shebang: str = ""
    elf: ElfFacts | None = None

    def __bool__(self) -> bool:
        return bool(self.references or self.shebang or self.elf)
