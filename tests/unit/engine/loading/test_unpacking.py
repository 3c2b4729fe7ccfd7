"""Layers that engines could not unpack, and what each of four engines said, as it was recorded."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from nixdock.engine.loading.parcel import LayerBlob
from nixdock.engine.loading.response import explain, is_final, is_loss
from support.layers import MemoryLayer, file, folder, hardlink, layer_of, link, tar_of

RECORDED: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "data/unpacking.json").read_text(encoding="utf-8")
)


def of_kind(name: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type = kind
    return info, b""


def with_attributes(*names: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo("u")
    info.pax_headers = {f"SCHILY.xattr.{name}": "1" for name in names}
    return info, b""


LATER = "which does not stand before it in the same layer"
NOWHERE = "which leads to no directory of the same layer"
# The members of the layer, and why it cannot be unpacked.
LAYERS: dict[str, tuple[list[tuple[tarfile.TarInfo, bytes]], str]] = {
    "hard-lower": ([hardlink("b", "etc/a")], f"/b is a hard link to /etc/a, {LATER}"),
    "hard-later": ([hardlink("b", "a"), file("a", b"x")], f"/b is a hard link to /a, {LATER}"),
    "hard-missing": ([hardlink("b", "nope")], f"/b is a hard link to /nope, {LATER}"),
    "hard-self": ([hardlink("b", "b")], f"/b is a hard link to /b, {LATER}"),
    "hard-dir": ([folder("q"), hardlink("b", "q")], "/b is a hard link to /q, which is a directory"),
    "hard-out": (
        [hardlink("b", "../../etc/passwd")],
        "/b is a hard link to /../../etc/passwd, which leads out of the image",
    ),
    "hard-through-link": ([hardlink("b", "l/x")], f"/b is a hard link to /l/x, {LATER}"),
    "hard-wh": ([file(".wh.z"), hardlink("b", ".wh.z")], f"/b is a hard link to /.wh.z, {LATER}"),
    "wh-lone": ([file(".wh.")], "/.wh. is a whiteout of nothing"),
    "wh-dot": ([file(".wh..")], "/.wh.. is a whiteout of nothing"),
    "wh-dotdot": ([file(".wh...")], "/.wh... is a whiteout of nothing"),
    "dir-then-wh": (
        [folder("d"), file("d/c"), file(".wh.d")],
        "/.wh.d hides /d, which stands before it in the same layer",
    ),
    "wh-same-layer-file": (
        [file("n"), file(".wh.n")],
        "/.wh.n hides /n, which stands before it in the same layer",
    ),
    "dup-file": ([file("n"), file("n", b"22")], "/n stands there twice"),
    "dup-dir-mode": ([folder("n"), file("n/a"), folder("n", 0o711)], "/n stands there twice"),
    "wh-below-file": ([file("f"), file("f/.wh.x")], "/f/.wh.x is below /f, which is no directory"),
    "wh-link-dangling": (
        [link("l", "nowhere"), file("l/.wh.x")],
        f"/l/.wh.x is below the symbolic link /l -> nowhere, {NOWHERE}",
    ),
    "wh-link-same-abs": (
        [link("q", "/d"), file("q/.wh.x")],
        f"/q/.wh.x is below the symbolic link /q -> /d, {NOWHERE}",
    ),
    "opq-link-dangling": (
        [link("l", "nowhere"), file("l/.wh..wh..opq")],
        f"/l/.wh..wh..opq is below the symbolic link /l -> nowhere, {NOWHERE}",
    ),
    "sub-dangling": (
        [link("l", "nowhere"), file("l/x")],
        f"/l/x is below the symbolic link /l -> nowhere, {NOWHERE}",
    ),
    "sub-abs": ([link("q", "/d"), file("q/x")], f"/q/x is below the symbolic link /q -> /d, {NOWHERE}"),
    "abs-link-out": (
        [link("e", "/etc"), file("e/x")],
        f"/e/x is below the symbolic link /e -> /etc, {NOWHERE}",
    ),
    "file-below-file-same": ([file("f"), file("f/x")], "/f/x is below /f, which is no directory"),
    "name-long": (
        [file("n" * 300)],
        f"/{'n' * 100}... (300 characters) is too long for a file system",
    ),
    "name-dotdot": ([file("../../x")], "../../x leads out of the image"),
    "symlink-empty": ([link("s", "")], "the target of the symbolic link /s is empty"),
    "type-unknown": ([of_kind("u", b"Z")], "/u is of a kind that engines do not know ('Z')"),
    "sparse": ([of_kind("u", b"S")], "/u is of a kind that engines do not know ('S')"),
    "xattr-bad": (
        [with_attributes("user.x", "security.capability")],
        "an extended attribute of /u is refused (user.x, security.capability)",
    ),
}


def blob_of(layer: MemoryLayer) -> LayerBlob:
    return LayerBlob(layer, layer.diff_id, layer.size, layer.open)


@pytest.mark.parametrize(
    ("case", "engine"), [(case, engine) for case, said in RECORDED.items() for engine in said]
)
def test_what_no_engine_can_unpack_is_told_with_its_layer_and_path(case: str, engine: str) -> None:
    members, why = LAYERS[case]
    good = layer_of(folder("d"), link("ok", "d"), file("ok/a"), file("etc/a"), hardlink("z", "etc/a"))
    bad = MemoryLayer(tar_of([file("first"), hardlink("y", "first"), *members], tarfile.PAX_FORMAT))
    # Where the engine named the layer, it is the recorded one.
    said = RECORDED[case][engine]
    digests = {word.strip('":') for word in said.replace(",", " ").split() if "sha256:" in word}
    for digest in digests:
        said = said.replace(digest, str(bad.diff_id))

    error = explain(said, "a:1", [blob_of(good), blob_of(bad)])

    assert error.message == f"the layer {bad.diff_id} of a:1 cannot be unpacked: {why}"
    assert error.details == said
    assert is_final(said)
    assert not is_loss(said)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("linkat etc/a b: no such file or directory", "/b: no such file or directory"),
        ('invalid entry name "../x"', 'invalid entry name "../x"'),
        ("Error processing tar file(exit status 1): strange", "strange"),
    ],
)
def test_an_engine_is_quoted_where_the_layers_show_nothing(said: str, sentence: str) -> None:
    error = explain(said, "a:1", [blob_of(layer_of(file("x")))])

    assert error.message == f"a layer of a:1 cannot be unpacked: {sentence}"


@pytest.mark.parametrize(
    "said",
    [
        "open /var/lib/docker/tmp/docker-import-5/blobs/sha256/2e1b: no such file or directory",
        "open /var/lib/docker/tmp/docker-import-5/1a/layer.tar: no such file or directory",
        "failed to extract layer sha256:" + "a" * 64 + ": failed to get reader from content store: content "
        "digest sha256:aa: not found",
        "failed to extract layer sha256:" + "a" * 64 + ": snapshot sha256:bb does not exist: not found",
        "layer does not exist",
        "No such image: a:1",
    ],
)
def test_what_is_lost_is_no_fault_of_the_layers(said: str) -> None:
    assert is_loss(said)
    assert "somebody may be removing images" in str(explain(said, "a:1").hint)


def test_no_room_is_told_as_such_wherever_it_was_met() -> None:
    said = "Error processing tar file(exit status 1): write /x: no space left on device"

    assert explain(said, "a:1").message == "the engine has no room left for a:1"
