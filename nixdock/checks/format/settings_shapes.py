"""How a container is made, in Compose's words; each becomes an option of docker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixdock.checks.format.nodes import Node, Problems, Scalar, Table, describe, to_value
from nixdock.checks.format.records import Field, Record
from nixdock.checks.format.shapes import (
    Converted,
    Flag,
    Integer,
    ListOf,
    MapOf,
    PairsShape,
    Parsed,
    Schema,
    Shape,
    Text,
)
from nixdock.checks.model import WORDS, ContainerSettings
from nixdock.engine.containers.options.table import COMPOSE
from nixdock.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.engine.containers.options.table import DockerOption

Raw = dict[str, Any]
Texts = tuple[str, ...]


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


def _make_healthcheck(*, disable: bool = False, test: tuple[str, ...] | None = None, **values: Any) -> Raw:  # noqa: ANN401
    """Return the API's `Healthcheck`: docker's options know a shell's line alone."""
    if disable:
        return {"Healthcheck": {"Test": ["NONE"]}}
    made = {_HEALTH_NAMES[key]: value for key, value in values.items()}
    if test is not None:
        made["Test"] = ["CMD-SHELL", test[0]] if len(test) == 1 else list(test)
    return {"Healthcheck": made}


_HEALTHCHECK = Record(
    _make_healthcheck,
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
        limit = Text().schema()
        both = {"type": "object", "properties": {"soft": limit, "hard": limit}, "required": ["soft", "hard"]}
        return {"type": "object", "additionalProperties": {"anyOf": [limit, both]}}


def _pairs(separator: str = "=") -> Shape[Texts]:
    def write(pairs: Mapping[str, str | None]) -> Texts:
        return tuple(name if text is None else f"{name}{separator}{text}" for name, text in pairs.items())

    return Converted(PairsShape(separator), write)


_SHAPES: dict[str, Shape[Texts]] = {
    "add-host": _pairs(":"),
    "env": _pairs(),
    "label": _pairs(),
    "sysctl": _pairs(),
    "ulimit": UlimitsShape(),
}
"""Options whose value Compose writes otherwise than docker."""

_TEXTS = ListOf(Text(), single=True)
_TEXT = Converted(Text(), lambda text: (text,))
_SWITCH = Converted(Flag(), lambda on: ("true" if on else "false",))


def _shape_of(option: DockerOption) -> Shape[Texts]:
    if option.metavar is None:
        return _SWITCH
    return _SHAPES.get(option.name) or (_TEXTS if option.many else _TEXT)


_KEYS: dict[str, tuple[str, Shape[Texts]]] = {
    **{key: (option.name, _shape_of(option)) for key, option in COMPOSE.items()},
    "stdin_open": ("interactive", _SWITCH),
    "tty": ("tty", _SWITCH),
}
"""Compose's keys: docker's option, and the shape of its values as docker writes them."""


@dataclass(frozen=True, slots=True)
class _EntrypointShape(Shape[Raw]):
    """A program, or an argv; docker's option knows a single word alone."""

    def read(self, node: Node, problems: Problems) -> Raw:
        """Return the API's `Entrypoint`."""
        if isinstance(node, Scalar) and node.value is not None and " " not in node.text:
            return {"Entrypoint": [node.text]}
        return {"Entrypoint": list(WORDS.read(node, problems))}

    def schema(self) -> Schema:
        """A text, or an array of texts."""
        return {"anyOf": [Text().schema(), WORDS.schema()]}


@dataclass(frozen=True, slots=True)
class _RawShape(Shape[Raw]):
    """Members of the Engine API's request."""

    def read(self, node: Node, problems: Problems) -> Raw:
        """Return them as they are."""
        if not isinstance(node, Table):
            message = f"expected members of the Engine API's request, found {describe(node)}"
            raise problems.fail(node.place, message)
        value: Raw = to_value(node)
        return value

    def schema(self) -> Schema:
        """Any object."""
        return {"type": "object"}


_HARDENED = "As few rights as it runs with: read-only, no network, no capabilities."
_RAW = (
    Field("entrypoint", _EntrypointShape()),
    Field("healthcheck", _HEALTHCHECK),
    Field("raw", _RawShape(), "Members of the Engine API's request to create it."),
)


def _make_settings(
    *,
    command: tuple[str, ...] | None = None,
    hardened: bool = False,
    **values: Any,  # noqa: ANN401
) -> ContainerSettings:
    options: GivenOptions = ()
    raw: Raw = {}
    for name, value in values.items():
        if name in _KEYS:
            option, _ = _KEYS[name]
            options += tuple((option, text) for text in value)
        else:
            raw |= value
    return ContainerSettings(options, command, hardened, raw)


@dataclass(frozen=True, slots=True)
class SettingsShape(Shape[ContainerSettings]):
    """How a container is made.

    Args:
        what: What the settings are of, for messages.
    """

    what: str

    def read(self, node: Node, problems: Problems) -> ContainerSettings:
        """Return the settings."""
        return self._record().read(node, problems)

    def _record(self) -> Record[ContainerSettings]:
        options = (Field(name, shape) for name, (_, shape) in sorted(_KEYS.items()))
        own = (Field("command", WORDS), Field("hardened", Flag(), _HARDENED), *_RAW)
        return Record(_make_settings, (*options, *own), self.what)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/container"}

    def definition(self) -> Schema:
        """An object."""
        return self._record().schema()
