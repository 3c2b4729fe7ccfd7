"""What a target itself says must hold, as `up` takes it: its container, its readiness, its checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nixdock.checks.kinds.run import RunCheck
from nixdock.checks.model import ContainerSettings
from nixdock.checks.running.bench import lend_tools
from nixdock.checks.running.live import LiveService
from nixdock.checks.running.reproduce import docker_run_service
from nixdock.checks.running.runner import SuiteRun
from nixdock.checks.running.service import needed_ports, readiness_of
from nixdock.events import Notice
from nixdock.services.identity import read_logs
from nixdock.usecases.check import DEFAULT_SECONDS, CheckOptions, make_bench
from nixdock.usecases.output import tell_verdict

if TYPE_CHECKING:
    from nixdock.checks.model import Suite
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.running.runner import SuiteResult
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.events import Listener
    from nixdock.outcome import Output
    from nixdock.services.readiness import Readiness
    from nixdock.usecases.prepare import TargetImage
    from nixdock.usecases.run import RunOptions

_LEFT_OUT = frozenset({"tty", "interactive"})
"""Whose terminal and input a container has is the command line's to say."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The suite of an image that is brought up.

    Args:
        suite: What is expected.
        image: The image.
        listener: Whom to tell.
    """

    suite: Suite
    image: TargetImage
    listener: Listener

    @property
    def engine(self) -> Engine:
        """Where the image is."""
        return self.image.in_engine().engine

    @property
    def _bench(self) -> Bench:
        return make_bench(self.image.in_engine(), CheckOptions(), self.suite, self.listener)

    @property
    def _settings(self) -> ContainerSettings:
        return (self.suite.service or ContainerSettings()).over(self.suite.run)

    @property
    def runs_the_image_itself(self) -> bool:
        """Whether a check says how the image's own command must end."""
        return any(isinstance(one.what, RunCheck) and not one.what.command.argv for one in self.suite.checks)

    def below(self, options: RunOptions) -> RunOptions:
        """Return the user's options on top of what the suite says of the container."""
        settings = self._settings
        return replace(
            options,
            options=(*(one for one in settings.options if one[0] not in _LEFT_OUT), *options.options),
            command=options.command or settings.command or (),
        )

    def complete(self, request: CreateRequest) -> CreateRequest:
        """Return a request with what only a suite can say: raw members, hardening, tools, ports.

        Raises:
            CheckError: A port cannot be published, or a tool not be lent.
        """
        tools = lend_tools(self.suite.tools, frozenset(), self.engine.address)
        ports = needed_ports(self.suite)
        completed, notes = self._bench.complete(request, self._settings, ports=ports, own=tools)
        for note in notes:
            self.listener(Notice(note))
        return completed

    def write_start(self, options: RunOptions) -> str:
        """Return the docker command that starts such a service by hand.

        Args:
            options: How it was started.
        """
        settings = ContainerSettings(options.options, options.command or None)
        published = {
            value.rpartition(":")[2].partition("/")[0] for key, value in options.options if key == "publish"
        }
        ports = tuple(port for port in needed_ports(self.suite) if str(port) not in published)
        place = self.image.in_engine()
        command = docker_run_service(place.name, settings, ports, local=self.engine.address.is_local)
        return place.by_hand(command)

    def live(
        self, container: str, name: str, ready_after: float | None = None, again: str | None = None
    ) -> LiveService:
        """Return a running service as checks see it.

        Args:
            container: Its ID.
            name: What the user calls it.
            ready_after: Seconds from its start until it was ready.
            again: A command that starts one like it, should it be gone when a verdict on it is read.
        """

        def read() -> Output:
            details = self.engine.find_container(container)
            return b"" if details is None else b"".join(read_logs(self.engine, details))

        return LiveService(self.engine, container, name, read, ready_seconds=ready_after, again=again)

    def readiness(self, container: str, name: str) -> Readiness | None:
        """Return what tells when a started service is ready; None where the suite does not say it."""
        ready = self.suite.ready
        return None if ready is None else readiness_of(ready, self.live(container, name))

    def judge(self, live: LiveService | None = None, *, seconds: float | None = None) -> SuiteResult:
        """Run the checks.

        Args:
            live: The service; the checks that ask one ask this.
            seconds: How long all of them may take, if that is less than a minute.
        """
        bench = self._bench
        return SuiteRun(
            self.suite,
            bench.name,
            self.image.subject,
            bench,
            seconds=DEFAULT_SECONDS if seconds is None else min(seconds, DEFAULT_SECONDS),
            tell=lambda verdict: tell_verdict(verdict, self.listener),
            live=live,
        ).run()
