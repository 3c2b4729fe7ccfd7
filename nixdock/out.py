"""The one way out: whatever nixdock itself writes to its standard output and error leaves here.

Much of it was written by others: an image's command, a health check's output, an engine's error, a file's
name. It is shown and never obeyed, by no terminal and by no CI runner that looks for commands in the lines
that a step prints. What is one line stays one; colours are ours alone. A stream that is passed on, as a
container's output is by `run`, does not come here.

stdout is the result: what keeps it from being written is raised (`say…`). stderr is the narration: nobody
who went away ends the work (`tell…`).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.text import clean, clean_line, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST: Final = 16 * 1024
"""Characters of a line that are shown."""

_RUNNERS: Final = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables of runners that look for commands: GitHub's and those like it, Azure's, TeamCity's."""

# actions/runner, ActionCommand.cs: `::` where a line begins, blanks aside, and `##[` wherever it stands.
_COMMAND: Final = re.compile("^((?:[^\\S\\n]|[\u180e\u200b\u200c\u200d\u2060\ufeff])*):(?=:)", re.MULTILINE)
_OLD_COMMAND: Final = re.compile(r"##(vso|teamcity)?\[")


STREAMS: Final = {1: "standard output", 2: "standard error"}
"""How messages name our own streams, by their descriptors."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A part of a line that has a colour, named by its number; an empty one is none."""

    text: str
    colour: str


def is_github(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this runs in GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def say(*parts: str | Painted, stream: IO[str] | None = None) -> None:
    """Write a line of the result.

    Args:
        parts: What it consists of; a newline in it is shown and does not end it.
        stream: Where to; our standard output when None.

    Raises:
        OSError: It cannot be written.
    """
    _say(form_line(*parts), stream)


def say_text(text: str, *, stream: IO[str] | None = None) -> None:
    """Write a result of several lines, however long they are.

    Raises:
        OSError: It cannot be written.
    """
    _say(form_text(text), stream)


def say_json(document: object) -> None:
    """Write a result as JSON.

    Raises:
        OSError: It cannot be written.
    """
    _say(form_json(document, indent=2), None)


def say_exactly(text: str) -> None:
    """Write what another program reads, and obeys: as it is, but for people who look at it.

    Raises:
        OSError: It cannot be written.
    """
    stream = sys.stdout
    binary = getattr(stream, "buffer", None)
    if stream is None or binary is None or stream.isatty():
        say_text(text)
        return
    with _named():
        stream.flush()
        binary.write(os.fsencode(text) + b"\n")
        stream.flush()


def tell(*parts: str | Painted, stream: IO[str] | None = None) -> None:
    """Write a line of the narration; that it cannot be written is no fault of the work.

    Args:
        parts: What it consists of; a newline in it is shown and does not end it.
        stream: Where to; our standard error when None.
    """
    _tell(form_line(*parts), stream)


def tell_text(text: str, *, hang: str = "", stream: IO[str] | None = None) -> None:
    """Write lines of the narration.

    Args:
        text: The lines.
        hang: What the lines after the first begin with.
        stream: Where to; our standard error when None.
    """
    first, *rest = split_lines(text) or [""]
    _tell("\n".join([form_line(first), *(form_line(hang + line) for line in rest)]), stream)


def tell_json(document: object, *, stream: IO[str] | None = None) -> None:
    """Write an object of the narration as one line of JSON."""
    _tell(form_json(document), stream)


def tell_exactly(text: str, *, stream: IO[str] | None = None) -> None:
    """Write what was made safe part by part: a line of the log, a runner's command that is ours."""
    _tell(text, stream)


def form_line(*parts: str | Painted) -> str:
    """Return a line as it is written, without its end."""
    written = []
    for part in parts:
        text, colour = (part.text, part.colour) if isinstance(part, Painted) else (part, "")
        text = clean_line(_cut(text))
        written.append(f"\x1b[{colour}m{text}\x1b[0m" if colour else text)
    return disarm("".join(written))


def form_text(text: str) -> str:
    """Return several lines as they are written, without the last one's end."""
    return disarm(clean(text).removesuffix("\n"))


def form_json(document: object, *, indent: int | None = None) -> str:
    """Return JSON that a runner finds no command in; what JSON does not know is told as text."""
    import json  # noqa: PLC0415  # most commands print none

    # What is not ASCII is written out by `dumps`; `##` stands in strings alone.
    text = json.dumps(document, indent=indent, default=str)
    return _OLD_COMMAND.sub(lambda match: match[0][:-1] + r"\u005b", text)


def disarm(text: str) -> str:
    """Return lines in which a runner finds no command; elsewhere than in one they are as they were."""
    if not any(name in os.environ for name in _RUNNERS):
        return text
    text = _COMMAND.sub(r"\1\\x3a", text)
    return _OLD_COMMAND.sub(lambda match: match[0][:-1] + r"\x5b", text)


def clean_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log line's fields with their text made safe; the lines of a traceback stay lines."""
    return {
        name: (form_text if name == "exception" else form_line)(value) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _say(text: str, stream: IO[str] | None) -> None:
    if stream is not None and stream is not sys.stdout:
        _put(text, stream)
        return
    with _named():
        _put(text, sys.stdout)


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """Have an error that comes of writing to standard output name it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, STREAMS[1]) from error


def _tell(text: str, stream: IO[str] | None) -> None:
    # A closed stream is a ValueError.
    with contextlib.suppress(OSError, ValueError):
        _put(text, sys.stderr if stream is None else stream)


def _put(text: str, stream: IO[str] | None) -> None:
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
