"""What layouts link to, tools lead to and Nix says of a path: outside of the Nix store all is doubted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nixdock.checks.running.bench import lend_tools
from nixdock.engine.connection.address import Address
from nixdock.errors import CheckError, NixdockError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory
from nixdock.image.reference import Digest
from support.archives import Sample, docker_archive, layer, oci_entries, write_folder

from .place import Place, conf_of, read_all, refuse, write_conf


def test_a_layout_may_link_into_the_store_and_nowhere_else(place: Place, memory: Memory) -> None:
    """A layout in a folder: its own files, and links to what Nix made."""
    entries = dict(oci_entries(Sample((layer("blob"),))))
    blob = next(name for name, data in entries.items() if data == layer("blob"))
    folder = write_folder(place.given / "layout", list(entries.items()))
    for target in (place.add("blob", lambda path: path.write_bytes(layer("blob"))), "index-copy"):
        (folder / "index-copy").write_bytes(layer("blob"))
        (folder / blob).unlink()
        (folder / blob).symlink_to(target if target.startswith("/") else f"../../{target}")
        read_all(folder, memory)
    stolen = place.outside / "blob"
    stolen.write_bytes(layer("blob"))
    for target in (str(stolen), place.link_to("blob"), place.junk("blob", lambda p: p.write_bytes(b"x"))):
        (folder / blob).unlink()
        (folder / blob).symlink_to(target)
        assert "the link" in refuse(folder, place, memory).message
    for name in ("index.json", "oci-layout", f"blobs/sha256/{Digest.of(entries['index.json']).hex}"):
        if name in entries:
            (folder / name).rename(place.outside / "moved")
            (folder / name).symlink_to(place.outside / "moved")
            assert "the link" in refuse(folder, place, memory).message
            (folder / name).unlink()
            (place.outside / "moved").rename(folder / name)


def test_no_tool_is_lent_that_leads_out_of_the_store(place: Place) -> None:
    """An engine follows links when it mounts them, with the rights of root."""
    address = Address("unix:///run/docker.sock", "the test")
    lent = lend_tools([f"{place.tree}/bin/program"], frozenset(), address)
    assert [mount["Source"] for mount in lent["HostConfig"]["Mounts"]] == [place.tree]
    for tool in (place.link, f"{place.link}/secret", place.link_to("script")):
        with pytest.raises(CheckError, match=r"outside of the Nix store"):
            lend_tools([tool], frozenset(), address)
    for tool in (str(place.outside), f"{place.store}/../outside", place.junk("folder", Path.mkdir)):
        with pytest.raises(NixdockError, match=r"is not in the Nix store|does not know"):
            lend_tools([tool], frozenset(), address)


def test_nix_is_asked_once_for_an_image_and_not_again(
    place: Place, memory: Memory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Until the path is another file."""
    calls = tmp_path / "calls"
    programs = tmp_path / "programs"
    programs.mkdir()
    real = subprocess.run(["which", "nix-store"], capture_output=True, text=True, check=True).stdout.strip()
    place.script(programs / "nix-store", f'echo "$1" >> {calls}', f'exec {real} "$@"')
    conf = write_conf(place, conf_of(place))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for _ in range(3):
        open_images(conf, memory=memory)
    assert calls.read_text().splitlines() == ["--check-validity"]
    os.utime(place.tree, (1, 1), follow_symlinks=False)
    open_images(conf, memory=memory)
    assert len(calls.read_text().splitlines()) == 2
    place.ran.unlink()


def test_without_nix_nothing_is_taken_for_valid(
    place: Place, memory: Memory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = write_conf(place, conf_of(place))
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refuse(conf, place, memory)
    assert "Nix cannot be asked whether they are valid: Nix is not installed here" in error.message
    program = place.script(tmp_path / "nix-store", "echo 'error: cannot connect to socket' >&2", "exit 1")
    program.write_text(program.read_text().replace(f"touch {place.ran}\n", ""))
    error = refuse(conf, place, memory)
    assert error.message.endswith("whether they are valid: cannot connect to socket")
    assert error.hint == "look what is missing: nixdock doctor"


def test_a_file_that_nix_links_to_its_twin_has_not_changed(place: Place, memory: Memory) -> None:
    """While another command has Nix optimise its store."""
    archive = docker_archive(Sample((layer("twin"),)))
    twins = [place.add(f"twin-{name}", lambda path: path.write_bytes(archive)) for name in "ab"]
    opened = [open_images(Path(twin), memory=memory)[0] for twin in twins]
    before = [Path(twin).stat().st_ino for twin in twins]
    subprocess.run(["nix-store", "--optimise"], check=True, capture_output=True)
    assert [Path(twin).stat().st_ino for twin in twins] != before
    for image in opened:
        with image.layers[0].open() as stream:
            assert stream.read() == layer("twin")
