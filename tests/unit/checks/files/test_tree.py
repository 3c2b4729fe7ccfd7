from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.files.entry import LayerEntry, read_content, read_contents
from nixdock.checks.files.layer_index import LayerIndex
from nixdock.checks.files.tree import TooManyLinksError, Tree, build_tree
from nixdock.errors import LoadError
from support.layers import MemoryLayer, file, folder, hardlink, layer_of, link, read_tree, tar_of
from support.overlaid import OVERLAID

RECORDED: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "data/overlaid.json").read_text(encoding="utf-8")
)


def _tree(*layers: MemoryLayer) -> Tree:
    return read_tree(layers)


ENDLESS = {
    "folders that are not named": [[file(f"{n}/" + "d/" * 50 + "f") for n in range(30)]],
    "members": [[file(str(n)) for n in range(1001)]],
    "members of several layers": [[file(f"{layer}-{n}") for n in range(600)] for layer in range(2)],
    "folders of several layers": [[file(f"{layer}/" + "d/" * 200 + "f")] for layer in range(3)],
    "names": [[file(f"{n}" + "x" * 1000) for n in range(101)]],
    "targets": [[link(f"{n}", "x" * 1000) for n in range(101)]],
}


@pytest.mark.parametrize("layers", ENDLESS.values(), ids=ENDLESS)
def test_what_layers_can_make_long_has_an_end(
    layers: list[list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixdock.checks.files.layer_index.MEMBER_LIMIT", 1000)
    monkeypatch.setattr("nixdock.checks.files.layer_index.NAMES_LIMIT", 100_000)
    with pytest.raises(
        LoadError, match=r"has more than 1000 members|has names of more than 100000 characters"
    ):
        _tree(*(MemoryLayer(tar_of(layer)) for layer in layers))
    assert _tree(MemoryLayer(tar_of(layers[0][:10]))).entries


def test_a_file_may_have_many_names() -> None:
    names = [hardlink(f"{n}", "first") for n in range(20_001)]
    for number, (info, _) in enumerate(names):
        info.mode = 0o600 + number % 2
    tree = _tree(MemoryLayer(tar_of([file("first"), *names])))
    assert {tree.entries[name].mode for name in ("first", "0", "1", "20000")} == {0o600}


def test_an_upper_layer_replaces_removes_and_hides() -> None:
    tree = _tree(
        layer_of(
            folder("etc"),
            file("etc/a", b"1"),
            file("etc/b"),
            folder("var"),
            file("var/x"),
            file("var/y"),
            folder("opt"),
            file("opt/z"),
            file("bin"),
            folder("was"),
            file("was/deep"),
        ),
        layer_of(
            file("etc/a", b"22"),
            file("etc/.wh.b"),
            folder("var"),
            file("var/new"),
            file("var/.wh..wh..opq"),
            file(".wh.opt"),
            folder("bin"),
            file("bin/sh"),
            file("was"),
        ),
    )

    assert sorted(tree.entries) == ["", "bin", "bin/sh", "etc", "etc/a", "var", "var/new", "was"]
    assert tree.entries["etc/a"].size == 2
    assert tree.entries["etc/a"].layer == 1
    assert tree.entries["bin"].is_directory
    assert tree.entries["was"].kind == "file"
    assert tree.list(tree.entries["var"]) == ("new",)


def test_a_whiteout_hides_only_what_is_below_its_layer() -> None:
    tree = _tree(layer_of(file("a", b"1")), layer_of(file("a", b"22"), file(".wh.a")))

    assert tree.entries["a"].size == 2


def test_a_file_without_its_folder_makes_the_folder_even_over_a_link() -> None:
    tree = _tree(layer_of(folder("usr/lib"), link("lib", "usr/lib")), layer_of(file("lib/x")))

    assert tree.entries["lib"].is_directory
    assert tree.find("/lib/x") is not None
    assert tree.find("/usr/lib/x") is None


def test_a_hard_link_is_the_file_that_it_names() -> None:
    layer = layer_of(hardlink("b", "a"), file("a", b"same", 0o755))
    tree = _tree(layer)

    entry = tree.find("/b")
    assert entry is not None
    assert (entry.path, entry.kind, entry.mode) == ("b", "file", 0o755)
    assert read_content([layer], entry) == b"same"


def test_links_are_followed_within_the_image_alone() -> None:
    store = "nix/store/abc-bash/bin/bash"
    tree = _tree(
        layer_of(
            file(store, b"x"),
            link("bin/sh", f"/{store}"),
            link("usr/bin", "../bin"),
            link("out", "../../../etc"),
            file("etc/hosts"),
            link("dangling", "/none"),
            link("circle", "circle"),
            link("a", "b"),
            link("b", "a"),
        )
    )

    def path(text: str, *, follow: bool = True) -> str | None:
        entry = tree.find(text, follow=follow)
        return None if entry is None else entry.path

    assert path("/bin/sh") == store
    assert path("/bin/sh", follow=False) == "bin/sh"
    assert path("/usr/bin/sh") == store
    assert path("/usr/bin/../etc/hosts") == "etc/hosts"
    assert path("/out/hosts") == "etc/hosts"
    assert path("/dangling") is None
    assert path("/bin/sh/x") is None
    assert path("/") == ""
    assert path("/..") == ""
    for circle in ("/circle", "/a", "/circle/x"):
        with pytest.raises(TooManyLinksError):
            tree.find(circle)


def test_forty_links_are_followed_and_one_more_is_not() -> None:
    chain = [link(f"l{n}", f"l{n + 1}") for n in range(40)]
    tree = _tree(layer_of(*chain, file("l40"), link("m", "l0")))

    assert tree.find("/l0") is not None
    with pytest.raises(TooManyLinksError):
        tree.find("/m")


def _entry(path: str, kind: str = "file", target: str = "") -> LayerEntry:
    return LayerEntry(path, kind, 0o644, 0, 0, 0, -1, target, 0)


DEEP = "x/" * 1500


MANY: dict[str, list[LayerEntry]] = {
    "names of one file": [_entry("a"), *(_entry(f"l{n}", "hardlink", "a") for n in range(30_000))],
    "files behind a row of links": [
        *(_entry(f"d{n}", "symlink", f"d{n + 1}") for n in range(39)),
        *(_entry(f"d0/{n}") for n in range(100_000)),
    ],
    "files in a deep folder beside a link": [
        _entry("link", "symlink", "x"),
        *(_entry(f"{DEEP}{n}") for n in range(20_000)),
    ],
    "deep folders beside a link": [
        _entry("link", "symlink", "x"),
        *(_entry(f"{DEEP}{n}/f") for n in range(8_000)),
    ],
    "links in a circle": [
        _entry("a", "symlink", "b/c"),
        _entry("b", "symlink", "a/d"),
        *(_entry(f"a/{n}/f") for n in range(10_000)),
    ],
}


@pytest.mark.parametrize("case", MANY)
def test_time_grows_with_the_members_and_no_faster(case: str) -> None:
    """What is quadratic takes minutes here."""

    def give_up(*_: object) -> None:
        raise AssertionError("it does not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    try:
        found = build_tree([LayerIndex(tuple(MANY[case]))])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert len(found.entries) > 10_000


def test_a_path_that_linux_does_not_allow_is_told() -> None:
    with pytest.raises(LoadError, match="layer 1 has a path of 1000001 characters"):
        build_tree([LayerIndex((_entry("a/" * 500_000 + "f"),))])


@pytest.mark.parametrize("links", [0, 1000])
def test_folders_that_few_members_name_have_an_end(links: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixdock.checks.files.layer_index.NAMES_LIMIT", 1 << 24)
    members = [_entry(f"l{n}", "symlink", "d") for n in range(links)]
    members += [_entry(f"l{n}/{DEEP}f") for n in range(1000)]
    with pytest.raises(LoadError, match="has names of more than"):
        build_tree([LayerIndex(tuple(members))])


def test_all_names_of_a_file_have_what_its_last_link_says() -> None:
    layer = layer_of(
        file("a", b"1", 0o600),
        hardlink("b", "a", 0o640),
        hardlink("c", "b", 0o644),
        file("a", b"2", 0o700),
        hardlink("d", "a", 0o711),
    )
    modes = {path: entry.mode for path, entry in _tree(layer).entries.items() if path}
    assert modes == {"a": 0o711, "b": 0o644, "c": 0o644, "d": 0o711}


def test_patterns_stay_within_a_name_unless_doubled() -> None:
    tree = _tree(
        layer_of(
            file("nix/store/a-x/bin/sh"),
            file("nix/store/b-y/bin/ls"),
            link("store", "nix/store"),
            link("loop", "loop"),
            file("etc/[x]"),
        )
    )

    def paths(pattern: str) -> list[str]:
        return [entry.path for entry in tree.glob(pattern)]

    assert paths("/nix/store/*/bin/sh") == ["nix/store/a-x/bin/sh"]
    assert paths("/store/*-y/bin/*") == ["nix/store/b-y/bin/ls"]
    assert paths("/nix/**/sh") == ["nix/store/a-x/bin/sh"]
    assert paths("/nix/*/sh") == []
    assert paths("/*/nothing") == []
    assert paths("/etc/[[]x]") == ["etc/[x]"]
    assert len(paths("/**")) == len(tree.entries)


def test_walking_a_very_deep_tree_needs_no_deep_stack() -> None:
    tree = build_tree([LayerIndex((LayerEntry("d/" * 1900 + "f", "file", 0o644, 0, 0, 0, -1, "", 0),))])

    assert sum(1 for _ in tree.walk()) == 1902
    assert tree.glob("/**/f")[0].path.endswith("/f")


@pytest.mark.parametrize("seekable", [True, False])
def test_many_contents_are_read_in_one_pass_a_layer(seekable: bool) -> None:
    layers = [
        layer_of(*(file(f"f{n}", b"%d" % n * 700) for n in range(20)), seekable=seekable),
        layer_of(file("g", b"upper"), seekable=seekable),
    ]
    tree = _tree(*layers)
    opened = [layer.opened for layer in layers]
    found: dict[str, bytes] = {}

    wanted = [tree.entries[name] for name in ("g", "f19", "f3", "f3", "f0")]
    read_contents(layers, wanted, lambda entry, content: found.update({entry.path: content.output[:]}))

    assert found == {"g": b"upper", "f19": b"19" * 700, "f3": b"3" * 700, "f0": b"0" * 700}
    assert [layer.opened - before for layer, before in zip(layers, opened, strict=True)] == [1, 1]


@pytest.mark.parametrize("case", OVERLAID)
def test_a_tree_is_what_a_container_has(case: str, tmp_path: Path) -> None:
    tree = read_tree(map(MemoryLayer, OVERLAID[case]), contents=True, cache=tmp_path)

    found = {
        path: f"{entry.kind} {entry.mode:o} {entry.uid}:{entry.gid} {entry.size}"
        for path, entry in tree.entries.items()
        if path not in {"bin", "bin/busybox"}
    }
    assert found == RECORDED[case]
