"""What real Nix programs wrote, as `tests/unit/data/nix/record.py` recorded it."""

from __future__ import annotations

import os
from pathlib import Path

from nixdock.events import Event
from nixdock.nix import command
from nixdock.nix.follower import Follower

DATA = Path(__file__).parent.parent / "data" / "nix"
VERSIONS = ("2.8.0", "2.26.3", "2.34.8")


def log_of(version: str, scenario: str) -> list[bytes]:
    """Return the lines that a Nix program of a version wrote in a scenario."""
    log = (DATA / version / f"{scenario}.jsonl").read_bytes()
    return log.replace(b"/opt/nixdock/nix", os.fsencode(command.DIRECTORY)).splitlines(keepends=True)


def replay(version: str, scenario: str, *, fetched: str | None = None) -> tuple[Follower, list[Event]]:
    """Follow a recorded log; return the follower and what it told.

    Args:
        version: Of Nix.
        scenario: What happened.
        fetched: The name of a derivation that only fetches what has this name.
    """
    told: list[Event] = []

    def fetched_uri(derivation: str) -> str | None:
        return f"http://127.0.0.1:8471/{fetched}" if fetched and fetched in derivation else None

    follower = Follower(told.append, fetched_uri)
    for line in log_of(version, scenario):
        follower.feed(line)
    follower.close()
    return follower, told
