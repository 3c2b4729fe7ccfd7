"""Readers of the forms in which an image comes: each gives images of layers that can be opened again.

`open_images` looks at the content, never at the name: docker-archives and OCI layouts (directories, tars,
compressed or not), the scripts and confs of streamLayeredImage, and nix2container's plans.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from nixdock.errors import LoadError
from nixdock.events import ignore
from nixdock.formats.archive import JSON_LIMIT, load_json, open_archive, parse_json
from nixdock.formats.door import SCRIPT_LIMIT, Scripts, StoreDoor, find_conf, run_script
from nixdock.formats.memory import Memory
from nixdock.formats.source import FileBytes, open_stream
from nixdock.formats.tar_members import is_header
from nixdock.image.detect import HEAD, FileKind, detect
from nixdock.image.manifest import Platform

if TYPE_CHECKING:
    from nixdock.events import Listener
    from nixdock.formats.source import File
    from nixdock.image.model import Image


def open_images(
    source: Path | IO[bytes],
    *,
    platform: Platform | None = None,
    listener: Listener = ignore,
    memory: Memory | None = None,
    scripts: Scripts = Scripts.ANNOUNCE,
) -> tuple[Image, ...]:
    """Open what a build made, or a user gave, as images; no layer is read where that can be avoided.

    Args:
        source: A file or directory, or a binary stream such as standard input.
        platform: Which image of an index to take; what this machine runs when None.
        listener: Told when something has to be read through, a script is run, or a name is not taken.
        memory: What is known of artefacts from earlier; nixdock's own when None.
        scripts: What is done with a script of the Nix store that would have to be run.

    Raises:
        LoadError: It is no image, or one that is damaged; the sentence says what it is instead.
    """
    memory = memory or Memory()
    platform = platform or Platform.of_this_machine()
    if not isinstance(source, Path):
        return _read_archive(open_stream(source, listener), platform, memory, listener)
    if source.is_fifo() or source.is_char_device() or source.is_socket():
        # As bash's <(command) gives it: it can be read once.
        with source.open("rb") as pipe:
            return _read_archive(open_stream(pipe, listener), platform, memory, listener)
    door = StoreDoor(memory)
    if source.is_dir():
        return _read_directory(source, platform, door, listener)
    file: File = FileBytes(source)
    with file.section(0, HEAD) as stream:
        head = stream.read()
    # A tar is one whatever its first member is called, and even where no magic says so.
    kind = FileKind.TAR if is_header(head) else detect(head)
    described = None
    if kind is FileKind.JSON:
        described = _read_json(source, file, door, memory, listener)
    elif kind is FileKind.SCRIPT:
        described = _read_conf_of(source, file, door, memory, listener)
        if described is None:
            file = run_script(source, scripts, door, listener)
    return (described,) if described is not None else _read_archive(file, platform, memory, listener)


def _read_directory(
    directory: Path, platform: Platform, door: StoreDoor, listener: Listener
) -> tuple[Image, ...]:
    # The reader of each form is imported when such a one comes: there are many, and one is needed.
    from nixdock.formats import oci_layout  # noqa: PLC0415

    if (directory / oci_layout.LAYOUT).is_file():
        return oci_layout.read_images(oci_layout.DirectoryLayout(directory, door), platform, listener)
    if (directory / "layers.json").is_file():
        from nixdock.formats import nix2container  # noqa: PLC0415

        raise nix2container.describe_layers_file(directory)
    raise LoadError(
        f"{directory} is a folder, not an image: there is no {oci_layout.LAYOUT} in it",
        hint="name the archive, or the .nix file that builds it",
    )


def _read_archive(file: File, platform: Platform, memory: Memory, listener: Listener) -> tuple[Image, ...]:
    archive = open_archive(file, memory, listener)
    if archive is None:
        raise _explain_other(file)
    if "oci-layout" in archive and "index.json" in archive:
        from nixdock.formats import oci_layout  # noqa: PLC0415

        return oci_layout.read_images(oci_layout.ArchiveLayout(archive), platform, listener)
    if "manifest.json" in archive:
        from nixdock.formats import docker_archive  # noqa: PLC0415

        return docker_archive.read_images(archive, listener)
    if "repositories" in archive:
        raise LoadError(
            f"{file.name} is an image archive of Docker before 1.10, which has no manifest.json",
            hint="load it with an old Docker and save it again with a newer one",
        )
    raise LoadError(f"{file.name} is a tar, but no image: there is no manifest.json or oci-layout in it")


def _explain_other(file: File) -> LoadError:
    with file.section(0, HEAD) as stream:
        kind = detect(stream.read())
    if kind is FileKind.EMPTY:
        return LoadError(f"{file.name} is empty")
    if kind is FileKind.COMPRESSED:
        return LoadError(f"{file.name} is compressed, but what is in it is no image archive")
    return LoadError(
        f"{file.name} is no image but {kind.value}",
        hint="an image is a docker-archive, an OCI layout, or what dockerTools builds",
    )


def _read_json(path: Path, file: File, door: StoreDoor, memory: Memory, listener: Listener) -> Image:
    from nixdock.formats import nix2container, stream_conf  # noqa: PLC0415

    data = _read_whole(file)
    try:
        value = load_json(data)
    except (ValueError, RecursionError):
        raise _explain_other(file) from None
    if nix2container.is_plan(value):
        return nix2container.read_image(path, value, door)
    if stream_conf.is_conf(value):
        return stream_conf.read_image(path, data, door, memory, listener)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "diff_ids" in value[0]:
        raise nix2container.describe_layers_file(path)
    raise LoadError(f"{path} is JSON, but neither nix2container's image.json nor a conf of a streamed image")


def _read_conf_of(
    path: Path, file: File, door: StoreDoor, memory: Memory, listener: Listener
) -> Image | None:
    """Return the image of the conf that a script is given; None where there is none that is understood."""
    from nixdock.formats import stream_conf  # noqa: PLC0415

    with file.section(0, SCRIPT_LIMIT) as stream:
        named = find_conf(stream.read())
    if named is None:
        return None
    # It refers to all that it names.
    conf = door.admit_closure(str(path), named)
    data = _read_whole(FileBytes(conf))
    if not stream_conf.is_conf(parse_json(data, name=str(conf), what="text")):
        return None
    return stream_conf.read_image(conf, data, door, memory, listener)


def _read_whole(file: File) -> bytes:
    if file.size > JSON_LIMIT:
        raise LoadError(f"{file.name} is JSON of {file.size} bytes, not an image")
    with file.section() as stream:
        return stream.read()
