"""What a service was brought up with, in the user's words, and what of it is another time different.

A container carries it as a label, for in what an engine tells of a container nobody can tell what was asked
for from what the engine, or the image, has added. Of variables, and of options that may hold secrets, it has
digests.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.options.table import OPTIONS
from nixdock.engine.containers.owner import GIVEN
from nixdock.image.reference import Reference
from nixdock.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nixdock.engine.connection.responses import ContainerSummary
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest, GivenOptions
    from nixdock.engine.containers.options.table import DockerOption

_VARIABLES: Final = frozenset({"env", "env-file"})
"""Options that are compared by what they come to."""

_SECRET: Final = frozenset({"log-opt", "storage-opt"})
"""Options whose values, behind the name in them, are nobody's business."""

_SWITCHES: Final = ("-t", "-i", "--rm")
"""Those that are no options of docker's table."""

_MOST: Final = 4
"""How many differences are named."""

_LONGEST: Final = 60
_ID: Final = 12


@dataclass(frozen=True, slots=True)
class Given:
    """What a service is made of.

    Args:
        image: The image's reference.
        image_id: The image's ID.
        command: The words behind the image.
        options: The values of each option, by the table's names; switches have none.
        variables: Digests of the values of environment variables, by their names.
    """

    image: str
    image_id: str
    command: Sequence[str]
    options: Mapping[str, Sequence[str]]
    variables: Mapping[str, str]

    @classmethod
    def of(cls, image: EngineImage, request: CreateRequest, options: GivenOptions) -> Given:
        """Return what a request was made of.

        Args:
            image: The image.
            request: What is to be created.
            options: docker's options that it was made of.
        """
        return cls(
            _whole(image.name),
            image.details.id,
            tuple(request.body.get("Cmd") or ()),
            {**_by_option(options), **_switches(request)},
            dict(map(_digest_value, request.body.get("Env") or ())),
        )

    def write(self) -> str:
        """Return it as a label's value."""
        facts = {
            "image": self.image,
            "command": self.command,
            "options": self.options,
            "variables": self.variables,
        }
        return json.dumps(facts, separators=(",", ":"))

    @classmethod
    def read(cls, container: ContainerSummary) -> Given | None:
        """Return what a container's label says; None where it has none that can be read."""
        try:
            facts = json.loads(container.labels.get(GIVEN, ""))
            return cls(
                str(facts["image"]),
                container.image_id,
                tuple(map(str, facts["command"])),
                {str(name): tuple(map(str, values)) for name, values in facts["options"].items()},
                {str(name): str(value) for name, value in facts["variables"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _by_option(options: GivenOptions) -> dict[str, tuple[str, ...]]:
    """Return the values that count of each option that was given, in the order of the table."""
    found: dict[str, tuple[str, ...]] = {}
    for option in OPTIONS:
        texts = [text for name, text in options if name == option.name]
        if option.metavar is None:
            if texts and texts[-1] != "false":
                found[option.name] = ()
        elif texts and option.name not in _VARIABLES:
            kept = texts if option.many else texts[-1:]
            found[option.name] = tuple(map(_hide, kept) if option.name in _SECRET else kept)
    return found


def _switches(request: CreateRequest) -> dict[str, tuple[str, ...]]:
    removes = bool((request.body.get("HostConfig") or {}).get("AutoRemove"))
    given = (request.tty, bool(request.body.get("OpenStdin")), removes)
    return {flag: () for flag, is_given in zip(_SWITCHES, given, strict=True) if is_given}


def _digest_value(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()[:8]


def _hide(text: str) -> str:
    return "=".join(_digest_value(text))


def find_difference(container: ContainerSummary, wanted: Given, before: str, now: str) -> str | None:
    """Say what of a container is not what is wanted; None where all is.

    Args:
        container: The container.
        wanted: What is wanted.
        before: The container's settings: digests over its image and over its options.
        now: The settings that are wanted.
    """
    if before == now:
        return None
    if not before:
        return "it was run as a job"
    image, _, options = now.partition("-")
    image_before, _, options_before = before.partition("-")
    given = Given.read(container)
    parts = [] if image == image_before else [_compare_images(given, container, wanted)]
    if options != options_before:
        named = [] if given is None else list(_compare_options(given, wanted))
        parts += named or ["other options"]
    more = [f"{len(parts) - _MOST} more"] if len(parts) > _MOST else []
    return "; ".join([*parts[:_MOST], *more])


def _compare_images(given: Given | None, container: ContainerSummary, now: Given) -> str:
    before = _whole(container.image) if given is None else given.image
    if before == now.image:
        # Its name means another one by now.
        return f"image {before}, {_short_id(container.image_id)} -> {_short_id(now.image_id)}"
    return f"image {_show(before)} -> {_show(now.image)}"


def _whole(name: str) -> str:
    """Return the name of an image, of the whole one where its store paths are mounted."""
    try:
        reference = Reference.parse(name)
    except ValueError:
        return name
    return name if reference.whole == reference else reference.whole.familiar


def _short_id(ident: str) -> str:
    return _show(ident.removeprefix("sha256:")[:_ID])


def _compare_options(before: Given, now: Given) -> Iterator[str]:
    """Yield what is different of options, variables and command, as the user writes them."""
    for name in sorted({*before.variables, *now.variables}):
        old, new = before.variables.get(name), now.variables.get(name)
        if old != new:
            yield _change(f"-e {_show(name)}", old is not None, new is not None, "has another value")
    for option in OPTIONS:
        yield from _compare_option(option, before.options.get(option.name), now.options.get(option.name))
    for flag in _SWITCHES:
        if (flag in before.options) != (flag in now.options):
            yield _change(flag, flag in before.options, flag in now.options)
    if before.command != now.command:
        yield f"command {_show_words(before.command)} -> {_show_words(now.command)}"


def _compare_option(
    option: DockerOption, before: Sequence[str] | None, now: Sequence[str] | None
) -> Iterator[str]:
    flag = option.flags[0]
    if option.metavar is None:
        if (before is None) != (now is None):
            yield _change(flag, before is not None, now is not None)
        return
    gone = list((Counter(before or ()) - Counter(now or ())).elements())
    new = list((Counter(now or ()) - Counter(before or ())).elements())
    if option.name in _SECRET:
        names = [{text.partition("=")[0] for text in texts} for texts in (gone, new)]
        for name in sorted(names[0] | names[1]):
            yield _change(f"{flag} {_show(name)}", name in names[0], name in names[1], "has another value")
        return
    if len(gone) == len(new) == 1:
        yield f"{flag} {_show(gone[0])} -> {_show(new[0])}"
        return
    yield from (_change(f"{flag} {_show(text)}", True, False) for text in gone)
    yield from (_change(f"{flag} {_show(text)}", False, True) for text in new)


def _change(what: str, before: bool, now: bool, both: str = "") -> str:
    """Say what became of something: it is new, it is gone, or what else if it is there both times."""
    if before and now:
        return f"{what} {both}"
    return f"{what} is {'new' if now else 'gone'}"


def _show(text: str) -> str:
    return shorten(clean_line(text), _LONGEST)


def _show_words(words: Sequence[str]) -> str:
    return _show(shlex.join(words)) if words else "the image's own"
