"""The expectations of one image, as values: a suite, how to start its service, and its checks.

Every way of writing them (a Nix expression, a check file, the command line, a file for
container-structure-test) is read into this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixdock.checks.expectations import RunExpectation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nixdock.checks.matchers.algebra import Matcher
    from nixdock.checks.matchers.number import Between, Number
    from nixdock.checks.modes import ModeMatcher
    from nixdock.outcome import Output

DEFAULT_WITHIN = 30.0
"""Seconds that a service has to become ready, unless the suite says otherwise."""

DEFAULT_INTERVAL = 0.2
"""Seconds between two tries of what is waited for."""

DEFAULT_TIMEOUT = 30.0
"""Seconds that one command or request may take, unless the check says otherwise."""


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """How a container is made.

    Args:
        options: docker's own options and their values, in order: `("env", "TZ=UTC")`; a switch has
            the value `true`.
        command: What follows the image, or None for the image's own.
        hardened: Whether it gets as few rights as it runs with.
        raw: Members of the Engine API's request, for what docker has no option for.
    """

    options: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] | None = None
    hardened: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)

    def over(self, other: ContainerSettings) -> ContainerSettings:
        """Return these settings on top of others: what is said here comes later and wins."""
        return ContainerSettings(
            options=other.options + self.options,
            command=self.command if self.command is not None else other.command,
            hardened=self.hardened or other.hardened,
            raw={**other.raw, **self.raw},
        )


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it is given, and what is expected of it.

    Args:
        argv: The words; for a shell check the one script.
        shell: Whether the words are a script for `/bin/sh` in the container.
        env: Further environment variables.
        user: Whom it runs as; the container's user when None.
        workdir: Where it runs; the container's folder when None.
        stdin: What it reads; nothing when None.
        expected: How it must end and what it must write.
    """

    argv: tuple[str, ...]
    shell: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    workdir: str | None = None
    stdin: bytes | None = None
    expected: RunExpectation = field(default_factory=RunExpectation)

    @property
    def words(self) -> tuple[str, ...]:
        """The argv that is run."""
        return ("/bin/sh", "-c", *self.argv) if self.shell else self.argv


@dataclass(frozen=True, slots=True)
class RunCheck:
    """A container of its own: arguments as after the image in `docker run`."""

    command: Command
    settings: ContainerSettings = field(default_factory=ContainerSettings)


@dataclass(frozen=True, slots=True)
class ExecCheck:
    """A command in the running container, or in an idle one.

    Args:
        command: What is run.
        setup: Commands before it, each of which must succeed.
        teardown: Commands after it, come what may.
        fresh: Whether it wants an idle container of its own.
    """

    command: Command
    setup: tuple[tuple[str, ...], ...] = ()
    teardown: tuple[tuple[str, ...], ...] = ()
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to a port of the service."""

    path: str = "/"
    port: int = 80
    method: str = "GET"
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A request, and what is expected of its answer."""

    request: Request
    status: Matcher[Number] | None = None
    headers: Mapping[str, Matcher[object]] = field(default_factory=dict)
    body: Matcher[Output] | None = None


@dataclass(frozen=True, slots=True)
class LogsCheck:
    """What the service has written, both streams together."""

    matcher: Matcher[Output]


@dataclass(frozen=True, slots=True)
class StopCheck:
    """The service must end by itself within `grace` seconds of being asked to."""

    grace: float
    exit: Matcher[Number] | None = None


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A path in the image; with `*`, `?` or `[...]` every path that matches.

    Args:
        path: Absolute.
        exists: Whether there must be such a path at all.
        follow: Whether a symbolic link at the end of the path is followed, within the image.
        type: `file`, `directory`, `symlink`, `fifo`, `character`, `block`.
        mode: Permission bits.
        uid: Of its owner.
        gid: Of its group.
        user: The owner's name by the image's own /etc/passwd.
        group: The group's name by the image's own /etc/group.
        size: Bytes.
        target: What a symbolic link says.
        sha256: Of its content.
        content: Its content.
        entries: The names in a directory.
    """

    path: str
    exists: bool = True
    follow: bool | None = None
    type: str | None = None
    mode: ModeMatcher | None = None
    uid: Matcher[Number] | None = None
    gid: Matcher[Number] | None = None
    user: str | None = None
    group: str | None = None
    size: Matcher[Number] | None = None
    target: Matcher[Output] | None = None
    sha256: str | None = None
    content: Matcher[Output] | None = None
    entries: Matcher[object] | None = None


@dataclass(frozen=True, slots=True)
class UserCheck:
    """A user in the image's /etc/passwd."""

    name: str
    exists: bool = True
    uid: Matcher[Number] | None = None
    gid: Matcher[Number] | None = None
    group: str | None = None
    groups: Matcher[object] | None = None
    home: Matcher[Output] | None = None
    shell: Matcher[Output] | None = None


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """A group in the image's /etc/group."""

    name: str
    exists: bool = True
    gid: Matcher[Number] | None = None
    members: Matcher[object] | None = None


@dataclass(frozen=True, slots=True)
class ConfigField:
    """A field of the image's config: the way to it, and what it must be."""

    name: str
    path: tuple[str | int, ...]
    matcher: Matcher[object]


@dataclass(frozen=True, slots=True)
class ConfigCheck:
    """Fields of the image's config."""

    fields: tuple[ConfigField, ...]


