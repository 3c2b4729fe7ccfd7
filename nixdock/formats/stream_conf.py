"""Streamed images: the `conf` of dockerTools.streamLayeredImage, read straight from the store.

The script that nixpkgs builds makes every layer twice, once to hash it and once to write it. Here the
layers are made from the same conf without it, by the same rules, so that diff IDs and config are those
that the script would have given; what a layer hashed to is remembered for good, for its store paths do
not change.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import DamagedError, LoadError
from nixdock.formats.archive import LAYERS_LIMIT, PATHS_LIMIT, open_archive, parse_json
from nixdock.formats.docker_archive import MANIFEST, parse_tags, read_documents, read_images
from nixdock.formats.source import FileBytes, explain_os_error, open_chunks
from nixdock.image.computed import ComputedImage, ComputedLayer, StoreContent
from nixdock.image.model import OpenerLayer
from nixdock.image.reference import Digest
from nixdock.nix.store import store_dir
from nixdock.nixpkgs.dockertools import image_config, layer_tar
from nixdock.nixpkgs.dockertools.layered_conf import ConfError, LayeredConf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.events import Listener
    from nixdock.formats.door import StoreDoor
    from nixdock.formats.memory import Memory
    from nixdock.image.model import Image, Layer

KEYS: Final = frozenset(
    {
        "architecture",
        "config",
        "os",
        "store_dir",
        "from_image",
        "store_layers",
        "customisation_layer",
        "repo_tag",
        "created",
        "mtime",
        "uid",
        "gid",
        "uname",
        "gname",
    }
)
"""The keys of a conf whose every meaning is known; one with others, or fewer, is left to its script."""

_RULES: Final = "nix-store-tar 1"
"""Names the rules by which a layer's tar is made; part of what its hash is remembered by."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A layer, and what the image's history says it is made of."""

    made_of: tuple[str, ...]
    layer: Layer


@dataclass(frozen=True, slots=True)
class _Base:
    """What an image takes over from the one it is built on."""

    env: tuple[str, ...]
    parts: tuple[_Part, ...]


def is_conf(value: Any) -> bool:  # noqa: ANN401  # any JSON
    """Whether a JSON document is a conf that is understood in full."""
    return isinstance(value, dict) and value.keys() == KEYS and isinstance(value["store_layers"], list)


def read_image(path: Path, data: bytes, door: StoreDoor, memory: Memory, listener: Listener) -> Image:
    """Return the image of a conf; no layer is read for it.

    Args:
        path: Of the conf, for messages.
        data: The conf.
        door: Lets through what the conf names.
        memory: What is known of layers from earlier.
        listener: Told when a base image has to be read through, or a name is not taken.

    Raises:
        LoadError: The conf cannot be used, or what it names is not there, or not in the store.
    """
    conf = _read_conf(path, data)
    top = Path(conf.customisation_layer)
    files = [str(top / "layer.tar"), str(top / "checksum")]
    if conf.from_image is not None:
        files.append(conf.from_image)
    trees = [name for layer in conf.store_layers for name in layer]
    layer_tar_file, checksum, *below_files = door.admit(str(path), files=files, trees=trees)
    base = _read_base(below_files[0], memory, listener) if below_files else None
    below = base.parts if base is not None else ()
    parts = (*below, *_store_parts(conf, memory), _customisation_part(top, layer_tar_file, checksum))

    # "now" is one moment, however often the config is asked for.
    created = image_config.timestamp(conf.created).isoformat()

    def make_config(diff_ids: tuple[Digest, ...]) -> bytes:
        return image_config.layered(
            created=created,
            architecture=conf.architecture,
            config=_merge_config(conf, base),
            diff_ids=[diff_id.hex for diff_id in diff_ids],
            comments=[image_config.comment(part.made_of) for part in parts],
        )

    references = parse_tags((conf.repo_tag,), str(path), listener)
    return ComputedImage(tuple(part.layer for part in parts), references, conf.architecture, make_config)


def _read_conf(path: Path, data: bytes) -> LayeredConf:
    value = parse_json(data, name=str(path), what="conf")
    _check_texts(path, value)
    try:
        conf = LayeredConf.from_json(data, where=str(path))
        # Asked for now, so that a bad time is told before anything is done with it.
        conf.stamp()
        image_config.timestamp(conf.created)
    except (ConfError, OverflowError, ValueError) as error:
        raise LoadError(f"{path} is no conf of a streamed image: {error}") from error
    return conf


def _check_texts(path: Path, conf: dict[str, Any]) -> None:
    """Make sure that what goes on to the file system and into tar headers is plain text."""
    texts = {key: conf[key] for key in KEYS - {"config", "from_image", "store_layers"}}
    if conf["from_image"] is not None:
        texts["from_image"] = conf["from_image"]
    layers = conf["store_layers"]
    if not all(isinstance(layer, list) for layer in layers):
        raise LoadError(f"{path} is no conf of a streamed image: store_layers is no list of lists")
    names = [name for layer in layers for name in layer]
    if len(layers) > LAYERS_LIMIT or len(names) > PATHS_LIMIT:
        raise LoadError(
            f"{path} is no conf of a streamed image: it has {len(layers)} layers of {len(names)} paths"
        )
    texts |= {f"store path {name!r}": name for name in names}
    for key, text in texts.items():
        if not isinstance(text, str) or "\0" in text or not _is_encodable(text):
            raise LoadError(f"{path} is no conf of a streamed image: {key} is no text")
    if len(set(names)) < len(names):
        raise LoadError(f"{path} is no conf of a streamed image: it names a store path twice")
    if conf["store_dir"] != str(store_dir()):
        raise LoadError(f"{path} is for the store {conf['store_dir']!r}, and Nix's is {store_dir()}")
    outside = next((name for name in names if not name.startswith(f"{store_dir()}/")), None)
    if outside is not None:
        raise LoadError(f"{path} names {outside!r}, which is not in {store_dir()}")
    if not isinstance(conf["config"], dict | type(None)):
        raise LoadError(f"{path} is no conf of a streamed image: config is no JSON object")


def _is_encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _merge_config(conf: LayeredConf, base: _Base | None) -> dict[str, Any] | None:
    """Take over the base's environment, and nothing else of it."""
    if base is None:
        return conf.config
    own = conf.config or {}
    given = own.get("Env") or []
    if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
        return own  # told when the image's config is read
    env = image_config.merge_env(base.env, given)
    return {**own, "Env": env} if env else own


