"""Which proxy leads to an engine on another machine, and which proxies docker gives to every container.

The first by Go's rules, as docker's requests follow them. The source is golang.org/x/net/http/httpproxy:
HTTP_PROXY or HTTPS_PROXY by the address's scheme, in capitals or else in small letters, but not for what
NO_PROXY names, nor for this machine itself.

The second stand in docker's config.json; each becomes a variable in capitals and one in small letters, and
what the user sets is left alone:

    {"proxies": {"default": {"httpProxy": "...", "noProxy": "..."}, "tcp://far.test:2376": {...}}}
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.engine.connection.docker_files import DockerConfig

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def find_proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy for a URL, by its scheme, as requests wants it; empty where there is none.

    Args:
        url: Of the engine; it names its port.
        environ: The environment.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), str(parts.port or "")
    proxy = _read(environ, f"{parts.scheme}_proxy")
    excluded = any(_excludes(entry, host, port) for entry in _read(environ, "no_proxy").split(","))
    ip = _parse_ip(host)
    is_this_machine = host == "localhost" if ip is None else ip.is_loopback
    return {parts.scheme: proxy} if proxy and not excluded and not is_this_machine else {}


def _read(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def _excludes(entry: str, host: str, port: str) -> bool:
    """Whether an entry of NO_PROXY names a host: all, a network, an address or a domain, perhaps a port."""
    entry = entry.strip().lower()
    ip = _parse_ip(host)
    if "/" in entry:
        return ip is not None and _is_within(ip, entry)
    name, only_port = _split_port(entry)
    named_ip = _parse_ip(name)
    if named_ip is not None:
        is_named = named_ip == ip
    else:
        domain = name.removeprefix("*")
        is_named = host.endswith(domain) if domain.startswith(".") else f".{host}".endswith(f".{domain}")
    return entry == "*" or (name != "" and is_named and only_port in {"", port})


def _is_within(ip: _Ip, network: str) -> bool:
    try:
        return ip in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    if _parse_ip(entry) is not None:
        return entry, ""
    name, separator, port = entry.rpartition(":")
    if not separator:
        return entry, ""
    return name.removeprefix("[").removesuffix("]"), port


def _parse_ip(text: str) -> _Ip | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


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
