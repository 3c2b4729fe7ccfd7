r"""What Nix writes with `--log-format internal-json`, read line by line.

    @nix {"action":"start","id":7,"level":3,"type":105,"text":"building '/nix/store/...drv'","fields":[...]}
    @nix {"action":"result","id":7,"type":101,"fields":["a line that the builder wrote"]}
    @nix {"action":"stop","id":7}
    @nix {"action":"msg","level":0,"msg":"error: ...","raw_msg":"...","file":"/x.nix","line":1,"column":9}

The numbers are those of Nix's `logging.hh`; a number that is not known here stays a number and harms
nothing. Texts carry terminal colours whatever the terminal: they are taken out. A line without the
`@nix` in front is what another program (git, ssh) wrote.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

PREFIX: Final = b"@nix "
_ERROR: Final = "error:"


class Level(IntEnum):
    """How much a message matters (`Verbosity`)."""

    ERROR = 0
    WARN = 1
    NOTICE = 2
    INFO = 3


class Activity(IntEnum):
    """The activities that mean something to nixdock (`ActivityType`)."""

    COPY_PATH = 100
    """Fields: store path, from, to."""
    FILE_TRANSFER = 101
    """Fields: URI."""
    BUILDS = 104
    """Counts the builds of a whole run."""
    BUILD = 105
    """Fields: derivation, machine, round, rounds."""
    BUILD_WAITING = 111
    FETCH_TREE = 112
    """A flake's input; since 2.19."""


class Result(IntEnum):
    """What an activity says before it stops (`ResultType`)."""

    BUILD_LOG_LINE = 101
    SET_PHASE = 104
    PROGRESS = 105
    """Fields: done, expected, running, failed."""
    POST_BUILD_LOG_LINE = 107


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a Nix file, or in an expression of the command line.

    Args:
        file: Its path, or `«expression»` for an expression that has no file.
        line: Counted from 1.
        column: Counted from 1.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def shown_from(self, directory: Path) -> str:
        """Return it as a user in a directory would write it."""
        path = Path(self.file)
        inner = path.relative_to(directory) if path.is_relative_to(directory) else path
        return f"{inner}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Started:
    """An activity has begun."""

    id: int
    kind: int
    text: str
    fields: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """An activity has ended, well or not."""

    id: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a builder's output."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class PhaseSet:
    """A builder has come to another phase."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far an activity is: bytes of a transfer, or builds of all builds."""

    id: int
    done: int
    expected: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence of Nix.

    Args:
        level: How much it matters; one of `Level`, or more.
        text: The whole of it, source excerpts included.
        sentence: It without excerpts; what is wrong, of an error.
        position: Where the fault is, where Nix knows.
        frames: How the evaluation came there, innermost first; only the places, and only with
            `--show-trace`.
        files: The files that were being evaluated, innermost first; they have frames without a place.
        attributes: The attributes that were being evaluated, innermost first, each with the place where it
            is defined.
        told: Where the message itself says that the fault is.
    """

    level: int
    text: str
    sentence: str
    position: Position | None = None
    frames: tuple[Position, ...] = ()
    files: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Position | None], ...] = ()
    told: Position | None = None

    @property
    def is_error(self) -> bool:
        """Whether it says why Nix failed; other things are told at the same level."""
        return self.level == Level.ERROR and self.text.startswith(_ERROR)


Entry = Started | Stopped | LogLine | PhaseSet | Progressed | Message

_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[@-Z\\-_]"
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)
_FILE: Final = re.compile(r"while evaluating the file '(?P<file>[^']+)'")
_ATTRIBUTE: Final = re.compile(r"while evaluating the attribute '(?P<attribute>[^']+)'$")
_DESCRIBED: Final = re.compile(r"while describing what is at (?P<file>/.+):(?P<line>\d+):(?P<column>\d+)$")
_TOLD: Final = re.compile(r" \(at (?P<file>/[^\n]+):(?P<line>\d+):(?P<column>\d+)\)\Z")
"""How our own package set says where the user wrote what it refuses."""
_STRING: Final = "«string»"
EXPRESSION: Final = "«expression»"
"""The file of what has none: the user's `-E`."""


