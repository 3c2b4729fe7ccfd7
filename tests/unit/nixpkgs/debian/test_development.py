"""Units that others are built with: everything where builds look, and what comes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.nixpkgs.debian.builders import development

TRIPLET = "x86_64-linux-gnu"


def write(root: Path, *places: str) -> Path:
    for place in places:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{root.name}: {place}")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write(
        tmp_path / "libssl-dev-3",
        "include/openssl/ssl.h",
        f"include/{TRIPLET}/openssl/configuration.h",
        f"include/{TRIPLET}/sole.h",
        f"lib/{TRIPLET}/libssl.a",
        f"lib/{TRIPLET}/pkgconfig/openssl.pc",
        f"lib/{TRIPLET}/cmake/OpenSSL/config.cmake",
    )


@pytest.fixture
def library(tmp_path: Path, out: Path) -> Path:
    root = write(
        tmp_path / "libssl3-3",
        f"lib/{TRIPLET}/libssl.so.3.0",
        f"lib/{TRIPLET}/libssl3.so.1",
        f"lib/{TRIPLET}/engines-3/padlock.so",
    )
    (root / f"lib/{TRIPLET}/libssl.so.3").symlink_to("libssl.so.3.0")
    (out / f"lib/{TRIPLET}/libssl.so").symlink_to(root / f"lib/{TRIPLET}/libssl.so.3")
    return root


def propagated(out: Path) -> list[str]:
    return [Path(word).name for word in (out / "nix-support/propagated-build-inputs").read_text().split()]


def test_headers_and_descriptions_are_where_builds_look(out: Path) -> None:
    development.complete(out, (), [])
    assert (out / "include/openssl/configuration.h").read_text().endswith("configuration.h")
    assert (out / "include/sole.h").exists()
    # Inside of the unit: it may be copied.
    assert not (out / "include/openssl/configuration.h").readlink().is_absolute()
    assert (out / "lib/pkgconfig/openssl.pc").exists()
    assert (out / "lib/cmake/OpenSSL/config.cmake").exists()
    assert not (out / "nix-support").exists()


def test_a_library_is_beside_its_link(out: Path, library: Path) -> None:
    development.complete(out, (), [library])
    folder = out / "lib" / TRIPLET
    assert sorted(path.name for path in folder.glob("libssl*.so*")) == [
        "libssl.so",
        "libssl.so.3",
        "libssl.so.3.0",
    ]
    assert (folder / "libssl.so.3.0").resolve() == library / f"lib/{TRIPLET}/libssl.so.3.0"
    assert propagated(out) == ["libssl3-3"]


def test_libraries_and_units_of_its_kind_come_with_it(tmp_path: Path, out: Path, library: Path) -> None:
    other = write(tmp_path / "zlib1g-dev-1", "include/zlib.h")
    tools = write(tmp_path / "libssl-dev-bin-3", "bin/ssl-tool", f"lib/{TRIPLET}/libtool.so.1")
    program = write(tmp_path / "python3-3", "bin/python3", f"lib/{TRIPLET}/libpython3.so.1")
    plain = write(tmp_path / "libtinfo6-6", f"lib/{TRIPLET}/libtinfo.so.6")
    # Linked by its own link, although it has programs.
    both = write(tmp_path / "dmsetup-1", "bin/dmsetup", f"lib/{TRIPLET}/libdevmapper.so.1")
    (out / f"lib/{TRIPLET}/libdevmapper.so").symlink_to(both / f"lib/{TRIPLET}/libdevmapper.so.1")
    development.complete(out, (other, tools), [both, library, plain, program, tools, other])
    assert propagated(out) == ["dmsetup-1", "libssl3-3", "libtinfo6-6", "zlib1g-dev-1", "libssl-dev-bin-3"]
    assert (out / "bin/ssl-tool").resolve() == tools / "bin/ssl-tool"


def test_a_metapackage_passes_on_what_it_stands_for(tmp_path: Path) -> None:
    one = write(tmp_path / "libncurses-dev-6", "include/curses.h", "nix-support/propagated-build-inputs")
    out = tmp_path / "libncurses5-dev-6"
    out.mkdir()
    (out / "nix-support").symlink_to(one / "nix-support")
    development.propagate(out, (one,), [one])
    assert propagated(out) == ["libncurses-dev-6"]
    assert "libncurses-dev-6: " in (one / "nix-support/propagated-build-inputs").read_text()


def test_a_description_beside_programs_comes_with_it(tmp_path: Path, out: Path) -> None:
    mime = write(tmp_path / "shared-mime-info-2", "bin/update-mime", "share/pkgconfig/shared-mime-info.pc")
    plain = write(tmp_path / "libnss3-2", f"lib/{TRIPLET}/libnss3.so")
    development.complete(out, (), [mime, plain])
    assert propagated(out) == ["shared-mime-info-2", "libnss3-2"]


def test_units_are_joined(tmp_path: Path) -> None:
    one = write(tmp_path / "libavcodec-dev-5", "include/libavcodec/a.h", "lib/libavcodec.a", "bin/a-config")
    two = write(tmp_path / "libavutil-dev-5", "include/libavutil/u.h", "lib/libavutil.a", "nix-support/x")
    out = tmp_path / "ffmpeg-dev-5"
    development.join(out, [one, two])
    assert sorted(path.name for path in out.iterdir()) == ["bin", "include", "lib", "nix-support"]
    assert not (out / "lib").is_symlink()
    assert (out / "include/libavcodec/a.h").exists()
    assert (out / "lib/libavutil.a").resolve() == two / "lib/libavutil.a"
    assert propagated(out) == ["libavcodec-dev-5", "libavutil-dev-5"]
