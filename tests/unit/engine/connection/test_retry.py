"""Retries: only of what is worth it, and only as often as said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nixdock.engine.connection.patience import call_with_retries


class Flaky:
    """Fails so often, then answers."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def is_refused(error: BaseException) -> bool:
    return isinstance(error, ConnectionRefusedError)


def test_the_first_answer_is_returned() -> None:
    flaky = Flaky([])
    assert call_with_retries(flaky, retry_on=is_refused) == "answer"
    assert flaky.calls == 1


def test_a_refused_connection_is_tried_again() -> None:
    flaky = Flaky([ConnectionRefusedError(), ConnectionRefusedError()])
    assert call_with_retries(flaky, retry_on=is_refused, first_pause=0) == "answer"
    assert flaky.calls == 3


def test_another_failure_is_raised_at_once() -> None:
    flaky = Flaky([ValueError("no")])
    with pytest.raises(ValueError, match="no"):
        call_with_retries(flaky, retry_on=is_refused, first_pause=0)
    assert flaky.calls == 1


def test_another_failure_after_a_retry_is_raised() -> None:
    flaky = Flaky([ConnectionRefusedError(), ValueError("no")])
    with pytest.raises(ValueError, match="no"):
        call_with_retries(flaky, retry_on=is_refused, first_pause=0)
    assert flaky.calls == 2


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_it_is_given_up_after_so_many_attempts_with_the_last_failure(attempts: int) -> None:
    flaky = Flaky([ConnectionRefusedError(str(number)) for number in range(9)])
    with pytest.raises(ConnectionRefusedError, match=str(attempts - 1)):
        call_with_retries(flaky, retry_on=is_refused, attempts=attempts, first_pause=0)
    assert flaky.calls == attempts


def test_tenacity_is_not_imported_where_nothing_fails() -> None:
    program = (
        "import sys; from nixdock.engine.connection.patience import call_with_retries as call;"
        "call(lambda: 1, retry_on=lambda e: True); assert 'tenacity' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
