"""apt's lists name a package that the mirror has replaced since: the file and the remedy are told."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Nixdock
    from support.engines import Engine


def make_stale(package_set: Path, copy: Path, package: str, uri: str) -> None:
    """Copy the offline package set, with a package at an address that has it no more."""
    shutil.copytree(package_set, copy, copy_function=os.link)
    (shard,) = [
        file
        for file in copy.glob("lock/*/*.json")
        if f'"{package}":{{"version"' in file.read_text() and package in json.loads(file.read_text())
    ]
    packages = json.loads(shard.read_text())
    packages[package] |= {"uri": uri, "sha256": os.urandom(32).hex()}
    # The original is the same file until it is written anew.
    shard.unlink()
    shard.write_text(json.dumps(packages))


def test_a_package_that_the_mirror_has_no_more(
    nixdock: Nixdock, engine: Engine, shared_cache: Path, tmp_path: Path
) -> None:
    nixdock("init")
    nixdock("env")
    before = sorted(engine.docker("images", "--all", "--quiet").split())
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as mirror:
        threading.Thread(target=mirror.serve_forever).start()
        uri = f"http://127.0.0.1:{mirror.server_port}/pool/hello_2.9-1_amd64.deb"
        make_stale((shared_cache / "nixpkgs/current").resolve(), tmp_path / "stale", "hello", uri)
        run = nixdock("up", "hello-docker.nix", "--nixpkgs", tmp_path / "stale")
        mirror.shutdown()
    assert (run.status, run.stdout) == (120, "")
    sentence, hint = run.stderr.splitlines()[-2:]
    assert sentence.startswith(f"nixdock: {uri} does not exist (any more): HTTP error 404")
    assert hint == "hint: the mirror has moved on since apt last looked: apt-get update, then try again"
    assert sorted(engine.docker("images", "--all", "--quiet").split()) == before
    assert [entry.name for entry in nixdock.folder.iterdir()] == ["hello-docker.nix"]
