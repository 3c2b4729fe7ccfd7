"""Images without the store paths that this machine has: what is taken out of them, and what stays."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from nixdock.formats import open_images, store_view
from nixdock.formats.host_store import strip_store
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.store_view import StoreKeptError
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest
from nixdock.nixpkgs.dockertools import layer_tar
from nixdock.nixpkgs.dockertools.layer_tar import Stamp
from support.archives import Sample, docker_archive
from support.layers import MemoryLayer, file, folder, hardlink, link, read_tree, tar_of

from .conftest import UseStore

NAMES = tuple(
    letter * 32 + f"-{word}" for letter, word in zip("abcd", ("libc", "tool", "conf", "link"), strict=True)
)


@pytest.fixture
def store(tmp_path: Path, use_store: UseStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a directory, a program below one, a file and a link to nothing."""
    place = use_store(tmp_path / "nix" / "store")
    monkeypatch.setattr(store_view, "find_invalid", lambda _paths: frozenset())
    libc, tool, conf, dangling = (place / name for name in NAMES)
    (libc / "lib").mkdir(parents=True)
    (libc / "lib" / "libc.so").write_bytes(b"c" * 2000)
    (tool / "bin").mkdir(parents=True)
    (tool / "bin" / "tool").write_bytes(b"t" * 300)
    (tool / "bin" / "tool").chmod(0o755)
    (tool / "bin" / "alias").symlink_to("tool")
    conf.write_text("a file")
    dangling.symlink_to("/run/nothing")
    return place


@pytest.fixture
def streamed(store: Path, tmp_path: Path) -> Callable[..., Image]:
    """Makes the image of a conf whose layers hold the whole store, with a customisation layer of ours."""

    def make(*own: tuple[tarfile.TarInfo, bytes], **changed: Any) -> Image:
        top = store / ("z" * 32 + "-customisation-layer")
        top.mkdir()
        data = tar_of(own or [file("./etc/motd", b"hello")])
        (top / "layer.tar").write_bytes(data)
        (top / "checksum").write_text(Digest.of(data).hex)
        paths = [str(store / name) for name in NAMES]
        conf = {
            "architecture": "amd64",
            "config": {"Cmd": [f"{paths[1]}/bin/tool"]},
            "os": "linux",
            "store_dir": str(store),
            "from_image": None,
            "store_layers": [paths[:1], paths[1:]],
            "customisation_layer": str(top),
            "repo_tag": "sample:1",
            "created": "1970-01-01T00:00:01+00:00",
            "mtime": "1970-01-01T00:00:01+00:00",
            "uid": "0",
            "gid": "0",
            "uname": "root",
            "gname": "root",
            **changed,
        }
        described = store / ("y" * 32 + "-sample-conf.json")
        described.write_text(json.dumps(conf))
        (image,) = open_images(described, memory=Memory(open_database(tmp_path / "cache")))
        return image

    return make


def names_in(image: Image) -> list[list[str]]:
    listed = []
    for layer in image.layers:
        with layer.open() as stream, tarfile.open(fileobj=io.BytesIO(stream.read())) as tar:
            listed.append([member.name.strip("./") for member in tar])
    return listed


def archived(*layers: bytes) -> Image:
    (image,) = open_images(io.BytesIO(docker_archive(Sample(layers, ("sample:1",), {"Cmd": ["tool"]}))))
    return image


def in_tar(store: Path, *names: str, uid: int = 0) -> bytes:
    """Return the tar of store paths, without `/nix/store`, which is not this test's store."""
    return tar_of(
        members_of(b"".join(layer_tar.chunks([str(store / name) for name in names], Stamp(uid=uid))))[2:]
    )


def test_a_streamed_image_keeps_its_own_layer_and_links_and_is_not_read(
    streamed: Callable[..., Image], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_tar, "size", lambda *_: pytest.fail("measured"))
    image = streamed()
    stripped = strip_store(image)
    assert stripped.paths == tuple(str(store / name) for name in NAMES[:3])
    monkeypatch.undo()
    place = str(store).strip("/")
    links, own = names_in(stripped.image)
    assert [name for name in links if name.startswith(f"{place}/")] == [f"{place}/{NAMES[3]}"]
    assert own == ["etc/motd"]
    config = stripped.image.config
    assert config["config"] == image.config["config"]
    assert config["rootfs"]["diff_ids"] == [str(layer.diff_id) for layer in stripped.image.layers]
    assert len(config["history"]) == 2
    assert stripped.image.references == image.references
    # The same image each time, whose layers are there already at the next.
    assert strip_store(image).image.config_digest == stripped.image.config_digest != image.config_digest


