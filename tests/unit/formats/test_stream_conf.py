"""Streamed images: what nixpkgs' own streamer gives, without running it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.events import Warned
from nixdock.formats import door, open_images, stream_conf
from nixdock.formats.door import Scripts
from nixdock.formats.memory import Memory, open_database
from nixdock.image.computed import LayerChangedError, settle_layers
from nixdock.image.model import Image
from nixdock.image.reference import Digest
from nixdock.nixpkgs.dockertools import layer_tar
from support import archives
from support.archives import Sample, docker_archive, layer

from .conftest import UseStore

Goldens = dict[str, Any]
CASES = ("bare", "base", "base-no-env", "owner", "plain")


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The paths of every layer that is made."""
    made: list[tuple[str, ...]] = []
    original = layer_tar.chunks

    def chunks(paths: tuple[str, ...], stamp: layer_tar.Stamp) -> Iterator[bytes]:
        made.append(tuple(paths))
        return original(paths, stamp)

    monkeypatch.setattr(layer_tar, "chunks", chunks)
    return made


@pytest.mark.parametrize("case", CASES)
def test_every_golden_image_has_upstreams_identity(case: str, stream_golden: Goldens, memory: Memory) -> None:
    golden = stream_golden[case]
    (image,) = open_images(golden.conf, memory=memory)
    # Sizes are known before anything is read.
    assert [one.size for one in image.layers] == golden.layer_sizes
    assert [str(diff_id) for diff_id in image.diff_ids] == golden.diff_ids
    assert str(image.config_digest) == golden.image_id
    assert [reference.familiar for reference in image.references] == golden.repo_tags
    assert image.config["config"].get("Env") == golden.env
    for one in image.layers:
        with one.open() as stream:
            content = b"".join(iter(lambda: stream.read(5000), b""))
        assert (Digest.of(content), len(content)) == (one.diff_id, one.size)


def test_nothing_is_made_to_open_an_image_and_each_layer_once_for_its_digest(
    stream_golden: Goldens, memory: Memory, reads: list[tuple[str, ...]]
) -> None:
    golden = stream_golden["plain"]
    (image,) = open_images(golden.conf, memory=memory)
    assert image.architecture == "amd64"
    assert [one.known_diff_id is None for one in image.layers] == [True, True, True, False]
    assert reads == []
    assert str(image.config_digest) == golden.image_id
    assert str(image.config_digest) == golden.image_id
    assert len(reads) == 3
    # The next time, nothing is.
    (again,) = open_images(golden.conf, memory=memory)
    assert str(again.config_digest) == golden.image_id
    assert len(reads) == 3


def test_a_layer_is_known_by_its_paths_and_owner(
    stream_golden: Goldens, memory: Memory, reads: list[tuple[str, ...]], tmp_path: Path
) -> None:
    conf = json.loads(stream_golden["plain"].conf.read_text())
    (image,) = open_images(stream_golden["plain"].conf, memory=memory)
    settle_layers(image.layers)
    for change, made in (
        ({"repo_tag": "other:2", "created": "2024-01-01T00:00:00+00:00", "config": {}}, 0),
        ({"store_layers": conf["store_layers"][::-1]}, 0),
        ({"store_layers": [conf["store_layers"][2][::-1]]}, 1),
        ({"uid": "1"}, 3),
        ({"gname": "users"}, 3),
        ({"mtime": "1970-01-01T00:00:02+00:00"}, 3),
    ):
        reads.clear()
        path = tmp_path / "conf.json"
        path.write_text(json.dumps({**conf, **change}))
        (changed,) = open_images(path, memory=memory)
        settle_layers(changed.layers)
        assert len(reads) == made, change


