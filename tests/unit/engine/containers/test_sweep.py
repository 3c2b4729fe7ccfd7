"""What the sweep takes, of an engine that tells any story."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.containers.owner import Owner, find_ourselves
from nixdock.engine.containers.sweeping import sweep
from support import hostile
from support.hostile import CONTAINER, IMAGE, Hostile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEAD = Owner("run", replace(find_ourselves(), started="1"))


def summary(labels: Mapping[str, str], name: str = "theirs") -> dict[str, Any]:
    return {
        "Id": CONTAINER["Id"],
        "Names": [f"/{name}"],
        "Image": "box:1",
        "State": "running",
        "Labels": labels,
    }


def tell(monkeypatch: pytest.MonkeyPatch, **answers: object) -> None:
    """Have the engine tell of these containers, images, networks and volumes."""
    paths = {
        "containers": r"/containers/json",
        "container": r"/containers/.+/json",
        "images": r"/images/json",
        "networks": r"/networks",
        "volumes": r"/volumes",
    }
    told = {paths[name]: answer for name, answer in answers.items()}
    empty = {"/networks": [], "/volumes": {"Volumes": []}, "/images/json": []}
    good = [
        (method, path, {**empty, **told}.get(path, answer) if method == "GET" else answer)
        for method, path, answer in hostile.GOOD
    ]
    monkeypatch.setattr(hostile, "GOOD", good)


def removed_by_sweeping(tmp_path: Path) -> list[str]:
    with (
        Hostile(tmp_path / "s", "nothing", "stall") as engine,
        connect(choose(host=engine.host, environ={}), environ={}) as connected,
    ):
        sweep(connected)
        return [asked.partition("?")[0].split("/", 2)[2] for asked in engine.asked if "DELETE" in asked]


MARKS = {
    "no host config": {},
    "no mark": {"HostConfig": {"ContainerIDFile": ""}},
    "a user's own file": {"HostConfig": {"ContainerIDFile": "/tmp/cid"}},
    "the mark of another run": {"HostConfig": {"ContainerIDFile": "nixdock:another:1"}},
    "the mark of a run with a longer name": {"HostConfig": {"ContainerIDFile": "nixdock:runner:1"}},
}


@pytest.mark.parametrize("mark", MARKS)
def test_labels_alone_make_nothing_ours(mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container = {**CONTAINER, **MARKS[mark]}
    tell(monkeypatch, containers=[summary(DEAD.labels())], container=container)
    assert removed_by_sweeping(tmp_path) == []


def test_what_a_dead_run_marked_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container = {**CONTAINER, "HostConfig": {"ContainerIDFile": DEAD.mark()}}
    tell(monkeypatch, containers=[summary(DEAD.labels())], container=container)
    assert removed_by_sweeping(tmp_path) == [f"containers/{CONTAINER['Id']}"]


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, 86400, 10 * 365 * 86400])
def test_a_clock_that_jumps_leaves_the_living_alone(
    jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Owner.make(seconds=600)
    mark = owner.mark() if hasattr(owner, "mark") else ""
    container = {**CONTAINER, "HostConfig": {"ContainerIDFile": mark}}
    tell(
        monkeypatch,
        containers=[summary(owner.labels())],
        container=container,
        networks=[{"Id": "n", "Name": "n", "Labels": owner.labels()}],
        volumes={"Volumes": [{"Name": "v", "Labels": owner.labels()}]},
    )
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert removed_by_sweeping(tmp_path) == []


def test_networks_and_volumes_of_the_dead_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"io.nixdock.pid": ""}
    tell(
        monkeypatch,
        networks=[{"Id": "n", "Labels": DEAD.labels()}, {"Id": "theirs", "Labels": theirs}],
        volumes={"Volumes": [{"Name": "v", "Labels": DEAD.labels()}, {"Name": "theirs", "Labels": None}]},
    )
    assert removed_by_sweeping(tmp_path) == ["networks/n", "volumes/v"]


@pytest.mark.parametrize(
    ("tags", "removed"),
    [
        (["nixdock.invalid/step:run-1"], ["images/nixdock.invalid/step:run-1"]),
        # Built upon such an image, without a name or with one: its labels are there too.
        ([], []),
        (None, []),
        (["theirs:1"], []),
        (["nixdock.invalid/stepping:1"], []),
        (["theirs:1", "nixdock.invalid/step:run-1"], ["images/nixdock.invalid/step:run-1"]),
    ],
)
def test_only_the_name_makes_an_image_a_step(
    tags: list[str] | None, removed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {**DEAD.labels(), "io.nixdock.step": "setup"}
    tell(monkeypatch, images=[{"Id": IMAGE["Id"], "RepoTags": tags, "Labels": labels}], containers=[])
    assert removed_by_sweeping(tmp_path) == removed


NAMES = ["my.app", "my_app.1", "a.*", "web+1", "x|y"]
"""Names that mean more than themselves in a regular expression; engines refuse to make some of them."""


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_itself(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an engine takes its filter for: this one lists all that it has."""
    tell(
        monkeypatch,
        containers=[summary({}, other) for other in ("my-app", "my_app-1", "ab", name, f"{name}x")],
    )
    with (
        Hostile(tmp_path / "s", "nothing", "stall") as engine,
        connect(choose(host=engine.host, environ={}), environ={}) as connected,
    ):
        assert [one.name for one in connected.containers(names=[name])] == [name]


LABELS = [
    (["a=b"], {"a": "b"}, True),
    (["a=b"], {"a": "bb"}, False),
    (["a=.*"], {"a": "b"}, False),
    (["a"], {"a": ""}, True),
    (["a"], {"b": "a"}, False),
    (["a*"], {"ab": ""}, False),
    (["a=b=c"], {"a": "b=c"}, True),
    (["a=b", "c"], {"a": "b"}, False),
    (["a="], {"a": "b"}, False),
]


@pytest.mark.parametrize(("wanted", "labels", "found"), LABELS)
def test_a_label_means_itself(
    wanted: list[str], labels: dict[str, str], found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(
        monkeypatch,
        containers=[summary(labels)],
        networks=[{"Id": "n", "Name": "n", "Labels": labels}],
        volumes={"Volumes": [{"Name": "v", "Labels": labels}]},
    )
    with (
        Hostile(tmp_path / "s", "nothing", "stall") as engine,
        connect(choose(host=engine.host, environ={}), environ={}) as connected,
    ):
        listed = (
            connected.containers(labels=wanted),
            connected.networks(labels=wanted),
            connected.volumes(labels=wanted),
        )
    assert [bool(one) for one in listed] == [found] * 3
