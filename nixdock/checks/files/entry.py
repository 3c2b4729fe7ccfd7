"""One path of a layer: what a tar header says of it, where its content lies, and the reading of that."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, NamedTuple

from nixdock.errors import DamagedError, LoadError
from nixdock.outcome import Capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nixdock.image.model import Layer

_PIECE = 1 << 20


class LayerEntry(NamedTuple):
    """A path and its properties.

    A named tuple, for an image has a hundred thousand of them and they are kept as JSON rows.

    Args:
        path: From the image's root, without a slash before or after: `etc/passwd`; the root is "".
        kind: `file`, `directory`, `symlink`, `hardlink`, `fifo`, `character`, `block` or `whiteout`; hard
            links and whiteouts are in layers, and no more where these lie over each other.
        mode: Permission bits, set-id and sticky bits among them.
        uid: Of the owner.
        gid: Of the group.
        size: Bytes of content.
        offset: Where the content begins in the layer's tar; -1 where there is none.
        target: What a symbolic link says, or the path of what a hard link is.
        mtime: Seconds since 1970.
        layer: Which layer it is from, bottom first.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    offset: int
    target: str
    mtime: int
    layer: int = 0

    @property
    def absolute(self) -> str:
        """The path as it is written in the image: `/etc/passwd`."""
        return f"/{self.path}"

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind == "directory"


def read_contents(
    layers: Sequence[Layer], entries: Iterable[LayerEntry], take: Callable[[LayerEntry, Capture], None]
) -> None:
    """Read files' contents, in the order in which they lie in the layers.

    Args:
        layers: The image's, bottom first.
        entries: Files; one that is asked for twice is read once.
        take: Called with each file and its content, which is closed afterwards.

    Raises:
        LoadError: A layer cannot be read.
    """
    by_layer: dict[int, dict[int, list[LayerEntry]]] = {}
    for entry in entries:
        same = by_layer.setdefault(entry.layer, {}).setdefault(entry.offset, [])
        if entry not in same:
            same.append(entry)
    for number, by_offset in sorted(by_layer.items(), key=lambda item: layers[item[0]].position):
        with layers[number].open() as stream:
            position = 0
            for offset, same in sorted(by_offset.items()):
                if offset < 0:
                    raise LoadError(f"{same[0].absolute} has no content: it is a {same[0].kind}")
                _skip(stream, offset - position)
                with Capture() as content:
                    _copy(stream, same[0].size, content)
                    for entry in same:
                        take(entry, content)
                position = offset + same[0].size


def read_content(layers: Sequence[Layer], entry: LayerEntry) -> bytes:
    """Return the whole content of one file, which had better be small."""
    found: list[bytes] = []
    read_contents(layers, [entry], lambda _entry, content: found.append(content.output[:]))
    return found[0]


def _skip(stream: IO[bytes], size: int) -> None:
    if stream.seekable():
        stream.seek(size, io.SEEK_CUR)
        return
    _copy(stream, size, None)


def _copy(stream: IO[bytes], size: int, content: Capture | None) -> None:
    while size:
        data = stream.read(min(size, _PIECE))
        if not data:
            raise DamagedError("a layer is shorter than its index says")
        if content is not None:
            content.write(data)
        size -= len(data)
