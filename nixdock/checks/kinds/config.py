"""`config`: docker's config keys, top-level keys of the image's config, or paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import TEXT, VALUE, VALUE_WORDS, NumberIn
from nixdock.checks.format.nodes import Listing, Node, Problems, Scalar, Table, describe, suggest
from nixdock.checks.format.records import required
from nixdock.checks.format.shapes import Schema, Shape, Text
from nixdock.checks.matchers.algebra import SECONDS
from nixdock.checks.matchers.value import AsPairs, AsText, EqualsValue, JsonPath, Members, SameSet, Unset
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.matchers.algebra import Matcher
    from nixdock.checks.subject import Subject


def _read_any(node: Node, problems: Problems) -> Matcher[object]:
    if isinstance(node, Scalar) and node.value in {None, ""}:
        return Unset()
    if isinstance(node, Listing) and not node.items:
        return Unset()
    return VALUE.read(node, problems)


def _read_text(node: Node, problems: Problems) -> Matcher[object]:
    if isinstance(node, Scalar) and node.value not in {None, ""}:
        return EqualsValue(node.text)
    return _read_any(node, problems)


def _read_words(node: Node, problems: Problems) -> Matcher[object]:
    if isinstance(node, Scalar) and node.value is not None:
        raise problems.fail(
            node.place,
            f"expected a list of words or null, found {describe(node)}; a shell's line "
            f"is ['/bin/sh', '-c', {node.text!r}]",
        )
    if isinstance(node, Listing) and node.items:
        return EqualsValue([Text().read(item, problems) for item in node.items])
    return _read_any(node, problems)


def _read_pairs(node: Node, problems: Problems) -> Matcher[object]:
    """Read names with values, of which others may exist beside those that are named."""
    if isinstance(node, Listing) and node.items:
        return SameSet(frozenset(Text().read(item, problems) for item in node.items))
    if not isinstance(node, Table) or not node.entries:
        return _read_any(node, problems)
    if all(name.text in VALUE_WORDS for name, _ in node.entries):
        return VALUE.read(node, problems)
    return Members(tuple((name.text, _read_pair(item, problems)) for name, item in node.entries))


def _read_env(node: Node, problems: Problems) -> Matcher[object]:
    found = _read_pairs(node, problems)
    return AsPairs(found) if isinstance(found, Members) else found


def _read_pair(node: Node, problems: Problems) -> Matcher[object]:
    if isinstance(node, Scalar) and node.value is None:
        return EqualsValue(None)
    if isinstance(node, Table) and all(name.text in VALUE_WORDS for name, _ in node.entries):
        return VALUE.read(node, problems)
    return AsText(TEXT.read(node, problems))


def _read_set(node: Node, problems: Problems) -> Matcher[object]:
    """Read a set, which docker writes as an object with empty values."""
    if isinstance(node, Listing) and node.items:
        return SameSet(frozenset(Text().read(item, problems) for item in node.items))
    if (
        isinstance(node, Table)
        and node.entries
        and not any(name.text in VALUE_WORDS for name, _ in node.entries)
    ):
        return SameSet(frozenset(name.text for name, _ in node.entries))
    return _read_any(node, problems)


def _read_ports(node: Node, problems: Problems) -> Matcher[object]:
    found = _read_set(node, problems)
    if isinstance(found, SameSet):
        # As docker reads them: a port without a protocol is a TCP port.
        return SameSet(frozenset(port if "/" in port else f"{port}/tcp" for port in found.expected))
    return found


def _read_healthcheck(node: Node, problems: Problems) -> Matcher[object]:
    if not isinstance(node, Table) or not node.entries:
        return _read_any(node, problems)
    if all(name.text in VALUE_WORDS for name, _ in node.entries):
        return VALUE.read(node, problems)
    members: list[tuple[str, Matcher[object]]] = []
    for name, item in node.entries:
        if name.text not in _HEALTH_KEYS:
            known = suggest(name.text, _HEALTH_KEYS)
            raise problems.fail(name.place, f"Healthcheck has no key {name.text!r}{known}")
        members.append((name.text, _read_health_value(name.text, item, problems)))
    return Members(tuple(members))


def _read_health_value(key: str, node: Node, problems: Problems) -> Matcher[object]:
    if key == "Test":
        return _read_words(node, problems)
    if key != "Retries" and isinstance(node, Scalar) and isinstance(node.value, str):
        # The config has nanoseconds (moby, api/types/container/config.go).
        return EqualsValue(round(NumberIn(SECONDS).read(node, problems) * 10**9))
    return _read_any(node, problems)


_HEALTH_KEYS = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")

_DOCKER_KEYS: dict[str, Callable[[Node, Problems], Matcher[object]]] = {
    "ArgsEscaped": _read_any,
    "AttachStderr": _read_any,
    "AttachStdin": _read_any,
    "AttachStdout": _read_any,
    "Cmd": _read_words,
    "Domainname": _read_text,
    "Entrypoint": _read_words,
    "Env": _read_env,
    "ExposedPorts": _read_ports,
    "Healthcheck": _read_healthcheck,
    "Hostname": _read_text,
    "Image": _read_text,
    "Labels": _read_pairs,
    "MacAddress": _read_text,
    "Memory": _read_any,
    "NetworkDisabled": _read_any,
    "OnBuild": _read_words,
    "OpenStdin": _read_any,
    "Shell": _read_words,
    "StdinOnce": _read_any,
    "StopSignal": _read_text,
    "StopTimeout": _read_any,
    "Tty": _read_any,
    "User": _read_text,
    "Volumes": _read_set,
    "WorkingDir": _read_text,
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
            member = Members(((str(steps[1]), _read_pair(node, problems)),))
            return ConfigField(name.text, ("config", "Env"), AsPairs(member))
        read = _DOCKER_KEYS.get(first, _read_any) if len(steps) == 1 else _read_any
        path = ("config", *steps) if first in _DOCKER_KEYS else steps
        return ConfigField(name.text, path, read(node, problems))

    def schema(self) -> Schema:
        """An object whose known keys take matchers; paths are matched by their first name."""
        value: Schema = {"$ref": "#/$defs/value"}
        free: Schema = {"type": "object"}
        loose = {"anyOf": [value, free]}
        return {
            "type": "object",
            "properties": dict.fromkeys((*_DOCKER_KEYS, *_IMAGE_KEYS), loose),
            "patternProperties": {rf"^\$?\.?({'|'.join((*_DOCKER_KEYS, *_IMAGE_KEYS))})[.\[]": value},
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
            result.add(field.name, field.matcher.judge(value))
        return result
