"""An archive's members by name, read without unpacking: tar, compressed or not.

Going through a compressed archive means decompressing it once; what was learned (where each member
stands) is remembered, and later only the members that are wanted are read.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import DamagedError, LoadError
from nixdock.events import Meter, Work, ignore
from nixdock.formats.compression import DecompressedBytes
from nixdock.formats.tar_members import BLOCK, TarWalk, is_header
from nixdock.image.detect import Codec, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.events import Listener
    from nixdock.formats.memory import Memory
    from nixdock.formats.source import Bytes, File

JSON_LIMIT: Final = 16 * 1024 * 1024
"""Bytes that a manifest or a config may have; the history of 100 layers of 1000 paths has 6 MB."""

DOCUMENTS_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of small files that are kept in passing, in all."""

SMALL: Final = 1024 * 1024
"""Bytes that a blob may have to be taken for a manifest or a config."""

CONFIGS_LIMIT: Final = 128 * 1024 * 1024
"""Bytes that all configs and manifests of an archive may have together."""

INDEXES_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of indexes below an archive's own that are read, each time that one leads to another."""

VALUES_LIMIT: Final = 2_000_000
"""Values in a JSON document: each takes some sixty bytes of memory, and two of the file."""

IMAGES_LIMIT: Final = 2000
"""Images that an archive may hold; a whole engine that is saved has hundreds."""

NAMES_LIMIT: Final = 10_000
"""Names that the images of an archive may have together."""

LAYERS_LIMIT: Final = 500
"""Layers of an image: no more can be mounted over each other, and Docker takes a quarter of it."""

ALL_LAYERS_LIMIT: Final = 50_000
"""Layers that all images of an archive may have together."""

PATHS_LIMIT: Final = 100_000
"""Store paths that an image may be described by."""

DRAIN_LIMIT: Final = 64 * 1024 * 1024
"""Bytes behind the end of a tar that are read to reach a compressed file's checksum."""

_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_MARKS: Final = ("manifest.json", "index.json")
_HEAD: Final = 6
_LINKS_IN_A_ROW: Final = 16


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file in an archive.

    Args:
        offset: Where its data begins in the uncompressed archive.
        size: Bytes.
        codec: How it is itself compressed, by its first bytes.
    """

    offset: int
    size: int
    codec: Codec


class Archive:
    """The members of one archive by their safe names.

    Args:
        content: The uncompressed archive.
        files: The regular files by name.
        links: What links point to, by name.
        documents: Small files that were read in passing.
    """

    def __init__(
        self,
        content: Bytes,
        files: Mapping[str, ArchiveFile],
        links: Mapping[str, str],
        documents: Mapping[str, bytes],
    ) -> None:
        self.content = content
        self.name = content.name
        self.files = files
        self.links = links
        self._documents = documents

    def __contains__(self, name: str) -> bool:
        return name in self.files or name in self.links

    def find(self, name: str, *, what: str) -> ArchiveFile:
        """Return a file by its name in the archive, links followed inside of it.

        Args:
            name: As a manifest writes it.
            what: What is asked for, for the message where it is not there.

        Raises:
            LoadError: There is no such file, or the name leaves the archive.
        """
        current = self._safe(name, what)
        for _ in range(_LINKS_IN_A_ROW):
            entry = self.files.get(current)
            if entry is not None:
                return entry
            target = self.links.get(current)
            if target is None:
                raise DamagedError(f"{self.name} is not complete: {what} {name!r} is not in it")
            current = self._safe(target, what)
        raise DamagedError(f"{self.name} is damaged: {what} {name!r} is a link that leads nowhere")

    def read(self, name: str, *, what: str) -> bytes:
        """Return a small file whole.

        Raises:
            LoadError: There is none of this name, or it is too large to be what is asked for.
        """
        if name in self._documents:
            return self._documents[name]
        entry = self.find(name, what=what)
        if entry.size > JSON_LIMIT:
            raise DamagedError(f"{self.name} is damaged: {what} {name!r} has {entry.size} bytes")
        with self.open(entry) as stream:
            data = stream.read()
        if len(data) < entry.size:
            raise DamagedError(f"{self.name} is truncated: it ends inside of {name!r}")
        return data

    def open(self, entry: ArchiveFile) -> IO[bytes]:
        """Open a stream of a file's bytes; the caller closes it."""
        return self.content.section(entry.offset, entry.size)

    def _safe(self, name: str, what: str) -> str:
        safe = safe_name(name)
        if safe is None:
            raise LoadError(f"{self.name} is refused: {what} is {name!r}, a path outside of the archive")
        return safe


def safe_name(name: str) -> str | None:
    """Return the normal form of a member's name, or None where it leaves the archive."""
    if name.startswith("/") or "\0" in name:
        return None
    normal = posixpath.normpath(name)
    return None if normal == ".." or normal.startswith("../") else normal


def open_archive(file: File, memory: Memory, listener: Listener) -> Archive | None:
    """Learn what stands where in an archive, from memory where it was read before.

    Returns:
        None where the file is no tar, compressed or not.

    Raises:
        LoadError: It is one, but truncated or damaged.
    """
    with file.section() as stream:
        codec = recognise(stream.read(_HEAD))
    content: Bytes = file if codec is Codec.NONE else DecompressedBytes(file, codec)
    remembered = memory.recall_archive(file.identity) if file.identity else None
    if remembered is not None:
        archive = _from_json(content, remembered)
        if archive is not None:
            return archive
    archive = _walk(file, content, codec, listener)
    # What is no image is not worth remembering.
    if archive is not None and file.identity and any(name in archive for name in _MARKS):
        memory.keep_archive(file.identity, _to_json(archive))
    return archive


