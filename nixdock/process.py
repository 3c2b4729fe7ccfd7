"""The one door to other programs.

Every argv is a list and no shell is involved. Nothing else in nixdock imports `subprocess`.

A program inherits which signals are ignored (by nohup, by some CI runners, in the background of a script)
or blocked, and hands that on: a builder of Nix that is to end with its terminal would not. So each program
finds every signal at its default. Where ours are not, one that we survive must not end the program either:
it gets a session of its own, which no terminal reaches, and ends when we end it.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from nixdock.errors import no_more_processes
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = get_logger(__name__)

PIPE = subprocess.PIPE

_GRACE: Final = 2.0
"""Seconds that a program gets to clean up that nobody waits for any more."""

_INHERITED: Final = signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}
"""Signals that a program finds as we have them; the others Python ignores, and sets back itself."""

_LAUNCHER: Final = """
import os, signal, sys
for number in signal.valid_signals():
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
try:
    os.execvp(sys.argv[1], sys.argv[1:])
except OSError as error:
    os._exit(127 if isinstance(error, FileNotFoundError) else 126)
"""
"""What becomes the program: only in a process of its own can signals be set whatever threads there are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and what it wrote."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes

    def __bool__(self) -> bool:
        return self.status == 0

    @property
    def text(self) -> str:
        """Standard output as text, invalid UTF-8 replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        """Standard error as text, invalid UTF-8 replaced."""
        return self.stderr.decode(errors="replace")


def run(
    argv: Sequence[str | Path],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> Outcome:
    """Run a program to its end and return how it ended; a failure is the caller's to judge.

    Args:
        argv: The program and its arguments.
        stdin: What it reads; nothing at all when None.
        env: Its whole environment; ours when None.
        cwd: Its working directory; ours when None.
        timeout: Seconds after which it is ended.

    Raises:
        FileNotFoundError: There is no such program.
        PermissionError: It may not be executed.
        MachineError: No more processes can be started here.
        TimeoutError: It ran longer than `timeout`.
    """
    pipe = subprocess.PIPE
    with start(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=cwd) as child:
        try:
            stdout, stderr = child.communicate(stdin or b"", timeout)
        except subprocess.TimeoutExpired as error:
            end(child, grace=_GRACE)
            raise TimeoutError(f"{argv[0]} ran longer than {timeout} s") from error
        except BaseException:
            end(child, grace=_GRACE)
            raise
    log.debug("process.ended", program=str(argv[0]), status=child.returncode)
    return Outcome(tuple(map(str, argv)), child.returncode, stdout, stderr)


def start(
    argv: Sequence[str | Path],
    *,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    own_session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program and return it running; the caller waits for it.

    Args:
        argv: The program and its arguments.
        stdin: As in `subprocess.Popen`; nothing to read unless told.
        stdout: As in `subprocess.Popen`; ours when None.
        stderr: As in `subprocess.Popen`; ours when None.
        env: Its whole environment; ours when None.
        cwd: Its working directory; ours when None.
        own_session: Whether a Ctrl-C on our terminal must not reach it.

    Raises:
        FileNotFoundError: There is no such program.
        PermissionError: It may not be executed.
        MachineError: No more processes can be started here.
    """
    words = [str(word) for word in argv]
    log.debug("process.start", argv=words)
    launched = _launch(words, env)
    try:
        return subprocess.Popen(
            launched or words,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=own_session or launched is not None,
        )
    except BlockingIOError as error:
        raise no_more_processes("processes") from error


def _launch(words: Sequence[str], env: Mapping[str, str] | None) -> list[str] | None:
    """Return the command that becomes another one with all signals at their defaults; None if they are."""
    ignored = any(signal.getsignal(number) is signal.SIG_IGN for number in _INHERITED)
    if not ignored and not signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        return None
    if shutil.which(words[0], path=None if env is None else env.get("PATH")) is None:
        # Left to fail as it does everywhere.
        return None
    # -I -S: nothing of the environment, and of what is installed, has a say.
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, *words]


def end(running: subprocess.Popen[bytes], *, grace: float) -> None:
    """End a program that is not wanted any more: SIGTERM, and SIGKILL if that does not help.

    Args:
        running: The program; nothing happens where it has ended.
        grace: Seconds that it has to clean up.
    """
    running.terminate()
    try:
        running.wait(grace)
    except subprocess.TimeoutExpired:
        log.debug("process.kill", pid=running.pid)
        running.kill()
        running.wait()


def find_start(pid: int | str) -> str | None:
    """Return when a process started, in clock ticks since the boot; no other of its number did then.

    Args:
        pid: Its number, or `self`.

    Returns:
        None where there is no such process, or it has ended and only waits for its parent.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # proc(5): field 2 is the program's name in brackets, which may hold anything; 3 the state, 22 the start.
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in {b"Z", b"X"} else fields[19].decode()
