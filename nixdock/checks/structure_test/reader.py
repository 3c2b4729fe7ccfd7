"""Reading a container-structure-test file: which version it is, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixdock.checks.format.document import read_json
from nixdock.checks.format.nodes import Listing, Table
from nixdock.checks.regex import as_utf8
from nixdock.checks.structure_test.decoding import Decoder
from nixdock.checks.structure_test.go_yaml import read_go_yaml
from nixdock.checks.structure_test.model import VERSIONS, SchemaVersion, StructureTests
from nixdock.errors import UsageError
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nixdock.checks.format.nodes import Node

_MARK = re.compile(rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?["']?schemaVersion["']?\s*:""", re.MULTILINE)
_JSON_MARK = re.compile(rb'"schemaVersion"\s*:', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was read.

    Args:
        source: The file.
        tests: What it says.
        warnings: What it says to no effect.
        error: Why it cannot be read; None where it can.
    """

    source: str
    tests: StructureTests = field(default_factory=StructureTests)
    warnings: tuple[str, ...] = ()
    error: UsageError | None = None


def is_structure_tests(data: bytes, name: str) -> bool:
    """Whether a file is one for container-structure-test: it states a schema version.

    Args:
        data: The file.
        name: Its name, for its suffix.
    """
    return (_JSON_MARK if name.endswith(".json") else _MARK).search(data) is not None


def recognise(path: Path) -> bool:
    """Whether a file is one for container-structure-test; one that cannot be read is none."""
    try:
        return is_structure_tests(read_bounded(path), path.name)
    except OSError:
        return False


def read_files(paths: Iterable[Path]) -> tuple[Reading, ...]:
    """Read files; one that cannot be read keeps nobody from the others."""

    def read(path: Path) -> Reading:
        try:
            return read_file(path)
        except UsageError as error:
            return Reading(str(path), error=error)

    return tuple(map(read, paths))


def read_file(path: Path) -> Reading:
    """Read a file; arguments as for `read_structure_tests`.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        data = read_bounded(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return read_structure_tests(data, str(path))


def read_structure_tests(data: bytes, source: str) -> Reading:
    """Read a file for container-structure-test.

    Args:
        data: The file.
        source: Its name; the suffix says whether it is JSON or YAML.

    Raises:
        UsageError: It cannot be read; the message begins with the position.
    """
    if source.endswith(".json"):
        node = read_go_json(data, source)
    elif source.endswith((".yaml", ".yml")):
        node = read_go_yaml(data, source)
    else:
        raise UsageError(f"{source}: a file for container-structure-test ends in .yaml, .yml or .json")
    is_json = source.endswith(".json")
    decoder = Decoder(is_json, _read_version(node, source, is_json=is_json))
    tests = decoder.decode(StructureTests, node)
    _raise_problems(decoder)
    warnings = [f"{place}: {message} (it is ignored)" for place, message in decoder.ignored]
    if is_json:
        warnings += _absent_by_default(node)
    return Reading(source, tests, tuple(warnings))


def read_go_json(data: bytes, source: str) -> Node:
    """Read a JSON file as Go does: what is not UTF-8, and halves of surrogate pairs, are U+FFFD.

    Raises:
        UsageError: It is not JSON, or a key stands twice.
    """
    return read_json(bytes(as_utf8(data)[:]).decode(), source, replace_halves=True)


def _absent_by_default(node: Node) -> list[str]:
    """Warn of the tests that a JSON file turns round: there a path must be absent unless told."""
    return [
        f"{test.place}: a JSON file has no defaults: without shouldExist the path must be absent"
        for tests in _members(node, "fileexistencetests")
        if isinstance(tests, Listing)
        for test in tests.items
        if isinstance(test, Table) and not _members(test, "shouldexist")
    ]


def _members(node: Node, folded: str) -> list[Node]:
    """Return the values of a key of JSON, whatever its case."""
    entries = node.entries if isinstance(node, Table) else ()
    return [value for name, value in entries if name.text.casefold() == folded]


def _read_version(node: Node, source: str, *, is_json: bool) -> str:
    if isinstance(node, Table):
        entries = (
            entry
            for entry in node.entries
            if entry[0].text == "schemaVersion" or (is_json and entry[0].text.casefold() == "schemaversion")
        )
        node = Table(tuple(entries), node.place)
    decoder = Decoder(is_json)
    version = decoder.decode(SchemaVersion, node).version
    _raise_problems(decoder)
    if version not in VERSIONS:
        said = f"there is no schemaVersion {version!r}" if version else "it has no schemaVersion"
        raise UsageError(f"{source}: {said}", hint=f"one of {', '.join(VERSIONS)}")
    return version


def _raise_problems(decoder: Decoder) -> None:
    if decoder.problems:
        lines = [f"{place}: {message}" for place, message in decoder.problems]
        raise UsageError(lines[0], details="\n".join(lines[1:]) or None)
