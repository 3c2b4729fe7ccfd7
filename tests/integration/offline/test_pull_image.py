"""`pullImage`: an image of a real registry, as a fixed-output derivation."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nixdock.nixpkgs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.offline.conftest import Images

README = Path(nixdock.nixpkgs.__file__).parent / "README.md"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry of the test's own, as `host:port`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = tmp_path / "registry.yml"
    configuration.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: '{address}'}}\n",
    )
    program = subprocess.Popen(
        ["docker-registry", "serve", configuration],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", int(address.partition(":")[2]))) == 0:
                    break
            time.sleep(0.05)
        yield address
    finally:
        program.terminate()
        program.wait()


def push(archive: Path, name: str, folder: Path) -> str:
    """Push an image to a registry; return the digest of its manifest."""
    subprocess.run(
        [
            *("skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false"),
            *("--digestfile", folder / "digest", f"docker-archive:{archive}", f"docker://{name}"),
        ],
        check=True,
    )
    return (folder / "digest").read_text().strip()


PULL = """
let
  pulled = dockerTools.pullImage {{
    imageName = "{name}";
    imageDigest = "{digest}";
    hash = "{hash}";
    finalImageName = "pulled/hello";
    finalImageTag = "1";
    tlsVerify = false;
  }};
in
{{
  inherit pulled;
  onTop = dockerTools.buildImage {{
    name = "onTopOfPulledImage";
    tag = "1";
    fromImage = pulled;
    config.Cmd = [ "${{pkgs.hello}}/bin/hello" "-g" "on top" ];
  }};
}}
"""


def test_what_our_own_set_built_is_pulled_loaded_and_built_upon(
    images: Images,
    registry: str,
    tmp_path: Path,
) -> None:
    # The image holds store paths that the pulling must not be made with.
    pushed = images.write(
        """
        dockerTools.buildLayeredImage {
          name = "pushed";
          compressor = "none";
          contents = [ pkgs.hello pkgs.skopeo pkgs.bash pkgs.coreutils ];
          config.Cmd = [ "/bin/hello" ];
        }
        """,
        "pushed.nix",
    )
    name = f"{registry}/some/hello"
    digest = push(images.build(pushed), f"{name}:latest", tmp_path)

    unknown = images.write(PULL.format(name=name, digest=digest, hash=""), "pull.nix")
    told = images.by_hand(f"nix-build --no-out-link {unknown} -A pulled")
    found = re.search(r"got: +(sha256-\S+)", told.stderr)
    assert found, told.stderr
    file = images.write(PULL.format(name=name, digest=digest, hash=found[1]), "pull.nix")

    assert images.build(file, "-A", "pulled").name.endswith("-docker-image-pulled-hello-1.tar")
    assert images.evaluate(file, "pulled.imageName") == "pulled/hello"
    assert images.evaluate(file, "pulled.imageDigest") == digest
    images.check(file, "-A", "pulled")
    [reference] = images.load(file, "-A", "onTop")
    assert reference == "ontopofpulledimage:1"
    assert images.run(reference) == "on top\n"

    # The program that finds all that out tells the same, as an expression and as JSON.
    prefetch = images.build(images.write("pkgs.nix-prefetch-docker", "prefetch.nix"))
    words = f"--no-tls-verify --final-image-name pulled/hello --final-image-tag 1 {name} latest"
    written = images.by_hand(f"{prefetch}/bin/nix-prefetch-docker {words}")
    assert written.returncode == 0, written.stderr
    told_again = images.by_hand(f"{prefetch}/bin/nix-prefetch-docker --quiet --json {words}")
    (images.folder / "expression.nix").write_text(written.stdout)
    again = images.write("dockerTools.pullImage (import ./expression.nix)", "again.nix")
    assert json.loads(told_again.stdout) == {
        "imageName": name,
        "imageDigest": digest,
        "hash": found[1],
        "finalImageName": "pulled/hello",
        "finalImageTag": "1",
        "tlsVerify": False,
    }
    assert told_again.stderr == ""
    assert images.build(again) == images.build(file, "-A", "pulled")
    lost = images.by_hand(f"{prefetch}/bin/nix-prefetch-docker --no-tls-verify {registry}/no/such")
    assert lost.returncode == 1
    assert "nix-prefetch-docker: the digest of" in lost.stderr

    # All that it needs came with the base: its own layer is empty.
    layers = images.layers(reference)
    sizes = images.engine.docker("history", "--format", "{{.Size}}", "--human=false", reference).split()
    assert sizes[0] == "0"
    assert len(layers) == len(sizes)


def test_the_example_of_the_manual(images: Images, registry: str, tmp_path: Path) -> None:
    pushed = images.write(
        """
        dockerTools.buildImage {
          name = "pushed";
          compressor = "none"; # an older skopeo reads no other archive
          config.Cmd = [ "${pkgs.hello}/bin/hello" ];
        }
        """,
        "pushed.nix",
    )
    digest = push(images.build(pushed), f"{registry}/hello:latest", tmp_path)
    found = re.search(r"```nix\n(# pulled\.nix\n.*?)```\n```console\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    text, session = found.groups()
    text = text.replace("registry.example", registry)
    text = re.sub(r"sha256:[0-9a-f]{64}", digest, text)
    (images.folder / "pulled.nix").write_text(text)
    ask, *others = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    ask, _, printed = ask.partition("\n")

    told = images.by_hand(ask)
    assert re.fullmatch(r"sha256-\S{43}=\n", told.stdout), told.stderr
    for other in others:
        # The image, and so its hash, is that of this machine's Debian.
        command, _, expected = other.replace(printed.strip(), told.stdout.strip()).partition("\n")
        done = images.by_hand(command)
        assert done.returncode == 0, done.stderr
        assert done.stdout == expected


def test_a_registry_that_is_not_there_is_told(images: Images) -> None:
    refused = images.refuse(
        PULL.format(name="127.0.0.1:1/nothing", digest="sha256:" + "0" * 64, hash="") + ".pulled",
    )

    assert "connection refused" in refused


@pytest.mark.parametrize("digest", ["latest", "sha256:123", "sha512:" + "0" * 128])
def test_what_is_no_digest_is_refused_before_anything_is_fetched(digest: str, images: Images) -> None:
    refused = images.refuse(PULL.format(name="127.0.0.1:1/nothing", digest=digest, hash="") + ".pulled")

    assert 'imageDigest must be "sha256:" and 64 hexadecimal digits' in refused
