"""What the engine, or the way to it, answered instead of what was asked: errors in the user's words.

The libraries below wrap the operating system's error several times over; the chain of causes is
walked to find it, for "no such file" and "permission denied" need different next steps.
"""

from __future__ import annotations

import contextlib
import grp
import os
import re
import shlex
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nixdock.engine.connection.address import DEFAULT_SOURCE
from nixdock.engine.connection.patience import CutReason
from nixdock.errors import DeadlineError, EngineError, find_exhaustion
from nixdock.hints import join_group, ourselves_as_root
from nixdock.text import clean, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.engine.connection.address import Address


_REMEDIES: Final = tuple(
    (re.compile(said, re.IGNORECASE), remedy)
    for said, remedy in (
        (
            r"network \S+ not found|unable to find network",
            "docker network ls lists them, docker network create NAME makes one",
        ),
        (
            r"unable to find (user|group) |no matching entries in (passwd|group)",
            "give a number (-u 1000:1000), or add the name to the image's /etc/passwd (dockerTools.fakeNss)",
        ),
        (
            r"uids and gids must be in range",
            "numbers of users and groups go from 0 to 2147483647: -u 1000:1000",
        ),
        (
            r"port is already allocated|address already in use|ports are not available",
            "docker ps shows what has it; take another port (-p 8081:80) or any free one (-p 80)",
        ),
        (
            r"cannot assign requested address",
            "the address must be one of the engine's machine: -p 127.0.0.1:8080:80",
        ),
        (
            r"name .* is (already )?in use",
            "docker ps --all shows it; nixdock down NAME removes one of nixdock's",
        ),
        (
            r"invalid container name",
            "it has letters, digits and, not in front, '_', '.' and '-': --name web-1",
        ),
        (r"unknown capabilit|invalid cap(add|drop)", "capabilities(7) lists them: --cap-add NET_ADMIN"),
        (r"no such container|could not find container", "docker ps --all lists those that there are"),
        (r"unknown runtime|invalid runtime|runtime .* not found", "docker info lists the engine's runtimes"),
        (r"invalid signal", "a name or a number: --stop-signal SIGINT"),
        (r"restart policy", "one of no, always, unless-stopped and on-failure[:N]"),
        (r"unknown operating system or architecture", "write it as OS/ARCH: --platform linux/arm64"),
        (r"logging plugin|log driver", "docker info lists the engine's log drivers: --log-driver local"),
        (
            r"custom device|no such device",
            "the device must be there on the engine's machine: --device /dev/fuse",
        ),
        (r"invalid ipc mode", "one of private, shareable, host, none and container:NAME"),
        (r"minimum memory limit", "give it more: --memory 64m"),
        (r"bind source path does not exist", "make the folder on the engine's machine, or let -v make it"),
        (r"(mount|working directory).* absolute", "begin it with a slash: it is a path in the container"),
        (
            r"no space left on device",
            "docker system df shows what takes it; nixdock prune removes older builds",
        ),
    )
)
"""What an engine says of an option's value, and what to do; Podman has words of its own for some."""


def _find_remedy(message: str) -> str | None:
    return next((remedy for said, remedy in _REMEDIES if said.search(message)), None)


_SHOWN: Final = 200


class EngineUnreachableError(EngineError):
    """No engine answers at the address, or the connection to it was cut."""


class NoHttpError(Exception):
    """What came is not HTTP; the text says what it is."""


class EngineRefusedError(EngineError):
    """The engine answered, and said no.

    Args:
        message: One sentence with what the engine said.
        status: The HTTP status of the answer: 404 is not there, 409 a conflict, 500 a failure inside.
    """

    def __init__(
        self, message: str, *, status: int, hint: str | None = None, details: str | None = None
    ) -> None:
        super().__init__(message, hint=hint or _find_remedy(message), details=details)
        self.status = status


class EngineLateError(EngineError):
    """The time that the user allowed (`--timeout`) is up, and the engine has not answered yet."""

    exit_code = DeadlineError.exit_code


def explain_cut(reason: CutReason, what: str, address: Address) -> EngineError:
    """Return what it means that we have cut a request.

    Args:
        reason: Why we have.
        what: Its method and path.
        address: Where it was sent.
    """
    where = f"{address.url} ({address.source})"
    match reason:
        case CutReason.LATE:
            return EngineLateError(
                f"the time was up (--timeout) before the engine at {where} had answered {what}",
                hint="--timeout gives it more time",
            )
        case CutReason.DEAD:
            return EngineUnreachableError(f"the engine at {where} does not answer any more")
        case CutReason.SILENT:
            return EngineUnreachableError(f"the engine at {where} did not answer {what} in time")