@pytest.mark.parametrize("codec", archives.COMPRESSORS)
@pytest.mark.parametrize("layer_codec", ["none", "gzip"])
def test_the_base_may_be_in_every_form(
    codec: str, layer_codec: str, stream_golden: Goldens, memory: Memory, tmp_path: Path
) -> None:
    """What is the same image below gives the same image above."""
    below = Sample((layer("a"), layer("b")), ("base:1",), {"Env": ["A=base", "B=base"], "Cmd": ["/no"]})
    base = add_to_store(tmp_path / "base", docker_archive(below, codec=codec, layer_codec=layer_codec))
    conf = json.loads(stream_golden["base"].conf.read_text())
    conf |= {"from_image": str(base), "config": {"Env": ["B=top", "C=top"]}}
    path = tmp_path / "conf.json"
    path.write_text(json.dumps(conf))
    (image,) = open_images(path, memory=memory)
    assert image.diff_ids[:2] == below.diff_ids
    assert image.config["config"] == {"Env": ["A=base", "B=top", "C=top"]}
    assert image.config["history"][0]["comment"] == f"store paths: ['{below.diff_ids[0].hex}/layer.tar']"
    for one, content in zip(image.layers, below.layers, strict=False):
        with one.open() as stream:
            assert stream.read() == content


