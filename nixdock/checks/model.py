"""The expectations of one image, as values: a suite, how to start its service, and its checks.

Every way of writing them (a Nix expression, a check file, the command line, a file for
container-structure-test) is read into this. The kinds of checks have their own files in `kinds`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nixdock.checks.expectations import RunExpectation
from nixdock.checks.format.matcher_shapes import NUMBER, TEXT
from nixdock.checks.format.records import Field, Record, fields_of, key
from nixdock.checks.format.shapes import (
    DURATION,
    PORT,
    VARIABLES,
    Converted,
    Flag,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    Text,
    WordsShape,
)
from nixdock.checks.verdict import Finding
from nixdock.errors import CheckError, CommandNotExecutableError, CommandNotFoundError
from nixdock.outcome import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.checks.subject import Subject
    from nixdock.checks.verdict import CheckResult, Verdict
    from nixdock.errors import NixdockError
    from nixdock.outcome import Output

COMMAND_FAILURES = (CommandNotFoundError, CommandNotExecutableError)
"""What says something about the image, where other errors of an engine do not."""

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


def _read_header(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError("a header's value is one line")
    return text


WORDS = WordsShape()
INPUT = Converted(Text(), lambda text: text.encode(errors="surrogatepass"))
"""What is sent: a text's bytes."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it is given, and what is expected of it.

    Args:
        argv: The words; for a shell check the one script.
        shell: Whether the words are a script for `/bin/sh` in the container.
        env: Further environment variables.
        user: Whom it runs as; the container's user when None.
        workdir: Where it runs; the container's directory when None.
        stdin: What it reads; nothing when None.
        expected: How it must end and what it must write.
    """

    argv: tuple[str, ...]
    shell: bool = key(Flag(), "Run the words as a script by the image's own /bin/sh.", default=False)
    env: Mapping[str, str] = key(VARIABLES, "Further environment variables.", {})
    user: str | None = key(Text(), "Whom it runs as.")
    workdir: str | None = key(Text(), "The directory it runs in.")
    stdin: bytes | None = key(INPUT, "What it reads; nothing unless told.")
    expected: RunExpectation = field(default_factory=RunExpectation)

    def __post_init__(self) -> None:
        if self.shell and len(self.argv) != 1:
            raise ValueError("with 'shell' there is one script, not several words")

    @property
    def words(self) -> tuple[str, ...]:
        """The argv that is run."""
        return ("/bin/sh", "-c", *self.argv) if self.shell else self.argv

    @classmethod
    def keys(cls) -> tuple[Field, ...]:
        """Return the keys that stand beside the words of a command."""
        return (*fields_of(RunExpectation), *fields_of(cls))

    def failed(self, error: NixdockError) -> RunOutcome | Finding:
        """Return what it means for a check that the command could not be executed.

        With an expected exit status of 126 or 127 it is the outcome that a shell would report.

        Args:
            error: One of `COMMAND_FAILURES`.

        Raises:
            CheckError: It is a program in the Nix store that nobody put into the container.
        """
        finding = Finding("command", error.message, error.hint)
        if self.expected.starts:
            return finding
        program = self.words[0] if self.words else ""
        if isinstance(error, CommandNotFoundError) and program.startswith("/nix/store/"):
            raise CheckError(
                f"{program} is neither in the image nor among the tools",
                hint="lend it: tools = [ ... ]; or name a program of the image",
            ) from error
        if not self.expected.exit.judge(error.exit_code):
            return RunOutcome(error.exit_code, b"", error.message.encode())
        return finding

    @classmethod
    def make(cls, argv: tuple[str, ...], values: Mapping[str, Any]) -> Self:
        """Make one of its words and the values of those keys."""
        expected = {one.name for one in fields_of(RunExpectation)}
        return cls(
            argv,
            expected=RunExpectation(**{name: values[name] for name in values if name in expected}),
            **{name: values[name] for name in values if name not in expected},
        )


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request to a port of the service."""

    path: str = key(Text(), "Of the URL, with the query; / unless told.", "/")
    port: int = key(PORT, "In the container; 80 unless told.", 80)
    method: str = key(OneOf(_METHODS), "GET unless told.", "GET")
    scheme: str = key(OneOf(("http", "https")), "http unless told; no certificate is verified.", "http")
    headers: Mapping[str, str] = key(MapOf(Converted(Text(), _read_header)), "Further headers.", {})
    body: bytes | None = key(INPUT, "What is sent.")

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"the path {self.path!r} must begin with '/'")
        for name in self.headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is not a header's name")


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A request that a service answers once it is ready."""

    request: HttpRequest
    status: Matcher[Number] | None = key(NUMBER, "The response's status; 200 to 399 unless told.")

    @classmethod
    def shape(cls) -> Shape[HttpProbe]:
        """The request's keys but its body, and the status."""
        asked = tuple(one for one in fields_of(HttpRequest) if one.name != "body")
        return Record(cls._make, (*asked, *fields_of(cls)), "http")

    @classmethod
    def _make(cls, status: Matcher[Number] | None = None, **values: Any) -> Self:  # noqa: ANN401 - of HttpRequest
        return cls(HttpRequest(**values), status)


