"""An image's store paths as a device, which any container of an engine can have: the files that say so.

They are files of the Container Device Interface (CDI). An engine reads them at every start of a container
that asks for a device of theirs, and mounts what they name, whoever asked it: docker, compose, Podman. Each
of ours has one device, `nixdock.io/closure=NAME`, and is called after it.

An engine passes over a file that breaks a rule, and all files in which one device stands twice. So what is
written keeps to what the oldest of the parsers takes, and there is one file for one device.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from nixdock.errors import EngineError, UsageError, find_exhaustion
from nixdock.hints import ourselves_as_root
from nixdock.image.reference import Reference
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerSummary

KIND: Final = "nixdock.io/closure"
_VERSION: Final = "0.5.0"
"""Of the specification: the first that lets a name begin with a digit, and the last that Podman 4.3 reads."""
_OPTIONS: Final = ("bind", "ro", "rprivate")
_FILE: Final = re.compile(r"nixdock\.io-closure_(?P<name>.+)\.json")
_LIMIT: Final = 64 << 20
_LONGEST: Final = 128


@dataclass(frozen=True, slots=True)
class ClosureDevice:
    """Store paths as a device.

    Args:
        name: Its name among them.
        paths: The store paths, each mounted read-only at its own place.
    """

    name: str
    paths: tuple[str, ...]

    @property
    def id(self) -> str:
        """What engines call it."""
        return f"{KIND}={self.name}"

    @property
    def file_name(self) -> str:
        """What its file is called, as the specification advises: after vendor, class and device."""
        return f"nixdock.io-closure_{self.name}.json"

    @property
    def image(self) -> Reference:
        """The image that lacks these store paths."""
        return Reference.of_closure(self.name)

    def to_json(self) -> dict[str, Any]:
        """Return its file's content."""
        mounts = [{"hostPath": path, "containerPath": path, "options": list(_OPTIONS)} for path in self.paths]
        devices = [{"name": self.name, "containerEdits": {"mounts": mounts}}]
        return {"cdiVersion": _VERSION, "kind": KIND, "devices": devices}

    @classmethod
    def from_json(cls, document: Any) -> ClosureDevice:  # noqa: ANN401  # any JSON
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            device = document["devices"][0]
            found = cls(device["name"], tuple(one["hostPath"] for one in device["containerEdits"]["mounts"]))
            Reference.of_closure(found.name)
            if all(isinstance(path, str) for path in found.paths) and found.to_json() == document:
                return found
        except (KeyError, IndexError, TypeError):
            pass
        raise ValueError("it is not as nixdock wrote it")


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A file that should be a device's.

    Args:
        path: Where it is.
        name: The device's name, by that of the file.
        device: The device; None where the file is not what it should be.
        fault: Why that is so, or empty.
    """

    path: Path
    name: str
    device: ClosureDevice | None
    fault: str = ""


def check_name(name: str) -> str:
    """Return the name of a device, which is a part of its image's name, too.

    Raises:
        UsageError: It cannot be one.
    """
    if len(name) > _LONGEST:
        raise UsageError(f"a device's name has at most {_LONGEST} characters, and this one {len(name)}")
    try:
        Reference.of_closure(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return name


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except UsageError:
        return False
    return True


def find_directories(engine: Engine, named: Path | None) -> tuple[Path, ...]:
    """Return where an engine looks for files of devices, first where one is to be written.

    Args:
        engine: The engine.
        named: The directory that the user chose among them.

    Raises:
        EngineError: It knows no such devices, or is on another machine.
        UsageError: It does not look there.
    """
    version = engine.version
    if not engine.address.is_local:
        raise EngineError(
            f"{engine.address.url} is no engine of this machine, and a device is made of this machine's files"
        )
    directories = tuple(map(Path, engine.traits.device_directories))
    if not directories:
        needs = "Podman has them since 4.3" if version.is_podman else "Docker has them since 28"
        hint = None if version.is_podman else _hint_feature(engine)
        raise EngineError(
            f"{version.product} {version.version} takes no devices that files describe (CDI); {needs}",
            hint=hint,
        )
    if named is None:
        return directories
    if named not in directories and not version.is_podman:
        places = " and ".join(map(str, directories))
        raise UsageError(f"--cdi-dir {named}: the engine looks for devices in {places}")
    return (named, *(one for one in directories if one != named))


def _hint_feature(engine: Engine) -> str:
    if engine.version.speaks("1.44"):
        return 'set {"features": {"cdi": true}} in /etc/docker/daemon.json, and restart the engine'
    return "for what nixdock itself runs, --host-store does the same"


def read_files(directories: Iterable[Path]) -> Iterator[DeviceFile]:
    """Yield the files of our devices, of the directories in their order and by name.

    Raises:
        UsageError: A directory that is there cannot be read.
    """
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))  # noqa: PTH208 - names alone are wanted
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageError(f"{directory} cannot be read: {error.strerror}") from error
        for name in names:
            found = _FILE.fullmatch(name)
            # A name that no device of ours can have is somebody else's.
            if found is not None and _is_name(found["name"]):
                yield _read_file(directory / name, found["name"])


def _read_file(path: Path, name: str) -> DeviceFile:
    try:
        device = ClosureDevice.from_json(json.loads(read_bounded(path, _LIMIT)))
    except OSError as error:
        return DeviceFile(path, name, None, f"{path} cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return DeviceFile(path, name, None, f"{path} is not as nixdock wrote it")
    if device.name != name:
        return DeviceFile(path, name, None, f"{path} is another device's: {device.id}")
    return DeviceFile(path, name, device)


def require_writable(directory: Path) -> None:
    """Make sure that a file can be written into a directory, which need not be there yet.

    Raises:
        UsageError: This user may not.
    """
    nearest = next(one for one in (directory, *directory.parents) if os.path.lexists(one))
    if not nearest.is_dir():
        raise UsageError(f"{nearest} is no directory")
    if not os.access(nearest, os.W_OK | os.X_OK):
        _refuse(directory, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def write_file(directory: Path, device: ClosureDevice) -> Path:
    """Write the file of a device, at once and whole, in the place of the one before.

    Raises:
        UsageError: It cannot be written there.
    """
    path = directory / device.file_name
    written: Path | None = None
    try:
        if not directory.is_dir():
            directory.mkdir(parents=True)
            # Rootless engines read it, too, whatever our umask is.
            directory.chmod(0o755)
        # What ends in .json alone is read by engines.
        handle, name = tempfile.mkstemp(prefix=".nixdock-", dir=directory)
        written = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(device.to_json(), file, indent=2)
            file.write("\n")
        written.chmod(0o644)
        written.replace(path)
    except OSError as error:
        if written is not None:
            written.unlink(missing_ok=True)
        _refuse(directory, error)
    return path


def remove_file(path: Path) -> None:
    """Remove the file of a device; one that is gone is no error.

    Raises:
        UsageError: This user may not.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        _refuse(path.parent, error)


