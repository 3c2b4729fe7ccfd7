"""The `conf` of a streamed image: which store paths make which layer, and what the image says of itself.

Its shape is nixpkgs' own, so a conf of either side can be read by the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import image_config
from .layer_tar import Stamp


class ConfError(Exception):
    """A conf cannot be used; the text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class LayeredConf:
    """One streamed image.

    Args:
        architecture: As Go names it.
        config: The Docker config, or null.
        store_dir: The directory that every store path is in.
        from_image: The archive of the image below, or None.
        store_layers: The store paths of each layer, bottom first.
        customisation_layer: The directory of the topmost layer: `layer.tar` and its `checksum`.
        repo_tag: `name:tag`.
        created: ISO 8601 or "now".
        mtime: ISO 8601 or "now".
        uid: Owner of all store paths.
        gid: Group of all store paths.
        uname: Owner's name.
        gname: Group's name.
    """

    architecture: str
    config: dict[str, Any] | None
    store_dir: str
    from_image: str | None
    store_layers: tuple[tuple[str, ...], ...]
    customisation_layer: str
    repo_tag: str
    created: str
    mtime: str
    uid: int
    gid: int
    uname: str
    gname: str

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str = "the conf") -> LayeredConf:
        """Read a conf.

        Args:
            text: Its JSON.
            where: What to call it in an error.

        Raises:
            ConfError: It is not one.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ConfError(f"{where} is not JSON: {error}") from error
        try:
            created = str(data["created"])
            conf = cls(
                architecture=str(data["architecture"]),
                config=data["config"],
                store_dir=str(data.get("store_dir", "/nix/store")),
                from_image=data.get("from_image"),
                store_layers=tuple(tuple(map(str, layer)) for layer in data["store_layers"]),
                customisation_layer=str(data["customisation_layer"]),
                repo_tag=str(data["repo_tag"]),
                created=created,
                # Confs from before these keys took the creation time, and root.
                mtime=str(data.get("mtime", created)),
                uid=int(data.get("uid", 0)),
                gid=int(data.get("gid", 0)),
                uname=str(data.get("uname", "root")),
                gname=str(data.get("gname", "root")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfError(f"{where} is not the conf of a streamed image: {error!r}") from error
        outside = [
            path for layer in conf.store_layers for path in layer if not path.startswith(conf.store_dir + "/")
        ]
        if outside:
            raise ConfError(f"{where} names {outside[0]}, which is not in {conf.store_dir}")
        return conf

    @classmethod
    def read(cls, path: str) -> LayeredConf:
        """Read a conf from a file.

        Raises:
            ConfError: It is not one.
            OSError: It cannot be read.
        """
        return cls.from_json(Path(path).read_bytes(), where=path)

    def stamp(self) -> Stamp:
        """Return owner and time of all store paths; "now" is now."""
        moment = image_config.timestamp(self.mtime)
        return Stamp(int(moment.timestamp()), self.uid, self.gid, self.uname, self.gname)
