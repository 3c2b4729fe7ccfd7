"""An image's config as docker's engine reads it: its keys in any case, its values of one kind each.

What was tried with Docker 20.10 and 28 (Go's encoding/json): `cmd` is `Cmd`; null is as if nothing was
given, as an element of a list it is an empty text; halves of characters are U+FFFD; `Cmd`, `Entrypoint`
and `Shell` may be a text, which is one word. A value of another kind makes the config unreadable: a
graph driver refuses the image, and so does Podman; a containerd store takes it and forgets its config.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HALVES: Final = re.compile("[\ud800-\udfff]")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d?\d:\d\d:\d\d([.,]\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)
_WIDEST: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a config says.

    Args:
        value: The config as JSON, its known keys as docker writes them; what nobody knows is kept.
        texts: Lists of words that stand there as a text, which not every engine takes: `config.Cmd`.
    """

    value: dict[str, Any]
    texts: tuple[str, ...] = ()


def read_config(data: bytes) -> ImageConfig:
    """Read an image's config.

    Raises:
        LoadError: No engine could read it; the message says what is wrong with it, and where.
    """
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
        if not isinstance(value, dict):
            raise _unreadable(f"it is {_describe(value)}, not an object")
        reading = _Reading()
        return ImageConfig(reading.record(_heal(value), "", _IMAGE), tuple(reading.texts))
    except RecursionError as error:
        raise _unreadable("it is nested too deep") from error
    except ValueError as error:
        raise _unreadable(f"it is no JSON ({error})") from error


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no value of JSON")


def _unreadable(why: str) -> LoadError:
    return LoadError(
        f"the image's config cannot be read: {why}",
        hint="mend config of the expression that makes the image, and build it again",
    )


def _heal(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON without halves of characters, which can be neither compared nor written."""
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_heal(item) for item in value]
    if isinstance(value, dict):
        return {_heal(key): _heal(item) for key, item in value.items()}
    return value


def _describe(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"the truth value {json.dumps(value)}"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


@dataclass(slots=True)
class _Reading:
    """One config while it is read; each method reads a value that is not null."""

    texts: list[str] = field(default_factory=list)

    def record(self, value: Any, where: str, fields: Mapping[str, _Reader]) -> dict[str, Any]:  # noqa: ANN401
        """Read an object with known keys."""
        known = {name.casefold(): (name, read) for name, read in fields.items()}
        found: dict[str, Any] = {}
        for key, item in self._object(value, where).items():
            name, read = known.get(key.casefold(), (key, None))
            if read is None or item is None:
                found.setdefault(name, item)
                continue
            here, before = read(self, item, f"{where}.{name}".lstrip(".")), found.get(name)
            # What stands there in two spellings is read into one.
            found[name] = {**before, **here} if isinstance(before, dict) else here
        return found

    def text(self, value: Any, where: str) -> str:  # noqa: ANN401
        """Read a text."""
        if not isinstance(value, str):
            raise _wrong(where, value, "a text")
        return value

    def flag(self, value: Any, where: str) -> bool:  # noqa: ANN401
        """Read a boolean."""
        if not isinstance(value, bool):
            raise _wrong(where, value, "true or false")
        return value

    def whole(self, value: Any, where: str) -> int:  # noqa: ANN401
        """Read a whole number."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong(where, value, "a whole number")
        if not -_WIDEST <= value < _WIDEST:
            raise _unreadable(f"{where} is a number that does not fit into 64 bits")
        return value

    def time(self, value: Any, where: str) -> str:  # noqa: ANN401
        """Read a moment."""
        text = self.text(value, where)
        if not _TIME.fullmatch(text):
            raise _unreadable(f"{where} is {text[:40]!r}, and must be a time such as 1970-01-01T00:00:01Z")
        return text

    def words(self, value: Any, where: str) -> list[str]:  # noqa: ANN401
        """Read a list of texts."""
        if not isinstance(value, list):
            raise _wrong(where, value, "a list of texts")
        return [
            "" if item is None else self.text(item, f"{where}[{number}]") for number, item in enumerate(value)
        ]

    def command(self, value: Any, where: str) -> list[str]:  # noqa: ANN401
        """Read a list of words, for which a text stands as one word (moby, strslice)."""
        if isinstance(value, str):
            self.texts.append(where)
            return [value]
        return self.words(value, where)

    def names(self, value: Any, where: str) -> dict[str, dict[str, Any]]:  # noqa: ANN401
        """Read a set, which is an object with empty objects."""
        for name, item in self._object(value, where).items():
            if item is not None:
                self._object(item, _below(where, name))
        return {name: {} for name in value}

    def pairs(self, value: Any, where: str) -> dict[str, str]:  # noqa: ANN401
        """Read an object of texts."""
        return {
            name: "" if item is None else self.text(item, _below(where, name))
            for name, item in self._object(value, where).items()
        }

    def run(self, value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
        """Read what a container gets."""
        return self.record(value, where, _RUN)

    def health(self, value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
        """Read a health check."""
        return self.record(value, where, _HEALTH)

    def layers(self, value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
        """Read what names the layers."""
        return self.record(value, where, {"type": _Reading.text, "diff_ids": _Reading.words})

    def history(self, value: Any, where: str) -> list[Any]:  # noqa: ANN401
        """Read how the layers were made."""
        if not isinstance(value, list):
            raise _wrong(where, value, "a list of objects")
        return [
            None if item is None else self.record(item, f"{where}[{number}]", _HISTORY)
            for number, item in enumerate(value)
        ]

    def _object(self, value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _wrong(where, value, "an object")
        return value


if TYPE_CHECKING:
    _Reader = Callable[[_Reading, Any, str], Any]


def _below(where: str, name: str) -> str:
    return f"{where}[{name[:40]!r}]"


def _wrong(where: str, value: object, wanted: str) -> LoadError:
    return _unreadable(f"{where} is {_describe(value)}, and must be {wanted}")


_HEALTH: Final[Mapping[str, _Reader]] = {
    "Test": _Reading.words,
    **dict.fromkeys(("Interval", "Retries", "StartInterval", "StartPeriod", "Timeout"), _Reading.whole),
}

_RUN: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(
        ("Domainname", "Hostname", "Image", "MacAddress", "StopSignal", "User", "WorkingDir"), _Reading.text
    ),
    **dict.fromkeys(
        (
            "ArgsEscaped",
            "AttachStderr",
            "AttachStdin",
            "AttachStdout",
            "NetworkDisabled",
            "OpenStdin",
            "StdinOnce",
            "Tty",
        ),
        _Reading.flag,
    ),
    **dict.fromkeys(("Cmd", "Entrypoint", "Shell"), _Reading.command),
    **dict.fromkeys(("Env", "OnBuild"), _Reading.words),
    **dict.fromkeys(("ExposedPorts", "Volumes"), _Reading.names),
    "Healthcheck": _Reading.health,
    "Labels": _Reading.pairs,
    "StopTimeout": _Reading.whole,
}
"""What stands in `config` (moby, api/types/container/config.go)."""

_HISTORY: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(("author", "comment", "created_by"), _Reading.text),
    "created": _Reading.time,
    "empty_layer": _Reading.flag,
}

_IMAGE: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(
        (
            "architecture",
            "author",
            "comment",
            "container",
            "docker_version",
            "id",
            "os",
            "os.version",
            "parent",
            "variant",
        ),
        _Reading.text,
    ),
    **dict.fromkeys(("config", "container_config"), _Reading.run),
    "created": _Reading.time,
    "history": _Reading.history,
    "os.features": _Reading.words,
    "rootfs": _Reading.layers,
}
"""What stands beside it (moby, image/image.go)."""
