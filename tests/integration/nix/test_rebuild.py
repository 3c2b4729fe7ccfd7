"""Every supported Nix says whether what it builds again is the same, and what differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.archives import Sample, docker_archive
from support.layers import file, tar_of

if TYPE_CHECKING:
    from support.nix import NixMachine

EXPRESSION = 'let toy = import ./toy.nix; in toy.run "image" "cat ${./image.tar} > $out; MORE"'
STAMP = "cat /proc/sys/kernel/random/uuid >> $out"


def _rebuild(machine: NixMachine, more: str, *options: str) -> tuple[int, dict[str, Any]]:
    image = Sample((tar_of([file("a", b"a")]),), ("image:1",), {})
    (machine.work / "image.tar").write_bytes(docker_archive(image))
    machine.write("image.nix", EXPRESSION.replace("MORE", more))
    run = machine.nixdock("check", "image.nix", "--rebuild", "--json", *options)
    assert run.stdout, run.stderr
    [verdict] = json.loads(run.stdout)["checks"]
    return run.status, verdict


def test_what_is_the_same_passes(machine: NixMachine) -> None:
    status, verdict = _rebuild(machine, "true")

    assert (status, verdict["status"]) == (0, "PASS"), verdict


def test_what_differs_is_named_with_the_command_that_shows_it(machine: NixMachine) -> None:
    status, verdict = _rebuild(machine, STAMP)

    assert (status, verdict["status"]) == (1, "FAIL"), json.dumps(verdict)
    [finding] = verdict["findings"]
    output, _, derivation = (
        finding["message"].removesuffix(" is built again").partition(" is not the same when ")
    )
    assert output.endswith("-image")
    assert derivation == machine.run("nix-store", "--query", "--deriver", output).stdout.strip()
    assert verdict["reproduce"] == f"nix-store --realise --check {derivation}"
    assert finding["details"] == "--keep-failed keeps the other one to compare"


def test_the_other_build_is_kept_where_that_is_wanted(machine: NixMachine) -> None:
    status, verdict = _rebuild(machine, STAMP, "--keep-failed")

    assert status == 1
    _, kept, other = verdict["findings"][0]["details"].split()
    assert other == f"{kept}.check"
    assert (machine.root / other.removeprefix("/")).read_bytes() != (
        machine.root / kept.removeprefix("/")
    ).read_bytes()
