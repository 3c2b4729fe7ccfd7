"""Fetchers: fixed-output derivations that have nixpkgs' store paths, and fetch where there is a network."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.offline.conftest import Images

PATCH = """\
From: Ann <ann@example.org>
Subject: what changes with whoever serves it

diff --git a/README b/README
index 1..2 100644
--- a/README
+++ b/README
@@ -1 +1 @@
-hello
+bye
--
2.40
"""

FETCHERS = """
{{ hashes ? {{ }} }}:
let
  pkgs = import <nixpkgs> {{ }};
  base = "{base}";
  fetchers = {{
    flat = args: pkgs.fetchurl ({{ url = "${{base}}/data"; }} // args);
    mirrored = args: pkgs.fetchurl ({{ url = "mirror://gnu/data"; }} // args);
    second = args: pkgs.fetchurl (args // {{
      urls = [ "${{base}}/missing" "${{base}}/data" ]; executable = true;
    }});
    zip = args: pkgs.fetchzip ({{ url = "${{base}}/project.zip"; }} // args);
    patch = args: pkgs.fetchpatch ({{ url = "${{base}}/some.patch"; }} // args);
    git = args: pkgs.fetchgit ({{ url = "${{base}}/repository.git"; rev = "{commit}"; }} // args);
    hub = args: (pkgs.fetchFromGitHub (args // {{
      owner = "o"; repo = "r"; tag = "v1"; postFetch = "echo more > $out/more";
    }})).overrideAttrs {{ urls = [ "${{base}}/project.tar.gz" ]; }};
  }};
in
pkgs.linkFarm "all"
  (builtins.mapAttrs (name: fetch: fetch {{ inherit name; hash = hashes.${{name}} or ""; }}) fetchers)
"""

NAMES = ("flat", "mirrored", "second", "zip", "patch", "git", "hub")


def git(folder: Path, *words: str) -> str:
    """Run Git in a folder, as somebody."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a server with sources, and the commit of its repository."""
    root = tmp_path / "site"
    project = root / "project-1.0"
    project.mkdir(parents=True)
    (root / "data").write_text("data\n")
    (root / "some.patch").write_text(PATCH)
    (project / "README").write_text("hello\n")
    (project / "run").write_text("#!/bin/sh\n")
    (project / "run").chmod(0o755)
    with tarfile.open(root / "project.tar.gz", "w:gz") as tar:
        tar.add(project, "project-1.0")
    with zipfile.ZipFile(root / "project.zip", "w") as archive:
        archive.write(project / "README", "project-1.0/README")
        archive.writestr("project-1.0/é", "a name of many bytes\n")
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=one")
    git(root, "clone", "--quiet", "--bare", "project-1.0", "repository.git")
    git(root / "repository.git", "update-server-info")

    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", git(project, "rev-parse", "HEAD")
        server.shutdown()


def test_each_fetches_what_its_hash_says_and_says_the_hash_that_is_missing(
    images: Images, site: tuple[str, str]
) -> None:
    base, commit = site
    file = images.folder / "fetch.nix"
    file.write_text(FETCHERS.format(base=base, commit=commit))
    mirrors = f"export NIX_MIRRORS_gnu={base}/"

    done = images.by_hand(f"{mirrors}; nix-build --keep-going --no-out-link {file}")
    hashes = dict(re.findall(r"-(\w+)\.drv':\s+specified: .*\s+got: +(sha256-\S+)", done.stderr))
    assert sorted(hashes) == sorted(NAMES), done.stderr
    given = " ".join(f'{name} = "{value}";' for name, value in hashes.items())
    done = images.by_hand(f"{mirrors}; nix-build --no-out-link {file} --arg hashes '{{ {given} }}'")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())

    assert (path / "flat").read_text() == "data\n"
    assert (path / "mirrored").read_text() == "data\n"
    assert (path / "second").stat().st_mode & 0o111
    assert (path / "zip/é").read_text() == "a name of many bytes\n"
    assert (path / "patch").read_text() == PATCH[PATCH.index("diff --git") : PATCH.index("--\n2.40")]
    assert (path / "hub/more").read_text() == "more\n"
    assert (path / "hub/run").stat().st_mode & 0o111
    assert sorted(entry.name for entry in (path / "git").iterdir()) == ["README", "run"]


def test_what_cannot_be_fetched_is_said_in_a_sentence(images: Images) -> None:
    said = images.refuse(
        """
        dockerTools.buildImage {
          name = "lost";
          config.Env = [ "S=${pkgs.fetchzip { url = "http://127.0.0.1:1/lost.tar.gz"; hash = ""; }}" ];
        }
        """,
    )

    assert "cannot fetch http://127.0.0.1:1/lost.tar.gz (curl: (7) " in said
    assert "nix-store --add-fixed --recursive sha256 source" in said


def test_store_paths_are_those_of_nixpkgs(images: Images) -> None:
    file = images.write(
        """
        let
          inherit (lib) fakeHash;
          hub = pkgs.fetchFromGitHub { owner = "o"; repo = "r"; rev = "v1"; hash = fakeHash; };
        in
        {
          # As nixpkgs' manual and many a log have it.
          hello = (pkgs.fetchurl {
            url = "mirror://gnu/hello/hello-2.12.1.tar.gz";
            hash = "sha256-jZkUKv2SV28wsM18tCqNxoCZmLxdYH2Idh9RLibH2yA=";
          }).outPath;
          names = map (one: one.name) [
            hub
            (pkgs.fetchgit { url = "https://example.org/foo.git"; rev = "0123456789"; hash = fakeHash; })
            (pkgs.fetchgit { url = "https://example.org/foo.git"; tag = "v1"; hash = fakeHash; })
            (pkgs.fetchPypi { pname = "six"; version = "1.16.0"; hash = fakeHash; })
            (pkgs.fetchCrate { pname = "ripgrep"; version = "13.0.0"; hash = fakeHash; })
            (pkgs.fetchsvn { url = "https://example.org/foo/trunk"; rev = 12; sha256 = lib.fakeSha256; })
          ];
          hub = [ hub.owner hub.repo hub.rev hub.url hub.meta.homepage hub.outputHashMode ];
          renewed = (hub.override { rev = "v2"; }).url;
          lab = (pkgs.fetchFromGitLab { owner = "o"; repo = "a.b"; rev = "v1"; hash = fakeHash; }).url;
        }
        """,
    )
    found = {one: images.evaluate(file, one) for one in ("hello", "names", "hub", "renewed", "lab")}

    assert found["hello"] == "/nix/store/pa10z4ngm0g83kx9mssrqzz30s84vq7k-hello-2.12.1.tar.gz"
    assert found["names"] == [
        *("source", "foo-0123456", "foo", "six-1.16.0.tar.gz", "ripgrep-13.0.0.tar.gz", "foo-r12"),
    ]
    archive = "https://github.com/o/r/archive/v1.tar.gz"
    assert found["hub"] == ["o", "r", "v1", archive, "https://github.com/o/r", "recursive"]
    assert found["renewed"] == archive.replace("v1", "v2")
    assert found["lab"] == "https://gitlab.com/api/v4/projects/o%2Fa%2Eb/repository/archive.tar.gz?sha=v1"
