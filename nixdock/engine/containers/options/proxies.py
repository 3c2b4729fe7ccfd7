"""Proxies that docker's config.json gives to every container.

    {"proxies": {"default": {"httpProxy": "...", "noProxy": "..."}, "tcp://far.test:2376": {...}}}

Each becomes a variable in capitals and one in small letters; what the user sets is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nixdock.engine.connection.docker_files import DockerConfig

_VARIABLES: Final = {
    "httpproxy": "HTTP_PROXY",
    "httpsproxy": "HTTPS_PROXY",
    "ftpproxy": "FTP_PROXY",
    "noproxy": "NO_PROXY",
    "allproxy": "ALL_PROXY",
}


def proxy_variables(config: DockerConfig, url: str) -> tuple[str, ...]:
    """Return the variables that containers on an engine get.

    Args:
        config: docker's config.json.
        url: The engine's address.
    """
    chosen = config.proxies.get(url, config.proxies.get("default", {}))
    return tuple(
        f"{name}={chosen[key]}"
        for key, capitals in _VARIABLES.items()
        if chosen.get(key)
        for name in (capitals, capitals.lower())
    )
