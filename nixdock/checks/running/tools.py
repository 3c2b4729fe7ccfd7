"""Tools: store paths lent to exec checks by read-only mounts, never part of the image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixdock.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixdock.engine.connection.address import Address


def lend_tools(tools: Sequence[str], present: frozenset[str], address: Address) -> dict[str, Any]:
    """Return what mounts these store paths, and all that they reference, in a container.

    Args:
        tools: Store paths, or paths within them.
        present: The base names of the store paths that the image has itself.
        address: The engine's: it must see this machine's store.

    Raises:
        CheckError: The engine is on another machine, or a path is not in the store.
    """
    if not tools:
        return {}
    if not address.is_local:
        raise CheckError(f"tools can be lent only to an engine of this machine, not to {address.url}")
    from nixdock.nix.store import query_closure, store_path_of  # noqa: PLC0415 - few suites lend tools

    roots: list[Path] = []
    for tool in tools:
        root = store_path_of(Path(tool))
        if root is None:
            raise CheckError(f"the tool {tool} is not in the Nix store")
        roots.append(root)
    paths = sorted(path for path in query_closure(roots) if path.name not in present)
    for path in paths:
        # An engine follows the link, as root, and lends what it leads to.
        if path.is_symlink() and store_path_of(path.resolve()) is None:
            raise CheckError(
                f"the tools cannot be lent: {path} is a link to {path.resolve()}, outside of the Nix store"
            )
    mounts = [{"Type": "bind", "Source": str(path), "Target": str(path), "ReadOnly": True} for path in paths]
    return {"HostConfig": {"Mounts": mounts}}
