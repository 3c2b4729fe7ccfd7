"""The Docker CLI's global flags, as it passes them on to its plugins.

    docker [--config DIR] [-c CONTEXT] [-D] [-H URL] [-l LEVEL] [--tls...] nixdock ...

They are written as its flag library (pflag) takes them: `--config DIR`, `--config=DIR`, `-c X`,
`-cX`, `-c=X`, and short switches in one word (`-DH X`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.address import Tls
from nixdock.engine.connection.docker_files import config_dir
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHORT: Final = {"c": "context", "D": "debug", "H": "host", "l": "log-level", "v": "version", "h": "help"}
_SWITCHES: Final = ("debug", "tls", "tlsverify", "version", "help")
_VALUES: Final = ("config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey")
_TRUE: Final = ("1", "t", "T", "true", "TRUE", "True")
_FALSE: Final = ("0", "f", "F", "false", "FALSE", "False")


@dataclass(frozen=True, slots=True)
class DockerFlags:
    """What the flags say, and the words after them."""

    values: Mapping[str, str]
    switches: Mapping[str, bool]
    rest: tuple[str, ...]

    @property
    def config(self) -> str | None:
        """The folder of docker's configuration."""
        return self.values.get("config")

    @property
    def context(self) -> str | None:
        """The name of the context."""
        return self.values.get("context")

    @property
    def host(self) -> str | None:
        """The engine's address."""
        return self.values.get("host")

    @property
    def debug(self) -> bool:
        """Whether debugging was asked for."""
        return self.switches.get("debug", False) or self.values.get("log-level") == "debug"

    def tls(self, environ: Mapping[str, str]) -> Tls | None:
        """Return what the TLS flags say, with docker's own defaults; None where they say nothing.

        Args:
            environ: The environment, for DOCKER_CERT_PATH and DOCKER_CONFIG.
        """
        # As in docker: --tlsverify, even switched off, means TLS; so does no other flag but --tls.
        if not (self.switches.get("tls") or "tlsverify" in self.switches):
            return None
        folder = Path(environ.get("DOCKER_CERT_PATH") or self.config or config_dir(environ))

        def find(flag: str, default: str) -> Path | None:
            if self.values.get(flag):
                return Path(self.values[flag])
            path = folder / default
            return path if path.is_file() else None

        return Tls(
            ca=find("tlscacert", "ca.pem"),
            cert=find("tlscert", "cert.pem"),
            key=find("tlskey", "key.pem"),
            verify=self.switches.get("tlsverify", False),
        )


def parse_flags(words: Sequence[str]) -> DockerFlags:
    """Read the flags before the plugin's name.

    Args:
        words: The arguments of the Docker CLI.

    Raises:
        UsageError: A flag is unknown, lacks its value or was given twice.
    """
    values: dict[str, str] = {}
    switches: dict[str, bool] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name, value, more = _split(word)
        if name in _SWITCHES:
            switches[name] = _read_switch(word, value)
            if more:
                rest.insert(0, "-" + more)
        elif name in _VALUES:
            if value is None and not rest:
                raise UsageError(f"the docker option {word} needs a value")
            if name == "host" and name in values:
                raise UsageError("the docker option --host was given twice")
            values[name] = rest.pop(0) if value is None else value
        else:
            raise UsageError(f"unknown docker option {word}", hint="docker --help")
    if switches.get("help"):
        rest = ["help", *rest]
    return DockerFlags(values, switches, tuple(rest))


def _split(word: str) -> tuple[str, str | None, str]:
    """Return a flag's long name, the value in the same word, and further short flags in it."""
    if word.startswith("--"):
        name, separator, value = word[2:].partition("=")
        return name, value if separator else None, ""
    name, after = _SHORT.get(word[1], word), word[2:]
    if after.startswith("="):
        return name, after[1:], ""
    if name in _SWITCHES:
        return name, None, after
    return name, after or None, ""


def _read_switch(word: str, value: str | None) -> bool:
    if value is None or value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise UsageError(f"the docker option {word} takes true or false")
