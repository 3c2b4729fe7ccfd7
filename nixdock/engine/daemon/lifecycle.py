"""An engine of nixdock's own, where none answers: start it, stop it, ask about it.

A bare machine (a container, a virtual machine without an init system) has dockerd installed and
nobody to start it. Ours keeps all it has in a directory of its own and is stopped only by who it was
started by.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from contextlib import closing
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock import process
from nixdock.engine.connection.docker_files import read_daemon_settings
from nixdock.engine.connection.refusals import hint_for_group
from nixdock.engine.daemon.home import Daemon, DaemonHome, birth_of
from nixdock.engine.daemon.host import (
    add_bridge,
    choose_iptables,
    is_another_running,
    list_mounts,
    prepare_cgroups,
    remove_bridge,
    search_path,
)
from nixdock.errors import EngineError
from nixdock.events import Listener, Notice, Warned, Work, WorkFinished, WorkStarted, ignore
from nixdock.hints import as_root, ourselves_as_root
from nixdock.log import get_logger
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.engine.connection.address import Address

log = get_logger(__name__)

START_SECONDS: Final = 60
STOP_SECONDS: Final = 45
"""dockerd gives containers 15 seconds to stop; a busy machine takes longer to end them all."""
_PING: Final = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"
"""The Engine API's own question: it needs no version and no permission but the socket's."""

_PING_SECONDS: Final = 20
"""A socket that systemd listens on starts the engine first."""

_TAIL: Final = 15
_PID_FILE: Final = "docker.pid"
_OURS: Final = ("hosts", "data-root", "graph", "exec-root", "pidfile", "bridge", "bip", "containerd", "group")
"""Settings of the machine's daemon.json that would collide with those of our own engine."""


def start(address: Address, home: DaemonHome, *, listener: Listener = ignore) -> Daemon | None:
    """Start dockerd at an address, unless an engine answers there.

    Args:
        address: Where it shall listen; a unix socket.
        home: Where it keeps what it has.
        listener: Whom to tell.

    Returns:
        Our engine, ready; None where somebody else's answers.

    Raises:
        EngineError: It cannot be started, or did not come up: the end of its log is in the details.
    """
    path = address.socket_path
    if path is None:
        raise EngineError(
            f"no engine can be started at {address.url} ({address.source}): it is no socket of this machine",
            hint="unset DOCKER_HOST DOCKER_CONTEXT; nixdock engine start",
        )
    found = ping(path)
    if found is PingResult.FORBIDDEN:
        raise EngineError(
            f"an engine listens on {path}, and you may not use it",
            hint=hint_for_group(address),
        )
    if found is PingResult.ENGINE:
        running = home.read()
        return running if running and running.url == address.url else None
    if found is PingResult.SILENCE:
        raise EngineError(f"something listens on {path}, but it does not answer as an engine")
    program = _find_program()
    if os.geteuid() != 0:
        raise _cannot("only root can start an engine")
    with home.locked():
        daemon = home.read()
        if daemon is not None and daemon.url != address.url:
            raise EngineError(
                f"nixdock's engine runs already, on {daemon.url}",
                hint=f"export DOCKER_HOST={daemon.url}; or: nixdock engine stop",
            )
        if daemon is None:
            daemon = _launch(program, address, home, listener)
        _await(daemon, path, home, listener)
    return daemon


def stop(home: DaemonHome, *, listener: Listener = ignore) -> Daemon | None:
    """Stop the engine that `start` started, and no other.

    Args:
        home: Where it keeps what it has; images and volumes stay.
        listener: Whom to tell.

    Returns:
        The engine that was stopped, or None where none of ours ran.

    Raises:
        EngineError: It may not be stopped by this user.
    """
    if home.read() is None:
        return None
    with home.locked():
        daemon = home.read()
        if daemon is None:
            return None
        listener(WorkStarted("engine", Work.WAIT, "the engine to stop"))
        ended = False
        try:
            os.kill(daemon.pid, signal.SIGTERM)
            ended = _wait_for_end(daemon, STOP_SECONDS)
            if not ended:
                listener(Warned(f"the engine did not stop within {STOP_SECONDS} s; it is killed"))
                os.kill(daemon.pid, signal.SIGKILL)
                ended = _wait_for_end(daemon, STOP_SECONDS)
        except PermissionError as error:
            raise _cannot("only root can stop nixdock's engine", verb="stop") from error
        except ProcessLookupError:
            ended = True
        finally:
            listener(WorkFinished("engine", ok=ended))
        _tidy(daemon, home)
    return daemon


