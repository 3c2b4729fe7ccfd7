"""Reading a container-structure-test file: which version it is, and what it says, by Go's rules.

YAML is strict about keys. JSON ignores those that it does not know, and a warning names them. In both,
null leaves a value empty, whatever it is when it is not given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from nixdock.checks.format.document import read_json
from nixdock.checks.format.nodes import Listing, Node, Place, Scalar, Table, describe, suggest
from nixdock.checks.regex import as_utf8
from nixdock.checks.structure_test.go_yaml import read_go_yaml
from nixdock.checks.structure_test.model import SECOND, VERSIONS, SchemaVersion, StructureTests, Word
from nixdock.errors import UsageError
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Record = TypeVar("Record")

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
    decoder = _Decoder(is_json, _read_version(node, source, is_json=is_json))
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
    decoder = _Decoder(is_json)
    version = decoder.decode(SchemaVersion, node).version
    _raise_problems(decoder)
    if version not in VERSIONS:
        said = f"there is no schemaVersion {version!r}" if version else "it has no schemaVersion"
        raise UsageError(f"{source}: {said}", hint=f"one of {', '.join(VERSIONS)}")
    return version


def _raise_problems(decoder: _Decoder) -> None:
    if decoder.problems:
        lines = [f"{place}: {message}" for place, message in decoder.problems]
        raise UsageError(lines[0], details="\n".join(lines[1:]) or None)


@dataclass(frozen=True, slots=True)
class _Key:
    """What is said of one field of a class."""

    attribute: str
    kind: Any
    yaml: str
    go: str
    metadata: Mapping[str, Any]


@dataclass(slots=True)
class _Decoder:
    """Decodes one document.

    Args:
        is_json: Whether JSON's rules hold, or YAML's.
        version: The schema version, whose keys are known.
        problems: What makes the document unusable, in the order of reading.
        ignored: Keys that mean nothing.
    """

    is_json: bool
    version: str = SECOND
    problems: list[tuple[Place, str]] = field(default_factory=list)
    ignored: list[tuple[Place, str]] = field(default_factory=list)

    def decode(self, record: type[Record], node: Node) -> Record:
        """Return a document as a value of a class; it is of no use where there are problems."""
        decoded: Record = self._decode(record, node)
        return decoded

    def _decode(self, kind: Any, node: Node) -> Any:  # noqa: ANN401 - what `kind` says
        if isinstance(kind, UnionType):
            kind, nothing = get_args(kind)[0], None
        else:
            nothing = kind() if isinstance(kind, type) and kind is not Word else ()
        if isinstance(node, Scalar) and node.value is None:
            return nothing
        if is_dataclass(kind):
            return self._decode_record(kind, node)
        if kind is Word:
            text = self._decode(str, node)
            return (text,) if text else ()
        if kind in _SCALARS:
            return self._decode_scalar(kind, node)
        if not isinstance(node, Listing):
            self._refuse(node, "a list")
            return ()
        return tuple(self._decode(get_args(kind)[0], item) for item in node.items)

    def _decode_scalar(self, kind: type, node: Node) -> str | bool | int | None:
        value = node.value if isinstance(node, Scalar) else None
        if kind is str and isinstance(node, Scalar) and (isinstance(value, str) or not self.is_json):
            return node.text
        if kind is bool and isinstance(value, bool):
            return value
        if kind is int and not isinstance(value, bool):
            if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
                return value
            if isinstance(value, float) and not self.is_json and value <= 1 << 63:
                # Its fraction is dropped; what is too large or small becomes what processors make of it.
                return int(value) if abs(value) < 1 << 63 else -1 << 63
        self._refuse(node, _SCALARS[kind])
        return None

    def _decode_record(self, record: Any, node: Node) -> Any:  # noqa: ANN401 - what `record` is
        if not isinstance(node, Table):
            self._refuse(node, f"a mapping ({record.what.format(version=self.version)})")
            return record()
        keys = _keys(record)
        known = {
            key.go.casefold() if self.is_json else key.yaml: key
            for key in keys
            if self.version == SECOND or not key.metadata.get("second")
        }
        values = {
            key.attribute: key.metadata["unless_given"]
            for key in keys
            if "unless_given" in key.metadata and (not self.is_json or key not in known.values())
        }
        seen: set[str] = set()
        for name, item in node.entries:
            key = known.get(name.text.casefold() if self.is_json else name.text)
            if key is None:
                self._pass_over(name, record, known.values())
                continue
            if key.attribute in seen:
                self.problems.append((name.place, f"the key {name.text!r} stands here a second time"))
            seen.add(key.attribute)
            other = key.metadata.get("second_type") if self.version == SECOND else None
            values[key.attribute] = self._decode(other or key.kind, item)
        if "place" in record.__dataclass_fields__:
            values["place"] = str(node.place)
        return record(**values)

    def _pass_over(self, name: Scalar, record: Any, known: Any) -> None:  # noqa: ANN401 - as above
        names = tuple(key.go if self.is_json else key.yaml for key in known)
        message = (
            f"{record.what.format(version=self.version)} has no key {name.text!r}{suggest(name.text, names)}"
        )
        (self.ignored if self.is_json else self.problems).append((name.place, message))

    def _refuse(self, node: Node, expected: str) -> None:
        self.problems.append((node.place, f"expected {expected}, found {describe(node)}"))


_SCALARS = {str: "a text", bool: "true or false", int: "a whole number"}


@cache
def _keys(record: type) -> tuple[_Key, ...]:
    kinds = get_type_hints(record)
    found = []
    for one in fields(record):
        if one.name == "place":
            continue
        camel = re.sub(r"_(.)", lambda letter: letter[1].upper(), one.name)
        yaml = one.metadata.get("yaml") or camel
        found.append(_Key(one.name, kinds[one.name], yaml, one.metadata.get("go") or yaml, one.metadata))
    return tuple(found)
