"""The metadata test as a `config` check, its findings under the test's own keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nixdock.checks.kinds.config import ConfigCheck, ConfigField
from nixdock.checks.matchers.algebra import Matcher, Mismatch, NoneOf
from nixdock.checks.matchers.value import AsPairs, AsText, ContainsValue, EqualsValue, Exists, Members, Unset
from nixdock.checks.structure_test.go_text import text_matcher
from nixdock.checks.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nixdock.checks.structure_test.model import MetadataTest, Variable

Item = TypeVar("Item")


def find_faults(test: MetadataTest) -> tuple[Finding, ...]:
    """Return what makes the test unusable, whatever the image."""
    found: list[Finding] = []
    for key, variables in (("envVars", test.environment), ("labels", test.labels)):
        found += [Finding(key, "a key is empty") for variable in variables if not variable.key]
    for key, words in (("exposedPorts", test.exposed_ports), ("volumes", test.volumes)):
        found += [Finding(key, "a value is empty") for word in words if not word]
    return tuple(found)


def config_check(test: MetadataTest) -> ConfigCheck:
    """Translate the test; the file's own variables are not in an image's config."""
    words = {"cmd": test.cmd, "entrypoint": test.entrypoint}
    return ConfigCheck(
        (
            *_each("envVars", "Env", test.environment, lambda one: AsPairs(_value(one), bare="")),
            *_each("unboundEnvVars", "Env", test.unbound, lambda one: AsPairs(_no_member(one.key))),
            *_each("labels", "Labels", test.labels, _value),
            *(
                ConfigField(
                    key, ("config", key.capitalize()), EqualsValue(list(wanted)) if wanted else Unset()
                )
                for key, wanted in words.items()
                if wanted is not None
            ),
            *_each("workdir", "WorkingDir", filter(None, [test.workdir]), EqualsValue),
            *_each("user", "User", filter(None, [test.user]), EqualsValue),
            *_each("exposedPorts", "ExposedPorts", test.exposed_ports, _HasPort),
            *_each(
                "unexposedPorts", "ExposedPorts", test.unexposed_ports, lambda one: NoneOf((_HasPort(one),))
            ),
            *_each("volumes", "Volumes", test.volumes, ContainsValue),
            *_each(
                "unmountedVolumes",
                "Volumes",
                test.unmounted_volumes,
                lambda one: NoneOf((ContainsValue(one),)),
            ),
        )
    )


def _each(
    key: str, name: str, items: Iterable[Item], make: Callable[[Item], Matcher[object]]
) -> list[ConfigField]:
    return [ConfigField(key, ("config", name), make(item)) for item in items]


def _value(variable: Variable) -> Members:
    matcher: Matcher[object] = EqualsValue(variable.value)
    if variable.is_regex:
        matcher = AsText(text_matcher((variable.value,), ()))
    return Members(((variable.key, matcher),))


def _no_member(name: str) -> Members:
    return Members(((name, Exists(expected=False)),))


@dataclass(frozen=True, slots=True)
class _HasPort(Matcher[object]):
    """A port by its number, `8080`, or with its protocol, `8080/tcp`."""

    port: str

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        ports = [str(port) for port in subject] if isinstance(subject, dict) else []
        names = {name for port in ports for name in (port.partition("/")[0], _in_full(port))}
        if self.port in names:
            return ()
        return (Mismatch(f"{self.port} is missing; there is {', '.join(ports) or 'none'}"),)

    def __str__(self) -> str:
        return f"have the port {self.port}"


def _in_full(port: str) -> str:
    return port if "/" in port else f"{port}/tcp"
