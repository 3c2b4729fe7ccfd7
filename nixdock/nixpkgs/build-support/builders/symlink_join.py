"""Several packages as one tree: real folders, and links to the files (`symlinkJoin`)."""

from __future__ import annotations

from pathlib import Path

from . import link_tree, orders


def main() -> None:
    """Build what Nix orders: `paths`, and the `stripPrefix` below each of them."""
    order = orders.read()
    order.out.mkdir(parents=True, exist_ok=True)
    for path in order.values["paths"]:
        source = Path(path + order.values["stripPrefix"])
        if source.is_dir():
            link_tree.join(
                source,
                order.out,
                lambda kept, left: orders.tell(f"{left} is left out: {kept} is there already"),
            )
        elif order.values["failOnMissing"]:
            orders.refuse(f"{source} is not a folder, so it cannot be joined")


if __name__ == "__main__":
    main()
