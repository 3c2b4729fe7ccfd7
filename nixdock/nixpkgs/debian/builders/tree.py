"""Unpacking Debian packages into one store path.

Plain files are written at once. Symbolic links wait until everything is there: only then can it be said
whether a link's target is inside, in another unit, or nowhere.

Debian's `/usr` is the store path itself, as nixpkgs has it: `/usr/bin/hello` is `bin/hello`. What is in
`/usr` and what is beside it (`/bin`, `/lib`) come together, `sbin` and `games` join `bin`. `/etc`, `/var` and
the like are an image's own, which a package in it must not fill: what Debian's packages have there is in
`share/etc` and `share/var`, but for the few units that say why theirs stays (`etc` in adjustments.nix).
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from .deb import open_files, parse_alternatives, read_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from tarfile import TarFile, TarInfo

_OUTSIDE = ("/etc/", "/var/", "/run/", "/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108 - of images
_ALTERNATIVES = "/etc/alternatives/"

_SYSTEM = re.compile(r"^(etc|var|srv|run|tmp|root|home|boot)(?=/|$)")
_BIN = re.compile(r"^(sbin|games)(?=/|$)")
_LIB = re.compile(r"^lib(64|x32)(?=/|$)")

UNWANTED = re.compile(
    r"""
    share/(doc|man|info|locale|doc-base|lintian|bug|reportbug|apport|gdb)(/|$)
    | share/(menu|pixmaps|applications|metainfo|initramfs-tools)(/|$)
    | lib/(systemd/(system|user|system-preset)|udev|debug)(/|$)
    | lib/(tmpfiles|sysusers|modprobe|modules-load)\.d(/|$)
    | etc/(init\.d|rc[0-9S]\.d|systemd|default|cron\.[a-z]+|logrotate\.d)(/|$)
    | etc/(alternatives|apparmor\.d|ufw|apport)(/|$)
    """,
    re.VERBOSE,
)
"""What nobody finds in a store path, or what would only bring references: manuals, translations (programs
look for them at Debian's absolute paths), and what belongs to an init system."""


class UnitTree:
    """The files of one unit, being put together.

    Args:
        out: The store path to fill.
        needs: The store paths of the units that this one may refer to.
        unwanted: Patterns of files to leave out, by their place in the store path.
        keeps_etc: Whether `etc` stays where it is.

    Attributes:
        has_sbin: Whether a package has programs in `sbin`, which are in `bin` here.
    """

    def __init__(
        self, out: Path, needs: Sequence[Path], unwanted: Sequence[str] = (), *, keeps_etc: bool = False
    ) -> None:
        self.out = out
        self.needs = needs
        self.has_sbin = False
        self._unwanted = unwanted
        self._keeps_etc = keeps_etc
        self._links: dict[str, str] = {}
        self._asked: dict[str, str] = {}

    def unpack(self, deb: Path) -> None:
        """Put the files of one package in their places, and note the links that it asks for."""
        for link, target in parse_alternatives(read_script(deb, "postinst")).items():
            placed = place(link.lstrip("/"))
            if self._wants(placed):
                self._asked.setdefault(placed, place(target.lstrip("/")))
        with open_files(deb) as tar:
            for member in tar:
                original = posixpath.normpath(member.name)
                placed = place(original)
                if self._wants(placed):
                    self.has_sbin |= original.startswith(("sbin/", "usr/sbin/"))
                    self._put(tar, member, original, self._own(placed))

    def _own(self, placed: str) -> str:
        return placed if self._keeps_etc and placed.startswith("etc/") else aside(placed)

    def _put(self, tar: TarFile, member: TarInfo, original: str, placed: str) -> None:
        target = self.out / placed
        if member.isdir():
            # What is empty there is the system's to fill: links lead out to it.
            if not _SYSTEM.match(place(original)):
                target.mkdir(parents=True, exist_ok=True)
        elif member.issym():
            self._links[placed] = absolute(original, member.linkname)
        elif member.islnk():
            source = self.out / self._own(place(posixpath.normpath(member.linkname)))
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(source, target)
        elif (content := tar.extractfile(member)) is not None:
            self._write(target, content.read(), executable=bool(member.mode & 0o111))

    def link(self) -> None:
        """Make the links: inside the unit, into another one, or not at all."""
        pending = dict(sorted(self._links.items()))
        inside = set(pending)
        waiting = pending
        while waiting:
            # A target may be in a directory that is reached by a link which is made later.
            missing = {
                placed: target for placed, target in waiting.items() if not self._link(placed, target, inside)
            }
            if len(missing) == len(waiting):
                break
            waiting = missing
        for placed, target in waiting.items():
            report(f"no package has {target}: {placed} is left out")
        self._drop_dangling(pending)
        for placed, target in sorted(self._asked.items()):
            path = self.out / placed
            if (self.out / target).exists() and not os.path.lexists(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(relative(placed, target))

    def _link(self, placed: str, target: str, inside: set[str]) -> bool:
        path = self.out / placed
        if path.exists():
            return True
        found = self._find(target, inside)
        if found is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(relative(placed, found))
        return found is not None

    def find(self, original: str) -> Path | None:
        """Return where a file of Debian's tree is: in this unit, in one that it needs, or nowhere."""
        return next(self.find_all(original), None)

    def find_all(self, original: str) -> Iterator[Path]:
        """Give every place where a file of Debian's tree is: in this unit, and in those that it needs."""
        placed = place(original.lstrip("/"))
        places = (root / where for root in (self.out, *self.needs) for where in (placed, aside(placed)))
        yield from (path for path in places if path.exists())

    def remove_empty(self) -> None:
        """Remove the directories that hold nothing."""
        for directory, names, files in os.walk(self.out, topdown=False):
            if not files and not any(os.path.lexists(f"{directory}/{name}") for name in names):
                Path(directory).rmdir()
        self.out.mkdir(exist_ok=True)

    def is_empty(self) -> bool:
        """Say whether the packages brought no files: they stand for what they depend on."""
        return not any(self.out.iterdir())

    def stand_in(self) -> None:
        """Link to everything that the needed units have, as a metapackage stands for its dependencies."""
        merge(self.out, [need for need in self.needs if need.is_dir()])

    def _wants(self, placed: str) -> bool:
        return (
            placed not in ("", ".")
            and is_wanted(placed)
            and not any(fnmatchcase(placed, pattern) for pattern in self._unwanted)
        )

    def _find(self, target: str, inside: set[str]) -> str | None:
        placed = place(target.lstrip("/"))
        own = self._own(placed)
        if os.path.lexists(self.out / own) or own in inside:
            return own
        for need in self.needs:
            for path in (need / placed, need / aside(placed)):
                if path.exists():
                    # A metapackage's content is links: name what they lead to, not the metapackage.
                    real = path.resolve()
                    return str(path if need in real.parents else real)
        if target.startswith(_OUTSIDE) and not target.startswith(_ALTERNATIVES):
            return target
        return None

    def _write(self, target: Path, content: bytes, *, executable: bool) -> None:
        if os.path.lexists(target):
            if target.read_bytes() != content:
                report(f"two packages have {target.relative_to(self.out)}: the first one counts")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if executable else 0o644)

    def _drop_dangling(self, links: dict[str, str]) -> None:
        # A link to a link that was left out leads nowhere; a chain of them takes several rounds.
        again = True
        while again:
            again = False
            for placed in links:
                path = self.out / placed
                if path.is_symlink() and not path.exists() and not path.readlink().is_absolute():
                    path.unlink()
                    again = True


def absolute(path: str, target: str) -> str:
    """Return the absolute target in Debian's tree of a link at `path` (without a leading slash)."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))


def relative(place: str, target: str) -> str:
    """Return what a link at a place says to lead to another place; an absolute target stays as it is."""
    return target if target.startswith("/") else posixpath.relpath(target, posixpath.dirname(place) or ".")


def merge(out: Path, sources: Sequence[Path]) -> None:
    """Link to the content of several directories; a directory that only one of them has is linked whole."""
    names: dict[str, list[Path]] = {}
    for source in sources:
        for entry in sorted(source.iterdir()):
            names.setdefault(entry.name, []).append(entry)
    out.mkdir(parents=True, exist_ok=True)
    for name, entries in names.items():
        if len(entries) > 1 and all(entry.is_dir() for entry in entries):
            merge(out / name, entries)
        else:
            (out / name).symlink_to(entries[0].resolve())


def report(sentence: str) -> None:
    """Say something for the build log."""
    print(sentence, file=sys.stderr)  # noqa: T201 - a builder's standard error is its log


def place(path: str) -> str:
    """Return where a path of Debian's tree is below a store path; both without a leading slash.

    >>> place("usr/sbin/nginx")
    'bin/nginx'
    >>> place("lib64/ld-linux-x86-64.so.2")
    'lib/ld-linux-x86-64.so.2'
    >>> place("etc/nginx/nginx.conf")
    'etc/nginx/nginx.conf'

    The last one is put aside, unless its unit is one that keeps it.
    """
    inner = path.removeprefix("usr/") if path != "usr" else ""
    return _LIB.sub("lib", _BIN.sub("bin", inner))


def aside(placed: str) -> str:
    """Return where a file of a system's own directories is instead.

    >>> aside("etc/bash.bashrc")
    'share/etc/bash.bashrc'
    >>> aside("bin/bash")
    'bin/bash'
    """
    return f"share/{placed}" if _SYSTEM.match(placed) else placed


def is_wanted(placed: str) -> bool:
    """Say whether a file, by its place in the store path, is kept."""
    return not UNWANTED.match(placed)
