"""Log lines: silent until asked for, then on stderr only."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nixdock import log

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    yield
    log._sink.logger = None


def test_nothing_is_written_until_configured(capfd: pytest.CaptureFixture[str]) -> None:
    log.get_logger("a").warning("something", field=1)
    assert capfd.readouterr() == ("", "")


def test_lines_go_to_stderr_with_their_fields(capfd: pytest.CaptureFixture[str]) -> None:
    log.configure(log.DEBUG)
    log.get_logger("nixdock.part").debug("step.done", count=3)
    out, err = capfd.readouterr()
    assert out == ""
    assert "step.done" in err
    assert "count=3" in err
    assert "nixdock.part" in err


def test_a_logger_made_before_the_configuration_writes_after_it(capfd: pytest.CaptureFixture[str]) -> None:
    logger = log.get_logger("early")
    log.configure(log.INFO)
    logger.info("now")
    assert "now" in capfd.readouterr().err


def test_json_lines_can_be_read_by_machines(capfd: pytest.CaptureFixture[str]) -> None:
    log.configure(log.INFO, as_json=True)
    log.get_logger("part").info("step", path=__file__, raw=b"\xff")
    line = json.loads(capfd.readouterr().err)
    assert line["event"] == "step"
    assert line["level"] == "info"
    assert line["logger"] == "part"
    assert line["path"] == __file__


def test_lines_below_the_level_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    log.configure(log.INFO)
    log.get_logger("a").debug("detail")
    assert capfd.readouterr().err == ""


def test_structlog_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys; from nixdock import log; log.get_logger('a').info('x');"
        "assert 'structlog' not in sys.modules; log.configure(log.INFO); assert 'structlog' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
