"""How a container is made, in Compose's words; each becomes an option of docker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixdock.checks.format.nodes import Listing, Node, Scalar, Table, to_value
from nixdock.checks.format.shapes import (
    Field,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Parsed,
    Problems,
    Record,
    Schema,
    Shape,
    Text,
    UnreadableError,
    describe,
    suggest,
)
from nixdock.checks.model import ContainerSettings
from nixdock.engine.containers.options.table import COMPOSE
from nixdock.units import parse_duration

if TYPE_CHECKING:
    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.engine.containers.options.table import DockerOption


@dataclass(frozen=True, slots=True)
class PairsShape(Shape[Mapping[str, str | None]]):
    """Names with values: as a mapping, or as a list of `NAME=value`.

    Args:
        separator: What stands between name and value in the list.
    """

    separator: str = "="

    def read(self, node: Node, problems: Problems) -> Mapping[str, str | None]:
        """Return the pairs; a name alone has the value None."""
        if isinstance(node, Table):
            return {
                name.text: None
                if isinstance(item, Scalar) and item.value is None
                else Text().read(item, problems)
                for name, item in node.entries
            }
        if not isinstance(node, Listing):
            raise problems.fail(node.place, f"expected a mapping or a list, found {describe(node)}")
        pairs: dict[str, str | None] = {}
        for item in node.items:
            name, separator, value = Text().read(item, problems).partition(self.separator)
            pairs[name] = value if separator else None
        return pairs

    def schema(self) -> Schema:
        """An object, or an array of texts."""
        return {
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
                },
                {"type": "array", "items": {"type": "string"}},
            ]
        }


@dataclass(frozen=True, slots=True)
class WordsShape(Shape[tuple[str, ...]]):
    """An argv: a list of words. One text would have to be split, which only a shell can do right."""

    def read(self, node: Node, problems: Problems) -> tuple[str, ...]:
        """Return the words."""
        if isinstance(node, Scalar) and node.value is not None:
            message = f"a command is a list of words: write [{', '.join(node.text.split())}]"
            raise problems.fail(node.place, message)
        return ListOf(Text()).read(node, problems)

    def schema(self) -> Schema:
        """An array of texts."""
        return ListOf(Text()).schema()


@dataclass(frozen=True, slots=True)
class HealthcheckShape(Shape[dict[str, Any]]):
    """Compose's `healthcheck`, as the Engine API writes it: docker's options know a shell's line alone."""

    def read(self, node: Node, problems: Problems) -> dict[str, Any]:
        """Return the API's `Healthcheck`."""
        values = _HEALTHCHECK.read_keys(node, problems)
        if values.pop("disable", False):
            return {"Test": ["NONE"]}
        test = values.pop("test", None)
        made: dict[str, Any] = {_HEALTH_NAMES[key]: value for key, value in values.items()}
        if test is not None:
            made["Test"] = ["CMD-SHELL", test[0]] if len(test) == 1 else list(test)
        return made

    def schema(self) -> Schema:
        """An object."""
        return _HEALTHCHECK.schema()


def _nanoseconds(text: str) -> int:
    return round(parse_duration(text) * 10**9)


_HEALTH_NAMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start_period": "StartPeriod",
    "start_interval": "StartInterval",
    "retries": "Retries",
}
_HEALTH_DURATION = Parsed(_nanoseconds, "a duration such as '10s'")
_HEALTHCHECK: Record[dict[str, Any]] = Record(
    dict,
    (
        Field("test", ListOf(Text(), single=True, least=1), "['CMD', word...], or one line for a shell."),
        Field("disable", Flag(), "Switch off the image's own."),
        Field("interval", _HEALTH_DURATION, "Time between two probes."),
        Field("timeout", _HEALTH_DURATION, "Time that a probe may take."),
        Field("start_period", _HEALTH_DURATION, "Time in which failing does not count."),
        Field("start_interval", _HEALTH_DURATION, "Time between two probes at the start (Docker 25)."),
        Field("retries", Integer(0), "Failures in a row that make it unhealthy."),
    ),
    "healthcheck",
)


