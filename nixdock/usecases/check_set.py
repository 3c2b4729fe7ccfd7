"""Judging the images of a set side by side; what is told of them comes in the order of the set."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from nixdock.checks.running.passes import is_self_contained
from nixdock.checks.running.runner import SuiteResult
from nixdock.checks.verdict import Report
from nixdock.engine.containers.terminal import caught
from nixdock.errors import NixdockError
from nixdock.workers import do_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nixdock.checks.model import ContainerSettings, Suite
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.connection.api import Engine

    Judge = Callable[[Callable[[Verdict], None], list[int]], Iterable[SuiteResult]]


def may_stand_side_by_side(suites: Iterable[Suite], common: ContainerSettings) -> bool:
    """Whether images can be judged at one time: no container of one meets another's, or the machine's.

    Args:
        suites: What is expected of each.
        common: What the command line says of all containers.
    """
    suites = tuple(suites)
    made = (common, *(one for suite in suites for one in (suite.run, suite.service) if one is not None))
    if any(option == "publish" for settings in made for option, _ in settings.options):
        # The second to ask for a port of this machine would not get it.
        return False
    return all(
        is_self_contained(
            (common, suite.run, suite.service, suite.ready, *(one.what for one in suite.checks))
        )
        # How long something takes says nothing beside others.
        and not any(one.kind == "budget" for one in suite.checks)
        for suite in suites
    )


def judge_side_by_side(
    judges: Sequence[Judge], tell: Callable[[Verdict], None], at_most: int, engine: Engine | None
) -> SuiteResult:
    """Have images judged several at a time.

    Args:
        judges: Of each image: given whom to tell and the signals that came, its results.
        tell: Told each verdict, in the order of the images.
        at_most: How many are judged at one time.
        engine: Where they are judged; None where none is needed.

    Raises:
        NixdockError: One could not be judged; the others are.
    """
    began = time.monotonic()
    signals: list[int] = []
    telling = _Telling(tell, len(judges))

    def judge(number: int) -> list[SuiteResult]:
        try:
            return [] if signals else list(judges[number](partial(telling.tell, number), signals))
        finally:
            telling.end(number)

    with caught(signals.append), nullcontext() if engine is None else engine.patience.apart():
        ended = do_together([partial(judge, number) for number in range(len(judges))], at_most)
    results: list[SuiteResult] = []
    for one in ended:
        if isinstance(one, NixdockError):
            raise one
        results += one
    verdicts = tuple(verdict for result in results for verdict in result.report.verdicts)
    report = Report(verdicts, time.monotonic() - began)
    return SuiteResult(report, signals[0] if signals else None, any(result.timed_out for result in results))


class _Telling:
    """Tells the verdicts of several images, each once all of those before it are told."""

    def __init__(self, tell: Callable[[Verdict], None], count: int) -> None:
        self._tell = tell
        self._lock = Lock()
        self._held: list[list[Verdict]] = [[] for _ in range(count)]
        self._ended = [False] * count
        self._turn = 0

    def tell(self, number: int, verdict: Verdict) -> None:
        """Tell a verdict of an image, or hold it until its turn."""
        with self._lock:
            self._held[number].append(verdict)
            self._flush()

    def end(self, number: int) -> None:
        """Note that an image has no more verdicts."""
        with self._lock:
            self._ended[number] = True
            self._flush()

    def _flush(self) -> None:
        while self._turn < len(self._held):
            held = self._held[self._turn]
            while held:
                self._tell(held.pop(0))
            if not self._ended[self._turn]:
                return
            self._turn += 1