def add_to_store(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    words = ["nix-store", "--add", str(path)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_now_is_the_time_of_each_opening(stream_golden: Goldens, memory: Memory, tmp_path: Path) -> None:
    conf = json.loads(stream_golden["bare"].conf.read_text())
    path = tmp_path / "conf.json"
    path.write_text(json.dumps({**conf, "created": "now"}))
    (one,), (two,) = open_images(path, memory=memory), open_images(path, memory=memory)
    assert one.config_digest != two.config_digest
    # But an image is one image, however often it is asked.
    assert one.config_digest == one.config_digest
    assert one.config["created"] == one.config["history"][0]["created"]


def refuse(path: Path, memory: Memory) -> LoadError:
    with pytest.raises(LoadError) as caught:
        _ = open_images(path, memory=memory)[0].config_bytes
    return caught.value


def test_a_path_that_was_collected_is_named(stream_golden: Goldens, memory: Memory, tmp_path: Path) -> None:
    gone = "/nix/store/00000000000000000000000000000000-gone"
    conf = json.loads(stream_golden["bare"].conf.read_text())
    path = tmp_path / "conf.json"
    path.write_text(json.dumps({**conf, "store_layers": [[gone]]}))
    error = refuse(path, memory)
    assert error.message == f"{gone} does not exist"
    assert error.hint == "the garbage collector removed it: build it again"
    path.write_text(json.dumps({**conf, "customisation_layer": gone}))
    assert refuse(path, memory).message == f"{gone}/layer.tar does not exist"
    path.write_text(json.dumps({**conf, "from_image": gone}))
    assert refuse(path, memory).message == f"{gone} does not exist"


def test_a_path_outside_of_the_store_is_refused(
    stream_golden: Goldens, memory: Memory, tmp_path: Path
) -> None:
    conf = json.loads(stream_golden["bare"].conf.read_text())
    path = tmp_path / "conf.json"
    path.write_text(json.dumps({**conf, "store_layers": [["/etc"]]}))
    assert "/etc" in refuse(path, memory).message


@pytest.fixture
def tree(tmp_path: Path, use_store: UseStore) -> Path:
    """A path of a store whose files can be changed, as no real one's can."""
    return use_store(tmp_path / "store") / f"{'a' * 32}-tree"


def make_image(folder: Path, memory: Memory, tree: Path) -> Image:
    """Return an image of one tree."""
    custom = tree.with_name(f"{'b' * 32}-custom")
    if not custom.exists():
        custom.mkdir()
        content = layer("motd")
        (custom / "layer.tar").write_bytes(content)
        (custom / "checksum").write_text(f"{Digest.of(content).hex}\n")
    conf: dict[str, Any] = {
        "architecture": "amd64",
        "config": {},
        "os": "linux",
        "store_dir": str(tree.parent),
        "from_image": None,
        "store_layers": [[str(tree)]],
        "customisation_layer": str(custom),
        "repo_tag": "tree:1",
        "created": "1970-01-01T00:00:01+00:00",
        "mtime": "1970-01-01T00:00:01+00:00",
        "uid": "0",
        "gid": "0",
        "uname": "root",
        "gname": "root",
    }
    path = folder / "conf.json"
    path.write_text(json.dumps(conf))
    (image,) = open_images(path, memory=memory)
    return image


def test_hard_links_are_files_like_others(tmp_path: Path, memory: Memory, tree: Path) -> None:
    """A store that was optimised has the same images as one that was not."""
    tree.mkdir()
    (tree / "a").write_bytes(b"same" * 1000)
    (tree / "b").write_bytes(b"same" * 1000)
    before = make_image(tmp_path, memory, tree).diff_ids
    memory.database.path.unlink()
    (tree / "b").unlink()
    os.link(tree / "a", tree / "b")
    assert make_image(tmp_path, memory, tree).diff_ids == before


def test_what_changed_since_it_was_remembered_is_noticed_and_described_anew(
    tmp_path: Path, memory: Memory, tree: Path
) -> None:
    """A path that was collected and built again may have other content."""
    tree.write_bytes(b"one")
    first = make_image(tmp_path, memory, tree)
    settle_layers(first.layers)
    tree.write_bytes(b"other" * 5000)
    second = make_image(tmp_path, memory, tree)
    assert second.diff_ids == first.diff_ids
    one = second.layers[0]
    with one.open() as stream, pytest.raises(LayerChangedError):
        one.settle(Digest.of(stream.read()))  # type: ignore[attr-defined]
    third = second.described_anew()  # type: ignore[attr-defined]
    assert third.diff_ids != first.diff_ids
    assert make_image(tmp_path, memory, tree).diff_ids == third.diff_ids
    assert third.layers[0].size == 30720


def test_a_damaged_checksum_is_said(tmp_path: Path, memory: Memory, tree: Path) -> None:
    tree.write_bytes(b"x")
    make_image(tmp_path, memory, tree)
    next(tree.parent.glob("*-custom/checksum")).write_text("nonsense")
    with pytest.raises(LoadError, match="is damaged: 'nonsense' is no sha256"):
        make_image(tmp_path, memory, tree)


WRAPPER = """#! /nix/store/pa27b43bcp9bqhc8nmpxdcqn8g1zwi5l-bash-5.2/bin/bash -e
exec "/nix/store/y1l6vnmxxbwqvnvhvhsbjnhs7vnh0y3d-stream"  {conf} "$@"
"""


def add_script(folder: Path, name: str, text: str, mode: int = 0o555) -> Path:
    path = folder / f"{'d' * 32}-{name}"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_wrapper_is_not_run(stream_golden: Goldens, memory: Memory, tmp_path: Path) -> None:
    golden = stream_golden["plain"]
    conf = add_to_store(tmp_path / "golden-conf.json", golden.conf.read_bytes())
    script = add_script(tmp_path, "stream-golden", WRAPPER.format(conf=conf))
    (image,) = open_images(script, memory=memory, scripts=Scripts.REFUSE)
    assert str(image.config_digest) == golden.image_id


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\nexec something\n",
        "#!/bin/sh\necho {conf}\nexec something\n",
        "#!/bin/sh\nexec stream {conf} {conf}x-conf.json\n",
        "",
    ],
)
def test_other_scripts_are_not_taken_for_one(text: str) -> None:
    conf = f"/nix/store/{'a' * 32}-golden-conf.json"
    assert door.find_conf(text.format(conf=conf).encode()) is None
    assert door.find_conf(f'#!/bin/sh\nexec x {conf} "$@"\n'.encode()) == conf


def test_a_script_whose_conf_was_collected_is_not_run(memory: Memory, tmp_path: Path) -> None:
    gone = f"/nix/store/{'b' * 32}-missing-conf.json"
    error = refuse(add_script(tmp_path, "stream-x", WRAPPER.format(conf=gone)), memory)
    assert error.message == f"{gone} does not exist"
    assert error.hint == "the garbage collector removed it: build it again"


