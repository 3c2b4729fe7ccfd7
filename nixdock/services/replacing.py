"""A new container in the place of the one with a service's name, which is kept until the new one is proven.

The new one is created under another name first, so that what cannot be created leaves the old one alone. Then
the old one is asked to end, for both may have the same ports, addresses and names, both are renamed, and the
new one is started. The old one is removed once the new one is ready and all that is expected of it holds.
Otherwise the new one goes, and the old one is started again under its name. Where nixdock itself is ended
amid that, the next run does it: see `nixdock.engine.containers.unfinished`.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.container import SignalCaught
from nixdock.engine.containers.owner import find_ourselves, is_owned_by
from nixdock.engine.containers.stopping import stop
from nixdock.engine.containers.terminal import FORWARDED
from nixdock.engine.containers.unfinished import label_place, name_aside, put_back
from nixdock.errors import EngineError
from nixdock.events import Notice, Warned
from nixdock.services.identity import is_attended, remove

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerSummary
    from nixdock.engine.containers.container import Container
    from nixdock.events import Listener
    from nixdock.services.identity import StandingService, WantedService


class Replacement:
    """The way of a new container to the place of an old one, and back.

    Args:
        engine: Where both are.
        service: What is to run.
        found: What has its name by now; None where nothing has, and there is nothing to replace.
        listener: Whom to tell.
        grace: Seconds that the old one has to end; its own stop timeout when None.
    """

    def __init__(
        self,
        engine: Engine,
        service: WantedService,
        found: StandingService | None,
        listener: Listener,
        *,
        grace: int | None = None,
    ) -> None:
        self._engine = engine
        self._service = service
        self._found = found
        self._listener = listener
        self._grace = grace
        self._token = secrets.token_hex(3)
        self._interrupted: int | None = None
        self._touched = False
        self._lost: str | None = None
        if found is not None:
            why = found.difference or "it runs detached, and is to be attended here"
            listener(Notice(f"replacing {service.name}: {why}"))

    @property
    def name(self) -> str:
        """What the new container is called when it is created."""
        return self._service.name if self._found is None else self._other_name("new")

    @property
    def labels(self) -> dict[str, str]:
        """The new container's labels."""
        if self._found is None:
            return self._service.labels
        return {**self._service.labels, **label_place(self._service.name, self._found.container.id)}

    def take_place(self, new: Container) -> int | None:
        """Have the old container stopped, and the new one, not yet started, in its place.

        Returns:
            The signal for which that was given up, if one came meanwhile.

        Raises:
            EngineError: The engine refused.
        """
        if self._found is None:
            return None
        self._look(new)
        if self._interrupted is None:
            self._touched = True
            self._stop_old(self._found.container.id, new)
        if self._interrupted is not None:
            return self._interrupted
        if self._lost is None:
            self._engine.rename_container(self._found.container.id, self._other_name("old"))
        self._engine.rename_container(new.id, self._service.name)
        return None

    def finish(self) -> None:
        """Remove the old container: the new one is proven."""
        found, self._found = self._found, None
        if found is None or self._lost is not None:
            return
        old = found.container.id
        try:
            remove(self._engine, old)
        except EngineError as error:
            name = self._other_name("old")
            with suppress(EngineError):
                # So that nobody takes this for a replacement that was cut short.
                self._engine.rename_container(old, self._other_name("replaced"))
                name = self._other_name("replaced")
            self._listener(Warned(f"the container before, {name}, is not removed: {error.message}"))

    def give_up(self, new: Container, *, kept: bool) -> None:
        """Make room for the old container while the new one is there; called before the end of its life.

        Args:
            new: The new container.
            kept: Whether it is left for a look: under another name then, and without its ports.
        """
        if self._found is None or not self._touched or not (kept and new.started):
            return
        with suppress(EngineError), self._engine.patience.cleaning():
            new.kill()
            self._engine.rename_container(new.id, self._other_name("failed"))

    def close(self) -> None:
        """Have the old container run again, unless the new one was proven, which is gone otherwise."""
        found, self._found = self._found, None
        if found is None:
            return
        name = self._service.name
        if not self._touched:
            if found.container.is_running:
                self._listener(Notice(f"{name}: the one before runs on"))
            return
        if self._lost is not None:
            if found.container.is_running:
                self._listener(Notice(f"{name}: the one before cannot be started again: it {self._lost}"))
            return
        with self._engine.patience.cleaning():
            try:
                there = put_back(self._engine, found.container.id, name)
            except EngineError as error:
                self._listener(Warned(f"{name}: the one before could not be started again: {error.message}"))
                return
        what = "runs again" if there else "cannot be started again: somebody has removed it"
        self._listener(Notice(f"{name}: the one before {what}"))

    def _stop_old(self, old: str, new: Container) -> None:
        """Stop the old container, and find out whether it can be had back."""
        details = self._engine.find_container(old)
        if details is None:
            self._lost = "was removed meanwhile"
            return
        host = details.raw.get("HostConfig") or {}
        if not details.is_running:
            self._lost = "had ended"
        elif host.get("AutoRemove") is True:
            self._lost = "was to be removed at its end (--rm)"
        elif self._found is not None and _is_attended_elsewhere(self._found.container):
            self._lost = "belonged to a nixdock in another terminal, which removed it"
        # Its time is not the new one's.
        with self._engine.patience.apart():
            try:
                stop(
                    self._engine,
                    details,
                    self._listener,
                    grace=self._grace,
                    name=self._service.name,
                    look=lambda: self._look(new),
                )
            except EngineRefusedError as error:
                # Podman stops none that is paused.
                if error.status != 404 and details.status != "paused":
                    raise
                self._lost = self._lost or ("was removed meanwhile" if error.status == 404 else "was paused")
        self._engine.patience.renew()
        if self._lost is not None:
            remove(self._engine, old)

    def _look(self, new: Container) -> None:
        """See to the signals that came for us."""
        while (happening := new.next(0)) is not None:
            if not isinstance(happening, SignalCaught):
                continue
            if happening.number in FORWARDED:
                continue
            if self._interrupted is None:
                self._interrupted = happening.number
                if self._touched:
                    name = self._service.name
                    self._listener(
                        Notice(f"{name}: the one before is started again once it has ended; Ctrl-C kills it")
                    )
            elif self._found is not None:
                self._engine.kill_container(self._found.container.id)

    def _other_name(self, what: str) -> str:
        return name_aside(self._service.name, what, self._token)


def _is_attended_elsewhere(container: ContainerSummary) -> bool:
    """Whether another process is there for it: this one knows that it is replaced."""
    return is_attended(container) and not is_owned_by(find_ourselves(), container.labels)