def translate(error: BaseException, address: Address, what: str) -> EngineError | None:
    """Return what a failed call means, or None where it is no failure of the way to the engine.

    Args:
        error: What was raised.
        address: Where it was sent.
        what: Its method and path.
    """
    if not _is_of_connection(error) or any(map(find_exhaustion, causes(error))):
        return None
    if any(_is_no_http(cause) for cause in causes(error)):
        return nonsense(what, f"it is no HTTP ({clean(_reason(error))})")
    message, hint = _explain(error, address)
    return EngineUnreachableError(message, hint=hint)


def nonsense(what: str, why: str) -> EngineError:
    """Return the error about an answer that no engine gives."""
    return EngineError(
        f"the engine answered nonsense to {what}: {why[:_SHOWN]}",
        hint="is there something between nixdock and the engine that changes what is sent?",
    )


def is_not_ready(error: BaseException) -> bool:
    """Whether a connection was refused or cut, as by an engine that is just starting."""
    return any(isinstance(cause, ConnectionRefusedError | ConnectionResetError) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error, what it was raised from, and the errors that it carries as arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _explain(error: BaseException, address: Address) -> tuple[str, str | None]:
    """Return why no engine could be reached, and what to do."""
    where = f"{address.url} ({address.source})"
    for cause in causes(error):
        explained = _explain_cause(cause, where, address)
        if explained is not None:
            return explained
    return f"the connection to the engine at {where} failed: {_reason(error)}", _hint(address)


def _explain_cause(cause: BaseException, where: str, address: Address) -> tuple[str, str | None] | None:
    match cause:
        case PermissionError():
            return f"no permission to use the engine at {where}", hint_for_group(address)
        case FileNotFoundError():
            return _explain_nothing_there(where, address)
        case ConnectionRefusedError():
            return f"no engine answers at {where}: connection refused", _hint(address)
        case OSError() if type(cause).__module__ == "ssl":
            fault, hint = _explain_tls(cause, address)
            return f"no secure connection to the engine at {where}: {fault}", hint
        case TimeoutError():
            return f"the engine at {where} did not answer in time", None
        case _:
            return None


def _explain_tls(error: OSError, address: Address) -> tuple[str, str]:
    import ssl  # noqa: PLC0415  # there already, where it has raised this

    hint = "check the certificates of the context, or DOCKER_CERT_PATH"
    if not isinstance(error, ssl.SSLCertVerificationError):
        return str(getattr(error, "reason", None) or error), hint
    if address.tls is not None and address.tls.ca is None:
        hint = f"there is no ca.pem, so this machine's own authorities were asked: {hint}"
    return f"its certificate is not trusted ({error.verify_message})", hint


def _explain_nothing_there(where: str, address: Address) -> tuple[str, str | None]:
    if address.scheme == "ssh":
        return f"the engine at {where} is reached by ssh, which is not installed", "install openssh-client"
    return f"no engine answers at {where}: no such socket", _hint(address)


def _is_of_connection(error: BaseException) -> bool:
    """Whether what is below raised it: requests, urllib3, docker, http, the sockets, or our own client."""
    package = type(error).__module__.partition(".")[0]
    return package in {"requests", "urllib3", "docker", "http"} or isinstance(error, OSError | NoHttpError)


def _is_no_http(error: BaseException) -> bool:
    # By name: importing http.client takes as long as asking an engine does. One who hangs up without a
    # word is http's RemoteDisconnected, which is a BadStatusLine, too.
    kind = type(error)
    named = kind.__module__ == "http.client" and kind.__name__ in {"BadStatusLine", "UnknownProtocol"}
    return named or isinstance(error, NoHttpError)


def _reason(error: BaseException) -> str:
    """Return the innermost cause that says anything, as one line.

    What the libraries stumbled over in themselves (a number that an answer cut short has not) says nothing.
    """
    texts = [str(cause).strip() for cause in causes(error) if _is_of_connection(cause)]
    return next((split_lines(text)[0] for text in reversed(texts) if text), type(error).__name__)


def _hint(address: Address) -> str:
    if address.scheme == "unix":
        # What chose the address holds for the command that is typed next, or it is said there.
        holds = (DEFAULT_SOURCE,) if os.geteuid() else (DEFAULT_SOURCE, "DOCKER_HOST")
        where = "" if address.source in holds else f"--host {shlex.quote(address.url)} "
        return ourselves_as_root(f"{where}engine start")
    if address.scheme == "ssh":
        parts = urlsplit(address.url)
        port = f"-p {parts.port} " if parts.port else ""
        user = f"{parts.username}@" if parts.username else ""
        return f"check that this works: ssh {port}{user}{parts.hostname} docker version"
    return "check that the engine runs there, and the address"


def hint_for_group(address: Address) -> str:
    """Return how to become one of those who may use a socket."""
    group = "docker"
    if address.socket_path is not None:
        with contextlib.suppress(OSError, KeyError):
            group = grp.getgrgid(address.socket_path.stat().st_gid).gr_name
    if group == "root":
        return f"only root may use it: {ourselves_as_root('...')}"
    return join_group(group)
