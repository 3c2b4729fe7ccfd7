"""What an engine says to an image that it was sent: success and failure both come in a 200 response.

Three shapes: Docker's graph drivers send `errorDetail`; Docker's containerd store since 28 says
"Loaded image" and then, as plain text, "Error unpacking image"; Podman answers 500 before anything.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import DamagedError, LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.engine.loading.parcel import LayerBlob
    from nixdock.engine.loading.unpacking import UnpackingFailure

_UNPACKING: Final = "Error unpacking image"
_NO_SPACE: Final = os.strerror(errno.ENOSPC).lower()
_NO_QUOTA: Final = os.strerror(errno.EDQUOT).lower()
_TOO_DEEP: Final = "max depth exceeded"
_LOST: Final = ("not found", "no such file", "does not exist", "no such image", "data changed during")
"""The last is of Docker on containerd, where somebody renames or removes the image meanwhile."""

_WRONG_LAYER: Final = ("invalid diffid", "wrong diff id")


def find_error(messages: Iterable[Mapping[str, Any]]) -> str | None:
    """Read a response to its end; return the first error in it, None where there is none."""
    error: str | None = None
    for message in messages:
        error = error or _error_in(message)
    return error


def _error_in(message: Mapping[str, Any]) -> str | None:
    detail = message.get("errorDetail")
    text = detail.get("message") if isinstance(detail, dict) else None
    text = text or message.get("error")
    if text:
        return str(text).strip()
    line = message.get("stream")
    if isinstance(line, str) and line.startswith(_UNPACKING):
        return line.strip()
    return None


def is_limit(error: str) -> bool:
    """Whether the engine has come to a limit of its own, whatever it was sent."""
    lowered = error.lower()
    return any(words in lowered for words in (_NO_SPACE, _NO_QUOTA, _TOO_DEEP))


def is_final(error: str) -> bool:
    """Whether sending the same image once more, in full, would end the same way."""
    return (
        is_limit(error)
        or any(words in error.lower() for words in _WRONG_LAYER)
        or _read_unpacking(error) is not None
    )


def is_loss(error: str) -> bool:
    """Whether something that was there is there no more, or that was sent: another sending may do."""
    lowered = error.lower()
    return any(words in lowered for words in _LOST) and _read_unpacking(error) is None


def explain(error: str, name: str, blobs: Iterable[LayerBlob] = ()) -> LoadError:
    """Say what an engine's error means for the user.

    Args:
        error: The engine's own words.
        name: What messages call the image.
        blobs: Its layers, to be looked through for what the engine could not unpack.
    """
    lowered = error.lower()
    if _NO_SPACE in lowered or _NO_QUOTA in lowered:
        return LoadError(
            f"the engine has no room left for {name}",
            hint="free some: docker system df, docker image prune",
            details=error,
        )
    if _TOO_DEEP in lowered:
        return LoadError(
            f"{name} has more layers than the engine can stack",
            hint="build it with a smaller maxLayers: 125 is the most",
            details=error,
        )
    if any(words in lowered for words in _WRONG_LAYER):
        return DamagedError(
            f"{name} is damaged: a layer's bytes are not what the image's config says", details=error
        )
    unpacking = _read_unpacking(error)
    if unpacking is not None:
        from nixdock.engine.loading.unpacking import explain_unpacking  # noqa: PLC0415  # as in _read_unpacking

        return explain_unpacking(unpacking, name, blobs, error)
    if is_loss(error):
        return LoadError(
            f"the engine lost a part of {name} while it was loaded",
            hint="somebody may be removing images at the same time: try again",
            details=error,
        )
    return LoadError(f"the engine did not take {name}: {error}")


def _read_unpacking(error: str) -> UnpackingFailure | None:
    from nixdock.engine.loading.unpacking import read_unpacking  # noqa: PLC0415  # where something is refused

    return read_unpacking(error)
