"""The loop of edit, build, load, run: what each turn costs, beside docker and beside the commands by hand."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.check import compare_commands
from benchmarks.measure import Competitor, compare, judge, measure_processor_time, shell
from nixdock.cli import init
from support import engines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.options import Options

IMAGES = Path(__file__).parent / "images"
ENVIRONMENT = 'exports=$(nixdock env); eval "$exports"; env --null'

BY_HAND = """
image=$(nix-build --no-out-link {0})
loaded=$(docker load --quiet < "$image")
docker run --rm "${{loaded#Loaded image: }}"
"""
STREAMED = """
stream=$(nix-build --no-out-link {0})
loaded=$("$stream" | docker load --quiet)
docker run --rm "${{loaded#Loaded image: }}"
"""
FORGET = "docker image ls -q | sort -u | xargs -r docker image rm -f"
MANY_BY_HAND = """
for name in {0}; do docker load --quiet < "$(nix-build --no-out-link {1} -A $name)"; done
"""
SIZES = {200: 5, 1600: 20}
"""Megabytes of an image, and how much faster than by hand an unchanged `up` of it must be."""
PATHS = (1, 60, 600)
"""How many store paths hold the megabytes of the image that is mounted rather than loaded."""


def run(options: Options) -> None:
    """Measure all turns of the loop on one engine, then what needs an engine that knows devices."""
    with open_bench(options.engine, options) as bench:
        _compare_unchanged(bench)
        _compare_edit(bench)
        _compare_watch(bench)
        _tell_what_is_sent(bench)
        _compare_many(bench)
        compare_commands(bench.folder, bench.env, options)
        for size, needed in SIZES.items():
            with bench.large(size, 1) as image:
                _compare_large(bench, image, needed)
        for count in PATHS:
            with bench.large(max(SIZES), count) as image:
                _compare_host_store(bench, image)
    with open_bench("docker-28", options) as bench, bench.large(max(SIZES), 60) as image:
        _compare_device(bench, image)


@dataclass(frozen=True)
class _Large:
    """An image of many bytes.

    Args:
        label: How much is in it.
        words: What names it to nixdock and to Nix.
    """

    label: str
    words: str


@contextmanager
def open_bench(engine: str, options: Options) -> Iterator[Bench]:
    """Have an engine, and a folder with the images' files, as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="nixdock-bench-") as folder, engines.start(engine) as running:
        yield Bench(Path(folder), running.host, options)


