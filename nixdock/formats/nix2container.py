"""nix2container's image.json: an image as a plan, its layers described by store paths.

No tar exists until somebody makes it. The plan states each layer's digest, and where the paths give other
bytes the image is refused. Some layers are tars after all (`layer-path`): those pulled from a registry,
and those that were asked not to be reproducible.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import DamagedError, LoadError
from nixdock.formats import nix2container_tar
from nixdock.formats.archive import LAYERS_LIMIT, PATHS_LIMIT
from nixdock.formats.compression import decompress
from nixdock.formats.nix2container_tar import LayerPath, Permission
from nixdock.formats.source import FileBytes, open_chunks
from nixdock.image.detect import Codec
from nixdock.image.manifest import layer_codec
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest, Reference

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.formats.door import StoreDoor

VERSION: Final = 1

_NAMED: Final = re.compile(r"(?P<tag>[0-9a-z]{32})-image-(?P<name>.+)\.json")
_PERMISSIONS_LIMIT: Final = 1000
_TEXT_LIMIT: Final = 4096
"""Characters of a path, an expression or a name; Linux allows a path no more."""

_NO_TIME: Final = "0001-01-01T00:00:00Z"


def is_plan(value: Any) -> bool:  # noqa: ANN401  # any JSON
    """Whether a JSON document is an image.json."""
    return isinstance(value, dict) and "image-config" in value and "layers" in value


def read_image(path: Path, plan: dict[str, Any], door: StoreDoor) -> Image:
    """Return the image of a plan; no layer is read for it.

    Args:
        path: Of the plan; its store name gives the image's name, which the plan does not have.
        plan: The JSON document.
        door: Lets through what the plan names.

    Raises:
        LoadError: It is of a newer version, or not what it should be, or what it names is not in the store.
    """
    version = plan.get("version", VERSION)
    if version != VERSION:
        raise LoadError(
            f"{path} is an image.json of version {version}, which nixdock does not know",
            hint=f"nixdock reads version {VERSION}; a newer nixdock may read this one",
        )
    described = _read_plan(path, plan)
    paths = [one.path for layer in described for one in layer.paths]
    tars = [layer.tar for layer in described if layer.tar]
    if len(described) > LAYERS_LIMIT or len(paths) > PATHS_LIMIT:
        raise LoadError(f"{path} is no image: it has {len(described)} layers of {len(paths)} paths")
    real = dict(zip(tars, door.admit(str(path), files=tars, trees=paths), strict=True))
    layers = tuple(_open_described(layer, path, real) for layer in described)
    return Image(_make_config(plan, described), layers, _guess_name(path))


@dataclass(frozen=True, slots=True)
class _Described:
    """A layer as the plan has it.

    Args:
        diff_id: Its digest.
        size: Bytes of its tar.
        paths: What it is made of.
        tar: The file that it is instead; empty for none.
        media_type: Of that file.
        history: What is said of it.
    """

    diff_id: Digest
    size: int
    paths: tuple[LayerPath, ...]
    tar: str
    media_type: str
    history: dict[str, Any]


def _read_plan(path: Path, plan: dict[str, Any]) -> list[_Described]:
    try:
        return [_read_layer(value) for value in plan["layers"] or []]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise DamagedError(
            f"{path} is damaged: a layer in it is not what it should be ({error!r})"
        ) from error


def _read_layer(value: dict[str, Any]) -> _Described:
    diff_id, history, tar = (
        Digest.parse(value["diff_ids"]),
        value.get("History") or {},
        value.get("layer-path"),
    )
    if tar:
        return _Described(diff_id, 0, (), _read_text(tar), str(value.get("mediatype") or ""), history)
    paths = tuple(_read_path(entry) for entry in value["paths"])
    size = int(value["size"])
    if size < 0:
        raise ValueError("a negative size")
    return _Described(diff_id, size, paths, "", "", history)


def _open_described(layer: _Described, plan: Path, real: dict[str, Path]) -> OpenerLayer:
    if layer.tar:
        file = FileBytes(real[layer.tar])
        codec = layer_codec(layer.media_type)
        if codec is None:
            raise LoadError(f"{plan} has a layer of the unknown media type {layer.media_type!r}")
        size = file.size if codec is Codec.NONE else None
        name = f"the layer {file.name} of {plan}"
        return OpenerLayer(layer.diff_id, size, partial(_open_tar, file, codec), name=name)
    name = f"the layer of {layer.paths[0].path} in {plan}" if layer.paths else f"an empty layer in {plan}"
    return OpenerLayer(layer.diff_id, layer.size, partial(_open_layer, layer.paths), name=name)


def _read_path(value: dict[str, Any]) -> LayerPath:
    options = value.get("options") or {}
    rewrite = options.get("rewrite") or {}
    permissions = options.get("perms") or []
    if len(permissions) > _PERMISSIONS_LIMIT:
        raise ValueError(f"{len(permissions)} permissions")
    return LayerPath(
        _read_text(value["path"]),
        _read_text(rewrite.get("regex") or ""),
        _read_text(rewrite.get("repl") or ""),
        tuple(map(_read_permission, permissions)),
    )


def _read_permission(value: dict[str, Any]) -> Permission:
    numbers = [int(value.get("uid") or 0), int(value.get("gid") or 0), int(value.get("mode") or "0", 8)]
    if not all(0 <= number < 1 << 32 for number in numbers) or numbers[2] > 0o7777:
        raise ValueError("a number that no file can have")
    return Permission(
        regex=_read_text(value["regex"]),
        mode=numbers[2] if value.get("mode") else None,
        uid=numbers[0],
        gid=numbers[1],
        uname=_read_text(value.get("uname") or ""),
        gname=_read_text(value.get("gname") or ""),
    )


def _read_text(value: Any) -> str:  # noqa: ANN401  # JSON of unknown shape
    if not isinstance(value, str) or "\0" in value or len(value) > _TEXT_LIMIT:
        raise ValueError("a text that is none")
    value.encode()
    return value


def _open_layer(paths: tuple[LayerPath, ...]) -> IO[bytes]:
    return open_chunks(nix2container_tar.chunks(paths))


def _open_tar(file: FileBytes, codec: Codec) -> IO[bytes]:
    return decompress(file.section(), codec, f"the layer {file.name}")


def _make_config(plan: dict[str, Any], layers: list[_Described]) -> bytes:
    """Write the config with the keys in the order of Go's struct (image-spec, specs-go/v1/config.go)."""
    config = {
        "created": plan.get("created") or _NO_TIME,
        "architecture": str(plan.get("arch") or "amd64"),
        "os": "linux",
        "config": plan["image-config"] or {},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": [layer.history for layer in layers],
    }
    text = json.dumps(config, separators=(",", ":"), ensure_ascii=False)
    # Go escapes what HTML would take for markup, and two line separators.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # A lone surrogate, which JSON may hold, is no text in UTF-8: Go writes the replacement character.
    return text.encode("utf-8", errors="replace")


def _guess_name(path: Path) -> tuple[Reference, ...]:
    """Take name and tag from the store path: an image without a tag of its own has its hash for one."""
    named = _NAMED.fullmatch(path.name)
    if named is None:
        return ()
    try:
        return (Reference.parse(f"{named['name'].lower()}:{named['tag']}"),)
    except ValueError:
        return ()


def describe_layers_file(path: Path) -> LoadError:
    """Say that a list of layers alone is no image."""
    return LoadError(
        f"{path} is a list of nix2container layers, not an image",
        hint="give it to nix2container.buildImage as one of its layers",
    )
