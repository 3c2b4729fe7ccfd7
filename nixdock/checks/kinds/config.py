"""`config`: docker's config keys, top-level keys of the image's config, or paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import MATCHERS, TEXT, VALUE, VALUE_WORDS, PlainNumber
from nixdock.checks.format.nodes import Listing, Node, Problems, Scalar, Table, describe, suggest
from nixdock.checks.format.records import Field, Record, required
from nixdock.checks.format.shapes import ListOf, MapOf, Schema, Shape, Text
from nixdock.checks.matchers.algebra import SECONDS, Matcher
from nixdock.checks.matchers.value import AsPairs, AsText, EqualsValue, JsonPath, Members, SameSet, Unset
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.subject import Subject


@dataclass(frozen=True, slots=True)
class _KeyShape(Shape[Matcher[object]]):
    """The value of a key of the config: what is unset, named matchers, or what the key has of its own.

    Args:
        read_own: Reads what the key has of its own; None for anything else.
        takes: What the key may be, in the schema.
    """

    read_own: Callable[[Node, Problems], Matcher[object] | None]
    takes: tuple[Schema, ...]

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return the matcher."""
        found = self.read_own(node, problems)
        if found is not None:
            return found
        if isinstance(node, Scalar) and node.value in {None, ""}:
            return Unset()
        if isinstance(node, Listing) and not node.items:
            return Unset()
        return VALUE.read(node, problems)

    def schema(self) -> Schema:
        """One of what it takes."""
        return {"anyOf": list(self.takes)}


@dataclass(frozen=True, slots=True)
class _PairShape(Shape[Matcher[object]]):
    """The value of a variable or label: a matcher of text, or of any value."""

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return the matcher."""
        if isinstance(node, Scalar) and node.value is None:
            return EqualsValue(None)
        if isinstance(node, Table) and _names_matchers(node):
            return VALUE.read(node, problems)
        return AsText(TEXT.read(node, problems))

    def schema(self) -> Schema:
        """Null, named matchers, or a text's."""
        return {"anyOf": [_NULL, MATCHERS, TEXT.schema()]}


def _names_matchers(node: Table) -> bool:
    return all(name.text in VALUE_WORDS for name, _ in node.entries)


def _read_text(node: Node, _: Problems) -> Matcher[object] | None:
    return EqualsValue(node.text) if isinstance(node, Scalar) and node.value not in {None, ""} else None


def _read_words(node: Node, problems: Problems) -> Matcher[object] | None:
    if isinstance(node, Scalar) and node.value is not None:
        raise problems.fail(
            node.place,
            f"expected a list of words or null, found {describe(node)}; a shell's line "
            f"is ['/bin/sh', '-c', {node.text!r}]",
        )
    if isinstance(node, Listing) and node.items:
        return EqualsValue(list(ListOf(Text()).read(node, problems)))
    return None


def _read_pairs(node: Node, problems: Problems) -> Matcher[object] | None:
    """Read names with values, of which others may exist beside those that are named."""
    if isinstance(node, Listing) and node.items:
        return SameSet(frozenset(ListOf(Text()).read(node, problems)))
    if isinstance(node, Table) and not _names_matchers(node):
        return Members(tuple(MapOf(_PAIR).read(node, problems).items()))
    return None


def _read_env(node: Node, problems: Problems) -> Matcher[object] | None:
    found = _read_pairs(node, problems)
    return AsPairs(found) if isinstance(found, Members) else found


def _read_set(node: Node, problems: Problems) -> SameSet | None:
    """Read a set, which docker writes as an object with empty values."""
    if isinstance(node, Listing) and node.items:
        return SameSet(frozenset(ListOf(Text()).read(node, problems)))
    if isinstance(node, Table):
        names = frozenset(name.text for name, _ in node.entries)
        return SameSet(names) if names and not names & VALUE_WORDS else None
    return None


def _read_ports(node: Node, problems: Problems) -> Matcher[object] | None:
    found = _read_set(node, problems)
    # As docker reads them: a port without a protocol is a TCP port.
    ports = found and frozenset(port if "/" in port else f"{port}/tcp" for port in found.expected)
    return SameSet(ports) if ports else None


def _read_healthcheck(node: Node, problems: Problems) -> Matcher[object] | None:
    return _HEALTH.read(node, problems) if isinstance(node, Table) and not _names_matchers(node) else None


def _read_health_time(node: Node, problems: Problems) -> Matcher[object] | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    # The config has nanoseconds (moby, api/types/container/config.go).
    return EqualsValue(round(PlainNumber(SECONDS).read(node, problems) * 10**9))


_NULL: Schema = {"type": "null"}
_PAIR = _PairShape()

