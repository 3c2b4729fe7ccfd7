"""Reading a container-structure-test file: which version it is, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.nodes import Listing, Table
from nixdock.checks.structure_test.decoding import Decoding, Dialect
from nixdock.checks.structure_test.go_json import read_go_json
from nixdock.checks.structure_test.go_yaml import read_go_yaml
from nixdock.checks.structure_test.schema import FILES, VERSION
from nixdock.errors import UsageError
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.checks.format.nodes import Node
    from nixdock.checks.structure_test.model import StructureTests

_MARK = re.compile(rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?["']?schemaVersion["']?\s*:""", re.MULTILINE)
_JSON_MARK = re.compile(rb'"schemaVersion"\s*:', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was read.

    Args:
        tests: What it says.
        warnings: What it says to no effect.
    """

    tests: StructureTests
    warnings: tuple[str, ...] = ()


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
        decoding = Decoding(Dialect.JSON)
        node = read_go_json(data, source)
    elif source.endswith((".yaml", ".yml")):
        decoding = Decoding(Dialect.YAML)
        node = read_go_yaml(data, source)
    else:
        raise UsageError(f"{source}: a file for container-structure-test ends in .yaml, .yml or .json")
    version = _read_version(node, decoding, source)
    shape = FILES[version]
    tests = shape.decode(node, decoding, shape.empty)
    _raise_problems(decoding)
    warnings = [f"{place}: {message} (it is ignored)" for place, message in decoding.ignored]
    if decoding.is_json:
        warnings += _absent_by_default(node)
    return Reading(tests, tuple(warnings))


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


def _read_version(node: Node, decoding: Decoding, source: str) -> str:
    only = Decoding(decoding.dialect)
    marks = node
    if isinstance(node, Table):
        names = [(name.text.casefold() if only.is_json else name.text) for name, _ in node.entries]
        wanted = "schemaversion" if only.is_json else "schemaVersion"
        found = (entry for name, entry in zip(names, node.entries, strict=True) if name == wanted)
        marks = Table(tuple(found), node.place)
    version = VERSION.decode(marks, only, VERSION.empty).version
    _raise_problems(only)
    if not version:
        raise UsageError(f"{source}: it has no schemaVersion", hint=f"one of {', '.join(FILES)}")
    if version not in FILES:
        raise UsageError(
            f"{source}: there is no schemaVersion {version!r}", hint=f"one of {', '.join(FILES)}"
        )
    return version


def _raise_problems(decoding: Decoding) -> None:
    if decoding.problems:
        lines = [f"{place}: {message}" for place, message in decoding.problems]
        raise UsageError(lines[0], details="\n".join(lines[1:]) or None)
