"""Proxies that docker's config.json gives to every container.

    {"proxies": {"default": {"httpProxy": "...", "noProxy": "..."}, "tcp://far.test:2376": {...}}}

Each becomes a variable in capitals and one in small letters; what the user sets is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES: Final = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "noProxy": "NO_PROXY",
    "allProxy": "ALL_PROXY",
}


def proxy_variables(config: Mapping[str, Any], url: str) -> tuple[str, ...]:
    """Return the variables that containers on an engine get.

    Args:
        config: docker's config.json.
        url: The engine's address.
    """
    proxies = config.get("proxies")
    chosen = (proxies.get(url) or proxies.get("default")) if isinstance(proxies, dict) else None
    if not isinstance(chosen, dict):
        return ()
    return tuple(
        f"{name}={chosen[key]}"
        for key, capitals in _VARIABLES.items()
        if chosen.get(key)
        for name in (capitals, capitals.lower())
    )
