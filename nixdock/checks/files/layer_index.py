"""The index of one layer: its entries, and what is known of their contents; kept by diff ID.

A layer's bytes never change, so an index that was made from bytes with the right digest is kept for
good in the cache directory. A layer whose headers can be read by seeking is quicker indexed than looked
up, and is not kept unless its contents were looked at.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tempfile
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import zstandard

from nixdock import settings
from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.files.facts import ContentFacts, ContentInspector, ElfFacts
from nixdock.errors import DamagedError, LoadError
from nixdock.formats.tar_members import MemberAllowance, TarWalk
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nixdock.formats.tar_members import TarMember
    from nixdock.image.model import Layer
    from nixdock.image.reference import Digest

log = get_logger(__name__)

_VERSION = 2
_PIECE = 1 << 20
_INDEX_LIMIT = 1 << 30
MEMBER_LIMIT = 2_000_000
"""Members that an image's layers may have: of each some 600 bytes are held."""
NAMES_LIMIT = 256 << 20
"""Characters that their paths and the targets of links may have together."""


@dataclass(frozen=True, slots=True)
class LayerIndex:
    """What is in a layer.

    Args:
        entries: In the order of the tar.
        facts: What is known of contents by path; None where they were not looked at.
    """

    entries: tuple[LayerEntry, ...]
    facts: Mapping[str, ContentFacts] | None = None


def index_layer(layer: Layer, *, contents: bool, cache: Path | None = None) -> LayerIndex:
    """Return the index of a layer, from the cache or from its bytes.

    Args:
        layer: The layer.
        contents: Whether the files' contents are to be looked at too.
        cache: The directory of indexes; the user's own when None.

    Raises:
        LoadError: The layer cannot be read, or its bytes are not what its diff ID says.
    """
    directory = cache if cache is not None else settings.cache_dir() / "layer-indexes"
    kept = _Kept(directory, layer.diff_id)
    found = kept.read(contents=contents)
    if found is not None:
        return found
    with layer.open() as stream:
        if stream.seekable() and not contents:
            return LayerIndex(tuple(read_entries(stream, _name(layer))))
        index = _read_whole(stream, layer, contents=contents)
    kept.write(index)
    return index


def index_layers(
    layers: Sequence[Layer], *, contents: bool, cache: Path | None = None
) -> tuple[LayerIndex, ...]:
    """Return the indexes of an image's layers; arguments as for one.

    Raises:
        LoadError: As for one; or the layers have more members together than can be held.
    """
    indexes: dict[int, LayerIndex] = {}
    room = make_room("the image")
    # In the artefact's order, so that a compressed archive is gone through once.
    for number, layer in sorted(enumerate(layers), key=lambda pair: pair[1].position):
        indexes[number] = index_layer(layer, contents=contents, cache=cache)
        entries = indexes[number].entries
        room.take(len(entries), sum(len(entry.path) + len(entry.target) for entry in entries))
    return tuple(indexes[number] for number in range(len(layers)))


def _read_whole(stream: IO[bytes], layer: Layer, *, contents: bool) -> LayerIndex:
    hashed = _Hashed(stream)
    inspector = ContentInspector() if contents else None
    entries = tuple(read_entries(io.BufferedReader(hashed, _PIECE), _name(layer), inspector))
    hashed.finish()
    if hashed.hex != layer.diff_id.hex:
        raise DamagedError(f"{_name(layer)} is damaged: its bytes have the digest sha256:{hashed.hex}")
    return LayerIndex(entries, inspector.facts if inspector else None)


def read_entries(
    stream: IO[bytes], name: str, inspector: ContentInspector | None = None
) -> Iterator[LayerEntry]:
    """Yield the members of a layer's tar.

    Without an inspector contents are skipped, by seeking where the stream can.

    Args:
        stream: The uncompressed tar, at its beginning.
        name: What messages call it.
        inspector: Shown the content of every file.

    Raises:
        LoadError: It is not a tar, or it is cut short.
    """
    walk = TarWalk(stream, name, make_room(name))
    for member in walk:
        if member.kind == "other":
            raise LoadError(f"{name} has a member of a kind that no image has: {member.name!r}")
        entry = _entry(member)
        yield entry
        if inspector is not None and entry.kind == "file":
            inspector.begin(entry)
            while data := walk.read(_PIECE):
                inspector.feed(data)
            inspector.end()