class CheckKind:
    """What a check asks: the base of all kinds, each of which is a dataclass in a file of `kinds`.

    Its fields are declared with their keys. One of them has the kind's own name, and the others stand
    beside it; where none has, the value of the kind's name is a mapping of all of them.
    """

    __slots__ = ()

    kind: ClassVar[str]
    """The key that names it."""

    about: ClassVar[str]
    """What that key's value is, in the README's table and in the schema."""

    needs_service: ClassVar[bool] = False
    """Whether it asks a running service."""

    ends_service: ClassVar[bool] = False
    """Whether the service has ended after it: it comes last."""

    polls: ClassVar[bool] = False
    """Whether it may be tried again until it holds."""

    is_late: ClassVar[bool] = False
    """Whether it looks at what other checks did, and is run after them."""

    @property
    def prefers_service(self) -> bool:
        """Whether it asks the service where there is one, and something else where there is none."""
        return False

    @classmethod
    def record_keys(cls) -> tuple[Field, ...]:
        """Return the kind's own key, and those that may stand beside it."""
        own = fields_of(cls)
        if any(one.name == cls.kind for one in own):
            return tuple(replace(one, help=cls.about) if one.name == cls.kind else one for one in own)
        return (Field(cls.kind, cls.value(), cls.about, attribute="made", required=True),)

    @classmethod
    def value(cls) -> Shape[Any]:
        """Return the shape of the value of the kind's own key, where that is all of the check."""
        own = fields_of(cls)
        return Record(cls, own, cls.kind, nothing=f"one of {', '.join(one.name for one in own)}")

    @classmethod
    def make(cls, **values: Any) -> CheckKind:  # noqa: ANN401 - what the shapes read
        """Make a check's value of the values of its keys, by their attributes.

        Raises:
            ValueError: They do not go together.
        """
        made: CheckKind | None = values.get("made")
        return cls(**values) if made is None else made


class StaticKind(CheckKind, ABC):
    """A kind that is judged by the image's own bytes, without an engine."""

    __slots__ = ()

    absent: ClassVar[str] = "what must not exist"
    """What messages call that whose `exists` is false."""

    @classmethod
    def make(cls, **values: Any) -> CheckKind:  # noqa: ANN401 - what the shapes read
        """Make one as any kind is made.

        Raises:
            ValueError: It must not exist, and have properties all the same.
        """
        if values.get("exists") is False and len(values) > 2:
            raise ValueError(f"{cls.absent} can have no other properties")
        return super().make(**values)

    @abstractmethod
    def judge(self, subject: Subject) -> CheckResult:
        """Look at the image.

        Raises:
            NixdockError: It cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation.

    Args:
        name: Its name, of which a suite has no second.
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
    what: CheckKind
    timeout: float = key(DURATION, "Time that one try may take; 30 s unless told.", DEFAULT_TIMEOUT)
    within: float | None = key(DURATION, "Time within which it must hold; it is tried again until then.")
    interval: float = key(DURATION, "Time between two tries.", DEFAULT_INTERVAL)
    tags: tuple[str, ...] = key(ListOf(Text(), single=True), "Words to choose checks by.", ())
    skip: str | None = key(Text("a reason"), "Why it is not run.")
    xfail: str | None = key(Text("a reason"), "Why it is expected to fail.")
    place: str | None = None

    @property
    def kind(self) -> str:
        """The kind's name, as written."""
        return self.what.kind

    @property
    def is_static(self) -> bool:
        """Whether it needs no engine."""
        return isinstance(self.what, StaticKind)

    @property
    def key(self) -> str:
        """By what its suite knows it."""
        return self.name

    @property
    def is_optional(self) -> bool:
        """Whether names and tags choose it; it is always run otherwise."""
        return True

    def verdict(self, result: CheckResult, suite: str) -> Verdict:
        """Return what came of it as its verdict.

        Args:
            result: What came of it.
            suite: What reports call the image.
        """
        return result.verdict(self.name, self.kind, suite=suite, place=self.place)


@dataclass(frozen=True, slots=True)
class Ready:
    """When a service counts as ready: every probe that is given must hold."""

    tcp: int | None = key(PORT, "A port that accepts connections.")
    http: HttpProbe | None = key(HttpProbe.shape(), "A request that is answered as expected.")
    log: Matcher[Output] | None = key(TEXT, "What its output must be like.")
    exec: Command | None = key(Converted(WORDS, Command), "A command that must succeed in it.")
    healthcheck: bool = key(Flag(), "Its own HEALTHCHECK must say healthy.", default=False)
    within: float = key(DURATION, "Time it has; 30 s unless told.", DEFAULT_WITHIN)
    interval: float = key(DURATION, "Time between two tries; 0.2 s unless told.", DEFAULT_INTERVAL)


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
        directory: What relative file names in it are relative to.
        files: The check files that it was read from.
        isolated: Whether its checks are run one after the other, each with the image's files as they are.
    """

    source: str
    checks: tuple[Check, ...] = ()
    run: ContainerSettings = field(default_factory=ContainerSettings)
    service: ContainerSettings | None = None
    ready: Ready | None = None
    tools: tuple[str, ...] = ()
    directory: Path | None = None
    files: tuple[Path, ...] = ()
    isolated: bool = False

    @property
    def has_service(self) -> bool:
        """Whether the image is started as a service: it says so, or a check asks one."""
        return (
            self.service is not None
            or self.ready is not None
            or any(check.what.needs_service for check in self.checks)
        )

    def asks_service(self, check: Check) -> bool:
        """Whether a check asks the service, rather than an idle container or one of its own."""
        return check.what.needs_service or (self.has_service and check.what.prefers_service)
