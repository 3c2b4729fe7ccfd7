"""Load an image into an engine, sending only the layers that it lacks.

The steps, each made only when it is needed: is the image there already, by its name or its ID; which
layers are missing (`inventory`); send one archive with those (`archive`); read the response to its end
(`response`); make sure by asking that the image is there, whole and under its names. Whatever goes wrong
with a guess (a layer that somebody has removed meanwhile) costs one more sending, in full.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.refusals import EngineRefusedError, EngineUnreachableError
from nixdock.engine.loading import inventory, response
from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.naming import give_names, refuse_config, warn_of_platform
from nixdock.engine.loading.parcel import is_settled, pack
from nixdock.engine.loading.together import Claims
from nixdock.errors import EngineError, LoadError
from nixdock.events import Meter, Notice, Warned, Work, ignore
from nixdock.image.computed import ComputedImage, LayerChangedError, settle_layers
from nixdock.image.reference import DEFAULT_TAG
from nixdock.log import get_logger
from nixdock.text import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.engine.loading.archive import HybridArchive
    from nixdock.engine.loading.parcel import LayerBlob, PackedImage
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.image.reference import Digest, Reference

log = get_logger(__name__)

ATTEMPTS: Final = 3
"""How often an image is sent at most, each time for a reason that another sending can change."""

REVIVAL: Final = 30.0
"""Seconds to wait for an engine that died while it was sent an image."""

_PAUSE: Final = 0.2
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """An image that is in the engine.

    Args:
        references: The names it has there; none where neither the artefact nor the user gave one.
        config_digest: The artefact's own identity.
        engine_id: What the engine calls it: the config digest, or a manifest digest.
        layers: How many layers it has.
        sent_layers: How many of them were sent.
        size: Bytes of all layers.
        sent: Bytes of layers that were sent.
        seconds: What it took.
        was_there: Whether the engine had it already.
        replaced: Names that stood for another image before, with the engine's ID of that.
        details: The image, as the engine described it when it was found there.
    """

    references: tuple[Reference, ...]
    config_digest: Digest
    engine_id: str
    layers: int
    sent_layers: int
    size: int
    sent: int
    seconds: float
    was_there: bool
    replaced: tuple[tuple[Reference, str], ...] = ()
    details: ImageDetails = field(kw_only=True, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What docker would print: the first name, or the ID."""
        return self.references[0].familiar if self.references else self.engine_id


class _NotTakenError(LoadError):
    """The engine did not take what it was sent, though another sending may do."""


def load_image(
    engine: Engine,
    image: Image,
    *,
    tags: Iterable[Reference] = (),
    listener: Listener = ignore,
    ledger: Ledger | None = None,
    hold: Callable[[], bool] = lambda: False,
    claims: Claims | None = None,
) -> LoadedImage:
    """Make sure that an engine has an image, under all its names.

    Args:
        engine: The engine.
        image: The image.
        tags: Names to give it beside its own.
        listener: Told how far the sending is, and what is worth knowing.
        ledger: What nixdock loaded before; nixdock's own when None.
        hold: Called before a layer is read: keeps what it is read from. Whether that was still to be done.
        claims: The layers of images that are loaded at the same time.

    Raises:
        LoadError: The image cannot be read, or the engine did not take it.
        EngineError: The engine cannot be asked.
    """
    references = tuple(dict.fromkeys((*image.references, *tags)))
    ledger, claims = ledger or Ledger(engine), claims or Claims()
    return _Loading(engine, image, references, listener, ledger, hold=hold, claims=claims).run()


def await_revival(engine: Engine, seconds: float = REVIVAL) -> bool:
    """Wait until an engine that went away answers again; return whether it does."""
    end = time.monotonic() + min(seconds, engine.patience.left)
    while time.monotonic() < end:
        if engine.answers():
            return True
        time.sleep(_PAUSE)
    return False


