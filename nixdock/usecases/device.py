"""An image's store paths as a device, which anybody's `docker run --device` has mounted."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.devices import (
    KIND,
    ClosureDevice,
    check_name,
    find_directories,
    find_users,
    read_files,
    remove_file,
    require_writable,
    write_file,
)
from nixdock.engine.containers.mounts import is_unseen, sees_our_files, with_store
from nixdock.engine.containers.owner import MARKED, Owner
from nixdock.errors import BuildError, EngineError, LoadError, UsageError
from nixdock.events import Notice, Warned
from nixdock.formats.store_view import StoreKeptError
from nixdock.nix.builder import BuildRequest, build, hold_valid
from nixdock.nix.store import find_invalid, find_sizes, hold_roots, locate, store_path_of
from nixdock.nix.target import ImageTarget
from nixdock.usecases.artefact import open_artefact
from nixdock.usecases.host_store import UNSEEN, StoreMounting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.devices import DeviceFile
    from nixdock.engine.containers.image import EngineImage
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.command import NixOptions
    from nixdock.nix.target import Target

_SEEN_WITHIN: Final = 3.0
"""Seconds that an engine has to find a new file: the kernel tells it of one."""
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Device:
    """A device, and what is left of what it is made of.

    Args:
        name: Its name.
        file: Where its file is.
        paths: Its store paths.
        size: Bytes of those that are there; None for who cannot ask Nix.
        image_id: The engine's ID of its image; None where that is gone.
        faults: Why no container can use it.
    """

    name: str
    file: Path
    paths: tuple[str, ...]
    size: int | None
    image_id: str | None
    faults: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What engines call it."""
        return f"{KIND}={self.name}"

    @property
    def image(self) -> str:
        """The name of the image without these store paths, as docker writes it."""
        return ClosureDevice(self.name, ()).image.familiar.removesuffix(":latest")


def add_device(
    engine: Engine,
    target: Target,
    nix: NixOptions,
    listener: Listener,
    *,
    name: str | None = None,
    directory: Path | None = None,
) -> Device:
    """Make a device of a target's store paths, and have its image without them in the engine.

    One of this name is replaced. The store paths are kept from Nix's garbage collector until it is removed.

    Args:
        engine: The engine.
        target: What the user named.
        nix: What the user said about the build.
        listener: Whom to tell what happens.
        name: The device's name; the last part of the image's when None.
        directory: Where its file goes, of those in which the engine looks; where the one before is when None.

    Raises:
        UsageError: It is not one image, has no name, or its file cannot be written.
        BuildError: It cannot be built.
        LoadError: None of its store paths can be mounted, or what is left cannot be loaded.
        EngineError: The engine takes no such devices, or does not see this machine's files.
    """
    directories = find_directories(engine, directory)
    if name is not None:
        check_name(name)
    require_writable(directories[0])
    if isinstance(target, ImageTarget):
        raise UsageError(
            f"'{target.reference}' is an image, whose store paths need not be on this machine",
            hint="name the file that it is built from",
        )
    with hold_roots() as roots:
        request = BuildRequest(streams=True, single=True, lazily=True)
        artefacts = build(target, nix, listener, roots=roots, request=request)
        engine.patience.renew()
        platform = engine.version.platform
        images = [(one, made) for made in artefacts for one in open_artefact(made, listener, platform)]
        if len(images) > 1:
            raise UsageError(f"{target.text} holds {len(images)} images, and a device is made of one")
        image, artefact = images[0]
        adding = _Adding(engine, StoreMounting(nix, roots, listener), directories, directory)
        return adding.add(image, artefact, name or _name_of(image))


def _name_of(image: Image) -> str:
    if not image.references:
        raise UsageError("the image has no name that the device could have", hint="give one: --name NAME")
    try:
        return check_name(image.references[0].path.rpartition("/")[2])
    except UsageError as error:
        raise UsageError(error.message, hint="give another: --name NAME") from error


