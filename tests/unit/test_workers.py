"""Several things at a time: what came of each in their order, and no more than so many."""

from __future__ import annotations

import time
from functools import partial
from threading import Event, Lock

import pytest

from nixdock.errors import LoadError
from nixdock.workers import do_together


def test_results_and_errors_come_in_the_order_of_the_jobs() -> None:
    def job(number: int) -> int:
        time.sleep(0.02 * (5 - number))
        if number == 2:
            raise LoadError("no")
        return number

    first, *others = do_together([partial(job, number) for number in range(5)], 5)
    assert first == 0
    assert isinstance(others.pop(1), LoadError)
    assert others == [1, 3, 4]


def test_no_more_than_so_many_are_done_at_a_time() -> None:
    lock = Lock()
    going = most = 0

    def job() -> None:
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        time.sleep(0.01)
        with lock:
            going -= 1

    assert do_together([job] * 12, 3) == [None] * 12
    assert most == 3
    assert do_together([], 3) == []


def test_a_fault_of_ours_ends_them_all() -> None:
    stopped = Event()
    begun: list[int] = []

    def job(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ZeroDivisionError
        stopped.wait(5)

    with pytest.raises(ZeroDivisionError):
        do_together([partial(job, number) for number in range(9)], 2, stopped)
    assert stopped.is_set()
    assert len(begun) <= 3
