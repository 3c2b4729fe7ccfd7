"""Images for another processor, of Debian's packages for it: `pkgsCross`.

The engine starts their programs by an emulator that is lent to the container, so that the machine needs to
know nothing of the other processor.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from support import debian

if TYPE_CHECKING:
    from pathlib import Path

    from integration.offline.conftest import Images

AMD64 = platform.machine() == "x86_64"
CROSS = "aarch64-multiplatform" if AMD64 else "gnu64"
ARCHITECTURE, PROCESSOR = ("arm64", "aarch64") if AMD64 else ("amd64", "x86_64")

IMAGES = f"""
let cross = pkgs.pkgsCross.{CROSS}; in {{
  plain = cross.dockerTools.buildImage {{
    name = "cross-plain";
    config.Cmd = [ "${{cross.hello}}/bin/hello" ];
  }};
  layered = cross.dockerTools.buildLayeredImage {{
    name = "cross-layered";
    contents = [ cross.dockerTools.binSh cross.coreutils ];
    config.Cmd = [ "${{cross.hello}}/bin/hello" ];
  }};
  # Programs that are guided to their files, and a Python with a module.
  guided = cross.dockerTools.buildLayeredImage {{
    name = "cross-guided";
    config.Cmd = [ "${{cross.perl}}/bin/perl" "-MPOSIX" "-e" "print((uname)[4], qq(\\n))" ];
    config.Env = [
      "GIT=${{cross.git}}/bin/git"
      "PYTHON=${{cross.python3.withPackages (modules: [ modules.requests ])}}/bin/python3"
    ];
  }};
}}
"""


@pytest.fixture(scope="module")
def emulator() -> Path:
    return debian.unpack("bookworm", "qemu-user-static") / f"usr/bin/qemu-{PROCESSOR}-static"


def run(images: Images, emulator: Path, reference: str, *words: str) -> str:
    """Run a program of an image by the emulator."""
    config = images.inspect(reference)["Config"]
    options = ("--volume", f"{emulator}:/emulator:ro", "--platform", f"linux/{ARCHITECTURE}")
    command = words or tuple(config["Cmd"])
    return images.run(reference, *command, options=(*options, "--entrypoint", "/emulator"))


@pytest.mark.parametrize("name", ["plain", "layered"])
def test_an_image_for_another_processor_says_so_and_greets(images: Images, emulator: Path, name: str) -> None:
    [reference] = images.load(images.write(IMAGES), "-A", name)

    assert images.inspect(reference)["Architecture"] == ARCHITECTURE
    assert run(images, emulator, reference) == "Hello, world!\n"


@pytest.mark.slow
def test_programs_for_another_processor_find_their_files(images: Images, emulator: Path) -> None:
    [reference] = images.load(images.write(IMAGES), "-A", "guided")
    variables = dict(entry.split("=", 1) for entry in images.inspect(reference)["Config"]["Env"])

    assert run(images, emulator, reference) == f"{PROCESSOR}\n"
    told = run(images, emulator, reference, variables["GIT"], "--exec-path")
    assert told == f"{variables['GIT'].removesuffix('/bin/git')}/lib/git-core\n"
    script = "import platform, requests, ssl; print(platform.machine())"
    assert run(images, emulator, reference, variables["PYTHON"], "-c", script) == f"{PROCESSOR}\n"


def test_what_an_image_for_another_processor_refers_to_is_for_it_alone(images: Images) -> None:
    file = images.write(f"{IMAGES.rstrip()}.guided")
    conf = images.build(file, "-A", "stream.conf")
    done = images.by_hand(
        f"nix-store -qR {conf} | while read path; do find $path -type f -exec file --brief {{}} +; done"
    )
    kinds = {line.split(",")[1].strip() for line in done.stdout.splitlines() if line.startswith("ELF 64-bit")}
    assert kinds == {"ARM aarch64" if AMD64 else "x86-64"}


def test_a_processor_that_the_set_cannot_build_for_is_said(images: Images) -> None:
    said = images.refuse(
        """
        let cross = pkgs.pkgsCross.s390x; in
        cross.dockerTools.buildImage { name = "x"; config.Cmd = [ "${cross.hello}/bin/hello" ]; }
        """
    )

    assert "the offline package set has no packages for s390x-linux; use the real nixpkgs for this" in said


def test_building_on_another_processor_is_refused_with_the_way_to_images_for_it(images: Images) -> None:
    system = f"{PROCESSOR}-linux"
    said = images.refuse(
        f'(import <nixpkgs> {{ system = "{system}"; }}).dockerTools.buildImage {{ name = "x"; }}'
    )

    assert f"not on {system}; ask for images of it by pkgsCross" in said
