"""Which engine: the address, chosen as the docker command chooses it.

In this order: `--context` or `--host` (both is a usage error), DOCKER_HOST, DOCKER_CONTEXT, the
current context of docker's config.json, the default socket. Where nothing was chosen and the
default socket cannot be used, the sockets of rootless Docker and of Podman are tried too. A context
that does not exist is an error, never a silent default.

A context is two directories below `$DOCKER_CONFIG/contexts`, named by the sha256 of its name:
`meta/<hash>/meta.json` with the endpoint, and `tls/<hash>/docker/{ca,cert,key}.pem` where it has any.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nixdock.engine.connection.docker_files import config_dir, read_config, read_context_name, read_endpoint
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SOCKET: Final = "/var/run/docker.sock"
DEFAULT_SOURCE: Final = "the default socket"
DEFAULT_CONTEXT: Final = "default"
_PORT: Final = 2375
_TLS_PORT: Final = 2376
_SCHEMES: Final = ("unix", "tcp", "ssh")


@dataclass(frozen=True, slots=True)
class Tls:
    """The material of an encrypted connection.

    Args:
        ca: What the engine's certificate must be signed by; the machine's own authorities when None.
        cert: Our certificate, or None.
        key: Its key, or None.
        verify: Whether the engine's certificate is verified at all.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine answers, and what said so.

    Args:
        url: `unix:///path`, `tcp://host:port` or `ssh://[user@]host[:port]`.
        source: What chose it, as a phrase for messages, such as `DOCKER_HOST`.
        tls: How the connection is encrypted; None where it is not.
        context: The name of the docker context it comes from, or None.
    """

    url: str
    source: str
    tls: Tls | None = None
    context: str | None = None

    @property
    def scheme(self) -> str:
        """`unix`, `tcp` or `ssh`."""
        return urlsplit(self.url).scheme

    @property
    def socket_path(self) -> Path | None:
        """The socket's path, or None where the engine is not reached through one."""
        return Path(self.url.removeprefix("unix://")) if self.scheme == "unix" else None

    @property
    def hostname(self) -> str:
        """The host on which published ports answer."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def is_local(self) -> bool:
        """Whether the engine sees this machine's files and network, as far as the address tells."""
        return self.scheme == "unix" or self.hostname in {"localhost", "127.0.0.1", "::1"}


