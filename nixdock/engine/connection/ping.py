"""Whether anybody answers on a socket: one plain request, without the docker SDK.

`GET /_ping` is the Engine API's own question for this; it needs no version and no permission but
the socket's.
"""

from __future__ import annotations

import socket
from contextlib import closing
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_REQUEST: Final = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"
_SECONDS: Final = 20
"""A socket that systemd listens on starts the engine first."""


class PingResult(Enum):
    """What came back."""

    ENGINE = auto()
    """An engine answered."""
    NOBODY = auto()
    """Nobody listens there."""
    FORBIDDEN = auto()
    """There is a socket, and we may not use it."""
    SILENCE = auto()
    """Somebody listens, and did not answer as an engine does."""


def ping(path: Path) -> PingResult:
    """Ask whether an engine answers.

    Args:
        path: The socket.
    """
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(str(path))
        except PermissionError:
            return PingResult.FORBIDDEN
        except TimeoutError:
            return PingResult.SILENCE
        except OSError:
            return PingResult.NOBODY
        try:
            connection.sendall(_REQUEST)
            status = connection.recv(64).split(b" ")[1:2]
        except ConnectionError:
            return PingResult.NOBODY  # it was just ending
        except OSError:
            return PingResult.SILENCE
        return PingResult.ENGINE if status == [b"200"] else PingResult.SILENCE
