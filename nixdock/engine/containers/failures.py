"""Why a container did not start, or its command could not be executed, in the user's words.

The kernel's answers reach us in two ways. What the runtime finds before it hands over comes as the
engine's refusal to start. What execve finds, once the runtime has become the container's process, is
written to the container's standard error by the runtime itself, as the only thing there:

    exec /bin/hello: exec format error             (runc)
    exec /bin/hello: no such file or directory
    {"msg":"exec container process `/bin/hello`: Exec format error","level":"error",...}   (crun)
    [FATAL tini (7)] exec /bin/hello failed: ...   (--init)
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.image import explain_missing_image
from nixdock.errors import CommandNotExecutableError, CommandNotFoundError, EngineError

if TYPE_CHECKING:
    from nixdock.engine.containers.image import ImageCommand

_RUNTIME_SAYS: Final = re.compile(
    rb"\A(?:standard_init_linux\.go:\d+: exec user process caused|exec (?P<program>[^:\n]*)): "
    rb"(?P<reason>exec format error|no such file or directory|permission denied)\r?\n\Z",
    re.IGNORECASE,
)
_TINI_SAYS: Final = re.compile(
    rb"\A\[FATAL tini \(\d+\)\] exec (?P<program>.*) failed: (?P<reason>.*)\r?\n\Z"
)
_CRUN_SAYS: Final = re.compile(
    rb"\A\{\"msg\":\"exec container process (?:\(missing dynamic library\?\) )?`(?P<program>[^`]*)`: "
    rb"(?P<reason>exec format error|no such file or directory|permission denied)\"[^\n]*\}\r?\n\Z",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r'(?:exec: "|executable file `)(?P<program>[^"`]*)["`]')
_NOT_FOUND: Final = re.compile(
    r'executable file .*not found|exec: "[^"]*": .*no such file or directory|a command that was not found',
    re.IGNORECASE,
)
_NOT_PERMITTED: Final = re.compile(
    r'exec: "[^"]*": (?:permission denied|is a directory)|open executable: ', re.IGNORECASE
)
_NO_COMMAND: Final = re.compile("no command specified|no command or entrypoint provided", re.IGNORECASE)
HEAD: Final = 4096
"""How much of a container's first output is kept to look for the runtime's own sentence."""


def explain_create(error: EngineError, image: str) -> EngineError:
    """Say why a container could not be created."""
    if not isinstance(error, EngineRefusedError):
        return error
    text = error.message
    if error.status == 404 and "no such image" in text.lower():
        return explain_missing_image(image)
    if _NO_COMMAND.search(text):
        return EngineError(
            f"the image {image} has no command: neither Cmd nor Entrypoint is set",
            hint=f'set config.Cmd = [ "${{pkgs.hello}}/bin/hello" ]; or: nixdock run {image} COMMAND',
        )
    return error


def explain_start(error: EngineError, run: ImageCommand) -> EngineError:
    """Say why a container could not be started, with docker's exit status for it."""
    text = error.message
    found = _QUOTED.search(text)
    program = found["program"] if found else run.program
    if _NOT_FOUND.search(text):
        return _not_found(program, run)
    if _NOT_PERMITTED.search(text):
        return CommandNotExecutableError(
            f"{program!r} in {run.image_name} cannot be executed: permission denied",
            hint="it must be a file with its execute bits set, which the user of the container may read",
        )
    if "exec format error" in text.lower():
        return _wrong_format(program, run)
    return error


def explain_exec(head: bytes, run: ImageCommand) -> EngineError | None:
    """Say why the kernel did not execute the command; None where the output is the command's own.

    Args:
        head: All that the container wrote to its standard error, if that is less than `HEAD` bytes.
        run: What was to be run.
    """
    by_tini = _TINI_SAYS.match(head)
    found = by_tini or _RUNTIME_SAYS.match(head) or _CRUN_SAYS.match(head)
    if not found:
        return None
    program = (found["program"] or b"").decode(errors="replace") or run.program
    if PurePosixPath(program).name != PurePosixPath(run.program).name:
        # A command that could not execute another one, and says so in the same words.
        return None
    if by_tini:
        # tini's own reason is not reliable: it names "no such file" for every failure.
        return _not_found(program, run, surely=False)
    reason = found["reason"].decode().lower()
    if reason == "exec format error":
        return _wrong_format(program, run)
    if reason == "permission denied":
        return CommandNotExecutableError(
            f"{program!r} in {run.image_name} cannot be executed: permission denied",
            hint="its interpreter (dynamic loader, or the program after #!) must be executable too",
        )
    return CommandNotFoundError(
        f"{program!r} is in {run.image_name}, but its interpreter is not: "
        "the dynamic loader that it names, or the program after #!",
        hint=f"nixdock lint {run.image_name}",
    )


def _not_found(program: str, run: ImageCommand, *, surely: bool = True) -> EngineError:
    if not surely:
        return CommandNotFoundError(
            f"{program!r} could not be executed in {run.image_name}: it, or its interpreter, is not there",
            hint=f"nixdock lint {run.image_name}",
        )
    if "/" in program:
        hint = "add its package to copyToRoot, or give its full store path in config.Cmd"
        return CommandNotFoundError(f"there is no {program!r} in {run.image_name}", hint=hint)
    path = next(
        (entry[5:] for entry in run.image.details.config.get("Env") or () if entry.startswith("PATH=")),
        None,
    )
    where = f"its PATH is {path}" if path else "it sets no PATH, so docker's own is searched"
    return CommandNotFoundError(
        f"there is no command {program!r} in {run.image_name}",
        hint=f"{where}; add the package to copyToRoot, or give the program's full path",
    )


def _wrong_format(program: str, run: ImageCommand) -> EngineError:
    if run.is_foreign:
        return CommandNotExecutableError(
            f"{program!r} cannot be executed: {run.image_name} is for {run.image.details.architecture}, "
            f"the engine's machine is {run.machine} (exec format error)",
            hint="build it for the engine's platform, or install qemu-user-static there",
        )
    return CommandNotExecutableError(
        f"{program!r} in {run.image_name} is no program that the engine's machine can execute: neither an "
        f"ELF file for {run.machine} nor a script that begins with #! (exec format error)",
        hint="build its package for that platform (system, or pkgsCross), or begin the script with #!",
    )
