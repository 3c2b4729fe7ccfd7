"""Small images for tests that run containers, and what those tests ask of an engine."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.image.manifest import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.engines import Engine
    from support.program import Nixdock, Run

APPLETS = (
    *("cat", "dd", "echo", "env", "false", "grep", "head", "id", "kill", "ls", "nc", "od", "printf", "pwd"),
    *("seq", "sh", "sleep", "stty", "test", "touch", "tr", "true", "tty", "wc", "yes"),
)
MACHINE = Platform.of_this_machine().architecture
FOREIGN = bytes.fromhex(
    # The header of an ELF program for AArch64 without anything to load: execve looks no further.
    "7f454c46020101000000000000000000 0200b70001000000 7800400000000000 4000000000000000"
    "0000000000000000 00000000 4000 3800 0000 4000 0000 0000"
) + bytes(64)


def make_root(extra: dict[str, tuple[bytes, int]] | None = None) -> bytes:
    """Return the tar of a root file system with a static busybox, and further files with their modes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name, (data, mode) in (extra or {}).items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def make_archive(name: str, layer: bytes, config: dict[str, Any], architecture: str) -> bytes:
    """Return a docker-archive of one layer."""
    document = {
        "architecture": architecture,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "1970-01-01T00:00:01Z"}],
        "created": "1970-01-01T00:00:01Z",
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file, data in (
            ("config.json", json.dumps(document).encode()),
            ("layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            member = tarfile.TarInfo(file)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read_peak_memory(pid: int) -> int:
    """Return the most memory that a process had at one time, in bytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) * 1024


class Box:
    """An engine with small images on it.

    Args:
        nixdock: The program, speaking to the engine.
        engine: The engine.
    """

    IMAGE = "nixdock-test-box:1"

    def __init__(self, nixdock: Nixdock, engine: Engine) -> None:
        self.nixdock = nixdock
        self.engine = engine

    def make_image(
        self,
        name: str,
        config: dict[str, Any] | None = None,
        *,
        extra: dict[str, tuple[bytes, int]] | None = None,
        architecture: str = MACHINE,
    ) -> str:
        """Load an image with busybox, unless it is there; return its name."""
        if not self.engine.docker("images", "-q", name).strip():
            self.engine.docker("load", stdin=make_archive(name, make_root(extra), config or {}, architecture))
        return name

    def __call__(self, *words: str | Path, **options: Any) -> Run:
        """Run nixdock to its end."""
        return self.nixdock(*words, **options)

    def start(self, *words: str) -> Running:
        """Start nixdock and go on."""
        return Running(self.nixdock.start(*words))

    def containers(self, *states: str) -> list[dict[str, Any]]:
        """Return the containers that nixdock made, in these states or in any."""
        words = [word for state in states for word in ("--filter", f"status={state}")]
        text = self.engine.docker(
            "ps", "-a", "--no-trunc", "--filter", "label=io.nixdock.run", "--format", "{{json .}}", *words
        )
        return [json.loads(line) for line in text.splitlines()]

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what the engine says of a container."""
        found: dict[str, Any] = json.loads(self.engine.docker("inspect", container))[0]
        return found


@dataclass
class Running:
    """A nixdock that runs."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def read_line(self) -> str:
        """Wait for a line of its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode()

    def read_error_line(self) -> str:
        """Wait for a line of its standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return status, standard output and error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def wait_until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for something that another program does; fail when it does not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def box(nixdock: Nixdock, engine: Engine) -> Iterator[Box]:
    """nixdock on the engine that Debian 12 installs, with a busybox image; nothing may be left behind."""
    yield from _boxed(nixdock, engine)


@pytest.fixture
def any_box(nixdock: Nixdock, any_engine: Engine) -> Iterator[Box]:
    """The same on each supported engine."""
    yield from _boxed(nixdock.at(any_engine), any_engine)


def _boxed(nixdock: Nixdock, engine: Engine) -> Iterator[Box]:
    box = Box(nixdock, engine)
    box.make_image(Box.IMAGE, {"Cmd": ["/bin/sh", "-c", "echo hello from the box"]})
    yield box
    left = box.containers()
    for container in left:
        engine.docker("rm", "-fv", container["ID"])
    assert [container["Names"] for container in left] == [], "a test must clean up by nixdock's own commands"
