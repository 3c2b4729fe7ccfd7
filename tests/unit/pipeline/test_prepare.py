"""What a target is, whatever folder it was named from."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.nix.options import NixOptions
from nixdock.nix.target import ArtefactTarget, ExpressionTarget, FlakeTarget, ImageTarget, PathTarget
from nixdock.pipeline.prepare import key_of


@pytest.mark.parametrize(
    ("target", "attributes", "key"),
    [
        (PathTarget("web.nix", Path("/w/web.nix")), (), "/w/web.nix"),
        (PathTarget("./web.nix", Path("/w/web.nix")), ("a", "b.c"), "/w/web.nix -A a -A b.c"),
        (FlakeTarget(".#web", "/w", "web"), (), "/w#web"),
        (FlakeTarget(".", "/w", None), (), "/w#"),
        (ExpressionTarget("import ./x {}"), (), f"expression in {Path.cwd()}: import ./x {{}}"),
        (ArtefactTarget("result", Path("/w/result")), (), "/w/result"),
        (ImageTarget("web:1", "web:1"), (), "image:web:1"),
    ],
)
def test_keys(target: PathTarget, attributes: tuple[str, ...], key: str) -> None:
    assert key_of(target, NixOptions(attributes=attributes)) == key
