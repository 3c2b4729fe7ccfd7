"""Two machines with the same Debian packages: the images that they build have the same identities."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from support import nix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.nix import NixMachine

EXPRESSION = """
with import <nixpkgs> { };
rec {
  plain = dockerTools.buildImage {
    name = "plain";
    copyToRoot = buildEnv { name = "root"; paths = [ bash coreutils ]; pathsToLink = [ "/bin" ]; };
    extraCommands = "mkdir data; echo removed > data/file";
    config.Cmd = [ "${hello}/bin/hello" ];
  };
  root = dockerTools.buildImage {
    name = "root";
    fromImage = plain;
    runAsRoot = "chown 5:6 /data; rm /data/file";
  };
  layered = dockerTools.buildLayeredImage {
    name = "layered";
    contents = [ bash coreutils hello jq ];
    fakeRootCommands = "mkdir data; chown 5:6 data";
  };
  streamed = dockerTools.streamLayeredImage {
    name = "streamed";
    fromImage = layered;
    contents = [ hello which ];
    enableFakechroot = true;
    fakeRootCommands = "mkdir /given; chown 7:8 /given";
  };
  shell = dockerTools.buildNixShellImage { drv = mkShellNoCC { name = "shell"; packages = [ hello ]; }; };
  merged = dockerTools.mergeImages [ root layered ];
  exported = dockerTools.exportImage { name = "exported.tar"; fromImage = root; };
  known = dockerTools.buildImageWithNixDb { name = "known"; copyToRoot = [ hello ]; };
  knownLayered = dockerTools.buildLayeredImageWithNixDb { name = "known-layered"; contents = [ hello ]; };
}
"""
KINDS = ("plain", "root", "layered", "streamed", "shell", "merged", "exported", "known", "knownLayered")


@pytest.fixture
def machines() -> Iterator[tuple[NixMachine, NixMachine]]:
    """Two machines, each with an empty store and a package set of its own making."""
    with nix.machine("debian-12") as one, nix.machine("debian-12") as other:
        for machine in (one, other):
            machine.environment["NIX_PATH"] = ""
            done = machine.nixdock("env", "--json", "--nixpkgs", "offline")
            assert done.status == 0, done.stderr
            machine.environment.update(json.loads(done.stdout))
        yield one, other


def give_packages(machine: NixMachine, store: Path) -> None:
    """Put Debian's packages of another store into a machine's, so that it need not fetch them."""
    folder = machine.work / "debs"
    folder.mkdir()
    for deb in store.glob("*.deb"):
        shutil.copyfile(deb, folder / deb.name.partition("-")[2])
    done = machine.run("sh", "-c", "nix-store --add-fixed sha256 debs/*")
    assert done.status == 0, done.stderr
    shutil.rmtree(folder)


def build(machine: NixMachine, folder: str, *options: str) -> dict[str, str]:
    """Build one image of each kind; return what identifies it."""
    machine.write(f"{folder}/images.nix", EXPRESSION)
    words = [word for kind in KINDS for word in ("-A", kind)]
    done = machine.run("nix-build", f"{folder}/images.nix", "--no-out-link", *words, *options)
    assert done.status == 0, done.stderr
    return {kind: identify(machine, path) for kind, path in zip(KINDS, done.stdout.split(), strict=True)}


def identify(machine: NixMachine, path: str) -> str:
    """Return an image's identity: the names of its configs, which are their digests."""
    if path.endswith("-exported.tar"):
        return hashlib.sha256((machine.root / path.lstrip("/")).read_bytes()).hexdigest()
    archive = f"{path} 2> /dev/null |" if "-stream-" in path else f"< {path} gzip -dc |"
    done = machine.run("sh", "-c", f"{archive} tar xO manifest.json")
    assert done.status == 0, done.stderr
    return " ".join(entry["Config"] for entry in json.loads(done.stdout))


@pytest.mark.slow
def test_images_have_the_same_identities(machines: tuple[NixMachine, NixMachine]) -> None:
    one, other = machines
    first = build(one, "here")
    give_packages(other, one.root / "nix" / "store")
    other.environment.update(TZ="Asia/Tokyo", LC_ALL="C", USER="somebody")
    second = build(other, "some where/else", "--cores", "1", "--max-jobs", "2")

    assert first == second
    assert len(set(first.values())) == len(KINDS)
