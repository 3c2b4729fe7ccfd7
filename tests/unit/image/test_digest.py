"""Digests, and the chain of layers that they name."""

from __future__ import annotations

import hashlib

import pytest

from nixdock.image.digest import Digest, chain_ids

DIFF_IDS = tuple(Digest.of(text) for text in (b"bottom", b"middle", b"top"))


def test_a_chain_id_names_all_layers_below() -> None:
    first, second, third = chain_ids(DIFF_IDS)
    assert first == DIFF_IDS[0]
    assert second.hex == hashlib.sha256(f"{first} {DIFF_IDS[1]}".encode()).hexdigest()
    assert third.hex == hashlib.sha256(f"{second} {DIFF_IDS[2]}".encode()).hexdigest()


def test_no_layers_have_no_chain() -> None:
    assert chain_ids(()) == ()


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "0" * 63, "sha256:" + "G" * 64, "sha512:" + "0" * 64, "0" * 64]
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a sha256 digest"):
        Digest.parse(text)
