"""Checks that each find the image's files as they are, one after the other in one container.

What commands wrote is asked once for many of them: an engine takes forty milliseconds to answer. Until
then their results are held. Where something was written, the first of them alone is sure to have found the
image's files; the others are tried again, and after each of them it is asked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nixdock.checks.running.idle import FilesInDoubtError
from nixdock.errors import NixdockError

if TYPE_CHECKING:
    from nixdock.checks.model import Check
    from nixdock.checks.running.idle_group import IdleGroup
    from nixdock.checks.running.trials import Trials
    from nixdock.checks.verdict import CheckResult

_HELD_SECONDS: Final = 2.0
"""Seconds after which it is asked, so that verdicts come while others are still to be had."""


@dataclass(slots=True)
class InOrder:
    """Has checks judged one after the other.

    Args:
        group: The containers.
        trials: Takes the verdicts.
        fail_fast: Whether a failure must be known before the next check is begun.
    """

    group: IdleGroup
    trials: Trials
    fail_fast: bool = False
    _held: list[tuple[Check, CheckResult]] = field(default_factory=list)
    _since: float = 0.0

    def judge(self, check: Check) -> None:
        """Have the next check judged; its verdict may come later, with `settle` at the latest."""
        if self.trials.refuse(check):
            return
        if not self._held:
            self._since = time.monotonic()
        try:
            result = self._try_out(check)
        except FilesInDoubtError:
            self._repeat(check)
            return
        if self.group.was_shared:
            self._held.append((check, result))
        else:
            self.trials.note(check, result)
        is_bad = result.findings or result.is_error
        if self._held and (time.monotonic() - self._since >= _HELD_SECONDS or (self.fail_fast and is_bad)):
            self.settle()

    def settle(self) -> None:
        """Ask what was written, and note what was held, or try it again."""
        if not self._confirm():
            self._repeat()

    def _try_out(self, check: Check) -> CheckResult:
        self.group.defer(self._confirm)
        try:
            return self.trials.try_out(check, self.group.attempt)
        finally:
            self.group.defer(None)

    def _confirm(self) -> bool:
        """Note what is held if nothing was written; return whether that is so."""
        if self.trials.cancelled.is_set():
            return True
        try:
            is_written = self.group.ask_writes(alone=len(self._held) == 1)
        except NixdockError:
            is_written = True
        if is_written:
            return False
        self._note_held()
        self._since = time.monotonic()
        return True

    def _note_held(self) -> None:
        held, self._held = self._held, []
        for check, result in held:
            self.trials.note(check, result)

    def _repeat(self, *more: Check) -> None:
        """Note the first of those that are held, and try the others again."""
        again = [*(check for check, _ in self._held[1:]), *more]
        self._held = self._held[:1]
        self._note_held()
        for check in again:
            self.trials.judge(check, self.group.attempt)
