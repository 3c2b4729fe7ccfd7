"""Loading beside `docker load` and `skopeo copy`: unchanged, one layer changed, for the first time."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.corpus import Corpus, tiny_images
from benchmarks.measure import Competitor, compare, judge, measure_memory, shell
from support import engines

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.corpus import Archive
    from benchmarks.options import Options

SHAPES = ((10, 60), (200, 1), (200, 10), (200, 60), (200, 100), (1600, 60))
"""Megabytes and layers of the images of a full run: each is varied while the other stays."""

FEW = 10
MANY = 1000
"""Images that an engine of a full run has."""

MEMORY = 120_000_000
"""Bytes that nixdock may hold at once, whatever the size of the image."""

LARGE = 1600
"""Megabytes from which on the ratios are promised: with less, starting the programs is what takes time."""


@dataclass(frozen=True)
class Bench:
    """An engine, and nixdock with a memory of its own."""

    host: str
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of all programs."""
        own = {name: str(self.folder / "home") for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
        return {**os.environ, **own, "DOCKER_HOST": self.host}

    def do(self, command: str) -> Callable[[], None]:
        """Return the running of a command."""
        return shell(command, env=self.env, cwd=str(self.folder))

    def nixdock(self, path: Path) -> Callable[[], None]:
        """Return the loading by nixdock."""
        return self.do(f"nixdock load {path}")

    def docker(self, path: Path) -> Callable[[], None]:
        """Return the loading by docker."""
        return self.do(f"docker load < {path}")

    def skopeo(self, image: Archive) -> Callable[[], None]:
        """Return the loading by skopeo."""
        return self.do(
            "skopeo copy --insecure-policy "
            f"--dest-daemon-host {self.host} docker-archive:{image.tar} docker-daemon:{image.tag}"
        )

    def remove(self, tag: str) -> None:
        """Remove an image, if it is there."""
        self.do(f"docker image rm -f {tag} || true")()

    def forget(self) -> None:
        """Make nixdock forget all that it learned."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)


def run(options: Options) -> None:
    """Measure every case of every shape."""
    shapes = SHAPES if options.full else ((options.size, options.layers),)
    with tempfile.TemporaryDirectory(prefix="nixdock-bench-") as folder:
        with engines.start(options.engine) as engine:
            bench = Bench(engine.host, Path(folder))
            for megabytes, layers in shapes:
                corpus = Corpus(Path(folder) / "images", megabytes, layers)
                try:
                    _compare_archives(bench, corpus, options.rounds)
                    _compare_streams(bench, corpus, options.rounds)
                finally:
                    corpus.remove()
        _compare_crowds(options, Path(folder))


def _compare_archives(bench: Bench, corpus: Corpus, rounds: int) -> None:
    image, other = corpus.archive("a"), corpus.archive("b")
    packed = corpus.compress(image)
    large = corpus.megabytes >= LARGE

    def begin() -> None:
        bench.remove(image.tag)
        bench.forget()

    compare(
        f"first load, {corpus.label}",
        [
            Competitor("nixdock load", bench.nixdock(image.tar), begin),
            Competitor("nixdock load, gzip", bench.nixdock(packed), begin),
            Competitor("docker load", bench.docker(image.tar), begin),
            Competitor("docker load, gzip", bench.docker(packed), begin),
            Competitor("skopeo copy", bench.skopeo(image), begin),
        ],
        rounds=rounds,
        needed={"docker load": 1, "docker load, gzip": 1},
    )
    for path in (image.tar, packed):
        bench.remove(image.tag)
        _tell_memory(bench, path)
    compare(
        f"unchanged, {corpus.label}",
        [
            Competitor("nixdock load", bench.nixdock(image.tar)),
            Competitor("nixdock load, gzip", bench.nixdock(packed)),
            Competitor("docker load", bench.docker(image.tar)),
            Competitor("docker load, gzip", bench.docker(packed)),
            Competitor("skopeo copy", bench.skopeo(image)),
        ],
        rounds=rounds,
        needed={"docker load": 9, "docker load, gzip": 20} if large else {},
        limit=0.5,
    )

    def remove_other() -> None:
        bench.remove(other.tag)

    if corpus.layers > 1:
        compare(
            f"top layer changed, {corpus.label}",
            [
                Competitor("nixdock load", bench.nixdock(other.tar), remove_other),
                Competitor("docker load", bench.docker(other.tar), remove_other),
                Competitor("skopeo copy", bench.skopeo(other), remove_other),
            ],
            rounds=rounds,
            needed={"docker load": 20, "skopeo copy": 20} if large else {},
        )
    remove_other()
    bench.remove(image.tag)


def _compare_streams(bench: Bench, corpus: Corpus, rounds: int) -> None:
    """Compare the reading of store paths with the script that dockerTools makes for them."""
    with corpus.streamed() as (conf, tag):
        ready = corpus.folder / "streamed.tar"
        script = f"{sys.executable} -m nixdock.nixpkgs.dockertools.stream_image {conf}"
        bench.do(f"{script} > {ready}")()

        def begin() -> None:
            bench.remove(tag)
            bench.forget()

        compare(
            f"first load of a streamed image, {corpus.label}",
            [
                Competitor("nixdock load", bench.nixdock(conf), begin),
                Competitor("script | docker load", bench.do(f"{script} | docker load"), begin),
                Competitor("docker load, tar made before", bench.docker(ready), begin),
            ],
            rounds=rounds,
            needed={"script | docker load": 1.1, "docker load, tar made before": 1 / 1.15},
        )
        begin()
        _tell_memory(bench, conf)
        compare(
            f"streamed image, unchanged, {corpus.label}",
            [
                Competitor("nixdock load", bench.nixdock(conf)),
                Competitor("script | docker load", bench.do(f"{script} | docker load")),
            ],
            rounds=rounds,
            limit=0.5,
        )
        bench.remove(tag)


def _tell_memory(bench: Bench, path: Path) -> None:
    held = measure_memory(["nixdock", "load", "--quiet", str(path)], env=bench.env, cwd=str(bench.folder))
    sys.stdout.write(
        f"  nixdock load of {path.name} held {held / 1e6:.0f} MB, "
        f"must be under {MEMORY / 1e6:.0f} MB: {judge(held < MEMORY)}\n"
    )


def _compare_crowds(options: Options, folder: Path) -> None:
    """Compare an engine that has few images with one that has many."""
    many = MANY if options.full else options.images
    corpus = Corpus(folder / "images", 10, 10)
    first, second = corpus.archive("a"), corpus.archive("b")
    with engines.start(options.engine) as crowded, engines.start(options.engine) as empty:
        benches = {many: Bench(crowded.host, folder / "many"), FEW: Bench(empty.host, folder / "few")}
        for count, bench in benches.items():
            bench.folder.mkdir()
            for start in range(0, count, 100):
                archive = tiny_images(start, min(start + 100, count))
                (crowded if count == many else empty).docker("load", stdin=archive)
            bench.nixdock(first.tar)()

        def forget_second(bench: Bench) -> Callable[[], None]:
            return lambda: bench.remove(second.tag)

        few = f"{FEW} images"
        compare(
            f"unchanged, an engine of many images, {corpus.label}",
            [Competitor(f"{count} images", bench.nixdock(first.tar)) for count, bench in benches.items()],
            rounds=max(options.rounds, 5),
            needed={few: 1 / 1.2},
        )
        compare(
            f"top layer changed, an engine of many images, {corpus.label}",
            [
                Competitor(f"{count} images", bench.nixdock(second.tar), forget_second(bench))
                for count, bench in benches.items()
            ],
            rounds=max(options.rounds, 5),
            needed={few: 1 / 1.2},
        )
    corpus.remove()
