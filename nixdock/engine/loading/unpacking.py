"""Layers that no engine can unpack: what in them it is, by the engine's own words and by the layer's tar.

Engines say it in four ways (recorded in tests/unit/data/unpacking.json): Docker before 25 and Podman quote
what unpacked the tar, Docker's later graph drivers say it bare, its containerd store names the layer and
puts its own directories before each path. Some name no layer, some no path: then the tar is looked through.
"""

from __future__ import annotations

import os
import posixpath
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.engine.loading.parcel import LayerBlob

_LAYER: Final = r"(?P<layer>sha256:[0-9a-f]{64})"
_REASON: Final = r"(?P<reason>[^:]*)"
_WRAPPED: Final = (
    rf'adding layer with blob "{_LAYER}".*?: processing tar file\((?P<said>.+?)\): exit status',
    rf'adding layer with blob "{_LAYER}".*?: processing tar file\(\): (?P<said>[^\n]*)',
    rf"failed to extract layer {_LAYER}: (?:mount callback failed on \S+: )?(?P<said>.*)",
    r"Error processing tar file\((?:exit status \d+\): )?(?P<said>.*)",
)
_BARE: Final = (
    r"\A(?P<said>(?:(?:link|open|symlink|mkdir|mknod|fchmod|fchown|unlink|stat)at|lstat) .*)",
    r"\A(?P<said>lsetxattr .*|failed to mknod\(.*)",
    r"\A(?P<said>invalid (?:entry name|whiteout entry|hardlink target) .*|unhandled tar header type .*)",
    r"\A(?P<said>duplicates of file paths not supported)",
)
_SAYS: Final = tuple(re.compile(pattern, re.DOTALL) for pattern in (*_WRAPPED, *_BARE))
_PATHS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"\A(?:link|symlink)(?:at)? .* (?P<path>\S+): {_REASON}\Z",
        rf"\A(?:open|mkdir|mknod|l?stat|fchmod|fchown|unlink)(?:at)? (?P<path>.*): {_REASON}\Z",
        rf"\Afailed to mknod\([\"'](?P<path>[^\"']*)[\"'], .*\): {_REASON}\Z",
        rf"\Asetxattr\(\"(?P<path>[^\"]*)\", .*\): {_REASON}\Z",
        r"\Afailed to convert whiteout file \"(?P<path>[^\"]*)\": ",
        rf"\Amkparent (?P<path>.*): {_REASON}\Z",
        r"\Alsetxattr (?P<path>.*?): ",
        r"\Afailed to setxattr \"(?P<path>[^\"]*)\" for key ",
    )
)
_OWN_DIRECTORIES: Final = re.compile(
    r"/[^\s\"]*?/(?:tmpmounts/containerd-mount\d+|snapshots/\d+/fs)(?=[/\s\":]|\Z)"
)
_NOT_THE_TAR: Final = re.compile(
    r"content digest|not found|does not exist|no space left|quota exceeded|context canceled|input/output"
)
_OF_ATTRIBUTES: Final = re.compile(r"xattr|\Ainvalid argument\Z|\Aoperation not (?:supported|permitted)\Z")
_ATTRIBUTE: Final = "SCHILY.xattr."
_NAME_LIMIT: Final = 255
_PATH_LIMIT: Final = 4096
_LINKS: Final = 40
_SHOWN: Final = 100
_HELD: Final = 256 << 20
_MEMBER: Final = 600
_DIRECTORY: Final = tarfile.TarInfo()
_DIRECTORY.type = tarfile.DIRTYPE


@dataclass(frozen=True, slots=True)
class UnpackingFailure:
    """That a layer could not be unpacked.

    Args:
        said: What the engine said of it, without its own directories.
        layer: The digest of the layer, or empty where it did not say.
        path: The path in the layer, or empty where it did not say.
    """

    said: str
    layer: str = ""
    path: str = ""


def read_unpacking(error: str) -> UnpackingFailure | None:
    """Return what an engine's error says about a layer's tar; None where it is about something else."""
    for pattern in _SAYS:
        found = pattern.search(error)
        if found is None:
            continue
        said = _OWN_DIRECTORIES.sub("", found["said"]).strip()
        if _NOT_THE_TAR.search(said):
            return None
        return UnpackingFailure(said, found.groupdict().get("layer") or "", _path_in(said))
    return None


def _path_in(said: str) -> str:
    for pattern in _PATHS:
        found = pattern.match(said)
        if found is not None:
            return "/" + found["path"].lstrip("/")
    return ""


def explain_unpacking(
    unpacking: UnpackingFailure, name: str, blobs: Iterable[LayerBlob], details: str
) -> LoadError:
    """Say which layer and which path an engine could not unpack, and why.

    Args:
        unpacking: What the engine said.
        name: What messages call the image.
        blobs: Its layers.
        details: The engine's own words.
    """
    layer, fault = unpacking.layer, None
    for blob in blobs:
        if unpacking.layer in {"", str(blob.digest), str(blob.layer.diff_id)}:
            fault = _find_fault(blob, unpacking)
            if fault is not None:
                layer = str(blob.layer.diff_id)
                break
    where = f"the layer {layer} of {name}" if layer else f"a layer of {name}"
    return LoadError(
        f"{where} cannot be unpacked: {fault or _describe(unpacking)}",
        hint="build the image without that: no other try can end better",
        details=details,
    )


