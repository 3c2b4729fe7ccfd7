"""A name that is neither a file's nor that of an image which the engine has: what may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.failures import explain_missing_image
from nixdock.image.reference import Reference
from nixdock.nix.target import find_near

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine
    from nixdock.errors import EngineError
    from nixdock.nix.target import ImageTarget

_MOST: Final = 3
"""How many names a hint proposes."""


def explain_missing(engine: Engine, target: ImageTarget) -> EngineError:
    """Return the error of an image that the engine does not have.

    It is never pulled behind the user's back. What has a like name comes first in the hint: a file
    beside us, then builds of the same image under other tags.

    Args:
        engine: Where it is not.
        target: What the user named.
    """
    # A tag, or `image:` in front, is no part of a file's name.
    files = () if ":" in target.text else find_near(target.text)
    if files:
        return EngineRefusedError(
            f"there is neither a file '{target.text}' nor an image of this name in the engine",
            status=404,
            hint=_ask(files),
        )
    missing = explain_missing_image(target.reference)
    builds = _find_other_tags(engine, target.reference)
    if builds:
        missing.hint = _ask(builds)
    return missing


def _find_other_tags(engine: Engine, reference: str) -> tuple[str, ...]:
    """Return images of the same repository, the newest first where the engine knows it."""
    repository = Reference.parse(reference).repository
    images = sorted(engine.images(), key=lambda image: image.created, reverse=True)
    named = [Reference.parse(tag) for image in images for tag in image.tags]
    return tuple(name.familiar for name in named if name.repository == repository)[:_MOST]


def _ask(names: tuple[str, ...]) -> str:
    return f"did you mean {' or '.join(names)}?"
