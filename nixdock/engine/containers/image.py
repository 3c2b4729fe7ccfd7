"""An image that an engine has, the name that surely means it, and a command that is run in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from nixdock.engine.connection.refusals import EngineRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.errors import EngineError


class HostStore:
    """This machine's store paths, which are mounted in place of an image's own.

    Args:
        paths: The store paths.
        load: Loads the whole image: for an engine that does not see them.
        hold: Keeps them from Nix's garbage collector as long as the container with this ID exists.
        source: What the whole image is loaded from.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        load: Callable[[], EngineImage],
        hold: Callable[[str], None],
        source: Path,
    ) -> None:
        self.paths = paths
        self.hold = hold
        self.source = source
        self.whole: EngineImage | None = None
        self._load = load
        self._lock = Lock()

    def fall_back(self) -> EngineImage:
        """Have the whole image, once: the engine does not see the store paths.

        Raises:
            LoadError: It cannot be loaded.
            EngineError: The engine cannot be asked.
        """
        with self._lock:
            if self.whole is None:
                self.whole = self._load()
            return self.whole


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image that an engine has.

    Args:
        engine: The engine.
        name: What the user calls it: its reference, or its ID where it has none.
        run_as: The name or ID that surely means this image to the engine.
        details: The image, as the engine describes it.
        host_store: The store paths that its containers have mounted, for it has none; None of a whole one.
    """

    engine: Engine
    name: str
    run_as: str
    details: ImageDetails
    host_store: HostStore | None = field(default=None, kw_only=True)

    @property
    def short_name(self) -> str:
        """The last part of its name, without registry and tag; `service` where it has none."""
        name = "" if self.name == self.details.id else self.name
        return name.rpartition("/")[2].partition("@")[0].partition(":")[0] or "service"

    def by_hand(self, command: str) -> str:
        """Return a docker command that names the image, as a user types it: the whole image must be there."""
        if self.host_store is None:
            return command
        return f"nixdock load {shlex.quote(str(self.host_store.source))} >/dev/null && {command}"


def find_loaded(engine: Engine, name: str, details: ImageDetails) -> EngineImage:
    """Return an image by the name that people know, or by its ID where the name means another by now.

    Args:
        engine: The engine.
        name: What people call it.
        details: The image, as the engine described it last; it is asked again where that lacks the name.
    """
    if name in (details.id, *details.tags):
        return EngineImage(engine, name, name, details)
    for run_as in (name, details.id):
        found = engine.find_image(run_as)
        if found is not None and found.id == details.id:
            return EngineImage(engine, name, run_as, found)
    raise explain_missing_image(name)


def explain_missing_image(image: str) -> EngineError:
    """Say that the engine has no such image; it is never pulled behind the user's back."""
    return EngineRefusedError(
        f"the engine has no image {image}; nixdock does not pull", status=404, hint=f"docker pull {image}"
    )


@dataclass(frozen=True, slots=True)
class ImageCommand:
    """What is run in a container of an image.

    Args:
        image: The image.
        words: Entry point and command.
    """

    image: EngineImage
    words: tuple[str, ...]

    @classmethod
    def of(cls, image: EngineImage, body: Mapping[str, object]) -> ImageCommand:
        """Return what a container runs that is made by this request: its own words, or the image's."""
        config = image.details.config
        entry, command = body.get("Entrypoint"), body.get("Cmd")
        if not command and entry is None:
            # An entry point of one's own sets the image's command aside, as docker does.
            command = config.get("Cmd")
        words = [*_words(config.get("Entrypoint") if entry is None else entry), *_words(command)]
        return cls(image, tuple(word for word in words if word))

    @property
    def program(self) -> str:
        """The first of the words."""
        return self.words[0] if self.words else ""

    @property
    def image_name(self) -> str:
        """What the user calls the image."""
        return self.image.name

    @property
    def machine(self) -> str:
        """The architecture of the engine's machine."""
        return self.image.engine.version.architecture

    @property
    def is_foreign(self) -> bool:
        """Whether the image is for another architecture than the engine's machine."""
        theirs = self.image.details.architecture
        return bool(self.machine and theirs) and self.machine != theirs


def _words(value: object) -> Sequence[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []
