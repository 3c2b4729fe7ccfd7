from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from nixdock.nix.command import NixOptions
from nixdock.nix.machine import runs_alone
from nixdock.nix.settings import (
    NixConfig,
    NixSettings,
    ObservedMachine,
    answers,
    config_files,
    decide,
    find_jobs,
    find_settings,
    find_shell,
    observe,
    read_config,
)

BUSYBOX = Path("/bin/busybox")
BARE = ObservedMachine(
    is_root=True, builds_itself=True, has_build_users=False, is_configured=False, shell=BUSYBOX
)


def machine(**differences: Any) -> ObservedMachine:
    facts = {name: getattr(BARE, name) for name in BARE.__slots__}
    return ObservedMachine(**{**facts, **differences})


def test_root_without_build_users_builds_in_the_sandbox_with_a_shell() -> None:
    assert decide(BARE, NixConfig()) == {
        "build-users-group": "",
        "sandbox": "true",
        "sandbox-paths": "/bin/sh=/bin/busybox",
    }


@pytest.mark.parametrize("facts", [{"has_build_users": True}, {"is_root": False, "shell": None}, {}])
def test_no_sandbox_is_an_error_in_our_own_calls_alone(
    facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixdock.nix.settings.observe", lambda *_: machine(**facts))
    ours = find_settings(NixOptions()).evaluation
    of_the_shell = find_settings(NixOptions(), strict=False).evaluation
    assert ours == {"sandbox-fallback": "false", **of_the_shell}


def test_a_daemon_is_told_nothing_that_it_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "nixdock.nix.settings.observe", lambda *_: machine(is_root=False, builds_itself=False)
    )
    assert find_settings(NixOptions()).evaluation == {}


def test_nothing_is_passed_where_a_daemon_builds() -> None:
    assert decide(machine(is_root=False, builds_itself=False), NixConfig()) == {}


def test_nothing_is_passed_where_the_configuration_is_complete() -> None:
    config = NixConfig(has_build_users=True, sandbox_paths=("/bin/sh=/bin/sh",))
    assert decide(machine(is_configured=True), config) == {}


def test_a_configuration_that_already_says_to_build_as_root_is_respected() -> None:
    assert decide(machine(is_configured=True), NixConfig(build_users_group="")) == {}


def test_who_switches_the_sandbox_off_is_not_given_one() -> None:
    config = NixConfig(sandbox=False)
    assert decide(machine(is_configured=True), config) == {"build-users-group": ""}


def test_a_shell_that_is_configured_but_missing_is_replaced_and_other_paths_stay(tmp_path: Path) -> None:
    config = NixConfig(sandbox_paths=("/bin/sh=/nowhere/sh", f"/opt={tmp_path}"))
    assert (
        decide(machine(is_configured=True), config)["sandbox-paths"]
        == f"/opt={tmp_path} /bin/sh=/bin/busybox"
    )


def test_a_shell_that_comes_with_tools_has_them_where_a_build_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    settings = decide(machine(shell=tmp_path / "sh"), NixConfig())
    assert settings["sandbox-paths"] == f"/bin/sh={tmp_path}/sh /path-not-set={tmp_path}/tools"


