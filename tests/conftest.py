"""What holds for all tests."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

INTEGRATION = Path(__file__).parent / "integration"
ENGINES = {"engine", "any_engine", "fleet"}
"""Fixtures that start an engine; whoever starts one by other means is marked by hand."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long tables be run whole."""
    parser.addoption("--full", action="store_true", help="every row of the long tables, not a sample of them")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what tests need, put slow ones first, and keep of a table marked `sampled(n)` one row in n."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if INTEGRATION in item.path.parents or "stream_golden" in names:
            item.add_marker("nix")
        if names & ENGINES:
            item.add_marker("engine")
    # Workers take whole files: those with slow tests first, and at the end the short ones of the unit tests.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, INTEGRATION not in item.path.parents))
    if config.getoption("--full"):
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    seen: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sampled")
        if mark is None:
            kept.append(item)
            continue
        table = item.nodeid.partition("[")[0]
        row = seen[table] = seen.get(table, -1) + 1
        (left_out if row % mark.args[0] else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    """Have signals reach the programs that the tests start.

    A shell starts its background jobs with SIGINT ignored, nohup and some CI runners their own with SIGHUP,
    and who inherits that goes on ignoring it: the tests of interrupts would wait in vain. A handler, even of
    nothing, is what no program inherits, and the tests themselves still survive the hangup.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in signal.valid_signals() - {signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out of the unit tests those that ask Nix itself, where it is not installed."""
    if INTEGRATION in item.path.parents or item.get_closest_marker("nix") is None:
        return
    if shutil.which("nix-store") is None:
        pytest.skip("Nix is not installed here")
