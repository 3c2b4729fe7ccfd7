"""What a file names is read, or run, only where it is valid in the Nix store: confs, scripts and plans.

Each row is a file that somebody else may have written. Python tells of every file that is opened: none of
those that lie outside of the store is.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.checks.files.layer_index import index_layer
from nixdock.checks.running.tools import lend_tools
from nixdock.engine.connection.address import Address
from nixdock.errors import CheckError, LoadError, NixdockError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.image.digest import Digest
from support.archives import Sample, docker_archive, layer, oci_entries, runnable, write_folder

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

SECRET = b"correct horse battery staple"
TAR = "application/vnd.oci.image.layer.v1.tar"
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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place").resolve())
    for folder in (made.store, made.outside, made.given):
        folder.mkdir()
    # Everything that is worth having is there.
    (made.outside / "secret").write_bytes(SECRET)
    (made.outside / NAMED).write_bytes(SECRET)
    write_custom(made.outside / "custom")
    (made.outside / "layer.tar").write_bytes(layer("stolen", content=SECRET))
    (made.outside / "checksum").write_text(Digest.of(layer("stolen", content=SECRET)).hex)
    (made.outside / "image.tar").write_bytes(docker_archive(Sample((layer("stolen", content=SECRET),))))
    os.mkfifo(made.outside / "pipe")
    made.script(made.outside / "script")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIX_STORE_DIR", str(made.store))
        for name in ("STATE", "LOG", "CONF", "LOCALSTATE"):
            patch.setenv(f"NIX_{name}_DIR", str(made.root / "nix"))
        patch.setenv("NIX_CONFIG", "build-users-group =")
        patch.delenv("NIX_REMOTE", raising=False)
        yield made


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


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


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


def layers(*names: Callable[[Place], Any] | Any) -> Changes:
    """One layer of these paths."""
    return lambda place: {"store_layers": [[name(place) if callable(name) else name for name in names]]}


CONFS: dict[str, tuple[Changes, str]] = {
    "a folder": (layers(lambda p: str(p.outside)), OUTSIDE),
    "a file": (layers("/etc/passwd"), OUTSIDE),
    "a store of its own": (
        lambda p: {"store_dir": str(p.root), "store_layers": [[str(p.outside)]]},
        "is for the store",
    ),
    "the root as its store": (lambda p: {"store_dir": "/", "store_layers": []}, "is for the store '/'"),
    "a store of two lines": (lambda p: {"store_dir": f"{p.store}\nnixdock: all is well"}, "is for the store"),
    "two lines": (layers("/etc/passwd\nnixdock: all is well"), OUTSIDE),
    "two lines in the store": (layers(lambda p: f"{p.store}/x\nnixdock: all is well"), "does not exist"),
    "a base of two lines": (lambda p: {"from_image": f"{p.store}/x\ny"}, "does not exist"),
    "no store": (lambda p: {"store_dir": "", "store_layers": [[str(p.outside)]]}, "is for the store"),
    "up from the store": (layers(lambda p: f"{p.store}/../outside"), OUTSIDE),
    "up to /etc": (layers(lambda p: f"{p.store}/../../../../../../etc/passwd"), OUTSIDE),
    "up from a store path": (layers(lambda p: f"{p.tree}/../../outside/{NAMED}"), OUTSIDE),
    "up within the store": (layers(lambda p: f"{p.custom}/../{Path(p.tree).name}"), OUTSIDE),
    "a dot": (layers(lambda p: f"{p.store}/./{Path(p.tree).name}"), OUTSIDE),
    "two slashes": (layers(lambda p: f"{p.store}//{Path(p.tree).name}"), OUTSIDE),
    "a slash at the end": (layers(lambda p: f"{p.tree}/"), OUTSIDE),
    "the store itself": (layers(lambda p: f"{p.store}"), OUTSIDE),
    "links of the store": (layers(lambda p: f"{p.store}/.links"), OUTSIDE),
    "no store path's name": (
        layers(lambda p: p.junk("x", Path.mkdir)[: len(str(p.store)) + 20]),
        "does not exist",
    ),
    "not Nix's folder": (layers(lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "not Nix's file": (layers(lambda p: p.junk("file", Path.touch)), INVALID),
    "not Nix's link": (layers(lambda p: p.junk("link", lambda path: path.symlink_to(p.outside))), INVALID),
    "below not Nix's link": (
        layers(lambda p: p.junk("link2", lambda path: path.symlink_to(p.outside)) + "/secret"),
        OUTSIDE,
    ),
    "below a link": (layers(lambda p: f"{p.tree}/out/secret"), OUTSIDE),
    "below a store path that is a link": (layers(lambda p: f"{p.link}/secret"), OUTSIDE),
    "a circle of links": (layers(lambda p: f"{p.tree}/self/x"), "cannot be read"),
    "collected": (layers(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "relative": (layers("etc/passwd"), OUTSIDE),
    "a number": (layers(5), "is no text"),
    "a NUL": (layers(lambda p: f"{p.tree}\0x"), "is no text"),
    "half a character": (layers(lambda p: f"{p.tree}\ud800"), "is no text"),
    "a good one and a bad one": (layers(lambda p: p.tree, lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "one path twice": (layers(lambda p: p.tree, lambda p: p.tree), "twice"),
    "too many layers": (lambda p: {"store_layers": [[]] * 501}, "it has 501 layers"),
    "a topmost layer outside": (lambda p: {"customisation_layer": f"{p.outside}/custom"}, OUTSIDE),
    "a topmost layer up from the store": (
        lambda p: {"customisation_layer": f"{p.store}/../outside/custom"},
        OUTSIDE,
    ),
    "a topmost layer in a link": (lambda p: {"customisation_layer": p.link}, OUTSIDE),
    "a topmost layer that is a link": (
        lambda p: {"customisation_layer": p.custom_with("layer.tar")},
        OUTSIDE,
    ),
    "a topmost checksum that is a link": (
        lambda p: {"customisation_layer": p.custom_with("checksum")},
        OUTSIDE,
    ),
    "a topmost layer not Nix's": (lambda p: {"customisation_layer": p.junk("custom", write_custom)}, INVALID),
    "a topmost layer without its tar": (lambda p: {"customisation_layer": p.tree}, "does not exist"),
    "a topmost layer in /proc": (lambda p: {"customisation_layer": f"/proc/self/root{p.outside}"}, OUTSIDE),
    "a base outside": (lambda p: {"from_image": f"{p.outside}/image.tar"}, OUTSIDE),
    "a base that is not there": (lambda p: {"from_image": f"{p.outside}/none.tar"}, OUTSIDE),
    "a base up from the store": (lambda p: {"from_image": f"{p.store}/../outside/image.tar"}, OUTSIDE),
    "a base that is a link": (lambda p: {"from_image": p.link_to("image.tar")}, OUTSIDE),
    "a base below a link": (lambda p: {"from_image": f"{p.tree}/out/image.tar"}, OUTSIDE),
    "a base not Nix's": (
        lambda p: {"from_image": p.junk("base", lambda path: path.write_bytes(docker_archive(Sample(()))))},
        INVALID,
    ),
    "a base that is a pipe": (lambda p: {"from_image": f"{p.outside}/pipe"}, OUTSIDE),
    "a base that is a device": (lambda p: {"from_image": "/dev/zero"}, OUTSIDE),
    "a base that is our input": (lambda p: {"from_image": "/dev/stdin"}, OUTSIDE),
    "a base that is no archive": (lambda p: {"from_image": f"{p.tree}/bin/program"}, "is no docker-archive"),
    "a base that is a folder": (lambda p: {"from_image": p.tree}, "is a folder"),
}


def write_conf(place: Place, conf: dict[str, Any], folder: Path | None = None) -> Path:
    path = (folder or place.given) / f"{'c' * 32}-x-conf.json"
    path.write_text(json.dumps(conf))
    return path


def test_a_good_conf_is_an_image(place: Place, memory: Memory) -> None:
    read_all(write_conf(place, conf_of(place)), memory)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("row", CONFS)
def test_a_conf_reads_nothing_outside_of_the_store(row: str, place: Place, memory: Memory) -> None:
    changes, words = CONFS[row]
    path = write_conf(place, conf_of(place, **changes(place)))
    assert re.search(words, refuse(path, place, memory).message)


def named(place: Place, conf: object, script: Path | None = None) -> Path:
    """Write a script as streamLayeredImage's, which is given a conf."""
    return place.script(script or place.given / "stream", f'exec /bin/cat "{conf}" "$@"')


