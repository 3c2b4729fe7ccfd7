"""Every recorded failure, as every supported Nix tells it, becomes one sentence with a next step."""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import replace
from pathlib import Path

import pytest

from nixdock.errors import BuildError
from nixdock.events import ignore
from nixdock.nix import machine as nix_machine
from nixdock.nix.build_log import Level, Message, Position
from nixdock.nix.evaluation import CollectedError, MissingArchitectureError
from nixdock.nix.failure import Circumstances, explain
from nixdock.nix.follower import Follower
from nixdock.nix.missing import PackageNames
from nixdock.nix.sources import Sources
from nixdock.nixpkgs.assembly import offline_set

from .replay import VERSIONS, replay

RECORDED = Path("/tmp/nixdock-recording")
SOURCES = Sources(RECORDED)
BESIDE = Circumstances("nix-build", 1, SOURCES)

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def explained(version: str, scenario: str, circumstances: Circumstances = BESIDE) -> BuildError:
    follower, _ = replay(version, scenario)
    error = explain(follower, circumstances)
    assert not re.search(r"[\x00-\x08\x1b]", error.message)
    assert error.exit_code == 120
    return error


def test_a_failed_build_has_its_status_its_last_lines_and_the_way_to_the_rest(version: str) -> None:
    error = explained(version, "bad")
    assert error.message == "building bad failed: the builder failed with exit code 3"
    assert error.details == "bad> line 1\nbad> line 2\nbad> line 3\nbad> oops"
    assert error.hint is not None
    assert re.search(r"nix log /nix/store/\w{32}-bad\.drv", error.hint)


def test_the_build_that_failed_is_told_not_the_one_that_waited_for_it(version: str) -> None:
    error = explained(version, "top")
    assert error.message == "building below failed: the builder failed with exit code 3"
    assert error.details is not None
    assert error.details.endswith("below> oops")


def test_all_builds_that_failed_are_told(version: str) -> None:
    error = explained(version, "several")
    assert error.message == "building second, first failed"
    assert error.details is not None
    assert "first> oops" in error.details
    assert "second> oops" in error.details


def test_a_builder_that_makes_nothing(version: str) -> None:
    error = explained(version, "silent")
    assert error.message == "building silent failed: the builder ended well but made no output 'out'"


def test_a_package_that_the_mirror_has_no_more(version: str) -> None:
    error = explained(version, "gone")
    assert error.message.startswith(
        "http://127.0.0.1:8471/hello_2.10-3_amd64.deb does not exist (any more): HTTP error 404"
    )
    assert error.hint is not None
    assert "apt-get update" in error.hint


def test_a_download_with_another_hash(version: str) -> None:
    error = explained(version, "changed")
    assert error.message == "what was fetched for index.html is not what was expected: its hash differs"
    assert error.details is not None
    assert error.details.splitlines() == [
        "expected sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "got      sha256-4kTxh/aWVh1f1+APYY57pkHcUuPBNzgPb6I6hUt3Oqw=",
    ]


def test_a_full_disk(version: str) -> None:
    error = explained(version, "full")
    assert error.message == "the disk is full: No space left on device"
    assert error.hint is not None
    assert "nix-collect-garbage" in error.hint


def test_a_sandbox_without_a_shell(version: str) -> None:
    error = explained(version, "no-shell")
    assert error.message == "Nix's sandbox has no /bin/sh, which the builder wants"
    assert error.hint is not None
    assert "busybox-static" in error.hint


def test_something_else_where_the_link_should_be(version: str) -> None:
    error = explained(version, "link-in-the-way")
    assert error.message == f"'{RECORDED}/result' is in the way: it exists and is no link to a store path"


def test_a_derivation_that_was_collected_before_its_build(version: str) -> None:
    assert isinstance(explained(version, "collected"), CollectedError)


def test_an_undefined_variable_has_its_place(version: str) -> None:
    error = explained(version, "undefined")
    assert error.message == "undefined.nix:2:7: undefined variable 'foo'"


