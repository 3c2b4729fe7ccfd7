"""What a container-structure-test file says, as values: both schema versions, YAML and JSON alike."""

from __future__ import annotations

from dataclasses import dataclass, field

VERSIONS = ("1.0.0", "2.0.0")
"""The schema versions that there are."""

UNCHECKED = -1
"""The uid or gid of a file existence test that asks for none."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, or a label.

    Args:
        key: Its name.
        value: Its value, or an expression that its value must match.
        is_regex: Whether the value is an expression; only metadata tests heed it.
    """

    key: str = ""
    value: str = ""
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class CommandTest:
    """A command and what it must answer.

    Args:
        name: The test's name.
        command: The program; in version 1.0.0 with its arguments. Empty where it is missing.
        args: Its arguments in version 2.0.0.
        setup: Commands run before it, each in a container of its own, on the files of the one before.
        teardown: Commands that the real program's docker driver never runs.
        environment: Further variables.
        exit_code: How it must end.
        expected_output: Expressions that its standard output must match.
        excluded_output: Expressions that it must not match.
        expected_error: Expressions that its standard error must match.
        excluded_error: Expressions that it must not match.
        place: Where the test is written.
    """

    name: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()
    teardown: tuple[tuple[str, ...], ...] = ()
    environment: tuple[Variable, ...] = ()
    exit_code: int = 0
    expected_output: tuple[str, ...] = ()
    excluded_output: tuple[str, ...] = ()
    expected_error: tuple[str, ...] = ()
    excluded_error: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)

    @property
    def argv(self) -> tuple[str, ...]:
        """All words of the command, before `$NAME` is expanded."""
        return self.command + self.args


@dataclass(frozen=True, slots=True)
class FileExistenceTest:
    """A path and what it must be.

    The defaults are those of JSON; in YAML a file must exist and its owner is not looked at.

    Args:
        name: The test's name.
        path: The path.
        should_exist: Whether it must be there at all.
        permissions: Its mode as Go writes it, or "".
        uid: Of its owner, or -1.
        gid: Of its group, or -1.
        executable_by: `owner`, `group`, `other` or `any`, or "".
        place: Where the test is written.
    """

    name: str = ""
    path: str = ""
    should_exist: bool = False
    permissions: str = ""
    uid: int = 0
    gid: int = 0
    executable_by: str = ""
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FileContentTest:
    """A file and expressions that its content must or must not match."""

    name: str = ""
    path: str = ""
    expected: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MetadataTest:
    """What the image's config must say; a list that is None, or a text that is empty, is not looked at."""

    environment: tuple[Variable, ...] = ()
    unbound: tuple[Variable, ...] = ()
    labels: tuple[Variable, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    exposed_ports: tuple[str, ...] = ()
    unexposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    unmounted_volumes: tuple[str, ...] = ()
    workdir: str = ""
    user: str = ""
    place: str | None = field(default=None, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing; it is not run then."""
        return self == MetadataTest()


@dataclass(frozen=True, slots=True)
class LicenceTest:
    """Files whose text must not name a licence that Google does not want.

    Args:
        debian: Whether the copyright file of every package in /usr/share/doc is among them.
        files: Further files.
        place: Where the test is written.
    """

    debian: bool = False
    files: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the containers of a file's tests are made.

    Args:
        user: Whom commands run as; the image's user when "".
        privileged: Whether they get every right.
        tty: Whether they get a terminal.
        env_file: A file of variables in dotenv's format, or "".
        env_names: Variables that are passed on from the caller's environment.
        capabilities: Linux capabilities to add.
        bind_mounts: `SOURCE:TARGET[:ro]`.
    """

    user: str = ""
    privileged: bool = False
    tty: bool = False
    env_file: str = ""
    env_names: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    bind_mounts: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether any of them is given."""
        return self != RunOptions()


@dataclass(frozen=True, slots=True)
class StructureTests:
    """All that one file says.

    Args:
        version: Of the schema: `1.0.0` or `2.0.0`.
        environment: Variables of every command.
        commands: Command tests.
        contents: File content tests.
        files: File existence tests.
        licences: Licence tests.
        metadata: The metadata test; version 1.0.0 has none.
        options: How containers are made; version 1.0.0 has none.
    """

    version: str = ""
    environment: tuple[Variable, ...] = ()
    commands: tuple[CommandTest, ...] = ()
    contents: tuple[FileContentTest, ...] = ()
    files: tuple[FileExistenceTest, ...] = ()
    licences: tuple[LicenceTest, ...] = ()
    metadata: MetadataTest = MetadataTest()
    options: RunOptions = RunOptions()