def _read_base(path: Path, memory: Memory, listener: Listener) -> _Base:
    archive = open_archive(FileBytes(path), memory, listener)
    if archive is None or MANIFEST not in archive:
        raise LoadError(f"the base image {path} is no docker-archive")
    # As the script: the first image of the archive, whatever others it holds.
    image, document = read_images(archive)[0], read_documents(archive)[0]
    parts = tuple(_Part((name,), layer) for name, layer in zip(document.layers, image.layers, strict=True))
    config = image.config.get("config")
    env = config.get("Env") if isinstance(config, dict) else None
    return _Base(tuple(map(str, env)) if isinstance(env, list) else (), parts)


def _store_parts(conf: LayeredConf, memory: Memory) -> Iterator[_Part]:
    stamp = conf.stamp()
    recipes = [_recipe(paths, stamp) for paths in conf.store_layers]
    known = memory.recall_layers(recipes)
    for paths, recipe in zip(conf.store_layers, recipes, strict=True):
        diff_id, size = known.get(recipe, (None, None))
        yield _Part(paths, _store_layer(paths, stamp, memory, diff_id, size))


def _store_layer(
    paths: tuple[str, ...],
    stamp: layer_tar.Stamp,
    memory: Memory,
    diff_id: Digest | None = None,
    size: int | None = None,
) -> ComputedLayer:
    """Return the layer of some store paths; it is measured when somebody asks for its size."""
    recipe = _recipe(paths, stamp)
    layer = ComputedLayer(
        f"the layer of {paths[0]}" if paths else "an empty layer",
        size,
        partial(_open_layer, paths, stamp),
        known=diff_id,
        on_settled=lambda settled: memory.keep_layer(recipe, settled, layer.size),
        on_mismatch=partial(memory.forget_layer, recipe),
        measure=partial(_measure, paths, stamp),
        store=StoreContent(paths, (stamp.uid, stamp.gid), lambda some: _store_layer(some, stamp, memory)),
    )
    return memory.share(recipe, layer)


def _customisation_part(directory: Path, tar: Path, checksum: Path) -> _Part:
    file = FileBytes(tar)
    with FileBytes(checksum).section(0, 128) as stream:
        text = stream.read().decode(errors="replace").strip()
    try:
        diff_id = Digest(text)
    except ValueError as error:
        raise DamagedError(f"{directory}/checksum is damaged: {text!r} is no sha256") from error
    return _Part(
        (str(directory),), OpenerLayer(diff_id, file.size, file.section, name=f"the layer {file.name}")
    )


def _recipe(paths: tuple[str, ...], stamp: layer_tar.Stamp) -> str:
    """Return what a layer's bytes follow from, as the digest of its text: a list of paths can be long."""
    owner = [stamp.mtime, stamp.uid, stamp.gid, stamp.uname, stamp.gname]
    return hashlib.sha256(json.dumps([_RULES, paths, owner]).encode()).hexdigest()


def _measure(paths: tuple[str, ...], stamp: layer_tar.Stamp) -> int:
    try:
        return layer_tar.size(paths, stamp)
    except OSError as error:
        raise explain_os_error(error, str(error.filename or paths[0])) from error


def _open_layer(paths: tuple[str, ...], stamp: layer_tar.Stamp) -> IO[bytes]:
    return open_chunks(_explained(layer_tar.chunks(paths, stamp), paths))


def _explained(chunks: Iterator[bytes], paths: tuple[str, ...]) -> Iterator[bytes]:
    try:
        yield from chunks
    except layer_tar.ChangedFileError as error:
        raise LoadError(
            str(error), hint="the garbage collector may be removing it: build it again"
        ) from error
    except OSError as error:
        raise explain_os_error(error, str(error.filename or paths[0])) from error
