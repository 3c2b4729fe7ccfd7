"""The proxy on the way to an engine."""

from __future__ import annotations

import pytest

from nixdock.engine.connection.proxies import find_proxies

ENGINE = "https://engine.example:2376"


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        (ENGINE, {}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (ENGINE, {"https_proxy": "http://p:1"}, "http://p:1"),
        (ENGINE, {"HTTP_PROXY": "http://p:1"}, None),
        ("http://engine.example:2375", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        (ENGINE, {"ALL_PROXY": "socks5://p:1"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other,.example"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other"}, "http://p:1"),
        ("https://10.1.2.3:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.example"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other, *"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "engine.example:2376"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "engine.example:2375"}, "http://p:1"),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".engine.example, gine.example"}, "http://p:1"),
        ("https://10.0.0.1:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.1:2376"}, None),
        ("https://10.0.0.1:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.2,x/8,:1"}, "http://p:1"),
        ("https://[fd00::1]:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "fd00::/8"}, None),
        ("https://[fd00::1]:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "[fd00::1]:2376"}, None),
        ("https://[fd00::1]:2376", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "fd00::1"}, None),
        (ENGINE, {"HTTPS_PROXY": "http://p:1", "https_proxy": "http://small:1"}, "http://p:1"),
        (ENGINE, {"HTTPS_PROXY": "", "https_proxy": "http://small:1"}, "http://small:1"),
        ("https://127.0.0.1:2376", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]:2376", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://localhost:2376", {"HTTPS_PROXY": "http://p:1"}, None),
    ],
)
def test_proxies_are_found_as_docker_finds_them(
    url: str, environment: dict[str, str], proxy: str | None
) -> None:
    assert list(find_proxies(url, environment).values()) == ([proxy] if proxy else [])
