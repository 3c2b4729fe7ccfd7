"""Reading an engine's responses: their bytes, the JSON in them, what it must look like, what a refusal says.

All that an engine responds comes in here, and is what it should be or an `EngineError`: what an engine never
gives (an object where a list belongs, a number for a name) comes from something in between, or from an engine
that is broken. Everything behind `check` may believe its input.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from nixdock.engine.connection.refusals import EngineRefusedError, nonsense
from nixdock.text import clean

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from nixdock.engine.connection.stream import OutputSource
    from nixdock.errors import EngineError

REFUSAL_LIMIT: Final = 64 << 10
"""Bytes that are read of a response that says nothing, or no."""

_JSON_LIMIT: Final = 256 << 20
"""Bytes of JSON; a hundred thousand images are told in less."""

_MESSAGE_LIMIT: Final = 16 << 20


class Response(Protocol):
    """A response whose body is still to be read, by whichever way it came."""

    @property
    def status(self) -> int:
        """Of HTTP."""

    @property
    def reason(self) -> str:
        """What stands beside the status."""

    @property
    def socket(self) -> socket.socket | None:
        """What it is read from; None where it has ended."""

    @property
    def source(self) -> OutputSource | None:
        """What comes after its head, as it is; None where nothing can."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes."""

    def read(self, limit: int) -> bytes:
        """Return the beginning of the body, as far as it comes."""

    def close(self) -> None:
        """End it; its connection serves again if it was read to its end. May be called again."""


@dataclass(frozen=True, slots=True)
class Required:
    """What has to be there. Of all else nothing, and null, are as good.

    Args:
        shape: What it looks like.
        nullable: Whether null will do.
    """

    shape: object
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class AnyKeys:
    """An object whose keys are anything.

    Args:
        shape: What each of its values looks like.
    """

    shape: object


_MISSING: Final = object()
_PORT: Final = re.compile(r"[0-9]{1,5}")
_VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_NAME: Final = re.compile(r".+", re.DOTALL)

_CONFIG: Final = {
    "Cmd": [str],
    "Entrypoint": [str],
    "Env": [str],
    "ExposedPorts": AnyKeys(object),
    "Healthcheck": {"Interval": int, "Retries": int, "StartPeriod": int, "Test": [str], "Timeout": int},
    "Labels": AnyKeys(str),
    "Shell": [str],
    "StopSignal": str,
    "StopTimeout": int,
    "Tty": bool,
    "User": str,
    "Volumes": AnyKeys(object),
    "WorkingDir": str,
}

VERSION: Final = {
    "ApiVersion": Required(_VERSION),
    "Arch": str,
    "Components": [{"Name": str}],
    "Os": str,
    "Version": str,
}
INFO: Final = {
    "CDISpecDirs": [str],
    "DiscoveredDevices": [{"ID": str}],
    "DockerRootDir": str,
    "Driver": str,
    "DriverStatus": [[str]],
    "ID": Required(str),
    "Images": int,
    "Name": str,
    "SecurityOptions": [str],
}
IMAGES: Final = [
    {"Created": int, "Id": Required(_NAME), "Labels": AnyKeys(str), "RepoTags": [str], "Size": int}
]
IMAGE: Final = {
    "Architecture": str,
    "Config": _CONFIG,
    "Id": Required(_NAME),
    "Manifests": [{"Available": bool, "ID": str, "Kind": str}],
    "Os": str,
    "RepoTags": [str],
    "RootFS": {"Layers": [str]},
    "Size": int,
    "Variant": str,
}
LIBPOD_IMAGE: Final = {"Healthcheck": _CONFIG["Healthcheck"]}
CONTAINERS: Final = [
    {
        "Id": Required(_NAME),
        "Image": str,
        "ImageID": str,
        "Labels": AnyKeys(str),
        "Names": [str],
        "State": str,
    },
]
CONTAINER: Final = {
    "Config": _CONFIG,
    "HostConfig": {
        "ContainerIDFile": str,
        "DeviceRequests": [{"DeviceIDs": [str]}],
        "NetworkMode": str,
        "Tmpfs": AnyKeys(str),
    },
    "Id": Required(_NAME),
    "Image": str,
    "Mounts": [{"Destination": str}],
    "Name": str,
    "NetworkSettings": {"Ports": AnyKeys([{"HostIp": str, "HostPort": Required(_PORT)}])},
    "State": {
        "Error": str,
        "ExitCode": int,
        "Health": {"Log": [{"Output": str}], "Status": str},
        "OOMKilled": bool,
        "Pid": int,
        "Status": str,
    },
}
CREATED: Final = {"Id": Required(_NAME), "Warnings": [str]}
WAITED: Final = {"StatusCode": Required(int)}
CHANGES: Final = Required([{"Kind": Required(int), "Path": Required(str)}], nullable=True)
STATS: Final = {"memory_stats": Required({"max_usage": int, "stats": AnyKeys(int), "usage": int})}
EXEC: Final = {"ExitCode": int, "Running": Required(bool)}
NETWORKS: Final = [{"Id": Required(_NAME), "Labels": AnyKeys(str), "Name": str}]
VOLUMES: Final = {"Volumes": Required([{"Labels": AnyKeys(str), "Name": Required(_NAME)}], nullable=True)}

_WORDS: Final[dict[type, str]] = {str: "text", int: "a number", bool: "true or false"}


def check(value: Any, shape: object, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Return a response that looks as it should.

    Args:
        value: Decoded JSON.
        shape: One of those above.
        what: What was asked, for the message.

    Raises:
        EngineError: It does not.
    """
    wrong = _find_misfit(value, shape if isinstance(shape, Required) else Required(shape))
    if wrong is not None:
        raise nonsense(what, f"it{wrong}" if wrong.startswith(" ") else wrong.lstrip("."))
    return value


def _find_misfit(value: object, shape: object) -> str | None:
    """Return where a value is not of a shape, and what should stand there; None where it is."""
    inner = shape.shape if isinstance(shape, Required) else shape
    if value is None or value is _MISSING:
        may = not isinstance(shape, Required) or (value is None and shape.nullable)
        return None if may else f" is not {_name(inner)}"
    shape = inner
    if not _is_of_kind(value, shape):
        return f" is not {_name(shape)}"
    for name, member, its in _members(value, shape):
        wrong = _find_misfit(member, its)
        if wrong is not None:
            return f"{name}{wrong}"
    return None


def _is_of_kind(value: object, shape: object) -> bool:
    match shape:
        case dict() | AnyKeys():
            return isinstance(value, dict)
        case list():
            return isinstance(value, list)
        case re.Pattern():
            return isinstance(value, str) and shape.fullmatch(value) is not None
        case type():
            # A bool is an int to Python.
            return isinstance(value, shape) and (shape is not int or not isinstance(value, bool))
        case _:
            raise TypeError(f"no shape: {shape!r}")


def _members(value: object, shape: object) -> Iterator[tuple[str, object, object]]:
    """Yield the name, the value and the shape of each part of a value of the right kind."""
    if isinstance(value, dict):
        if isinstance(shape, AnyKeys):
            yield from ((f".{key}", member, shape.shape) for key, member in value.items())
        elif isinstance(shape, dict):
            yield from ((f".{key}", value.get(key, _MISSING), its) for key, its in shape.items())
    elif isinstance(value, list) and isinstance(shape, list):
        yield from ((f"[{number}]", member, Required(shape[0])) for number, member in enumerate(value))


def _name(shape: object) -> str:
    match shape:
        case dict() | AnyKeys():
            return "an object"
        case list():
            return "a list"
        case type():
            return _WORDS.get(shape, "anything")
        case _:
            return "what belongs there"


def read_refusal(response: Response, what: str) -> EngineError:
    """Return what a refusal says: an object with a message, as the Engine API defines it, or plain text."""
    data = response.read(REFUSAL_LIMIT)
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = data.decode(errors="replace").strip()
        if said.startswith("<"):
            return nonsense(what, f"a page instead of an answer (HTTP status {response.status})")
        said = said.partition("\n")[0].strip()
    if isinstance(said, dict):
        # "cause" is what Podman's own API says beside it.
        said = said.get("message") or said.get("cause")
        if said is None:
            said = response.reason or f"HTTP status {response.status}"
    if not isinstance(said, str):
        return nonsense(what, f"a refusal without a message (HTTP status {response.status})")
    said = said.strip() or response.reason or f"HTTP status {response.status}"
    return EngineRefusedError(f"the engine refused: {said}", status=response.status)


def decode(response: Response, shape: object, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON of a response, if that is what it should be: the one way in for all of them.

    Args:
        response: Unread.
        shape: One of those above.
        what: Its method and path, for messages.

    Raises:
        EngineError: It is not.
    """
    data = bytearray()
    for piece in response.pieces():
        data += piece
        if len(data) > _JSON_LIMIT:
            raise nonsense(what, "it does not end")
    try:
        value = json.loads(bytes(data))
        if b"\\u" in data:
            # Half a character, which could not be written to anywhere.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise nonsense(what, _describe(bytes(data))) from error
    return check(value, shape, what)


def _describe(data: bytes) -> str:
    """Say what came instead of JSON."""
    if not data.strip():
        return "nothing"
    return f"what is no JSON ({clean(data[:60].decode(errors='replace'))})"


def read_messages(pieces: Iterator[bytes], what: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a response, which may stand without anything between them."""
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
                raise nonsense(what, _describe(text.encode(errors="replace"))) from error
            except ValueError:
                break
            text = text[end:]
            yield check(message, {}, what)
        if len(text) > _MESSAGE_LIMIT:
            raise nonsense(what, _describe(text[:100].encode(errors="replace")))
    if text.strip():
        yield {"error": f"the engine's answer breaks off: {clean(text.strip()[:200])}"}
