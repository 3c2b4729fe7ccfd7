from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixdock.errors import UsageError
from nixdock.nix.target import (
    ArtefactTarget,
    ExpressionTarget,
    FlakeTarget,
    ImageTarget,
    PathTarget,
    find_near,
    join_attribute,
    parse,
    split_attribute,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one of each."""
    (tmp_path / "hello.nix").write_text("1")
    (tmp_path / "with space.nix").write_text("1")
    (tmp_path / "image.tar.gz").write_text("")
    (tmp_path / "classic").mkdir()
    (tmp_path / "classic" / "default.nix").write_text("1")
    (tmp_path / "flake").mkdir()
    (tmp_path / "flake" / "flake.nix").write_text("{}")
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "default.nix").write_text("1")
    (tmp_path / "both" / "flake.nix").write_text("{}")
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "oci-layout").write_text("{}")
    (tmp_path / "redis").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["hello.nix", "with space.nix", "./hello.nix", "path:hello.nix"])
def test_a_nix_file_is_evaluated(folder: Path, name: str) -> None:
    target = parse(name, directory=folder)
    assert isinstance(target, PathTarget)
    assert target.text == name
    assert target.file == folder / name.removeprefix("path:")


def test_a_folder_stands_for_its_default_nix(folder: Path) -> None:
    assert parse("classic", directory=folder) == PathTarget("classic", folder / "classic" / "default.nix")


def test_default_nix_comes_before_a_flake(folder: Path) -> None:
    assert parse("both", directory=folder) == PathTarget("both", folder / "both" / "default.nix")
    assert parse(None, directory=folder / "both") == PathTarget(
        "default.nix", folder / "both" / "default.nix"
    )


@pytest.mark.parametrize("name", ["flake", "flake/flake.nix", "./flake"])
def test_a_folder_with_a_flake_only_is_its_default_output(folder: Path, name: str) -> None:
    flake = folder / "flake"
    assert parse(name, directory=folder) == FlakeTarget(name, str(flake), None, flake)


def test_no_target_is_the_flake_where_there_is_no_default_nix(folder: Path) -> None:
    flake = folder / "flake"
    assert parse(None, directory=flake) == FlakeTarget("flake.nix", str(flake), None, flake)


@pytest.mark.parametrize(
    ("text", "reference", "attribute", "place"),
    [
        (".#image", ".", "image", "."),
        (".#", ".", None, "."),
        ("#image", ".", "image", "."),
        (
            "github:owner/repository#packages.x86_64-linux.web",
            "github:owner/repository",
            "packages.x86_64-linux.web",
            None,
        ),
        ("path:./flake#image", "path:./flake", "image", "flake"),
        ("./flake?submodules=1#image", "./flake?submodules=1", "image", "flake"),
        ("./nowhere#image", "./nowhere", "image", None),
        ("registered#hello", "registered", "hello", None),
        ("flake:flake#hello", "flake:flake", "hello", None),
    ],
)
def test_what_has_a_number_sign_is_a_flake_reference(
    folder: Path, text: str, reference: str, attribute: str | None, place: str | None
) -> None:
    where = folder / place if place else None
    assert parse(text, directory=folder) == FlakeTarget(text, reference, attribute, where)


def test_a_folder_with_a_name_that_the_registry_may_have_is_asked_back_for(folder: Path) -> None:
    with pytest.raises(
        UsageError, match="'flake' may be the folder or a name of Nix's flake registry"
    ) as caught:
        parse("flake#hello", directory=folder)
    assert caught.value.hint == "the folder's flake is ./flake#hello, the registry's flake:flake#hello"


def test_a_file_whose_name_has_a_number_sign_is_a_file(folder: Path) -> None:
    (folder / "a#b.nix").write_text("1")
    assert parse("a#b.nix", directory=folder) == PathTarget("a#b.nix", folder / "a#b.nix")


def test_an_attribute_behind_a_file_is_told_as_the_option_it_should_be(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"'hello.nix' is a file, not a flake") as caught:
        parse("hello.nix#image", directory=folder)
    assert caught.value.hint == "hello.nix -A image"


@pytest.mark.parametrize("name", ["image.tar.gz", "layout", "path:layout"])
def test_what_is_built_already_is_an_artefact(folder: Path, name: str) -> None:
    assert parse(name, directory=folder) == ArtefactTarget(name, folder / name.removeprefix("path:"))


def test_a_link_keeps_its_own_name(folder: Path) -> None:
    (folder / "result").symlink_to(folder / "image.tar.gz")
    assert parse("result", directory=folder) == ArtefactTarget("result", folder / "result")


@pytest.mark.parametrize(
    "name", ["hello-docker:abc", "registry.test/team/web:1", "busybox", "sha256:" + "0" * 64]
)
def test_all_else_is_an_image_of_the_engine(folder: Path, name: str) -> None:
    assert parse(name, directory=folder) == ImageTarget(name, name)


def test_an_image_can_be_forced_where_a_folder_has_its_name(folder: Path) -> None:
    assert parse("image:redis", directory=folder) == ImageTarget("image:redis", "redis")
    with pytest.raises(UsageError, match=r"neither default\.nix nor flake\.nix") as caught:
        parse("redis", directory=folder)
    assert caught.value.hint == "an image of the engine with this name is image:redis"


def test_an_expression_stands_in_the_place_of_a_target() -> None:
    assert parse(None, expression="1 + 1") == ExpressionTarget("1 + 1")
    with pytest.raises(UsageError, match="exclude each other"):
        parse("x.nix", expression="1")


@pytest.mark.parametrize("name", ["nowhere.nix", "./nowhere", "/nowhere/at/all", "path:nowhere"])
def test_a_path_that_does_not_exist_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"there is no file '{name}'"):
        parse(name, directory=folder)


def test_a_misspelt_path_gets_the_names_that_are_near(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        parse("helo.nix", directory=folder)
    assert caught.value.hint == "did you mean hello.nix?"
    with pytest.raises(UsageError) as caught:
        parse("clasic/default.nix", directory=folder)
    assert caught.value.hint == "did you mean classic?"


def test_what_is_near_is_not_what_only_ends_alike(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        parse("web.nix", directory=folder)
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("name", "sentence", "hint"),
    [
        ("Hello", "there is no file 'Hello', nor can that be the name of an image: ", "hello.nix"),
        (
            "with space",
            "there is no file 'with space', nor can that be the name of an image: ",
            "with space.nix",
        ),
        ("a:b:c", "there is no file 'a:b:c', nor can that be the name of an image: invalid", None),
        ("web/../containers", "there is no file 'web/../containers', nor can that be the name ", None),
        ("image:Hello", "'Hello' is not the name of an image: invalid image name 'Hello'", None),
    ],
)
def test_what_can_be_neither_a_file_nor_an_image(
    folder: Path, name: str, sentence: str, hint: str | None
) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)) as caught:
        parse(name, directory=folder)
    assert caught.value.hint == (f"did you mean {hint}?" if hint else None)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("helo", ("hello.nix",)),
        ("image.tar", ("image.tar.gz",)),
        ("redis", ()),
        ("classic/defalt", ("classic/default.nix",)),
        ("nowhere/hello", ()),
    ],
)
def test_files_that_an_image_s_name_may_have_meant(folder: Path, name: str, near: tuple[str, ...]) -> None:
    assert find_near(name, directory=folder) == near


def test_a_link_to_what_was_collected_says_so(folder: Path) -> None:
    (folder / "result").symlink_to("/nix/store/gone")
    with pytest.raises(UsageError, match="'result' is a link to /nix/store/gone, which does not exist"):
        parse("result", directory=folder)


def test_no_target_in_a_folder_without_one_names_what_is_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        parse(None, directory=folder)
    assert caught.value.hint == "name one of these: hello.nix, with space.nix"
    with pytest.raises(UsageError) as caught:
        parse(None, directory=tmp_path / "redis")
    assert caught.value.hint == "write a first file: nixdock init"


@pytest.mark.parametrize("text", ["", "image:"])
def test_an_empty_name_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ()),
        ("web", ("web",)),
        ("images.web", ("images", "web")),
        ("images.0", ("images", "0")),
        ('images."web.v2".x', ("images", "web.v2", "x")),
        ('a"."b', ("a.b",)),
    ],
)
def test_attribute_paths_are_split_as_nix_splits_them(path: str, names: tuple[str, ...]) -> None:
    assert split_attribute(path) == names
    assert split_attribute(join_attribute(names)) == names


@pytest.mark.parametrize("path", [".", "a.", ".a", "a..b", 'a."b'])
def test_what_is_no_attribute_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="is not an attribute path"):
        split_attribute(path)
