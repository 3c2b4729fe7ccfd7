"""HTTP/1.1 to an engine on this machine, without TLS: as much of it as plain questions need.

Importing the SDK, or only `http.client`, takes longer than asking (engine/README.md, "Two ways to an
engine"), so what can do without them comes this way. Nothing above `nixdock.engine.connection.client` sees
which way a request went.

What answers is taken for hostile: a line, and all lines of a head, have a limit; what is no HTTP is a
`NoHttpError`; and a connection serves again only where its answer ended as it said it would.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from nixdock.engine.connection.dialling import dial_path, dial_port
from nixdock.engine.connection.docker_files import read_config
from nixdock.engine.connection.refusals import NoHttpError
from nixdock.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.patience import Patience, PendingRequest
    from nixdock.engine.connection.stream import OutputSource

_HEAD_LIMIT: Final = 64 << 10
"""Bytes of a status line with all headers, of a chunk's first line, and of all trailers."""

_ENDLESS: Final = f"more than {_HEAD_LIMIT} bytes of a head without an end"

_PIECE: Final = 128 * 1024

_IDLE: Final = 10
"""Connections that are kept for further requests."""

_STATUS: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_SAFE: Final = "/:@!$&'()*+,;=[]~"
"""What stands in a path as it is, as requests has it."""

_CONTINUE: Final = frozenset({*range(100, 200)} - {101})
"""An answer comes later."""

_BODILESS: Final = frozenset({204, 304})


class CutShortError(ConnectionError):
    """The other side hung up before its answer had ended.

    Its words are those of urllib3, for the user is not to see who read the answer.

    Args:
        came: Bytes that came of a body or a chunk, where its length is known.
        missing: Bytes that did not.
    """

    def __init__(self, came: int = 0, missing: int = 0) -> None:
        known = f"IncompleteRead({came} bytes read, {missing} more expected)"
        super().__init__(known if missing else "Response ended prematurely")


def is_plain(address: Address) -> bool:
    """Whether an engine is spoken to over a socket of this machine, as it is."""
    return address.scheme == "unix" or (address.scheme == "tcp" and address.tls is None and address.is_local)


class PlainTransport:
    """Sends requests to an engine on this machine; several threads may share it.

    Args:
        address: Where it answers, of those that `is_plain`.
        patience: Cuts what takes too long.
    """

    def __init__(self, address: Address, patience: Patience) -> None:
        self._patience = patience
        self._idle: list[_PlainConnection] = []
        self._closed = False
        self._keeping = threading.Lock()
        parts = urlsplit(address.url)
        path = address.socket_path
        if path is not None:
            host, self._base = "localhost", ""
            self._dial = partial(dial_path, path, patience)
        else:
            host, self._base = parts.netloc, parts.path
            self._dial = partial(dial_port, address.hostname, parts.port or 0, patience)
        own = {"Host": host, "User-Agent": "nixdock", "Accept": "*/*"}
        self._headers = _by_name(own) | _by_name(read_config().headers)

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        body: Any,  # noqa: ANN401  # bytes, here
        headers: Mapping[str, str],
    ) -> PlainResponse:
        """Send a request and return its answer, of which the head was read.

        Args:
            method: Of HTTP.
            path: With the API version.
            params: The query.
            body: What is sent along: bytes, or None.
            headers: Beside those that every request has.

        Raises:
            OSError: The connection cannot be made, or was cut.
            NoHttpError: What answers speaks something else.
        """
        wait = self._patience.latest
        connection = self._take()
        if wait is not None:
            wait.goes_over(connection)
        try:
            connection.send(self._write(method, path, params, body, headers))
            return PlainResponse(connection, wait, self._keep)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connections that are not in use, and each of the others when it is not any more."""
        with self._keeping:
            self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _write(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> bytes:
        query = urlencode(params or {}, doseq=True)
        target = f"{self._base}{quote(path, safe=_SAFE)}" + (f"?{query}" if query else "")
        length = {"Content-Length": str(len(body or b""))} if body is not None or method != "GET" else {}
        sent = self._headers | _by_name(headers) | _by_name(length)
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in sent.values()), "", ""]
        # What is not ASCII goes out as UTF-8, as docker sends it.
        return "\r\n".join(lines).encode() + (body or b"")

    def _take(self) -> _PlainConnection:
        """Return a connection that nobody uses, or a new one, which is made when it is used."""
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:
                return _PlainConnection(self._dial)
            if kept.is_silent():
                return kept
            kept.close()

    def _keep(self, connection: _PlainConnection) -> None:
        with self._keeping:
            if not self._closed and len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()


class PlainResponse:
    """An answer whose body is still to be read.

    Args:
        connection: Where it comes from; its request was sent.
        wait: The request.
        keep: Takes the connection back, once it can serve again.
    """

    def __init__(
        self,
        connection: _PlainConnection,
        wait: PendingRequest | None,
        keep: Callable[[_PlainConnection], None],
    ) -> None:
        self._connection = connection
        self._wait = wait
        self._keep = keep
        self._ended = self._closed = False
        version, self.status, self.reason, headers = connection.read_head()
        while self.status in _CONTINUE:
            version, self.status, self.reason, headers = connection.read_head()
        self._length: int | None = None
        self._chunked = headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
        said = headers.get(b"content-length")
        if self.status in _BODILESS:
            self._length, self._chunked = 0, False
        elif said is not None and not self._chunked:
            if _LENGTH.fullmatch(said) is None:
                raise _no_http(b"Content-Length: " + said)
            self._length = int(said)
        ends = self._chunked or self._length is not None
        closes = version == b"0" or b"close" in headers.get(b"connection", b"").lower()
        self._serves_again = ends and not closes and self.status != 101

    @property
    def socket(self) -> socket.socket | None:
        """What it is read from."""
        return self._connection.sock

    @property
    def source(self) -> OutputSource:
        """What comes after the head, as it is."""
        return self._connection

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes.

        Raises:
            OSError: It breaks off.
            NoHttpError: It is not what its head said.
        """
        if self._chunked:
            yield from self._chunks()
        elif self._length is not None:
            yield from self._connection.read(self._length)
        else:
            while piece := self._connection.read1(_PIECE):
                yield piece
            if self._is_cut:
                # It looks like an end.
                raise CutShortError
        self._ended = True

    def read(self, limit: int) -> bytes:
        """Return the beginning of the body, as far as it comes: its status says enough."""
        data = bytearray()
        try:
            for piece in self.pieces():
                data += piece
                if len(data) > limit:
                    break
        except CutShortError:
            if self._is_cut:
                raise
        return bytes(data[:limit])

    def close(self) -> None:
        """Give the connection back, if it can serve again, and end it otherwise."""
        if self._closed:
            return
        self._closed = True
        if self._ended and self._serves_again and self._connection.is_silent():
            self._keep(self._connection)
        else:
            self._connection.close()

    @property
    def _is_cut(self) -> bool:
        """Whether it was us who ended it."""
        return self._wait is not None and self._wait.reason is not None

    def _chunks(self) -> Generator[bytes]:
        while True:
            line = self._connection.read_line(_HEAD_LIMIT)
            found = _CHUNK.fullmatch(line)
            if found is None:
                raise _no_http(line)
            size = int(found[1], 16)
            if size == 0:
                break
            yield from self._connection.read(size)
            if line := self._connection.read_line(_HEAD_LIMIT):
                raise _no_http(line)
        left = _HEAD_LIMIT
        while line := self._connection.read_line(left):
            left -= len(line)


