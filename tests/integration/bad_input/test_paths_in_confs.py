"""What the conf of a streamed image names is read only where it is valid in the Nix store."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixdock.formats.memory import Memory
from support.archives import Sample, docker_archive

from .place import (
    INVALID,
    NAMED,
    OUTSIDE,
    Changes,
    Place,
    conf_of,
    read_all,
    refuse,
    write_conf,
    write_custom,
)


def layers(*names: Callable[[Place], Any] | Any) -> Changes:
    """One layer of these paths."""
    return lambda place: {"store_layers": [[name(place) if callable(name) else name for name in names]]}


CONFS: dict[str, tuple[Changes, str]] = {
    "a folder": (layers(lambda p: str(p.outside)), OUTSIDE),
    "a file": (layers("/etc/passwd"), OUTSIDE),
    "a store of its own": (
        lambda p: {"store_dir": str(p.root), "store_layers": [[str(p.outside)]]},
        "is for the store",
    ),
    "the root as its store": (lambda p: {"store_dir": "/", "store_layers": []}, "is for the store '/'"),
    "a store of two lines": (lambda p: {"store_dir": f"{p.store}\nnixdock: all is well"}, "is for the store"),
    "two lines": (layers("/etc/passwd\nnixdock: all is well"), OUTSIDE),
    "two lines in the store": (layers(lambda p: f"{p.store}/x\nnixdock: all is well"), "does not exist"),
    "a base of two lines": (lambda p: {"from_image": f"{p.store}/x\ny"}, "does not exist"),
    "no store": (lambda p: {"store_dir": "", "store_layers": [[str(p.outside)]]}, "is for the store"),
    "up from the store": (layers(lambda p: f"{p.store}/../outside"), OUTSIDE),
    "up to /etc": (layers(lambda p: f"{p.store}/../../../../../../etc/passwd"), OUTSIDE),
    "up from a store path": (layers(lambda p: f"{p.tree}/../../outside/{NAMED}"), OUTSIDE),
    "up within the store": (layers(lambda p: f"{p.custom}/../{Path(p.tree).name}"), OUTSIDE),
    "a dot": (layers(lambda p: f"{p.store}/./{Path(p.tree).name}"), OUTSIDE),
    "two slashes": (layers(lambda p: f"{p.store}//{Path(p.tree).name}"), OUTSIDE),
    "a slash at the end": (layers(lambda p: f"{p.tree}/"), OUTSIDE),
    "the store itself": (layers(lambda p: f"{p.store}"), OUTSIDE),
    "links of the store": (layers(lambda p: f"{p.store}/.links"), OUTSIDE),
    "no store path's name": (
        layers(lambda p: p.junk("x", Path.mkdir)[: len(str(p.store)) + 20]),
        "does not exist",
    ),
    "not Nix's folder": (layers(lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "not Nix's file": (layers(lambda p: p.junk("file", Path.touch)), INVALID),
    "not Nix's link": (layers(lambda p: p.junk("link", lambda path: path.symlink_to(p.outside))), INVALID),
    "below not Nix's link": (
        layers(lambda p: p.junk("link2", lambda path: path.symlink_to(p.outside)) + "/secret"),
        OUTSIDE,
    ),
    "below a link": (layers(lambda p: f"{p.tree}/out/secret"), OUTSIDE),
    "below a store path that is a link": (layers(lambda p: f"{p.link}/secret"), OUTSIDE),
    "a circle of links": (layers(lambda p: f"{p.tree}/self/x"), "cannot be read"),
    "collected": (layers(lambda p: f"{p.store}/{'0' * 32}-gone"), "does not exist"),
    "relative": (layers("etc/passwd"), OUTSIDE),
    "a number": (layers(5), "is no text"),
    "a NUL": (layers(lambda p: f"{p.tree}\0x"), "is no text"),
    "half a character": (layers(lambda p: f"{p.tree}\ud800"), "is no text"),
    "a good one and a bad one": (layers(lambda p: p.tree, lambda p: p.junk("folder", Path.mkdir)), INVALID),
    "one path twice": (layers(lambda p: p.tree, lambda p: p.tree), "twice"),
    "too many layers": (lambda p: {"store_layers": [[]] * 501}, "it has 501 layers"),
    "a topmost layer outside": (lambda p: {"customisation_layer": f"{p.outside}/custom"}, OUTSIDE),
    "a topmost layer up from the store": (
        lambda p: {"customisation_layer": f"{p.store}/../outside/custom"},
        OUTSIDE,
    ),
    "a topmost layer in a link": (lambda p: {"customisation_layer": p.link}, OUTSIDE),
    "a topmost layer that is a link": (
        lambda p: {"customisation_layer": p.custom_with("layer.tar")},
        OUTSIDE,
    ),
    "a topmost checksum that is a link": (
        lambda p: {"customisation_layer": p.custom_with("checksum")},
        OUTSIDE,
    ),
    "a topmost layer not Nix's": (lambda p: {"customisation_layer": p.junk("custom", write_custom)}, INVALID),
    "a topmost layer without its tar": (lambda p: {"customisation_layer": p.tree}, "does not exist"),
    "a topmost layer in /proc": (lambda p: {"customisation_layer": f"/proc/self/root{p.outside}"}, OUTSIDE),
    "a base outside": (lambda p: {"from_image": f"{p.outside}/image.tar"}, OUTSIDE),
    "a base that is not there": (lambda p: {"from_image": f"{p.outside}/none.tar"}, OUTSIDE),
    "a base up from the store": (lambda p: {"from_image": f"{p.store}/../outside/image.tar"}, OUTSIDE),
    "a base that is a link": (lambda p: {"from_image": p.link_to("image.tar")}, OUTSIDE),
    "a base below a link": (lambda p: {"from_image": f"{p.tree}/out/image.tar"}, OUTSIDE),
    "a base not Nix's": (
        lambda p: {"from_image": p.junk("base", lambda path: path.write_bytes(docker_archive(Sample(()))))},
        INVALID,
    ),
    "a base that is a pipe": (lambda p: {"from_image": f"{p.outside}/pipe"}, OUTSIDE),
    "a base that is a device": (lambda p: {"from_image": "/dev/zero"}, OUTSIDE),
    "a base that is our input": (lambda p: {"from_image": "/dev/stdin"}, OUTSIDE),
    "a base that is no archive": (lambda p: {"from_image": f"{p.tree}/bin/program"}, "is no docker-archive"),
    "a base that is a folder": (lambda p: {"from_image": p.tree}, "is a folder"),
}


def test_a_good_conf_is_an_image(place: Place, memory: Memory) -> None:
    read_all(write_conf(place, conf_of(place)), memory)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("row", CONFS)
def test_a_conf_reads_nothing_outside_of_the_store(row: str, place: Place, memory: Memory) -> None:
    changes, words = CONFS[row]
    path = write_conf(place, conf_of(place, **changes(place)))
    assert re.search(words, refuse(path, place, memory).message)
