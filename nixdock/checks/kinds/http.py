"""`http`: a request to the service, and what is expected of its response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, VALUE
from nixdock.checks.format.nodes import Node, Problems, Scalar
from nixdock.checks.format.records import key, record_of, required
from nixdock.checks.format.shapes import Converted, MapOf, Schema, Shape, Text
from nixdock.checks.matchers.value import MISSING
from nixdock.checks.model import HttpRequest
from nixdock.checks.running.live import HttpResponse, LiveService, NoResponseError, ServiceKind, judge_status
from nixdock.checks.running.reproduce import curl
from nixdock.checks.verdict import CheckResult, Finding, findings_of
from nixdock.outcome import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.outcome import Output


@dataclass(frozen=True, slots=True)
class _RequestShape(Shape[HttpRequest]):
    """A request: its path, or a mapping."""

    def read(self, node: Node, problems: Problems) -> HttpRequest:
        """Return the request."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return Converted(Text(), HttpRequest).read(node, problems)
        return record_of(HttpRequest, "http").read(node, problems)

    def schema(self) -> Schema:
        """A path or a mapping."""
        return {"anyOf": [{"type": "string"}, record_of(HttpRequest, "http").schema()]}


@dataclass(frozen=True, slots=True)
class HttpCheck(ServiceKind):
    """A request, and what is expected of its response."""

    request: HttpRequest = required(_RequestShape(), name="http")
    status: Matcher[Number] | None = key(NUMBER, "The response's status; 200 to 399 unless told.")
    headers: Mapping[str, Matcher[object]] = key(MapOf(VALUE), "Headers of the response; null is absent.", {})
    body: Matcher[Output] | None = key(TEXT, "The response's body.")

    kind = "http"
    about = "path, or `path`, `port`, `method`, `scheme`, `headers`, `body`"
    polls = True

    @property
    def ports(self) -> tuple[int, ...]:
        """That of the request."""
        return (self.request.port,)

    def ask(self, live: LiveService, timeout: float) -> CheckResult:
        """Send the request and judge its response."""
        reproduce = None
        try:
            host, port = live.address(self.request.port)
            reproduce = live.by_hand(curl(self.request, _base(self.request, live, host, port)))
            response = live.send(self.request, timeout)
        except NoResponseError as error:
            return CheckResult([Finding("http", str(error), live.tail())], reproduce=reproduce)
        shown = text_of(response.body, 4096) or None
        return CheckResult(self.judge(response), reproduce=reproduce, stdout=shown)

    def judge(self, response: HttpResponse) -> list[Finding]:
        """Return everything about a response that is not as expected."""
        found = judge_status(self.status, response)
        for name, matcher in self.headers.items():
            value = response.headers.get(name.lower(), MISSING)
            found += findings_of(f"headers.{name}", matcher.judge(value))
        if self.body is not None:
            found += findings_of("body", self.body.judge(response.body))
        return found


def _base(request: HttpRequest, live: LiveService, host: str, port: int) -> str:
    """Return where a request is sent to by hand: one that is started anew has a port of its own."""
    if live.again is None or port == request.port:
        return f"{request.scheme}://{host}:{port}"
    found = f"docker port {live.word} {request.port}/tcp | head -n 1"
    if live.engine.address.is_local:
        return f"{request.scheme}://$({found})"
    return f"{request.scheme}://{host}:$({found} | grep -o '[0-9]*$')"