@dataclass(frozen=True, slots=True)
class UlimitsShape(Shape[tuple[str, ...]]):
    """Compose's `ulimits`: a number, or `soft` and `hard`."""

    def read(self, node: Node, problems: Problems) -> tuple[str, ...]:
        """Return docker's `name=soft:hard`."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping, found {describe(node)}")
        found: list[str] = []
        for name, item in node.entries:
            if isinstance(item, Table):
                limits = MapOf(Text()).read(item, problems)
                if limits.keys() != {"soft", "hard"}:
                    raise problems.fail(item.place, "a limit has the keys soft and hard")
                found.append(f"{name.text}={limits['soft']}:{limits['hard']}")
            else:
                found.append(f"{name.text}={Text('a limit').read(item, problems)}")
        return tuple(found)

    def schema(self) -> Schema:
        """An object of numbers or of soft and hard ones."""
        number: Schema = {"type": ["integer", "string"]}
        both: Schema = {"type": "object", "properties": {"soft": number, "hard": number}}
        return {"type": "object", "additionalProperties": {"anyOf": [number, both]}}


_TEXT = Text()
_TEXTS = ListOf(_TEXT, single=True)
_SHAPES: dict[str, Shape[Any]] = {
    "add-host": PairsShape(":"),
    "env": PairsShape(),
    "label": PairsShape(),
    "sysctl": PairsShape(),
    "ulimit": UlimitsShape(),
}
"""Options whose value Compose writes otherwise than docker."""


def _shape_of(option: DockerOption) -> Shape[Any]:
    if option.metavar is None:
        return Flag()
    return _SHAPES.get(option.name) or (_TEXTS if option.many else _TEXT)


_KEYS: dict[str, tuple[str, Shape[Any]]] = {
    **{key: (option.name, _shape_of(option)) for key, option in COMPOSE.items()},
    "stdin_open": ("interactive", Flag()),
    "tty": ("tty", Flag()),
}
"""Compose's keys: docker's option, and the shape of the value."""

_OWN = ("entrypoint", "command", "hardened", "healthcheck", "raw")


@dataclass(frozen=True, slots=True)
class SettingsShape(Shape[ContainerSettings]):
    """How a container is made.

    Args:
        what: What the settings are of, for messages.
    """

    what: str

    def read(self, node: Node, problems: Problems) -> ContainerSettings:
        """Return the settings."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping ({self.what}), found {describe(node)}")
        options: list[tuple[str, str]] = []
        command: tuple[str, ...] | None = None
        hardened = False
        raw: dict[str, Any] = {}
        complete = True
        for name, item in node.entries:
            try:
                match name.text:
                    case "entrypoint":
                        # docker's option knows a single word alone.
                        raw["Entrypoint"] = list(self._entrypoint(item, problems))
                    case "command":
                        command = WordsShape().read(item, problems)
                    case "hardened":
                        hardened = Flag().read(item, problems)
                    case "healthcheck":
                        raw["Healthcheck"] = HealthcheckShape().read(item, problems)
                    case "raw":
                        raw |= self._raw(item, problems)
                    case _:
                        options += self._option(name, item, problems)
            except UnreadableError:
                complete = False
        if not complete:
            raise UnreadableError
        return ContainerSettings(tuple(options), command, hardened, raw)

    def _option(self, name: Scalar, item: Node, problems: Problems) -> GivenOptions:
        if name.text not in _KEYS:
            known = suggest(name.text, (*_KEYS, *_OWN))
            raise problems.fail(name.place, f"{self.what} has no key {name.text!r}{known}")
        option, shape = _KEYS[name.text]
        return tuple((option, text) for text in _write(shape.read(item, problems), shape))

    @staticmethod
    def _entrypoint(node: Node, problems: Problems) -> tuple[str, ...]:
        if isinstance(node, Scalar) and node.value is not None and " " not in node.text:
            return (node.text,)
        return WordsShape().read(node, problems)

    @staticmethod
    def _raw(node: Node, problems: Problems) -> dict[str, Any]:
        if not isinstance(node, Table):
            message = f"expected members of the Engine API's request, found {describe(node)}"
            raise problems.fail(node.place, message)
        value: dict[str, Any] = to_value(node)
        return value

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/container"}


def settings_definition() -> Schema:
    """Describe a container's settings for the end of the schema (`$defs`)."""
    properties: Schema = {name: shape.schema() for name, (_, shape) in sorted(_KEYS.items())}
    properties |= {
        "entrypoint": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "command": WordsShape().schema(),
        "healthcheck": HealthcheckShape().schema(),
        "hardened": {
            "type": "boolean",
            "description": "As few rights as it runs with: read-only, no network, no capabilities.",
        },
        "raw": {"type": "object", "description": "Members of the Engine API's request to create it."},
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _write(value: Any, shape: Shape[Any]) -> tuple[str, ...]:  # noqa: ANN401  # what the shape has read
    """Return an option's values as docker writes them."""
    match value:
        case bool():
            return ("true" if value else "false",)
        case str():
            return (value,)
        case Mapping():
            separator = shape.separator if isinstance(shape, PairsShape) else "="
            return tuple(name if text is None else f"{name}{separator}{text}" for name, text in value.items())
        case _:
            return tuple(value)
