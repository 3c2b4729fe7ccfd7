"""The conf of a streamed image: which store paths make which layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import base_image, image_config, layering, orders, stability
from .layering import Graph, Layers


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        layers = _layers(values, order.graphs.get("closure", []))
        if values["debug"]:
            for number, layer in enumerate(layers, start=1):
                orders.tell(f"layer {number}: {' '.join(layer)}")
        tag = values["tag"] or order.out.name.partition("-")[0]
        conf = {
            "architecture": values["architecture"],
            "config": values["config"],
            "os": "linux",
            "store_dir": "/nix/store",
            "from_image": values["fromImage"],
            "store_layers": layers,
            "customisation_layer": values["customisation"],
            "repo_tag": f"{values['imageName']}:{tag}",
            "created": _moment(values["created"]),
            "mtime": _moment(values["mtime"]),
            "uid": str(values["uid"]),
            "gid": str(values["gid"]),
            "uname": values["uname"],
            "gname": values["gname"],
        }
        order.out.write_bytes(image_config.pretty(conf))


def _layers(values: dict[str, Any], closure: list[dict[str, Any]]) -> Layers:
    # What only tells of the image is in its closure, but not in its layers.
    exclude = (values["base"], values["customisation"])
    graph = Graph.from_closure(closure)
    pipeline = values["layeringPipeline"]
    if pipeline is not None:
        calls = json.loads(Path(pipeline).read_text()) if isinstance(pipeline, str) else pipeline
        return layering.run_pipeline(graph, calls, exclude)
    base_layers = base_image.count_layers(values["fromImage"]) if values["fromImage"] else 0
    available = stability.available_layers(values["maxLayers"], base_layers)
    return stability.layers_by_stability(graph, available, exclude)


def _moment(text: str) -> str:
    return text if text == "now" else image_config.timestamp(text).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