def clean_path(name: str) -> str:
    """Return a member's name as a path from the root; `..` cannot lead out of it."""
    return posixpath.normpath("/" + name.rstrip("/")).lstrip("/")


def make_room(name: str) -> MemberAllowance:
    """Return what may be held of layers at once, which messages call by this name."""
    return MemberAllowance(name, MEMBER_LIMIT, NAMES_LIMIT)


def _entry(member: TarMember) -> LayerEntry:
    name, kind, size, offset, target, mode, uid, gid, mtime, device = member
    if kind == "hardlink":
        target = clean_path(target)
    # To the kernel's overlay file system, on which all engines put it, such a device removes a path.
    is_whiteout = kind == "character" and device == (0, 0)
    return LayerEntry(
        clean_path(name),
        "whiteout" if is_whiteout else kind,
        # Linux gives every symbolic link this mode (symlink(7)).
        0o777 if kind == "symlink" else mode,
        uid,
        gid,
        size,
        offset if kind == "file" else -1,
        target,
        mtime,
    )


def _name(layer: Layer) -> str:
    return f"the layer {layer.diff_id}"


class _Hashed(io.RawIOBase):
    """A stream whose bytes are hashed as they pass."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - anything that can be filled
        data = self._stream.read(len(buffer))
        self._hash.update(data)
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> None:
        """Read what follows the tar's end: padding, which the digest covers."""
        while data := self._stream.read(_PIECE):
            self._hash.update(data)

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


class _Kept:
    """An index in the cache directory; whatever goes wrong with it only makes things slower."""

    def __init__(self, directory: Path, diff_id: Digest) -> None:
        self._file = directory / diff_id.hex[:2] / f"{diff_id.hex[2:]}.{_VERSION}.json.zst"

    def read(self, *, contents: bool) -> LayerIndex | None:
        try:
            packed = self._file.read_bytes()
            data = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_INDEX_LIMIT)
            index = _from_json(json.loads(data))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, zstandard.ZstdError) as error:
            log.debug("layer-index.unreadable", file=str(self._file), error=str(error))
            return None
        return None if contents and index.facts is None else index

    def write(self, index: LayerIndex) -> None:
        # Renamed into place, for another process may read or write the same at this moment.
        data = json.dumps(_to_json(index), separators=(",", ":"), ensure_ascii=True).encode()
        if len(data) > _INDEX_LIMIT:
            return
        temporary = None
        try:
            settings.make_private(self._file.parent.parent)
            settings.make_private(self._file.parent)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, delete=False) as stream:
                temporary = Path(stream.name)
                stream.write(zstandard.ZstdCompressor(level=1).compress(data))
            temporary.replace(self._file)
        except OSError as error:
            log.debug("layer-index.not-kept", file=str(self._file), error=str(error))
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink()


def _to_json(index: LayerIndex) -> dict[str, Any]:
    facts = None
    if index.facts is not None:
        facts = {
            path: [list(fact.references), fact.shebang, list(astuple(fact.elf)) if fact.elf else None]
            for path, fact in index.facts.items()
        }
    return {"entries": index.entries, "facts": facts}


def _from_json(value: Any) -> LayerIndex:  # noqa: ANN401 - JSON
    entries = tuple(LayerEntry(*row) for row in value["entries"])
    facts: dict[str, ContentFacts] | None = None
    if value["facts"] is not None:
        facts = {
            path: ContentFacts(tuple(references), shebang, _elf(elf))
            for path, (references, shebang, elf) in value["facts"].items()
        }
    return LayerIndex(entries, facts)


def _elf(row: list[Any] | None) -> ElfFacts | None:
    if row is None:
        return None
    machine, bits, executable, interpreter, needed, search, soname = row
    return ElfFacts(machine, bits, executable, interpreter, tuple(needed), tuple(search), soname)
