"""What is run, asked or waited for: commands, requests, the service's end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nixdock.checks.expectations import EXIT_ZERO, RunExpectation
from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, VALUE, BoundsShape
from nixdock.checks.format.nodes import Node, Place, Scalar
from nixdock.checks.format.settings_shapes import PairsShape
from nixdock.checks.format.shapes import (
    Choice,
    Field,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Parsed,
    Problems,
    Record,
    Schema,
    Shape,
    Text,
)
from nixdock.checks.matchers.number import BYTES, SECONDS
from nixdock.checks.model import (
    BudgetCheck,
    Command,
    ContainerSettings,
    ExecCheck,
    Request,
    RunCheck,
    WritesCheck,
)

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)


def parse_header(text: str) -> str:
    """Read a header's value.

    Raises:
        ValueError: It has more than one line.
    """
    if "\n" in text or "\r" in text:
        raise ValueError("a header's value is one line")
    return text


PORT = Parsed(_port, "a port")


@dataclass(frozen=True, slots=True)
class StdinShape(Shape[bytes]):
    """What a command reads: a text."""

    def read(self, node: Node, problems: Problems) -> bytes:
        """Return its bytes."""
        return Text().read(node, problems).encode(errors="surrogatepass")

    def schema(self) -> Schema:
        """A text."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class VariablesShape(Shape[Mapping[str, str]]):
    """Environment variables, each with a value."""

    def read(self, node: Node, problems: Problems) -> Mapping[str, str]:
        """Return them."""
        pairs = PairsShape().read(node, problems)
        for name, value in pairs.items():
            if value is None:
                raise problems.fail(node.place, f"the variable {name!r} has no value")
        return {name: value for name, value in pairs.items() if value is not None}

    def schema(self) -> Schema:
        """An object or a list."""
        return PairsShape().schema()


EXPECTED = (
    Field("exit", NUMBER, "Its exit status; 0 unless told."),
    Field("stdout", TEXT, "Its standard output."),
    Field("stderr", TEXT, "Its standard error."),
)
GIVEN = (
    Field("stdin", StdinShape(), "What it reads; nothing unless told."),
    Field("env", VariablesShape(), "Further environment variables."),
    Field("user", Text(), "Whom it runs as."),
    Field("workdir", Text(), "The folder it runs in."),
    Field("shell", Flag(), "Run the words as a script by the image's own /bin/sh."),
)


def _command(argv: tuple[str, ...], values: dict[str, Any]) -> Command:
    expected = RunExpectation(
        exit=values.pop("exit", EXIT_ZERO),
        stdout=values.pop("stdout", None),
        stderr=values.pop("stderr", None),
    )
    given = {key: values.pop(key) for key in ("stdin", "env", "user", "workdir", "shell") if key in values}
    if given.get("shell") and len(argv) != 1:
        raise ValueError("with 'shell' there is one script, not several words")
    return Command(argv, expected=expected, **given)


def make_run(argv: tuple[str, ...], *, options: ContainerSettings | None = None, **values: Any) -> RunCheck:  # noqa: ANN401
    """Make a check of a container of its own."""
    return RunCheck(_command(argv, values), options or ContainerSettings())


def make_exec(argv: tuple[str, ...], **values: Any) -> ExecCheck:  # noqa: ANN401
    """Make a check of a command in a running container.

    Raises:
        ValueError: It has no word.
    """
    if not argv:
        raise ValueError("exec needs at least one word")
    command = _command(argv, values)
    return ExecCheck(command, **values)


@dataclass(frozen=True, slots=True)
class RequestShape(Shape[Request]):
    """A request: its path, or a mapping."""

    _record = Record(
        Request,
        (
            Field("path", Text(), "Of the URL, with the query; / unless told."),
            Field("port", PORT, "In the container; 80 unless told."),
            Field("method", Choice(METHODS), "GET unless told."),
            Field("scheme", Choice(("http", "https")), "http unless told; no certificate is verified."),
            Field("headers", MapOf(Parsed(parse_header, "text")), "Further headers."),
            Field("body", StdinShape(), "What is sent."),
        ),
        "http",
    )

    def read(self, node: Node, problems: Problems) -> Request:
        """Return the request."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self._checked(Request(path=node.text), node.place, problems)
        return self._checked(self._record.read(node, problems), node.place, problems)

    @staticmethod
    def _checked(request: Request, place: Place, problems: Problems) -> Request:
        if not request.path.startswith("/"):
            raise problems.fail(place, f"the path {request.path!r} must begin with '/'")
        for name in request.headers:
            if not _HEADER.fullmatch(name):
                raise problems.fail(place, f"{name!r} is not a header's name")
        return request

    def schema(self) -> Schema:
        """A path or a mapping."""
        return {"anyOf": [{"type": "string"}, self._record.schema()]}


HTTP_EXPECTED = (
    Field("status", NUMBER, "The answer's status; 200 to 399 unless told."),
    Field("headers", MapOf(VALUE), "Headers of the answer; null is absent."),
    Field("body", TEXT, "The answer's body."),
)


BUDGET = Record(
    BudgetCheck,
    (
        Field("start", BoundsShape(SECONDS, "max"), "Time from the start to readiness."),
        Field("first_log", BoundsShape(SECONDS, "max"), "Time from the start to the first output."),
        Field("memory", BoundsShape(BYTES, "max"), "Memory at most used."),
        Field("runs", Integer(1, 99), "How many starts are measured, whose median counts; 1 unless told."),
    ),
    "budget",
)
WRITES = Record(
    WritesCheck,
    (Field("allow", ListOf(Text("a pattern"), single=True), "Patterns of paths that may be written."),),
    "writes",
)
