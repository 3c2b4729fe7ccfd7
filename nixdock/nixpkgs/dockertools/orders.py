"""What Nix asks a builder for, and how a builder says that it cannot be done."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base_image import BaseImageError
from .hooks import HookError
from .layered_conf import ConfError
from .layering import LayeringError
from .root_tree import RootTreeError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One derivation's order.

    Args:
        name: The derivation's name.
        out: Where the result goes.
        values: What the Nix side gave as `order`.
        graphs: The closures it asked to be told of, by name.
    """

    name: str
    out: Path
    values: dict[str, Any]
    graphs: dict[str, list[dict[str, Any]]]


@contextmanager
def received() -> Iterator[ImageOrder]:
    """Give the order that Nix left for this builder; what goes wrong ends the build with a sentence."""
    file = Path(os.environ["NIX_ATTRS_JSON_FILE"])
    if not file.exists():
        # Nix 2.8 tells its own name of the file, not the one inside the sandbox.
        file = Path(os.environ["NIX_BUILD_TOP"]) / file.name
    attributes = json.loads(file.read_text())
    graphs = {name: attributes[name] for name in attributes.get("exportReferencesGraph", {})}
    order = ImageOrder(attributes["name"], Path(attributes["outputs"]["out"]), attributes["order"], graphs)
    os.umask(0o022)
    try:
        yield order
    except (BaseImageError, ConfError, HookError, LayeringError, RootTreeError, OSError) as error:
        sys.exit(f"error: {error}")


def tell(message: str) -> None:
    """Say something in the build's log."""
    sys.stderr.write(message + "\n")
