"""What an evaluation found, read from the JSON that `describe.nix` makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import BuildError
from nixdock.nix.target import join_attribute
from nixdock.settings import here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOUNS: Final = {
    "int": "a number",
    "float": "a number",
    "bool": "a truth value",
    "string": "a string",
    "path": "a path",
    "null": "null",
    "set": "a set",
    "list": "a list",
    "lambda": "a function",
}


class CollectedError(BuildError):
    """A derivation that an evaluation wrote has gone again: the garbage collector ran."""


class BrokenDownloadError(BuildError):
    """A server broke off amid a file; Nix itself does not ask again."""


class MissingArchitectureError(BuildError):
    """The offline package set has not been asked for the packages of an architecture yet.

    Args:
        message: What Nix said.
        architecture: Debian's name of it.
    """

    def __init__(self, message: str, architecture: str) -> None:
        super().__init__(message)
        self.architecture = architecture


@dataclass(frozen=True, slots=True)
class DerivationOutput:
    """An output of a derivation that is to be built.

    Args:
        derivation: The store path of the derivation.
        output: The output's name.
        path: Where it will be; of a content-addressed derivation a placeholder.
    """

    derivation: str
    output: str
    path: str

    def __str__(self) -> str:
        return f"{self.derivation}!{self.output}"


@dataclass(frozen=True, slots=True)
class EvaluatedImage:
    """A derivation that should be an image, before it is built.

    Args:
        attribute: Its attribute path in the target; empty for the target's own value.
        own: What it builds.
        stream: What builds the same image as a program instead of an archive.
        executable: Whether it says that it is such a program itself.
        image_name: The image's name, where it says so.
        image_tag: The image's tag, where it says so.
        expectations: The value of its `nixdock` attribute.
        needs: What the expectations name: outputs of derivations (`DRV!OUT`), and store paths.
    """

    attribute: tuple[str, ...]
    own: DerivationOutput
    stream: DerivationOutput | None
    executable: bool
    image_name: str | None
    image_tag: str | None
    expectations: Mapping[str, Any] | None
    needs: tuple[str, ...]

    @property
    def label(self) -> str | None:
        """Its attribute path as `-A` takes it; None for the target's own value."""
        return join_attribute(self.attribute) if self.attribute else None


def read_evaluation(answer: bytes, target: str) -> tuple[EvaluatedImage, ...]:
    """Read what an evaluation printed.

    Args:
        answer: The JSON.
        target: How the user named what was evaluated, for messages.

    Raises:
        BuildError: The value, or an attribute of it, is no image.
    """
    found = json.loads(answer)
    for entry in found:
        if "problem" in entry:
            raise _explain(entry["problem"], target)
    return tuple(map(_read_candidate, found))


def _read_candidate(entry: Mapping[str, Any]) -> EvaluatedImage:
    stream = entry["stream"]
    return EvaluatedImage(
        attribute=tuple(entry["attribute"]),
        own=_read_output(entry),
        stream=_read_output(stream) if stream else None,
        executable=entry["executable"],
        image_name=entry["image_name"],
        image_tag=entry["image_tag"],
        expectations=entry.get("expectations"),
        needs=tuple(entry.get("needs", ())),
    )


def _read_output(entry: Mapping[str, Any]) -> DerivationOutput:
    return DerivationOutput(entry["derivation"], entry["output"], entry["path"])


def _explain(problem: Mapping[str, Any], target: str) -> BuildError:
    at = join_attribute(tuple(problem["at"]))
    what = f"{at} of {target}" if at else target
    match problem["kind"]:
        case "argument":
            return _explain_arguments(problem["names"], what, problem.get("position"))
        case "attribute":
            return _explain_attribute(problem, what)
        case "leaf":
            noun = _NOUNS.get(problem["type"], problem["type"])
            return BuildError(f"{what} is {noun}, so it has no attribute '{problem['name']}'")
        case _:
            return _explain_type(problem, what, at)


def _explain_arguments(names: Sequence[str], what: str, position: Mapping[str, Any] | None) -> BuildError:
    where = ""
    if position:
        from nixdock.nix.build_log import Position  # noqa: PLC0415  # for mistakes

        place = Position(position["file"], position["line"], position["column"])
        where = f"{place.shown_from(here())}: "
    listed = " and ".join(f"'{name}'" for name in names)
    plural = len(names) > 1
    return BuildError(
        f"{where}{what} is a function whose "
        f"argument{'s' if plural else ''} {listed} {'have' if plural else 'has'} no default",
        hint=" ".join(f"--argstr {name} TEXT" for name in names) + " (or --arg NAME NIX for other values)",
    )


def _explain_attribute(problem: Mapping[str, Any], what: str) -> BuildError:
    name = problem["name"]
    if problem["type"] == "list":
        count = problem["length"]
        return BuildError(
            f"{what} is a list of {count}, so there is no '{name}' in it",
            hint=f"its places are 0 to {count - 1}" if count else None,
        )
    import difflib  # noqa: PLC0415  # only for mistakes

    names = problem["names"]
    prefix = f"{join_attribute(tuple(problem['at']))}." if problem["at"] else ""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        hint = f"did you mean {' or '.join(f'-A {prefix}{_quote(other)}' for other in close)}?"
    elif "drvPath" in names and not prefix:
        hint = f"{what} is one derivation, not a set of them: leave -A out"
    elif names:
        hint = f"there is: {', '.join(names[:10])}{' …' if len(names) > 10 else ''}"
    else:
        hint = None
    return BuildError(f"{what} has no attribute '{name}'", hint=hint)


def _quote(name: str) -> str:
    return join_attribute((name,))


def _explain_type(problem: Mapping[str, Any], what: str, at: str) -> BuildError:
    noun = _NOUNS.get(problem["type"], problem["type"])
    if problem["type"] == "set":
        names = problem["names"]
        listed = f" ({', '.join(names[:6])}{' …' if len(names) > 6 else ''})" if names else ""
        return BuildError(
            f"{what} is not an image: it is a set{listed} without a derivation in it",
            hint=f"name what is below it: -A {f'{at}.' if at else ''}NAME" if names else None,
        )
    if problem["type"] == "list":
        return BuildError(f"{what} is not an image: it is an empty list")
    shown = f" ({problem['shown']})" if problem.get("shown") is not None else ""
    return BuildError(
        f"{what} is not an image: it is {noun}{shown}",
        hint="an image is a derivation, such as pkgs.dockerTools.buildImage makes",
    )
