"""nix2container's image.json: an image as a plan, its layers described by store paths.

No tar exists until somebody makes it. The plan states each layer's digest; where the paths now give
other bytes (they were hashed in a sandbox that saw other permissions, say) the layer is described anew
instead of refused. Some layers are tars after all (`layer-path`): those pulled from a registry, and
those that were asked not to be reproducible.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import LoadError
from nixdock.formats import nix2container_tar
from nixdock.formats.chunks import open_chunks
from nixdock.formats.compression import decompress
from nixdock.formats.nix2container_tar import LayerPath, Permission
from nixdock.formats.source import FileBytes
from nixdock.image.computed import ComputedImage, ComputedLayer
from nixdock.image.digest import Digest
from nixdock.image.manifest import Codec, layer_codec
from nixdock.image.model import OpenerLayer
from nixdock.image.reference import Reference

if TYPE_CHECKING:
    from nixdock.image.model import Image, Layer

VERSION: Final = 1

_NAMED: Final = re.compile(r"(?P<tag>[0-9a-z]{32})-image-(?P<name>.+)\.json")
_NO_TIME: Final = "0001-01-01T00:00:00Z"


def is_plan(value: Any) -> bool:  # noqa: ANN401  # any JSON
    """Whether a JSON document is an image.json."""
    return isinstance(value, dict) and "image-config" in value and "layers" in value


def read_image(path: Path, plan: dict[str, Any]) -> Image:
    """Return the image of a plan; no layer is read for it.

    Args:
        path: Of the plan; its store name gives the image's name, which the plan does not have.
        plan: The JSON document.

    Raises:
        LoadError: It is of a newer version, or not what it should be.
    """
    version = plan.get("version", VERSION)
    if version != VERSION:
        raise LoadError(
            f"{path} is an image.json of version {version}, which nixdock does not know",
            hint=f"nixdock reads version {VERSION}; a newer nixdock may read this one",
        )
    try:
        described = [_read_layer(value, path) for value in plan["layers"] or []]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LoadError(f"{path} is damaged: a layer in it is not what it should be ({error!r})") from error
    layers = tuple(layer for layer, _ in described)
    history = [entry for _, entry in described]
    architecture = str(plan.get("arch") or "amd64")

    def make_config(diff_ids: tuple[Digest, ...]) -> bytes:
        return _make_config(plan, architecture, diff_ids, history)

    return ComputedImage(layers, _guess_name(path), architecture, make_config)


def _read_layer(value: dict[str, Any], plan: Path) -> tuple[Layer, dict[str, Any]]:
    diff_id = Digest.parse(value["diff_ids"])
    history = value.get("History") or {}
    if value.get("layer-path"):
        file = FileBytes(Path(value["layer-path"]))
        codec = layer_codec(value.get("mediatype") or "")
        if codec is None:
            raise LoadError(f"{plan} has a layer of the unknown media type {value.get('mediatype')!r}")
        size = file.size if codec is Codec.NONE else None
        return OpenerLayer(diff_id, size, partial(_open_tar, file, codec)), history
    paths = tuple(_read_path(entry) for entry in value["paths"])
    layer = ComputedLayer(
        f"the layer of {paths[0].path}" if paths else "an empty layer",
        int(value["size"]),
        partial(_open_layer, paths),
        known=diff_id,
        measure=partial(nix2container_tar.size, paths),
    )
    return layer, history


def _read_path(value: dict[str, Any]) -> LayerPath:
    options = value.get("options") or {}
    rewrite = options.get("rewrite") or {}
    permissions = tuple(
        Permission(
            regex=entry["regex"],
            mode=int(entry["mode"], 8) if entry.get("mode") else None,
            uid=int(entry.get("uid") or 0),
            gid=int(entry.get("gid") or 0),
            uname=entry.get("uname") or "",
            gname=entry.get("gname") or "",
        )
        for entry in options.get("perms") or []
    )
    if not isinstance(value["path"], str) or "\0" in value["path"]:
        raise ValueError("a path that is none")
    return LayerPath(value["path"], rewrite.get("regex") or "", rewrite.get("repl") or "", permissions)


def _open_layer(paths: tuple[LayerPath, ...]) -> IO[bytes]:
    return open_chunks(nix2container_tar.chunks(paths))


def _open_tar(file: FileBytes, codec: Codec) -> IO[bytes]:
    return decompress(file.section(), codec, f"the layer {file.name}")


def _make_config(
    plan: dict[str, Any], architecture: str, diff_ids: tuple[Digest, ...], history: list[dict[str, Any]]
) -> bytes:
    """Write the config with the keys in the order of Go's struct (image-spec, specs-go/v1/config.go)."""
    config = {
        "created": plan.get("created") or _NO_TIME,
        "architecture": architecture,
        "os": "linux",
        "config": plan["image-config"] or {},
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]},
        "history": history,
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
