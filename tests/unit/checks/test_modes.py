from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixdock.checks.modes import ModeMatcher, go_text, symbolic

_GO = Path(__file__).parents[1] / "data" / "go-semantics.txt"
_LINE = re.compile(r"mode type=(\d) (\d+) -> (\S+)")
_TYPES = {"0": "file", "2": "symlink", "3": "character", "4": "block", "5": "directory", "6": "fifo"}


def _recorded() -> list[tuple[str, int, str]]:
    found = [_LINE.fullmatch(line) for line in _GO.read_text().splitlines()]
    return [(_TYPES[match[1]], int(match[2], 8), match[3]) for match in found if match]


def test_the_recording_is_read() -> None:
    assert len(_recorded()) == 14


@pytest.mark.parametrize(("kind", "bits", "text"), _recorded())
def test_modes_are_written_and_read_as_go_does(kind: str, bits: int, text: str) -> None:
    assert go_text(kind, bits) == text
    assert ModeMatcher.parse(text).accepts(kind, bits)


@pytest.mark.parametrize(
    ("text", "kind", "bits", "accepted"),
    [
        ("0755", "file", 0o755, True),
        ("755", "directory", 0o755, True),
        ("0o755", "file", 0o755, True),
        ("0755", "file", 0o4755, False),
        ("4755", "file", 0o4755, True),
        ("rwxr-xr-x", "directory", 0o755, True),
        ("-rwxr-xr-x", "directory", 0o755, False),
        ("drwxrwxrwt", "directory", 0o1777, True),
        ("rwxrwxrwT", "directory", 0o1776, True),
        ("rwsr-xr-x", "file", 0o4755, True),
        ("rwSr--r--", "file", 0o4644, True),
        ("lrwxrwxrwx", "symlink", 0o777, True),
    ],
)
def test_modes_are_read_in_octal_and_as_ls_shows_them(
    text: str, kind: str, bits: int, accepted: bool
) -> None:
    assert ModeMatcher.parse(text).accepts(kind, bits) is accepted


@pytest.mark.parametrize("text", ["", "rwx", "0888", "17777", "0755 ", "xrwxr-xr-x"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a mode"):
        ModeMatcher.parse(text)


def test_modes_are_shown_as_ls_does() -> None:
    assert symbolic("directory", 0o1777) == "drwxrwxrwt"
    assert symbolic("file", 0o4755) == "-rwsr-xr-x"
