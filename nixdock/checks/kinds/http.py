"""`http`: a request to the service, and what is expected of its response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, VALUE
from nixdock.checks.format.nodes import Node, Problems, Scalar
from nixdock.checks.format.records import key, record_of, required
from nixdock.checks.format.shapes import Made, MapOf, Schema, Shape, Text
from nixdock.checks.model import CheckKind, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.outcome import Output


@dataclass(frozen=True, slots=True)
class _RequestShape(Shape[Request]):
    """A request: its path, or a mapping."""

    def read(self, node: Node, problems: Problems) -> Request:
        """Return the request."""
        is_path = isinstance(node, Scalar) and isinstance(node.value, str)
        return (Made(Text(), Request) if is_path else record_of(Request, "http")).read(node, problems)

    def schema(self) -> Schema:
        """A path or a mapping."""
        return {"anyOf": [{"type": "string"}, record_of(Request, "http").schema()]}


@dataclass(frozen=True, slots=True)
class HttpCheck(CheckKind):
    """A request, and what is expected of its response."""

    request: Request = required(_RequestShape(), name="http")
    status: Matcher[Number] | None = key(NUMBER, "The response's status; 200 to 399 unless told.")
    headers: Mapping[str, Matcher[object]] = key(MapOf(VALUE), "Headers of the response; null is absent.", {})
    body: Matcher[Output] | None = key(TEXT, "The response's body.")

    kind = "http"
    about = "path, or `path`, `port`, `method`, `scheme`, `headers`, `body`"
    needs_service = True
    polls = True
