"""The one door to other programs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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


ALL = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGALRM}
"""Without that of the test's own time limit; where the end of a program is not told, nobody can wait."""
PYTHON_S = {signal.SIGPIPE, signal.SIGXFSZ}


@contextmanager
def signals(numbers: set[signal.Signals], how: str) -> Iterator[None]:
    """Have signals ignored or blocked, as nohup, a shell or a runner hands them on."""
    before = {number: signal.getsignal(number) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers if how == "blocked" else ())
    try:
        for number in numbers if how == "ignored" else ():
            signal.signal(number, signal.SIG_IGN)
        yield
    finally:
        for number, handler in before.items() if how == "ignored" else ():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def read_status(text: str) -> tuple[int, int, int]:
    """Return the signals that a process ignores and blocks, as bits, and its session."""
    found = dict(line.split(":") for line in text.splitlines() if line.startswith(("Sig", "NSsid")))
    return int(found["SigIgn"], 16), int(found["SigBlk"], 16), int(found["NSsid"])


@pytest.mark.parametrize("how", ["ignored", "blocked"])
@pytest.mark.parametrize(
    "numbers",
    [
        {signal.SIGHUP},
        {signal.SIGINT},
        {signal.SIGTERM},
        {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT},
        PYTHON_S,
        ALL,
    ],
    ids=["hup", "int", "term", "background", "python", "all"],
)
def test_a_program_finds_every_signal_at_its_default(numbers: set[signal.Signals], how: str) -> None:
    """However nixdock was started; and what we survive must not reach our programs."""
    words = ["cat", "/proc/self/status"]
    with signals(numbers, how), ThreadPoolExecutor(1) as pool:
        ours = read_status(Path("/proc/self/status").read_text())
        ran = read_status(process.run(words).text)
        # Signals are set in the main thread alone, and programs are started by others, too.
        running = pool.submit(process.start, words, stdout=process.PIPE).result()
        started = read_status(running.communicate()[0].decode())
        assert process.run(["sh", "-c", "exit 3"]).status == 3
        with pytest.raises(FileNotFoundError):
            process.run(["nixdock-has-no-such-program"])
    assert all(ours[how == "blocked"] >> (number - 1) & 1 for number in numbers)
    assert ran[:2] == started[:2] == (0, 0)
    if numbers == PYTHON_S and how == "ignored":
        assert ours[2] == ran[2] == started[2]
    else:
        assert ours[2] not in {ran[2], started[2]}
