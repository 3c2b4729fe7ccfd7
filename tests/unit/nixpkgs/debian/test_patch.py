"""Files are made to find each other in the store, by the real patchelf."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nixdock.nixpkgs.debian.builders import elf
from nixdock.nixpkgs.debian.builders.patch import Loader, Patcher, replace_strings
from nixdock.nixpkgs.debian.builders.tree import UnitTree


class Store:
    """A few store paths: a C library, a library, a shell, and the unit to patch."""

    def __init__(self, root: Path) -> None:
        self.libc = root / "libc"
        self.need = root / "need"
        self.shell = root / "bash"
        self.out = root / "out"
        for path in (
            self.libc / "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            self.libc / "lib/x86_64-linux-gnu/libc.so.6",
            self.need / "lib/x86_64-linux-gnu/libz.so.1",
            self.need / "bin/perl",
            self.shell / "bin/sh",
            self.shell / "bin/bash",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        (self.out / "bin").mkdir(parents=True)

    def patch(self) -> None:
        tree = UnitTree(self.out, [self.need, self.libc])
        Patcher(tree, Loader(self.libc), self.shell).patch()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patchelf: Path) -> Store:
    monkeypatch.setenv("PATH", f"{patchelf.parent}:{os.environ['PATH']}")
    return Store(tmp_path)


@pytest.fixture
def program(store: Store) -> Path:
    """A real program in the unit: a copy of one of this machine."""
    path = store.out / "bin/program"
    shutil.copy(Path(shutil.which("true") or "/bin/true").resolve(), path)
    return path


def read(path: Path) -> elf.Elf:
    with path.open("rb") as file:
        found = elf.read(file)
    assert found is not None
    return found


def edit(path: Path, *words: str) -> None:
    subprocess.run(["patchelf", *words, str(path)], check=True)


def test_a_program_gets_its_loader_and_the_folders_of_its_libraries(store: Store, program: Path) -> None:
    edit(program, "--add-needed", "libz.so.1")
    store.patch()
    found = read(program)
    assert found.interpreter == f"{store.libc}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    assert found.runpath == (f"{store.need}/lib/x86_64-linux-gnu", f"{store.libc}/lib/x86_64-linux-gnu")


def test_a_library_of_the_unit_comes_first(store: Store, program: Path) -> None:
    own = store.out / "lib/x86_64-linux-gnu/libz.so.1"
    own.parent.mkdir(parents=True)
    own.write_text("")
    edit(program, "--add-needed", "libz.so.1")
    store.patch()
    assert read(program).runpath[0] == str(own.parent)


def test_a_link_to_a_library_elsewhere_leads_to_its_folder(store: Store, program: Path) -> None:
    private = store.need / "lib/x86_64-linux-gnu/blas/libblas.so.3"
    private.parent.mkdir()
    private.write_text("")
    (store.need / "lib/x86_64-linux-gnu/libblas.so.3").symlink_to("blas/libblas.so.3")
    edit(program, "--add-needed", "libblas.so.3")
    store.patch()
    assert str(private.parent) in read(program).runpath


def test_origin_stays_and_debians_folders_become_the_stores(store: Store, program: Path) -> None:
    private = store.out / "lib/x86_64-linux-gnu/private"
    private.mkdir(parents=True)
    edit(
        program,
        "--set-rpath",
        "$ORIGIN/../lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu/private:/usr/lib/gone",
    )
    store.patch()
    assert read(program).runpath == (
        "$ORIGIN/../lib/x86_64-linux-gnu",
        str(private),
        f"{store.libc}/lib/x86_64-linux-gnu",
    )


def test_a_folder_of_its_own_libraries_may_be_in_several_units(store: Store, program: Path) -> None:
    for root, name in ((store.out, "libone.so"), (store.need, "libtwo.so")):
        library = root / "lib/x86_64-linux-gnu/private" / name
        library.parent.mkdir(parents=True)
        library.write_text("")
    edit(program, "--set-rpath", "/usr/lib/x86_64-linux-gnu/private", "--add-needed", "libtwo.so")
    store.patch()
    places = [f"{root}/lib/x86_64-linux-gnu/private" for root in (store.out, store.need)]
    assert list(read(program).runpath[:2]) == places


def test_what_ends_threads_is_given_what_the_c_library_would_load(store: Store, program: Path) -> None:
    (store.libc / "lib/x86_64-linux-gnu/libgcc_s.so.1").write_text("")
    other = program.with_name("other")
    shutil.copy(program, other)
    with program.open("ab") as file:
        file.write(b"\0pthread_exit\0")
    store.patch()
    assert "libgcc_s.so.1" in read(program).needed
    assert "libgcc_s.so.1" not in read(other).needed


def test_a_missing_library_is_said(store: Store, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(program, "--add-needed", "libgone.so.7")
    store.patch()
    assert "no package has libgone.so.7, which bin/program needs" in capsys.readouterr().err


def test_hard_links_are_patched_once(store: Store, program: Path) -> None:
    os.link(program, store.out / "bin/other")
    store.patch()
    assert program.stat().st_ino == (store.out / "bin/other").stat().st_ino
    assert read(program).runpath == (f"{store.libc}/lib/x86_64-linux-gnu",)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#!/bin/sh", "#!{shell}/bin/sh"),
        ("#! /bin/sh -e", "#!{shell}/bin/sh -e"),
        ("#!/usr/bin/dash", "#!{shell}/bin/sh"),
        ("#!/bin/bash", "#!{shell}/bin/bash"),
        ("#!/usr/bin/env bash", "#!{shell}/bin/bash"),
        ("#!/usr/bin/perl -w", "#!{need}/bin/perl -w"),
        ("#!/usr/bin/env perl", "#!{need}/bin/perl"),
        ("#!{need}/bin/perl -w", "#!{need}/bin/perl -w"),
        ("#!/usr/bin/env -S perl -w", "#!/usr/bin/env -S perl -w"),
        ("#!/usr/bin/ruby", "#!/usr/bin/ruby"),
        ("#!", "#!"),
    ],
)
def test_scripts(store: Store, line: str, expected: str) -> None:
    script = store.out / "bin/script"
    script.write_text(f"{line.format(need=store.need)}\necho\n")
    script.chmod(0o755)
    store.patch()
    first, rest = script.read_text().split("\n", 1)
    assert first == expected.format(shell=store.shell, need=store.need)
    assert rest == "echo\n"


def test_a_file_that_is_no_program_keeps_its_first_line(store: Store) -> None:
    module = store.out / "bin/module"
    module.write_text("#!/bin/sh\n")
    module.chmod(0o644)
    store.patch()
    assert module.read_text() == "#!/bin/sh\n"


def test_paths_of_the_unit_in_its_scripts(store: Store) -> None:
    (store.out / "share/cowsay/cows").mkdir(parents=True)
    script, module = store.out / "bin/cowsay", store.out / "share/cowsay/more.pm"
    text = "x = '/usr/share/cowsay/cows:/usr/share/cowsay/new/*.cow' $HOME/usr/share/cowsay /usr/share/other"
    for path in (script, module):
        path.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    store.patch()
    expected = (
        f"x = '{store.out}/share/cowsay/cows:{store.out}/share/cowsay/new/*.cow' "
        "$HOME/usr/share/cowsay /usr/share/other\n"
    )
    assert script.read_text() == f"#!{store.shell}/bin/sh\n{expected}"
    assert module.read_text() == f"#!/bin/sh\n{expected}"


def test_programs_and_starts_of_names_in_scripts(store: Store) -> None:
    (store.out / "share/aclocal-1.16").mkdir(parents=True)
    (store.need / "bin/m4").write_text("")
    script, text = store.out / "bin/aclocal", store.out / "share/autom4te.cfg"
    for path in (script, text):
        path.write_text("#!/bin/sh\n/usr/bin/m4 /usr/bin/gone '/usr/share/aclocal-' '/usr/share/gone-'\n")
    script.chmod(0o755)
    tree = UnitTree(store.out, [store.need, store.libc])
    Patcher(tree, Loader(store.libc), store.shell, ["share/*.cfg"]).patch()
    expected = f"{store.need}/bin/m4 /usr/bin/gone '{store.out}/share/aclocal-' '/usr/share/gone-'"
    assert script.read_text().splitlines()[1] == expected
    # Read as a script for what it says; who runs it is another matter.
    assert text.read_text().splitlines() == ["#!/bin/sh", expected]


def test_a_program_that_names_no_loader_is_left(
    store: Store, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(program.read_bytes())
    place = content.index(b"/lib64/ld-linux")
    content[place] = 0
    content[place : place + 40] = content[place : place + 40].replace(
        b"lib64/ld-linux-x86-64.so.2", bytes(26)
    )
    program.write_bytes(content)
    store.patch()
    assert "no loader  for" in capsys.readouterr().err


def test_paths_in_what_describes_a_library(store: Store) -> None:
    folder = store.out / "lib/x86_64-linux-gnu"
    (folder / "pkgconfig").mkdir(parents=True)
    (store.out / "include").mkdir()
    (folder / "pkgconfig/z.pc").write_text("prefix=/usr\nlibdir=${prefix}/lib\nother=/usr/lib/gone\n")
    (folder / "libc.so").write_text("GROUP ( /lib/x86_64-linux-gnu/libc.so.6 AS_NEEDED ( /lib/gone.so ) )\n")
    store.patch()
    assert (folder / "pkgconfig/z.pc").read_text() == (
        f"prefix={store.out}\nlibdir=${{prefix}}/lib\nother=/usr/lib/gone\n"
    )
    assert (folder / "libc.so").read_text() == (
        f"GROUP ( {store.libc}/lib/x86_64-linux-gnu/libc.so.6 AS_NEEDED ( /lib/gone.so ) )\n"
    )


def test_descriptions_that_are_scripts_or_count_from_their_folder(store: Store) -> None:
    (store.out / "include/ssl").mkdir(parents=True)
    config = store.out / "bin/ssl-config"
    config.write_text(
        "#!/bin/sh\nprefix=/usr\nexec_prefix='/usr'\necho -I/usr/include/ssl -I/usr/include/gone\n"
    )
    config.chmod(0o755)
    described = store.out / "lib/x86_64-linux-gnu/pkgconfig/ssl.pc"
    described.parent.mkdir(parents=True)
    described.write_text("prefix=${pcfiledir}/../../..\n")
    cmake = store.out / "lib/x86_64-linux-gnu/cmake/ssl/ssl.cmake"
    cmake.parent.mkdir(parents=True)
    cmake.write_text('set(INCLUDE "/usr/include/ssl")\n')
    store.patch()
    assert config.read_text().splitlines()[1:] == [
        f"prefix={store.out}",
        f"exec_prefix='{store.out}'",
        f"echo -I{store.out}/include/ssl -I/usr/include/gone",
    ]
    assert config.stat().st_mode & 0o111
    assert described.read_text() == f"prefix={described.parent}/../../..\n"
    assert cmake.read_text() == f'set(INCLUDE "{store.out}/include/ssl")\n'


def test_strings_are_replaced_by_shorter_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lib.so"
    file.write_bytes(b"a\0/usr/ssl/cert.pem\0b\0x/usr/ssl/cert.pem\0/usr/ssl/engines\0")
    replace_strings(file, {"/usr/ssl/cert.pem": "/etc/cert.pem", "/usr/ssl/e*": "/e", "/gone": "/x"})
    assert file.read_bytes() == (
        b"a\0/etc/cert.pem\0\0\0\0\0b\0x/usr/ssl/cert.pem\0/engines\0\0\0\0\0\0\0\0\0"
    )
    assert capsys.readouterr().err == "lib.so has no string /gone\n"


def test_longer_strings_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "lib.so"
    file.write_bytes(b"\0/a\0")
    with pytest.raises(ValueError, match="/long is longer than /a"):
        replace_strings(file, {"/a": "/long"})


def test_folders_of_libraries_that_are_not_needed_leave_no_trace(store: Store, program: Path) -> None:
    unneeded = "/nix/store/00000000000000000000000000000000-unneeded/lib"
    subprocess.run(["patchelf", "--remove-needed", "libc.so.6", program], check=True)
    subprocess.run(["patchelf", "--set-rpath", unneeded, program], check=True)
    store.patch()

    assert read(program).runpath == ()
    assert unneeded.encode() not in program.read_bytes()
