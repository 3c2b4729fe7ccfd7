"""`nixdock init` writes the tutorial's file and overwrites nothing unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.cli.main import run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ([], "hello-docker.nix"),
        (["mine.nix"], "mine.nix"),
        (["first"], "first/hello-docker.nix"),
        (["a b/c/"], "a b/c/hello-docker.nix"),
        (["a b/x.nix"], "a b/x.nix"),
    ],
)
def test_the_file_goes_where_it_is_wanted(
    words: list[str], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", *words]) == 0
    assert "dockerTools.buildImage" in Path(file).read_text()
    assert capsys.readouterr().out == f"{file}\n"


def test_a_file_that_is_there_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hello-docker.nix").write_text("mine")
    assert run(["init"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nixdock: hello-docker.nix is there already\nhint: nixdock init --force")
    assert Path("hello-docker.nix").read_text() == "mine"
    assert run(["init", "--force"]) == 0
    assert "dockerTools" in Path("hello-docker.nix").read_text()


def test_a_file_in_the_place_of_a_folder_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("")
    assert run(["init", "taken"]) == 2
    assert "taken" in capsys.readouterr().err


def test_what_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "/proc/x/hello.nix"]) == 2
    assert capsys.readouterr().err.startswith("nixdock: cannot write /proc/x/hello.nix: ")
