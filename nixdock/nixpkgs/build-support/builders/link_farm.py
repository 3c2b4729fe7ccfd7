"""A folder of links that are given by name (`linkFarm`)."""

from __future__ import annotations

from . import orders


def main() -> None:
    """Build what Nix orders: `entries`, each a `name` (with folders) and a `path`; the last one wins."""
    order = orders.read()
    order.out.mkdir()
    for entry in order.values["entries"]:
        place = order.out / entry["name"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(entry["path"])


if __name__ == "__main__":
    main()
