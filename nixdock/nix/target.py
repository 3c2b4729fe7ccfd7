"""What the user names: a file, a flake, an expression, an artefact, or an image of the engine.

Tried in this order (`parse`):

1. none at all is `./default.nix`, then `./flake.nix`;
2. `image:REF` and `path:P` force what they say;
3. a path that exists;
4. something with `#` is a flake reference; a name that both a folder and the registry may have is asked
   back for;
5. what begins with `.` or `/`, or ends in `.nix`, is a path that does not exist;
6. all else is an image of the engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.errors import UsageError
from nixdock.image.reference import Reference
from nixdock.settings import GONE, here

if TYPE_CHECKING:
    from collections.abc import Iterable

EXPRESSION_FILE: Final = "default.nix"
FLAKE_FILE: Final = "flake.nix"
OCI_LAYOUT_FILE: Final = "oci-layout"
_IMAGE: Final = "image:"
_PATH: Final = "path:"
_SUFFIXES: Final = frozenset({".nix", ".tar", ".tgz", ".gz", ".zst", ".xz", ".bz2"})
"""How the files end that are likely to be meant by a name without a path."""


@dataclass(frozen=True, slots=True)
class PathTarget:
    """A file with a Nix expression.

    Args:
        text: How the user named it.
        file: Where it is, as an absolute path.
    """

    text: str
    file: Path


@dataclass(frozen=True, slots=True)
class ExpressionTarget:
    """A Nix expression from the command line.

    Args:
        expression: The expression.
        text: How messages name it.
    """

    expression: str
    text: str = "the expression"


@dataclass(frozen=True, slots=True)
class FlakeTarget:
    """An output of a flake.

    Args:
        text: How the user named it.
        reference: The flake, as Nix takes it: `.`, `github:owner/repository`, an absolute path.
        attribute: The output; None is the flake's default.
        directory: Where it is, if it is a directory of this machine: an absolute path.
    """

    text: str
    reference: str
    attribute: str | None
    directory: Path | None = None


@dataclass(frozen=True, slots=True)
class ArtefactTarget:
    """What a build made already: an archive, a store path, an OCI layout.

    Args:
        text: How the user named it.
        path: Where it is, as an absolute path; links are not followed.
    """

    text: str
    path: Path


@dataclass(frozen=True, slots=True)
class ImageTarget:
    """An image that the engine has.

    Args:
        text: How the user named it.
        reference: Its name or ID, not yet parsed.
    """

    text: str
    reference: str


BuildTarget = PathTarget | ExpressionTarget | FlakeTarget
"""What Nix can build."""

Target = BuildTarget | ArtefactTarget | ImageTarget


def parse(text: str | None, *, expression: str | None = None, directory: Path | None = None) -> Target:
    """Decide what a target is.

    Args:
        text: The target as typed; None where there is none.
        expression: The expression of `-E`, which stands in the target's place.
        directory: What relative paths are relative to; the current directory when None.

    Raises:
        UsageError: Both or neither are there, or a path that does not exist.
    """
    directory = directory or here()
    if expression is not None:
        if text is not None:
            raise UsageError(f"-E and the target '{text}' exclude each other", hint="leave one of them out")
        return ExpressionTarget(expression)
    if text is None:
        return _default(directory)
    return _parse_text(text, directory)


def _parse_text(text: str, directory: Path) -> Target:
    if not text:
        raise UsageError("the target is empty")
    if text.startswith(_IMAGE):
        return _parse_image(text, directory)
    if text.startswith(_PATH) and "#" not in text:
        return _parse_path(text, directory / text.removeprefix(_PATH))
    if _exists(directory / text):
        return _parse_path(text, directory / text)
    if "#" in text:
        return _parse_flake(text, directory)
    if text.startswith((".", "/")) or text.endswith(".nix"):
        raise _missing(text, directory / text)
    return _parse_image(text, directory)


def _parse_image(text: str, directory: Path) -> ImageTarget:
    reference = text.removeprefix(_IMAGE)
    if not reference:
        raise UsageError("'image:' names no image", hint="write it as image:NAME:TAG")
    try:
        # The ID of an image has the form of a reference, too.
        Reference.parse(reference)
    except ValueError as error:
        forced = text.startswith(_IMAGE)
        what = f"'{reference}' is not" if forced else f"there is no file '{text}', nor can that be"
        raise UsageError(
            f"{what} the name of an image: {error}",
            hint=None if forced else _ask(find_near(text, directory=directory)),
        ) from None
    return ImageTarget(text, reference)


def _parse_flake(text: str, directory: Path) -> FlakeTarget:
    reference, _, attribute = text.partition("#")
    if reference.endswith(".nix") and (directory / reference).is_file():
        raise UsageError(f"'{reference}' is a file, not a flake", hint=f"{reference} -A {attribute}")
    reference = reference or "."
    if re.fullmatch(r"[\w-]+", reference) and (directory / reference / FLAKE_FILE).is_file():
        raise UsageError(
            f"'{reference}' may be the folder or a name of Nix's flake registry",
            hint=f"the folder's flake is ./{text}, the registry's flake:{text}",
        )
    if directory == GONE and reference.removeprefix(_PATH).startswith("."):
        raise UsageError(f"'{text}' names no flake: the working directory has been removed")
    return FlakeTarget(text, reference, attribute or None, _find_flake(reference, directory))


def _find_flake(reference: str, directory: Path) -> Path | None:
    """Return the directory that a flake reference names, if it names one of this machine."""
    name = reference.removeprefix(_PATH).partition("?")[0]
    # Without such a beginning it would be a name of Nix's flake registry.
    if not reference.startswith((".", "/", _PATH)) or not (directory / name).is_dir():
        return None
    return (directory / name).absolute()


def split_attribute(path: str) -> tuple[str, ...]:
    """Split an attribute path as `-A` takes it: `a.b`, `list.0`, `a."dotted.name"`; "" is the value itself.

    Raises:
        UsageError: A quote is not closed, or a name between two dots is missing.
    """
    if not path:
        return ()
    # A name is a run of quoted and unquoted pieces, as in Nix's own parser of attribute paths.
    if not re.fullmatch(r'(?:"[^"]*"|[^".])+(?:\.(?:"[^"]*"|[^".])+)*', path):
        raise UsageError(
            f"'{path}' is not an attribute path", hint='write it as a.b, or a."b.c" where a name has dots'
        )
    return tuple(name.replace('"', "") for name in re.findall(r'(?:"[^"]*"|[^".])+', path))


def join_attribute(names: tuple[str, ...]) -> str:
    """Write an attribute path as `-A` takes it."""
    return ".".join(f'"{name}"' if "." in name else name for name in names)


def _default(directory: Path) -> Target:
    if (directory / EXPRESSION_FILE).exists():
        return PathTarget(EXPRESSION_FILE, (directory / EXPRESSION_FILE).absolute())
    if (directory / FLAKE_FILE).exists():
        return _parse_flake_directory(FLAKE_FILE, directory)
    raise UsageError(
        f"there is no target, and neither {EXPRESSION_FILE} nor {FLAKE_FILE} in {directory}",
        hint=_name_others(directory, "") or "write a first file: nixdock init",
    )


def _parse_path(text: str, path: Path) -> Target:
    # Not `resolve`: a link such as `result` keeps its name in messages.
    path = path.absolute()
    if not _exists(path):
        raise _missing(text, path)
    if path.is_symlink() and not path.exists():
        raise UsageError(
            f"'{text}' is a link to {path.readlink()}, which does not exist",
            hint="build it again; Nix's garbage collector may have removed it",
        )
    if path.is_dir():
        return _parse_directory(text, path)
    if path.name == FLAKE_FILE:
        return _parse_flake_directory(text, path.parent)
    if path.suffix == ".nix":
        return PathTarget(text, path)
    return ArtefactTarget(text, path)


def _parse_directory(text: str, path: Path) -> Target:
    if (path / EXPRESSION_FILE).exists():
        return PathTarget(text, path / EXPRESSION_FILE)
    if (path / FLAKE_FILE).exists():
        return _parse_flake_directory(text, path)
    if (path / OCI_LAYOUT_FILE).exists():
        return ArtefactTarget(text, path)
    hint = _name_others(path, f"{text.rstrip('/')}/")
    if hint is None and "/" not in text and not text.startswith("."):
        hint = f"an image of the engine with this name is image:{text}"
    raise UsageError(
        f"the folder '{text}' holds neither {EXPRESSION_FILE} nor {FLAKE_FILE} nor an OCI layout", hint=hint
    )


def _parse_flake_directory(text: str, directory: Path) -> FlakeTarget:
    return FlakeTarget(text, str(directory.absolute()), None, directory.absolute())


def _exists(path: Path) -> bool:
    """Whether there is such a path, even a link that leads nowhere."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _missing(text: str, path: Path) -> UsageError:
    # Of a long path say how far it goes: that is where the typing mistake is.
    parent = next(directory for directory in path.parents if directory.is_dir())
    wanted = path.relative_to(parent).parts[0]
    close = _find_close(wanted, [entry.name for entry in _entries(parent)])
    return UsageError(f"there is no file '{text}'", hint=_ask(close))


def find_near(text: str, *, directory: Path | None = None) -> tuple[str, ...]:
    """Return the files that may have been meant by the name of what is no file; best first.

    Args:
        text: The name as typed.
        directory: What it is relative to; the current directory when None.
    """
    path = (directory or here()) / text
    names = [entry.name for entry in _entries(path.parent) if entry.suffix in _SUFFIXES]
    return tuple(str(Path(text).with_name(name)) for name in _find_close(path.name, names))


def _find_close(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the names that are much like another one, whether or not they end in .nix."""
    import difflib  # noqa: PLC0415  # only for mistakes

    stems = {name.removesuffix(".nix"): name for name in sorted(names)}
    return [stems[stem] for stem in difflib.get_close_matches(wanted.removesuffix(".nix"), stems, n=3)]


def _ask(names: Iterable[str]) -> str | None:
    meant = " or ".join(names)
    return f"did you mean {meant}?" if meant else None


def _name_others(directory: Path, prefix: str) -> str | None:
    names = sorted(entry.name for entry in _entries(directory) if entry.suffix == ".nix")
    return f"name one of these: {', '.join(prefix + name for name in names[:5])}" if names else None


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []
