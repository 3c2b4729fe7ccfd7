"""What an engine's answers look like, as far as nixdock reads them, and whether one does.

An answer that an engine never gives (an object where a list belongs, a number for a name) comes from
something in between, or from an engine that is broken; everything behind `check` may believe its input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Must:
    """What has to be there. Of all else nothing, and null, are as good.

    Args:
        shape: What it looks like.
        nullable: Whether null will do.
    """

    shape: object
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Values:
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
    "ExposedPorts": Values(object),
    "Healthcheck": {
        "Interval": int,
        "Retries": int,
        "StartPeriod": int,
        "Test": [str],
        "Timeout": int,
    },
    "Labels": Values(str),
    "Shell": [str],
    "StopSignal": str,
    "StopTimeout": int,
    "Tty": bool,
    "User": str,
    "Volumes": Values(object),
    "WorkingDir": str,
}

VERSION: Final = {
    "ApiVersion": Must(_VERSION),
    "Arch": str,
    "Components": [{"Name": str}],
    "Os": str,
    "Version": str,
}
INFO: Final = {
    "DockerRootDir": str,
    "Driver": str,
    "DriverStatus": [[str]],
    "ID": Must(str),
    "Images": int,
    "Name": str,
    "SecurityOptions": [str],
}
IMAGES: Final = [
    {"Created": int, "Id": Must(_NAME), "Labels": Values(str), "RepoTags": [str], "Size": int},
]
IMAGE: Final = {
    "Architecture": str,
    "Config": _CONFIG,
    "Id": Must(_NAME),
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
        "Id": Must(_NAME),
        "Image": str,
        "ImageID": str,
        "Labels": Values(str),
        "Names": [str],
        "State": str,
    },
]
CONTAINER: Final = {
    "Config": _CONFIG,
    "HostConfig": {"ContainerIDFile": str, "NetworkMode": str, "Tmpfs": Values(str)},
    "Id": Must(_NAME),
    "Image": str,
    "Mounts": [{"Destination": str}],
    "Name": str,
    "NetworkSettings": {"Ports": Values([{"HostIp": str, "HostPort": Must(_PORT)}])},
    "State": {
        "Error": str,
        "ExitCode": int,
        "Health": {"Log": [{"Output": str}], "Status": str},
        "OOMKilled": bool,
        "Pid": int,
        "Status": str,
    },
}
CREATED: Final = {"Id": Must(_NAME), "Warnings": [str]}
WAITED: Final = {"StatusCode": Must(int)}
CHANGES: Final = Must([{"Kind": Must(int), "Path": Must(str)}], nullable=True)
STATS: Final = {"memory_stats": Must({"max_usage": int, "stats": Values(int), "usage": int})}
EXEC: Final = {"ExitCode": int, "Running": Must(bool)}
NETWORKS: Final = [{"Id": Must(_NAME), "Labels": Values(str), "Name": str}]
VOLUMES: Final = {"Volumes": Must([{"Labels": Values(str), "Name": Must(_NAME)}], nullable=True)}

_WORDS: Final[dict[type, str]] = {str: "text", int: "a number", bool: "true or false"}


def check(answer: Any, shape: object, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Return an answer that looks as it should.

    Args:
        answer: Decoded JSON.
        shape: One of those above.
        what: What was asked, for the message.

    Raises:
        EngineError: It does not.
    """
    wrong = _find_misfit(answer, shape if isinstance(shape, Must) else Must(shape))
    if wrong is not None:
        raise nonsense(what, f"it{wrong}" if wrong.startswith(" ") else wrong.lstrip("."))
    return answer


def nonsense(what: str, why: str) -> EngineError:
    """Return the error about an answer that no engine gives."""
    return EngineError(
        f"the engine answered nonsense to {what}: {why[:_TEXT_SHOWN]}",
        hint="is there something between nixdock and the engine that changes what is sent?",
    )


def _find_misfit(value: object, shape: object) -> str | None:
    """Return where a value is not of a shape, and what should stand there; None where it is."""
    inner = shape.shape if isinstance(shape, Must) else shape
    if value is None or value is _MISSING:
        may = not isinstance(shape, Must) or (value is None and shape.nullable)
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
        case dict() | Values():
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
        if isinstance(shape, Values):
            yield from ((f".{key}", member, shape.shape) for key, member in value.items())
        elif isinstance(shape, dict):
            yield from ((f".{key}", value.get(key, _MISSING), its) for key, its in shape.items())
    elif isinstance(value, list) and isinstance(shape, list):
        yield from ((f"[{number}]", member, Must(shape[0])) for number, member in enumerate(value))


def _name(shape: object) -> str:
    match shape:
        case dict() | Values():
            return "an object"
        case list():
            return "a list"
        case type():
            return _WORDS.get(shape, "anything")
        case _:
            return "what belongs there"
