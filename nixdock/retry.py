"""What is tried again, and for how long: the policy in one place.

Only a connection that could not be made or was cut at start-up is worth another try: an engine that
is just starting answers in a second or two. An answer, whatever it says, is never asked for twice.
Nothing else in nixdock imports tenacity, and it is imported only once something is to be retried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

log = get_logger(__name__)

Result = TypeVar("Result")

CONNECTION_ATTEMPTS: Final = 4
"""With the pauses below: given up after 0.7 s, so that a machine without an engine is told soon."""

FIRST_PAUSE: Final = 0.1
"""Seconds before the second attempt; each further pause is twice the one before."""


def call_with_retries(
    call: Callable[[], Result],
    *,
    retry_on: Callable[[BaseException], bool],
    attempts: int = CONNECTION_ATTEMPTS,
    first_pause: float = FIRST_PAUSE,
) -> Result:
    """Call until it succeeds, fails in a way that another try will not change, or was tried enough.

    Args:
        call: What to do; it must be safe to do again after a failure that `retry_on` accepts.
        retry_on: Whether a failure is worth another try.
        attempts: How often to call at most.
        first_pause: Seconds before the second attempt, doubled for each that follows.

    Returns:
        What the first successful call returned.

    Raises:
        Exception: The last failure, as it was raised.
    """
    # Most calls succeed at once: they pay neither for the import nor for the machinery.
    try:
        return call()
    except Exception as error:
        if attempts <= 1 or not retry_on(error):
            raise
        log.debug("retry.failed", attempt=1, error=repr(error))
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential  # noqa: PLC0415

    policy = Retrying(
        retry=retry_if_exception(retry_on),
        stop=stop_after_attempt(attempts - 1),
        wait=wait_exponential(multiplier=2 * first_pause),
        before_sleep=_tell,
        reraise=True,
    )
    policy.sleep(first_pause)
    return policy(call)


def _tell(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.debug("retry.failed", attempt=state.attempt_number + 1, error=repr(failure))
