"""What containers wrote, without an engine."""

from __future__ import annotations

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

from nixdock.checks.kinds.writes import WritesCheck
from nixdock.checks.running.idle_group import IdleGroup, _Pool
from nixdock.engine.connection.responses import ContainerDetails


def _details() -> ContainerDetails:
    return ContainerDetails.from_json({"Id": "c", "State": {}, "Config": {}})


def test_a_container_that_ended_since_its_last_command_is_asked_too() -> None:
    engine = SimpleNamespace(find_container=lambda _: _details(), changes=lambda _: [(1, "/bad")])
    group = IdleGroup(cast("Any", SimpleNamespace(engine=engine)), {}, notes_writes=True)
    idle = cast("Any", SimpleNamespace(is_usable=False, container=SimpleNamespace(id="c")))
    group._pools[()] = pool = _Pool(free=[(idle, ExitStack())], count=1)

    assert group._find_free(pool) is None
    assert [found.message for found in WritesCheck().ask_idle(group, 1.0).findings] == ["/bad was written"]


def test_a_folder_in_which_something_changed_is_not_told_itself() -> None:
    changes = [(0, "/a"), (1, "/a-b"), (1, "/a/b"), (0, "/a/c"), (0, "/z")]

    told = [found.message for found in WritesCheck().judge(_details(), changes).findings]

    assert told == ["/a-b was written", "/a/b was written", "/a/c was changed", "/z was changed"]