def _refuse(directory: Path, error: OSError) -> NoReturn:
    exhausted = find_exhaustion(error)
    if exhausted is not None:
        raise exhausted from error
    denied = error.errno in {errno.EACCES, errno.EPERM} and os.geteuid() != 0
    raise UsageError(
        f"{directory} cannot be written to: {error.strerror}",
        hint=f"as root: {ourselves_as_root('device ...')}" if denied else "--cdi-dir names another directory",
    ) from error


def find_users(engine: Engine, device: ClosureDevice) -> tuple[ContainerSummary, ...]:
    """Return the containers, running or not, that have a device, or were made of its image.

    Podman does not tell a container's devices.

    Raises:
        EngineError: The engine cannot be asked.
    """
    return tuple(
        container
        for container in engine.containers()
        if _is_named(container.image, device.image) or device.id in _devices_of(engine, container.id)
    )


def _is_named(image: str, name: Reference) -> bool:
    try:
        return Reference.parse(image) == name
    except ValueError:
        return False


def _devices_of(engine: Engine, container: str) -> set[str]:
    details = engine.find_container(container)
    host = {} if details is None else details.raw.get("HostConfig") or {}
    requests = [one for one in host.get("DeviceRequests") or () if one]
    return {ident for one in requests for ident in one.get("DeviceIDs") or ()}
