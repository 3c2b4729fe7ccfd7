"""An image that an engine has, and the name that surely means it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.engine.containers.failures import explain_missing_image

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image that an engine has.

    Args:
        engine: The engine.
        name: What the user calls it: its reference, or its ID where it has none.
        run_as: The name or ID that surely means this image to the engine.
        details: The image, as the engine describes it.
    """

    engine: Engine
    name: str
    run_as: str
    details: ImageDetails


def find_loaded(engine: Engine, name: str, ident: str) -> EngineImage:
    """Inspect an image by the name that people know, or by its ID where the name means another by now."""
    for run_as in (name, ident):
        details = engine.find_image(run_as)
        if details is not None and details.id == ident:
            return EngineImage(engine, name, run_as, details)
    raise explain_missing_image(name)
