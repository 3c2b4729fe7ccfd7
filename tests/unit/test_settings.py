"""Where nixdock keeps things, whatever the environment says, and that nobody else sees them."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from nixdock import settings
from nixdock.errors import UsageError

VARIABLES = ("HOME", "NIXDOCK_CACHE_DIR", "NIXDOCK_STATE_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")


@pytest.mark.parametrize(
    ("environment", "cache", "state"),
    [
        ({"HOME": "/home/me"}, "/home/me/.cache/nixdock", "/home/me/.local/state/nixdock"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/c"}, "/c/nixdock", "/home/me/.local/state/nixdock"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/s"}, "/home/me/.cache/nixdock", "/s/nixdock"),
        (
            {"HOME": "/home/me", "XDG_CACHE_HOME": "c", "XDG_STATE_HOME": "../s"},
            "/home/me/.cache/nixdock",
            "/home/me/.local/state/nixdock",
        ),
        (
            {"HOME": "/home/me", "XDG_CACHE_HOME": "", "XDG_STATE_HOME": ""},
            "/home/me/.cache/nixdock",
            "/home/me/.local/state/nixdock",
        ),
        ({"NIXDOCK_CACHE_DIR": "/n", "XDG_CACHE_HOME": "/c", "NIXDOCK_STATE_DIR": "/m"}, "/n", "/m"),
        ({"NIXDOCK_CACHE_DIR": "", "HOME": "/h"}, "/h/.cache/nixdock", "/h/.local/state/nixdock"),
        ({}, "/dev/null/.cache/nixdock", "/dev/null/.local/state/nixdock"),
        ({"HOME": ""}, "/dev/null/.cache/nixdock", "/dev/null/.local/state/nixdock"),
    ],
)
def test_the_folders(
    environment: dict[str, str], cache: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert (str(settings.cache_dir()), str(settings.state_dir())) == (cache, state)


@pytest.mark.parametrize("home", [None, ""])
def test_without_a_home_in_the_environment_it_is_the_machines(
    home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert settings.home_dir() == Path(pwd.getpwuid(os.geteuid()).pw_dir)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_made_is_private_and_what_is_there_becomes_so(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        settings.make_private(tmp_path / "new" / "nixdock")
        (tmp_path / "old").mkdir(mode=0o777)
        settings.make_private(tmp_path / "old")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new" / "nixdock") == mode(tmp_path / "old") == 0o700


def test_what_holds_it_is_private_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = os.umask(0)
    try:
        settings.make_private(settings.cache_dir() / "library" / "inner")
        settings.make_private(settings.state_dir() / "locks")
    finally:
        os.umask(before)
    assert [mode(path) for path in (settings.cache_dir(), settings.state_dir())] == [0o700, 0o700]


def test_a_folder_that_the_user_named_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path))
    settings.make_private(tmp_path)
    settings.make_private(tmp_path / "nixpkgs")
    assert (mode(tmp_path), mode(tmp_path / "nixpkgs")) == (0o755, 0o700)


def test_what_is_not_there_need_not_be_closed(tmp_path: Path) -> None:
    settings.close_to_others(tmp_path / "nothing")
    settings.close_to_others(Path("/dev/null/x"))
    assert not settings.is_there(tmp_path / "nothing")
    assert not settings.is_there(tmp_path / ("x" * 300))


def test_a_lock_is_one_holder_s_at_a_time(tmp_path: Path) -> None:
    with settings.locked(tmp_path / "lock"):
        with pytest.raises(BlockingIOError), settings.locked(tmp_path / "lock", wait=False):
            pass
        with settings.locked(tmp_path / "other", wait=False):
            pass
    with settings.locked(tmp_path / "lock", wait=False):
        pass


@pytest.mark.parametrize(
    ("said", "wanted"),
    [(None, False), ("", False), ("0", False), ("no", False), ("1", True), ("YES", True), (" true ", True)],
)
def test_whether_store_paths_are_mounted(
    said: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIXDOCK_HOST_STORE", raising=False)
    if said is not None:
        monkeypatch.setenv("NIXDOCK_HOST_STORE", said)
    assert settings.wants_host_store() is wanted


def test_a_setting_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXDOCK_HOST_STORE", "maybe")
    with pytest.raises(UsageError, match="NIXDOCK_HOST_STORE is 'maybe', and must be yes or no"):
        settings.wants_host_store()