class _Loading:
    """One image on its way into one engine."""

    def __init__(
        self,
        engine: Engine,
        image: Image,
        references: tuple[Reference, ...],
        listener: Listener,
        ledger: Ledger,
        *,
        hold: Callable[[], bool],
        claims: Claims,
    ) -> None:
        self._engine = engine
        self._image = image
        self._references = references
        self._listener = listener
        self._ledger = ledger
        self._hold = hold
        self._claims = claims
        self._started = time.monotonic()
        self._before: dict[Reference, ImageDetails | None] = {}
        self._sent: tuple[int, int] | None = None

    @property
    def _reference(self) -> Reference | None:
        """The name that goes into the archive; the others are given afterwards."""
        return self._references[0] if self._references else None

    @property
    def _name(self) -> str:
        return self._reference.familiar if self._reference else "the image"

    def run(self) -> LoadedImage:
        """Load the image, trying again where that can help."""
        refuse_config(self._engine, self._image, self._name)
        warn_of_platform(self._engine, self._image, self._name, self._listener)
        in_full = False
        for _ in range(ATTEMPTS - 1):
            try:
                return self._try(in_full=in_full)
            except (LoadError, EngineUnreachableError) as error:
                if not self._can_go_on(error):
                    raise
                in_full = in_full or isinstance(error, _NotTakenError)
        try:
            return self._try(in_full=in_full)
        except _NotTakenError:
            self._clean_up()
            raise

    def _try(self, *, in_full: bool) -> LoadedImage:
        """Load the image, or say why that failed."""
        try:
            return self._load(in_full=in_full)
        except EngineRefusedError as error:
            if error.status != _NOT_FOUND and not response.is_loss(error.message):
                raise
            # Removed by somebody after it was found, or sent.
            raise self._not_taken(error.message) from error

    def _can_go_on(self, error: LoadError | EngineUnreachableError) -> bool:
        """Whether another attempt can end differently, after what is done here for it."""
        log.debug("load.failed", error=error.message)
        if isinstance(error, LayerChangedError) and isinstance(self._image, ComputedImage):
            self._listener(Warned(f"{error.message}; the image is made anew from what is there"))
            self._image = self._image.described_anew()
            return True
        if isinstance(error, EngineUnreachableError):
            self._listener(Warned(f"{error.message}; waiting for the engine to come back"))
            return await_revival(self._engine)
        # What was not held may be gone: it is there again, if it can be.
        return isinstance(error, _NotTakenError) or self._hold()

    def _not_taken(self, said: str) -> _NotTakenError:
        refusal = response.explain(said, self._name)
        return _NotTakenError(refusal.message, hint=refusal.hint, details=refusal.details)

    def _load(self, *, in_full: bool) -> LoadedImage:
        self._look_at_names()
        if not is_settled(self._image):
            self._hold()
            if inventory.fits_one_pass(self._engine, self._image, self._references, self._ledger):
                return self._load_in_one_pass()
            self._settle()
        parcel = self._pack()
        there = self._find_usable(parcel)
        if there is not None:
            return self._finish(parcel, there)
        self._hold()
        with self._claims.taken(blob.digest for blob in parcel.blobs) as keep:
            return self._load_missing(parcel, keep, in_full=in_full)

    def _load_missing(
        self, parcel: PackedImage, keep: Callable[[Iterable[Digest]], None], *, in_full: bool
    ) -> LoadedImage:
        """Send what the engine lacks; once that is known, others may have the layers that it has."""
        missing = parcel.blobs
        if not in_full:
            found = inventory.take_inventory(self._engine, parcel, self._reference, self._ledger)
            missing = found.missing
            if found.loaded:
                with Meter(self._listener, Work.SEND, self._name, 0) as meter:
                    self._count(meter, 0, 0, parcel.size)
                return self._finish(parcel, self._verify(parcel))
        from nixdock.engine.loading.archive import check_stored, write_archive  # noqa: PLC0415  # seldom

        keep(blob.digest for blob in missing)
        check_stored(self._engine, missing, self._name)
        size = sum({blob.digest: blob.size for blob in missing}.values())
        with Meter(self._listener, Work.SEND, self._name, size) as meter:
            self._count(meter, len(missing), size, parcel.size)
            archive = write_archive(parcel, self._reference, missing, meter.advance)
            self._send(archive, missing, in_full=len(missing) == len(parcel.blobs))
        return self._finish(parcel, self._verify(parcel))

    def _load_in_one_pass(self) -> LoadedImage:
        from nixdock.engine.loading.archive import write_in_one_pass  # noqa: PLC0415  # as in _load

        size = sum(layer.size or 0 for layer in self._image.layers)
        with Meter(self._listener, Work.SEND, self._name, size) as meter:
            self._count(meter, len(self._image.layers), size, size)
            self._send(write_in_one_pass(self._image, self._reference, meter.advance), (), in_full=True)
        parcel = self._pack()
        return self._finish(parcel, self._verify(parcel))

    def _pack(self) -> PackedImage:
        return pack(self._image, reads_zstd=self._engine.traits.reads_zstd)

    def _settle(self) -> None:
        """Find the diff IDs that are not known yet."""
        size = sum(layer.size or 0 for layer in self._image.layers if layer.known_diff_id is None)
        with Meter(self._listener, Work.READ, self._name, size) as meter:
            settle_layers(self._image.layers, meter.advance)

    def _count(self, meter: Meter, layers: int, size: int, whole: int) -> None:
        self._sent = layers, size
        total = len(self._image.layers)
        meter.summary = f"{layers} of {total} layers, {format_bytes(size)} of {format_bytes(whole)}"

    def _send(self, archive: HybridArchive, blobs: Sequence[LayerBlob], *, in_full: bool) -> None:
        """Send an archive with these layers and read the response to its end."""
        try:
            error = response.find_error(self._engine.load(archive.pieces, size=archive.size))
        except EngineRefusedError as refusal:
            error = refusal.message.removeprefix("the engine refused: ")
        if error is None:
            return
        try:
            if not response.is_limit(error):
                # What an engine says of bytes that are not what they should be is seldom clear.
                from nixdock.engine.loading.archive import verify_blobs  # noqa: PLC0415  # as in _load

                verify_blobs(blobs)
            if response.is_final(error) or (in_full and not response.is_loss(error)):
                settled = is_settled(self._image)
                raise response.explain(error, self._name, self._pack().blobs if settled else ())
        except LoadError:
            self._clean_up()
            raise
        raise self._not_taken(error)

    def _look_at_names(self) -> None:
        """Find out what the image's names stand for, before anything is changed."""
        for reference in self._references:
            if reference not in self._before:
                self._before[reference] = self._engine.find_image(str(reference), manifests=True)

    def _find(self, parcel: PackedImage, seen: Iterable[ImageDetails | None] = ()) -> ImageDetails | None:
        """Return the image if the engine has it whole: one of those seen already, or by its ID."""
        for details in seen:
            if details is not None and self._is_it(parcel, details):
                return details
        for identity in self._ids(parcel):
            details = self._engine.find_image(identity, manifests=True)
            if details is not None and self._is_it(parcel, details):
                return details
        return None

    def _find_usable(self, parcel: PackedImage) -> ImageDetails | None:
        """Return the image if the engine has it, and could unpack it."""
        found = self._find(parcel, self._before.values())
        runs = self._image.architecture == self._engine.version.architecture
        return None if found is None or (runs and inventory.is_packed(found)) else found

    def _verify(self, parcel: PackedImage) -> ImageDetails:
        """Make sure that what was sent is there, whole."""
        named = self._engine.find_image(str(self._reference), manifests=True) if self._reference else None
        details = self._find(parcel, [named])
        if details is None:
            raise _NotTakenError(
                f"the engine says that it has loaded {self._name}, but it has not, or not all of it",
                hint="somebody may be removing images at the same time: try again",
            )
        return details

    def _is_it(self, parcel: PackedImage, details: ImageDetails) -> bool:
        known = details.id in parcel.engine_ids
        if not known and self._engine.traits.keeps_blobs:
            # Loaded with another manifest, by an older nixdock perhaps.
            known = self._ledger.find_config(details.id) == parcel.image.config_digest
        return known and inventory.is_whole(details, self._engine)

    def _ids(self, parcel: PackedImage) -> tuple[str, ...]:
        """Return what the engine would call the image, the likeliest first."""
        if self._engine.traits.keeps_blobs:
            return (str(parcel.manifest.digest), *map(str, parcel.manifest.indexes))
        return (str(parcel.image.config_digest),)

    def _finish(self, parcel: PackedImage, details: ImageDetails) -> LoadedImage:
        """Give the image its names, tell what changed, and remember it."""
        sent_as = None if self._sent is None else self._reference
        names = {reference: self._before.get(reference) for reference in self._references}
        replaced: list[tuple[Reference, str]] = []
        for reference, before in give_names(self._engine, details, names, sent_as, parcel.engine_ids):
            replaced.append((reference, before))
            if reference != reference.whole:
                continue  # by the name of an image without store paths nobody goes
            self._listener(
                Notice(
                    f"{reference.familiar} was another image ({_short(before)}), which has lost "
                    f"this name; it is {_short(details.id)} now"
                )
            )
        if self._sent is None:
            self._ledger.touch(details.id)
        else:
            repositories = [reference.repository for reference in self._references]
            blobs = [blob.digest for blob in parcel.blobs]
            self._ledger.record(details.id, parcel.image.config_digest, repositories, blobs)
        layers, size = self._sent or (0, 0)
        return LoadedImage(
            references=self._references,
            config_digest=parcel.image.config_digest,
            engine_id=details.id,
            layers=len(parcel.blobs),
            sent_layers=layers,
            size=parcel.size,
            sent=size,
            seconds=time.monotonic() - self._started,
            was_there=self._sent is None,
            replaced=tuple(replaced),
            details=details,
        )

    def _clean_up(self) -> None:
        """Remove what a containerd store keeps of an image that it could not unpack."""
        if not self._engine.traits.keeps_blobs or not is_settled(self._image):
            return
        parcel = self._pack()
        name = str(self._reference) if self._reference else str(parcel.manifest.digest)
        before = self._before.get(self._reference) if self._reference else None
        with contextlib.suppress(EngineError):
            half = self._engine.find_image(name)
            if half is None or half.id not in parcel.engine_ids or (before and before.id == half.id):
                return
            self._engine.remove_image(name, force=True)
            if before is not None and self._reference is not None:
                repository, tag = self._reference.repository, self._reference.tag or DEFAULT_TAG
                self._engine.tag_image(before.id, repository, tag)


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:12]
