"""Wheels: what is installed of one, and what is changed of what it requires."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nixdock.nixpkgs.languages.builders import java_truststore, python_wheel
from nixdock.nixpkgs.languages.builders.python_wheel import Relaxing

METADATA = """\
Metadata-Version: 2.1
Name: tool
Version: 1
Requires-Dist: PyYAML (>=99)
Requires-Dist: other.thing[x]>=2; python_version > "3"
Requires-Dist: gone

Requires-Dist: PyYAML of the description
"""
FILES = {
    "tool/__init__.py": "def main():\n    print('ran')\n",
    "tool-1.data/scripts/script": "#!python\nprint('script')\n",
    "tool-1.data/data/share/tool/data": "data",
    "tool-1.dist-info/METADATA": METADATA,
    "tool-1.dist-info/WHEEL": "Wheel-Version: 1.0\n",
    "tool-1.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n[other]\nx = y\n",
    "tool-1.dist-info/RECORD": "tool/__init__.py,,\ntool-1.dist-info/METADATA,sha256=old,1\n",
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / "tool-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    return file


def test_a_wheel_is_installed(tmp_path: Path, wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, python = tmp_path / "out", Path(sys.executable).parent.parent
    python_wheel.install(out, python, Relaxing(("pyyaml",), ("Gone",)), [wheel])
    [modules] = (out / "lib").glob("python3*/site-packages")
    run = subprocess.run(
        [out / "bin/tool"],
        env={"PYTHONPATH": str(modules)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "ran\n"
    assert (out / "bin/script").read_text().startswith(f"#!{python}/bin/python3\n")
    assert (out / "share/tool/data").read_text() == "data"
    metadata = (modules / "tool-1.dist-info/METADATA").read_text()
    assert "Requires-Dist: PyYAML\n" in metadata
    assert "Requires-Dist: gone" not in metadata
    assert metadata.endswith("Requires-Dist: PyYAML of the description\n")
    # Its hash is that of what is there.
    assert "sha256=old" not in (modules / "tool-1.dist-info/RECORD").read_text()
    assert "other" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("relaxed", "removed", "line", "wanted"),
    [
        (("1",), (), "Requires-Dist: a>=1", "Requires-Dist: a"),
        (
            ("a-b",),
            (),
            "Requires-Dist: A_b[x] (>=1); os_name == 'nt'",
            "Requires-Dist: A_b[x]; os_name == 'nt'",
        ),
        (("b",), (), "Requires-Dist: a>=1", "Requires-Dist: a>=1"),
        ((), ("1",), "Requires-Dist: a>=1", None),
        (("1",), ("1",), "Name: a>=1", "Name: a>=1"),
    ],
)
def test_requirements_are_relaxed(
    relaxed: tuple[str, ...], removed: tuple[str, ...], line: str, wanted: str | None
) -> None:
    assert Relaxing(relaxed, removed).line(line) == wanted


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    file = tmp_path / "METADATA"
    file.write_text(
        "Name: x\nRequires-Dist: not-there>=1\nRequires-Dist: pytest\nRequires-Dist: no; extra == 'y'\n"
    )
    assert python_wheel.missing(file) == ["not-there"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is neither pyproject.toml nor setup.py"),
        (
            "[build-system]\nbuild-backend = 'flit_core.x'",
            "build-system: python3Packages.flit-core",
        ),
        (
            "[build-system]\nbuild-backend = 'nobody_has.x'",
            "build-system: python3Packages.nobody-has",
        ),
    ],
)
def test_a_project_that_cannot_be_built(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("pyproject.toml").write_text(text)
    with pytest.raises(SystemExit):
        python_wheel.build("pyproject")
    assert sentence in capsys.readouterr().err


def test_a_trust_store_has_each_certificate() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    store = java_truststore.store(f"# a name\n{certificate}\n{certificate}")
    assert store[:12] == bytes.fromhex("feedfeed0000000200000002")
    assert store.count(b"\0\0\0\x03\0\0\0") == 2
