"""nix2container's plans: the bytes that its own tool makes, and what is wrong with a bad one."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.formats import nix2container_tar, open_images
from nixdock.formats.go_tar import GoHeader, write_header
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.nix2container_tar import LayerPath, Permission
from nixdock.image.reference import Digest
from support.archives import layer

from .conftest import UseStore

GOLDEN_SIZE = 14848
GOLDEN_DIGEST = "42aeeb1d214997ec4a38f41cd1d7c4d816b33a871ee55903a03ebc10fe2b205e"
"""What nix2container's own program (Go 1.27.3) made of the tree below."""


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


@pytest.fixture
def tree(tmp_path: Path, use_store: UseStore) -> Iterator[tuple[Path, Path]]:
    """Two store paths with everything that makes a header unusual."""
    root = tmp_path / "root"
    use_store(root / "nix/store")
    a, b = root / "nix/store" / f"{'a' * 32}-pkg", root / "nix/store" / f"{'b' * 32}-root"
    long = "d" * 40
    for path, text, mode in (
        (a / "bin/run", "x\n", 0o555),
        (a / "file", "y\n", 0o444),
        (a / "zero", "", 0o444),
        (a / long / long / ("n" * 120), "z\n", 0o444),
        (a / "ü", "u\n", 0o444),
        (b / "etc/passwd", "root:x:0:0::/:/bin/sh\n", 0o444),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
    (a / "link").symlink_to("bin/run")
    (a / "longlink").symlink_to(f"/{long}/{long}/{long}")
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o555)
    yield a, b
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o755)


def golden_paths(a: Path, b: Path) -> tuple[LayerPath, LayerPath]:
    root = a.parent.parent.parent
    permissions = (Permission(".*/file$", 0o640, 1000, 100, "user", "users"),)
    return LayerPath(str(a), f"^{root}", "", permissions), LayerPath(str(b), f"^{b}", "")


def golden_plan(a: Path, b: Path, **changes: Any) -> dict[str, Any]:
    """Return the plan whose one layer is the golden one."""
    root = a.parent.parent.parent
    permission = {
        "regex": ".*/file$",
        "mode": "0640",
        "uid": 1000,
        "gid": 100,
        "uname": "user",
        "gname": "users",
    }
    described = {
        "digest": f"sha256:{GOLDEN_DIGEST}",
        "diff_ids": f"sha256:{GOLDEN_DIGEST}",
        "size": GOLDEN_SIZE,
        "mediatype": "application/vnd.oci.image.layer.v1.tar",
        "paths": [
            {
                "path": str(a),
                "options": {"rewrite": {"regex": f"^{root}", "repl": ""}, "perms": [permission]},
            },
            {"path": str(b), "options": {"rewrite": {"regex": f"^{b}", "repl": ""}}},
        ],
        "History": {"created": "0001-01-01T00:00:00Z", "created_by": "nix <&>"},
    }
    plan = {
        "version": 1,
        "image-config": {"Env": ["A=1"], "Cmd": ["/bin/run"]},
        "layers": [described],
        "arch": "arm64",
        "created": "0001-01-01T00:00:00Z",
    }
    return {**plan, **changes}


