"""Builds a Python project as a wheel by its own build back end, and installs wheels.

Run by the Python of the environment that has the back end and what the project needs.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import importlib
import importlib.metadata
import io
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]

LEGACY = "setuptools.build_meta:__legacy__"
PACKAGES = {
    "flit_core": "flit-core",
    "hatchling": "hatchling",
    "maturin": "maturin",
    "mesonpy": "meson-python",
    "pdm": "pdm-backend",
    "poetry": "poetry-core",
    "scikit_build_core": "scikit-build-core",
    "setuptools": "setuptools",
}
"""What brings a back end, by the first part of its name."""
_ENTRY = """#!{python}
import sys
from {module} import {first}
if __name__ == "__main__":
    sys.exit({function}())
"""
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*(\([^)]*\)|[^;]*)(.*)")


def build(kind: str) -> None:
    """Make `dist/*.whl` of the project in the working directory."""
    system: dict[str, Any] = {}
    file = Path("pyproject.toml")
    if kind != "setuptools" and file.exists() and tomllib is not None:
        system = tomllib.loads(file.read_text()).get("build-system", {})
    default = "flit_core.buildapi" if kind == "flit" else LEGACY
    backend = system.get("build-backend", default)
    sys.path[:0] = [str(Path(entry).resolve()) for entry in system.get("backend-path", [])]
    if not any(Path(name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg")):
        stop('there is neither pyproject.toml nor setup.py; pass format = "other" and an installPhase')
    name, _, rest = backend.partition(":")
    target: Any = None
    try:
        target = importlib.import_module(name)
    except ImportError as error:
        brings = PACKAGES.get(name.partition(".")[0], name.partition(".")[0].replace("_", "-"))
        stop(
            f"the build back end {name} of pyproject.toml cannot be imported ({error}); "
            f"add it to build-system: python3Packages.{brings}"
        )
    for part in filter(None, rest.split(".")):
        target = getattr(target, part)
    Path("dist").mkdir(exist_ok=True)
    target.build_wheel("dist")


@dataclass(frozen=True)
class Relaxing:
    """What is changed in what a wheel says that it requires.

    Attributes:
        relaxed: Names whose versions do not count; `1` is all.
        removed: Names that are no requirements; `1` is all.
    """

    relaxed: tuple[str, ...]
    removed: tuple[str, ...]

    def line(self, line: str) -> str | None:
        """Return what takes the place of a line of the metadata, None for nothing."""
        found = _NAME.fullmatch(line.removeprefix("Requires-Dist:"))
        if not line.startswith("Requires-Dist:") or found is None:
            return line
        name, extras, version, condition = found.groups()
        if self._has(self.removed, name):
            return None
        if self._has(self.relaxed, name) and version:
            return f"Requires-Dist: {name}{extras or ''}{condition}".rstrip()
        return line

    @staticmethod
    def _has(names: tuple[str, ...], name: str) -> bool:
        return "1" in names or normalise(name) in map(normalise, names)


def install(out: Path, python: Path, relaxing: Relaxing, wheels: list[Path]) -> None:
    """Install wheels below a prefix."""
    if not wheels or not wheels[0].exists():
        stop("there is no wheel in dist to be installed")
    place = out / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            Installation(out, place, python / "bin/python3", relaxing).install(archive)
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(place)],
        check=False,
    )


@dataclass(frozen=True)
class Installation:
    """Where a wheel goes.

    Attributes:
        out: The prefix.
        place: Where modules are below it.
        python: What its scripts run by.
        relaxing: What its metadata does not say.
    """

    out: Path
    place: Path
    python: Path
    relaxing: Relaxing

    def install(self, archive: zipfile.ZipFile) -> None:
        """Write the files of a wheel, and its scripts."""
        [info] = {name.partition("/")[0] for name in archive.namelist() if _is_metadata(name)}
        for member in archive.infolist():
            if not member.is_dir():
                self._write(member, archive.read(member))
        for name, entry in self._entries(self.place / info / "entry_points.txt"):
            module, _, function = entry.partition("[")[0].strip().partition(":")
            text = _ENTRY.format(
                python=self.python, module=module, first=function.partition(".")[0], function=function
            )
            self._file(self.out / "bin" / name, text.encode(), executable=True)
        for name in missing(self.place / info / "METADATA"):
            sys.stderr.write(f"warning: {info} requires {name}, which is not among its dependencies\n")

    def _write(self, member: zipfile.ZipInfo, content: bytes) -> None:
        executable = bool(member.external_attr >> 16 & 0o100)
        first, _, rest = member.filename.partition("/")
        path = self.place / member.filename
        if first.endswith(".data"):
            kind, _, rest = rest.partition("/")
            root = {
                "purelib": self.place,
                "platlib": self.place,
                "scripts": self.out / "bin",
                "headers": self.out / f"include/python/{first.partition('-')[0]}",
            }.get(kind, self.out)
            path = root / rest
            if kind == "scripts":
                executable = True
                content = re.sub(rb"\A#!python\w*", f"#!{self.python}".encode(), content)
        elif rest == "METADATA" and first.endswith(".dist-info"):
            content = self._relaxed(content)
        elif rest == "RECORD" and first.endswith(".dist-info"):
            content = self._record(member.filename, content)
        self._file(path, content, executable=executable)

    def _relaxed(self, content: bytes) -> bytes:
        head, gap, body = content.decode().partition("\n\n")
        lines = [kept for line in head.split("\n") if (kept := self.relaxing.line(line)) is not None]
        return ("\n".join(lines) + gap + body).encode()

    def _record(self, name: str, content: bytes) -> bytes:
        # The metadata may have been changed after its hash was written.
        metadata = self.place / name.replace("/RECORD", "/METADATA")
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        for row in csv.reader(io.StringIO(content.decode())):
            if row and row[0].endswith(".dist-info/METADATA") and metadata.exists():
                data = metadata.read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                row = [row[0], f"sha256={digest}", str(len(data))]  # noqa: PLW2901 - the row that is written
            writer.writerow(row)
        return lines.getvalue().encode()

    @staticmethod
    def _file(path: Path, content: bytes, *, executable: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)

    @staticmethod
    def _entries(file: Path) -> list[tuple[str, str]]:
        if not file.exists():
            return []
        parser = configparser.ConfigParser(delimiters=("=",))
        parser.optionxform = str  # type: ignore[method-assign, assignment]
        parser.read_string(file.read_text())
        return [
            (name, entry)
            for section in ("console_scripts", "gui_scripts")
            if parser.has_section(section)
            for name, entry in parser.items(section)
        ]


def _is_metadata(name: str) -> bool:
    return re.fullmatch(r"[^/]*\.dist-info/METADATA", name) is not None


def missing(metadata: Path) -> list[str]:
    """Return the names of what is required always, and is not there."""
    there = {normalise(str(one.metadata["Name"])) for one in importlib.metadata.distributions()}
    head = metadata.read_text().partition("\n\n")[0]
    found = []
    for line in head.split("\n"):
        match = _NAME.fullmatch(line.removeprefix("Requires-Dist:"))
        if line.startswith("Requires-Dist:") and match and not match.group(4):
            found.append(match.group(1))
    return [name for name in found if normalise(name) not in there]


def normalise(name: str) -> str:
    """Return the form in which names of Python's packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def stop(sentence: str) -> None:
    """End with a sentence."""
    sys.stderr.write(f"error: {sentence}\n")
    sys.exit(1)


def main() -> None:
    """Do `build FORMAT`, or `install OUT PYTHON RELAXED REMOVED WHEEL...`."""
    # Python looks beside this file for modules first.
    del sys.path[0]
    command, *words = sys.argv[1:]
    if command == "build":
        build(words[0])
    else:
        out, python, relaxed, removed, *wheels = words
        relaxing = Relaxing(tuple(relaxed.split()), tuple(removed.split()))
        install(Path(out), Path(python), relaxing, list(map(Path, wheels)))


if __name__ == "__main__":
    main()
