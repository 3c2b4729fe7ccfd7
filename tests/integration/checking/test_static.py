"""Checks of an image's own bytes: without an engine, in every form that an image has."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from integration.checking.conftest import Checker, busybox
from support.archives import Sample, docker_archive, oci_entries, tar, write_folder
from support.layers import file, folder, link, tar_of
from support.program import Nixdock

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
HASH = "4b1sx2gsbb8iqm93q7cknh6b9wrmr8h4"
PAGE = b"<h1>Welcome</h1>\n"
SAMPLE = Sample(
    (
        tar_of([
            *busybox(), folder("srv", 0o750), file("srv/page", b"old", 0o640, 999, 998), file("srv/gone"),
        ]),
        tar_of([
            file("srv/page", PAGE, 0o640, 999, 998),
            file("srv/.wh.gone"),
            link("web", f"/nix/store/{HASH}-web"),
            file(f"nix/store/{HASH}-web/bin/web", b"#!/bin/sh\n", 0o555),
        ]),
    ),
    ("static:1",),
    {"Cmd": ["/web/bin/web"], "User": "web", "Env": ["PATH=/bin"], "ExposedPorts": {"80/tcp": {}}},
)  # fmt: skip
GOOD: dict[str, Any] = {
    "page": {"file": "/srv/page", "mode": "0640", "user": "web", "group": "web", "uid": 999, "gid": 998},
    "content": {"file": "/srv/page", "content": {"contains": "Welcome"}, "size": 17},
    "sum": {"file": "/srv/page", "sha256": hashlib.sha256(PAGE).hexdigest()},
    "removed": {"file": "/srv/gone", "exists": False},
    "linked": {"file": "/web/bin/web", "mode": "r-xr-xr-x"},
    "link": {"file": "/web", "target": {"matches": "-web$"}},
    "entries": {"file": "/srv", "entries": ["page"], "mode": "drwxr-xr-x"},
    "pattern": {"file": "/nix/store/*/bin/*", "mode": "0555"},
    "user": {"unix_user": "web", "uid": 999, "home": "/srv"},
    "group": {"unix_group": "web", "gid": 998},
    "config": {
        "config": {"User": "web", "Entrypoint": None, "ExposedPorts": ["80"], "Env": {"PATH": "/bin"}}
    },
    "machine": {"config": {"architecture": "amd64", "os": "linux", "rootfs.type": "layers"}},
    "size": {"size": {"max": "10MB", "layers": 2}},
    "closure": {"closure": {"allow": ["web"], "complete": True}},
    "lint": {"lint": {"skip": ["certificates"]}},
}
BAD: dict[str, tuple[Any, str]] = {
    "page": ({"file": "/srv/page", "mode": "0644"}, "mode: expected to be 0644, found 0640 (-rw-r-----)"),
    "content": ({"file": "/srv/page", "content": "old"}, "content: "),
    "sum": ({"file": "/srv/page", "sha256": "0" * 64}, "sha256: "),
    "absent": ({"file": "/srv/gone"}, "/srv/gone is not in the image"),
    "present": ({"file": "/srv/page", "exists": False}, "/srv/page is in the image"),
    "owner": ({"file": "/srv/page", "user": "root"}, "found web (uid 999)"),
    "user": ({"unix_user": "web", "shell": "/bin/false"}, "shell: "),
    "group": ({"unix_group": "wheel"}, "there is no group wheel"),
    "config": ({"config": {"User": None}}, 'User: expected to be unset, found "web"'),
    "health": ({"config": {"Healthcheck": {"Test": ["CMD", "x"]}}}, "Healthcheck: Test: "),
    "size": ({"size": "1kB"}, "size: expected to be at most 1 kB"),
    "closure": ({"closure": {"forbid": ["web*"]}}, "/web -> /nix/store/"),
}


def _forms(folder: Path) -> dict[str, Path]:
    archive = docker_archive(SAMPLE)
    forms = {
        "archive": archive,
        "gzip": gzip.compress(archive, 1),
        "compressed layers": docker_archive(SAMPLE, layer_codec="gzip"),
        "OCI archive": tar(oci_entries(SAMPLE, layer_codec="zstd")),
    }
    paths = {name: folder / f"{name}.tar" for name in forms}
    for name, data in forms.items():
        paths[name].write_bytes(data)
    paths["OCI folder"] = write_folder(folder / "oci", oci_entries(SAMPLE))
    return paths


@pytest.mark.parametrize("form", ["archive", "gzip", "compressed layers", "OCI archive", "OCI folder"])
def test_no_engine_is_needed_whatever_the_form(nixdock: Nixdock, tmp_path: Path, form: str) -> None:
    path = _forms(tmp_path)[form]
    checker = Checker.__new__(Checker)
    checker.nixdock = Nixdock({**nixdock.environment, **NO_ENGINE}, nixdock.folder)

    checked = checker(GOOD, image=path)

    assert checked.statuses() == dict.fromkeys(GOOD, "PASS"), checked.run.stdout + checked.run.stderr
    assert checked.status == 0


def test_an_image_of_the_engine_is_read_too(check: Checker) -> None:
    check.engine.docker("load", stdin=docker_archive(SAMPLE))

    checked = check(GOOD, image="static:1")

    assert checked.statuses() == dict.fromkeys(GOOD, "PASS"), checked.run.stdout + checked.run.stderr


def test_what_does_not_hold_of_an_image_fails_and_says_why(nixdock: Nixdock, tmp_path: Path) -> None:
    checker = Checker.__new__(Checker)
    checker.nixdock = Nixdock({**nixdock.environment, **NO_ENGINE}, nixdock.folder)

    checked = checker({name: value for name, (value, _) in BAD.items()}, image=_forms(tmp_path)["archive"])

    assert checked.statuses() == dict.fromkeys(BAD, "FAIL"), checked.run.stdout
    for name, (_, words) in BAD.items():
        assert words in checked.said(name)
    assert checked.status == 1


def test_a_check_that_needs_an_engine_says_so_where_there_is_none(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"checks": {"a": {"exec": ["true"]}}}')

    run = nixdock("check", _forms(tmp_path)["archive"], "--checks", tmp_path / "x.json", env=NO_ENGINE)

    assert run.status == 125
    assert "unix:///nowhere/docker.sock" in run.stderr


def test_who_asks_for_static_checks_alone_needs_no_engine(nixdock: Nixdock, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker_archive(SAMPLE))
    suite = tmp_path / "mixed.checks.json"
    checks = {"page": GOOD["page"], "runs": {"run": []}, "serves": {"http": "/"}}
    suite.write_text(json.dumps({"version": 1, "ready": {"tcp": 80}, "checks": checks}))
    run = nixdock("check", archive, "--checks", suite, "--static", "--json", env=NO_ENGINE)
    assert run.status == 0, run.stderr
    assert {one["name"]: one["status"] for one in json.loads(run.stdout)["checks"]} == {
        "page": "PASS",
        "runs": "SKIP",
        "serves": "SKIP",
    }
    failing = nixdock("check", archive, "--checks", suite, env=NO_ENGINE)
    assert failing.status == 125


def test_static_checks_alone_of_a_file_of_another_program_are_refused(
    nixdock: Nixdock, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker_archive(SAMPLE))
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text("schemaVersion: 2.0.0\ncommandTests: [{name: a, command: b}]\n")
    run = nixdock("check", archive, "--config", theirs, "--static", env=NO_ENGINE)
    assert run.status == 2
    assert f"--static is not for {theirs}, a file of container-structure-test" in run.stderr


def test_a_check_file_includes_others_and_says_which_is_not_there(nixdock: Nixdock, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker_archive(SAMPLE))
    (tmp_path / "common.checks.yaml").write_text("checks: {shell: {file: /bin/sh}}\n")
    suite = tmp_path / "own.checks.yaml"
    suite.write_text("include: [common.checks.yaml]\nchecks: {gone: {file: /srv/gone, exists: false}}\n")
    run = nixdock("check", archive, "--checks", suite, "--json", env=NO_ENGINE)
    assert run.status == 0, run.stderr
    assert {one["name"] for one in json.loads(run.stdout)["checks"]} == {"shell", "gone"}
    (tmp_path / "common.checks.yaml").unlink()
    lacking = nixdock("check", archive, "--checks", suite, env=NO_ENGINE)
    assert lacking.status == 2
    assert "common.checks.yaml" in lacking.stderr