@dataclass(frozen=True, slots=True)
class _Adding:
    """The making of a device.

    Args:
        engine: The engine.
        mounting: How store paths are taken out and held.
        directories: Where the engine looks for devices.
        wanted: Where the user will have the file.
    """

    engine: Engine
    mounting: StoreMounting
    directories: Sequence[Path]
    wanted: Path | None

    def add(self, image: Image, artefact: Artefact, name: str) -> Device:
        engine = self.engine
        try:
            storeless, held = self.mounting.strip(image, artefact)
        except StoreKeptError as error:
            raise LoadError(f"{name} cannot be a device: {error.message}") from error
        place = self.mounting.load(engine, image, storeless)
        device = ClosureDevice(name, storeless.paths)
        _require_sight(place, device.paths)
        with _alone():
            path = self._put(device, place, held)
        run = f"docker run --device {device.id} {device.image.familiar.removesuffix(':latest')}"
        count = len(device.paths)
        paths = "1 store path" if count == 1 else f"{count} store paths"
        self.mounting.listener(Notice(f"{paths} to mount from this machine, by {path}; {run}"))
        size = sum(find_sizes(device.paths).values())
        return Device(name, path, device.paths, size, place.details.id)

    def _put(self, device: ClosureDevice, place: EngineImage, held: Sequence[str]) -> Path:
        """Have a device in the place of the one before; return its file."""
        engine, name = self.engine, device.name
        before = engine.find_image(str(device.image))
        older = [file for file in read_files(self.directories) if file.name == name]
        users = find_users(engine, device) if older else ()
        directory = self.wanted or (older[0].path.parent if older else self.directories[0])
        roots = _roots_of(directory, name)
        settings.make_private(roots)
        with _undone_by_failure(directory, device, older) as kept:
            new = Path(tempfile.mkdtemp(dir=roots))
            kept.append(new)
            hold_valid(held, new / "root", self.mounting.nix)
            path = write_file(directory, device)
            self._await_discovery(device, path)
            engine.tag_image(place.details.id, device.image.repository, device.image.tag or "")
        for file in older:
            if file.path != path:
                remove_file(file.path)
        if before is None or before.id == place.details.id or not users:
            _forget_roots([_roots_of(one, name) for one in self.directories], but=new)
        else:
            names = ", ".join(user.name for user in users)
            told = f"made with {device.id} as it was before, and to be made again: {names}"
            self.mounting.listener(Warned(told))
        return path

    def _await_discovery(self, device: ClosureDevice, path: Path) -> None:
        """Wait until the engine has found a device, if it is one that tells.

        Raises:
            EngineError: It does not find it.
        """
        if not self.engine.traits.tells_devices:
            return
        end = time.monotonic() + _SEEN_WITHIN
        while device.id not in self.engine.ask_info().device_ids:
            if time.monotonic() > end:
                raise EngineError(
                    f"the engine does not find {device.id} in {path}",
                    hint="another file may have a device of this name, or the engine is in a container",
                )
            time.sleep(_PAUSE)


