"""The proxy on the way to an engine."""

from __future__ import annotations

import pytest

from nixdock.engine.http_proxy import find_proxies

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
        ("https://127.0.0.1:2376", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]:2376", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://localhost:2376", {"HTTPS_PROXY": "http://p:1"}, None),
    ],
)
def test_proxies_are_found_as_docker_finds_them(
    url: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert list(find_proxies(url).values()) == ([proxy] if proxy else [])