def _launch(program: Path, address: Address, home: DaemonHome, listener: Listener) -> Daemon:
    """Prepare the machine and start the process."""
    socket_path = address.socket_path
    for directory in (home.data, home.run, *([socket_path.parent] if socket_path else [])):
        directory.mkdir(parents=True, exist_ok=True)
    _forget_dead(home)
    home.config.write_text(json.dumps(_read_machine_config(listener)), encoding="utf-8")
    if home.log.exists():
        home.log.replace(home.log.with_suffix(".1"))
    prepare_cgroups(listener=listener)
    tables = choose_iptables(home.directory / "bin", listener=listener)
    bridge = home.name if is_another_running() else None
    if bridge:
        listener(Notice(f"another engine runs here, so this one gets the bridge {bridge} instead of docker0"))
        add_bridge(bridge)
    argv: list[str | Path] = [
        program,
        f"--host={address.url}",
        f"--config-file={home.config}",
        f"--data-root={home.data}",
        f"--exec-root={home.run}",
        f"--pidfile={home.run / _PID_FILE}",
        # A containerd of the system's may serve another dockerd, too.
        f"--containerd-namespace={home.name}",
        f"--containerd-plugins-namespace=plugins.{home.name}",
        *tables.options,
        *([f"--bridge={bridge}"] if bridge else []),
    ]
    with home.log.open("wb") as out:
        path = os.pathsep.join([*map(str, tables.directories), search_path()])
        child = process.start(
            argv, stdout=out, stderr=out, env={**os.environ, "PATH": path}, cwd=Path("/"), own_session=True
        )
    daemon = Daemon(child.pid, birth_of(child.pid) or "", address.url, bridge)
    home.write(daemon)
    log.info("engine.started", pid=daemon.pid, url=daemon.url, bridge=bridge)
    return daemon


def _forget_dead(home: DaemonHome) -> None:
    """Remove the pid files of an engine that was killed.

    dockerd takes a process that nobody waits for (PID 1 of a container may well not) for a running
    one, and refuses to start. The rest stays: its containers may still run, and it finds them again.
    """
    for name in (_PID_FILE, "containerd/containerd.pid"):
        path = home.run / name
        try:
            dead = birth_of(int(path.read_text(encoding="utf-8"))) is None
        except (OSError, ValueError):
            continue
        if dead:
            path.unlink()


def _await(daemon: Daemon, path: Path, home: DaemonHome, listener: Listener) -> None:
    """Wait until the engine answers; take away what is left of one that does not."""
    listener(WorkStarted("engine", Work.WAIT, "the engine"))
    end = time.monotonic() + START_SECONDS
    ready = False
    try:
        while time.monotonic() < end and daemon.is_alive:
            ready = ping(path) is PingResult.ENGINE
            if ready:
                return
            time.sleep(0.1)
        reason = f"did not answer within {START_SECONDS} s" if daemon.is_alive else "ended at once"
        raise EngineError(
            f"dockerd was started, and {reason}",
            details=_tail(home.log),
            hint=f"its whole log is {home.log}",
        )
    finally:
        listener(WorkFinished("engine", ok=ready))
        if not ready:
            _end_failed(daemon, home)


def _end_failed(daemon: Daemon, home: DaemonHome) -> None:
    if daemon.is_alive:
        os.kill(daemon.pid, signal.SIGKILL)
        _wait_for_end(daemon, STOP_SECONDS)
    _tidy(daemon, home)


def _wait_for_end(daemon: Daemon, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while daemon.is_alive:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _tidy(daemon: Daemon, home: DaemonHome) -> None:
    """Remove what a stopped engine leaves but its data and log."""
    home.state.unlink(missing_ok=True)
    if daemon.bridge:
        remove_bridge(daemon.bridge)
    for mount in _mounts_below(home.run, home.directory):
        process.run(["umount", "--lazy", mount])
    shutil.rmtree(home.run, ignore_errors=True)


def _mounts_below(*directories: Path) -> list[Path]:
    """Return what is mounted in these directories, the innermost first; a killed dockerd leaves some."""
    paths = [path for path, _ in list_mounts()]
    return sorted((path for path in paths if any(top in path.parents for top in directories)), reverse=True)


def _find_program() -> Path:
    found = shutil.which("dockerd", path=search_path())
    if found is None:
        raise EngineError(
            "dockerd is not installed here, so no engine can be started",
            hint=as_root("apt-get install docker.io"),
        )
    return Path(found)


def _read_machine_config(listener: Listener) -> dict[str, Any]:
    """Return the machine's own daemon.json (mirrors, proxies, MTU) without what would collide."""
    path = Path("/etc/docker/daemon.json")
    try:
        settings = read_daemon_settings(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        listener(Warned(f"{path} is left out of account: {error}"))
        return {}
    return {name: value for name, value in settings.items() if name not in _OURS}


def _tail(path: Path) -> str:
    try:
        return "\n".join(split_lines(path.read_bytes().decode(errors="replace"))[-_TAIL:])
    except OSError:
        return ""


def _cannot(message: str, *, verb: str = "start") -> EngineError:
    return EngineError(message, hint=ourselves_as_root(f"engine {verb}"))


class PingResult(Enum):
    """What came back."""

    ENGINE = auto()
    """An engine answered."""
    NOBODY = auto()
    """Nobody listens there."""
    FORBIDDEN = auto()
    """There is a socket, and we may not use it."""
    SILENCE = auto()
    """Somebody listens, and did not answer as an engine does."""


def ping(path: Path) -> PingResult:
    """Ask whether an engine answers: one plain request, without the docker SDK.

    Args:
        path: The socket.
    """
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(_PING_SECONDS)
        try:
            connection.connect(str(path))
        except PermissionError:
            return PingResult.FORBIDDEN
        except TimeoutError:
            return PingResult.SILENCE
        except OSError:
            return PingResult.NOBODY
        try:
            connection.sendall(_PING)
            status = connection.recv(64).split(b" ")[1:2]
        except ConnectionError:
            return PingResult.NOBODY  # it was just ending
        except OSError:
            return PingResult.SILENCE
        return PingResult.ENGINE if status == [b"200"] else PingResult.SILENCE