@contextlib.contextmanager
def _undone_by_failure(
    directory: Path, device: ClosureDevice, older: Sequence[DeviceFile]
) -> Iterator[list[Path]]:
    """Leave a device as it was where something fails; what is added to the list is removed then."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in made:
            shutil.rmtree(path, ignore_errors=True)
        standing = next((one.device for one in older if one.path.parent == directory), None)
        if standing is not None:
            write_file(directory, standing)
        else:
            remove_file(directory / device.file_name)
        raise


def _require_sight(place: EngineImage, paths: Sequence[str]) -> None:
    """Make sure that an engine sees this machine's store paths, by a container that is never started.

    Raises:
        EngineError: It does not.
    """
    engine = place.engine
    try:
        if engine.traits.refuses_missing_mounts:
            owner = Owner.make()
            # As of any run: should we be killed before it is removed, the next one does that.
            ours = {"Labels": owner.labels(), "HostConfig": {MARKED: owner.mark()}}
            body = with_store({"Image": place.run_as, "Cmd": ["/"], **ours}, paths)
            engine.remove_container(engine.create_container(body).id)
        elif not sees_our_files(engine, place.details):
            raise EngineError(UNSEEN)
    except EngineRefusedError as error:
        if is_unseen(error):
            raise EngineError(UNSEEN) from error
        raise


def list_devices(engine: Engine, directory: Path | None = None) -> tuple[Device, ...]:
    """Return the devices of an engine, and what is amiss with each.

    Args:
        engine: The engine.
        directory: Where to look, too, if the engine does not say.

    Raises:
        EngineError: It takes no such devices, or cannot be asked.
        UsageError: A directory cannot be read, or is none of the engine's.
    """
    files = list(read_files(find_directories(engine, directory)))
    named = [path for file in files if file.device is not None for path in file.device.paths]
    asked = sorted({path for path in named if store_path_of(Path(path)) == Path(path)})
    sizes = _find_sizes(asked) if asked else {}
    found = engine.ask_info().device_ids if engine.traits.tells_devices else None
    return tuple(_examine(engine, file, sizes, found) for file in files)


def _find_sizes(paths: Sequence[str]) -> Mapping[str, int | None]:
    """Return the bytes of those store paths that are valid; None for each where Nix cannot be asked."""
    try:
        valid = sorted(set(paths).difference(find_invalid(paths)))
        return find_sizes(valid) if valid else {}
    except BuildError:
        # Who has no rights in Nix may have the device all the same.
        return {path: None for path in paths if locate(Path(path)) is not None}


def _examine(
    engine: Engine, file: DeviceFile, sizes: Mapping[str, int | None], found: frozenset[str] | None
) -> Device:
    device = file.device
    if device is None:
        return Device(file.name, file.path, (), 0, None, (file.fault,))
    gone = sum(path not in sizes for path in device.paths)
    image = engine.find_image(str(device.image))
    faults = []
    if gone:
        faults.append(f"{gone} of its {len(device.paths)} store paths are gone")
    if image is None:
        faults.append("its image is gone")
    if found is not None and device.id not in found:
        faults.append("the engine does not find it")
    known = [sizes.get(path, 0) for path in device.paths]
    size = None if None in known else sum(one or 0 for one in known)
    ident = None if image is None else image.id
    return Device(device.name, file.path, device.paths, size, ident, tuple(faults))


def remove_device(
    engine: Engine, name: str, listener: Listener, *, directory: Path | None = None, force: bool = False
) -> str:
    """Remove a device, its image, and what kept its store paths.

    Args:
        engine: The engine.
        name: The device's name, or what engines call it.
        listener: Told what stays.
        directory: Where to look, too, if the engine does not say.
        force: Whether to remove one that containers have.

    Returns:
        What engines called it.

    Raises:
        UsageError: There is no such device, containers have it, or its file cannot be removed.
        EngineError: The engine takes no such devices, or cannot be asked.
    """
    name = name.removeprefix(f"{KIND}=")
    directories = find_directories(engine, directory)
    files = list(read_files(directories))
    own = [file for file in files if file.name == name]
    # Those of one that was removed by force are there yet.
    roots = [_roots_of(one, name) for one in directories]
    if not own and not any(map(settings.is_there, roots)):
        others = ", ".join(sorted({file.name for file in files}))
        hint = f"there is {others}" if others else "nixdock device add TARGET"
        raise UsageError(f"there is no device {KIND}={name}", hint=hint)
    device = ClosureDevice(name, ())
    image = engine.find_image(str(device.image))
    users = find_users(engine, device)
    if users and not force:
        told = ", ".join(f"{user.name} ({user.state})" for user in users)
        raise UsageError(
            f"{device.id} stays, for containers have it: {told}",
            hint="remove them, or give --force: those that run go on, and do not start again",
        )
    with _alone():
        for file in own:
            remove_file(file.path)
        if image is not None:
            try:
                engine.remove_image(str(device.image))
            except EngineRefusedError as error:
                listener(Warned(f"{device.image.familiar} stays: {error.message}"))
        if users:
            listener(Notice(f"the store paths of {device.id} are kept, in {_state()}"))
        else:
            _forget_roots(roots)
    return device.id


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other runs of nixdock's from changing devices meanwhile."""
    directory = _state()
    settings.make_private(directory)
    with settings.locked(directory / "lock"):
        yield


def _state() -> Path:
    return settings.state_dir() / "devices"


def _roots_of(directory: Path, name: str) -> Path:
    """Return the directory of what keeps a device's store paths from the garbage collector."""
    where = hashlib.sha256(bytes(directory)).hexdigest()[:12]
    return _state() / f"{name}-{where}"


def _forget_roots(roots: Sequence[Path], *, but: Path | None = None) -> None:
    for whole in roots:
        for directory in whole.iterdir() if whole.is_dir() else ():
            if directory != but:
                shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            whole.rmdir()
