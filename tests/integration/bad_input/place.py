"""A Nix store of the tests' own, what lies outside of it, and who is caught reading there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory
from nixdock.image.reference import Digest
from support.archives import layer

SECRET = b"correct horse battery staple"
MOMENT = "1970-01-01T00:00:01+00:00"
NAMED = f"{'a' * 32}-image"
"""A name like a store path's."""


WATCHED: list[str] = []
SEEN: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is opened or listed below the watched folders."""
    if WATCHED and event in {"open", "os.listdir", "os.scandir"} and isinstance(arguments[0], str | bytes):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if any(path == folder or path.startswith(f"{folder}/") for folder in WATCHED):
            SEEN.append(path)


sys.addaudithook(watch)


@dataclass
class Place:
    """A Nix store of the tests' own, and what lies outside of it."""

    root: Path
    made: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    @property
    def given(self) -> Path:
        """Where the files are that the user names."""
        return self.root / "given"

    @property
    def ran(self) -> Path:
        """What a script makes that is run."""
        return self.root / "ran"

    def add(self, name: str, make: Callable[[Path], object]) -> str:
        """Have Nix add something to its store."""
        if name not in self.made:
            path = self.root / "to-add" / name
            path.parent.mkdir(exist_ok=True)
            make(path)
            done = subprocess.run(["nix-store", "--add", path], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            self.made[name] = done.stdout.strip()
        return self.made[name]

    def junk(self, name: str, make: Callable[[Path], object]) -> str:
        """Put something into the store's folder, past Nix."""
        path = self.store / f"{'b' * 32}-{name}"
        if not os.path.lexists(path):
            make(path)
        return str(path)

    def script(self, path: Path, *lines: str, mode: int = 0o755) -> Path:
        """Write a script that tells when it is run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", f"touch {self.ran}", *(lines or ("cat /dev/null",)), ""]))
        path.chmod(mode)
        return path

    # What the rows are made of.

    @property
    def tree(self) -> str:
        """A valid store path, with links that lead out of it."""

        def make(path: Path) -> None:
            (path / "bin").mkdir(parents=True)
            (path / "bin" / "program").write_text("program")
            (path / "out").symlink_to(self.outside)
            (path / "self").symlink_to("self")

        return self.add("tree", make)

    @property
    def link(self) -> str:
        """A valid store path that is a link to a folder outside."""
        return self.add("link", lambda path: path.symlink_to(self.outside))

    def link_to(self, name: str) -> str:
        """A valid store path that is a link to a file outside."""
        return self.add(f"link-{name}", lambda path: path.symlink_to(self.outside / name))

    @property
    def way_in(self) -> Path:
        """A link to the store that whoever made it may turn elsewhere while layers are read."""
        path = self.given / "way-in"
        if not path.is_symlink():
            path.symlink_to(self.store)
        return path

    @property
    def custom(self) -> str:
        """A valid topmost layer."""
        return self.add("custom", write_custom)

    def custom_with(self, name: str) -> str:
        """A topmost layer one of whose files is a link out of the store."""

        def make(path: Path) -> None:
            write_custom(path)
            (path / name).unlink()
            (path / name).symlink_to(self.outside / name)

        return self.add(f"custom-{name}", make)


def write_custom(path: Path) -> None:
    path.mkdir()
    content = layer("top")
    (path / "layer.tar").write_bytes(content)
    (path / "checksum").write_text(Digest.of(content).hex)


def read_all(path: Path, memory: Memory) -> None:
    """Do with an artefact whatever loading does."""
    for image in open_images(path, memory=memory):
        _ = image.config_bytes
        for one in image.layers:
            with one.open() as stream:
                while stream.read(1 << 20):
                    pass


def refuse(path: Path, place: Place, memory: Memory) -> LoadError:
    """Expect one clear sentence, and that nothing was touched that lies outside."""
    SEEN.clear()
    WATCHED[:] = [str(place.outside), "/etc", "/dev", "/root"]
    try:
        with pytest.raises(LoadError) as caught:
            read_all(path, memory)
    finally:
        WATCHED.clear()
    error = caught.value
    # What the user names is read, whatever it is.
    assert set(SEEN) <= {os.path.realpath(path)}
    assert not place.ran.exists()
    assert error.exit_code == 121
    assert error.message
    assert "\n" not in error.message
    assert SECRET.decode() not in f"{error.message} {error.hint} {error.details}"
    return error


OUTSIDE = "no path of the Nix store|is not in /"
INVALID = "which Nix did not make"
Changes = Callable[[Place], dict[str, Any]]


def conf_of(place: Place, **changes: Any) -> dict[str, Any]:
    conf: dict[str, Any] = {
        "architecture": "amd64",
        "config": {},
        "os": "linux",
        "store_dir": str(place.store),
        "from_image": None,
        "store_layers": [[place.tree]],
        "customisation_layer": place.custom,
        "repo_tag": "conf:1",
        "created": MOMENT,
        "mtime": MOMENT,
        "uid": "0",
        "gid": "0",
        "uname": "root",
        "gname": "root",
    }
    return {**conf, **changes}


def write_conf(place: Place, conf: dict[str, Any], folder: Path | None = None) -> Path:
    path = (folder or place.given) / f"{'c' * 32}-x-conf.json"
    path.write_text(json.dumps(conf))
    return path


def store_script(place: Place, name: str, *lines: str, mode: int = 0o555) -> Path:
    return Path(place.add(name, lambda path: place.script(path, *lines, mode=mode)))


def linked(place: Place, target: str) -> Path:
    link = place.given / "result"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return link
