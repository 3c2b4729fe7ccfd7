"""The image that another one is built on: a docker-archive, of which the layers and the config are read.

What is compressed (the archive, or layers inside it as registries keep them) is unpacked once into
unnamed temporary files, so that every layer can be opened again and again.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ: Final = 1 << 20
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_OPENERS: Final[dict[bytes, Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


class BaseImageError(Exception):
    """The base image cannot be used; the text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class BaseLayer:
    """A layer of the base image.

    Args:
        name: The member that the base's manifest names.
        digest: The sha256 of the uncompressed layer, in hexadecimal.
        size: Its uncompressed bytes.
    """

    name: str
    digest: str
    size: int
    file: IO[bytes] = field(repr=False, compare=False)
    offset: int = field(repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """Yield the layer's uncompressed bytes."""
        yield from slice_of(self.file, self.offset, self.size)

    def slice(self, offset: int, size: int) -> Iterator[bytes]:
        """Yield a part of the layer's uncompressed bytes."""
        yield from slice_of(self.file, self.offset + offset, size)

    def open_tar(self) -> tarfile.TarFile:
        """Open the layer as an archive to list; nothing else of the base may be read while it is open."""
        self.file.seek(self.offset)
        return tarfile.open(fileobj=self.file, mode="r|")


@dataclass(frozen=True, slots=True)
class BaseImage:
    """What an image takes over from the one it is built on; closing it closes its layers.

    Args:
        layers: Bottom first, as often as the manifest names them.
        config: The base's whole image config.
        config_name: The member that the config was.
    """

    layers: tuple[BaseLayer, ...]
    config: dict[str, Any]
    config_name: str
    _files: ExitStack = field(repr=False, compare=False)

    @property
    def env(self) -> list[str]:
        """The base's environment; empty where it says nothing of one."""
        env = (self.config.get("config") or {}).get("Env") or []
        return [str(entry) for entry in env]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()


def read(path: str, *, repo_tag: str | None = None) -> BaseImage:
    """Read the base image of an archive.

    Args:
        path: The archive, plain or compressed.
        repo_tag: `name:tag` of the image to take where there are several; the first when None.

    Raises:
        BaseImageError: It is not an image archive, or has no such image.
    """
    with ExitStack() as files:
        file, archive = open_archive(path, files)
        entry = _entry(path, archive, repo_tag)
        config_name = str(entry["Config"])
        config = json.loads(member_bytes(path, archive, config_name))
        seen: dict[str, BaseLayer] = {}
        for name in entry["Layers"]:
            if name not in seen:
                seen[name] = _layer(path, archive, file, str(name), files)
        layers = tuple(seen[name] for name in entry["Layers"])
        return BaseImage(layers, config, config_name, files.pop_all())


def count_layers(path: str) -> int:
    """Return how many layers the first image of an archive has.

    Raises:
        BaseImageError: It is not an image archive.
    """
    with ExitStack() as files:
        _, archive = open_archive(path, files)
        return len(_entry(path, archive, None)["Layers"])


def open_archive(path: str, files: ExitStack) -> tuple[IO[bytes], tarfile.TarFile]:
    """Open an archive, plain or compressed.

    Args:
        path: The archive.
        files: What is opened is closed with this.

    Returns:
        The file without its compression, and the archive in it.

    Raises:
        BaseImageError: It is not an archive.
    """
    try:
        file = _unpacked(files.enter_context(open(path, "rb")), files)  # noqa: PTH123, SIM115
        return file, files.enter_context(tarfile.open(fileobj=file, mode="r:"))
    except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, subprocess.CalledProcessError) as error:
        raise BaseImageError(f"{path} is not an image archive: {error}") from error


def _entry(path: str, archive: tarfile.TarFile, repo_tag: str | None) -> dict[str, Any]:
    manifest = json.loads(member_bytes(path, archive, "manifest.json"))
    if not (isinstance(manifest, list) and manifest and isinstance(manifest[0], dict)):
        raise BaseImageError(f"the image archive {path} has a manifest.json without any image")
    entries: list[dict[str, Any]] = manifest
    if repo_tag is None:
        return entries[0]
    for entry in entries:
        if repo_tag in (entry.get("RepoTags") or []):
            return entry
    known = sorted(str(tag) for entry in entries for tag in entry.get("RepoTags") or [])
    raise BaseImageError(
        f"the image archive {path} has no image {repo_tag}; it has {', '.join(known) or 'none with a name'}"
    )


def member_bytes(path: str, archive: tarfile.TarFile, name: str) -> bytes:
    """Return the content of a small file.

    Raises:
        BaseImageError: It is not there.
    """
    member = find(archive, name)
    if member is None:
        raise BaseImageError(f"{path} is not an image archive: it has no {name}")
    extracted = archive.extractfile(member)
    return extracted.read() if extracted else b""


def find(archive: tarfile.TarFile, name: str) -> tarfile.TarInfo | None:
    """Find the file of a name, through links inside the archive (docker saved repeated layers as links).

    Returns:
        None where there is no such file.

    Raises:
        KeyError: A link leads nowhere.
    """
    for candidate in (name, f"./{name}"):
        try:
            member = archive.getmember(candidate)
        except KeyError:
            continue
        for _ in range(40):
            if not (member.issym() or member.islnk()):
                return member if member.isreg() else None
            # What `extractfile` does too, but it does not say where the target's bytes are.
            member = archive._find_link_target(member)  # type: ignore[attr-defined]  # noqa: SLF001
    return None


def _layer(
    path: str,
    archive: tarfile.TarFile,
    file: IO[bytes],
    name: str,
    files: ExitStack,
) -> BaseLayer:
    try:
        member = find(archive, name)
    except KeyError:
        member = None
    if member is None:
        raise BaseImageError(f"the image archive {path} names a layer {name} that it does not have")
    offset, size = member.offset_data, member.size
    file.seek(offset)
    if _is_compressed(file.read(8)):
        inner = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `files` closes it
        for piece in slice_of(file, offset, size):
            inner.write(piece)
        inner.seek(0)
        file = _unpacked(inner, files)
        offset, size = 0, file.seek(0, 2)
    digest = hashlib.sha256()
    for piece in slice_of(file, offset, size):
        digest.update(piece)
    return BaseLayer(name, digest.hexdigest(), size, file, offset)


def slice_of(file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    """Yield a part of a file, wherever it was read last.

    Raises:
        BaseImageError: The file ends before.
    """
    while size:
        file.seek(offset)
        piece = file.read(min(size, _READ))
        if not piece:
            raise BaseImageError("the image archive ends in the middle of a layer")
        offset += len(piece)
        size -= len(piece)
        yield piece


def _is_compressed(start: bytes) -> bool:
    return start.startswith((_ZSTD, *_OPENERS))


def _unpacked(file: IO[bytes], files: ExitStack) -> IO[bytes]:
    """Return the file itself, or what it holds in an unnamed one."""
    start = file.read(8)
    file.seek(0)
    if not _is_compressed(start):
        return file
    plain = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `files` closes it
    if start.startswith(_ZSTD):
        # Python has no zstd before 3.14; the program is on the PATH of those who call this. It reads from
        # where the file's descriptor is, of which Python's own buffer knows nothing.
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        subprocess.run(["zstd", "-dc"], stdin=file, stdout=plain, check=True)
    else:
        opener = next(opener for magic, opener in _OPENERS.items() if start.startswith(magic))
        with opener(file, "rb") as inflated:
            shutil.copyfileobj(inflated, plain, _READ)
    plain.seek(0)
    return plain
