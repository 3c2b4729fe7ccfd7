"""Another architecture is asked for by a private configuration, made of the machine's own repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly.apt import Index, ask_for

# Writes down the sources that it is told to read, and has lists of arm64 alone.
APT_GET = """#!/bin/sh
for word; do
  case $word in
    Dir::Etc::sourcelist=*) sources=${word#*=} ;;
    Dir::State::lists=*) lists=${word#*=} ;;
    APT::Architecture=*) architecture=${word#*=} ;;
    update) echo "$@" > '@folder@/updated'; cat "$sources" > '@folder@/sources'; touch "$lists/list"
      exit @status@ ;;
    indextargets)
      [ $architecture != arm64 ] ||
        printf 'http://m\\thttp://m/\\tbookworm\\tmain\\tarm64\\tDebian\\tbookworm\\t%s/list\\n' "$lists" ;;
  esac
done
"""

NATIVE = [
    Index("http://mirror.example/debian/", release, component, "amd64", "Debian", "bookworm", Path("/x"))
    for release in ("bookworm", "bookworm-updates")
    for component in ("main", "contrib")
]


def put_apt(folder: Path, monkeypatch: pytest.MonkeyPatch, *, status: int = 0) -> None:
    program = folder / "apt-get"
    program.write_text(APT_GET.replace("@folder@", str(folder)).replace("@status@", str(status)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_same_repositories_are_asked_and_the_machines_own_lists_are_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_apt(tmp_path, monkeypatch)
    with ask_for("arm64", NATIVE) as asked:
        [index] = asked.indexes()
        assert index.architecture == asked.native_architecture() == "arm64"
        lists = index.file.parent
        assert not lists.is_relative_to("/var")
    assert not lists.exists()
    assert (tmp_path / "sources").read_text().splitlines() == [
        f"deb http://mirror.example/debian/ {release} {component}"
        for release in ("bookworm", "bookworm-updates")
        for component in ("contrib", "main")
    ]
    assert "Dir::Etc::sourceparts=/dev/null" in (tmp_path / "updated").read_text()


def test_an_architecture_that_debian_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_apt(tmp_path, monkeypatch)
    with (
        pytest.raises(BuildError, match=r"^Debian \(bookworm\) has no packages for sh4$"),
        ask_for("sh4", NATIVE),
    ):
        pass


def test_lists_that_cannot_be_had_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_apt(tmp_path, monkeypatch, status=100)
    with (
        pytest.raises(BuildError, match=r"^apt could not download Debian's package lists for arm64$"),
        ask_for("arm64", NATIVE),
    ):
        pass
