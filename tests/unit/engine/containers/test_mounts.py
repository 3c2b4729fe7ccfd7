"""Store paths in the request for a container, and the refusal of an engine that does not see them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import CreatedContainer, ImageDetails
from nixdock.engine.containers.image import EngineImage, HostStore
from nixdock.engine.containers.mounts import (
    create,
    forget_roots,
    is_unseen,
    roots_of,
    sweep_roots,
    with_store,
)
from nixdock.engine.containers.options.request import CreateRequest

LIBC, TOOL = "/nix/store/aaaa-libc", "/nix/store/bbbb-tool"


def shown(body: dict[str, Any]) -> list[str]:
    made = with_store(body, [LIBC, TOOL])["HostConfig"]["Mounts"]
    ours = [mount for mount in made if mount["Target"] in {LIBC, TOOL} and mount.get("ReadOnly")]
    assert all(mount["Source"] == mount["Target"] and mount["Type"] == "bind" for mount in ours)
    return [mount["Target"] for mount in ours]


def test_every_path_is_mounted_read_only_after_the_users_own_mounts() -> None:
    body = {"Image": "a", "HostConfig": {"Init": True, "Mounts": [{"Type": "tmpfs", "Target": "/tmp"}]}}
    made = with_store(body, [LIBC])
    assert made["HostConfig"]["Init"] is True
    assert [mount["Target"] for mount in made["HostConfig"]["Mounts"]] == ["/tmp", LIBC]
    assert shown({}) == [LIBC, TOOL]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"HostConfig": {"Binds": [f"/srv:{LIBC}:ro"]}}, [TOOL]),
        ({"HostConfig": {"Binds": [f"/srv:{LIBC}/share"]}}, [LIBC, TOOL]),
        ({"HostConfig": {"Binds": ["/srv:/nix/store/"]}}, []),
        ({"HostConfig": {"Tmpfs": {"/nix": ""}}}, []),
        ({"HostConfig": {"Mounts": [{"Type": "volume", "Target": TOOL}]}}, [LIBC]),
        ({"Volumes": {"/data": {}, LIBC: {}}}, [TOOL]),
    ],
)
def test_what_the_user_mounts_hides_what_is_below_it(body: dict[str, Any], left: list[str]) -> None:
    assert shown(body) == left


@pytest.mark.parametrize(
    ("said", "unseen"),
    [
        (
            'invalid mount config for type "bind": bind source path does not exist: /nix/store/aaaa-libc',
            True,
        ),
        (
            "invalid mount config for type \"bind\": invalid mount path: 'a' mount path must be absolute",
            False,
        ),
        ('invalid mount config for type "bind": stat /nix/store/aaaa-libc: permission denied', True),
        ("OCI runtime create failed: exec: permission denied", False),
        ("Mounts denied: the path /nix/store/aaaa-libc is not shared from the host", True),
        ("No such image: sample:1", False),
    ],
)
def test_an_engine_that_does_not_see_a_path_is_known_by_its_words(said: str, unseen: bool) -> None:
    assert is_unseen(EngineRefusedError(said, status=400)) is unseen


UNSEEN = 'invalid mount config for type "bind": bind source path does not exist: /nix/store/aaaa-libc'


class Refusing:
    """An engine that has two images, and refuses mounts with these words."""

    def __init__(self, says: str | None = UNSEEN) -> None:
        self.says = says
        self.made: list[dict[str, Any]] = []
        self.loads = 0
        whole = EngineImage(self, "web:1", "web:1", details("sha256:b"))  # type: ignore[arg-type]

        def load() -> EngineImage:
            self.loads += 1
            return whole

        store = HostStore((LIBC,), load, lambda _container: None, Path("/x"))
        self.image = EngineImage(self, "web:1", "bare:1", details("sha256:a"), host_store=store)  # type: ignore[arg-type]

    def create_container(self, body: dict[str, Any], **_how: Any) -> CreatedContainer:
        if self.says is not None and body["HostConfig"].get("Mounts"):
            raise EngineRefusedError(self.says, status=400)
        self.made.append(body)
        return CreatedContainer("c" * 64, ())

    def create(self, image: str = "bare:1") -> EngineImage:
        body = {"Image": image, "HostConfig": {"Init": True}}
        return create(self.image, CreateRequest(body), body)[1]


def details(ident: str) -> ImageDetails:
    return ImageDetails(ident, (), (), {}, "linux", "amd64", "", 0, {})


def test_an_engine_that_sees_the_paths_gets_them_with_the_image_that_lacks_them() -> None:
    engine = Refusing(None)
    assert engine.create() is engine.image
    (body,) = engine.made
    assert body["Image"] == "bare:1"
    assert [mount["Target"] for mount in body["HostConfig"]["Mounts"]] == [LIBC]


def test_what_is_done_by_hand_wants_the_whole_image() -> None:
    image = Refusing().image
    assert image.by_hand("docker run web:1") == "nixdock load /x >/dev/null && docker run web:1"
    assert replace(image, host_store=None).by_hand("docker run web:1") == "docker run web:1"


def test_one_that_does_not_is_sent_the_whole_image_once() -> None:
    engine = Refusing()
    for _ in range(3):
        assert engine.create().run_as == "web:1"
    # An image that was made of one of those containers has all that it needs.
    engine.create("step:1")
    assert [(body["Image"], body["HostConfig"]) for body in engine.made] == [
        *[("web:1", {"Init": True})] * 3,
        ("step:1", {"Init": True}),
    ]
    assert engine.loads == 1


def test_what_else_it_refuses_is_told() -> None:
    engine = Refusing("conflict: the name is in use")
    with pytest.raises(EngineRefusedError, match="the name is in use"):
        engine.create()
    assert engine.loads == 0


class Keeping:
    """An engine with some containers."""

    def __init__(self, identity: str, *containers: str) -> None:
        self.containers = containers
        self.traits = self
        self.identity = identity

    def find_container(self, container: str) -> str | None:
        return container if container in self.containers else None


def test_what_held_the_paths_of_containers_that_are_gone_is_removed_for_this_engine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))
    ours, theirs = Keeping("ours", "a", "b"), Keeping("theirs")
    sweep_roots(ours)  # type: ignore[arg-type]
    containers = ((ours, "a"), (ours, "b"), (ours, "c"), (theirs, "d"))
    places = [roots_of(engine, name) for engine, name in containers]  # type: ignore[arg-type]
    for place in places:
        place.mkdir(parents=True)
        (place / "root").symlink_to(LIBC)
    sweep_roots(ours)  # type: ignore[arg-type]
    assert [place.exists() for place in places] == [True, True, False, True]
    forget_roots(ours, "a")  # type: ignore[arg-type]
    assert [place.exists() for place in places] == [False, True, False, True]
    ours.containers = ()
    sweep_roots(ours)  # type: ignore[arg-type]
    assert list((tmp_path / "roots").iterdir()) == [places[3].parent]
