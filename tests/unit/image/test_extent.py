"""Bytes that go from a file into a connection without being read, where the system can do that."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixdock.errors import LoadError
from nixdock.formats.source import FileBytes
from nixdock.image.extent import Extent

CONTENT = os.urandom(700_000)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(b"before" + CONTENT + b"after")
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def receive(send: Callable[[socket.socket], None]) -> bytes:
    """Return what comes out at the other end."""
    ours, theirs = socket.socketpair()
    received = bytearray()

    def drain() -> None:
        while piece := theirs.recv(1 << 16):
            received.extend(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        with ours:
            send(ours)
    finally:
        reader.join()
        theirs.close()
    return bytes(received)


def test_the_kernel_sends_it(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pread", None)
    assert receive(Extent(file, 6, len(CONTENT), "it").send) == CONTENT


@pytest.mark.parametrize("sent_before", [0, 1, 300_000])
def test_what_the_kernel_cannot_send_is_read(
    sent_before: int, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = os.sendfile
    left = [sent_before]

    def sendfile(out: int, descriptor: int, offset: int, count: int) -> int:
        if not left[0]:
            raise OSError(errno.EINVAL, "no such luck")
        sent = send(out, descriptor, offset, min(count, left[0]))
        left[0] -= sent
        return sent

    monkeypatch.setattr(os, "sendfile", sendfile)
    assert receive(Extent(file, 6, len(CONTENT), "it").send) == CONTENT


def test_a_file_that_became_shorter_is_said_to_have_changed(file: int) -> None:
    extent = Extent(file, 6, len(CONTENT), "the archive")
    os.ftruncate(file, 1000)
    with pytest.raises(LoadError, match=r"^the archive changed while it was read$"):
        receive(extent.send)


def test_a_broken_connection_is_not_taken_for_a_file_that_cannot_be_sent(
    file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pread", None)
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(BrokenPipeError):
        Extent(file, 6, len(CONTENT), "it").send(ours)


def test_a_section_of_a_file_gives_its_extents_up_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    stream = FileBytes(path).section(2, 7)
    with stream:
        section = stream.raw  # type: ignore[attr-defined]
        assert [section.take(4).read() for _ in range(3)] == [b"2345", b"678", b""]
    with FileBytes(path).section(8) as rest:
        assert rest.raw.take(4).read() == b"89"  # type: ignore[attr-defined]
