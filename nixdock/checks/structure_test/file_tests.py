"""File existence, file content and licence tests: answered from the image's layers, without an engine."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.modes import go_text
from nixdock.checks.structure_test.container_files import Fault
from nixdock.checks.structure_test.go_text import text_matcher
from nixdock.checks.structure_test.model import UNCHECKED
from nixdock.checks.verdict import CheckResult, Finding

if TYPE_CHECKING:
    from nixdock.checks.structure_test.container_files import Files
    from nixdock.checks.structure_test.model import (
        FileContentTest,
        FileExistenceTest,
        LicenceTest,
    )

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


def find_faults(test: FileExistenceTest | FileContentTest) -> tuple[Finding, ...]:
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
    result.add("content", matcher.judge(files.read(found)))
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