@pytest.mark.skipif(not BUSYBOX.exists(), reason="busybox-static is not installed here")
def test_the_package_sets_own_shell_goes_before_its_busybox(tmp_path: Path) -> None:
    assert find_shell(tmp_path) is None
    for place in ("bootstrap/amd64/bin/busybox", "shell/amd64/sh"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(BUSYBOX.read_bytes())
        assert find_shell(tmp_path) == tmp_path / place
    assert observe(NixOptions(), find_shell(tmp_path)).shell == tmp_path / "shell/amd64/sh"


@pytest.mark.skipif(not BUSYBOX.exists(), reason="busybox-static is not installed here")
def test_a_shell_whose_path_has_a_blank_cannot_be_named_to_nix(tmp_path: Path) -> None:
    shell = tmp_path / "a home/sh"
    shell.parent.mkdir()
    shell.write_bytes(BUSYBOX.read_bytes())
    assert observe(NixOptions(), shell).shell == BUSYBOX


def test_a_shell_that_exists_is_left_alone() -> None:
    assert "sandbox-paths" not in decide(machine(is_configured=True), NixConfig(sandbox_paths=("/bin/sh",)))


def test_without_a_static_busybox_no_shell_is_promised() -> None:
    assert "sandbox-paths" not in decide(machine(shell=None), NixConfig())


def test_a_user_who_owns_the_store_needs_no_build_users() -> None:
    assert decide(machine(is_root=False), NixConfig()) == {"sandbox-paths": "/bin/sh=/bin/busybox"}


@pytest.mark.parametrize(
    ("environ", "options", "builds"),
    [
        ({}, NixOptions(), True),
        ({"NIX_REMOTE": "daemon"}, NixOptions(), False),
        ({"NIX_REMOTE": "local"}, NixOptions(), True),
        ({}, NixOptions(store="ssh-ng://builder"), False),
        ({}, NixOptions(store="daemon"), False),
        ({}, NixOptions(store="/srv/root"), True),
        ({}, NixOptions(store="local?root=/srv/root"), True),
    ],
)
def test_who_builds_is_found_as_nix_finds_it(
    environ: dict[str, str], options: NixOptions, builds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert observe(options, environ=environ).builds_itself is builds


def test_an_ordinary_user_builds_only_where_the_state_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert observe(NixOptions(), environ={"NIX_STATE_DIR": str(tmp_path)}).builds_itself
    # Where there is none, a current Nix makes one that is theirs.
    assert observe(NixOptions(), environ={"NIX_STATE_DIR": str(tmp_path / "none")}).builds_itself
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert not observe(NixOptions(), environ={"NIX_STATE_DIR": str(tmp_path)}).builds_itself


@pytest.mark.parametrize(
    ("environ", "file"),
    [
        ({"NIX_CONF_DIR": "{}", "HOME": "/nowhere"}, "nix.conf"),
        ({"NIX_CONF_DIR": "/nowhere", "HOME": "{}"}, ".config/nix/nix.conf"),
        ({"NIX_CONF_DIR": "/nowhere", "XDG_CONFIG_HOME": "{}"}, "nix/nix.conf"),
        ({"NIX_CONF_DIR": "/nowhere", "NIX_USER_CONF_FILES": "/nowhere:{}/mine.conf"}, "mine.conf"),
        ({"NIX_CONF_DIR": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere:{}"}, "nix/nix.conf"),
    ],
)
def test_a_configuration_is_looked_for_where_nix_looks(
    tmp_path: Path, environ: dict[str, str], file: str
) -> None:
    environ = {name: value.format(tmp_path) for name, value in environ.items()}
    assert not observe(NixOptions(), environ=environ).is_configured
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    assert tmp_path / file in config_files(environ)
    assert observe(NixOptions(), environ=environ).is_configured


def test_the_environment_is_a_configuration_too() -> None:
    environ = {"NIX_CONF_DIR": "/nowhere", "HOME": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere"}
    assert not observe(NixOptions(), environ=environ).is_configured
    assert observe(NixOptions(), environ={**environ, "NIX_CONFIG": "cores = 1"}).is_configured


# As `nix show-config --json` of 2.8, 2.26 and 2.34 prints them, but for what is not read.
SHOWN: dict[str, dict[str, Any]] = {
    "2.8": {
        "build-users-group": {"value": "nixbld-of-nobody"},
        "sandbox": {"value": True},
        "sandbox-paths": {"value": ["/bin/sh=/bin/busybox"]},
        "substituters": {"value": ["https://cache.test/"]},
        "experimental-features": {"value": [2, 3]},
    },
    "2.26": {
        "auto-allocate-uids": {"value": False},
        "build-users-group": {"value": "nixbld-of-nobody"},
        "sandbox": {"value": "relaxed"},
        "sandbox-paths": {"value": ["/bin/sh=/bin/busybox"]},
        "substituters": {"value": ["https://cache.test/"]},
        "experimental-features": {"value": ["flakes", "fetch-tree", "nix-command"]},
    },
    "2.34": {
        "auto-allocate-uids": {"value": False},
        "build-users-group": {"value": "nixbld-of-nobody"},
        "sandbox": {"value": True},
        "sandbox-paths": {"value": {"/bin/sh": {"optional": False, "source": "/bin/busybox"}}},
        "substituters": {"value": ["https://cache.test/"]},
        "experimental-features": {"value": ["flakes", "nix-command"]},
    },
}


@pytest.mark.parametrize("version", SHOWN)
def test_the_configuration_is_read_as_every_nix_prints_it(version: str) -> None:
    assert read_config(SHOWN[version]) == NixConfig(
        build_users_group="nixbld-of-nobody",
        has_build_users=False,
        sandbox=True,
        sandbox_paths=("/bin/sh=/bin/busybox",),
        substituters=("https://cache.test/",),
        flakes=True,
    )


def test_users_that_nix_makes_up_itself_are_build_users() -> None:
    assert read_config({"auto-allocate-uids": {"value": True}}).has_build_users


def test_nothing_said_is_nix_s_own_default() -> None:
    assert read_config({}) == NixConfig()


def test_a_cache_that_takes_no_connection_is_left_out_of_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with socket.create_server(("127.0.0.1", 0)) as closing:
            gone = f"http://127.0.0.1:{closing.getsockname()[1]}/"
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        told = NixSettings({"sandbox": "true"}, lambda: [there, gone])
        assert told.evaluation == {"sandbox": "true"}
        assert told.for_build() == {"sandbox": "true", "substituters": there}
        assert told.as_nix_config() == f"sandbox = true\nsubstituters = {there}\n"
        assert NixSettings({}, lambda: [there]).for_build() == {}
    # What builds again at once does not ask again.
    assert NixSettings({}, lambda: [there]).for_build() == {}
    monkeypatch.setattr("nixdock.nix.settings._LATELY", 0.0)
    assert NixSettings({}, lambda: [there]).for_build() == {"substituters": ""}


def test_what_only_nix_can_reach_is_taken_to_answer(tmp_path: Path) -> None:
    assert answers("s3://bucket", {})
    assert answers("ssh://host", {})
    assert answers("https://cache.invalid/", {"https_proxy": "http://proxy.test:3128"})
    assert answers(f"file://{tmp_path}", {})
    assert not answers(f"file://{tmp_path}/none", {})


@pytest.mark.skipif(not BUSYBOX.exists(), reason="busybox-static is not installed here")
def test_a_static_program_is_told_from_one_that_needs_a_loader(tmp_path: Path) -> None:
    assert runs_alone(BUSYBOX)
    assert not runs_alone(Path("/bin/ls"))
    assert not runs_alone(tmp_path)
    assert not runs_alone(tmp_path / "none")
    (tmp_path / "text").write_text("#!/bin/sh\n")
    assert not runs_alone(tmp_path / "text")
    (tmp_path / "cut").write_bytes(BUSYBOX.read_bytes()[:40])
    assert not runs_alone(tmp_path / "cut")
    foreign = bytearray(BUSYBOX.read_bytes()[:4096])
    foreign[0x12] = 0xF7  # EM_BPF: no machine runs it
    (tmp_path / "foreign").write_bytes(foreign)
    assert not runs_alone(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("options", "file", "config", "several"),
    [
        (NixOptions(), None, "", True),
        (NixOptions(), "sandbox = true\n", "", True),
        (NixOptions(), "# max-jobs is what it is\n", "", True),
        (NixOptions(), "max-jobs = 1\n", "", False),
        (NixOptions(), "!include secrets.conf\n", "", False),
        (NixOptions(), None, "cores = 1\n max-jobs = 1", False),
        (NixOptions(max_jobs="1"), None, "", False),
        (NixOptions(settings=(("max-jobs", "1"),)), None, "", False),
    ],
)
def test_several_are_built_at_a_time_where_nobody_said_how_many(
    options: NixOptions, file: str | None, config: str, several: bool, tmp_path: Path
) -> None:
    environ = {"NIX_CONF_DIR": str(tmp_path), "HOME": str(tmp_path / "home"), "NIX_CONFIG": config}
    if file is not None:
        (tmp_path / "nix.conf").write_text(file)
    assert find_jobs(options, environ) == ({"max-jobs": "auto"} if several else {})
