"""`--host-store`: an image in an engine without its store paths, which its containers have mounted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.engine.containers.image import EngineImage, HostStore, find_loaded
from nixdock.engine.containers.mounts import roots_of, sees_our_files
from nixdock.engine.loading.load import load_image
from nixdock.events import Notice
from nixdock.formats.host_store import strip_store
from nixdock.formats.store_view import StoreKeptError
from nixdock.nix.artefact import ArtefactForm
from nixdock.nix.builder import hold_valid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.events import Listener
    from nixdock.formats.host_store import StorelessImage
    from nixdock.image.model import Image
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.command import NixOptions


UNSEEN: Final = "the engine does not see this machine's store paths"


@dataclass(frozen=True, slots=True)
class StoreMounting:
    """How images are had in an engine without their store paths.

    Args:
        nix: What the user said about the build.
        roots: The directory that keeps store paths from the garbage collector while nixdock runs.
        listener: Whom to tell what happens.
    """

    nix: NixOptions
    roots: Path
    listener: Listener

    def place(
        self, engine: Engine, image: Image, name: str, artefact: Artefact, load: Callable[[], EngineImage]
    ) -> EngineImage:
        """Have an image in an engine without its store paths; the whole one where that cannot be.

        Args:
            engine: Where it is to run.
            image: The image.
            name: What the user calls it.
            artefact: What it was read from.
            load: Loads the whole image.

        Raises:
            LoadError: The image cannot be read or loaded.
            EngineError: The engine cannot be asked.
        """
        if not engine.address.is_local:
            return self._load(name, f"{engine.address.url} is no engine of this machine", load)
        try:
            storeless, held = self.strip(image, artefact)
        except StoreKeptError as error:
            return self._load(name, error.message, load)
        place = self.load(engine, image, storeless)
        unseen = partial(self._load, name, UNSEEN, load)
        if not engine.traits.refuses_missing_mounts and not sees_our_files(engine, place.details):
            return unseen()
        store = HostStore(storeless.paths, unseen, partial(self._hold, engine, held), artefact.path)
        return replace(place, name=name, host_store=store)

    def strip(self, image: Image, artefact: Artefact) -> tuple[StorelessImage, list[str]]:
        """Take those store paths out of an image that this machine has, which are held from then on.

        Args:
            image: The image.
            artefact: What it was read from.

        Returns:
            What is left of it, and those store paths that keep all of its own where they are kept.

        Raises:
            StoreKeptError: None of them can be mounted.
            LoadError: The image cannot be read.
            NixdockError: Nix does not hold them.
        """
        # What is left of an archive is read from it, too.
        artefact.hold()
        storeless = strip_store(image)
        if artefact.form is ArtefactForm.SCRIPT and artefact.store_path is not None:
            # Which refers to all of them.
            return storeless, [str(artefact.store_path)]
        held = list(storeless.paths)
        hold_valid(held, self.roots / f"store-of-{storeless.image.config_digest.hex[:12]}", self.nix)
        return storeless, held

    def load(self, engine: Engine, image: Image, storeless: StorelessImage) -> EngineImage:
        """Load what is left of an image, by a name that follows from its own.

        Raises:
            LoadError: It cannot be loaded.
            EngineError: The engine cannot be asked.
        """
        names = tuple(one.storeless for one in image.references if one.storeless is not None)
        loaded = load_image(engine, storeless.image.renamed(names), listener=self.listener)
        return find_loaded(engine, loaded.name, loaded.details)

    def _load(self, name: str, why: str, load: Callable[[], EngineImage]) -> EngineImage:
        self.listener(Notice(f"{name} is loaded whole: {why}"))
        return load()

    def _hold(self, engine: Engine, paths: list[str], container: str) -> None:
        """Keep store paths from the garbage collector until a container is gone.

        Raises:
            OSError: The directory for it cannot be made.
            NixdockError: Nix refuses.
        """
        directory = roots_of(engine, container)
        settings.make_private(directory)
        hold_valid(paths, directory / "root", self.nix)
