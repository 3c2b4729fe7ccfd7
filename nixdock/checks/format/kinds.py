"""The kinds of checks: the key that names each, what its value is, and the keys that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixdock.checks.format.command_shapes import (
    BUDGET,
    EXPECTED,
    GIVEN,
    HTTP_EXPECTED,
    WRITES,
    RequestShape,
    make_exec,
    make_run,
)
from nixdock.checks.format.config_shape import ConfigShape
from nixdock.checks.format.matcher_shapes import NUMBER, TEXT, NumberShape
from nixdock.checks.format.settings_shapes import SettingsShape, WordsShape
from nixdock.checks.format.shapes import DURATION, Choice, Field, Flag, ListOf, Nullable, Parsed, Shape, Text
from nixdock.checks.format.static_shapes import (
    CLOSURE,
    AskingShape,
    EntriesShape,
    LintShape,
    SizeShape,
    SnapshotShape,
    make_file,
    make_group,
    make_user,
    parse_absolute,
    parse_sha256,
)
from nixdock.checks.matchers.number import BYTES
from nixdock.checks.model import ConfigCheck, HttpCheck, Kind, LogsCheck, StopCheck
from nixdock.checks.modes import ModeMatcher

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_TYPES = ("file", "directory", "symlink", "fifo", "character", "block")


@dataclass(frozen=True, slots=True)
class KindShape:
    """A kind of check.

    Args:
        name: The key that names it.
        help: One sentence for the schema.
        value: The shape of that key's value.
        keys: The keys that may stand beside it.
        make: Makes the check's value of the value and the keys.
        polls: Whether it may be tried again until it holds.
    """

    name: str
    help: str
    value: Shape[Any]
    keys: tuple[Field, ...]
    make: Callable[..., Kind]
    polls: bool = False


_PATH = Parsed(parse_absolute, "a path in the image")
_COMMANDS = ListOf(WordsShape())

KINDS = {
    kind.name: kind
    for kind in (
        KindShape(
            "run",
            "A container of its own, with arguments as after the image in `docker run`.",
            Nullable(WordsShape()),
            (*EXPECTED, *GIVEN, Field("options", SettingsShape("options"), "How the container is made.")),
            lambda argv, **values: make_run(argv or (), **values),
            polls=True,
        ),
        KindShape(
            "exec",
            "A command in the running container, or in an idle one.",
            WordsShape(),
            (
                *EXPECTED,
                *GIVEN,
                Field("setup", _COMMANDS, "Commands before it, each of which must succeed."),
                Field("teardown", _COMMANDS, "Commands after it."),
                Field("fresh", Flag(), "An idle container of its own."),
            ),
            make_exec,
            polls=True,
        ),
        KindShape("http", "A request to the service.", RequestShape(), HTTP_EXPECTED, HttpCheck, polls=True),
        KindShape("logs", "What the service has written.", TEXT, (), LogsCheck, polls=True),
        KindShape(
            "stop",
            "The time in which the service must end when asked to.",
            DURATION,
            (Field("exit", NUMBER, "The exit status that it must end with."),),
            StopCheck,
        ),
        KindShape(
            "file",
            "A path in the image, or a pattern of paths.",
            _PATH,
            (
                Field("exists", Flag(), "Whether it must be there; true unless told."),
                Field("follow", Flag(), "Whether a symbolic link is followed, within the image."),
                Field("type", Choice(FILE_TYPES), "What it is."),
                Field("mode", Parsed(ModeMatcher.parse, "a mode"), "'0755', or 'rwxr-xr-x' as ls shows it."),
                Field("uid", NUMBER, "Its owner's number."),
                Field("gid", NUMBER, "Its group's number."),
                Field("user", Text(), "Its owner's name by the image's /etc/passwd."),
                Field("group", Text(), "Its group's name by the image's /etc/group."),
                Field("size", NumberShape(BYTES), "Its size."),
                Field("target", TEXT, "What a symbolic link says."),
                Field("sha256", Parsed(parse_sha256, "a sha256"), "Of its content."),
                Field("content", TEXT, "Its content."),
                Field("entries", EntriesShape(), "The names in a directory."),
            ),
            make_file,
        ),
        KindShape(
            "unix_user",
            "A user in the image's /etc/passwd.",
            Text(),
            (
                Field("exists", Flag(), "Whether there must be one; true unless told."),
                Field("uid", NUMBER, "The user's number."),
                Field("gid", NUMBER, "The number of the user's own group."),
                Field("group", Text(), "The name of the user's own group."),
                Field("groups", EntriesShape(), "The other groups that the user is in."),
                Field("home", TEXT, "The home folder."),
                Field("shell", TEXT, "The login shell."),
            ),
            make_user,
        ),
        KindShape(
            "unix_group",
            "A group in the image's /etc/group.",
            Text(),
            (
                Field("exists", Flag(), "Whether there must be one; true unless told."),
                Field("gid", NUMBER, "The group's number."),
                Field("members", EntriesShape(), "Its members by /etc/group."),
            ),
            make_group,
        ),
        KindShape(
            "config",
            "Fields of the image's config; null is unset.",
            ConfigShape(),
            (),
            ConfigCheck,
        ),
        KindShape("size", "Budgets for the image's size.", SizeShape(), (), lambda check: check),
        KindShape("closure", "What store paths are in it.", AskingShape(CLOSURE), (), lambda check: check),
        KindShape("lint", "The usual faults of images.", LintShape(), (), lambda check: check),
        KindShape("budget", "What starting it costs.", AskingShape(BUDGET), (), lambda check: check),
        KindShape("writes", "What the container wrote outside of volumes.", WRITES, (), lambda check: check),
        KindShape("snapshot", "What was recorded of it.", SnapshotShape(), (), lambda check: check),
    )
}
"""All kinds by their names."""
