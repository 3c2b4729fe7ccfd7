"""The folder that holds nixdock for Nix expressions: whole, made once, and no more than is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nixdock.errors import BuildError
from nixdock.nix import library


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path))
    return tmp_path / "library"


def test_it_is_made_once_and_runs_by_itself(home: Path) -> None:
    folder = library.materialise()
    assert folder.parent == home
    assert library.materialise() == folder
    assert [path for path in home.iterdir() if path.is_dir()] == [folder]
    assert json.loads((folder / "about.json").read_text()) == {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}"
    }
    assert (folder / "default.nix").read_text() == Path(library.__file__).with_suffix(".nix").read_text()
    # -S: nothing of this test's own installation is to be found.
    words = [sys.executable, "-S", "-m", "nixdock", "check", "--help"]
    done = subprocess.run(
        words, env={"PYTHONPATH": f"{folder}/site-packages"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--static" in done.stdout


def test_what_speaks_with_engines_and_terminals_stays_out(home: Path) -> None:
    del home
    packages = {path.name for path in (library.materialise() / "site-packages").iterdir()}
    assert {"nixdock", "click", "yaml", "re2"} <= packages
    assert not packages & {"docker", "rich", "tenacity", "structlog"}
    assert not [name for name in packages if name.endswith(".dist-info")]


def test_an_installation_that_lacks_a_part_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", refuse)
    with pytest.raises(BuildError, match=r"^nixdock's click is missing$"):
        library.materialise()
    assert [path for path in home.iterdir() if path.is_dir()] == []
