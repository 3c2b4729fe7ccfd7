"""Images that the offline package set builds, loaded and run by nixdock on a real engine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

PROGRAM = Path(sys.executable).parent / "nixdock"


@dataclass(frozen=True)
class Images:
    """Builds images out of the offline package set, and runs them.

    Args:
        nixdock: The program.
        engine: Where images go.
    """

    nixdock: Nixdock
    engine: Engine

    @property
    def folder(self) -> Path:
        """Where expressions are written."""
        return self.nixdock.folder

    def write(self, text: str, name: str = "image.nix") -> Path:
        """Write an expression that may use `pkgs` and `dockerTools`."""
        file = self.folder / name
        file.write_text(
            f"{{ pkgs ? import <nixpkgs> {{ }} }}:\nlet inherit (pkgs) dockerTools lib; in\n{text}\n",
        )
        return file

    def examples(self) -> Path:
        """Return an expression of all examples that the set has."""
        return self.write("dockerTools.examples", "examples.nix")

    def by_hand(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run lines of a user's shell after `eval "$(nixdock env)"`."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'eval "$({PROGRAM} env 2>/dev/null)"\n{script}'],
            env=self.nixdock.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, file: Path, *words: str) -> Path:
        """Build whatever an expression is and return its store path."""
        done = self.by_hand(f"nix-build --no-out-link {file} {' '.join(words)}")
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.splitlines()[-1])

    def check(self, file: Path, *words: str) -> None:
        """Build something a second time: it must be byte for byte the same."""
        self.build(file, *words)
        done = self.by_hand(f"nix-build --no-out-link --check {file} {' '.join(words)}")
        assert done.returncode == 0, done.stderr

    def evaluate(self, file: Path, attribute: str) -> Any:
        """Return the value of an attribute."""
        done = self.by_hand(f"nix-instantiate --eval --strict --json {file} -A {attribute}")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refuse(self, expression: str) -> str:
        """Try to build an image that cannot be built; return what nixdock says of it."""
        run = self.nixdock("build", "--no-out-link", self.write(expression, "refused.nix"))
        assert run.status == 120, run.stderr
        assert run.stdout == ""
        return run.stderr

    def load(self, file: Path, *words: str) -> list[str]:
        """Build an image, load it and return its references."""
        run = self.nixdock("load", "-q", file, *words)
        assert run.status == 0, run.stderr
        return run.stdout.split()

    def example(self, name: str) -> str:
        """Build and load an example; return its reference."""
        [reference] = self.load(self.examples(), "-A", name)
        return reference

    def run(self, reference: str, *words: str, options: tuple[str, ...] = ()) -> str:
        """Run a container to its end and return what it printed; it must succeed."""
        run = self.nixdock("run", *options, reference, *words)
        assert run.status == 0, run.stderr
        return run.stdout

    def run_example(self, name: str, *words: str) -> str:
        """Build, load and run an example; return what it printed."""
        return self.run(self.example(name), *words)

    def inspect(self, reference: str) -> dict[str, Any]:
        """Return what the engine says of an image."""
        found: list[dict[str, Any]] = json.loads(self.engine.docker("image", "inspect", reference))
        return found[0]

    def layers(self, reference: str) -> list[str]:
        """Return the diff IDs of an image, bottom first."""
        layers: list[str] = self.inspect(reference)["RootFS"]["Layers"]
        return layers


@pytest.fixture
def images(nixdock: Nixdock, engine: Engine) -> Images:
    """Images of the offline package set, on the tests' engine."""
    return Images(nixdock, engine)
