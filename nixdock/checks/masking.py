"""Masking of what changes with every rebuild: the hash parts of store paths."""

from __future__ import annotations

import re

# Nix's base 32 has no e, o, t and u (nix/src/libutil/hash.cc, nix32Chars).
STORE_HASH = "[0-9a-df-np-sv-z]{32}"

_STORE_HASH = re.compile(rf"(?<=/nix/store/){STORE_HASH}(?=-)".encode())
_MASK = b"x" * 32


def mask_store_hashes(data: bytes) -> bytes:
    """Replace the hash part of every store path by as many x."""
    return _STORE_HASH.sub(_MASK, data)
