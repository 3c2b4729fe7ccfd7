"""What a plan of nix2container names is read only where it is valid in the Nix store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.files.layer_index import index_layer
from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory
from support.archives import layer

from .place import INVALID, OUTSIDE, Changes, Place, read_all, refuse

TAR = "application/vnd.oci.image.layer.v1.tar"


def plan_of(place: Place, **changes: Any) -> dict[str, Any]:
    described = {
        "digest": f"sha256:{'1' * 64}",
        "diff_ids": f"sha256:{'1' * 64}",
        "size": 1024,
        "mediatype": TAR,
        "paths": [{"path": place.tree}],
    }
    return {"version": 1, "image-config": {}, "layers": [{**described, **changes}], "arch": "amd64"}


def paths(*names: Callable[[Place], Any] | Any, **options: Any) -> Changes:
    """A layer of these paths."""
    return lambda place: {
        "paths": [{"path": name(place) if callable(name) else name, "options": options} for name in names]
    }


def tar(
    name: Callable[[Place], Any] | Any, media_type: str = "application/vnd.oci.image.layer.v1.tar"
) -> Changes:
    """A layer that is a file."""
    return lambda place: {
        "layer-path": name(place) if callable(name) else name,
        "mediatype": media_type,
    }


def permission(**changes: Any) -> Changes:
    return paths(lambda p: p.tree, perms=[{"regex": ".*", "mode": "0644", **changes}])


DAMAGED = "is not what it should be"
PLANS: dict[str, tuple[Changes, str]] = {
    "a folder": (paths(lambda p: str(p.outside)), OUTSIDE),
    "a file": (paths("/etc/passwd"), OUTSIDE),
    "the root": (paths("/"), OUTSIDE),
    "up from the store": (paths(lambda p: f"{p.store}/../outside/secret"), OUTSIDE),
    "up from a store path": (paths(lambda p: f"{p.tree}/../../outside"), OUTSIDE),
    "into the store by a link": (paths(lambda p: f"{p.way_in}/{Path(p.tree).name}"), OUTSIDE),
    "a dot": (paths(lambda p: f"{p.store}/./{Path(p.tree).name}"), OUTSIDE),
    "below a link": (paths(lambda p: f"{p.tree}/out/secret"), OUTSIDE),
    "below a store path that is a link": (paths(lambda p: f"{p.link}/secret"), OUTSIDE),
    "not Nix's folder": (paths(lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "not Nix's link": (paths(lambda p: p.junk("link", lambda path: path.symlink_to(p.outside))), INVALID),
    "collected": (paths(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "outside and not there": (paths("/nowhere/at/all"), OUTSIDE),
    "relative": (paths("etc/passwd"), OUTSIDE),
    "empty": (paths(""), OUTSIDE),
    "two lines": (paths("/etc/passwd\nnixdock: all is well"), OUTSIDE),
    "two lines in the store": (paths(lambda p: f"{p.store}/x\nnixdock: all is well"), "does not exist"),
    "a number": (paths(5), DAMAGED),
    "a NUL": (paths("/nix\0"), DAMAGED),
    "half a character": (paths("/\ud800"), DAMAGED),
    "a good one and a bad one": (paths(lambda p: p.tree, "/etc/passwd"), OUTSIDE),
    "a tar outside": (tar(lambda p: f"{p.outside}/layer.tar"), OUTSIDE),
    "a tar up from the store": (tar(lambda p: f"{p.store}/../outside/layer.tar"), OUTSIDE),
    "a tar that is a link": (tar(lambda p: p.link_to("layer.tar")), OUTSIDE),
    "a tar below a link": (tar(lambda p: f"{p.link}/layer.tar"), OUTSIDE),
    "a tar not Nix's": (tar(lambda p: p.junk("tar", lambda path: path.write_bytes(layer("x")))), INVALID),
    "a tar that is a pipe": (tar(lambda p: f"{p.outside}/pipe"), OUTSIDE),
    "a tar that is a device": (tar("/dev/zero"), OUTSIDE),
    "a tar that is a folder": (tar(lambda p: p.tree), "is a folder"),
    "a tar that was collected": (tar(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "a tar that is a number": (tar(5), DAMAGED),
    "a tar of another type": (tar(lambda p: f"{p.custom}/layer.tar", "x"), "unknown media type"),
    "a negative size": (lambda p: {"size": -1}, DAMAGED),
    "an endless size": (lambda p: {"size": float("inf")}, DAMAGED),
    "a mode that is none": (permission(mode="9"), DAMAGED),
    "a mode of many digits": (permission(mode="7" * 20), DAMAGED),
    "a name that is a number": (permission(uname=5), DAMAGED),
    "a user of many digits": (permission(uid=10**30), DAMAGED),
    "an expression that is a number": (permission(regex=5), DAMAGED),
    "an expression that is none": (permission(regex="("), "a regular expression that is none"),
    "too many permissions": (paths(lambda p: p.tree, perms=[{"regex": "x"}] * 1001), DAMAGED),
    "a long replacement": (paths(lambda p: p.tree, rewrite={"regex": "x", "repl": "y" * 5000}), DAMAGED),
    "a NUL to replace by": (paths(lambda p: p.tree, rewrite={"regex": "x", "repl": "\0"}), DAMAGED),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("row", PLANS)
def test_a_plan_reads_nothing_outside_of_the_store(row: str, place: Place, memory: Memory) -> None:
    changes, words = PLANS[row]
    path = place.given / "image.json"
    path.write_text(json.dumps(plan_of(place, **changes(place))))
    assert re.search(words, refuse(path, place, memory).message)


def test_a_good_plan_is_an_image(place: Place, memory: Memory) -> None:
    path = place.given / "image.json"
    path.write_text(json.dumps(plan_of(place)))
    read_all(path, memory)
    # Whoever reads it to its end sees that it is not what the plan says.
    (image,) = open_images(path, memory=memory)
    with pytest.raises(LoadError, match="is damaged: its bytes have the digest"):
        index_layer(image.layers[0], contents=False, cache=place.root / "indexes")
