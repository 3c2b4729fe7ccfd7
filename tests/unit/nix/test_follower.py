from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nixdock.events import (
    Event,
    Notice,
    OutputLine,
    Warned,
    Work,
    WorkAdvanced,
    WorkFinished,
    WorkStarted,
    ignore,
)
from nixdock.nix.build_log import Level, Message, Progressed, Started, Stopped
from nixdock.nix.follower import TAIL_LINES, Follower

from .replay import VERSIONS, replay

if TYPE_CHECKING:
    from collections.abc import Sequence


def labels_of(told: Sequence[Event]) -> list[tuple[Work, str]]:
    return [(event.kind, event.label) for event in told if isinstance(event, WorkStarted)]


def ends_of(told: Sequence[Event]) -> dict[str, bool]:
    labels = {event.key: event.label for event in told if isinstance(event, WorkStarted)}
    return {labels[event.key]: event.ok for event in told if isinstance(event, WorkFinished)}


@pytest.mark.parametrize("version", VERSIONS)
def test_builds_are_told_in_their_order_with_what_they_write(version: str) -> None:
    follower, told = replay(version, "good")
    assert labels_of(told) == [(Work.BUILD, "dependency"), (Work.BUILD, "good")]
    assert ends_of(told) == {"dependency": True, "good": True}
    assert OutputLine("dependency", "building") in told
    assert not follower.errors


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_that_fails_ends_badly_and_its_last_lines_are_kept(version: str) -> None:
    follower, told = replay(version, "long")
    assert ends_of(told) == {"long": False}
    (error,) = follower.errors
    derivation = error.text.split("'")[1]
    assert follower.tail(derivation) == tuple(f"line {number}" for number in range(51 - TAIL_LINES, 51))
    assert follower.tail("/nix/store/other.drv") == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_of_several_builds_the_failed_ones_end_badly(version: str) -> None:
    _, told = replay(version, "several")
    assert ends_of(told) == {"first": False, "second": False}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_comes_from_a_binary_cache_is_a_fetch_of_that_path(version: str) -> None:
    _, told = replay(version, "substituted")
    assert labels_of(told) == [(Work.FETCH, "good")]
    assert ends_of(told) == {"good": True}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_derivation_that_only_fetches_is_told_once_as_a_fetch(version: str) -> None:
    name = "hello_2.10-3_amd64.deb"
    _, told = replay(version, "gone", fetched=name)
    assert labels_of(told) == [(Work.FETCH, name)]
    assert ends_of(told) == {name: False}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_trace_of_the_expression_reaches_the_user(version: str) -> None:
    _, told = replay(version, "traced-evaluation")
    assert told == [Notice("trace: a trace")]


def transfer(amounts: Sequence[int], times: Sequence[float]) -> list[Event]:
    told: list[Event] = []
    clock = iter(times)
    follower = Follower(told.append, clock=lambda: next(clock))
    follower.take(Started(1, 101, "downloading", ("http://host.test/dir/big.tar",)))
    for amount in amounts:
        follower.take(Progressed(1, amount, 100, 0, 0))
    follower.take(Stopped(1))
    return told


def test_how_far_a_transfer_is_is_told_a_few_times_a_second_and_at_its_end() -> None:
    told = transfer([0, 10, 11, 12, 50, 100], [10.0, 10.01, 10.02, 10.5, 10.51])
    assert labels_of(told) == [(Work.FETCH, "big.tar")]
    assert [event.done for event in told if isinstance(event, WorkAdvanced)] == [10, 50, 100]


@pytest.mark.parametrize(
    "uri",
    [
        "http://cache.test/nix-cache-info",
        "http://cache.test/00000000000000000000000000000000.narinfo",
        "http://cache.test/nar/1234.nar.xz",
    ],
)
def test_what_a_binary_cache_is_made_of_is_not_told(uri: str) -> None:
    told: list[Event] = []
    follower = Follower(told.append)
    follower.take(Started(1, 101, "downloading", (uri,)))
    follower.take(Progressed(1, 5, 10, 0, 0))
    follower.take(Stopped(1))
    assert told == []


def test_what_was_open_when_nix_died_ends_badly() -> None:
    told: list[Event] = []
    follower = Follower(told.append)
    follower.take(Started(1, 105, "", ("/nix/store/00000000000000000000000000000000-x.drv", "", 1, 1)))
    follower.close()
    assert ends_of(told) == {"x": False}


def test_a_warning_is_passed_on_without_its_prefix() -> None:
    told: list[Event] = []
    follower = Follower(told.append)
    text = "warning: error: unable to download 'http://x.test': no; retrying in 300 ms"
    follower.take(Message(Level.WARN, text, text))
    assert told == [Warned("unable to download 'http://x.test': no; retrying in 300 ms")]


def test_a_warning_of_several_processes_is_told_once() -> None:
    told: list[Event] = []
    warned: set[str] = set()
    for _ in range(2):
        Follower(told.append, warned=warned).take(Message(Level.WARN, "warning: x", "x"))
    assert told == [Warned("x")]


@pytest.mark.parametrize(
    "text",
    [
        "warning: the group 'nixbld' specified in 'build-users-group' does not exist",
        "warning: Nix search path entry '/root/.nix-defexpr/channels' does not exist, ignoring",
        "warning: you did not specify '--add-root'; the result might be removed by the garbage collector",
    ],
)
def test_warnings_that_nixdock_has_dealt_with_are_not_passed_on(text: str) -> None:
    told: list[Event] = []
    Follower(told.append).take(Message(Level.WARN, text, text))
    assert told == []


def test_a_very_long_line_is_kept_in_part_only() -> None:
    follower = Follower(ignore)
    follower.take(Started(1, 105, "", ("/d.drv", "", 1, 1)))
    follower.feed(b'@nix {"action":"result","fields":["' + b"x" * 100_000 + b'"],"id":1,"type":101}\n')
    (line,) = follower.tail("/d.drv")
    assert len(line) < 500
