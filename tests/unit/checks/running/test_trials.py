"""From tries to verdicts: waiting, errors, the first failure, the end of the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.model import Check, Command
from nixdock.checks.running.live import LiveService
from nixdock.checks.running.trials import Choice, Trials, VerdictLedger
from nixdock.checks.verdict import CheckResult, Finding, Status, Verdict
from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.errors import CheckError

CHECK = Check("a", ExecCheck(Command(("x",))), interval=0.01)


def _bad() -> CheckResult:
    return CheckResult([Finding("stdout", "wrong")])


def _judge(check: Check, attempt: Callable[[Check], CheckResult], **more: object) -> Verdict:
    ledger = VerdictLedger([check.name], fail_fast=False)
    Trials("it", ledger, **more).judge(check, attempt)  # type: ignore[arg-type]
    (verdict,) = ledger.verdicts()
    return verdict


def test_one_try_is_enough_unless_it_may_take_time() -> None:
    tries: list[Check] = []

    def attempt(check: Check) -> CheckResult:
        tries.append(check)
        return _bad()

    assert _judge(CHECK, attempt).status is Status.FAIL
    assert len(tries) == 1


def test_what_may_take_time_is_tried_until_it_holds() -> None:
    tries: list[Check] = []

    def attempt(check: Check) -> CheckResult:
        tries.append(check)
        return CheckResult() if len(tries) == 3 else _bad()

    verdict = _judge(replace(CHECK, within=60), attempt)

    assert verdict.status is Status.PASS
    assert verdict.notes[0].startswith("it held at try 3, after ")


def test_what_never_holds_fails_when_its_time_is_up() -> None:
    verdict = _judge(replace(CHECK, within=0.05), lambda _check: _bad())

    assert verdict.status is Status.FAIL
    assert verdict.notes[0].startswith("it did not hold at try ")


def test_what_is_found_after_a_run_was_stopped_says_nothing() -> None:
    ledger = VerdictLedger(["a"], fail_fast=False)
    trials = Trials("it", ledger)

    def attempt(_check: Check) -> CheckResult:
        trials.cancelled.set()
        return _bad()

    trials.judge(CHECK, attempt)

    (verdict,) = ledger.verdicts()
    assert verdict.status is Status.ERROR
    assert verdict.findings[0].message == "the run was stopped"


def test_an_engine_that_is_gone_is_no_fault_of_the_service() -> None:
    def fail(*_: object) -> Any:
        raise EngineUnreachableError("no engine answers")

    engine = cast("Any", SimpleNamespace(find_container=fail))
    live = LiveService(engine, "c", "web", lambda: b"")
    ledger = VerdictLedger(["a"], fail_fast=False)

    Trials("it", ledger).judge(CHECK, fail, live)

    (verdict,) = ledger.verdicts()
    assert (verdict.status, verdict.findings[0].message) == (Status.ERROR, "no engine answers")


def _ask_gone(live: LiveService) -> CheckResult:
    live.details()
    return _bad()


def test_a_service_that_is_gone_is_to_blame_itself() -> None:
    live = LiveService(cast("Any", SimpleNamespace(find_container=lambda _: None)), "c", "web", lambda: b"")
    ledger = VerdictLedger(["a"], fail_fast=False)

    Trials("it", ledger).judge(CHECK, lambda _: _ask_gone(live), live)

    (verdict,) = ledger.verdicts()
    assert (verdict.status, verdict.findings[0].message) == (Status.FAIL, "web is gone")


def test_what_could_not_be_done_is_an_error_with_its_reasons() -> None:
    def attempt(_check: Check) -> CheckResult:
        raise CheckError("the engine is gone", hint="start it", details="more")

    verdict = _judge(CHECK, attempt)

    assert verdict.status is Status.ERROR
    assert verdict.findings == (Finding("", "the engine is gone", "start it\nmore"),)


def test_nothing_is_begun_when_the_time_is_up() -> None:
    verdict = _judge(CHECK, lambda _check: pytest.fail("it was begun"), deadline=time.monotonic() - 1)

    assert verdict.status is Status.ERROR
    assert verdict.findings[0].message == "the time of the whole run was up (--timeout)"


def test_the_first_failure_stops_what_has_not_begun() -> None:
    ledger = VerdictLedger(["a", "b"], fail_fast=True)
    trials = Trials("it", ledger)

    trials.judge(CHECK, lambda _check: _bad())
    trials.judge(replace(CHECK, name="b"), lambda _check: pytest.fail("it was begun"))

    assert [verdict.status for verdict in ledger.verdicts()] == [Status.FAIL, Status.SKIP]


def test_a_check_that_is_expected_to_fail_is_bad_news_when_it_holds() -> None:
    known = replace(CHECK, xfail="bug 7")

    failing = _judge(known, lambda _check: _bad())
    holding = _judge(known, lambda _check: CheckResult())

    assert (failing.status, failing.reason) == (Status.SKIP, "it fails, as expected: bug 7")
    assert holding.status is Status.FAIL
    assert holding.findings[0].message == "it holds, and was expected to fail: bug 7"


def test_verdicts_are_told_in_the_order_of_the_checks() -> None:
    ledger = VerdictLedger(["a", "b", "c"], fail_fast=False)

    def names() -> list[str]:
        return [verdict.name for verdict in ledger.take()]

    ledger.note(Verdict("b", "x", Status.PASS))
    assert names() == []
    assert ledger.missing() == ("a", "c")
    ledger.note(Verdict("a", "x", Status.FAIL))
    assert names() == ["a", "b"]
    ledger.note(Verdict("a", "x", Status.PASS))
    ledger.note(Verdict("c", "x", Status.PASS))
    assert names() == ["c"]
    assert ledger.failed(["a", "b"])
    assert not ledger.failed(["b"])


@pytest.mark.parametrize(
    ("patterns", "tags", "chosen"),
    [
        ((), (), ["tls-old", "tls-new", "http"]),
        (("tls",), (), ["tls-old", "tls-new"]),
        (("*-new", "http"), (), ["tls-new", "http"]),
        (("!tls",), (), ["http"]),
        (("tls", "!*-old"), (), ["tls-new"]),
        ((), ("slow",), ["tls-old"]),
        ((), ("!slow",), ["tls-new", "http"]),
        (("http",), ("slow",), []),
    ],
)
def test_checks_are_chosen_by_name_and_tag(
    patterns: tuple[str, ...], tags: tuple[str, ...], chosen: list[str]
) -> None:
    checks = [
        replace(CHECK, name="tls-old", tags=("slow", "net")),
        replace(CHECK, name="tls-new"),
        replace(CHECK, name="http", tags=("net",)),
    ]

    assert [check.name for check in checks if Choice(patterns, tags).includes(check)] == chosen