def test_a_store_path_that_the_images_own_layer_changes_stays(
    streamed: Callable[..., Image], store: Path
) -> None:
    image = streamed(file(f".{store}/{NAMES[0]}/lib/more.so", b"more"))
    stripped = strip_store(image)
    assert stripped.paths == tuple(str(store / name) for name in NAMES[1:3])
    kept = [name for names in names_in(stripped.image) for name in names]
    assert any(name.endswith("lib/libc.so") for name in kept)
    assert any(name.endswith("lib/more.so") for name in kept)


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_an_archive_loses_the_store_paths_that_are_the_same_here(store: Path, codec: str) -> None:
    mixed = tar_of(
        [
            folder("etc"),
            file("etc/motd", b"hello"),
            *members_of(in_tar(store, NAMES[1], NAMES[2])),
            file("etc/issue", b"last"),
        ]
    )
    data = docker_archive(Sample((in_tar(store, NAMES[0]), mixed), ("sample:1",), {}), layer_codec=codec)
    (image,) = open_images(io.BytesIO(data))
    stripped = strip_store(image)
    assert stripped.paths == tuple(str(store / name) for name in NAMES[:3])
    (names,) = names_in(stripped.image)
    assert [name for name in names if name.startswith("etc")] == ["etc", "etc/motd", "etc/issue"]
    assert not any(NAMES[1] in name or NAMES[2] in name for name in names)
    layer = stripped.image.layers[0]
    with layer.open() as stream:
        assert len(stream.read()) == layer.size


def members_of(tar: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            found.append((member, content.read() if content is not None else b""))
    return found


@pytest.mark.parametrize("change", ["size", "mode", "owner", "more", "fewer", "link", "invalid"])
def test_a_store_path_that_differs_stays_in_the_archive(
    store: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, same = in_tar(store, NAMES[1], uid=5 if change == "owner" else 0), in_tar(store, NAMES[0])
    tool = store / NAMES[1] / "bin" / "tool"
    match change:
        case "size":
            tool.write_bytes(b"t" * 301)
        case "mode":
            tool.chmod(0o644)
        case "more":
            (tool.parent / "more").touch()
        case "fewer":
            tool.unlink()
        case "link":
            (tool.parent / "alias").unlink()
            (tool.parent / "alias").symlink_to("other")
        case "invalid":
            monkeypatch.setattr(
                store_view,
                "find_invalid",
                lambda paths: frozenset(path for path in paths if NAMES[1] in path),
            )
    image = archived(same, other)
    stripped = strip_store(image)
    assert stripped.paths == (str(store / NAMES[0]),)
    assert [layer.diff_id for layer in stripped.image.layers] == [Digest.of(other)]


def test_what_a_hard_link_leads_into_stays(store: Path) -> None:
    image = archived(
        in_tar(store, NAMES[2], NAMES[0]),
        tar_of([hardlink(f".{store}/{'e' * 32}-other", f".{store}/{NAMES[2]}")]),
    )
    assert strip_store(image).paths == (str(store / NAMES[0]),)


def test_an_image_of_store_paths_alone_keeps_a_layer_with_nothing_in_it(store: Path) -> None:
    stripped = strip_store(archived(in_tar(store, NAMES[0])))
    assert names_in(stripped.image) == [[]]
    assert stripped.image.config["rootfs"]["diff_ids"] == [str(Digest.of(bytes(1024)))]


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (folder("{store}", mode=0o775), "others than root may write to its {store}"),
        (link("{store}", "/elsewhere"), "its {store} is no directory"),
        (file("{store}/.wh." + NAMES[0]), "one of its layers removes files of {store}"),
        (file("{store}/.wh..wh..opq"), "one of its layers removes files of {store}"),
    ],
)
def test_an_image_whose_store_no_mount_would_keep_is_left_whole(
    streamed: Callable[..., Image], store: Path, member: tuple[tarfile.TarInfo, bytes], why: str
) -> None:
    info = member[0]
    info.name = info.name.replace("{store}", str(store).strip("/"))
    with pytest.raises(StoreKeptError) as caught:
        strip_store(streamed(member))
    assert caught.value.message == why.replace("{store}", str(store))


def test_owners_other_than_root_are_said(streamed: Callable[..., Image]) -> None:
    with pytest.raises(StoreKeptError) as caught:
        strip_store(streamed(uid="1000", gid="100"))
    assert caught.value.message == "its store paths belong to 1000:100, and this machine's to root"


def test_an_image_without_store_paths_is_said() -> None:
    with pytest.raises(StoreKeptError) as caught:
        strip_store(
            Image(Sample((tar_of([file("a")]),), (), {}).config_bytes, (MemoryLayer(tar_of([file("a")])),))
        )
    assert caught.value.message == "it has no store paths"


@pytest.mark.parametrize("case", ["bare", "plain", "base", "owner"])
def test_images_of_nixpkgs_own_streamer(case: str, stream_golden: dict[str, Any], tmp_path: Path) -> None:
    golden = stream_golden[case]
    conf = json.loads(golden.conf.read_text())
    (image,) = open_images(golden.conf, memory=Memory(open_database(tmp_path / "cache")))
    paths = {path for layer in conf["store_layers"] for path in layer}
    if case == "owner" or not paths:
        with pytest.raises(StoreKeptError):
            strip_store(image)
        return
    stripped = strip_store(image)
    assert set(stripped.paths) == {path for path in paths if not Path(path).is_symlink()}
    below = len(image.layers) - len(conf["store_layers"]) - 1
    kept = stripped.image.diff_ids
    assert kept[:below] == image.diff_ids[:below]
    assert kept[-1] == image.diff_ids[-1]
    assert len(stripped.image.config["history"]) == len(kept)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


