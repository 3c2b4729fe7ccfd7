"""The names of an image that has just been loaded, and what they stood for before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.events import Notice, Warned
from nixdock.image.platform import Platform
from nixdock.image.reference import DEFAULT_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.image.reference import Reference


@dataclass(frozen=True, slots=True)
class Renaming:
    """Gives an image its names.

    Args:
        engine: The engine.
        own_ids: The IDs by which the engine may know the image.
        before: What each name stood for before the loading.
        listener: Told of each image that has lost a name.
    """

    engine: Engine
    own_ids: frozenset[str]
    before: Mapping[Reference, ImageDetails | None]
    listener: Listener

    def give_names(
        self, image: ImageDetails, references: Iterable[Reference], *, sent_as: Reference | None
    ) -> tuple[tuple[Reference, str], ...]:
        """Make sure that an image has these names.

        Args:
            image: As the engine has it now.
            references: The names.
            sent_as: The name that it was sent with; None where it was not sent.

        Returns:
            The names that stood for another image, with the engine's ID of that.

        Raises:
            EngineError: The engine does not give them.
        """
        replaced = []
        for reference in references:
            before = self.before.get(reference)
            has_it = before is not None and before.id == image.id and sent_as is None
            if not has_it and not (reference == sent_as and _is_named(image, reference)):
                self.engine.tag_image(image.id, reference.repository, reference.tag or DEFAULT_TAG)
            if before is not None and before.id not in {*self.own_ids, image.id}:
                replaced.append((reference, before.id))
                self.listener(
                    Notice(
                        f"{reference.familiar} was another image ({_short(before.id)}), which has lost "
                        f"this name; it is {_short(image.id)} now"
                    )
                )
        return tuple(replaced)


def warn_of_platform(engine: Engine, image: Image, name: str, listener: Listener) -> None:
    """Say so when an image is made for another machine than the engine's.

    Args:
        engine: The engine.
        image: The image.
        name: What messages call it.
        listener: Told.
    """
    runs = Platform(engine.version.os, engine.version.architecture)
    made_for = Platform("linux", image.architecture)
    if made_for.architecture and runs.architecture and not made_for.runs_on(runs):
        listener(
            Warned(
                f"{name} is made for {made_for}, but the engine runs {runs}: "
                "its programs will not start there without emulation"
            )
        )


def _is_named(image: ImageDetails, reference: Reference) -> bool:
    """Whether an image has a name, as far as the engine's own answer about it tells."""
    return bool({str(reference), reference.familiar} & set(image.tags))


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:12]
