"""Digests, and the chain of layers that they name."""

from __future__ import annotations

import pytest

from nixdock.image.reference import Digest


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "0" * 63, "sha256:" + "G" * 64, "sha512:" + "0" * 64, "0" * 64]
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a sha256 digest"):
        Digest.parse(text)
