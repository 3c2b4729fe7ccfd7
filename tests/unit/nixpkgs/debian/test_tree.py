"""Packages put together: files, links that stay inside, leave or lead nowhere, and stand-ins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nixdock.nixpkgs.debian.builders.tree import UnitTree, absolute, relative

from . import make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def target(link: Path) -> str:
    return str(link.readlink())


def test_files_are_in_their_places_and_documentation_is_not(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    entries = {
        "usr/bin/hello": ("exec", b"hello"),
        "usr/share/hello/data": b"data",
        "usr/share/doc/hello/copyright": b"GPL",
    }
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert (out / "bin/hello").read_bytes() == b"hello"
    assert os.access(out / "bin/hello", os.X_OK)
    assert not os.access(out / "share/hello/data", os.X_OK) or os.getuid() == 0
    assert (out / "share/hello/data").stat().st_mode & 0o777 == 0o644
    assert not (out / "share/doc").exists()
    assert not tree.has_sbin


def test_links_inside_are_relative_whatever_they_were(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    entries = {
        "usr/lib/a/real": b"x",
        "usr/bin/one": ("link", "../lib/a/real"),
        "bin/two": ("link", "/usr/lib/a/real"),
        "usr/sbin/three": ("link", "../bin/one"),
        "usr/bin/four": ("link", "three"),
    }
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert target(out / "bin/one") == "../lib/a/real"
    assert target(out / "bin/two") == "../lib/a/real"
    assert target(out / "bin/three") == "one"
    # /usr/bin/three is nowhere in Debian; here all programs are in one folder.
    assert (out / "bin/four").read_bytes() == b"x"
    assert tree.has_sbin


def test_links_into_another_unit_are_absolute(tmp_path: Path, out: Path) -> None:
    need = tmp_path / "need"
    (need / "lib/x").mkdir(parents=True)
    (need / "lib/x/libz.so.1").write_text("z")
    tree = UnitTree(out, [need])
    entries = {"usr/lib/x/libz.so": ("link", "libz.so.1"), "usr/bin/z": ("link", "/lib/x/libz.so.1")}
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert target(out / "lib/x/libz.so") == f"{need}/lib/x/libz.so.1"
    assert target(out / "bin/z") == f"{need}/lib/x/libz.so.1"


def test_a_link_through_a_stand_in_names_what_it_leads_to(tmp_path: Path, out: Path) -> None:
    real, meta = tmp_path / "real", tmp_path / "meta"
    (real / "bin").mkdir(parents=True)
    (real / "bin/python3.11").write_text("x")
    meta.mkdir()
    (meta / "bin").symlink_to(real / "bin")
    tree = UnitTree(out, [meta])
    tree.unpack(make.deb(tmp_path / "a.deb", {"usr/bin/python3": ("link", "python3.11")}))
    tree.link()
    assert target(out / "bin/python3") == f"{real}/bin/python3.11"


def test_links_that_lead_nowhere_are_left_out(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = UnitTree(out, ())
    entries = {
        "usr/bin/vi": ("link", "/etc/alternatives/vi"),
        "usr/bin/gone": ("link", "missing"),
        "usr/bin/chained": ("link", "gone"),
        "usr/lib/conf": ("link", "/etc/some.conf"),
    }
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert sorted(path.name for path in (out / "bin").iterdir() if path.is_symlink()) == []
    assert target(out / "lib/conf") == "/etc/some.conf"
    assert "no package has /usr/bin/missing: bin/gone is left out" in capsys.readouterr().err


def test_what_is_the_systems_is_put_aside(tmp_path: Path, out: Path) -> None:
    entries = {
        "etc/tool/tool.conf": b"x",
        "etc/tool/more.conf": ("link", "/usr/share/tool/more.conf"),
        "var/lib/tool/state": b"y",
        "usr/share/tool/more.conf": b"z",
        "usr/lib/tool/conf": ("link", "/etc/tool"),
    }
    deb = make.deb(tmp_path / "a.deb", entries)
    tree = UnitTree(out, ())
    tree.unpack(deb)
    tree.link()
    assert sorted(path.name for path in out.iterdir()) == ["lib", "share"]
    assert (out / "share/var/lib/tool/state").read_bytes() == b"y"
    assert target(out / "lib/tool/conf") == "../../share/etc/tool"
    assert target(out / "share/etc/tool/more.conf") == "../../tool/more.conf"
    assert tree.find("/etc/tool/tool.conf") == out / "share/etc/tool/tool.conf"

    above = tmp_path / "above"
    above.mkdir()
    other = UnitTree(above, (out,))
    other.unpack(make.deb(tmp_path / "b.deb", {"usr/lib/b.conf": ("link", "/etc/tool/tool.conf")}))
    other.link()
    assert target(above / "lib/b.conf") == f"{out}/share/etc/tool/tool.conf"


def test_a_unit_may_keep_its_etc(tmp_path: Path, out: Path) -> None:
    entries = {"etc/services": b"http 80/tcp", "var/cache/x": b"", "usr/lib/link": ("link", "/etc/services")}
    tree = UnitTree(out, (), keeps_etc=True)
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert sorted(path.name for path in out.iterdir()) == ["etc", "lib", "share"]
    assert target(out / "lib/link") == "../etc/services"


def test_a_link_through_one_that_is_made_later(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    entries = {
        "usr/lib/icu/Makefile.inc": ("link", "current/Makefile.inc"),
        "usr/lib/icu/current": ("link", "pkg"),
        "usr/lib/icu/pkg": ("link", "72.1"),
        "usr/lib/icu/72.1/Makefile.inc": b"text",
    }
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    assert (out / "lib/icu/Makefile.inc").read_bytes() == b"text"


def test_hard_links_stay_one_file(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    entries = {"usr/bin/a": ("exec", b"x"), "usr/bin/b": ("hard", "usr/bin/a")}
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    assert (out / "bin/a").stat().st_ino == (out / "bin/b").stat().st_ino


def test_of_two_files_at_one_place_the_first_counts(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = UnitTree(out, ())
    tree.unpack(make.deb(tmp_path / "a.deb", {"usr/bin/x": b"one", "usr/bin/same": b"same"}))
    tree.unpack(make.deb(tmp_path / "b.deb", {"bin/x": b"two", "bin/same": b"same"}))
    assert (out / "bin/x").read_bytes() == b"one"
    assert capsys.readouterr().err == "two packages have bin/x: the first one counts\n"


def test_unwanted_files_are_left_out(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, (), ["lib/*/gconv/*"])
    entries = {
        "usr/lib/x/gconv/IBM.so": b"x",
        "usr/lib/x/libc.so": b"x",
        "usr/lib/x/gconv/l": ("link", "IBM.so"),
    }
    tree.unpack(make.deb(tmp_path / "a.deb", entries))
    tree.link()
    tree.remove_empty()
    assert [path.name for path in (out / "lib/x").iterdir()] == ["libc.so"]


def test_links_that_a_package_asks_for_are_made(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    postinst = (
        "update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10\n"
        "update-alternatives --install /usr/bin/nowhere nowhere /usr/bin/gone 10\n"
    )
    tree.unpack(make.deb(tmp_path / "a.deb", {"usr/bin/gawk": ("exec", b"x")}, postinst=postinst))
    tree.link()
    assert target(out / "bin/awk") == "gawk"
    assert not os.path.lexists(out / "bin/nowhere")


def test_a_metapackage_stands_for_what_it_needs(tmp_path: Path, out: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for root, name in ((one, "a"), (two, "b")):
        (root / "bin").mkdir(parents=True)
        (root / "bin" / name).write_text(name)
    (one / "share").mkdir()
    tree = UnitTree(out, [one, two])
    tree.unpack(make.deb(tmp_path / "a.deb", {"usr/share/doc/meta/copyright": b"x"}))
    tree.link()
    tree.remove_empty()
    assert tree.is_empty()
    tree.stand_in()
    assert target(out / "bin/a") == f"{one}/bin/a"
    assert target(out / "bin/b") == f"{two}/bin/b"
    assert target(out / "share") == f"{one}/share"


def test_empty_folders_go(tmp_path: Path, out: Path) -> None:
    tree = UnitTree(out, ())
    tree.unpack(make.deb(tmp_path / "a.deb", {"usr/lib/a/b": None, "usr/bin": None, "usr/bin/x": b"x"}))
    tree.remove_empty()
    assert sorted(path.name for path in out.iterdir()) == ["bin"]


def test_targets_of_links() -> None:
    assert absolute("usr/bin/a", "b") == "/usr/bin/b"
    assert absolute("usr/lib/x/a", "../../share/b") == "/usr/share/b"
    assert absolute("bin/a", "/etc/b") == "/etc/b"
    assert relative("bin/a", "lib/b") == "../lib/b"
    assert relative("a", "etc/b") == "etc/b"
    assert relative("bin/a", "/nix/store/x") == "/nix/store/x"
