"""Engines that are made to fail: killed and started again, or on a disk that is too small."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import debian
from support.engines import DOCKER_28, Engine, _add_bridge, _remove

PATIENCE = 60.0


class FragileEngine:
    """A Docker engine that can be killed and started again upon what it kept.

    Args:
        name: As in `support.engines`.
        root: The folder of everything that it keeps.
        bridge: The name of its own bridge.
    """

    def __init__(self, name: str, root: Path, bridge: str) -> None:
        self.name = name
        self.root = root
        self.host = f"unix://{root}/docker.sock"
        self._bridge = bridge
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = dict(os.environ)
        if name != "docker-20":
            programs = debian.unpack("sid", *DOCKER_28)
            path = f"{programs}/usr/sbin:{programs}/usr/bin:{self._environment['PATH']}"
            self._environment["PATH"] = path
        features = {"containerd-snapshotter": True} if name.endswith("containerd") else {}
        (root / "daemon.json").write_text(json.dumps({"features": features} if features else {}))

    @property
    def engine(self) -> Engine:
        """The engine as other tests know it."""
        assert self._process is not None
        return Engine(self.name, self.host, self.root, self._process.pid)

    @property
    def data(self) -> Path:
        """Its data root."""
        return self.root / "data"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.root / "log").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    shutil.which("dockerd", path=self._environment["PATH"]) or "dockerd",
                    f"--config-file={self.root}/daemon.json",
                    f"--data-root={self.data}",
                    f"--exec-root={self.root}/exec",
                    f"--pidfile={self.root}/pid",
                    f"--bridge={self._bridge}",
                    # Nothing here needs a network: other engines' rules stay as they are.
                    "--iptables=false",
                    "--ip6tables=false",
                    f"--host={self.host}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.engine.docker("version")
            except AssertionError:
                assert self._process.poll() is None, (self.root / "log").read_text()[-4000:]
                time.sleep(0.2)
            else:
                return
        raise AssertionError((self.root / "log").read_text()[-4000:])

    def kill(self) -> None:
        """Kill it without warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # Its containerd dies with it, but in a container nobody may reap that: to a new engine the
        # number in the file would seem to live.
        for pid in ("pid", "exec/containerd/containerd.pid"):
            (self.root / pid).unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def leftovers(self) -> list[Path]:
        """Return what an unfinished load left in its folder for temporary files."""
        return [
            path for path in (self.data / "tmp").glob("*") if path.name.startswith(("docker-import", "tmp"))
        ]


@contextmanager
def fragile(name: str, *, disk: int | None = None) -> Iterator[FragileEngine]:
    """Run an engine while the block lasts.

    Args:
        name: As in `support.engines`.
        disk: Bytes of the file system that it keeps everything on; this machine's when None.
    """
    root = Path(tempfile.mkdtemp(prefix=f"nixdock-fragile-{name}-"))
    bridge = f"ndf{root.name[-8:]}"
    _add_bridge(bridge)
    if disk is not None:
        options = ["-t", "tmpfs", "-o", f"size={disk}", "none", str(root)]
        subprocess.run(["mount", *options], check=True)
    engine = FragileEngine(name, root, bridge)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)
        if disk is not None:
            subprocess.run(["umount", "--lazy", root], check=False)
        _remove(root)
