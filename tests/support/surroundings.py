"""nixdock in odd surroundings: one process that has it imported forks for each command line.

As a program it reads a JSON document a line: words, environment, and what to do to the process before. So a
row of a table costs what the command itself costs.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NOBODY = 60099
"""An ordinary user that has nothing."""

_NEW_MOUNTS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _PRIVATE = 1, 32, 4096, (1 << 18) | 16384


@dataclass(frozen=True)
class Answer:
    """How a command line ended."""

    status: int
    stdout: str
    stderr: str


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [os.fsencode(word) if word else None for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(data)) != 0:
        raise OSError(ctypes.get_errno(), "mount", target)


def _own_mounts() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("none", "/", None, _PRIVATE)


def make_read_only(path: str) -> None:
    """Let a folder be seen and not changed."""
    _own_mounts()
    _mount(path, path, None, _BIND)
    _mount(path, path, None, _BIND | _REMOUNT | _READ_ONLY)


def fill(path: str) -> None:
    """Put a file system without a free byte over a folder."""
    _own_mounts()
    _mount("none", path, "tmpfs", 0, "size=64k")
    ballast = os.open(Path(path, "ballast"), os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(ballast, bytes(4096))
    os.close(ballast)


def mount_oddly(path: str) -> None:
    """Have something mounted at a place whose name is not UTF-8, and has a blank."""
    _own_mounts()
    odd = os.fsencode(path) + b"/\xff odd\n\xe9"
    os.mkdir(odd)  # noqa: PTH102  # pathlib takes no bytes
    _mount("none", os.fsdecode(odd), "tmpfs", 0)


def become(user: int, *groups: int) -> None:
    """Be an ordinary user."""
    os.setgroups(groups)
    os.setgid(user)
    os.setuid(user)


def limit(name: str, number: int) -> None:
    """Limit a resource."""
    resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))


def leave(path: str) -> None:
    """Stand in a folder that is removed."""
    os.chdir(path)
    Path(path).rmdir()


def start_no_thread() -> None:
    """Have every thread refused, as by a limit of processes."""

    def refuse(_thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    threading.Thread.start = refuse  # type: ignore[assignment, method-assign]


def turn_clock(seconds: float) -> None:
    """Have another time, on the clock that can be set."""
    time.time = lambda: seconds
    time.time_ns = lambda: int(seconds * 1e9)


STEPS: dict[str, Callable[..., object]] = {
    "read-only": make_read_only,
    "full": fill,
    "odd-mount": mount_oddly,
    "user": become,
    "limit": limit,
    "gone": leave,
    "chdir": os.chdir,
    "umask": os.umask,
    "no-threads": start_no_thread,
    "clock": turn_clock,
}


def _serve() -> None:
    import docker  # noqa: F401, PLC0415  # slow to import: once, before the forks

    from nixdock.cli import (  # noqa: F401, PLC0415
        check,
        doctor,
        env,
        lint,
        load,
        main,
        prune,
        run,
        up,
    )

    for line in sys.stdin:
        order = json.loads(line)
        pipes = [os.pipe(), os.pipe()]
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, ends in enumerate(pipes, start=1):
                os.dup2(ends[1], number)
            os.closerange(3, max(max(ends) for ends in pipes) + 1)
            os.environ.clear()
            os.environ.update(order["env"])
            try:
                for name, *words in order["steps"]:
                    STEPS[name](*words)
                main.catch_signals()
                main.keep_own_rights()
                status = main.run(order["words"])
                sys.stdout.flush()
                sys.stderr.flush()
            except BaseException as error:  # noqa: BLE001
                os.write(2, f"escaped: {error!r}\n".encode())
                os._exit(99)
            os._exit(status)
        for _, theirs in pipes:
            os.close(theirs)
        # What a command writes here is little: a pipe holds it.
        texts = []
        for ours, _ in pipes:
            with os.fdopen(ours, "rb") as file:
                texts.append(file.read().decode(errors="replace"))
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(ended), *texts]) + "\n")
        sys.stdout.flush()


class Server:
    """The process that runs command lines.

    Args:
        process: It.
        environment: What each command line finds, unless its row says otherwise.
    """

    def __init__(self, process: subprocess.Popen[str], environment: Mapping[str, str]) -> None:
        self.process = process
        self.environment = environment

    def run(
        self,
        words: Sequence[str | Path],
        env: Mapping[str, str | None] | None = None,
        steps: Sequence[Sequence[Any]] = (),
    ) -> Answer:
        """Run a command line to its end.

        Args:
            words: The words after `nixdock`.
            env: Variables that differ; None takes one away.
            steps: What is done to the process before, of `STEPS`.
        """
        given = {**self.environment, **(env or {})}
        order = {
            "words": list(map(str, words)),
            "env": {name: value for name, value in given.items() if value is not None},
            "steps": list(map(list, steps)),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Answer(*json.loads(self.process.stdout.readline()))


def make_folder(parent: Path | None = None) -> str:
    """Make a folder that every user gets at."""
    folder = tempfile.mkdtemp(prefix="nixdock-around-", dir=parent or "/tmp")
    Path(folder).chmod(0o755)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder, whatever its names are."""
    shutil.rmtree(os.fsencode(folder), ignore_errors=True)
    shutil.rmtree(f"/tmp/nixdock-roots-{NOBODY}", ignore_errors=True)
    shutil.rmtree(f"/tmp/nixdock-{NOBODY}", ignore_errors=True)


@contextmanager
def serve(environment: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Run a server while the block lasts.

    Args:
        environment: What each command line finds, unless its row says otherwise.
        folder: The folder in which it runs.
    """
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    with process:
        yield Server(process, environment)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    _serve()