def write(folder: Path, plan: Any, name: str = "image.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(plan, indent="\t"))
    return path


def test_the_golden_layer_has_the_bytes_of_the_original(tree: tuple[Path, Path]) -> None:
    paths = golden_paths(*tree)
    content = b"".join(nix2container_tar.chunks(paths))
    assert (len(content), hashlib.sha256(content).hexdigest()) == (GOLDEN_SIZE, GOLDEN_DIGEST)


def test_the_order_of_paths_does_not_matter(tree: tuple[Path, Path]) -> None:
    paths = golden_paths(*tree)
    assert b"".join(nix2container_tar.chunks(paths[::-1])) == b"".join(nix2container_tar.chunks(paths))


def test_a_plan_is_an_image(tree: tuple[Path, Path], tmp_path: Path, memory: Memory) -> None:
    (image,) = open_images(write(tmp_path, golden_plan(*tree)), memory=memory)
    assert image.architecture == "arm64"
    assert [str(diff_id) for diff_id in image.diff_ids] == [f"sha256:{GOLDEN_DIGEST}"]
    with image.layers[0].open() as stream:
        assert str(Digest.of(stream.read())) == f"sha256:{GOLDEN_DIGEST}"
    # As Go marshals it: compact, in the order of its struct, with markup escaped.
    assert image.config_bytes.startswith(
        b'{"created":"0001-01-01T00:00:00Z","architecture":"arm64","os":"linux","config":{"Env":["A=1"],'
    )
    assert b'"created_by":"nix \\u003c\\u0026\\u003e"' in image.config_bytes
    assert image.references == ()


def test_an_image_without_a_tag_of_its_own_has_the_hash_of_its_plan(
    tree: tuple[Path, Path], tmp_path: Path, memory: Memory
) -> None:
    path = write(tmp_path, golden_plan(*tree), f"{'0' * 32}-image-Hello.json")
    (image,) = open_images(path, memory=memory)
    assert [reference.familiar for reference in image.references] == [f"hello:{'0' * 32}"]


@pytest.mark.parametrize("codec", ["", "+gzip"])
def test_a_layer_that_is_a_tar_is_read(
    codec: str, tmp_path: Path, memory: Memory, use_store: UseStore
) -> None:
    content = layer("a", "b")
    packed = gzip.compress(content) if codec else content
    tar = use_store(tmp_path / "store") / f"{'c' * 32}-layer"
    tar.write_bytes(packed)
    described = {
        "digest": str(Digest.of(packed)),
        "diff_ids": str(Digest.of(content)),
        "size": 0,
        "mediatype": f"application/vnd.oci.image.layer.v1.tar{codec}",
        "layer-path": str(tar),
    }
    plan = {"version": 1, "image-config": {}, "layers": [described], "arch": "amd64"}
    (image,) = open_images(write(tmp_path, plan), memory=memory)
    with image.layers[0].open() as stream:
        assert stream.read() == content
    assert image.layers[0].size == (None if codec else len(content))


def read_all(path: Path, memory: Memory) -> None:
    for image in open_images(path, memory=memory):
        for one in image.layers:
            with one.open() as stream:
                stream.read()


def refuse(path: Path, memory: Memory) -> str:
    with pytest.raises(LoadError) as caught:
        read_all(path, memory)
    return caught.value.message


def test_bad_plans_are_explained(tree: tuple[Path, Path], tmp_path: Path, memory: Memory) -> None:
    def message(**changes: Any) -> str:
        return refuse(write(tmp_path, golden_plan(*tree, **changes)), memory)

    good = golden_plan(*tree)["layers"][0]
    gone = f"{tree[0].parent}/{'0' * 32}-gone"
    assert "is an image.json of version 2" in message(version=2)
    assert "a layer in it is not what it should be" in message(layers=[{}])
    assert "a layer in it is not what it should be" in message(layers=[1])
    assert "a layer in it is not what it should be" in message(layers=[{**good, "diff_ids": "md5:1"}])
    assert "a layer in it is not what it should be" in message(layers=[{**good, "paths": [{}]}])
    assert message(layers=[{**good, "paths": [{"path": gone}]}]) == f"{gone} does not exist"
    assert message(layers=[{**good, "layer-path": gone}]) == f"{gone} does not exist"
    bad_regex = {"path": str(tree[0]), "options": {"rewrite": {"regex": "(", "repl": ""}}}
    assert "a regular expression that is none: '('" in message(layers=[{**good, "paths": [bad_regex]}])
    assert "unknown media type 'x'" in message(
        layers=[{**good, "layer-path": str(tree[0] / "file"), "mediatype": "x"}]
    )


def test_different_files_for_one_place_are_refused(tmp_path: Path) -> None:
    for name, text in (("one", "1"), ("two", "22")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same").write_text(text)
    paths = [LayerPath(str(tmp_path / name), f"^{tmp_path / name}", "") for name in ("one", "two")]
    with pytest.raises(LoadError, match="are different files for the same place in the image, /same"):
        list(nix2container_tar.chunks(paths))
    (tmp_path / "one" / "same").write_text("11")
    # As far as can be seen they are the same; the later one wins.
    assert b"22" in b"".join(nix2container_tar.chunks(paths))


def test_a_path_that_is_named_again_and_again_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nix2container_tar, "FILES_LIMIT", 5)
    (tmp_path / "file").write_text("x")
    paths = [LayerPath(str(tmp_path / "file"), "^.*", f"/{number}") for number in range(6)]
    assert list(nix2container_tar.chunks(paths[:5]))
    with pytest.raises(LoadError, match="has more than 5 files"):
        list(nix2container_tar.chunks(paths))


def test_replacements_may_refer_to_groups(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = LayerPath(str(tmp_path / "file"), "^.*/(fi)(le)$", "/$2-${1}-$$-$9")
    assert b"/le-fi-$-\0" in b"".join(nix2container_tar.chunks([path]))


def test_go_headers_of_what_is_large() -> None:
    """From Go's own writer: numbers that have no room in octal go to a pax header, with zeros instead."""
    block = write_header(GoHeader(b"/big", b"0", 0o444, 3_000_000, 0, b"root", b"u" * 40, size=9 << 30))
    assert len(block) == 1536
    assert block[156:157] == b"x"
    assert block[512:1024].rstrip(b"\0") == (
        b"50 gname=" + b"u" * 40 + b"\n" + b"19 size=9663676416\n" + b"15 uid=3000000\n"
    )
    assert block[1024 + 108 : 1024 + 116] == b"0000000\0"
    assert block[1024 + 124 : 1024 + 136] == b"00000000000\0"


def test_a_long_name_is_split_where_go_splits_it() -> None:
    name = b"/" + b"/".join([b"a" * 60, b"b" * 60, b"c" * 60])
    block = write_header(GoHeader(name, b"0", 0o444, 0, 0, b"root", b"root"))
    assert len(block) == 512
    assert block[345:500].rstrip(b"\0") == name[:122]
    assert block[:100].rstrip(b"\0") == b"c" * 60
