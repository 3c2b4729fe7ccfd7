"""The keys of container-structure-test files, schema versions 1.0.0 and 2.0.0, and what each means."""

from __future__ import annotations

from nixdock.checks.structure_test.decoding import (
    Each,
    Flag,
    Key,
    Optional,
    Record,
    Text,
    Whole,
    Word,
)
from nixdock.checks.structure_test.model import (
    UNCHECKED,
    CommandTest,
    FileContentTest,
    FileExistenceTest,
    LicenceTest,
    MetadataTest,
    RunOptions,
    StructureTests,
    Variable,
)

_TEXT = Text()
_TEXTS = Each(_TEXT)
_ARGVS = Each(_TEXTS)


def _variables(what: str) -> Each[Variable]:
    keys = (Key("key", "key", _TEXT), Key("value", "value", _TEXT), Key("isRegex", "is_regex", Flag()))
    return Each(Record(Variable, what, keys))


_ENVIRONMENT = _variables("an environment variable")

_COMMAND_KEYS = (
    Key("name", "name", _TEXT),
    Key("setup", "setup", _ARGVS),
    Key("teardown", "teardown", _ARGVS),
    Key("envVars", "environment", _ENVIRONMENT),
    Key("exitCode", "exit_code", Whole()),
    Key("expectedOutput", "expected_output", _TEXTS),
    Key("excludedOutput", "excluded_output", _TEXTS),
    Key("expectedError", "expected_error", _TEXTS),
    Key("excludedError", "excluded_error", _TEXTS),
)
_COMMAND_1 = Record(CommandTest, "a command test", (*_COMMAND_KEYS, Key("command", "command", _TEXTS)))
_COMMAND_2 = Record(
    CommandTest,
    "a command test",
    (*_COMMAND_KEYS, Key("command", "command", Word()), Key("args", "args", _TEXTS)),
)

_FILE_KEYS = (
    Key("name", "name", _TEXT),
    Key("path", "path", _TEXT),
    Key("shouldExist", "should_exist", Flag()),
    Key("permissions", "permissions", _TEXT),
)


def _file_1() -> FileExistenceTest:
    """Version 1.0.0 never looks at owners."""
    return FileExistenceTest(uid=UNCHECKED, gid=UNCHECKED)


_FILE_1 = Record(_file_1, "a file existence test", _FILE_KEYS, yaml_defaults=(("should_exist", True),))
_FILE_2 = Record(
    FileExistenceTest,
    "a file existence test",
    (
        *_FILE_KEYS,
        Key("uid", "uid", Whole()),
        Key("gid", "gid", Whole()),
        Key("isExecutableBy", "executable_by", _TEXT),
    ),
    yaml_defaults=(("should_exist", True), ("uid", UNCHECKED), ("gid", UNCHECKED)),
)

_CONTENT = Record(
    FileContentTest,
    "a file content test",
    (
        Key("name", "name", _TEXT),
        Key("path", "path", _TEXT),
        Key("expectedContents", "expected", _TEXTS),
        Key("excludedContents", "excluded", _TEXTS),
    ),
)

_LICENCE = Record(
    LicenceTest, "a licence test", (Key("debian", "debian", Flag()), Key("files", "files", _TEXTS))
)

_METADATA = Record(
    MetadataTest,
    "the metadata test",
    (
        Key("envVars", "environment", _ENVIRONMENT),
        Key("unboundEnvVars", "unbound", _ENVIRONMENT),
        Key("labels", "labels", _variables("a label")),
        Key("entrypoint", "entrypoint", Optional(_TEXTS)),
        Key("cmd", "cmd", Optional(_TEXTS)),
        Key("exposedPorts", "exposed_ports", _TEXTS),
        Key("unexposedPorts", "unexposed_ports", _TEXTS),
        Key("volumes", "volumes", _TEXTS),
        Key("unmountedVolumes", "unmounted_volumes", _TEXTS),
        Key("workdir", "workdir", _TEXT),
        Key("user", "user", _TEXT),
    ),
)

_OPTIONS = Record(
    RunOptions,
    "containerRunOptions",
    (
        Key("user", "user", _TEXT),
        Key("privileged", "privileged", Flag()),
        Key("allocateTty", "tty", Flag(), go="TTY"),
        Key("envFile", "env_file", _TEXT),
        Key("envVars", "env_names", _TEXTS),
        Key("capabilities", "capabilities", _TEXTS),
        Key("bindMounts", "bind_mounts", _TEXTS),
    ),
)

_TOP_KEYS = (
    Key("schemaVersion", "version", _TEXT),
    Key("globalEnvVars", "environment", _ENVIRONMENT),
    Key("fileContentTests", "contents", Each(_CONTENT)),
    Key("licenseTests", "licences", Each(_LICENCE)),
)

VERSION = Record(StructureTests, "the file", (Key("schemaVersion", "version", _TEXT),))
"""Just the version, by which the rest is chosen."""

FILES = {
    "1.0.0": Record(
        StructureTests,
        "a file of version 1.0.0",
        (
            *_TOP_KEYS,
            Key("commandTests", "commands", Each(_COMMAND_1)),
            Key("fileExistenceTests", "files", Each(_FILE_1)),
        ),
    ),
    "2.0.0": Record(
        StructureTests,
        "a file of version 2.0.0",
        (
            *_TOP_KEYS,
            Key("commandTests", "commands", Each(_COMMAND_2)),
            Key("fileExistenceTests", "files", Each(_FILE_2)),
            Key("metadataTest", "metadata", _METADATA),
            Key("containerRunOptions", "options", _OPTIONS),
        ),
    ),
}
"""What a file may say, by its schema version."""
