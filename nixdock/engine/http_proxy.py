"""Which proxy leads to an engine on another machine: the rules of docker, which are those of Go.

The source is Go's golang.org/x/net/http/httpproxy: HTTP_PROXY and HTTPS_PROXY by the address's scheme, in
capitals or small letters, but for what NO_PROXY names and for this machine itself; ALL_PROXY means nothing.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from requests.utils import should_bypass_proxies


def find_proxies(url: str) -> dict[str, str]:
    """Return the proxy for a URL, by its scheme, as requests wants it; empty where there is none."""
    parts = urlsplit(url)
    if _is_this_machine(parts.hostname or "") or should_bypass_proxies(url, no_proxy=None):
        return {}
    proxy = getproxies_environment().get(parts.scheme)
    return {parts.scheme: proxy} if proxy else {}


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
