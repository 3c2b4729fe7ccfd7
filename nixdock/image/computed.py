"""Layers that are made when they are read, and images whose config follows from them.

The diff ID of such a layer is the hash of bytes that exist nowhere yet. It is computed at the first
use, or told by whoever has hashed the bytes in passing (`settle`), or known from earlier.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from threading import Event, Lock
from typing import IO, TYPE_CHECKING, Final

from nixdock.errors import LoadError
from nixdock.image.config import read_config
from nixdock.image.model import Image
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nixdock.image.config import ImageConfig
    from nixdock.image.model import Layer
    from nixdock.image.reference import Reference

PIECE: Final = 1024 * 1024
"""Bytes that are hashed at once."""

_THREADS: Final = 2
"""Layers that are hashed at one time; more would only make the disk seek."""

_ANY_DIGEST: Final = Digest("0" * 64)


class LayerChangedError(LoadError):
    """A layer's bytes are others than its known diff ID says; by now the layer knows the right one."""


@dataclass(frozen=True, slots=True)
class StoreContent:
    """The store paths that a layer is made of, and nothing else.

    Args:
        paths: The store paths, valid on this machine.
        owner: User and group of all that is in them.
        layer_of: Makes the layer of some of them.
    """

    paths: tuple[str, ...]
    owner: tuple[int, int]
    layer_of: Callable[[tuple[str, ...]], ComputedLayer]


class ComputedLayer:
    """A layer that is made each time it is opened.

    Args:
        name: What messages call it.
        size: Bytes of its tar; measured when it is first asked for where None.
        opener: Makes it; the caller closes the stream.
        known: Its diff ID, where that is known from earlier.
        on_settled: Told the diff ID when it has become known.
        on_mismatch: Told when its bytes turned out to be others than what was known.
        measure: Finds its size, anew after that; without it the size stays.
        store: The store paths that it is made of; None where it is made of something else.
    """

    blob: Final = None
    position: Final = 0

    def __init__(
        self,
        name: str,
        size: int | None,
        opener: Callable[[], IO[bytes]],
        *,
        known: Digest | None = None,
        on_settled: Callable[[Digest], None] | None = None,
        on_mismatch: Callable[[], None] | None = None,
        measure: Callable[[], int] | None = None,
        store: StoreContent | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self._size = size
        self._opener = opener
        self._known = known
        self._on_settled = on_settled
        self._on_mismatch = on_mismatch
        self._measure = measure
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes of its tar."""
        if self._size is None:
            self._size = self._measure() if self._measure is not None else 0
        return self._size

    @property
    def known_diff_id(self) -> Digest | None:
        """The diff ID where it is known without reading the layer, otherwise None."""
        return self._known

    @property
    def diff_id(self) -> Digest:
        """The sha256 of the tar; computed at the first use."""
        with self._lock:
            known = self._known
        return known if known is not None else self.settle(hash_stream(self.open()))

    def open(self) -> IO[bytes]:
        """Open a fresh stream of the tar; the caller closes it."""
        return self._opener()

    def settle(self, diff_id: Digest) -> Digest:
        """Take note of the diff ID that reading the layer gave.

        Raises:
            LayerChangedError: It was known to be another one: what it is made of is not what it was.
        """
        with self._lock:
            expected, self._known = self._known, diff_id
        if expected is None:
            if self._on_settled is not None:
                self._on_settled(diff_id)
        elif expected != diff_id:
            raise self._changed(f"{diff_id} instead of {expected}")
        return diff_id

    def reject(self, size: int) -> LayerChangedError:
        """Take note that the layer has another size than was known, and return the error to raise.

        Args:
            size: Bytes that it gave, or at least gave.
        """
        with self._lock:
            self._known = None
        return self._changed(f"{size} bytes instead of {self.size}")

    def _changed(self, how: str) -> LayerChangedError:
        if self._on_mismatch is not None:
            self._on_mismatch()
        if self._measure is not None:
            self._size = self._measure()
        return LayerChangedError(
            f"{self.name} has other content than before: {how}",
            hint="run the command again; if this stays so: nix-store --verify --check-contents",
        )


class ComputedImage(Image):
    """An image whose config names the diff IDs of layers that may not be known yet.

    Args:
        layers: Bottom first.
        references: The names that the artefact gives the image.
        architecture: What its config is going to say.
        make_config: Makes the config from the layers' diff IDs.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        references: tuple[Reference, ...],
        architecture: str,
        make_config: Callable[[tuple[Digest, ...]], bytes],
    ) -> None:
        # A frozen dataclass sets its fields so; `config_bytes` stays unset, for the property below.
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "references", references)
        object.__setattr__(self, "manifest", None)
        object.__setattr__(self, "_architecture", architecture)
        object.__setattr__(self, "_make_config", make_config)

    @cached_property
    def config_bytes(self) -> bytes:
        """The config; whatever layer's diff ID is not known yet is computed for it."""
        settle_layers(self.layers)
        return self.make_config(self.diff_ids)

    def check_config(self) -> ImageConfig:
        """Read what the config is going to be but for the digests of layers.

        Raises:
            LoadError: No engine could read it.
        """
        return read_config(self.make_config((_ANY_DIGEST,) * len(self.layers)))

    @property
    def make_config(self) -> Callable[[tuple[Digest, ...]], bytes]:
        """What makes the config from the layers' diff IDs."""
        made: Callable[[tuple[Digest, ...]], bytes] = self._make_config  # type: ignore[attr-defined]
        return made

    @property
    def architecture(self) -> str:
        """The architecture, known before the config is."""
        return str(self._architecture)  # type: ignore[attr-defined]

    def renamed(self, references: tuple[Reference, ...]) -> ComputedImage:
        """Return the same image under other names."""
        return ComputedImage(self.layers, references, self.architecture, self.make_config)

    def described_anew(self) -> ComputedImage:
        """Return the image that the layers make now, after one has turned out to be another."""
        return self.renamed(self.references)


def settle_layers(layers: Iterable[Layer], advance: Callable[[int], None] | None = None) -> None:
    """Compute the diff IDs that are not known yet, several at a time.

    Args:
        layers: Any layers.
        advance: Told the number of bytes hashed, from several threads.
    """
    unknown = list(dict.fromkeys(layer for layer in layers if isinstance(layer, ComputedLayer)))
    unknown = [layer for layer in unknown if layer.known_diff_id is None]
    if not unknown:
        return
    # Mostly all are known.
    from concurrent.futures import CancelledError, ThreadPoolExecutor  # noqa: PLC0415

    stopped = Event()

    def settle(layer: ComputedLayer) -> None:
        layer.settle(hash_stream(layer.open(), step))

    def step(count: int) -> None:
        if stopped.is_set():
            raise CancelledError
        if advance is not None:
            advance(count)

    with ThreadPoolExecutor(_THREADS) as pool:
        # Hashing and reading leave the interpreter's lock; the largest first, so that none is late.
        jobs = [pool.submit(settle, layer) for layer in sorted(unknown, key=lambda layer: -layer.size)]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            # An interrupt does not wait until gigabytes are hashed.
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def hash_stream(stream: IO[bytes], advance: Callable[[int], None] | None = None) -> Digest:
    """Return the sha256 of all that a stream holds, and close it."""
    computed = hashlib.sha256()
    with stream:
        while piece := stream.read(PIECE):
            computed.update(piece)
            if advance is not None:
                advance(len(piece))
    return Digest(computed.hexdigest())
