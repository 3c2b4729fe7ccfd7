"""Write the paths of a closure, the most popular first: `referencesByPopularity`."""

from __future__ import annotations

from .layering import Graph, popularity
from .orders import received


def main() -> None:
    """Build what Nix orders: a file with a path in each line."""
    with received() as order:
        graph = Graph.from_closure(order.graphs["closure"])
        order.out.write_text("".join(f"{path}\n" for path in popularity(graph)))


if __name__ == "__main__":
    main()
