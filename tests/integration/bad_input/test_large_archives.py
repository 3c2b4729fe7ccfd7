"""Archives far larger than the memory that nixdock may have; and those that are not read at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import tarfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from support.archives import program_layer
from support.nix import PROGRAM

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

SIZE = 300 << 20
MEMORY = 120_000_000
PIECE = bytes(1 << 20)
NAME = "nixdock-test-zeros:1"


@dataclass(frozen=True)
class Measured:
    """How a run ended, and what it took."""

    status: int
    stdout: str
    stderr: str
    peak: int
    read: int


def watch_memory(pid: int, peaks: list[int]) -> None:
    """Note the most memory of a process until it has ended; `ru_maxrss` counts ours, from before exec."""
    while found := re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()):
        peaks.append(int(found[1]) * 1024)
        time.sleep(0.01)


def measure(nixdock: Nixdock, *words: str | Path, stdin: IO[bytes] | None = None) -> Measured:
    """Run the program; its most memory and all that it read are the kernel's own counts."""
    with subprocess.Popen(
        [PROGRAM, *map(str, words)],
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=nixdock.environment,
        cwd=nixdock.folder,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        peaks = [0]
        watch = threading.Thread(target=watch_memory, args=(process.pid, peaks))
        watch.start()
        stdout, stderr = process.stdout.read(), process.stderr.read()
        watch.join()
        # Counts outlive the process until somebody waits for it.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        counts = dict(line.split(": ") for line in Path(f"/proc/{process.pid}/io").read_text().splitlines())
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(process.returncode, stdout.decode(), stderr.decode(), peaks[-1], int(counts["rchar"]))


def write_zeros(out: IO[bytes]) -> None:
    """Write a docker-archive that runs, and has a layer with one long file of zeros."""
    member = tarfile.TarInfo("zeros")
    member.size = SIZE
    head, tail = member.tobuf(tarfile.GNU_FORMAT), bytes(1024)
    digest = hashlib.sha256(head)
    for _ in range(SIZE // len(PIECE)):
        digest.update(PIECE)
    digest.update(tail)
    program = program_layer()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/busybox", "echo", "light"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(program).hexdigest()}", f"sha256:{digest.hexdigest()}"],
        },
    }
    manifest = [{"Config": "config.json", "RepoTags": [NAME], "Layers": ["program.tar", "zeros.tar"]}]

    def write_header(name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        out.write(info.tobuf(tarfile.GNU_FORMAT))

    def write(name: str, data: bytes) -> None:
        write_header(name, len(data))
        out.write(data + bytes(-len(data) % 512))

    write("program.tar", program)
    write_header("zeros.tar", len(head) + SIZE + len(tail))
    out.write(head)
    for _ in range(SIZE // len(PIECE)):
        out.write(PIECE)
    out.write(tail)
    write("config.json", json.dumps(config).encode())
    write("manifest.json", json.dumps(manifest).encode())
    out.write(bytes(1024))


@pytest.mark.parametrize("form", ["plain", "gzip", "pipe"])
def test_zeros_without_end_take_no_memory_and_are_read_once(
    form: str, nixdock: Nixdock, engine: Engine, tmp_path: Path
) -> None:
    archive = tmp_path / "zeros.tar"
    with archive.open("wb") if form == "plain" else gzip.open(archive, "wb", 1) as out:
        write_zeros(out)  # type: ignore[arg-type]

    def load() -> Measured:
        if form != "pipe":
            return measure(nixdock, "load", archive)
        with subprocess.Popen(["cat", archive], stdout=subprocess.PIPE) as source:
            return measure(nixdock, "load", stdin=source.stdout)

    try:
        first = load()
        assert (first.status, first.stdout) == (0, f"Loaded image: {NAME}\n"), first.stderr
        assert 0 < first.peak < MEMORY
        again = load()
        assert (again.status, again.stdout) == (0, first.stdout), again.stderr
        assert 0 < again.peak < MEMORY
        if form == "plain":
            # The engine has it, and that is known without any of its layers; the rest is Python's modules.
            assert again.read < SIZE // 8
            assert first.read > SIZE
        if form != "pipe":
            assert nixdock("up", archive).stdout == "light\n"
    finally:
        engine.docker("rmi", "--force", NAME)


def test_zeros_that_are_no_archive_take_no_memory(nixdock: Nixdock, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", 1) as out:
        for _ in range(SIZE // len(PIECE)):
            out.write(PIECE)
    refused = measure(nixdock, "load", bomb)
    assert (refused.status, refused.stdout) == (121, "")
    assert f"nixdock: {bomb} is compressed, but what is in it is no image archive\n" in refused.stderr
    assert 0 < refused.peak < MEMORY
