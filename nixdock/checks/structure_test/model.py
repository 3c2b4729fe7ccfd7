"""What a container-structure-test file says, as values: both schema versions, YAML and JSON alike.

A field's key in YAML is its name in camel case unless told; JSON goes by the name in Go, in any case.
A value that is not given, or null, is the field's default, which is Go's empty value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

FIRST, SECOND = VERSIONS = ("1.0.0", "2.0.0")
"""The schema versions that there are."""

UNCHECKED = -1
"""The uid or gid of a file existence test that asks for none."""


class Word:
    """In place of a field's own type: one text, whose only word it is; the empty text is none."""


def _key(
    default: object,
    yaml: str = "",
    *,
    go: str = "",
    unless_given: object = None,
    second: bool = False,
    second_type: type | None = None,
) -> Any:  # noqa: ANN401 - as `dataclasses.field`
    """Return a field.

    Args:
        default: Go's empty value.
        yaml: Its key in YAML.
        go: Its name in Go where that is not the key in YAML.
        unless_given: Its value where it has no key; JSON knows no such thing.
        second: Whether it is a key in version 2.0.0 only.
        second_type: What it holds in version 2.0.0, where that is something else.
    """
    metadata = {
        "yaml": yaml,
        "go": go,
        "unless_given": default if unless_given is None else unless_given,
        "second": second,
        "second_type": second_type,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment; only metadata tests heed whether its value is an expression."""

    what: ClassVar = "an environment variable"
    key: str = ""
    value: str = ""
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class Label(Variable):
    """A label, with its value or an expression that it must match."""

    what: ClassVar = "a label"


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

    what: ClassVar = "a command test"
    name: str = ""
    setup: tuple[tuple[str, ...], ...] = ()
    teardown: tuple[tuple[str, ...], ...] = ()
    environment: tuple[Variable, ...] = _key((), "envVars")
    exit_code: int = 0
    expected_output: tuple[str, ...] = ()
    excluded_output: tuple[str, ...] = ()
    expected_error: tuple[str, ...] = ()
    excluded_error: tuple[str, ...] = ()
    command: tuple[str, ...] = _key((), second_type=Word)
    args: tuple[str, ...] = _key((), second=True)
    place: str | None = field(default=None, compare=False)

    @property
    def argv(self) -> tuple[str, ...]:
        """All words of the command, before `$NAME` is expanded."""
        return self.command + self.args


@dataclass(frozen=True, slots=True)
class FileExistenceTest:
    """A path and what it must be.

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

    what: ClassVar = "a file existence test"
    name: str = ""
    path: str = ""
    should_exist: bool = _key(default=False, unless_given=True)
    permissions: str = ""
    uid: int = _key(0, unless_given=UNCHECKED, second=True)
    gid: int = _key(0, unless_given=UNCHECKED, second=True)
    executable_by: str = _key("", "isExecutableBy", second=True)
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FileContentTest:
    """A file and expressions that its content must or must not match."""

    what: ClassVar = "a file content test"
    name: str = ""
    path: str = ""
    expected: tuple[str, ...] = _key((), "expectedContents")
    excluded: tuple[str, ...] = _key((), "excludedContents")
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MetadataTest:
    """What the image's config must say; a list that is None, or a text that is empty, is not looked at."""

    what: ClassVar = "the metadata test"
    environment: tuple[Variable, ...] = _key((), "envVars")
    unbound: tuple[Variable, ...] = _key((), "unboundEnvVars")
    labels: tuple[Label, ...] = ()
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

    what: ClassVar = "a licence test"
    debian: bool = False
    files: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ContainerRunOptions:
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

    what: ClassVar = "containerRunOptions"
    user: str = ""
    privileged: bool = False
    tty: bool = _key(default=False, yaml="allocateTty", go="TTY")
    env_file: str = ""
    env_names: tuple[str, ...] = _key((), "envVars")
    capabilities: tuple[str, ...] = ()
    bind_mounts: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether any of them is given."""
        return self != ContainerRunOptions()


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """Which version a file is of, by which the rest of it is read."""

    what: ClassVar = "the file"
    version: str = _key("", "schemaVersion")


@dataclass(frozen=True, slots=True)
class StructureTests(SchemaVersion):
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

    what: ClassVar = "a file of version {version}"
    environment: tuple[Variable, ...] = _key((), "globalEnvVars")
    contents: tuple[FileContentTest, ...] = _key((), "fileContentTests")
    licences: tuple[LicenceTest, ...] = _key((), "licenseTests")
    commands: tuple[CommandTest, ...] = _key((), "commandTests")
    files: tuple[FileExistenceTest, ...] = _key((), "fileExistenceTests")
    metadata: MetadataTest = _key(MetadataTest(), "metadataTest", second=True)  # noqa: RUF009 - frozen
    options: ContainerRunOptions = _key(  # noqa: RUF009 - frozen
        ContainerRunOptions(), "containerRunOptions", second=True
    )
