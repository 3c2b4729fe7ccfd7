"""The import of the SDK: whole, or not at all; and nothing is opened that nobody would close."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection.refusals import EngineUnreachableError
from support.hostile import Hostile

from .hostile_calls import reached

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTED = """
import sys
from nixdock.engine.connection.ways import import_sdk

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "requests.adapters":
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
try:
    import_sdk()
except KeyboardInterrupt:
    print("interrupted")
import_sdk()
import requests
print(requests.exceptions.__name__)
"""


def test_an_import_that_was_interrupted_begins_anew() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("interrupted\nrequests.exceptions\n", "")


def test_a_thread_that_outlives_the_connection_opens_none(tmp_path: Path) -> None:
    with Hostile(tmp_path / "s", "", "stall") as hostile:
        with reached(hostile) as engine:
            pass
        with pytest.raises(EngineUnreachableError, match="has been closed"):
            engine.start_exec("e")
    assert hostile.asked == ["GET /version"]