class Bench:
    """A folder with the images' files, and an engine."""

    def __init__(self, folder: Path, host: str, options: Options) -> None:
        self.folder = folder
        self.rounds = options.rounds
        shutil.copytree(IMAGES, folder, dirs_exist_ok=True)
        shutil.copy(folder / "app.py", folder / "second.py")
        shutil.copy(Path(init.__file__).parent / "hello-docker.nix", folder)
        said = subprocess.run(["bash", "-euc", ENVIRONMENT], check=True, stdout=subprocess.PIPE, text=True)
        self.env: Mapping[str, str] = {
            **dict(line.split("=", 1) for line in said.stdout.split("\0") if line),
            "DOCKER_HOST": host,
            "NIXDOCK_STATE_DIR": f"{folder}/state",
        }

    def shell(self, command: str) -> None:
        """Run a command here."""
        shell(command, env=self.env, cwd=str(self.folder))()

    def competitor(self, name: str, command: str, prepare: str = ":") -> Competitor:
        """Return a command, and the one that comes before it."""
        return Competitor(name, lambda: self.shell(command), lambda: self.shell(prepare))

    def ask(self, command: str) -> str:
        """Return what a command prints."""
        words = ["bash", "-euo", "pipefail", "-c", command]
        done = subprocess.run(
            words, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}\n{done.stderr[-4000:]}")
        return done.stdout.strip()

    def forget(self) -> None:
        """Have no image on the engine."""
        self.shell(FORGET)

    @contextmanager
    def large(self, size: int, count: int) -> Iterator[_Large]:
        """Have an image of so many megabytes in so many store paths."""
        sources = self.folder / "sources"
        sources.mkdir()
        for number in range(count):
            with (sources / f"part-{number}").open("wb") as file:
                # In hexadecimal, so that it shrinks to half when it is compressed, as programs do.
                for _ in range(10):
                    file.write(secrets.token_hex(size * 50_000 // count).encode())
        paths = self.ask("nix-store --add sources/*").splitlines()
        shutil.rmtree(sources)
        (self.folder / "paths.json").write_text(json.dumps(paths))
        try:
            name = f"large-{size}-{count}"
            yield _Large(
                f"{size} MB in {count} paths", f"large.nix --argstr name {name} --arg paths ./paths.json"
            )
        finally:
            self.forget()
            # With whatever was made of them.
            made = self.ask(f"nix-store --query --referrers-closure {' '.join(paths)}").split()
            derivations = " ".join(path for path in made if path.endswith(".drv"))
            outputs = self.ask(f"nix-store --query --outputs {derivations}").split()
            there = {path for path in (*made, *outputs) if Path(path).exists()}
            self.ask(f"nix-store --delete --ignore-liveness {' '.join(there)}")


def _compare_unchanged(bench: Bench) -> None:
    """Run what is built and loaded already."""
    bench.shell("nixdock up hello-docker.nix")
    image = bench.ask("nixdock load --quiet hello-docker.nix")
    bench.shell(BY_HAND.format("hello-docker.nix"))
    compare(
        "hello-docker.nix, nothing changed",
        [
            bench.competitor("nixdock up", "nixdock up hello-docker.nix"),
            bench.competitor("nixdock up --eval-cache", "nixdock up --eval-cache hello-docker.nix"),
            bench.competitor("docker run --rm", f"docker run --rm {image}"),
            bench.competitor("by hand", BY_HAND.format("hello-docker.nix")),
        ],
        rounds=bench.rounds,
    )
    for command, limit in (("up", 0.45), ("load", 0.2)):
        measure_processor_time(
            ["nixdock", command, "hello-docker.nix"], env=bench.env, cwd=str(bench.folder), limit=limit
        )


def _compare_edit(bench: Bench) -> None:
    """Change one line of a service's script, and have its output."""
    edit = 'echo "# $RANDOM$RANDOM" >> app.py'
    ways = {
        "nixdock up": "nixdock up service.nix -A ours",
        "nixdock up --host-store": "nixdock up --host-store service.nix -A ours",
        "nixdock up, nixpkgs' order": "nixdock up service.nix -A theirs",
        "by hand": BY_HAND.format("service.nix -A archive"),
        "by hand, streamed": STREAMED.format("service.nix -A theirs"),
    }
    for command in ways.values():
        bench.shell(command)
    image = bench.ask("nixdock load --quiet service.nix -A ours")
    competitors = [bench.competitor(name, command, edit) for name, command in ways.items()]
    competitors.append(bench.competitor("docker run --rm, nothing changed", f"docker run --rm {image}"))
    compare("one line of a Python script changed", competitors, rounds=bench.rounds)
    # Debian's skopeo reads no compressed archive.
    copy = """
    "$(nix-build --no-out-link service.nix -A theirs)" > image.tar
    skopeo copy --quiet --insecure-policy --dest-daemon-host "$DOCKER_HOST" \
      docker-archive:image.tar docker-daemon:service:skopeo
    """
    compare(
        "the same, loaded only",
        [
            bench.competitor("nixdock load", "nixdock load service.nix -A ours", edit),
            bench.competitor("skopeo copy", copy, edit),
        ],
        rounds=bench.rounds,
    )
    bench.forget()


def _compare_watch(bench: Bench) -> None:
    """Save one line of a web service, and have its answer from the new one."""
    watched, by_docker = _free_port(), _free_port()
    source = bench.folder / "web.py"

    def save() -> None:
        answer = secrets.token_hex(8)
        text = re.sub('^ANSWER = ".*"$', f'ANSWER = "{answer}"', source.read_text(), flags=re.MULTILINE)
        source.write_text(text)
        await_ready()
        _await_answer(watched, answer)

    image = bench.ask("nixdock load --quiet service.nix -A web")
    run = f"docker run --detach --name by-docker --publish 127.0.0.1:{by_docker}:8000 {image}"

    def run_by_hand() -> None:
        bench.shell(run)
        _await_answer(by_docker, "first")

    watch = ["nixdock", "watch", "service.nix", "-A", "web", "--publish", f"127.0.0.1:{watched}:8000"]
    process = subprocess.Popen(
        watch,
        cwd=bench.folder,
        env=bench.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def await_ready() -> None:
        # Whoever asks while there is no container has the kernel look for its address a second long.
        if process.stderr is None or not any("the service is ready" in line for line in process.stderr):
            raise RuntimeError("watch has ended")

    try:
        await_ready()
        _await_answer(watched, "first")
        # What it does after a start is not of the first measured round.
        time.sleep(2)
        turn, start, stop = compare(
            "one line of a web service saved, until the new one answers",
            [
                Competitor("nixdock watch", save, lambda: time.sleep(2)),
                Competitor("docker run", run_by_hand, lambda: bench.shell("docker rm -f by-docker")),
                bench.competitor("docker stop --time 1", "docker stop --time 1 by-docker"),
            ],
            rounds=bench.rounds,
        ).values()
        most = 2 * start + stop
        sys.stdout.write(
            f"  watch must take at most twice the run and the stop, {most:.3f} s: {judge(turn <= most)}\n"
        )
    finally:
        process.terminate()
        process.wait()
        bench.shell("docker rm -f by-docker")
        bench.forget()


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def _await_answer(port: int, answer: str, seconds: float = 60) -> None:
    """Ask a web service until it answers with this."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # A port that is published before anybody listens resets what connects to it.
        with (
            suppress(OSError, http.client.HTTPException),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as response,
        ):
            if response.read().decode() == answer:
                return
        time.sleep(0.01)
    raise RuntimeError(f"port {port} does not answer {answer!r}")


def _tell_what_is_sent(bench: Bench) -> None:
    """Print what the engine is sent after a change: in the set's order of layers, and in nixpkgs'."""
    sys.stdout.write("\nsent to the engine\n")
    for order in ("ours", "theirs"):
        turns = (
            ("first", order, ":", "1"),
            ("script edited", order, 'echo "# edited" >> app.py', "1"),
            ("library changed", order, ":", "2"),
            ("second image", f"{order}Second", ":", "2"),
        )
        for turn, attribute, before, library in turns:
            bench.shell(before)
            said = bench.ask(f"nixdock load --json service.nix -A {attribute} --argstr library {library}")
            loaded: dict[str, Any] = json.loads(said)[0]
            sys.stdout.write(
                f"  {order:<6} {turn:<15}  {loaded['sent_layers']:>3} of {loaded['layers']} layers, "
                f"{loaded['sent'] / 1e6:8.3f} of {loaded['size'] / 1e6:.1f} MB\n"
            )
        bench.forget()
    sys.stdout.flush()


def _compare_many(bench: Bench, count: int = 30) -> None:
    """Have many images of one interpreter on the engine, from new scripts."""
    names = " ".join(f"image-{number}" for number in range(count))

    def anew() -> str:
        return f"many.nix --argstr count {count} --argstr salt {secrets.token_hex(8)}"

    def prepare() -> None:
        bench.forget()

    compare(
        f"{count} images, new scripts, nothing on the engine",
        [
            Competitor("nixdock load", lambda: bench.shell(f"nixdock load {anew()}"), prepare),
            Competitor("by hand", lambda: bench.shell(MANY_BY_HAND.format(names, anew())), prepare),
        ],
        rounds=bench.rounds,
        needed={"by hand": 3},
    )
    bench.forget()


def _compare_large(bench: Bench, image: _Large, needed: float) -> None:
    """Run a large image that is built and loaded already."""
    words = f"{image.words} -A archive"
    bench.shell(f"nixdock up {words}")
    loaded = bench.ask(f"nixdock load --quiet {words}")
    compare(
        f"{image.label}, nothing changed",
        [
            bench.competitor("nixdock up", f"nixdock up {words}"),
            bench.competitor("docker run --rm", f"docker run --rm {loaded}"),
            bench.competitor("by hand", BY_HAND.format(words)),
        ],
        rounds=bench.rounds,
        needed={"by hand": needed},
    )


def _compare_host_store(bench: Bench, image: _Large) -> None:
    """Run a large image for the first time: mounted, and loaded."""
    words = f"{image.words} -A stream"
    bench.shell(f"nixdock build {words} --no-out-link")
    compare(
        f"{image.label}, first run",
        [
            bench.competitor("nixdock up --host-store", f"nixdock up --host-store {words}", FORGET),
            bench.competitor("nixdock up", f"nixdock up {words}", FORGET),
            bench.competitor("by hand, streamed", STREAMED.format(words), FORGET),
        ],
        rounds=bench.rounds,
        needed={"nixdock up": 10},
    )


def _compare_device(bench: Bench, large: _Large) -> None:
    """Run a large image for the first time: as a device of docker's own, and loaded."""
    words = f"{large.words} -A stream"
    bench.shell(f"nixdock build {words} --no-out-link")
    device = f"nixdock device add --name bench {words}"
    container = "docker run --rm --device nixdock.io/closure=bench nixdock.invalid/closure/bench"
    forget = f"nixdock device rm --force bench || true; {FORGET}"
    compare(
        f"{large.label}, first run on Docker 28",
        [
            bench.competitor("nixdock device add; docker run", f"{device}; {container}", forget),
            bench.competitor("nixdock up --host-store", f"nixdock up --host-store {words}", forget),
            bench.competitor("nixdock up", f"nixdock up {words}", forget),
        ],
        rounds=bench.rounds,
        needed={"nixdock up": 10},
    )
    bench.shell(forget)