_ANY = _KeyShape(lambda _node, _problems: None, (VALUE.schema(),))
_STRING = _KeyShape(_read_text, _ANY.takes)
_WORDS = _KeyShape(_read_words, (_NULL, MATCHERS, ListOf(Text()).schema()))
_PAIRS = _KeyShape(_read_pairs, (VALUE.schema(), MapOf(_PAIR).schema()))
_ENV = _KeyShape(_read_env, _PAIRS.takes)
_SET = _KeyShape(_read_set, (VALUE.schema(), {"type": "object"}))
_PORTS = _KeyShape(_read_ports, _SET.takes)
_TIME = _KeyShape(_read_health_time, _ANY.takes)
_HEALTH = Record(
    lambda **members: Members(tuple(members.items())),
    (
        Field("Test", _WORDS),
        Field("Interval", _TIME),
        Field("Timeout", _TIME),
        Field("StartPeriod", _TIME),
        Field("StartInterval", _TIME),
        Field("Retries", _ANY),
    ),
    "Healthcheck",
)
_HEALTHCHECK = _KeyShape(_read_healthcheck, (VALUE.schema(), _HEALTH.schema()))

_DOCKER_KEYS: dict[str, _KeyShape] = {
    "ArgsEscaped": _ANY,
    "AttachStderr": _ANY,
    "AttachStdin": _ANY,
    "AttachStdout": _ANY,
    "Cmd": _WORDS,
    "Domainname": _STRING,
    "Entrypoint": _WORDS,
    "Env": _ENV,
    "ExposedPorts": _PORTS,
    "Healthcheck": _HEALTHCHECK,
    "Hostname": _STRING,
    "Image": _STRING,
    "Labels": _PAIRS,
    "MacAddress": _STRING,
    "Memory": _ANY,
    "NetworkDisabled": _ANY,
    "OnBuild": _WORDS,
    "OpenStdin": _ANY,
    "Shell": _WORDS,
    "StdinOnce": _ANY,
    "StopSignal": _STRING,
    "StopTimeout": _ANY,
    "Tty": _ANY,
    "User": _STRING,
    "Volumes": _SET,
    "WorkingDir": _STRING,
}
"""The keys of the config's `config` object (OCI image specification and moby's additions)."""

_IMAGE_KEYS = ("architecture", "author", "created", "docker_version", "history", "os", "rootfs", "variant")
"""Keys beside it."""


@dataclass(frozen=True, slots=True)
class ConfigField:
    """A field of the image's config: the way to it, and what it must be."""

    name: str
    path: tuple[str | int, ...]
    matcher: Matcher[object]


@dataclass(frozen=True, slots=True)
class _ConfigShape(Shape[tuple[ConfigField, ...]]):
    """Fields of the image's config by their names, or by paths such as `history[0].created_by`."""

    def read(self, node: Node, problems: Problems) -> tuple[ConfigField, ...]:
        """Return the fields."""
        if not isinstance(node, Table) or not node.entries:
            raise problems.fail(node.place, f"expected docker's config keys, found {describe(node)}")
        return tuple(self._field(name, item, problems) for name, item in node.entries)

    def _field(self, name: Scalar, node: Node, problems: Problems) -> ConfigField:
        try:
            steps = JsonPath.parse(name.text).steps
        except ValueError as error:
            raise problems.fail(name.place, str(error)) from error
        known = (*_DOCKER_KEYS, *_IMAGE_KEYS)
        if not steps or steps[0] not in known:
            raise problems.fail(
                name.place, f"an image's config has no key {name.text!r}{suggest(name.text, known)}"
            )
        first = str(steps[0])
        if first == "Env" and len(steps) == 2:
            member = Members(((str(steps[1]), _PAIR.read(node, problems)),))
            return ConfigField(name.text, ("config", "Env"), AsPairs(member))
        shape = _DOCKER_KEYS.get(first, _ANY) if len(steps) == 1 else _ANY
        path = ("config", *steps) if first in _DOCKER_KEYS else steps
        return ConfigField(name.text, path, shape.read(node, problems))

    def schema(self) -> Schema:
        """An object whose known keys take matchers; paths are matched by their first name."""
        first = "|".join((*_DOCKER_KEYS, *_IMAGE_KEYS))
        return {
            "type": "object",
            "properties": {
                **{name: shape.schema() for name, shape in _DOCKER_KEYS.items()},
                **dict.fromkeys(_IMAGE_KEYS, _ANY.schema()),
            },
            "patternProperties": {rf"^\$?\.?({first})[.\[]": {"anyOf": [VALUE.schema(), _PAIR.schema()]}},
            "additionalProperties": False,
            "minProperties": 1,
        }


@dataclass(frozen=True, slots=True)
class ConfigCheck(StaticKind):
    """Fields of the image's config."""

    fields: tuple[ConfigField, ...] = required(_ConfigShape(), name="config")

    kind = "config"
    about = (
        "docker's config keys, `architecture`, `os`, `created`, `history`..., or paths "
        "(`history[0].created_by`); null is unset"
    )

    def judge(self, subject: Subject) -> CheckResult:
        """Compare fields of the config; no layer is read."""
        result = CheckResult()
        for field in self.fields:
            value = JsonPath(field.name, field.path).find(subject.config)
            result.judge(field.name, field.matcher, value)
        return result
