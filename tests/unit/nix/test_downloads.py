"""What could not be fetched: the user's line, and what to do instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.nix.build_log import EXPRESSION, Level, Message, Position
from nixdock.nix.downloads import explain_fetch
from nixdock.nix.evaluation import BrokenDownloadError
from nixdock.nix.sources import Sources

URL = "https://example.org/nixpkgs.tar.gz"
REFUSED = f"unable to download '{URL}': Couldn't connect to server (7)"
FLAKE = '{\n  inputs.mine.url = "github:me/mine";\n  outputs = { self, mine }: { };\n}\n'


def message(sentence: str, position: Position | None = None, trace: str = "") -> Message:
    return Message(Level.ERROR, f"error: {sentence}\n\n{trace}", sentence, position)


@pytest.fixture
def flake(tmp_path: Path) -> Sources:
    (tmp_path / "flake.nix").write_text(FLAKE)
    return Sources(tmp_path, flake=tmp_path)


def test_an_input_is_told_by_its_name_and_its_line(flake: Sources) -> None:
    error = message(REFUSED, trace="       … while updating the flake input 'mine/nixpkgs'")
    told = explain_fetch(error, flake, offline=True, is_flake=True)
    assert told is not None
    assert (
        told.message == "flake.nix:2:10: the input 'mine' cannot be fetched: Couldn't connect to server (7)"
    )
    assert told.hint == (
        "--override-input mine PATH takes a copy of yours; or check the network, then try again"
    )
    assert told.details == '1 | {\n2 |   inputs.mine.url = "github:me/mine";\n  |          ^'
    # Another package set than ours could be ours.
    told = explain_fetch(error, flake, offline=False, is_flake=True)
    assert told is not None
    assert told.hint is not None
    assert told.hint.endswith(
        "; --nixpkgs offline takes nixdock's own package set in place of the input nixpkgs"
    )


def test_a_locked_input_is_told_by_what_it_refers_to(flake: Sources) -> None:
    trace = "       … while fetching the input 'github:me/mine/0123abc?narHash=x'"
    told = explain_fetch(message(REFUSED, trace=trace), flake, offline=True, is_flake=True)
    assert told is not None
    assert told.message.startswith("flake.nix:2:29: the input 'me/mine' cannot be fetched: ")
    assert told.hint is not None
    assert told.hint.startswith("--override-input NAME PATH ")


def test_an_input_of_a_flake_elsewhere_has_no_line() -> None:
    error = message("no such ref\nsecond", trace="… while updating the flake input 'mine'")
    told = explain_fetch(error, Sources(Path("/nowhere")), offline=True, is_flake=True)
    assert told is not None
    assert told.message == "the input 'mine' cannot be fetched: no such ref"
    assert told.details is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            f'{{ pkgs ? import (fetchTarball "{URL}") {{ }} }}: pkgs',
            "--arg pkgs 'import <nixpkgs> { }' takes this machine's package set instead; or ",
        ),
        (
            f'# pinned\n{{ nixpkgs ? fetchTarball "{URL}" }}: nixpkgs',
            "--arg nixpkgs '<nixpkgs>' takes this machine's package set instead; or ",
        ),
        (
            f'import (fetchTarball "{URL}") {{ }}',
            "write <nixpkgs> in its place: that takes this machine's package set instead; or ",
        ),
    ],
)
def test_a_pinned_package_set(tmp_path: Path, text: str, hint: str) -> None:
    error = message(REFUSED, Position(EXPRESSION, text.count("\n") + 1, 3))
    told = explain_fetch(error, Sources(tmp_path, expression=text), offline=True, is_flake=False)
    assert told is not None
    assert told.message.endswith(f": {URL} cannot be downloaded: Couldn't connect to server (7)")
    assert told.hint == f"{hint}check the network, then try again"


def test_other_addresses(tmp_path: Path) -> None:
    def explained(sentence: str) -> tuple[str, str | None, bool]:
        told = explain_fetch(message(sentence), Sources(tmp_path), offline=True, is_flake=False)
        assert told is not None
        return told.message, told.hint, isinstance(told, BrokenDownloadError)

    assert explained("unable to download 'http://x/a': HTTP error 404") == (
        "http://x/a does not exist (any more): HTTP error 404",
        "correct its address in the expression",
        False,
    )
    assert explained("unable to download 'http://x/a': Transferred a partial file (18)")[1:] == (
        "check the network, then try again",
        True,
    )
    gone = explained("unable to download 'http://x/a_1_amd64.deb': HTTP error 404")[1]
    assert gone is not None
    assert gone.startswith("the mirror has moved on since apt last looked: ")
    assert explain_fetch(message("no"), Sources(tmp_path), offline=True, is_flake=True) is None
