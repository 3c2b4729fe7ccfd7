"""The image that static checks look at: its config, its files, its store paths, each read when asked for."""

from __future__ import annotations

from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from nixdock.checks.files.accounts import Accounts, read_accounts
from nixdock.checks.files.entry import read_content
from nixdock.checks.files.layer_index import index_layers
from nixdock.checks.files.store import StorePaths, find_store_paths
from nixdock.checks.files.tree import TooManyLinksError, Tree, build_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nixdock.checks.files.entry import LayerEntry
    from nixdock.checks.files.layer_index import LayerIndex
    from nixdock.image.model import Image, Layer

_SMALL = 1 << 22
"""Bytes beyond which a file that should be small (/etc/passwd) is not read."""


class Subject:
    """An image as static checks see it. Several threads may ask.

    Args:
        image: The image.
        name: What reports call it.
        cache: The directory of layer indexes; the user's own when None.
    """

    def __init__(self, image: Image, name: str = "", *, cache: Path | None = None) -> None:
        self._image = image
        self.name = name
        self._cache = cache
        self._lock = RLock()
        self._contents = False
        self._indexes: tuple[LayerIndex, ...] | None = None
        self._tree: Tree | None = None

    @property
    def config(self) -> Mapping[str, Any]:
        """The image's config as JSON; asking for it raises LoadError where no engine could read it."""
        return self._image.config

    @property
    def run_config(self) -> Mapping[str, Any]:
        """What a container gets from it: Cmd, Env, User, ..."""
        return self.config.get("config") or {}

    @property
    def texts(self) -> tuple[str, ...]:
        """Lists of words in the config that stand there as a text: `config.Cmd`."""
        return self._image.read_config.texts

    @cached_property
    def env(self) -> Mapping[str, str]:
        """The environment that a container gets from it."""
        return dict(variable.partition("=")[::2] for variable in self.run_config.get("Env") or ())

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers, bottom first."""
        return self._image.layers

    def indexes(self, *, contents: bool = False) -> tuple[LayerIndex, ...]:
        """Return the index of each layer.

        Args:
            contents: Whether the files' contents must have been looked at.

        Raises:
            LoadError: A layer cannot be read.
        """
        with self._lock:
            if self._indexes is None or (contents and not self._contents):
                self._indexes = index_layers(self.layers, contents=contents, cache=self._cache)
                self._contents = contents
                self._tree = None
            return self._indexes

    def tree(self, *, contents: bool = False) -> Tree:
        """Return the file system.

        Args:
            contents: Whether the files' contents must have been looked at.

        Raises:
            LoadError: A layer cannot be read.
        """
        with self._lock:
            indexes = self.indexes(contents=contents)
            if self._tree is None:
                self._tree = build_tree(indexes)
            return self._tree

    def find(self, path: str) -> LayerEntry | None:
        """Return what a path leads to in the image; None where nothing, or a circle of links."""
        try:
            return self.tree().find(path)
        except TooManyLinksError:
            return None

    def read_small(self, path: str) -> bytes | None:
        """Return the content of a file of moderate size; None where there is none."""
        entry = self.find(path)
        if entry is None or entry.kind != "file" or entry.size > _SMALL:
            return None
        return read_content(self.layers, entry)

    @cached_property
    def accounts(self) -> Accounts:
        """The users and groups that the image knows."""
        return read_accounts(self.read_small("/etc/passwd"), self.read_small("/etc/group"))

    @cached_property
    def store_paths(self) -> StorePaths:
        """The store paths in the image, and what refers to them; contents are looked at for it."""
        return find_store_paths(self.tree(contents=True), self.config)
