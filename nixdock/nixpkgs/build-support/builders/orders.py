"""What Nix asks a builder for: the structured attributes of its derivation."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class DerivationOrder:
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


def read() -> DerivationOrder:
    """Read the order that Nix left for this builder."""
    file = Path(os.environ["NIX_ATTRS_JSON_FILE"])
    if not file.exists():
        # Nix 2.8 tells its own name of the file, not the one inside the sandbox.
        file = Path(os.environ["NIX_BUILD_TOP"]) / file.name
    attributes = json.loads(file.read_text())
    graphs = {name: attributes[name] for name in attributes.get("exportReferencesGraph", {})}
    return DerivationOrder(
        attributes["name"], Path(attributes["outputs"]["out"]), attributes["order"], graphs
    )


def refuse(message: str) -> NoReturn:
    """End the build with a sentence."""
    sys.exit(f"error: {message}")


def tell(message: str) -> None:
    """Say something in the build's log."""
    sys.stderr.write(message + "\n")