def store_script(place: Place, name: str, *lines: str, mode: int = 0o555) -> Path:
    return Path(place.add(name, lambda path: place.script(path, *lines, mode=mode)))


def linked(place: Place, target: str) -> Path:
    link = place.given / "result"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return link


NO_SCRIPT = "no script of the Nix store"

SCRIPTS: dict[str, tuple[Callable[[Place], Path], str]] = {
    "named like a store path": (lambda p: p.script(p.outside.parent / "given" / NAMED), NO_SCRIPT),
    "in a folder named so": (lambda p: p.script(p.given / f"{NAMED}d" / "bin" / "stream"), NO_SCRIPT),
    "in a store that is none": (lambda p: p.script(p.given / "nix" / "store" / NAMED), NO_SCRIPT),
    "in no store at all": (lambda p: p.script(p.given / "plain"), NO_SCRIPT),
    "in the store, not Nix's": (lambda p: Path(p.junk("script", p.script)), INVALID),
    "below what is not Nix's": (
        lambda p: p.script(Path(p.junk("scripts", Path.mkdir)) / "bin" / "x"),
        INVALID,
    ),
    "not executable": (lambda p: store_script(p, "plain-script", mode=0o444), NO_SCRIPT),
    "a link out of a store path": (lambda p: Path(f"{p.tree}/out/script"), NO_SCRIPT),
    "a store path that links out": (lambda p: Path(p.link_to("script")), NO_SCRIPT),
    "up from the store": (lambda p: Path(f"{p.store}/../outside/script"), NO_SCRIPT),
    "the user's link to one outside": (lambda p: linked(p, str(p.outside / "script")), NO_SCRIPT),
    "the user's link to what is not Nix's": (lambda p: linked(p, p.junk("script", p.script)), INVALID),
    "with a conf outside": (lambda p: named(p, write_conf(p, conf_of(p), p.outside)), OUTSIDE),
    "with a conf up from the store": (
        lambda p: named(p, f"{p.store}/../outside/{write_conf(p, conf_of(p), p.outside).name}"),
        OUTSIDE,
    ),
    "with a conf not Nix's": (
        lambda p: named(p, p.junk("x-conf.json", lambda path: path.write_text(json.dumps(conf_of(p))))),
        INVALID,
    ),
    "with a conf that links out": (
        lambda p: named(p, p.add("y-conf.json", lambda path: path.symlink_to(p.outside / "secret"))),
        OUTSIDE,
    ),
    "with a conf that was collected": (
        lambda p: named(p, p.store / f"{'0' * 32}-conf.json"),
        "does not exist",
    ),
    "with a conf that is no JSON": (
        lambda p: named(p, p.add("z-conf.json", lambda path: path.write_text("{"))),
        "is no JSON",
    ),
    "with a conf nested without end": (
        lambda p: named(p, p.add("n-conf.json", lambda path: path.write_text("[" * 100_000))),
        "is no JSON",
    ),
    "with a conf that names what is outside": (
        lambda p: named(
            p,
            p.add(
                "o-conf.json",
                lambda path: path.write_text(json.dumps(conf_of(p, store_layers=[[str(p.outside)]]))),
            ),
        ),
        OUTSIDE,
    ),
    "of the store, with a conf outside": (
        lambda p: store_script(
            p, "stream-out", f'exec /bin/cat "{write_conf(p, conf_of(p), p.outside)}" "$@"'
        ),
        OUTSIDE,
    ),
}


