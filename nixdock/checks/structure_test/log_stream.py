"""How the original reads the output of a container that has a terminal: as if it had none.

The engine frames a container's output with headers of 8 bytes unless it has a terminal. The original
always takes headers off, so that with `allocateTty` it loses short output and stumbles over any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixdock.outcome import RunOutcome

_HEADER = 8


class LogStreamError(Exception):
    """The original's reader gives up."""


def split_log(outcome: RunOutcome) -> RunOutcome:
    """Return the outcome as the original sees it.

    Raises:
        LogStreamError: The output does not begin as a header does.
    """
    raw = outcome.stdout
    streams = {1: bytearray(), 2: bytearray()}
    position = 0
    while len(raw) - position >= _HEADER:
        number = raw[position]
        if number > 3:
            raise LogStreamError(f"the original cannot read the output of a terminal: {number} is no stream")
        size = int.from_bytes(raw[position + 4 : position + 8], "big")
        position += _HEADER
        streams[2 if number > 1 else 1] += raw[position : position + size]
        position += size
    return replace(outcome, stdout=bytes(streams[1]), stderr=bytes(streams[2]))
