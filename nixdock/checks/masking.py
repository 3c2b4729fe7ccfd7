"""Masking of what changes with every rebuild: the hash parts of store paths, and of names made of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Nix's base 32 has no e, o, t and u (nix/src/libutil/hash.cc, nix32Chars).
STORE_HASH = "[0-9a-df-np-sv-z]{32}"

_STORE_HASH = re.compile(rf"(?<=/nix/store/){STORE_HASH}(?=-)".encode())
_MASK = b"x" * 32
_STORE_PATH = re.compile(rf"/nix/store/{STORE_HASH}-")
_REBUILT = re.compile(rf"(?:@sha256:[0-9a-f]{{64}}|:{STORE_HASH}|:{STORE_HASH}@sha256:[0-9a-f]{{64}})$")
_IDENTITY = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


def mask_store_hashes(data: bytes) -> bytes:
    """Replace the hash part of every store path by as many x."""
    return _STORE_HASH.sub(_MASK, data)


def stable_name(reference: str) -> str:
    """Return an image's name without what a build changes: a digest, a tag that is a store path's hash.

    Args:
        reference: What reports call the image.
    """
    if _IDENTITY.fullmatch(reference):
        return "image"
    return _REBUILT.sub("", _STORE_PATH.sub("", reference)) or reference


def stable_names(references: Iterable[str]) -> dict[str, str]:
    """Return a stable name for each of several images: of those that share one, the later get a number."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for reference in references:
        if reference in names:
            continue
        plain = stable_name(reference)
        name = next(n for n in (plain, *(f"{plain} ({k})" for k in range(2, len(used) + 3))) if n not in used)
        names[reference] = name
        used.add(name)
    return names
