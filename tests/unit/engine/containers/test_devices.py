"""Files of devices as engines read them, where those look, and whose containers have one."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from nixdock.engine.connection.responses import EngineInfo, EngineVersion
from nixdock.engine.connection.traits import Traits
from nixdock.engine.containers.devices import (
    ClosureDevice,
    check_name,
    find_directories,
    find_users,
    read_files,
    remove_file,
    require_writable,
    write_file,
)
from nixdock.errors import EngineError, NixdockError, UsageError

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine

LIBC, TOOL = "/nix/store/aaaa-libc", "/nix/store/bbbb-tool"
WEB = ClosureDevice("web", (LIBC, TOOL))
WRITTEN = {
    "cdiVersion": "0.5.0",
    "kind": "nixdock.io/closure",
    "devices": [
        {
            "name": "web",
            "containerEdits": {
                "mounts": [
                    {"hostPath": LIBC, "containerPath": LIBC, "options": ["bind", "ro", "rprivate"]},
                    {"hostPath": TOOL, "containerPath": TOOL, "options": ["bind", "ro", "rprivate"]},
                ]
            },
        }
    ],
}


def test_a_file_is_what_every_parser_takes(tmp_path: Path) -> None:
    path = write_file(tmp_path / "etc" / "cdi", WEB)
    # Nothing else: parsers refuse a file with a key that they do not know.
    assert json.loads(path.read_bytes()) == WRITTEN
    assert path == tmp_path / "etc" / "cdi" / "nixdock.io-closure_web.json"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert (WEB.id, str(WEB.image)) == ("nixdock.io/closure=web", "nixdock.invalid/closure/web:latest")


def test_a_file_takes_the_place_of_the_one_before_and_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    directory = tmp_path / "cdi"
    directory.mkdir(mode=0o700)
    (directory / WEB.file_name).symlink_to(precious)
    write_file(directory, WEB)
    write_file(directory, ClosureDevice("web", (LIBC,)))
    assert precious.read_text() == "kept"
    (file,) = read_files([directory])
    assert file.device == ClosureDevice("web", (LIBC,))
    # Somebody else's directory stays as it is.
    assert directory.stat().st_mode & 0o777 == 0o700
    remove_file(file.path)
    remove_file(file.path)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, ("cannot be written to: Permission denied", "as root: ")),
        (errno.EROFS, ("cannot be written to: Read-only file system", "--cdi-dir")),
        (errno.ENOSPC, ("there is no room left", "make room")),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, sentence: tuple[str, str]
) -> None:
    said, hint = sentence

    def fail(*_words: object) -> None:
        raise OSError(number, os.strerror(number))

    write_file(tmp_path, WEB)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(NixdockError, match=said) as raised:
        write_file(tmp_path, ClosureDevice("web", ()))
    assert hint in (raised.value.hint or "")
    assert [entry.name for entry in tmp_path.iterdir()] == [WEB.file_name]
    assert json.loads((tmp_path / WEB.file_name).read_bytes()) == WRITTEN


def test_whether_a_directory_can_be_written_to_is_known_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require_writable(tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is no directory"):
        require_writable(tmp_path / "file" / "cdi")
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)
    for user, hint in ((1000, "nixdock device"), (0, "--cdi-dir")):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        with pytest.raises(UsageError, match="cdi cannot be written to: Permission denied") as raised:
            require_writable(tmp_path / "cdi")
        assert hint in (raised.value.hint or "")


@pytest.mark.parametrize("name", ["web", "0", "a.b", "a__b", "a-1", "a" * 128])
def test_names_that_an_image_can_have_too(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "A", "a/b", "../a", "a:1", "a=b", "a@b", ".a", "a.", "a\n", "a b", "-a", "ä", "\x1b[31m", "a" * 129],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def changed(**given: Any) -> dict[str, Any]:
    return {**WRITTEN, **given}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "[]",
        "null",
        "{}",
        '{"devices": []}',
        '{"devices": {"0": 1}}',
        json.dumps(changed(kind="nixdock.io/other")),
        json.dumps(changed(cdiVersion="0.6.0")),
        json.dumps(changed(containerEdits={"hooks": [{"path": "/bin/sh"}]})),
        json.dumps(changed(devices=[*WRITTEN["devices"], *WRITTEN["devices"]])),
        json.dumps(changed(devices=[{"name": ["web"], "containerEdits": {"mounts": []}}])),
        json.dumps(changed(devices=[{"name": "web", "containerEdits": {"mounts": [{"hostPath": 1}]}}])),
        json.dumps(WRITTEN).replace('"ro"', '"rw"'),
        json.dumps(WRITTEN).replace('"web"', '"other"'),
        "\udcff",
    ],
    ids=lambda text: text[:12],
)
def test_a_file_that_is_not_as_it_was_written_is_no_device(tmp_path: Path, text: str) -> None:
    (tmp_path / WEB.file_name).write_bytes(text.encode(errors="surrogateescape"))
    (file,) = read_files([tmp_path])
    assert (file.name, file.device) == ("web", None)
    assert str(file.path) in file.fault


def test_only_files_of_ours_are_read_in_the_order_of_the_directories(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_file(second, WEB)
    for name in ("b", "a"):
        write_file(first, ClosureDevice(name, ()))
    (first / "nixdock.io-closure_c.json").mkdir()
    for other in ("vendor.json", "nixdock.io-closure_UP.json", "nixdock.io-closure_\x1b.json", ".nixdock-x"):
        (first / other).write_text("{}")
    found = list(read_files([first, tmp_path / "absent", second]))
    assert [file.name for file in found] == ["a", "b", "c", "web"]
    assert [file.device is not None for file in found] == [True, True, False, True]
    with pytest.raises(UsageError, match="cannot be read: Not a directory"):
        list(read_files([first / "vendor.json"]))


class Answers:
    """An engine that says these things of itself."""

    def __init__(
        self, product: str, version: str, api: str, told: list[str | None] | None, *, local: bool = True
    ) -> None:
        self.version = EngineVersion(product, version, api, "linux", "amd64")
        info = {"ID": "x", "CDISpecDirs": told}
        self.traits = Traits(self.version, lambda: EngineInfo.from_json(info))
        self.address = SimpleNamespace(is_local=local, url="tcp://elsewhere:2375")


def directories(*given: Any, named: str | None = None, local: bool = True) -> list[str]:
    engine = cast("Engine", Answers(*given, local=local))
    return list(map(str, find_directories(engine, None if named is None else Path(named))))


def test_where_engines_look() -> None:
    told = ["/etc/cdi", None, "/run/cdi"]
    assert directories("Docker", "28.5.2", "1.51", told) == ["/etc/cdi", "/run/cdi"]
    assert directories("Docker", "28.5.2", "1.51", told, named="/run/cdi") == ["/run/cdi", "/etc/cdi"]
    with pytest.raises(UsageError, match="--cdi-dir /srv: the engine looks for devices in /etc/cdi and /run"):
        directories("Docker", "28.5.2", "1.51", told, named="/srv")
    # Podman does not say, and may have been told another.
    assert directories("Podman", "4.3.1", "1.41", None) == ["/etc/cdi", "/var/run/cdi"]
    assert directories("Podman", "5.0.0", "1.41", None, named="/srv")[0] == "/srv"
    assert directories("Podman", "6.0.0", "1.44", ["/usr/cdi"]) == ["/usr/cdi"]


@pytest.mark.parametrize(
    ("product", "version", "api", "told", "hint"),
    [
        ("Docker", "20.10.24", "1.41", None, "--host-store"),
        ("Docker", "26.1.5", "1.45", [], '"cdi": true'),
        ("Podman", "4.2.0", "1.41", None, ""),
        ("Podman", "3.0.1", "1.40", None, ""),
    ],
)
def test_an_engine_without_such_devices_is_refused(
    product: str, version: str, api: str, told: list[str | None] | None, hint: str
) -> None:
    with pytest.raises(EngineError, match=f"{product} {version} takes no devices") as raised:
        directories(product, version, api, told)
    assert hint in (raised.value.hint or "")
    with pytest.raises(EngineError, match="tcp://elsewhere:2375 is no engine of this machine"):
        directories("Docker", "28.5.2", "1.51", ["/etc/cdi"], local=False)


def test_containers_have_a_device_by_their_request_or_their_image() -> None:
    requests = {
        "a": [{"Driver": "cdi", "DeviceIDs": ["vendor.io/gpu=0", "nixdock.io/closure=web"]}],
        "b": [{"Driver": "cdi", "DeviceIDs": ["nixdock.io/closure=web2"]}, None],
        "c": None,
    }
    images = {"a": "sha256:" + "0" * 64, "b": "web", "c": "nixdock.invalid/closure/web", "gone": "a b"}

    def inspect(name: str) -> SimpleNamespace | None:
        return (
            SimpleNamespace(raw={"HostConfig": {"DeviceRequests": requests[name]}})
            if name in requests
            else None
        )

    engine = SimpleNamespace(
        containers=lambda: [SimpleNamespace(id=name, image=image) for name, image in images.items()],
        find_container=inspect,
    )
    assert [user.id for user in find_users(cast("Engine", engine), WEB)] == ["a", "c"]
