from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.checks.files.layer_index import LayerIndex, clean_path, index_layer, read_entries
from nixdock.checks.files.tree import build_tree
from nixdock.errors import LoadError
from nixdock.image.reference import Digest
from support.layers import MemoryLayer, device, file, folder, hardlink, layer_of, link, read_tree, tar_of

LONG = "d/" * 70 + "f" * 90


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("seekable", [True, False])
def test_headers_of_every_format_are_read_as_tarfile_reads_them(form: int, seekable: bool) -> None:
    long_name = LONG if form != tarfile.USTAR_FORMAT else "d/" * 20 + "f"
    members = [
        folder("etc/", 0o1777),
        file("./etc/passwd", b"root:x:0:0\n", 0o4755, 1000, 65534),
        file(long_name, b"x" * 1000),
        link("bin", long_name if form != tarfile.USTAR_FORMAT else "etc"),
        hardlink("copy", "./etc/passwd"),
        device("null"),
        device("fifo", tarfile.FIFOTYPE),
        device("disk", tarfile.BLKTYPE),
        file("empty"),
    ]
    if form == tarfile.PAX_FORMAT:
        members.append(file("ü", b"1", uid=2**31))
    layer = MemoryLayer(tar_of(members, form), seekable=seekable)

    with layer.open() as stream:
        entries = {entry.path: entry for entry in read_entries(stream, "it")}

    assert entries["etc"][:3] == ("etc", "directory", 0o1777)
    passwd = entries["etc/passwd"]
    assert (passwd.mode, passwd.uid, passwd.gid, passwd.size) == (0o4755, 1000, 65534, 11)
    assert layer.tar[passwd.offset :][: passwd.size] == b"root:x:0:0\n"
    assert entries[long_name].size == 1000
    assert entries["bin"].kind == "symlink"
    assert (entries["copy"].kind, entries["copy"].target) == ("hardlink", "etc/passwd")
    assert [entries[name].kind for name in ("null", "fifo", "disk")] == ["whiteout", "fifo", "block"]
    if form == tarfile.PAX_FORMAT:
        assert entries["ü"].uid == 2**31


def test_a_big_number_in_base_256_is_read() -> None:
    with MemoryLayer(tar_of([file("a", uid=2**40)])).open() as stream:
        (entry,) = read_entries(stream, "it")

    assert entry.uid == 2**40


def test_names_cannot_lead_out_of_the_image() -> None:
    assert clean_path("../../etc/passwd") == "etc/passwd"
    assert clean_path("./a//b/../c/") == "a/c"
    assert clean_path("/") == ""


@pytest.mark.parametrize("seekable", [True, False])
def test_a_layer_that_is_cut_short_is_an_error(seekable: bool) -> None:
    tar = tar_of([file("a", b"x" * 5000), file("b")])
    cut = MemoryLayer(tar[:2000] if not seekable else tar[:700], seekable=seekable)

    with pytest.raises(LoadError, match=r"is truncated|is damaged"):
        index_layer(MemoryLayer(cut.tar, seekable=False), contents=False)


def test_rubbish_is_an_error_not_a_crash() -> None:
    with pytest.raises(LoadError, match="is damaged"):
        index_layer(MemoryLayer(b"rubbish" * 100), contents=False)


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=40))
def test_any_damage_is_a_load_error_or_harmless(position: int, damage: bytes) -> None:
    tar = bytearray(tar_of([file("a", b"x" * 600), link("b", "a"), file("c" * 200)], tarfile.PAX_FORMAT))
    tar[position : position + len(damage)] = damage

    try:
        with MemoryLayer(bytes(tar)).open() as stream:
            build_tree([LayerIndex(tuple(read_entries(stream, "it")))])
    except LoadError:
        pass


def test_bytes_that_are_not_what_the_diff_id_says_are_refused() -> None:
    layer = MemoryLayer(tar_of([file("a")]), seekable=False, diff_id=Digest.of(b"other"))

    with pytest.raises(LoadError, match="is damaged: its bytes have the digest sha256:"):
        index_layer(layer, contents=False)


def test_an_index_is_kept_and_the_layer_not_opened_again() -> None:
    layer = layer_of(file("a", b"see /nix/store/" + b"a" * 32 + b"-x"), seekable=False)

    first = index_layer(layer, contents=True)
    second = index_layer(layer, contents=True)

    assert first == second
    assert first.facts is not None
    assert layer.opened == 1
    assert index_layer(layer, contents=False) == first


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    layer = layer_of(file("a"), seekable=False)
    index = index_layer(layer, contents=True)
    (kept,) = (tmp_path / "cache").rglob("*.json.zst")
    kept.write_bytes(kept.read_bytes()[:-4])

    assert index_layer(layer, contents=True) == index
    assert layer.opened == 2


def test_a_cache_that_cannot_be_written_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path / "file"))

    assert index_layer(layer_of(file("a"), seekable=False), contents=True).entries[0].path == "a"


def test_a_negative_size_is_told(tmp_path: Path) -> None:
    header = bytearray(tar_of([file("a", b"1")])[:512])
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    with pytest.raises(LoadError, match="a negative size"):
        read_tree([MemoryLayer(bytes(header) + bytes(1024))], cache=tmp_path)
