"""apt's lists name a package that the mirror has replaced since: the file and the remedy are told."""

from __future__ import annotations

import http.server
import os
import threading
from typing import TYPE_CHECKING

from support.package_sets import change_record

if TYPE_CHECKING:
    from pathlib import Path

    from support.engines import Engine
    from support.program import Nixdock


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
        current = (shared_cache / "nixpkgs/current").resolve()
        change_record(current, tmp_path / "stale", "hello", uri=uri, sha256=os.urandom(32).hex())
        run = nixdock("up", "hello-docker.nix", "--nixpkgs", tmp_path / "stale")
        mirror.shutdown()
    assert (run.status, run.stdout) == (120, "")
    sentence, hint = run.stderr.splitlines()[-2:]
    assert sentence.startswith(f"nixdock: {uri} does not exist (any more): HTTP error 404")
    assert hint == "hint: the mirror has moved on since apt last looked: apt-get update, then try again"
    assert sorted(engine.docker("images", "--all", "--quiet").split()) == before
    assert [entry.name for entry in nixdock.folder.iterdir()] == ["hello-docker.nix"]