def choose(
    *,
    context: str | None = None,
    host: str | None = None,
    tls: Tls | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Address:
    """Choose the engine's address from options, environment and docker's configuration.

    Args:
        context: The value of `--context`, or None.
        host: The value of `--host`, or None.
        tls: What the `--tls...` options say; None where they say nothing. A context that was asked
            for keeps its own.
        environ: The environment.

    Raises:
        UsageError: Both options were given, an address cannot be read, or a context does not exist.
    """
    if context and host:
        raise UsageError("--context and --host were both given", hint="give only one of them")
    if context and context != DEFAULT_CONTEXT:
        return _from_context(context, "--context", environ)
    if host:
        return _from_host(host, "--host", tls or _environment_tls(environ))
    if environ.get("DOCKER_HOST"):
        return _from_host(environ["DOCKER_HOST"], "DOCKER_HOST", tls or _environment_tls(environ))
    if not context:
        source = "DOCKER_CONTEXT"
        name = environ.get("DOCKER_CONTEXT")
        if not name:
            source = f"currentContext in {config_dir(environ) / 'config.json'}"
            name = read_config(environ).context
        if name and name != DEFAULT_CONTEXT:
            return _from_context(name, source, environ)
    return _from_sockets(environ)


def published_host(address: Address, environ: Mapping[str, str] = os.environ) -> str:
    """Return the host on which this engine's published ports answer.

    `NIXDOCK_ENGINE_HOST` overrides what the address says, for engines behind a tunnel or a proxy.
    """
    return environ.get("NIXDOCK_ENGINE_HOST") or ("127.0.0.1" if address.is_local else address.hostname)


def context_names(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the names of the docker contexts there are, `default` first."""
    names: list[str] = []
    for path in (config_dir(environ) / "contexts" / "meta").glob("*/meta.json"):
        with contextlib.suppress(OSError, ValueError):
            names.append(read_context_name(path))
    return (DEFAULT_CONTEXT, *sorted(names))


def _from_context(name: str, source: str, environ: Mapping[str, str]) -> Address:
    directory = config_dir(environ) / "contexts"
    key = hashlib.sha256(os.fsencode(name)).hexdigest()
    meta = directory / "meta" / key / "meta.json"
    try:
        host, skips_verification = read_endpoint(meta)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no docker context {name!r} (from {source})",
            hint=f"contexts there are: {', '.join(context_names(environ))}",
        ) from None
    except OSError as error:
        raise UsageError(f"cannot read the docker context {name!r}: {meta}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f"the docker context {name!r} names no engine: {meta}: {error}",
            hint=f"docker context inspect {name}",
        ) from error
    tls = _read_tls(directory / "tls" / key / "docker", verify=not skips_verification)
    return _from_host(host or f"unix://{DEFAULT_SOCKET}", f"the docker context {name!r}", tls, context=name)


def _read_tls(directory: Path, *, verify: bool) -> Tls | None:
    """Return the material that a directory holds in docker's file names; None where it holds none."""

    def find(name: str) -> Path | None:
        path = directory / name
        return path if path.is_file() else None

    ca, cert, key = find("ca.pem"), find("cert.pem"), find("key.pem")
    return Tls(ca, cert, key, verify) if ca or cert or key else None


def _environment_tls(environ: Mapping[str, str]) -> Tls | None:
    """Read DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH; any text at all switches them on."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    directory = Path(environ.get("DOCKER_CERT_PATH") or config_dir(environ))
    return _read_tls(directory, verify=verify) or Tls(verify=verify)


def _from_host(text: str, source: str, tls: Tls | None, *, context: str | None = None) -> Address:
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        if text.startswith("/"):
            raise UsageError(f"invalid engine address {text!r} ({source})", hint=f"unix://{text}")
        scheme, rest = "tcp", text.strip()
    if scheme in {"http", "https"} and separator:
        scheme, tls = "tcp", (tls or Tls() if scheme == "https" else tls)
    if scheme not in _SCHEMES:
        raise UsageError(
            f"invalid engine address {text!r} ({source})",
            hint="it is unix:///path, tcp://host:port or ssh://[user@]host",
        )
    if scheme == "unix":
        return Address(f"unix://{rest or DEFAULT_SOCKET}", source, context=context)
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port, password = parts.port, parts.password
    except ValueError as error:
        raise UsageError(f"invalid engine address {text!r} ({source}): {error}") from error
    if scheme == "ssh":
        if password is not None:
            raise UsageError(f"invalid engine address ({source}): a password cannot be part of it")
        if not parts.hostname or parts.path.strip("/"):
            raise UsageError(f"invalid engine address {text!r} ({source})", hint="ssh://[user@]host[:port]")
        return Address(f"ssh://{parts.netloc}", source, context=context)
    hostname = parts.hostname or "localhost"
    shown = f"[{hostname}]" if ":" in hostname else hostname
    url = f"tcp://{shown}:{port or (_TLS_PORT if tls else _PORT)}{parts.path.rstrip('/')}"
    return Address(url, source, tls, context)


def _from_sockets(environ: Mapping[str, str]) -> Address:
    """Return the first socket that we may use, else the first there is, else the default one."""
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    candidates = (
        (DEFAULT_SOCKET, DEFAULT_SOURCE),
        (f"{runtime}/docker.sock", "rootless Docker's socket"),
        (f"{runtime}/podman/podman.sock", "Podman's socket"),
        ("/run/podman/podman.sock", "Podman's socket"),
    )
    there = [candidate for candidate in candidates if _is_socket(candidate[0])]
    usable = [candidate for candidate in there if os.access(candidate[0], os.R_OK | os.W_OK)]
    path, source = (usable or there or candidates)[0]
    return Address(f"unix://{path}", source)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return False