class _PlainConnection:
    """A connection, made when it is first used, and what came over it and was not read yet."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self._data = b""
        # Where in it the rest begins: chunks may be many, and small.
        self._at = 0
        self.sock: socket.socket | None = None

    def send(self, data: bytes) -> None:
        if self.sock is None:
            self.sock = self._dial()
        try:
            self.sock.sendall(data)
        except BrokenPipeError:
            # An engine that has heard enough may have answered before it hung up.
            return

    def read1(self, size: int, /) -> bytes:
        """Return what is there, at most `size` bytes, waiting for the first; empty at the end."""
        if self._at < len(self._data):
            piece = self._data[self._at : self._at + size]
            self._at += len(piece)
            return piece
        # Another thread may close it meanwhile.
        sock = self.sock
        return b"" if sock is None else sock.recv(size)

    def read(self, size: int) -> Generator[bytes]:
        """Yield so many bytes, as they come."""
        left = size
        while left:
            piece = self.read1(min(left, _PIECE))
            if not piece:
                raise CutShortError(size - left, left)
            left -= len(piece)
            yield piece

    def read_line(self, limit: int) -> bytes:
        """Return a line without its end."""
        while (end := self._data.find(b"\n", self._at)) < 0 and len(self._data) - self._at <= limit:
            if not self._read_on():
                raise CutShortError
        line = self._data[self._at : end]
        if end < 0 or len(line) > limit:
            raise NoHttpError(_ENDLESS)
        self._at = end + 1
        return line.removesuffix(b"\r")

    def _read_on(self) -> bool:
        """Have more of what comes; return whether anything came."""
        rest = self._data[self._at :]
        sock = self.sock
        more = b"" if sock is None else sock.recv(_PIECE)
        self._data, self._at = rest + more, 0
        return bool(more)

    def read_head(self) -> tuple[bytes, int, str, dict[bytes, bytes]]:
        """Return the version's last number, the status, its reason, and the headers by their small names."""
        if self._at == len(self._data) and not self._read_on():
            # http.client's words; a connection that was reset may be made again.
            raise ConnectionResetError("Remote end closed connection without response")
        try:
            line = self.read_line(_HEAD_LIMIT)
        except CutShortError:
            line = self._data[self._at :]
        found = _STATUS.fullmatch(line)
        if found is None:
            raise _no_http(line)
        left = _HEAD_LIMIT - len(line)
        headers: dict[bytes, bytes] = {}
        while line := self.read_line(left):
            left -= len(line) + 1
            name, colon, text = line.partition(b":")
            if not colon and not line.startswith((b" ", b"\t")):
                raise _no_http(line)
            headers.setdefault(name.lower(), text.strip())
        return found[1], int(found[2]), (found[3] or b"").decode("latin-1").strip(), headers

    def is_silent(self) -> bool:
        """Whether it is open, and nothing came that nobody asked for."""
        if self.sock is None or self._at < len(self._data):
            return False
        try:
            self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        sock, self.sock = self.sock, None
        if sock is not None:
            with contextlib.suppress(OSError):
                # Whoever reads from it returns.
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def _by_name(headers: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return headers by their small names, for two that differ in case are one."""
    return {name.lower(): (name, text.strip()) for name, text in headers.items()}


def _no_http(line: bytes) -> NoHttpError:
    return NoHttpError(clean(line[:200].decode("latin-1")).strip() or "an empty line")
