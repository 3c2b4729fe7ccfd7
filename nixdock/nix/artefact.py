"""What a build made: where it is, and whether it can be an image at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from nixdock.image.detect import HEAD, FileKind, detect
from nixdock.nix.target import OCI_LAYOUT_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nixdock.nix.program import Nix


class ArtefactForm(Enum):
    """The forms of an image that Nix builders make, told apart by looking at the file."""

    ARCHIVE = "archive"
    """A tar archive, compressed or not: buildImage, buildLayeredImage, pullImage and the like."""
    SCRIPT = "script"
    """A program that writes the archive: streamLayeredImage."""
    DESCRIPTION = "description"
    """A JSON file that describes layers: nix2container."""
    OCI_LAYOUT = "OCI layout"
    """A directory with an `oci-layout` file."""


_FORMS: Final = {
    FileKind.TAR: ArtefactForm.ARCHIVE,
    FileKind.COMPRESSED: ArtefactForm.ARCHIVE,
    FileKind.SCRIPT: ArtefactForm.SCRIPT,
    FileKind.JSON: ArtefactForm.DESCRIPTION,
}


def is_held() -> bool:
    """Hold what is held already, or needs no holding: there is nothing to do."""
    return False


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a build made of one derivation.

    Args:
        path: The file or directory to read; the store path, or where a store elsewhere keeps it.
        form: What it looks like.
        attribute: Its attribute path in the target, as `-A` takes it; None for the target's own value.
        store_path: The store path, as its contents name it; None of an archive from elsewhere.
        derivation: The derivation that made it.
        link: The link to it that was made; None where none was.
        image_name: The image's name as the expression says it (`imageName`).
        image_tag: The image's tag as the expression says it (`imageTag`).
        expectations: The value of the `nixdock` attribute; None where there is none, or nobody asked.
        needs: Store paths that the expectations name; built, and held as long as the artefact.
        may_run: Whether it may be run, where it is a program that writes the archive.
        nix: The Nix programs as they were called to build it; None of an artefact that was there.
        hold: Keeps it from Nix's garbage collector from now on, built again where that has taken it; to be
            called before anything of it is relied on. Whether that was still to be done.
    """

    path: Path
    form: ArtefactForm
    attribute: str | None = None
    store_path: Path | None = None
    derivation: Path | None = None
    link: Path | None = None
    image_name: str | None = None
    image_tag: str | None = None
    expectations: Mapping[str, Any] | None = None
    needs: tuple[Path, ...] = ()
    may_run: bool = True
    nix: Nix | None = field(default=None, compare=False, repr=False)
    hold: Callable[[], bool] = field(default=is_held, compare=False, repr=False)


def recognise(path: Path, *, executable: bool = False) -> ArtefactForm | None:
    """Return the form of an image that a path has, or None where it is something else.

    Args:
        path: What was built.
        executable: Whether the expression says that it is a program (`isExe`).

    Raises:
        OSError: It cannot be read.
    """
    if path.is_dir():
        return ArtefactForm.OCI_LAYOUT if (path / OCI_LAYOUT_FILE).is_file() else None
    if not path.is_file():
        return None
    form = _FORMS.get(detect(_head(path)))
    if form is ArtefactForm.SCRIPT and not (executable or path.stat().st_mode & 0o111):
        return None
    return form


def describe(path: Path) -> str:
    """Return what a path is that is no image, in few words with their article."""
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        return f"a folder with {shown}" if names else "an empty folder"
    head = _head(path)
    match detect(head):
        case FileKind.EMPTY:
            return "an empty file"
        case FileKind.ELF:
            return "a program"
        case FileKind.SCRIPT:
            return "a script that is not executable"
        case _:
            kind = "binary" if b"\0" in head else "text"
            return f"a {kind} file of {path.stat().st_size} bytes"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
