"""Reading an engine's answers: their bytes, the JSON in them, and what a refusal says.

All that an engine answers comes in here, and is what it should be or an `EngineError`.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.connection import shapes
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.text import clean

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import requests

    from nixdock.errors import EngineError

REFUSAL_LIMIT: Final = 64 << 10
"""Bytes that are read of an answer that says nothing, or no."""

_PIECE: Final = 128 * 1024

_ANSWER_LIMIT: Final = 256 << 20
"""Bytes of a JSON answer; a hundred thousand images are told in less."""

_MESSAGE_LIMIT: Final = 16 << 20


def socket_of(response: requests.Response) -> socket.socket | None:
    """Return the socket below an answer that is still to be read; None where it has ended."""
    buffered = getattr(response.raw._fp, "fp", None)  # noqa: SLF001
    return getattr(getattr(buffered, "raw", None), "_sock", None)


def read_refusal(response: requests.Response, what: str) -> EngineError:
    """Return what a refusal says: an object with a message, as the Engine API defines it, or plain text."""
    data = response.raw.read(REFUSAL_LIMIT)
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = data.decode(errors="replace").strip()
        if said.startswith("<"):
            return shapes.nonsense(what, f"a page instead of an answer (HTTP status {response.status_code})")
        said = said.partition("\n")[0].strip()
    if isinstance(said, dict):
        # "cause" is what Podman's own API says beside it.
        said = said.get("message") or said.get("cause")
        if said is None:
            said = response.reason or f"HTTP status {response.status_code}"
    if not isinstance(said, str):
        return shapes.nonsense(what, f"a refusal without a message (HTTP status {response.status_code})")
    said = said.strip() or response.reason or f"HTTP status {response.status_code}"
    return EngineRefusedError(f"the engine refused: {said}", status=response.status_code)


def decode(response: requests.Response, shape: object, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON of an answer, if that is what it should be: the one way in for all of them.

    Args:
        response: Unread.
        shape: Of `nixdock.engine.connection.shapes`.
        what: Its method and path, for messages.

    Raises:
        EngineError: It is not.
    """
    data = bytearray()
    for piece in body_of(response):
        data += piece
        if len(data) > _ANSWER_LIMIT:
            raise shapes.nonsense(what, "it does not end")
    try:
        answer = json.loads(bytes(data))
        if b"\\u" in data:
            # Half a character, which could not be written to anywhere.
            json.dumps(answer, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise shapes.nonsense(what, _describe(bytes(data))) from error
    return shapes.check(answer, shape, what)


def _describe(data: bytes) -> str:
    """Say what came instead of JSON."""
    if not data.strip():
        return "nothing"
    return f"what is no JSON ({clean(data[:60].decode(errors='replace'))})"


def body_of(response: requests.Response) -> Iterator[bytes]:
    """Yield an answer's body as it comes, chunk by chunk."""
    raw = response.raw
    return iter(raw.read_chunked()) if raw.chunked else iter(raw.stream(_PIECE))


def read_messages(pieces: Iterator[bytes], what: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of an answer, which may stand without anything between them."""
    decoder = json.JSONDecoder()
    # A piece may end amid a character.
    characters = codecs.getincrementaldecoder("utf-8")("replace")
    text = ""
    for piece in pieces:
        text += characters.decode(piece)
        while text := text.lstrip():
            try:
                message, end = decoder.raw_decode(text)
            except RecursionError as error:
                raise shapes.nonsense(what, _describe(text.encode(errors="replace"))) from error
            except ValueError:
                break
            text = text[end:]
            yield shapes.check(message, {}, what)
        if len(text) > _MESSAGE_LIMIT:
            raise shapes.nonsense(what, _describe(text[:100].encode(errors="replace")))
    if text.strip():
        yield {"error": f"the engine's answer breaks off: {clean(text.strip()[:200])}"}
