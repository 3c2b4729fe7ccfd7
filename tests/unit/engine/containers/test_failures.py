"""Why a container did not start: what engines and runtimes really said, recorded, and what is told of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import EngineVersion, ImageDetails
from nixdock.engine.containers.failures import explain_create, explain_exec, explain_start
from nixdock.engine.containers.image import EngineImage, ImageCommand
from nixdock.errors import CommandNotExecutableError, CommandNotFoundError, EngineError

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine

RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: "
START = f"{RUNC}unable to start container process: "
INIT = f"{START}error during container init: "
CRUN_NOT_FOUND = (
    "crun: executable file `nope` not found in $PATH: No such file or directory: "
    "OCI runtime attempted to invoke a command that was not found"
)
RUNC_MOUNT = (
    'error mounting "/x" to rootfs at "/y": not a directory: unknown: Are you trying to mount a directory '
    "onto a file (or vice-versa)? Check if the specified host path exists: no such file"
)
PODMAN = "preparing container 4380e9b5c8a3 for attach: "
NEVER_STARTED = {
    # Docker 20.10 with runc 1.1
    "runc-not-found": (f'{START}exec: "nope": executable file not found in $PATH: unknown', 127),
    "runc-no-file": (f'{START}exec: "/nope": stat /nope: no such file or directory: unknown', 127),
    "runc-closed": (f'{START}exec: "/closed": permission denied: unknown', 126),
    "runc-folder": (f'{START}exec: "/bin": is a directory: unknown', 126),
    # Docker 28 with a newer runc
    "init-not-found": (f'{INIT}exec: "nope": executable file not found in $PATH: unknown', 127),
    "init-format": (f"{INIT}exec /foreign: exec format error: unknown", 126),
    # Podman 4.3 with crun
    "crun-not-found": (f"{PODMAN}{CRUN_NOT_FOUND}", 127),
    "crun-closed": (f"{PODMAN}crun: open executable: Permission denied: OCI permission denied", 126),
    # Not about the command at all
    "user": ("unable to find user nobody: no matching entries in passwd file", 125),
    "port": (
        "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is allocated",
        125,
    ),
    "mount": (f"{RUNC}{RUNC_MOUNT}", 125),
}
SAID_INSTEAD = {
    b"exec /foreign: exec format error\n": CommandNotExecutableError,
    b"exec /foreign: no such file or directory\n": CommandNotFoundError,
    b"exec /foreign: permission denied\r\n": CommandNotExecutableError,
    b"standard_init_linux.go:228: exec user process caused: exec format error\n": CommandNotExecutableError,
    b"[FATAL tini (7)] exec /foreign failed: No such file or directory\n": CommandNotFoundError,
    b'{"msg":"exec container process `/foreign`: Exec format error","level":"error",'
    b'"time":"2026-11-22T21:59:51.944002Z"}\n': CommandNotExecutableError,
    b'{"msg":"exec container process (missing dynamic library?) `/foreign`: No such file or directory",'
    b'"level":"error","time":"2026-11-22T21:59:51.944002Z"}\n': CommandNotFoundError,
}


def subject(*command: str, architecture: str = "amd64", env: list[str] | None = None) -> ImageCommand:
    details = ImageDetails("id", (), (), {"Env": env or []}, "linux", architecture, "", 0, {})
    engine = SimpleNamespace(version=EngineVersion("Docker", "28", "1.51", "linux", "amd64"))
    return ImageCommand(EngineImage(cast("Engine", engine), "box:1", "box:1", details), command)


@pytest.mark.parametrize("name", NEVER_STARTED)
def test_a_refusal_to_start_has_docker_s_status(name: str) -> None:
    said, status = NEVER_STARTED[name]
    refused = EngineRefusedError(f"the engine refused: {said}", status=500)

    explained = explain_start(refused, subject("nope"))

    assert explained.exit_code == status
    if status == 125:
        assert explained is refused
    else:
        assert explained.hint
        assert "OCI" not in explained.message


@pytest.mark.parametrize("said", SAID_INSTEAD, ids=lambda said: said.decode()[:60])
def test_what_the_runtime_writes_in_the_command_s_place(said: bytes) -> None:
    explained = explain_exec(said, subject("/foreign"))
    assert type(explained) is SAID_INSTEAD[said]
    assert explained is not None
    assert "'/foreign'" in explained.message


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"exec /other: exec format error\n",
        b"exec /foreign: exec format error\nand more\n",
        b"warning\nexec /foreign: exec format error\n",
        b"exec /foreign: exec format error",
        b"\xff\xfe",
    ],
)
def test_what_the_command_writes_itself_is_its_own(said: bytes) -> None:
    assert explain_exec(said, subject("/foreign")) is None


def test_a_foreign_image_is_named_as_the_cause() -> None:
    explained = explain_exec(b"exec /foreign: exec format error\n", subject("/foreign", architecture="arm64"))
    assert explained is not None
    assert "box:1 is for arm64, the engine's machine is amd64" in explained.message


@pytest.mark.parametrize(
    ("env", "hint"),
    [(["A=1", "PATH=/bin:/x"], "its PATH is /bin:/x"), ([], "it sets no PATH, so docker's own is searched")],
)
def test_where_a_command_was_looked_for(env: list[str], hint: str) -> None:
    refused = EngineRefusedError(f"the engine refused: {NEVER_STARTED['runc-not-found'][0]}", status=400)
    explained = explain_start(refused, subject("nope", env=env))
    assert explained.message == "there is no command 'nope' in box:1"
    assert explained.hint is not None
    assert explained.hint.startswith(hint)


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ("No such image: box:1", 404, "the engine has no image box:1; nixdock does not pull"),
        ("No command specified", 400, "the image box:1 has no command"),
        ("no command specified", 400, "the image box:1 has no command"),
        (
            "container create: no command or entrypoint provided, and no CMD",
            500,
            "the image box:1 has no command",
        ),
        ("something else", 500, "the engine refused: something else"),
    ],
)
def test_why_a_container_cannot_be_created(said: str, status: int, sentence: str) -> None:
    explained = explain_create(EngineRefusedError(f"the engine refused: {said}", status=status), "box:1")
    assert explained.message.startswith(sentence)
    assert explained.exit_code == 125


def test_an_engine_that_is_gone_is_not_explained_away() -> None:
    gone = EngineError("the connection was cut")
    assert explain_create(gone, "box:1") is gone
    assert explain_start(gone, subject("nope")) is gone
