"""Store paths in the request for a container, and the refusal of an engine that does not see them."""

from __future__ import annotations

from typing import Any

import pytest

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.mounts import is_unseen, with_store

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
        ("No such image: sample:1", False),
    ],
)
def test_an_engine_that_does_not_see_a_path_is_known_by_its_words(said: str, unseen: bool) -> None:
    assert is_unseen(EngineRefusedError(said, status=400)) is unseen
