"""The one door to other programs."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from nixdock import process


def test_a_program_ends_with_its_status_and_what_it_wrote() -> None:
    outcome = process.run(
        [sys.executable, "-c", "import sys; print('out'); sys.stderr.write('err'); sys.exit(3)"]
    )
    assert not outcome
    assert (outcome.status, outcome.text, outcome.error_text) == (3, "out\n", "err")


def test_invalid_text_is_kept_as_bytes_and_replaced_as_text() -> None:
    outcome = process.run([sys.executable, "-c", r"import os; os.write(1, b'\xff')"])
    assert outcome.stdout == b"\xff"
    assert outcome.text == "\ufffd"


def test_nothing_of_ours_is_read_by_a_program_that_is_given_nothing() -> None:
    assert process.run([sys.executable, "-c", "import sys; print(len(sys.stdin.read()))"]).text == "0\n"
    assert process.run(["cat"], stdin=b"some").stdout == b"some"


def test_a_word_with_spaces_stays_one_word(tmp_path: Path) -> None:
    folder = tmp_path / "a folder; with $(things)"
    folder.mkdir()
    assert process.run(["ls", "-d", folder]).text == f"{folder}\n"


def test_a_program_that_runs_too_long_is_killed() -> None:
    with pytest.raises(TimeoutError, match="sleep ran longer than"):
        process.run(["sleep", "30"], timeout=0.05)


def test_a_missing_program_is_a_plain_error() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["nixdock-has-no-such-program"])


def test_a_session_of_its_own_is_out_of_reach_of_the_terminal() -> None:
    child = process.start(["sleep", "30"], own_session=True)
    try:
        # The child leaves our session between fork and exec.
        end = time.monotonic() + 10
        while os.getsid(child.pid) == os.getsid(0) and time.monotonic() < end:
            time.sleep(0.01)
        assert os.getsid(child.pid) == child.pid
    finally:
        child.kill()
        child.wait()
