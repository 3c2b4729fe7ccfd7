"""What is known of a closure: `closureInfo`, and `writeClosure`."""

from __future__ import annotations

from . import orders


def main() -> None:
    """Build what Nix orders: a directory of three files, or the list of paths alone (`form`)."""
    order = orders.read()
    closure = order.graphs["closure"]
    paths = "".join(f"{path}\n" for path in sorted(node["path"] for node in closure))
    if order.values["form"] == "paths":
        order.out.write_text(paths)
        return
    order.out.mkdir()
    (order.out / "store-paths").write_text(paths)
    (order.out / "total-nar-size").write_text(f"{sum(node['narSize'] for node in closure)}\n")
    # What `nix-store --load-db` reads: nobody remembers who built a path.
    lines = [
        line
        for node in closure
        for line in (
            node["path"],
            node["narHash"],
            node["narSize"],
            "",
            len(node["references"]),
            *node["references"],
        )
    ]
    (order.out / "registration").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
