"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Have Ctrl-C reach the programs that the tests start.

    A shell starts its background jobs with SIGINT ignored, and who inherits that goes on ignoring it: the
    tests of interrupts would wait in vain when all tests run as `scripts/test &`.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