@pytest.mark.parametrize("row", SCRIPTS)
def test_a_script_outside_of_the_store_is_not_run(row: str, place: Place, memory: Memory) -> None:
    make, words = SCRIPTS[row]
    path = make(place)
    assert re.search(words, refuse(path, place, memory).message)


def test_a_script_of_the_store_is_run(place: Place, memory: Memory) -> None:
    image = place.add("image.tar", lambda path: path.write_bytes(docker_archive(Sample((layer("a"),)))))
    told: list[Any] = []
    script = store_script(place, "stream-good", f"cat {image}")
    (one,) = open_images(linked(place, str(script)), memory=memory, listener=told.append)
    assert one.diff_ids == (Digest.of(layer("a")),)
    assert place.ran.exists()
    place.ran.unlink()
    assert told[0].text == f"running {script}, which this command did not build: it writes the image"


def test_no_command_runs_a_script_that_is_not_nixs_or_not_to_be_run(
    place: Place, nixdock: Nixdock, engine: Engine
) -> None:
    sample = runnable(layer("written"), tags=("nixdock-test-written:1",))
    image = place.add("written.tar", lambda path: path.write_bytes(docker_archive(sample)))
    written = store_script(place, "stream-written", f"cat {image}")
    fake = place.script(place.given / f"{NAMED}d" / "bin" / "stream", f"cat {image}")
    environment = {name: value for name, value in os.environ.items() if name.startswith("NIX_")}
    refused = [([command, "--no-scripts"], written) for command in ("load", "lint", "check", "run", "up")]
    for words, script in [*refused, (["load"], fake), (["up"], fake)]:
        run = nixdock(*words, script, env=environment)
        assert (run.status, run.stdout) == (121, ""), run.stderr
        assert ("--no-scripts forbids that" if script is written else NO_SCRIPT) in run.stderr
        assert "Traceback" not in run.stderr
        assert not place.ran.exists()
    run = nixdock("load", written, env=environment)
    assert (run.status, run.stdout) == (0, "Loaded image: nixdock-test-written:1\n"), run.stderr
    assert f"running {written}, which this command did not build" in run.stderr
    place.ran.unlink()
    engine.docker("rmi", *sample.tags)


