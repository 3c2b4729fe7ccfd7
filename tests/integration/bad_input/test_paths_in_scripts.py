"""A script is run only where it is valid in the Nix store, and so is the conf that it is given."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.formats import open_images
from nixdock.formats.memory import Memory
from nixdock.image.reference import Digest
from support.archives import Sample, docker_archive, layer, runnable

from .place import INVALID, NAMED, OUTSIDE, Place, conf_of, linked, refuse, store_script, write_conf

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock


def named(place: Place, conf: object, script: Path | None = None) -> Path:
    """Write a script as streamLayeredImage's, which is given a conf."""
    return place.script(script or place.given / "stream", f'exec /bin/cat "{conf}" "$@"')


NO_SCRIPT = "no script of the Nix store"


SCRIPTS: dict[str, tuple[Callable[[Place], Path], str]] = {
    "named like a store path": (lambda p: p.script(p.outside.parent / "given" / NAMED), NO_SCRIPT),
    "in a folder named so": (lambda p: p.script(p.given / f"{NAMED}d" / "bin" / "stream"), NO_SCRIPT),
    "in a store that is none": (lambda p: p.script(p.given / "nix" / "store" / NAMED), NO_SCRIPT),
    "in no store at all": (lambda p: p.script(p.given / "plain"), NO_SCRIPT),
    "in the store, not Nix's": (lambda p: Path(p.junk("script", p.script)), INVALID),
    "below what is not Nix's": (
        lambda p: p.script(Path(p.junk("scripts", Path.mkdir)) / "bin" / "x"),
        INVALID,
    ),
    "not executable": (lambda p: store_script(p, "plain-script", mode=0o444), NO_SCRIPT),
    "a link out of a store path": (lambda p: Path(f"{p.tree}/out/script"), NO_SCRIPT),
    "a store path that links out": (lambda p: Path(p.link_to("script")), NO_SCRIPT),
    "up from the store": (lambda p: Path(f"{p.store}/../outside/script"), NO_SCRIPT),
    "the user's link to one outside": (lambda p: linked(p, str(p.outside / "script")), NO_SCRIPT),
    "the user's link to what is not Nix's": (lambda p: linked(p, p.junk("script", p.script)), INVALID),
    "with a conf outside": (lambda p: named(p, write_conf(p, conf_of(p), p.outside)), OUTSIDE),
    "with a conf up from the store": (
        lambda p: named(p, f"{p.store}/../outside/{write_conf(p, conf_of(p), p.outside).name}"),
        OUTSIDE,
    ),
    "with a conf not Nix's": (
        lambda p: named(p, p.junk("x-conf.json", lambda path: path.write_text(json.dumps(conf_of(p))))),
        INVALID,
    ),
    "with a conf that links out": (
        lambda p: named(p, p.add("y-conf.json", lambda path: path.symlink_to(p.outside / "secret"))),
        OUTSIDE,
    ),
    "with a conf that was collected": (
        lambda p: named(p, p.store / f"{'0' * 32}-conf.json"),
        "does not exist",
    ),
    "with a conf that is no JSON": (
        lambda p: named(p, p.add("z-conf.json", lambda path: path.write_text("{"))),
        "is no JSON",
    ),
    "with a conf nested without end": (
        lambda p: named(p, p.add("n-conf.json", lambda path: path.write_text("[" * 100_000))),
        "is no JSON",
    ),
    "with a conf that names what is outside": (
        lambda p: named(
            p,
            p.add(
                "o-conf.json",
                lambda path: path.write_text(json.dumps(conf_of(p, store_layers=[[str(p.outside)]]))),
            ),
        ),
        OUTSIDE,
    ),
    "of the store, with a conf outside": (
        lambda p: store_script(
            p, "stream-out", f'exec /bin/cat "{write_conf(p, conf_of(p), p.outside)}" "$@"'
        ),
        OUTSIDE,
    ),
}


@pytest.mark.parametrize("row", SCRIPTS)
def test_a_script_outside_of_the_store_is_not_run(row: str, place: Place, memory: Memory) -> None:
    make, words = SCRIPTS[row]
    path = make(place)
    assert re.search(words, refuse(path, place, memory).message)


def test_a_script_of_the_store_is_run(place: Place, memory: Memory) -> None:
    image = place.add("image.tar", lambda path: path.write_bytes(docker_archive(Sample((layer("a"),)))))
    told: list[Any] = []
    script = store_script(place, "stream-good", f"cat {image}")
    (one,) = open_images(linked(place, str(script)), memory=memory, listener=told.append)
    assert one.diff_ids == (Digest.of(layer("a")),)
    assert place.ran.exists()
    place.ran.unlink()
    assert told[0].text == f"running {script}, which this command did not build: it writes the image"


def test_no_command_runs_a_script_that_is_not_nixs_or_not_to_be_run(
    place: Place, nixdock: Nixdock, engine: Engine
) -> None:
    sample = runnable(layer("written"), tags=("nixdock-test-written:1",))
    image = place.add("written.tar", lambda path: path.write_bytes(docker_archive(sample)))
    written = store_script(place, "stream-written", f"cat {image}")
    fake = place.script(place.given / f"{NAMED}d" / "bin" / "stream", f"cat {image}")
    environment = {name: value for name, value in os.environ.items() if name.startswith("NIX_")}
    refused = [([command, "--no-scripts"], written) for command in ("load", "lint", "check", "run", "up")]
    for words, script in [*refused, (["load"], fake), (["up"], fake)]:
        run = nixdock(*words, script, env=environment)
        assert (run.status, run.stdout) == (121, ""), run.stderr
        assert ("--no-scripts forbids that" if script is written else NO_SCRIPT) in run.stderr
        assert "Traceback" not in run.stderr
        assert not place.ran.exists()
    run = nixdock("load", written, env=environment)
    assert (run.status, run.stdout) == (0, "Loaded image: nixdock-test-written:1\n"), run.stderr
    assert f"running {written}, which this command did not build" in run.stderr
    place.ran.unlink()
    engine.docker("rmi", *sample.tags)
