"""What a target is, whatever folder it was named from."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.engine.connection.responses import ImageDetails
from nixdock.nix.command import NixOptions
from nixdock.nix.target import ArtefactTarget, ExpressionTarget, FlakeTarget, ImageTarget, PathTarget, parse
from nixdock.usecases.prepare import key_of


@pytest.mark.parametrize(
    ("target", "attributes", "key"),
    [
        (PathTarget("web.nix", Path("/w/web.nix")), (), "/w/web.nix"),
        (PathTarget("./web.nix", Path("/w/web.nix")), ("a", "b.c"), "/w/web.nix -A a -A b.c"),
        (PathTarget("./web.nix", Path("/w/web.nix")), ('a."b"', '"c.d"', ""), '/w/web.nix -A a.b -A "c.d"'),
        (FlakeTarget(".#web", ".", "web", Path("/w")), (), "/w#web"),
        (FlakeTarget(".", "/w", None, Path("/w")), (), "/w#default"),
        (FlakeTarget("x", "flake:nixpkgs", "hello"), (), "nixpkgs#hello"),
        (FlakeTarget("x", "github:o/r?ref=main", "hello"), (), "github:o/r?ref=main#hello"),
        (ExpressionTarget("import ./x {}"), (), f"expression in {Path.cwd()}: import ./x {{}}"),
        (ArtefactTarget("result", Path("/w/result")), (), "/w/result"),
        (ImageTarget("web:1", "web:1"), (), "image:web:1"),
        (PathTarget("web.nix", Path("/w\udcff/web\x1b.nix")), (), "/w\\udcff/web\\x1b.nix"),
    ],
)
def test_keys(target: PathTarget, attributes: tuple[str, ...], key: str) -> None:
    assert key_of(target, NixOptions(attributes=attributes)) == key


ONE_AND_THE_SAME: list[list[tuple[str | None, str, tuple[str, ...]]]] = [
    # (what is named, from which folder, with -A), each list one target
    [
        ("svc.nix", "w", ()),
        ("./svc.nix", "w", ()),
        ("../w/svc.nix", "w", ()),
        ("../svc.nix", "w/sub", ()),
        ("sub/../svc.nix", "w", ()),
        ("path:svc.nix", "w", ()),
        ("path:../svc.nix", "w/sub", ()),
        ("w/svc.nix", ".", ()),
        ("linked/svc.nix", ".", ()),
        ("svc.nix", "linked", ()),
        ("alias.nix", "w", ()),
        ("/svc.nix", "w", ()),
        ("svc.nix", "w", ("",)),
    ],
    [
        ("svc.nix", "w", ("web",)),
        ("../../w/svc.nix", "w/sub", ("web",)),
        ("linked/svc.nix", ".", ('"web"',)),
    ],
    [("svc.nix", "w", ("web.a",)), ("svc.nix", "w", ('web."a"',))],
    [("svc.nix", "w", ("web", "a"))],
    [
        (None, "w", ()),
        (".", "w", ()),
        ("default.nix", "w", ()),
        ("..", "w/sub", ()),
        ("w", ".", ()),
        ("w/", ".", ()),
        ("path:w", ".", ()),
        ("path:.", "w", ()),
        ("./linked", ".", ()),
        ("/", "w", ()),
    ],
    [("svc.nix", "other", ()), ("../other/svc.nix", "w", ())],
    [
        (".#web", "flake", ()),
        ("path:.#web", "flake", ()),
        ("./flake#web", ".", ()),
        ("path:./flake#web", ".", ()),
        ("./linked-flake#web", ".", ()),
        ("#web", "flake", ()),
        ("..#web", "flake/sub", ()),
        # Nix looks for it further up.
        (".#web", "flake/sub", ()),
        ("/#web", "flake", ()),
        ("path:/#web", "flake", ()),
        ("./flake?#web", ".", ()),
    ],
    [
        (None, "flake", ()),
        (".", "flake", ()),
        ("flake.nix", "flake", ()),
        (".#", "flake", ()),
        (".#default", "flake", ()),
        ("flake", ".", ()),
        ("path:flake", ".", ()),
    ],
    [(".#web", "other", ()), ("./other#web", ".", ())],
    [(".?dir=sub#web", "flake", ()), ("./flake?dir=sub#web", ".", ())],
    [("./flake?ref=a&dir=sub#web", ".", ()), (".?dir=sub&ref=a#web", "flake", ())],
    [("result", "w", ()), ("./result", "w", ()), ("../result", "w/sub", ()), ("linked/result", ".", ())],
    [
        ("web", "w", ()),
        ("web:latest", "w", ()),
        ("image:web", "w", ()),
        ("image:web:latest", ".", ()),
        ("docker.io/library/web", "w", ()),
        ("index.docker.io/library/web:latest", "w", ()),
        ("library/web", "w", ()),
    ],
    [("web:1", "w", ()), ("docker.io/library/web:1", "w", ())],
    [("registry.test/web", "w", ()), ("registry.test/web:latest", "w", ())],
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders with files, flakes and links for the table above."""
    for folder in ("w/sub", "other", "flake/sub"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("w/svc.nix", "w/default.nix", "other/svc.nix", "other/flake.nix", "flake/flake.nix"):
        (tmp_path / file).write_text("{ }")
    (tmp_path / "w/image.tar").write_bytes(b"")
    (tmp_path / "w/result").symlink_to("image.tar")
    (tmp_path / "w/alias.nix").symlink_to("svc.nix")
    (tmp_path / "linked").symlink_to("w")
    (tmp_path / "linked-flake").symlink_to("flake")
    return tmp_path


def test_one_target_has_one_identity_however_it_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[set[str]] = []
    for spellings in ONE_AND_THE_SAME:
        found: set[str] = set()
        for text, folder, attributes in spellings:
            here = tree / folder
            monkeypatch.chdir(here)
            absolute = {"/svc.nix": f"{here}/svc.nix", "/": str(here)}
            absolute |= {"/#web": f"{here}#web", "path:/#web": f"path:{here}#web"}
            target = parse(absolute.get(text or "", text))
            found.add(key_of(target, NixOptions(attributes=attributes)))
        assert len(found) == 1, (spellings, found)
        keys.append(found)
    assert len(set.union(*keys)) == len(ONE_AND_THE_SAME), "different targets must stay apart"


@pytest.mark.parametrize(
    "written", ["sha256:0123456789ab", "0123456789ab", "01234567", f"sha256:{'0123456789ab' * 5}0123"]
)
def test_an_image_that_is_named_by_its_id_has_one_identity(written: str) -> None:
    ident = f"sha256:{'0123456789ab' * 5}0123"
    details = ImageDetails(ident, ("web:1",), (), {}, "linux", "amd64", "", 0, {})
    assert key_of(ImageTarget(written, written), NixOptions(), details) == f"image:{ident}"
    assert key_of(ImageTarget("web:1", "web:1"), NixOptions(), details) == "image:web:1"