def test_a_syntax_error_has_its_place(version: str) -> None:
    error = explained(version, "syntax")
    assert re.fullmatch(r"syntax\.nix:4:1: syntax error, unexpected .*, expecting ';'", error.message)


def test_a_misspelt_attribute_gets_the_one_that_is_near(version: str) -> None:
    error = explained(version, "misspelt")
    assert error.message == "misspelt.nix:1:1: attribute 'nmae' missing"
    assert error.hint == "did you mean name?"


def test_a_failed_assertion_has_its_place(version: str) -> None:
    assert explained(version, "asserted").message.startswith("asserted.nix:1:1: ")


def test_a_file_that_is_imported_and_does_not_exist(version: str) -> None:
    assert explained(version, "missing-import").message.endswith(f"there is no file {RECORDED}/nowhere.nix")


def test_an_expression_of_the_command_line_is_shown(version: str) -> None:
    error = explained(version, "expression", replace(BESIDE, sources=Sources(RECORDED, '1\n  + "x"')))
    assert error.message == "«expression»:2:5: cannot add a string to an integer"
    assert error.details == '1 | 1\n2 |   + "x"\n  |     ^'


def test_an_error_that_a_library_throws_is_told_where_it_was_thrown(version: str) -> None:
    assert re.match(r"library\.nix:2:\d+: the name x is wrong", explained(version, "thrown").message)


def test_an_error_in_a_package_set_is_told_where_the_file_used_it(version: str) -> None:
    error = explained(
        version, "thrown", replace(BESIDE, sources=replace(SOURCES, foreign=(RECORDED / "library.nix",)))
    )
    assert error.message == "thrown.nix:4:1: the name x is wrong"


def test_every_frame_is_shown_to_who_asks_for_it(version: str) -> None:
    error = explained(version, "thrown", replace(BESIDE, show_trace=True))
    assert error.details is not None
    assert "describe.nix" in error.details
    assert "thrown.nix:4:1" in error.details


def test_a_download_that_fails_in_an_evaluation(version: str) -> None:
    error = explained(version, "download")
    assert error.message.startswith("http://127.0.0.1:9/set.tar.gz cannot be downloaded: ")
    assert error.hint == "check the network, then try again"
    flake = explained(version, "download", replace(BESIDE, is_flake=True))
    assert flake.hint is not None
    assert "--nixpkgs offline" in flake.hint


def test_an_output_that_a_flake_does_not_have(version: str) -> None:
    error = explained(version, "flake-imaeg")
    assert "does not provide attribute" in error.message
    assert error.hint == "did you mean image?"


def test_a_fault_in_a_flake_is_told_in_its_folder_not_in_its_copy(version: str, tmp_path: Path) -> None:
    # The copy itself is not here to be compared with, so the two are made.
    follower, _ = replay(version, "flake-broken")
    error = explain(follower, replace(BESIDE, sources=replace(SOURCES, flake=tmp_path)))
    assert re.match(r"/nix/store/\w{32}-source/flake\.nix:4:36: attribute 'nowhere' missing", error.message)


def test_a_daemon_that_does_not_answer(version: str) -> None:
    error = explained(version, "dead-daemon")
    assert error.message == "the Nix daemon cannot be used: it does not answer"
    assert error.hint is not None
    assert error.hint == nix_machine.hint_for_daemon()


def test_a_daemon_that_is_not_for_this_user(version: str) -> None:
    error = explained(version, "forbidden-daemon")
    assert error.message == "the Nix daemon cannot be used: its socket is not for this user"
    assert error.hint is not None
    assert f"usermod -aG nix-users {pwd.getpwuid(os.geteuid()).pw_name}" in error.hint