@dataclass(frozen=True, slots=True)
class SizeCheck:
    """Budgets.

    Args:
        total: Bytes of all files of all layers.
        layer: Bytes of each layer.
        layers: The number of layers.
        paths: For store paths whose name matches a pattern, bytes of each.
    """

    total: Between | None = None
    layer: Between | None = None
    layers: Between | None = None
    paths: Mapping[str, Between] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Licences:
    """What licences the store paths of an image may have.

    Args:
        of: What is known: a pattern of store path names to its SPDX identifiers.
        allow: Patterns of licences that are allowed; any when empty.
        forbid: Patterns of licences that are not.
        unknown: Whether a path whose licence is not known is allowed.
    """

    of: Mapping[str, tuple[str, ...]]
    allow: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    unknown: bool = True


@dataclass(frozen=True, slots=True)
class ClosureCheck:
    """What may be among the store paths of an image.

    Args:
        forbid: Patterns of names that may not be.
        allow: Patterns of names; when given, nothing else may be.
        licences: What licences they may have.
        complete: Whether every store path that is referred to must be in the image.
        count: The number of store paths.
    """

    forbid: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    licences: Licences | None = None
    complete: bool = False
    count: Between | None = None


@dataclass(frozen=True, slots=True)
class LintCheck:
    """The faults that images without a distribution typically have.

    Args:
        only: The rules to apply; all when empty.
        skip: Rules to leave out.
        strict: Whether advice fails the check too, not faults alone.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """What starting and running the service may cost.

    Args:
        start: Seconds from the start to readiness.
        first_log: Seconds from the start to its first output.
        memory: Bytes of memory at most used.
        runs: How many starts are measured; their median counts.
    """

    start: Between | None = None
    first_log: Between | None = None
    memory: Between | None = None
    runs: int = 1


@dataclass(frozen=True, slots=True)
class WritesCheck:
    """What the running container may have written into its own layer.

    Args:
        allow: Patterns of paths.
    """

    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """What the image is, compared with what was recorded.

    Args:
        of: `config`, or the list of all `files`.
        file: The recording.
        update: Whether it is to be recorded anew.
    """

    of: str
    file: Path
    update: bool = False


Kind = (
    RunCheck
    | ExecCheck
    | HttpCheck
    | LogsCheck
    | StopCheck
    | FileCheck
    | UserCheck
    | GroupCheck
    | ConfigCheck
    | SizeCheck
    | ClosureCheck
    | LintCheck
    | BudgetCheck
    | WritesCheck
    | SnapshotCheck
)

STATIC = (
    FileCheck,
    UserCheck,
    GroupCheck,
    ConfigCheck,
    SizeCheck,
    ClosureCheck,
    LintCheck,
    SnapshotCheck,
)
"""The kinds that are answered from the image's own bytes, without an engine."""

ASKING = (HttpCheck, LogsCheck, StopCheck, BudgetCheck)
"""The kinds that need a running service."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation.

    Args:
        name: Its name, of which a suite has no second.
        kind: The kind's name as written.
        what: What is checked.
        timeout: Seconds that one try may take.
        within: Seconds within which it must hold; one try when None.
        interval: Seconds between two tries.
        tags: Words to choose checks by.
        skip: Why it is not run, or None.
        xfail: Why it is expected to fail, or None.
        place: Where it is written.
    """

    name: str
    kind: str
    what: Kind
    timeout: float = DEFAULT_TIMEOUT
    within: float | None = None
    interval: float = DEFAULT_INTERVAL
    tags: tuple[str, ...] = ()
    skip: str | None = None
    xfail: str | None = None
    place: str | None = None

    @property
    def is_static(self) -> bool:
        """Whether it needs no engine."""
        return isinstance(self.what, STATIC)


@dataclass(frozen=True, slots=True)
class Ready:
    """When a service counts as ready: every probe that is given must hold.

    Args:
        tcp: A port that accepts connections.
        http: A request that is answered as expected.
        log: What its output must be like.
        exec: A command that must succeed in it.
        healthcheck: Whether its own HEALTHCHECK must say healthy.
        within: Seconds it has.
        interval: Seconds between two tries.
    """

    tcp: int | None = None
    http: HttpCheck | None = None
    log: Matcher[Output] | None = None
    exec: Command | None = None
    healthcheck: bool = False
    within: float = DEFAULT_WITHIN
    interval: float = DEFAULT_INTERVAL


@dataclass(frozen=True, slots=True)
class Suite:
    """All that is expected of one image.

    Args:
        source: Where it is written.
        checks: In their order.
        run: Settings of every container that is made for it.
        service: How its service is started, or None where it has none.
        ready: When the service is ready; None: by its HEALTHCHECK if it has one, else once it runs.
        tools: Store paths lent to `exec` checks.
        folder: What relative file names in it are relative to.
    """

    source: str
    checks: tuple[Check, ...] = ()
    run: ContainerSettings = field(default_factory=ContainerSettings)
    service: ContainerSettings | None = None
    ready: Ready | None = None
    tools: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def has_service(self) -> bool:
        """Whether the image is started as a service: it says so, or a check asks one."""
        return (
            self.service is not None
            or self.ready is not None
            or any(isinstance(check.what, ASKING) for check in self.checks)
        )

    def asks_service(self, check: Check) -> bool:
        """Whether a check asks the service, rather than an idle container or one of its own."""
        if isinstance(check.what, ExecCheck):
            return self.has_service and not check.what.fresh
        return isinstance(check.what, ASKING) or (isinstance(check.what, WritesCheck) and self.has_service)
