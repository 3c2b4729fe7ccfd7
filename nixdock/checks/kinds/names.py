"""Patterns of store path names, as shells write them: `gcc-*`, `*-dev`."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a store path's base name, with or without its hash, matches one of the patterns."""
    bare = name[33:]
    return any(
        fnmatch.fnmatchcase(bare, pattern) or fnmatch.fnmatchcase(name, pattern) for pattern in patterns
    )
