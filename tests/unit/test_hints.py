"""Commands to type next, for root and for others."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nixdock.hints import as_root, join_group, ourselves_as_root


def test_root_needs_nothing_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert as_root("apt-get update") == "apt-get update"
    assert ourselves_as_root("engine start") == "nixdock engine start"


def test_others_have_sudo_or_roots_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert as_root("apt-get update") == "sudo apt-get update"
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert as_root("apt-get update") == "su - -c 'apt-get update'"


@pytest.mark.parametrize(
    ("known", "environ", "name"),
    [
        (True, {"USER": "root"}, "ann"),
        (False, {"USER": "bob", "LOGNAME": "eve"}, "bob"),
        (False, {"LOGNAME": "eve"}, "eve"),
        (False, {}, "USER"),
    ],
)
def test_who_joins_a_group_is_named_and_not_left_to_roots_shell(
    known: bool, environ: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(number: int) -> SimpleNamespace:
        if not known:
            raise KeyError(number)
        return SimpleNamespace(pw_name="ann")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pwd, "getpwuid", find)
    monkeypatch.setattr(os, "environ", environ)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert join_group("docker") == f"su - -c 'usermod -aG docker {name}', then log in again"


def test_sudo_finds_us_by_our_path(monkeypatch: pytest.MonkeyPatch, installed: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "executable", str(installed / "python"))
    assert ourselves_as_root("engine start") == f"sudo {installed}/nixdock engine start"
    monkeypatch.setattr(sys, "executable", "/usr/nowhere/python")
    assert ourselves_as_root("engine start") == "sudo /usr/bin/nixdock engine start"
