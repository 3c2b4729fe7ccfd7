"""A mirror that breaks off amid a package: it is asked again, and no half of the package is kept."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.package_sets import change_record, find_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.program import Nixdock


class Mirror:
    """A server of one package, that breaks the connection half way as often as it is told.

    Attributes:
        breaks: How many more answers are broken off.
        answers: How many there were.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.breaks = 0
        self.answers = 0
        self.uri = ""

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Answer until the end of the block."""
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.answers += 1
                broken = mirror.breaks > 0
                mirror.breaks -= broken
                self.send_response(200)
                self.send_header("Content-Length", str(len(mirror.content)))
                self.end_headers()
                self.wfile.write(mirror.content[: len(mirror.content) // 2] if broken else mirror.content)

            def log_message(self, *words: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.uri = f"http://127.0.0.1:{server.server_port}/hello.deb"
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


def repack(deb: bytes) -> bytes:
    """Return a package with the same files that no store has yet: an `ar` archive with one more member."""
    content = os.urandom(64)
    header = f"{'_unique':16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(content):<10}`\n"
    return deb + header.encode() + content


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def mirror(nixdock: Nixdock, shared_cache: Path, tmp_path: Path) -> Iterator[Mirror]:
    """A mirror that has `hello` in a package of its own; the package set `broken` is told to use it."""
    nixdock("init")
    nixdock("env")
    current = (shared_cache / "nixpkgs/current").resolve()
    with urllib.request.urlopen(find_record(current, "hello")["uri"]) as answer:
        served = Mirror(repack(answer.read()))
    with served.serve():
        digest = hashlib.sha256(served.content).hexdigest()
        change_record(current, tmp_path / "broken", "hello", uri=served.uri, sha256=digest)
        yield served


def test_a_mirror_that_breaks_off_once_is_asked_again(
    mirror: Mirror, nixdock: Nixdock, tmp_path: Path
) -> None:
    mirror.breaks = 1
    run = nixdock("up", "hello-docker.nix", "--nixpkgs", tmp_path / "broken", "--expect", "Hello, world!")
    assert run.status == 0, run.stderr
    assert f"{mirror.uri} cannot be downloaded: " in run.stderr
    assert mirror.answers == 2


def test_a_mirror_that_keeps_breaking_off_leaves_nothing_half_made(
    mirror: Mirror, nixdock: Nixdock, tmp_path: Path
) -> None:
    mirror.breaks = 1000
    run = nixdock("build", "hello-docker.nix", "--nixpkgs", tmp_path / "broken")
    assert (run.status, run.stdout) == (120, "")
    sentence, hint = run.stderr.splitlines()[-2:]
    assert sentence.startswith(f"nixdock: {mirror.uri} cannot be downloaded: ")
    assert hint == "hint: check the network, then try again"
    digest = hashlib.sha256(mirror.content).hexdigest()
    assert not [file for file in Path("/nix/store").glob("*-hello-*.deb") if digest_of(file) == digest]

    mirror.breaks = 0
    again = nixdock("build", "hello-docker.nix", "--nixpkgs", tmp_path / "broken")
    assert again.status == 0, again.stderr
    assert [file for file in Path("/nix/store").glob("*-hello-*.deb") if digest_of(file) == digest]


def test_a_package_that_is_not_the_one_in_the_lists_is_refused(
    mirror: Mirror, nixdock: Nixdock, tmp_path: Path
) -> None:
    mirror.content = repack(mirror.content)
    run = nixdock("build", "hello-docker.nix", "--nixpkgs", tmp_path / "broken")
    assert (run.status, run.stdout) == (120, "")
    assert "is not what was expected: its hash differs" in run.stderr
    assert run.stderr.splitlines()[-1].startswith("hint: the mirror has moved on since apt last looked")
