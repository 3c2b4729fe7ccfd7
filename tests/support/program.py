"""The installed program, as the tests run it, and how a run of it ended."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.nix import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

    from support.engines import Engine


@dataclass(frozen=True)
class Run:
    """How a run of nixdock ended."""

    status: int
    out: bytes
    err: bytes

    @property
    def stdout(self) -> str:
        """Standard output as text."""
        return self.out.decode(errors="replace")

    @property
    def stderr(self) -> str:
        """Standard error as text."""
        return self.err.decode(errors="replace")


class Nixdock:
    """The installed program, run with a home of the test's own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder

    def __call__(
        self,
        *words: str | Path,
        env: dict[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 240,
        cwd: Path | None = None,
    ) -> Run:
        """Run `nixdock WORDS...` to its end."""
        done = subprocess.run(
            [PROGRAM, *map(str, words)],
            input=stdin,
            capture_output=True,
            env={**self.environment, **(env or {})},
            cwd=cwd or self.folder,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `nixdock WORDS...` with pipes, in a process group of its own."""
        return subprocess.Popen(
            [PROGRAM, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **(env or {})},
            cwd=self.folder,
            start_new_session=True,
        )

    def at(self, engine: Engine) -> Nixdock:
        """Return the same program speaking to another engine."""
        return Nixdock({**self.environment, "DOCKER_HOST": engine.host}, self.folder)
