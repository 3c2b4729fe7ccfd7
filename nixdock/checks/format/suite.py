"""Suites: reading a check file or an expression's `nixdock` attribute, and joining several of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixdock.checks.format.check_shape import ChecksShape, check_definition
from nixdock.checks.format.command_shapes import METHODS, PORT, parse_header
from nixdock.checks.format.document import read_document
from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, matcher_definitions
from nixdock.checks.format.nodes import from_value
from nixdock.checks.format.settings_shapes import SettingsShape, WordsShape, settings_definition
from nixdock.checks.format.shapes import (
    DURATION,
    Choice,
    Field,
    Flag,
    ListOf,
    MapOf,
    Parsed,
    Problems,
    Record,
    Schema,
    Shape,
    Text,
    UnreadableError,
)
from nixdock.checks.model import Command, HttpCheck, Ready, Request, Suite
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.format.nodes import Node
    from nixdock.checks.matchers.algebra import Matcher
    from nixdock.checks.matchers.number import Number

VERSION = 1
SUFFIXES = (".checks.yaml", ".checks.yml", ".checks.json")
_SIZE_LIMIT = 4 << 20


def _version(text: str) -> int:
    if text != str(VERSION):
        raise ValueError(f"version {text} is not known to this nixdock: it reads version {VERSION}")
    return VERSION


def _probe(
    path: str = "/",
    *,
    status: Matcher[Number] | None = None,
    **values: Any,  # noqa: ANN401 - of Request
) -> HttpCheck:
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} must begin with '/'")
    return HttpCheck(Request(path, **values), status)


def _ready(*, exec: tuple[str, ...] | None = None, **values: Any) -> Ready:  # noqa: A002, ANN401 - the key's name
    return Ready(exec=None if exec is None else Command(exec), **values)


_HTTP_PROBE = Record(
    _probe,
    (
        Field("path", Text(), "Of the URL; / unless told."),
        Field("port", PORT, "In the container; 80 unless told."),
        Field("method", Choice(METHODS), "GET unless told."),
        Field("scheme", Choice(("http", "https")), "http unless told; no certificate is verified."),
        Field("headers", MapOf(Parsed(parse_header, "text")), "Headers of the request."),
        Field("status", NUMBER, "The answer's status; 200 to 399 unless told."),
    ),
    "http",
)

_READY = Record(
    _ready,
    (
        Field("tcp", PORT, "A port that accepts connections."),
        Field("http", _HTTP_PROBE, "A request that is answered as expected."),
        Field("log", TEXT, "What its output must be like."),
        Field("exec", WordsShape(), "A command that must succeed in it."),
        Field("healthcheck", Flag(), "Its own HEALTHCHECK must say healthy."),
        Field("within", DURATION, "Time it has; 30 s unless told."),
        Field("interval", DURATION, "Time between two tries; 0.2 s unless told."),
    ),
    "ready",
)


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
        Field("ready", _READY, "When the service is ready."),
        Field("tools", ListOf(Text("a store path")), "Store paths lent to exec checks, never in the image."),
        Field("checks", ChecksShape(), "Checks by their names."),
    ),
    "a check file",
)


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
    return _read_file(path, (), update=update)


def find_suite_beside(expression: Path) -> Path | None:
    """Return the check file that belongs to a .nix file: `web.checks.yaml` beside `web.nix`.

    Raises:
        UsageError: There is more than one.
    """
    stem = expression.with_suffix("") if expression.suffix == ".nix" else expression / "default"
    found = [path for suffix in SUFFIXES if (path := Path(f"{stem}{suffix}")).is_file()]
    if len(found) > 1:
        names = " and ".join(str(path) for path in found)
        raise UsageError(f"{expression} has more than one check file: {names}", hint="keep one of them")
    return found[0] if found else None


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
            "container": settings_definition(),
            **matcher_definitions(),
        },
    }


def _read_file(path: Path, above: tuple[Path, ...], *, update: bool) -> Suite:
    here = path.resolve()
    if here in above:
        raise UsageError(f"{path} includes itself")
    try:
        with path.open("rb") as stream:
            data = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > _SIZE_LIMIT:
        raise UsageError(f"{path} is larger than {_SIZE_LIMIT >> 20} MiB: it is no check file")
    problems = Problems(snapshots=_snapshot_folder(path), update=update)
    draft = _read(_SUITE, read_document(data, str(path)), problems)
    suite = replace(draft.suite, source=str(path), folder=path.parent)
    for name in draft.include:
        suite = _join(suite, _read_file(path.parent / name, (*above, here), update=update))
    return suite


def _snapshot_folder(path: Path) -> Path:
    """`web.checks.yaml` records in the folder `web.snapshots` beside it."""
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
        folder=first.folder or second.folder,
    )