def test_a_user_without_a_name_is_called_so(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.delenv("LOGNAME", raising=False)
    error = explained(version, "forbidden-daemon")
    assert error.hint is not None
    assert "usermod -aG nix-users USER" in error.hint


@pytest.mark.parametrize("scenario", ["store-of-another", "read-only-store"])
def test_a_store_that_cannot_be_written(version: str, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    error = explained(version, scenario)
    assert error.message == "the Nix store /nix/store is not writable for this user"
    assert error.hint is not None
    assert error.hint == nix_machine.hint_for_daemon()


def test_a_program_that_ends_without_a_word(version: str) -> None:
    del version
    error = explain(Follower(ignore), replace(BESIDE, status=-9))
    assert error.message == "nix-build ended with signal 9 and said nothing"


def test_a_program_that_fails_before_it_reads_its_options(version: str) -> None:
    del version
    follower = Follower(ignore)
    follower.feed(b"error: cannot determine user's home directory\n")
    assert explain(follower, BESIDE).message == "cannot determine user's home directory"


def test_a_daemon_adds_the_log_itself_and_it_is_not_told_twice(version: str) -> None:
    del version
    follower = Follower(ignore)
    text = "builder for '/nix/store/x.drv' failed with exit code 4;\nlast 1 log lines:\n> why\n"
    follower.take(Message(Level.ERROR, f"error: {text}", text))
    assert explain(follower, BESIDE).message == "building x failed: the builder failed with exit code 4"


def test_a_machine_that_forbids_a_sandbox(version: str) -> None:
    del version
    follower = Follower(ignore)
    text = "this system does not support the kernel namespaces that are required for sandboxing; use ..."
    follower.take(Message(Level.ERROR, f"error: {text}", text))
    error = explain(follower, BESIDE)
    assert error.message.startswith("Nix's sandbox cannot be set up here")
    assert error.hint is not None
    assert "--option sandbox false" in error.hint


USES = """with import <nixpkgs> { };
[
  pkgs.hllo
  hllo
  (f x).hllo
  pkgs.debian.hllo
]
"""


REAL = "--nixpkgs PATH takes the real nixpkgs"
NAMES = PackageNames(["hello", "bash"], {"xcowsay"})
WAYS = f"pkgs.debian.NAME is any other Debian package, {REAL}"


@pytest.mark.parametrize(
    ("line", "sentence", "message", "hint"),
    [
        (
            3,
            "attribute 'hllo' missing",
            "the offline package set has no 'hllo'",
            f"did you mean hello? {WAYS}",
        ),
        (4, "undefined variable 'hllo'", "undefined variable 'hllo'", f"did you mean hello? {WAYS}"),
        (4, "undefined variable 'other'", "undefined variable 'other'", WAYS),
        (5, "attribute 'hllo' missing", "attribute 'hllo' missing", None),
        (6, "attribute 'hllo' missing", "Debian has no package 'hllo'", REAL),
    ],
)
def test_a_package_that_the_offline_set_lacks(  # noqa: PLR0917
    version: str, tmp_path: Path, line: int, sentence: str, message: str, hint: str | None
) -> None:
    del version
    file = tmp_path / "x.nix"
    file.write_text(USES)
    follower = Follower(ignore)
    follower.take(Message(Level.ERROR, f"error: {sentence}", sentence, Position(str(file), line, 3)))
    offline = Circumstances("nix-build", 1, Sources(tmp_path), package_names=lambda: NAMES)
    error = explain(follower, offline)
    assert error.message == f"x.nix:{line}:3: {message}"
    assert error.hint == hint


def test_an_architecture_that_the_offline_set_has_not_been_asked_for(version: str, tmp_path: Path) -> None:
    del version
    sets = Path(offline_set.SOURCES / "default.nix").read_text()
    sentence = (
        "the offline package set has packages for amd64 so far; "
        "`nixdock build` of this expression adds those for arm64"
    )
    # What is recognised is what the set says.
    assert all(part in sets for part in ("the offline package set has packages for ", " adds those for "))
    follower = Follower(ignore)
    follower.take(Message(Level.ERROR, f"error: {sentence}", sentence, None))
    error = explain(follower, Circumstances("nix-build", 1, Sources(tmp_path)))
    assert isinstance(error, MissingArchitectureError)
    assert error.architecture == "arm64"
    assert error.message == sentence