def test_a_conf_with_keys_of_another_time_is_left_to_its_script(stream_golden: Goldens) -> None:
    conf = json.loads(stream_golden["bare"].conf.read_text())
    assert stream_conf.is_conf(conf)
    assert not stream_conf.is_conf({**conf, "variant": "v7"})
    assert not stream_conf.is_conf({key: value for key, value in conf.items() if key != "mtime"})
    assert not stream_conf.is_conf([])


def test_a_script_of_unknown_shape_is_run_and_told_of(
    memory: Memory, tmp_path: Path, use_store: UseStore
) -> None:
    sample = Sample((layer("a"), layer("b")))
    (tmp_path / "image.tar").write_bytes(docker_archive(sample))
    store = use_store(tmp_path / "store")
    script = add_script(store, "stream-x", f"#!/bin/sh\necho working >&2\ncat {tmp_path}/image.tar\n")
    told: list[object] = []
    (image,) = open_images(script, memory=memory, listener=told.append)
    assert image.config_digest == sample.config_digest
    with image.layers[1].open() as stream:
        assert stream.read() == sample.layers[1]
    warning = Warned(f"running {script}, which this command did not build: it writes the image")
    assert told[0] == warning
    # One that this command has built is nothing to tell of.
    told.clear()
    open_images(script, memory=memory, listener=told.append, scripts=Scripts.RUN)
    assert warning not in told


def test_a_script_that_is_not_to_be_run_is_refused(
    memory: Memory, tmp_path: Path, use_store: UseStore
) -> None:
    script = add_script(use_store(tmp_path / "store"), "x", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    with pytest.raises(LoadError, match="--no-scripts forbids that"):
        open_images(script, memory=memory, scripts=Scripts.REFUSE)
    assert not (tmp_path / "ran").exists()


def test_a_script_that_fails_is_told_with_what_it_said(
    memory: Memory, tmp_path: Path, use_store: UseStore
) -> None:
    store = use_store(tmp_path / "store")
    script = add_script(store, "stream-x", "#!/bin/sh\necho no space >&2\nexit 3\n")
    error = refuse(script, memory)
    assert error.message == f"{script} failed with status 3 while it wrote the image"
    assert error.details == "no space"


def test_a_script_from_elsewhere_is_not_run(memory: Memory, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    error = refuse(script, memory)
    assert "is a script, not an image" in error.message
    assert error.hint == f"if it writes an image: {script} | nixdock load"
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_a_hundred_thousand_files_have_the_digest_that_tarfile_gives_them(
    tmp_path: Path, memory: Memory, tree: Path
) -> None:
    """The whole way against another implementation: Python's tarfile, as the original uses it."""
    for folder in range(100):
        (tree / f"d{folder}").mkdir(parents=True)
        for number in range(1000):
            os.close(os.open(tree / f"d{folder}" / f"f{number}", os.O_CREAT | os.O_WRONLY, 0o444))
    (image,) = [make_image(tmp_path, memory, tree)]
    code = """
import hashlib, io, pathlib, sys, tarfile
class Sink:
    def __init__(self): self.hash = hashlib.sha256(); self.size = 0
    def write(self, data): self.hash.update(data); self.size += len(data)
def entry(name, kind, mode):
    info = tarfile.TarInfo(name); info.type, info.mode, info.mtime = kind, mode, 1
    info.uname = info.gname = "root"
    return info
sink = Sink()
with tarfile.open(fileobj=sink, mode="w|") as tar:
    for name in "/nix", "/nix/store":
        tar.addfile(entry(name, tarfile.DIRTYPE, 0o755))
    top = pathlib.Path(sys.argv[1])
    for path in sorted([top, *top.rglob("*")]):
        kind = tarfile.DIRTYPE if path.is_dir() else tarfile.REGTYPE
        tar.addfile(entry(str(path), kind, path.stat().st_mode & 0o7777))
print(sink.hash.hexdigest(), sink.size)
"""
    done = subprocess.run(["/usr/bin/python3", "-c", code, tree], capture_output=True, text=True, check=True)
    assert f"{image.diff_ids[0].hex} {image.layers[0].size}" == done.stdout.strip()
