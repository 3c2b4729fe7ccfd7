"""Many images on their way into one engine at a time, no layer of them twice.

A layer that several images share is sent with the first of them: whoever needs it too waits until it is
there, and then asks what is still missing.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nixdock.image.reference import Digest


class Claims:
    """Which layers are on their way."""

    def __init__(self) -> None:
        self._taken: set[Digest] = set()
        self._changed = Condition()

    @contextmanager
    def taken(self, digests: Iterable[Digest]) -> Iterator[Callable[[Iterable[Digest]], None]]:
        """Have layers to oneself while the block lasts; who has one of them already is waited for.

        All are taken at once, by somebody who has none: so nobody waits for ever.

        Args:
            digests: The layers' blobs.

        Yields:
            What gives back all of them but some.
        """
        held = set(digests)

        def keep(some: Iterable[Digest]) -> None:
            with self._changed:
                given_back = held.difference(some)
                held.difference_update(given_back)
                self._taken.difference_update(given_back)
                self._changed.notify_all()

        with self._changed:
            self._changed.wait_for(lambda: not self._taken & held)
            self._taken |= held
        try:
            yield keep
        finally:
            keep(())
