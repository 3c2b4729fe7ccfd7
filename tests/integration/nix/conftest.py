"""Machines with the two Nix versions, and the smallest things that nixdock takes for images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import nix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.nix import NixMachine

LIBRARY = r"""
# What nixdock takes for an image, without the contents of one.
rec {
  run = name: script: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" script ];
    PATH = "/bin";
  };
  archive = name: run name "printf '\\037\\213%s' ${name} > $out" // { imageName = name; imageTag = "1"; };
  program = name: run name "printf '#!/bin/sh\n' > $out; chmod +x $out" // { isExe = true; };
}
"""


@pytest.fixture(scope="session", params=nix.VERSIONS)
def running_machine(request: pytest.FixtureRequest) -> Iterator[NixMachine]:
    """A bare machine with each version of Nix, for all tests of a session."""
    with nix.machine(request.param) as machine:
        yield machine


@pytest.fixture
def machine(running_machine: NixMachine) -> NixMachine:
    """A machine with an empty working folder, but for `toy.nix`."""
    running_machine.empty()
    running_machine.write("toy.nix", LIBRARY)
    return running_machine
