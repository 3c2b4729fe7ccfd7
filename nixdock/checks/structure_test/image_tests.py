"""The tests that the image's own bytes answer: of files and licences, and of metadata as a `config` check."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.kinds.config import ConfigCheck, ConfigField
from nixdock.checks.matchers.algebra import Matcher, Mismatch, NoneOf
from nixdock.checks.matchers.value import AsPairs, AsText, ContainsValue, EqualsValue, Exists, Members, Unset
from nixdock.checks.modes import go_text
from nixdock.checks.structure_test.container_files import Fault
from nixdock.checks.structure_test.go_text import text_matcher
from nixdock.checks.structure_test.model import UNCHECKED
from nixdock.checks.verdict import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nixdock.checks.structure_test.container_files import Files
    from nixdock.checks.structure_test.model import (
        FileContentTest,
        FileExistenceTest,
        LicenceTest,
        MetadataTest,
        Variable,
    )

Item = TypeVar("Item")

_EXECUTABLE = {"any": 0o111, "owner": 0o100, "group": 0o010, "other": 0o001}
_DOCUMENTS = "/usr/share/doc"
_EXEMPT = frozenset(("libgnutls30",))
_UNWANTED = (b"AGPL", b"WTFPL")

_REASONS = {
    Fault.MISSING: "is not there",
    Fault.CIRCLE: "is a symbolic link that leads to itself",
    Fault.SPECIAL: "is a device, a FIFO or a socket",
    Fault.DIRECTORY: "is a directory",
}


def find_file_faults(test: FileExistenceTest | FileContentTest) -> tuple[Finding, ...]:
    """Return what makes a test unusable, whatever the image."""
    found: list[Finding] = []
    if not test.name:
        found.append(Finding("name", "every test needs a name"))
    if not test.path:
        found.append(Finding("path", "there is none"))
    return tuple(found)


def judge_existence(test: FileExistenceTest, path: str, files: Files) -> CheckResult:
    """Look at a path, its variables replaced, and judge it.

    Raises:
        NixdockError: The files cannot be read.
    """
    result = CheckResult()
    found = files.look_at(path)
    shown = path or "the empty path"
    if not test.should_exist:
        if isinstance(found, LayerEntry):
            result.find("shouldExist", f"{shown} is there, and must not be")
        return result
    if isinstance(found, Fault):
        result.find("shouldExist", f"{shown} {_REASONS[found]}")
        return result
    _judge_mode(test, found, result)
    for key, wanted, number in (("uid", test.uid, found.uid), ("gid", test.gid, found.gid)):
        if wanted not in {UNCHECKED, number}:
            result.find(key, f"expected {wanted}, found {number}")
    return result


def _judge_mode(test: FileExistenceTest, found: LayerEntry, result: CheckResult) -> None:
    mode = go_text(found.kind, found.mode)
    if test.permissions and test.permissions != mode:
        result.find("permissions", f"expected {test.permissions}, found {mode}")
    if not test.executable_by:
        return
    bits = _EXECUTABLE.get(test.executable_by)
    if bits is None:
        result.find("isExecutableBy", f"{test.executable_by!r} is none of owner, group, other and any")
    elif not found.mode & bits:
        result.find("isExecutableBy", f"{test.executable_by} may not execute it: its mode is {mode}")
    elif found.kind == "symlink":
        result.notes.append("it is a symbolic link: its mode, which allows everything, is what was judged")


def judge_content(test: FileContentTest, files: Files) -> CheckResult:
    """Read a file and judge its content.

    Raises:
        NixdockError: The files cannot be read.
    """
    result = CheckResult()
    found = files.find_file(test.path)
    if isinstance(found, Fault):
        result.find("path", f"{test.path} {_REASONS[found]}")
        return result
    matcher = text_matcher(test.expected, test.excluded)
    result.judge("content", matcher, files.read(found))
    return result


def judge_licences(test: LicenceTest, files: Files) -> CheckResult:
    """Look for the names of unwanted licences in copyright files.

    Raises:
        NixdockError: The files cannot be read.
    """
    result = CheckResult()
    paths = list(test.files)
    if test.debian:
        packages = files.directories_in(_DOCUMENTS)
        if isinstance(packages, Fault):
            result.find("debian", f"{_DOCUMENTS} {_REASONS[packages]}")
            return result
        kept = [name for name in packages if name not in _EXEMPT]
        paths[:0] = [posixpath.join(_DOCUMENTS, name, "copyright") for name in kept]
        if not packages:
            result.notes.append(f"there is no package in {_DOCUMENTS}, so nothing was looked at")
    for path in paths:
        found = files.find_file(path)
        if isinstance(found, Fault):
            result.find("files", f"{path} {_REASONS[found]}")
            continue
        content = bytes(files.read(found)[:]).upper()
        for word in _UNWANTED:
            if word in content:
                result.find("files", f"{path} names {word.decode()}")
                break
    return result


def find_metadata_faults(test: MetadataTest) -> tuple[Finding, ...]:
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
