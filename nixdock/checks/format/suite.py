"""Suites: reading a check file or an expression's `nixdock` attribute, and joining several of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from nixdock.checks.format.beside import SUFFIXES
from nixdock.checks.format.checks import ChecksShape, check_definition
from nixdock.checks.format.document import decode_document, read_document
from nixdock.checks.format.matcher_shapes import matcher_definitions
from nixdock.checks.format.nodes import Problems, UnreadableError, from_value, suggest
from nixdock.checks.format.records import Field, Record, record_of
from nixdock.checks.format.settings_shapes import SettingsShape
from nixdock.checks.format.shapes import ListOf, Parsed, Schema, Shape, Text
from nixdock.checks.model import Ready, Suite
from nixdock.errors import UsageError
from nixdock.text import read_bounded, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nixdock.checks.format.nodes import Node

VERSION = 1
_MOST_FILES = 100
_NAME = re.compile(r"""(?:^|[{,])[ \t]*(?:"(\w+)"|'(\w+)'|(\w+)(?=[ \t]*:(?:\s|$)))[ \t]*:""", re.MULTILINE)


def _version(text: str) -> int:
    if text != str(VERSION):
        raise ValueError(f"version {text} is not known to this nixdock: it reads version {VERSION}")
    return VERSION


@dataclass(frozen=True, slots=True)
class _Draft:
    """What one document says, before what it includes is read."""

    suite: Suite
    include: tuple[str, ...]


def _draft(*, include: tuple[str, ...] = (), version: int = VERSION, **values: Any) -> _Draft:  # noqa: ANN401, ARG001
    return _Draft(Suite(source="", **values), include)


_SUITE = Record(
    _draft,
    (
        Field("version", Parsed(_version, "a version"), "Of the format: 1."),
        Field("include", ListOf(Text("a file"), single=True), "Further check files, relative to this one."),
        Field("run", SettingsShape("run"), "How every container is made that is made for the checks."),
        Field("service", SettingsShape("service"), "How the service is started, in Compose's words."),
        Field("ready", record_of(Ready, "ready"), "When the service is ready."),
        Field("tools", ListOf(Text("a store path")), "Store paths lent to exec checks, never in the image."),
        Field("checks", ChecksShape(), "Checks by their names."),
    ),
    "a check file",
)

_KEYS = tuple(field.name for field in _SUITE.fields)


def suite_from_value(value: object, source: str) -> Suite:
    """Read the value of an expression's `nixdock` attribute.

    Args:
        value: The JSON value.
        source: What messages call it.

    Raises:
        UsageError: It breaks the format.
    """
    problems = Problems()
    draft = _read(_SUITE, from_value(value, source), problems)
    if draft.include:
        raise UsageError(f"{source}: 'include' is for check files; an expression can import")
    return replace(draft.suite, source=source)


def read_suite(path: Path, *, update: bool = False) -> Suite:
    """Read a check file and the files that it includes.

    Args:
        path: The file.
        update: Whether its snapshots are to be recorded anew.

    Raises:
        UsageError: One cannot be read or breaks the format.
    """
    return _Reader(update=update).read(path, ())


def join_suites(suites: Iterable[Suite]) -> Suite | None:
    """Make one suite of several; None of none.

    Raises:
        UsageError: The same check, service or readiness stands in two of them.
    """
    joined: Suite | None = None
    for suite in suites:
        joined = suite if joined is None else _join(joined, suite)
    return joined


def schema() -> Schema:
    """Return the JSON Schema of a check file (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nixdock check file",
        **_SUITE.schema(),
        "$defs": {
            "check": check_definition(),
            "container": SettingsShape("").definition(),
            **matcher_definitions(),
        },
    }


@dataclass(slots=True)
class _Reader:
    """Reads a check file and all that it includes."""

    update: bool
    count: int = 0

    def read(self, path: Path, above: tuple[Path, ...]) -> Suite:
        try:
            here = path.resolve()
            if here in above:
                raise UsageError(f"{path} includes itself")
            data = read_bounded(path)
        except OSError as error:
            raise UsageError(f"cannot read {shorten(str(path))}: {error.strerror}") from error
        except (ValueError, RuntimeError) as error:  # a zero byte; links in a circle
            raise UsageError(f"cannot read {shorten(str(path))}: {error}") from error
        self.count += 1
        if self.count > _MOST_FILES:
            raise UsageError(f"{above[0]} includes more than {_MOST_FILES} files")
        text = decode_document(data, str(path))
        if text.strip() and not _is_check_file(text):
            # What it holds is not ours to show.
            raise UsageError(
                f"{path}: it is no check file: it has none of the keys {', '.join(_KEYS)}",
                hint="nixdock check --schema prints the format",
            )
        problems = Problems(snapshots=_snapshot_directory(path), update=self.update)
        draft = _read(_SUITE, read_document(data, str(path)), problems)
        suite = replace(draft.suite, source=str(path), directory=path.parent, files=(path,))
        for name in draft.include:
            suite = _join(suite, self.read(path.parent / name, (*above, here)))
        return suite


def _is_check_file(text: str) -> bool:
    """Whether a text has one of the format's keys, or one that is meant as such."""
    found = islice(_NAME.finditer(text), _MOST_FILES)
    names = {match[1] or match[2] or match[3] for match in found}
    return any(name in _KEYS or suggest(name, _KEYS) for name in names)


def _snapshot_directory(path: Path) -> Path:
    """`web.checks.yaml` records in the directory `web.snapshots` beside it."""
    name = path.name
    stem = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), path.stem)
    return path.parent / f"{stem}.snapshots"


def _read(shape: Shape[_Draft], node: Node, problems: Problems) -> _Draft:
    try:
        draft = shape.read(node, problems)
    except UnreadableError:
        problems.raise_all()
        raise
    problems.raise_all()
    return draft


def _join(first: Suite, second: Suite) -> Suite:
    places = {check.name: check.place for check in first.checks}
    for check in second.checks:
        if check.name in places:
            raise UsageError(
                f"two checks have the name {check.name!r}: {places[check.name]} and {check.place}",
                hint="rename one of them",
            )
    for what, one, other in (
        ("service", first.service, second.service),
        ("ready", first.ready, second.ready),
    ):
        if one is not None and other is not None:
            raise UsageError(f"{what!r} stands in two places: {first.source} and {second.source}")
    return Suite(
        source=f"{first.source}, {second.source}",
        checks=first.checks + second.checks,
        run=second.run.over(first.run),
        service=first.service if first.service is not None else second.service,
        ready=first.ready if first.ready is not None else second.ready,
        tools=tuple(dict.fromkeys(first.tools + second.tools)),
        directory=first.directory or second.directory,
        files=first.files + second.files,
    )
