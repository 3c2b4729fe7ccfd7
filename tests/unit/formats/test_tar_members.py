"""Tars of unknown origin: no header can make the walker allocate, hang or crash."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.tar_members import (
    EXTENSION_LIMIT,
    MEMBER_LIMIT,
    TarMember,
    TarWalk,
    is_header,
)
from support.layers import device, file, folder, hardlink, link, tar_of

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def walk(data: bytes) -> list[TarMember]:
    return list(TarWalk(io.BytesIO(data), "x.tar"))


def refuse(data: bytes) -> str:
    with pytest.raises(LoadError) as caught:
        walk(data)
    return caught.value.message


def header(name: str = "a", size: int = 0, kind: bytes = b"0", **more: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def signed(block: bytearray) -> bytes:
    """Give a changed header a right checksum."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("form", FORMATS)
def test_finds_what_tarfile_wrote(form: int) -> None:
    members = [
        file("plain", b"12345"),
        folder("dir"),
        file("dir/" + "n" * 90, b"x" * 513),
        link("dir/link", "../plain"),
        hardlink("again", "plain"),
        device("null"),
        file("empty"),
    ]
    data = tar_of(members, form)
    found = walk(data)
    assert [(member.name.rstrip("/"), member.size, member.target) for member in found] == [
        ("plain", 5, ""),
        ("dir", 0, ""),
        ("dir/" + "n" * 90, 513, ""),
        ("dir/link", 0, "../plain"),
        ("again", 0, "plain"),
        ("null", 0, ""),
        ("empty", 0, ""),
    ]
    assert [member.kind for member in found] == [
        "file",
        "directory",
        "file",
        "symlink",
        "hardlink",
        "character",
        "file",
    ]
    assert data[found[0].offset : found[0].offset + 5] == b"12345"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names(form: int) -> None:
    names = ["l" * 300, "ü/" + "é" * 120, "\udcff" * 3]
    info = link("short", "t" * 300)
    found = walk(tar_of([*(file(name, b"1") for name in names), info], form))
    assert [member.name for member in found] == [*names, "short"]
    assert found[-1].target == "t" * 300


def test_a_member_of_more_than_eight_gigabytes_is_skipped_by_seeking() -> None:
    class Sparse(io.RawIOBase):
        """Nine gigabytes between two headers, none of them in memory."""

        size = 9 << 30

        def __init__(self) -> None:
            super().__init__()
            self.position = 0

        def seekable(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.position = offset + (self.position if whence else 0)
            return self.position

        def read(self, size: int = -1) -> bytes:
            first, end = self.position, 512 + self.size
            self.position += size
            if first == 0:
                return header("large", self.size)[:size]
            # Zeros up to the second header, and behind it.
            data = bytes(max(0, end - first)) + header("after") + bytes(1024) if first >= end - 1024 else b""
            return data[max(0, first - end) :][:size]

    found = list(TarWalk(cast("IO[bytes]", Sparse()), "x.tar"))
    assert [(member.name, member.size) for member in found] == [("large", 9 << 30), ("after", 0)]


def test_v7_headers_have_no_magic() -> None:
    block = bytearray(header("old"))
    block[257:265] = bytes(8)
    (member,) = walk(signed(block) + bytes(1024))
    assert member.name == "old"


def test_an_archive_may_end_without_empty_blocks() -> None:
    assert [member.name for member in walk(header("a") + header("b"))] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (header("a", 1000) + bytes(999), "is truncated"),
        (header("a") + header("b")[:100], "is truncated"),
        (header("a") + b"\1" * 512, "is damaged: what stands at byte 512"),
        (header("a", kind=b"S"), "has a sparse member, 'a'"),
        (header("a", 10, kind=b"x") + b"10 path=a\n".ljust(512, b"\0"), "is truncated"),
        (header("a", 1 << 40, kind=b"x"), "one of its headers claims 1099511627776 bytes"),
        (header("a", 1 << 40, kind=b"g"), "one of its headers claims 1099511627776 bytes"),
        (header("a", 1 << 40, kind=b"L"), "one of its headers claims 1099511627776 bytes"),
        (header("a", EXTENSION_LIMIT + 1, kind=b"K"), "one of its headers claims"),
        ((header("a", 2, kind=b"L") + b"n\0".ljust(512, b"\0")) * 17, "has too many extensions"),
    ],
)
def test_bad_tars_are_refused(data: bytes, words: str) -> None:
    if "path=a" in data.decode("latin-1") and words == "is truncated":
        # An extension without the member that it extends: the tar just ends.
        assert walk(data) == []
        return
    assert words in refuse(data)


