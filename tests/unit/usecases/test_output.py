"""What is passed on stays as it is; a runner of GitHub's is told not to obey it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from nixdock.usecases import output
from nixdock.usecases.output import DescriptorSink, Passage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = b"\x1b[31m\n::add-path::/tmp/evil\n  ::error::a\n##[error]b\r\n::stop-commands::\n::x::\n\xff\x00"


class Runner:
    """Reads two streams side by side and obeys commands, as actions/runner does (ActionCommandManager.cs)."""

    def __init__(self) -> None:
        self.obeyed: list[str] = []
        self.read: dict[int, bytes] = {}
        self._token = ""
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def open(self, number: int) -> int:
        """Return the descriptor to write a stream to."""
        reader, writer = os.pipe()
        self.read[number] = b""
        thread = threading.Thread(target=self._follow, args=(number, reader))
        thread.start()
        self._threads.append(thread)
        return writer

    def close(self) -> None:
        for thread in self._threads:
            thread.join(10)

    def _follow(self, number: int, reader: int) -> None:
        with os.fdopen(reader, "rb") as stream:
            for line in stream:
                self.read[number] += line
                for part in re.split(r"\r\n|\n|\r", line.decode(errors="replace")):
                    with self._lock:
                        self._look_at(part)

    def _look_at(self, line: str) -> None:
        found = re.match(r"\s*::([^\s:]+)[^:]*::(.*)", line) or re.search(r"##\[([^\s\]]+)[^\]]*\](.*)", line)
        if found is None:
            return
        if self._token:
            if found[1] == self._token:
                self._token = ""
        elif found[1] == "stop-commands":
            self._token = found[2]
        elif not re.fullmatch("[0-9a-f]{32}", found[1]):
            self.obeyed.append(line)


@pytest.fixture(autouse=True)
def passage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Passage]:
    made = Passage()
    monkeypatch.setattr(output, "passage", made)
    yield made
    made.end()


def test_what_is_passed_on_is_not_obeyed_and_what_comes_after_is(
    passage: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    runner = Runner()
    first, second = runner.open(1), runner.open(2)
    for _ in range(200):
        DescriptorSink(first)(HOSTILE)
        DescriptorSink(second)(b"::error::b\n" * 50)
    passage.end()
    os.write(second, b"::error::ours\n")
    os.close(first)
    os.close(second)
    runner.close()
    assert runner.obeyed == ["::error::ours"]
    start, *middle, end = runner.read[1].split(b"\n")[:-1]
    token = start.removeprefix(b"::stop-commands::")
    assert re.fullmatch(b"[0-9a-f]{32}", token)
    assert end == b"::" + token + b"::"
    # The last line had no end: the mark begins one of its own.
    assert b"\n".join(middle) == HOSTILE * 200
    assert runner.read[2] == start + b"\n" + b"::error::b\n" * 10_000 + end + b"\n::error::ours\n"


def test_what_comes_late_bears_a_mark_of_its_own(passage: Passage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    runner = Runner()
    writer = runner.open(1)
    for _ in range(3):
        DescriptorSink(writer)(b"::error::a\n")
        passage.end()
    os.close(writer)
    runner.close()
    assert runner.obeyed == []
    assert len(set(re.findall(b"stop-commands::([0-9a-f]{32})", runner.read[1]))) == 3


def test_elsewhere_nothing_is_added(passage: Passage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    runner = Runner()
    writer = runner.open(1)
    DescriptorSink(writer)(HOSTILE)
    passage.end()
    os.close(writer)
    runner.close()
    assert runner.read[1] == HOSTILE


def test_a_file_gets_the_bytes_alone(
    passage: Passage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with (tmp_path / "out").open("wb") as file:
        DescriptorSink(file.fileno())(HOSTILE)
        passage.end()
    assert (tmp_path / "out").read_bytes() == HOSTILE


@pytest.mark.parametrize(
    ("script", "marks"),
    [
        ("printf '%s' \"$({program})\"", 0),
        ("{program}", 2),
        ("{program} | cat", 2),
        ("{program} 2>&1", 2),
    ],
)
def test_what_a_step_captures_is_the_bytes_alone(script: str, marks: int) -> None:
    code = "from nixdock.usecases import output; output.DescriptorSink(1)(b'::error::a')"
    program = f'{sys.executable} -c "{code}"'
    env = {**os.environ, "GITHUB_ACTIONS": "true"}
    words = ["sh", "-c", script.format(program=program)]
    done = subprocess.run(words, capture_output=True, env=env, check=True)
    assert len(re.findall(rb"^::(?:stop-commands::)?[0-9a-f]{32}", done.stdout, re.MULTILINE)) == marks
    assert b"::error::a" in done.stdout


def test_a_reader_that_stalls_does_not_keep_us(passage: Passage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(output, "_READER_SECONDS", 0.1)
    reader, writer = os.pipe()
    DescriptorSink(writer)(b"a")
    passage.end()
    with suppress(OSError):
        os.close(writer)
    assert os.read(reader, 4096).startswith(b"::stop-commands::")
    os.close(reader)