def _walk(file: File, content: Bytes, codec: Codec, listener: Listener) -> Archive | None:
    files: dict[str, ArchiveFile] = {}
    links: dict[str, str] = {}
    documents: dict[str, bytes] = {}
    room = DOCUMENTS_LIMIT
    with content.section() as stream:
        if not is_header(_peek(stream)):
            return None
        walk = TarWalk(stream, file.name)
        compressed = codec is not Codec.NONE
        # Without compression only the headers are read: that is nothing to tell of.
        with Meter(listener if compressed else ignore, Work.READ, file.name) as meter:
            for member in walk:
                meter.reach(walk.position)
                name = safe_name(member.name)
                if name is None:
                    continue  # nobody can ask for it; what a manifest names is checked by itself
                documents.pop(name, None)
                files.pop(name, None)
                links.pop(name, None)
                match member.kind:
                    case "file":
                        head = walk.read(_HEAD)
                        files[name] = ArchiveFile(member.offset, member.size, recognise(head))
                        # In a compressed archive, going back for it would mean decompressing again.
                        if compressed and _is_document(name, member.size, head) and member.size <= room:
                            documents[name] = head + walk.read(member.size)
                            room -= member.size
                    case "symlink":
                        links[name] = posixpath.join(posixpath.dirname(name), member.target)
                    case "hardlink":
                        links[name] = member.target
                    case _:
                        pass
                while compressed and walk.read(_STEP):
                    meter.reach(walk.position)
        if compressed:
            _drain(stream)
    return Archive(content, files, links, documents)


_STEP: Final = 1024 * 1024


def _peek(stream: IO[bytes]) -> bytes:
    peek = getattr(stream, "peek", None)
    head: bytes = peek(BLOCK) if peek else b""
    return head[:BLOCK]


def _drain(stream: IO[bytes]) -> None:
    """Read on to a compressed file's end, whose checksum covers what was read before."""
    left = DRAIN_LIMIT
    for chunk in iter(partial(stream.read, _STEP), b""):
        left -= len(chunk)
        if left <= 0:
            return


def _is_document(name: str, size: int, head: bytes) -> bool:
    if name.endswith(".json"):
        return size <= JSON_LIMIT
    return name == "oci-layout" or (size <= SMALL and head.startswith(b"{") and name.startswith("blobs/"))


def _to_json(archive: Archive) -> object:
    return {
        "files": {
            name: [entry.offset, entry.size, str(entry.codec)] for name, entry in archive.files.items()
        },
        "links": dict(archive.links),
        "documents": {name: _to_text(data) for name, data in archive._documents.items()},  # noqa: SLF001  # our own
    }


def _from_json(content: Bytes, value: Any) -> Archive | None:  # noqa: ANN401  # JSON of a damaged file, perhaps
    try:
        files = {
            name: ArchiveFile(int(offset), int(size), Codec(codec))
            for name, (offset, size, codec) in value["files"].items()
        }
        links = {str(name): str(target) for name, target in value["links"].items()}
        documents = {name: _to_bytes(text) for name, text in value["documents"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return Archive(content, files, links, documents)


def _to_text(data: bytes) -> str:
    return data.decode("latin-1")


def _to_bytes(text: str) -> bytes:
    return text.encode("latin-1")


class Budget:
    """What an archive may make nixdock hold or read: all its lists have one end.

    Args:
        name: What messages call the archive.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = {
            "images": IMAGES_LIMIT,
            "layers": ALL_LAYERS_LIMIT,
            "names": NAMES_LIMIT,
            "bytes of configs": CONFIGS_LIMIT,
            "bytes of indexes": INDEXES_LIMIT,
        }

    def take(self, what: str, count: int) -> None:
        """Take note of so much more.

        Raises:
            LoadError: It is too much.
        """
        self._left[what] -= count
        if self._left[what] < 0:
            raise LoadError(f"{self._name} is refused: it has more {what} than any archive needs")

    def take_layers(self, count: int) -> None:
        """Take note of an image's layers.

        Raises:
            LoadError: They are too many.
        """
        check_layers(count, self._name)
        self.take("layers", count)


def check_layers(count: int, name: str) -> None:
    """Make sure that an image has no more layers than can be stacked.

    Args:
        count: Its layers.
        name: What messages call the artefact.

    Raises:
        LoadError: It has.
    """
    if count > LAYERS_LIMIT:
        raise LoadError(
            f"{name} is refused: an image in it has {count} layers, and no engine takes more "
            f"than {LAYERS_LIMIT}"
        )


def parse_json(data: bytes, *, name: str, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Read JSON of unknown origin.

    Raises:
        LoadError: It is none; the message names the archive and the document.
    """
    try:
        return load_json(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{name} is damaged: its {what} is no JSON ({error})") from error


def load_json(data: bytes) -> Any:  # noqa: ANN401  # any JSON
    """Read JSON that may fill the memory no more than its file does.

    Raises:
        ValueError: It is none, or has more values than any description of an image.
        RecursionError: It is nested without end.
    """
    if _count_values(data) > VALUES_LIMIT:
        raise ValueError(f"more than {VALUES_LIMIT} values")
    return json.loads(data)


def _count_values(data: bytes) -> int:
    """Count what stands before the values of a JSON document; what stands in texts only where it matters."""
    marks = (b",", b"[", b"{")
    count = sum(map(data.count, marks))
    return count if count <= VALUES_LIMIT else sum(map(_TEXTS.sub(b"", data).count, marks))
