"""An engine on a Unix socket that answers well, but for one call."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = {
    "Id": "sha256:" + "1" * 64,
    "RepoTags": ["box:1"],
    "Os": "linux",
    "Architecture": "amd64",
    "Size": 5,
    "RootFS": {"Layers": ["sha256:" + "2" * 64]},
    "Config": {"Cmd": ["/bin/hello"], "Env": ["PATH=/bin"], "Labels": {"a": "b"}},
    "Manifests": [{"ID": "sha256:" + "3" * 64, "Kind": "image", "Available": True}],
}
CONTAINER = {
    "Id": "c" * 64,
    "Name": "/my-app",
    "Image": IMAGE["Id"],
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "Error": "",
        "OOMKilled": False,
        "Pid": 0,
        "Health": {"Status": "healthy", "Log": [{"Output": "fine"}]},
    },
    "Config": {
        "Labels": {"a": "b"},
        "Tty": False,
        "StopTimeout": 3,
        "Shell": ["/bin/sh", "-c"],
        "Healthcheck": {
            "Test": ["CMD", "true"],
            "Interval": 1,
            "Timeout": 1,
            "Retries": 1,
            "StartPeriod": 1,
        },
    },
    "HostConfig": {"NetworkMode": "bridge", "Tmpfs": {"/tmp": ""}, "ContainerIDFile": ""},
    "Mounts": [{"Destination": "/data"}],
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": None}},
}
VERSION = {
    "ApiVersion": "1.41",
    "Version": "1",
    "Os": "linux",
    "Arch": "amd64",
    "Components": [{"Name": "E"}],
}
GOOD: list[tuple[str, str, Any]] = [
    ("GET", r"/version", VERSION),
    ("GET", r"/info", {"ID": "E", "Driver": "overlay2", "DriverStatus": [["a", "b"]], "Images": 1}),
    ("GET", r"/images/json", [{"Id": IMAGE["Id"], "RepoTags": ["box:1"], "Created": 1, "Size": 2}]),
    ("GET", r"/images/.+/json", IMAGE),
    ("GET", r"/containers/json", []),
    ("GET", r"/containers/.+/json", CONTAINER),
    ("POST", r"/containers/create", {"Id": CONTAINER["Id"], "Warnings": []}),
    ("GET", r"/containers/.+/changes", [{"Kind": 1, "Path": "/etc"}]),
    ("GET", r"/containers/.+/stats", {"memory_stats": {"usage": 5, "stats": {"inactive_file": 1}}}),
    ("POST", r"/containers/.+/exec", {"Id": "e" * 64}),
    ("GET", r"/exec/.+/json", {"Running": False, "ExitCode": 0}),
    ("POST", r"/commit", {"Id": "sha256:" + "4" * 64}),
    ("GET", r"/networks", [{"Id": "n", "Name": "net", "Labels": {}}]),
    ("POST", r"/networks/create", {"Id": "n"}),
    ("GET", r"/volumes", {"Volumes": [{"Name": "v", "Labels": None}]}),
    ("POST", r"/images/load", {"stream": "Loaded image: box:1\n"}),
]
"""What calls with an answer are answered."""

DAMAGES: dict[str, bytes | None] = {
    "stall": None,
    "cut": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Id": "x',
    "garbage": b"\x00\xff\xfe garbage\r\n\x01\x02\r\n\r\n" * 20,
    "500": b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 34\r\n\r\n"
    b"<html><body>Bad Gateway</body></ht",
    "wrong": b'HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n{"Id": 5, "StatusCode": "x", "Volumes": "v"}'[
        :-1
    ],
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "null": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
    "list": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[5,1]",
    "nothing": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "deep": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
    "bytes": b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"Id":"\xff\xfe"} ',
    "refused list": b"HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\n[5,1]",
    "refused null": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnull",
    "refused number": b'HTTP/1.1 500 Oops\r\nContent-Length: 14\r\n\r\n{"message": 5}',
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
}
"""What the one call is answered instead; None is never."""


class Hostile:
    """The engine.

    Args:
        path: Its socket.
        attacked: Which request is answered wrong, as a regular expression over `METHOD /path`.
        damage: What it is answered, of `DAMAGES`.
        pings: Whether pings are answered.
        exits: Whether a started container ends by itself.
        server: Where it listens instead of on the path.
    """

    def __init__(
        self,
        path: Path,
        attacked: str,
        damage: str,
        *,
        pings: bool = True,
        exits: bool = True,
        server: socket.socket | None = None,
    ) -> None:
        self.host = f"unix://{path}"
        self.attacked = attacked
        self.damage = damage
        self.pings = pings
        self.exits = exits
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self._over = threading.Event()
        self._started = threading.Event()
        self._ended = threading.Event()
        self._server = server or socket.socket(socket.AF_UNIX)
        if server is None:
            self._server.bind(str(path))
            self._server.listen(50)
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End it."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(0.01)
            reader = _Reader(connection, self._over)
            while (head := reader.head()) is not None:
                method, target, _ = head.split("\r\n")[0].split(" ")
                path = re.sub(r"^/v[0-9.]+", "", target).partition("?")[0]
                self.asked.append(f"{method} {target}")
                self.bodies.append(reader.body(head))
                if not self._answer(connection, method, path):
                    return

    def _answer(self, connection: socket.socket, method: str, path: str) -> bool:
        """Answer one request; return whether the connection goes on."""
        if re.fullmatch(self.attacked, f"{method} {path}"):
            return self._do_damage(connection, DAMAGES[self.damage])
        if path == "/_ping":
            return self._do_damage(connection, None) if not self.pings else _send(connection, b"OK")
        if path.endswith("/attach") or re.fullmatch(r"/exec/.+/start", path):
            self._stream(connection, attached=path.endswith("/attach"))
            return False
        if path.endswith("/wait"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._until(self._ended)
            connection.sendall(b'10\r\n{"StatusCode":0}\r\n0\r\n\r\n')
            return True
        self._take_note(method, path)
        for known, pattern, answer in GOOD:
            if known == method and re.fullmatch(pattern, path):
                return _send(connection, json.dumps(answer).encode())
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        return True

    def _do_damage(self, connection: socket.socket, damage: bytes | None) -> bool:
        if damage is None:
            self._over.wait()
        else:
            connection.sendall(damage)
        return False

    def _stream(self, connection: socket.socket, *, attached: bool) -> None:
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        if attached:
            self._until(self._started)
            connection.sendall(struct.pack(">BxxxL", 1, 3) + b"hi\n")
            self._until(self._ended)

    def _take_note(self, method: str, path: str) -> None:
        if path.endswith("/start"):
            self._started.set()
            if self.exits:
                self._ended.set()
        if path.endswith("/kill") or method == "DELETE":
            self._ended.set()

    def _until(self, event: threading.Event) -> None:
        while not event.wait(0.02):
            if self._over.is_set():
                raise ConnectionError


def _send(connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


class _Reader:
    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._connection = connection
        self._over = over
        self._data = b""

    def head(self) -> str | None:
        while b"\r\n\r\n" not in self._data:
            if not self._more():
                return None
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def body(self, head: str) -> bytes:
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        if length:
            while len(self._data) < int(length[1]) and self._more():
                pass
            body, self._data = self._data[: int(length[1])], self._data[int(length[1]) :]
            return body
        if "chunked" in head.lower():
            while b"0\r\n\r\n" not in self._data and self._more():
                pass
            body, self._data = self._data, b""
            return body
        return b""

    def _more(self) -> bool:
        while not self._over.is_set():
            try:
                piece = self._connection.recv(65536)
            except TimeoutError:
                continue
            self._data += piece
            return bool(piece)
        return False
