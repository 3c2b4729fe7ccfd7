"""Engines of the tests' own, each in folders, on a socket and on a bridge of its own.

An engine that is started with `--bridge=none` deletes the `docker0` of another one, so every engine
here is given a bridge by name; what the machine already runs is never touched.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from support import debian

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a current docker.io needs beside Debian 12's own libc; its runc is Debian 12's.
DOCKER_28 = ("docker.io", "containerd")

_STARTS = 4


@dataclass(frozen=True)
class Engine:
    """A running engine.

    Args:
        name: What the tests call it: `docker-20`, `docker-28`, `docker-28-containerd`, `podman`.
        host: Its address, as `DOCKER_HOST` takes it.
        root: The folder of everything that it keeps.
        pid: The process that answers.
    """

    name: str
    host: str
    root: Path
    pid: int
    environment: dict[str, str] = field(default_factory=dict)

    def docker(self, *words: str | Path, stdin: bytes | None = None) -> str:
        """Ask it by the docker program; return what that prints, and fail when it fails."""
        done = subprocess.run(
            ["docker", *map(str, words)],
            input=stdin,
            capture_output=True,
            env={**os.environ, "DOCKER_HOST": self.host},
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def _answers(host: str) -> bool:
    asked = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        env={**os.environ, "DOCKER_HOST": host},
        check=False,
    )
    return asked.returncode == 0


def _await(process: subprocess.Popen[bytes], host: str, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if _answers(host):
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"the engine on {host} did not come up:\n{log.read_text()[-4000:]}")


def _start(command: list[str], environment: dict[str, str], host: str, log: Path) -> subprocess.Popen[bytes]:
    """Start an engine, one at a time on this machine: two that set up the packet filter meet there.

    The lock is the tests' own, so an engine of somebody else may still be met: then it is tried again.
    """
    for attempt in range(1, _STARTS + 1):
        with (
            filelock.FileLock(Path(tempfile.gettempdir()) / "nixdock-test-engines.lock"),
            log.open("wb") as out,
        ):
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            try:
                _await(process, host, log)
            except RuntimeError:
                _end(process)
                if attempt == _STARTS or "iptables" not in log.read_text():
                    raise
            else:
                return process
        time.sleep(attempt)
    raise AssertionError("unreachable")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _add_bridge(name: str) -> None:
    # A /24 each in 172.31.0.0/16, which docker's own default pools reach last.
    taken = subprocess.run(["ip", "-4", "-o", "addr"], check=True, capture_output=True, text=True).stdout
    number = next(n for n in random.sample(range(256), 256) if f" 172.31.{n}." not in taken)
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    subprocess.run(["ip", "addr", "add", f"172.31.{number}.1/24", "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)


@contextmanager
def dockerd(
    name: str,
    *words: str,
    programs: Path | None = None,
    containerd_store: bool = False,
    without: Path | None = None,
) -> Iterator[Engine]:
    """Run a Docker engine while the block lasts, then stop it and remove all that it kept.

    Args:
        name: What to call it.
        words: Further options of dockerd.
        programs: The folder of unpacked Debian packages whose dockerd to run; the installed one when None.
        containerd_store: Whether it keeps images in containerd's store instead of a graph driver's.
        without: A folder of this machine that it finds empty, as one on another machine would.
    """
    root = Path(tempfile.mkdtemp(prefix=f"nixdock-{name}-"))
    bridge = f"ndt{root.name[-8:]}"
    _add_bridge(bridge)
    config = root / "daemon.json"
    # An engine that sets up the packet filter takes down what the others have there. Ports that are
    # published on loopback go through a proxy of the engine's, and need none of it.
    settings = {
        "iptables": False,
        "ip6tables": False,
        "features": {"containerd-snapshotter": True} if containerd_store else {},
    }
    config.write_text(json.dumps(settings))
    environment = dict(os.environ)
    if programs is not None:
        environment["PATH"] = f"{programs}/usr/sbin:{programs}/usr/bin:{environment['PATH']}"
    host = f"unix://{root}/docker.sock"
    command = [
        shutil.which("dockerd", path=environment["PATH"]) or "dockerd",
        f"--config-file={config}",
        f"--data-root={root}/data",
        f"--exec-root={root}/exec",
        f"--pidfile={root}/pid",
        f"--bridge={bridge}",
        f"--host={host}",
        # Where it looks for devices; it has none of this machine's, and others none of its own.
        *((f"--cdi-spec-dir={root}/cdi", f"--cdi-spec-dir={root}/run-cdi") if programs is not None else ()),
        *words,
    ]
    if without is not None:
        script = 'mount -t tmpfs none "$0" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, str(without), *command]
    process = _start(command, environment, host, root / "log")
    try:
        yield Engine(name, host, root, process.pid)
    finally:
        _end(process)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)
        _remove(root)


@contextmanager
def podman() -> Iterator[Engine]:
    """Run Podman's service while the block lasts, on storage of its own."""
    root = Path(tempfile.mkdtemp(prefix="nixdock-podman-"))
    host = f"unix://{root}/podman.sock"
    log = root / "log"
    config = root / "containers.conf"
    config.write_text(f"[containers]\ndefault_ulimits = {json.dumps(_grantable_limits())}\n")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                "podman",
                f"--root={root}/data",
                f"--runroot={root}/run",
                "system",
                "service",
                "--time=0",
                host,
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CONTAINERS_CONF": str(config)},
            start_new_session=True,
        )
    try:
        _await(process, host, log)
        yield Engine("podman", host, root, process.pid)
    finally:
        _end(process)
        _remove(root)


def _grantable_limits() -> list[str]:
    """Return limits that can be given to a container where root may not raise its own.

    Podman's defaults are higher than the limits of many a machine in the cloud; and it lowers its own
    number of processes to 32768.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = min(resource.getrlimit(resource.RLIMIT_NPROC)[1] % (1 << 64), 32768)
    return [f"nofile={files}:{files}", f"nproc={processes}:{processes}"]


def _remove(root: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{root}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    shutil.rmtree(root, ignore_errors=True)


@contextmanager
def start(name: str) -> Iterator[Engine]:
    """Run the engine of this name: `docker-20`, `docker-28`, `docker-28-containerd` or `podman`."""
    match name:
        case "docker-20":
            running = dockerd(name)
        case "docker-28":
            running = dockerd(name, programs=debian.unpack("sid", *DOCKER_28))
        case "docker-28-containerd":
            running = dockerd(name, programs=debian.unpack("sid", *DOCKER_28), containerd_store=True)
        case "podman":
            running = podman()
        case _:
            raise ValueError(f"no such engine: {name}")
    with running as engine:
        yield engine