def strip_escapes(text: str) -> str:
    """Return a text without colours and other control characters; of a redrawn line, its last form."""
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _ESCAPES.sub("", text)


def parse_line(line: bytes) -> Entry | None:
    """Read one line of Nix's standard error.

    Args:
        line: The line, with or without its end.

    Returns:
        What it says, or None where that is nothing of use.
    """
    if not line.startswith(PREFIX):
        return _parse_foreign(line)
    try:
        entry = json.loads(line[len(PREFIX) :])
    except ValueError:
        # A builder may write anything, and a line may be cut off by a crash.
        return _parse_foreign(line)
    if not isinstance(entry, dict):
        return None
    try:
        return _parse_entry(entry)
    except (KeyError, IndexError, TypeError, ValueError):
        # A newer Nix may write a known number with other fields.
        return None


def _parse_foreign(line: bytes) -> Message | None:
    text = strip_escapes(line.decode(errors="replace")).strip()
    if text.startswith(_ERROR):
        # A Nix program that fails before it has read its options.
        return Message(Level.ERROR, text, text.removeprefix(_ERROR).strip())
    return Message(Level.INFO, text, text) if text else None


def _parse_entry(entry: dict[str, Any]) -> Entry | None:
    match entry["action"]:
        case "start":
            fields = tuple(
                field if isinstance(field, int) else strip_escapes(field) for field in entry.get("fields", ())
            )
            return Started(int(entry["id"]), int(entry["type"]), strip_escapes(entry.get("text", "")), fields)
        case "stop":
            return Stopped(int(entry["id"]))
        case "result":
            return _parse_result(int(entry["id"]), int(entry["type"]), entry.get("fields", []))
        case "msg":
            return _parse_message(entry)
        case _:
            return None


def _parse_result(activity: int, kind: int, fields: list[Any]) -> Entry | None:
    match kind:
        case Result.BUILD_LOG_LINE | Result.POST_BUILD_LOG_LINE:
            return LogLine(activity, strip_escapes(fields[0]))
        case Result.SET_PHASE:
            return PhaseSet(activity, strip_escapes(fields[0]))
        case Result.PROGRESS:
            done, expected, running, failed = (int(field) for field in fields[:4])
            return Progressed(activity, done, expected, running, failed)
        case _:
            return None


def _parse_message(entry: dict[str, Any]) -> Message:
    text = strip_escapes(entry["msg"]).strip()
    raw = strip_escapes(entry.get("raw_msg") or entry["msg"]).strip()
    frames = tuple(place for frame in entry.get("trace", ()) if (place := _parse_frame(frame)) is not None)
    sayings = (_FILE.search(strip_escapes(frame.get("raw_msg") or "")) for frame in entry.get("trace", ()))
    files = tuple(saying["file"] for saying in sayings if saying)
    # Only the text of the message has excerpts; what a user throws may be of several paragraphs.
    sentence = raw if entry.get("raw_msg") else raw.partition("\n\n")[0]
    own = _TOLD.search(sentence)
    told = Position(own["file"], int(own["line"]), int(own["column"])) if own else None
    sentence = sentence[: own.start()] if own else sentence
    attributes = tuple(
        (saying["attribute"], _parse_position(frame))
        for frame in entry.get("trace", ())
        if (saying := _ATTRIBUTE.search(strip_escapes(frame.get("raw_msg") or "")))
    )
    position = _parse_position(entry)
    return Message(int(entry["level"]), text, sentence, position, frames, files, attributes, told)


def _parse_frame(frame: dict[str, Any]) -> Position | None:
    """Return the place of a frame; one of describe.nix has it in its words."""
    told = _DESCRIBED.search(strip_escapes(frame.get("raw_msg") or ""))
    if told:
        return Position(told["file"], int(told["line"]), int(told["column"]))
    return _parse_position(frame)


def _parse_position(entry: dict[str, Any]) -> Position | None:
    file, line, column = entry.get("file"), entry.get("line"), entry.get("column")
    if not file or not line:
        return None
    # Since 2.14 the file's name has the numbers too; before, an expression stands as its own name.
    name = str(file).removesuffix(f":{line}:{column}")
    if not name.startswith("/") and (name == _STRING or not name.startswith("«")):
        name = EXPRESSION
    return Position(name, int(line), int(column or 1))