def _describe(unpacking: UnpackingFailure) -> str:
    reason = unpacking.said.rpartition(": ")[2] or unpacking.said
    return f"{_short(unpacking.path)}: {reason}" if unpacking.path else unpacking.said[:1000]


def _short(path: str) -> str:
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}... ({len(path)} characters)"


def _find_fault(blob: LayerBlob, unpacking: UnpackingFailure) -> str | None:
    """Look through a layer for what cannot be unpacked; at one path alone where that is known."""
    search = _Search(unpacking)
    try:
        with blob.layer.open() as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                tar.members = []  # type: ignore[attr-defined]  # a layer may have a million
                fault = search.look_at(info)
                if fault is not None or search.is_full:
                    return fault
    except (tarfile.TarError, EOFError, OverflowError, ValueError) as error:
        return f"its tar is damaged: {error}"
    return None


def _clean(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})


class _Search:
    """A layer on the way through its members; links are followed in what came before in the same layer."""

    def __init__(self, unpacking: UnpackingFailure) -> None:
        self._wanted = unpacking.path.strip("/")
        self._by_attribute = _OF_ATTRIBUTES.search(unpacking.said) is not None
        self._by_repetition = "duplicates" in unpacking.said
        self._seen: dict[str, tarfile.TarInfo] = {}
        self._named: set[str] = set()
        self._held = 0

    @property
    def is_full(self) -> bool:
        """Whether it holds as much as it may; what comes later is told in the engine's words."""
        return self._held > _HELD

    def look_at(self, info: tarfile.TarInfo) -> str | None:
        """Return why a member cannot be unpacked after those before it; None where nothing says so."""
        path = _clean(info.name)
        parts = path.split("/")
        if self._is_meant(path):
            fault = self._judge(info, path, parts)
            if fault is not None:
                return fault
        for count in range(1, len(parts)):
            above = "/".join(parts[:count])
            if above not in self._seen:
                self._seen[above] = _DIRECTORY
                self._held += len(above) + _MEMBER
        self._seen[path] = info
        self._held += len(path) + _MEMBER
        self._named.add(path)
        return None

    def _is_meant(self, path: str) -> bool:
        """Whether the engine may mean a member: it names its path, one above it, or what a whiteout hides."""
        if not self._wanted or ".." in path.split("/"):
            return True
        plain = path.replace("/.wh.", "/").removeprefix(".wh.")
        return any(one == self._wanted or one.startswith(f"{self._wanted}/") for one in (path, plain))

    def _judge(self, info: tarfile.TarInfo, path: str, parts: list[str]) -> str | None:
        shown = "/" + _short(path)
        if ".." in parts:
            return f"{_short(info.name)} leads out of the image"
        if len(path) >= _PATH_LIMIT or any(len(os.fsencode(part)) > _NAME_LIMIT for part in parts):
            return f"{shown} is too long for a file system"
        if parts[-1] in {".wh.", ".wh..", ".wh..."}:
            return f"{shown} is a whiteout of nothing"
        hidden = path[: -len(parts[-1])] + parts[-1].removeprefix(".wh.")
        if hidden != path and hidden in self._seen:
            return f"{shown} hides /{_short(hidden)}, which stands before it in the same layer"
        if self._by_repetition and path in self._named:
            return f"{shown} stands there twice"
        above = self._find_above(parts)
        return f"{shown} is below {above}" if above is not None else self._judge_kind(info, shown)

    def _judge_kind(self, info: tarfile.TarInfo, shown: str) -> str | None:
        if info.islnk():
            return self._judge_link(shown, _clean(info.linkname))
        if info.issym() and not 0 < len(info.linkname) < _PATH_LIMIT:
            return f"the target of the symbolic link {shown} is {'too long' if info.linkname else 'empty'}"
        if info.type not in tarfile.SUPPORTED_TYPES or info.type == tarfile.GNUTYPE_SPARSE:
            return f"{shown} is of a kind that engines do not know ({info.type.decode('latin-1')!r})"
        refused = [key.removeprefix(_ATTRIBUTE) for key in info.pax_headers if key.startswith(_ATTRIBUTE)]
        if refused and self._by_attribute:
            return f"an extended attribute of {shown} is refused ({', '.join(refused)})"
        return None

    def _judge_link(self, shown: str, target: str) -> str | None:
        link = f"{shown} is a hard link to /{_short(target)}, which"
        if ".." in target.split("/"):
            return f"{link} leads out of the image"
        found = self._seen.get(target)
        if found is None or posixpath.basename(target).startswith(".wh."):
            return f"{link} does not stand before it in the same layer"
        return f"{link} is a directory" if found.isdir() else None

    def _find_above(self, parts: list[str]) -> str | None:
        """Return what in the same layer stands in the way to a path: a file, or a symbolic link."""
        for count in range(1, len(parts)):
            above = "/".join(parts[:count])
            found = self._seen.get(above)
            if found is None or found.isdir():
                continue
            if not found.issym():
                return f"/{_short(above)}, which is no directory"
            end = self._follow(above)
            if end is None or not end.isdir():
                link = f"the symbolic link /{_short(above)} -> {_short(found.linkname)}"
                return f"{link}, which leads to no directory of the same layer"
        return None

    def _follow(self, path: str) -> tarfile.TarInfo | None:
        for _ in range(_LINKS):
            found = self._seen.get(path)
            if found is None or not found.issym():
                return found
            path = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), found.linkname)).lstrip(
                "/"
            )
        return None
