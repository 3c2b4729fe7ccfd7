"""How the tests of check files read one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.checks.format.suite import read_suite
from nixdock.checks.model import (
    Check,
    Suite,
)
from nixdock.errors import UsageError


def read_text(tmp_path: Path, text: str, name: str = "web.checks.yaml") -> Suite:
    path = tmp_path / name
    path.write_text(text)
    return read_suite(path)


def checks_of(tmp_path: Path, text: str) -> dict[str, Check]:
    indented = "\n".join("  " + line for line in text.strip("\n").splitlines())
    return {check.name: check for check in read_text(tmp_path, f"checks:\n{indented}\n").checks}


def problems_of(tmp_path: Path, text: str, name: str = "web.checks.yaml") -> list[str]:
    with pytest.raises(UsageError) as caught:
        read_text(tmp_path, text, name)
    error = caught.value
    lines = [error.message, *(error.details or "").splitlines()]
    return [line.removeprefix(f"{tmp_path}/") for line in lines]