def plan_of(place: Place, **changes: Any) -> dict[str, Any]:
    described = {
        "digest": f"sha256:{'1' * 64}",
        "diff_ids": f"sha256:{'1' * 64}",
        "size": 1024,
        "mediatype": TAR,
        "paths": [{"path": place.tree}],
    }
    return {"version": 1, "image-config": {}, "layers": [{**described, **changes}], "arch": "amd64"}


def paths(*names: Callable[[Place], Any] | Any, **options: Any) -> Changes:
    """A layer of these paths."""
    return lambda place: {
        "paths": [{"path": name(place) if callable(name) else name, "options": options} for name in names]
    }


def tar(
    name: Callable[[Place], Any] | Any, media_type: str = "application/vnd.oci.image.layer.v1.tar"
) -> Changes:
    """A layer that is a file."""
    return lambda place: {
        "layer-path": name(place) if callable(name) else name,
        "mediatype": media_type,
    }


def permission(**changes: Any) -> Changes:
    return paths(lambda p: p.tree, perms=[{"regex": ".*", "mode": "0644", **changes}])


DAMAGED = "is not what it should be"

PLANS: dict[str, tuple[Changes, str]] = {
    "a folder": (paths(lambda p: str(p.outside)), OUTSIDE),
    "a file": (paths("/etc/passwd"), OUTSIDE),
    "the root": (paths("/"), OUTSIDE),
    "up from the store": (paths(lambda p: f"{p.store}/../outside/secret"), OUTSIDE),
    "up from a store path": (paths(lambda p: f"{p.tree}/../../outside"), OUTSIDE),
    "into the store by a link": (paths(lambda p: f"{p.way_in}/{Path(p.tree).name}"), OUTSIDE),
    "a dot": (paths(lambda p: f"{p.store}/./{Path(p.tree).name}"), OUTSIDE),
    "below a link": (paths(lambda p: f"{p.tree}/out/secret"), OUTSIDE),
    "below a store path that is a link": (paths(lambda p: f"{p.link}/secret"), OUTSIDE),
    "not Nix's folder": (paths(lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "not Nix's link": (paths(lambda p: p.junk("link", lambda path: path.symlink_to(p.outside))), INVALID),
    "collected": (paths(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "outside and not there": (paths("/nowhere/at/all"), OUTSIDE),
    "relative": (paths("etc/passwd"), OUTSIDE),
    "empty": (paths(""), OUTSIDE),
    "two lines": (paths("/etc/passwd\nnixdock: all is well"), OUTSIDE),
    "two lines in the store": (paths(lambda p: f"{p.store}/x\nnixdock: all is well"), "does not exist"),
    "a number": (paths(5), DAMAGED),
    "a NUL": (paths("/nix\0"), DAMAGED),
    "half a character": (paths("/\ud800"), DAMAGED),
    "a good one and a bad one": (paths(lambda p: p.tree, "/etc/passwd"), OUTSIDE),
    "a tar outside": (tar(lambda p: f"{p.outside}/layer.tar"), OUTSIDE),
    "a tar up from the store": (tar(lambda p: f"{p.store}/../outside/layer.tar"), OUTSIDE),
    "a tar that is a link": (tar(lambda p: p.link_to("layer.tar")), OUTSIDE),
    "a tar below a link": (tar(lambda p: f"{p.link}/layer.tar"), OUTSIDE),
    "a tar not Nix's": (tar(lambda p: p.junk("tar", lambda path: path.write_bytes(layer("x")))), INVALID),
    "a tar that is a pipe": (tar(lambda p: f"{p.outside}/pipe"), OUTSIDE),
    "a tar that is a device": (tar("/dev/zero"), OUTSIDE),
    "a tar that is a folder": (tar(lambda p: p.tree), "is a folder"),
    "a tar that was collected": (tar(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "a tar that is a number": (tar(5), DAMAGED),
    "a tar of another type": (tar(lambda p: f"{p.custom}/layer.tar", "x"), "unknown media type"),
    "a negative size": (lambda p: {"size": -1}, DAMAGED),
    "an endless size": (lambda p: {"size": float("inf")}, DAMAGED),
    "a mode that is none": (permission(mode="9"), DAMAGED),
    "a mode of many digits": (permission(mode="7" * 20), DAMAGED),
    "a name that is a number": (permission(uname=5), DAMAGED),
    "a user of many digits": (permission(uid=10**30), DAMAGED),
    "an expression that is a number": (permission(regex=5), DAMAGED),
    "an expression that is none": (permission(regex="("), "a regular expression that is none"),
    "too many permissions": (paths(lambda p: p.tree, perms=[{"regex": "x"}] * 1001), DAMAGED),
    "a long replacement": (paths(lambda p: p.tree, rewrite={"regex": "x", "repl": "y" * 5000}), DAMAGED),
    "a NUL to replace by": (paths(lambda p: p.tree, rewrite={"regex": "x", "repl": "\0"}), DAMAGED),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("row", PLANS)
def test_a_plan_reads_nothing_outside_of_the_store(row: str, place: Place, memory: Memory) -> None:
    changes, words = PLANS[row]
    path = place.given / "image.json"
    path.write_text(json.dumps(plan_of(place, **changes(place))))
    assert re.search(words, refuse(path, place, memory).message)


def test_a_good_plan_is_an_image(place: Place, memory: Memory) -> None:
    path = place.given / "image.json"
    path.write_text(json.dumps(plan_of(place)))
    read_all(path, memory)
    # Whoever reads it to its end sees that it is not what the plan says.
    (image,) = open_images(path, memory=memory)
    with pytest.raises(LoadError, match="is damaged: its bytes have the digest"):
        index_layer(image.layers[0], contents=False, cache=place.root / "indexes")


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