class Opened:
    """Counts how often the layers of images are opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        original = OpenerLayer.open

        def opened(layer: OpenerLayer) -> IO[bytes]:
            self.count += 1
            return original(layer)

        monkeypatch.setattr(OpenerLayer, "open", opened)


def test_what_was_found_in_an_archive_is_remembered(
    store: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = tar_of([file("etc/motd", b"hello"), *members_of(in_tar(store, NAMES[1]))])
    layers = in_tar(store, NAMES[0]), mixed, tar_of([file("etc/issue")])
    opened = Opened(monkeypatch)
    first = strip_store(archived(*layers), memory)
    assert opened.count == 3
    digest = first.image.config_digest
    assert opened.count == 4
    again = strip_store(archived(*layers), memory)
    assert again.paths == first.paths
    assert again.image.config_digest == digest
    assert opened.count == 4
    assert names_in(again.image) == names_in(first.image) == [["etc/motd"], ["etc/issue"]]
    # Another image is another matter, and so is one whose store path has gone.
    assert len(strip_store(archived(*layers[:2]), memory).paths) == 2
    (store / NAMES[1] / "bin" / "tool").unlink()
    (store / NAMES[1] / "bin" / "alias").unlink()
    (store / NAMES[1] / "bin").rmdir()
    (store / NAMES[1]).rmdir()
    assert strip_store(archived(*layers), memory).paths == first.paths[:1]


@pytest.mark.usefixtures("store")
def test_that_an_image_has_no_store_paths_is_remembered(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(monkeypatch)
    for _ in range(2):
        with pytest.raises(StoreKeptError, match="it has no store paths"):
            strip_store(archived(tar_of([file("a")])), memory)
    assert opened.count == 1


@pytest.mark.parametrize(
    "remembered", [None, [], {}, {"taken": 1}, {"taken": ["a"], "layers": [[7, None, None]]}]
)
def test_what_another_version_remembered_is_found_anew(store: Path, memory: Memory, remembered: Any) -> None:
    image = archived(in_tar(store, NAMES[0]))
    memory.keep_archive(image.config_digest, remembered)
    assert strip_store(image, memory).paths == (str(store / NAMES[0]),)


MEMBERS = (
    "nix/store/{libc}/lib/libc.so",
    "nix/store/{libc}/lib/more.so",
    "nix/store/{tool}/bin/tool",
    "nix/store/{tool}/.wh.bin",
    "nix/store/" + "f" * 32 + "-foreign/file",
    "etc/motd",
    "etc/.wh.motd",
)


@pytest.mark.parametrize("seed", range(30))
def test_with_the_mounts_the_file_system_is_that_of_the_whole_image(
    store: Path, memory: Memory, seed: int
) -> None:
    """Layers with whole store paths, changed ones, whiteouts and hard links, in any order."""
    chosen = random.Random(seed)
    layers = []
    for _ in range(chosen.randint(1, 4)):
        members = []
        for name in chosen.sample(NAMES, chosen.randint(0, 4)):
            members += members_of(in_tar(store, name))
        for path in chosen.sample(MEMBERS, chosen.randint(0, 2)):
            place = path.replace("nix/store", str(store).strip("/"))
            data = chosen.choice([b"t" * 300, b"other"])
            members.append(
                file(place.format(libc=NAMES[0], tool=NAMES[1]), data, chosen.choice([0o644, 0o755]))
            )
        if chosen.random() < 0.2:
            members.append(hardlink("etc/alias", f"{str(store).strip('/')}/{NAMES[2]}"))
            members[:0] = members_of(in_tar(store, NAMES[2]))
        layers.append(tar_of(members))
    image = archived(*layers)
    try:
        stripped = strip_store(image, memory)
    except StoreKeptError:
        return
    seen = described(image)
    mounted = {
        path: what for path, what in described(stripped.image).items() if not is_below(path, stripped.paths)
    }
    for top in stripped.paths:
        for found in [Path(top), *Path(top).rglob("*")]:
            is_link = found.is_symlink()
            size = found.stat().st_size if found.is_file() and not is_link else 0
            what = size, str(found.readlink()) if is_link else "", found.is_dir() and not is_link
            mounted[str(found).strip("/")] = what
    ways = {str(way).strip("/") for way in (store, *store.parents)}
    assert {path: what for path, what in mounted.items() if path not in ways} == {
        path: what for path, what in seen.items() if path not in ways
    }


def described(image: Image) -> dict[str, tuple[int, str, bool]]:
    tree = read_tree(image.layers)
    return {entry.path: (entry.size, entry.target, entry.is_directory) for entry in tree.walk()}


def is_below(path: str, tops: tuple[str, ...]) -> bool:
    return any(f"/{path}/".startswith(f"{top}/") for top in tops)