@pytest.mark.parametrize(
    "records",
    [
        b"x",
        b"99999 path=a\n",
        b"0 path=a\n",
        b"-5 path=a\n",
        b"9 path=a",
        b"11 patha\nxx",
        b"5 a=\nb",
        b"18446744073709551616 path=a\n",
    ],
)
def test_malformed_pax_records_are_refused(records: bytes) -> None:
    data = header("p", len(records), kind=b"x") + records.ljust(512, b"\0") + header("a") + bytes(1024)
    assert "an extended header" in refuse(data)


@pytest.mark.parametrize("size", ["-1", "1e3", "", "99999999999999999999", "٣"])
def test_pax_sizes_that_are_none_are_refused(size: str) -> None:
    body = f" size={size}\n".encode()
    record = next(b"%d%b" % (n, body) for n in range(100) if len(b"%d%b" % (n, body)) == n)
    data = header("p", len(record), kind=b"x") + record.ljust(512, b"\0") + header("a")
    assert "a size of" in refuse(data)


def test_owners_and_times_of_pax_headers_may_be_below_zero() -> None:
    info = tarfile.TarInfo("a")
    info.uid = info.gid = -2
    info.mtime = -1.5
    (member,) = walk(tar_of([(info, b"")], tarfile.PAX_FORMAT))
    assert (member.uid, member.gid, member.mtime) == (-2, -2, -1)


def test_the_sum_of_a_header_may_be_one_of_signed_characters() -> None:
    block = bytearray(header("\xfc"))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(byte - 256 * (byte > 127) for byte in block)
    assert is_header(bytes(block))
    assert [member.name for member in walk(bytes(block))] == ["\xfc"]


def test_an_archive_ends_where_another_one_is_put_behind_it() -> None:
    assert [member.name for member in walk(tar_of([file("a")]) + tar_of([file("b")]))] == ["a"]


@pytest.mark.parametrize(
    "field", [b"\xff" * 12, b"\xc0" + bytes(11), b"\x80" + b"\xff" * 11, b"99999999999\0", b"abc"]
)
def test_sizes_that_are_none_are_refused(field: bytes) -> None:
    block = bytearray(header("a"))
    block[124:136] = field.ljust(12, b"\0")
    assert "damaged" in refuse(signed(block) + bytes(1024))


def test_pax_sparse_files_are_refused() -> None:
    record = b"22 GNU.sparse.major=1\n"
    data = header("p", len(record), kind=b"x") + record.ljust(512, b"\0") + header("a")
    assert "has a sparse member" in refuse(data)


def test_zeros_and_noise_are_no_header() -> None:
    assert not is_header(bytes(512))
    assert not is_header(b"\xff" * 512)
    assert not is_header(header("a")[:511])
    assert is_header(header("a"))


def endless(repeat: Callable[[int], bytes], count: int) -> Iterator[bytes]:
    for number in range(count):
        yield repeat(number)


def packed(pieces: Iterator[bytes]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as file:
        for piece in pieces:
            file.write(piece)
    return out.getvalue()


MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("zeros", lambda: endless(lambda _: bytes(MEGABYTE), 300)),
        (
            "a member of zeros",
            lambda: endless(lambda n: bytes(MEGABYTE) if n else header("z", 300 << 20), 301),
        ),
        (
            "a manifest of zeros",
            lambda: endless(lambda n: bytes(MEGABYTE) if n else header("manifest.json", 300 << 20), 301),
        ),
        (
            "spaces as manifest",
            lambda: endless(lambda n: b" " * MEGABYTE if n else header("manifest.json", 300 << 20), 301),
        ),
        (
            "a pax header of zeros",
            lambda: endless(lambda n: bytes(MEGABYTE) if n else header("p", 300 << 20, kind=b"x"), 301),
        ),
        ("many documents", lambda: endless(lambda n: header(f"{n}.json", MEGABYTE) + b"x" * MEGABYTE, 200)),
        (
            "many members",
            lambda: endless(
                lambda n: b"".join(header(f"{n}-{m}") for m in range(1000)), MEMBER_LIMIT // 1000 + 1
            ),
        ),
        (
            "many long names",
            lambda: endless(
                lambda n: (
                    header("l", MEGABYTE, kind=b"L")
                    + bytes([97 + n % 26]) * (MEGABYTE - 512)
                    + bytes(512)
                    + header("x")
                ),
                200,
            ),
        ),
        (
            "documents of an image",
            lambda: endless(
                lambda n: header(f"{n}.json" if n else "manifest.json", MEGABYTE) + b"x" * MEGABYTE, 200
            ),
        ),
    ],
)
def test_a_bomb_does_not_fill_the_memory(
    name: str, pieces: Callable[[], Iterator[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(packed(pieces()))
    tracemalloc.start()
    try:
        with pytest.raises(LoadError):
            open_images(path, memory=Memory(open_database(tmp_path / "cache")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 110 * MEGABYTE
