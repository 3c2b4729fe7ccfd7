"""Copies of the offline package set in which something is otherwise."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def find_record(package_set: Path, package: str) -> dict[str, Any]:
    """Return what the lock of a package set says of a package."""
    record: dict[str, Any] = json.loads(_find_shard(package_set, package).read_text())[package]
    return record


def change_record(package_set: Path, copy: Path, package: str, **changes: str) -> None:
    """Copy a package set, with other values in what its lock says of a package."""
    shutil.copytree(package_set, copy, copy_function=os.link)
    shard = _find_shard(copy, package)
    packages = json.loads(shard.read_text())
    packages[package] |= changes
    # The original is the same file until it is written anew.
    shard.unlink()
    shard.write_text(json.dumps(packages))


def _find_shard(package_set: Path, package: str) -> Path:
    # The machine's own architecture is the first.
    own: str = json.loads((package_set / "nixdock.json").read_text())["architectures"][0]
    files = (package_set / "lock" / own).glob("*.json")
    (shard,) = [file for file in files if f'"{package}":{{"version"' in file.read_text()]
    return shard
