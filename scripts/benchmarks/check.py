"""Checking beside `docker run` and container-structure-test; and files beside reading the layers once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.corpus import Corpus
from benchmarks.measure import Competitor, compare, shell
from support import engines
from support.archives import docker_archive, runnable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.options import Options

COMMANDS = 100
FILES = 1000
IMAGE = "bench:1"
LARGE = 1600
"""Megabytes of the image of a full run."""


def run(options: Options) -> None:
    """Measure commands, then files."""
    with tempfile.TemporaryDirectory(prefix="nixdock-bench-") as folder:
        own = dict.fromkeys(("XDG_CACHE_HOME", "XDG_STATE_HOME"), f"{folder}/home")
        env = {**os.environ, **own}
        compare_commands(Path(folder), env, options)
        _compare_files(Path(folder), env, options)


def compare_commands(folder: Path, env: Mapping[str, str], options: Options) -> None:
    """Run the same commands by nixdock, one by one by docker, and by the original program."""
    checks = {
        f"command {number}": {"exec": ["/bin/busybox", "echo", str(number)], "stdout": f"{number}\n"}
        for number in range(COMMANDS)
    }
    tests = [
        {
            "name": f"command {number}",
            "command": "/bin/busybox",
            "args": ["echo", str(number)],
            "expectedOutput": [f"^{number}\n$"],
        }
        for number in range(COMMANDS)
    ]
    (folder / "suite.checks.json").write_text(json.dumps({"checks": checks}))
    (folder / "theirs.json").write_text(json.dumps({"schemaVersion": "2.0.0", "commandTests": tests}))
    one_by_one = (
        f"for n in $(seq 0 {COMMANDS - 1}); do "
        f'[ "$(docker run --rm {IMAGE} /bin/busybox echo $n)" = $n ]; done'
    )
    with engines.start(options.engine) as engine:
        engine.docker("load", stdin=docker_archive(runnable(tags=(IMAGE,))))
        env = {**env, "DOCKER_HOST": engine.host}

        def competitor(name: str, command: str) -> Competitor:
            return Competitor(name, shell(command, env=env, cwd=str(folder)))

        compare(
            f"{COMMANDS} commands",
            [
                competitor("nixdock check", f"nixdock check {IMAGE} --checks suite.checks.json"),
                competitor("docker run", one_by_one),
            ],
            rounds=options.rounds,
            needed={"docker run": 10},
        )
        original = "container-structure-test test"
        compare(
            f"{COMMANDS} commands in a file for container-structure-test",
            [
                competitor("nixdock check", f"nixdock check {IMAGE} --config theirs.json"),
                competitor(original, f"{original} --image {IMAGE} --config theirs.json"),
            ],
            rounds=options.rounds,
            needed={original: 20},
        )


def _compare_files(folder: Path, env: Mapping[str, str], options: Options) -> None:
    """Check files of an archive with the index made before, and without."""
    corpus = Corpus(folder / "images", LARGE if options.full else options.size, options.layers)
    image = corpus.archive("a")
    packed = corpus.compress(image)
    checks = _expect_files(image.tar)
    (folder / "files.checks.json").write_text(json.dumps({"checks": checks}))
    closed = {"checks": {"closed": {"closure": {"complete": True}}}}
    (folder / "content.checks.json").write_text(json.dumps(closed))
    env = {**env, "DOCKER_HOST": "unix:///nowhere/docker.sock"}

    def check(path: Path, suite: str = "files") -> Competitor:
        command = f"nixdock check {path} --checks {suite}.checks.json"
        return Competitor(f"nixdock check, {path.name}", shell(command, env=env, cwd=str(folder)), forget)

    def forget() -> None:
        shutil.rmtree(folder / "home", ignore_errors=True)

    def read(path: Path) -> Competitor:
        # As docker reads it: every byte, and the digest of each layer; here of all in one.
        opener = "gzip -dc" if path == packed else "cat"
        return Competitor(
            f"reading {path.name} once", shell(f"{opener} {path} | sha256sum", env=env, cwd=str(folder))
        )

    for path in (image.tar, packed):
        compare(
            f"{len(checks)} files, no index yet, {corpus.label}",
            [check(path), read(path)],
            rounds=options.rounds,
        )
        compare(
            f"an index of all content, {corpus.label}",
            [check(path, "content"), read(path)],
            rounds=options.rounds,
            needed={read(path).name: 1} if options.full else {},
        )
        warm = check(path)
        warm.work()
        compare(
            f"{len(checks)} files, after the index, {corpus.label}",
            [Competitor(warm.name, warm.work), read(path)],
            rounds=options.rounds,
            limit=2,
        )
    corpus.remove()


def _expect_files(archive: Path) -> dict[str, object]:
    """Return a check for each of many files of an archive: size, mode, owner, and of some the content."""
    checks: dict[str, object] = {}
    with tarfile.open(archive) as outer:
        for member in outer:
            if not member.name.endswith("layer.tar"):
                continue
            layer = outer.extractfile(member)
            if layer is None:
                raise RuntimeError(f"{member.name} is no file")
            with tarfile.open(fileobj=layer) as inner:
                for file in inner:
                    wanted: dict[str, object] = {"file": f"/{file.name}", "size": file.size, "mode": "0644"}
                    if file.size < 10_000:
                        data = inner.extractfile(file)
                        wanted["sha256"] = hashlib.sha256(data.read() if data else b"").hexdigest()
                    checks[f"file {len(checks)}"] = {**wanted, "uid": 0, "gid": 0}
    names = list(checks)
    # From all layers alike, and as many as there are to be: some files are then checked again.
    return {f"check {number}": checks[names[number * 7 % len(names)]] for number in range(FILES)}
