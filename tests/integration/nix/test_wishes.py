"""What commands other than `build` want of one: expectations with their programs, streams, a single image."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.nix import NixMachine

SCRIPT = """
import dataclasses, json, os, sys
from nixdock.errors import NixdockError
from nixdock.events import ignore
from nixdock.nix.builder import BuildRequest, build
from nixdock.nix.command import NixOptions
from nixdock.nix.store import hold_roots
from nixdock.nix.target import parse

target, wishes = sys.argv[1], json.loads(sys.argv[2])
try:
    with hold_roots() as roots:
        found = build(parse(target), NixOptions(), ignore, roots=roots, request=BuildRequest(**wishes))
        # Everything is held while the block lasts, and nothing in the working folder says so.
        os.system("nix-store --gc --option build-users-group '' >/dev/null 2>&1")
        for artefact in found:
            assert all(path.exists() for path in (artefact.path, *artefact.needs)), artefact
    said = [dataclasses.asdict(dataclasses.replace(artefact, hold=bool)) for artefact in found]
    print(json.dumps(said, default=str))
except NixdockError as error:
    print(json.dumps([error.exit_code, error.message, error.hint]))
"""

IMAGES = """
with import ./toy.nix;
let
  tool = name: run name "printf tool > $out";
  expecting = image: checks: image // { nixdock = { inherit checks; service.read_only = true; }; };
in
{
  plain = archive "plain";
  layered = archive "layered" // {
    stream = program "stream" // { imageName = "layered"; };
    nixdock.checks.runs.exec = [ "${tool "runner"}/bin/run" ./data.txt ];
  };
  program = program "program";
  # `stream` may be anything in somebody else's derivation.
  other = archive "other" // { stream = "text"; };
}
"""


def build(machine: NixMachine, target: str, **wishes: Any) -> Any:
    machine.write("data.txt", "data")
    machine.write("script.py", SCRIPT)
    machine.write("images.nix", IMAGES)
    python = Path(sys.executable).parent / "python"
    done = machine.run(python, "script.py", target, json.dumps(wishes))
    assert done.status == 0, done.stderr
    return json.loads(done.stdout)


def test_expectations_are_read_and_what_they_name_is_built_and_held(machine: NixMachine) -> None:
    layered = next(e for e in build(machine, "images.nix", expectations=True) if e["attribute"] == "layered")
    (run, data) = layered["expectations"]["checks"]["runs"]["exec"]
    assert run.endswith("-runner/bin/run")
    assert data.endswith("-data.txt")
    assert sorted(layered["needs"]) == sorted([run.removesuffix("/bin/run"), data])


def test_expectations_cost_nothing_where_nobody_asks(machine: NixMachine) -> None:
    layered = next(e for e in build(machine, "images.nix") if e["attribute"] == "layered")
    assert layered["expectations"] is None
    assert layered["needs"] == []


def test_a_stream_takes_the_place_of_its_archive(machine: NixMachine) -> None:
    found = {e["attribute"]: e for e in build(machine, "images.nix", streams=True, expectations=True)}
    assert found["layered"]["store_path"].endswith("-stream")
    assert found["layered"]["form"] == "ArtefactForm.SCRIPT"
    # The expectations are those of the image, read before its stream is followed.
    assert found["layered"]["expectations"] is not None
    assert {name: e["form"] for name, e in found.items() if name != "layered"} == {
        "plain": "ArtefactForm.ARCHIVE",
        "other": "ArtefactForm.ARCHIVE",
        "program": "ArtefactForm.SCRIPT",
    }
    built = {e["attribute"]: e for e in build(machine, "images.nix")}
    assert built["layered"]["store_path"].endswith("-layered")


def test_one_image_is_wanted_and_several_are_named(machine: NixMachine) -> None:
    assert build(machine, "images.nix", single=True) == [
        2,
        "images.nix gives 4 images, and this command takes one: layered, other, plain, program",
        "choose one: -A layered; build, load and check take all of them",
    ]


def test_a_store_path_is_held_as_an_artefact(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "by-path"')
    path = machine.nixdock("build", "x.nix", "--no-out-link").stdout.strip()
    (artefact,) = build(machine, path)
    assert artefact["store_path"] == artefact["path"] == path
    assert artefact["form"] == "ArtefactForm.ARCHIVE"


def test_an_expectation_that_cannot_be_read_is_told_with_its_place(machine: NixMachine) -> None:
    machine.write("bad.nix", 'with import ./toy.nix;\narchive "x" // {\n  nixdock.checks = x: x;\n}\n')
    status, message, _ = build(machine, "bad.nix", expectations=True)
    assert status == 120
    assert "function" in message
