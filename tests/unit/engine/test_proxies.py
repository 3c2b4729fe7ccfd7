"""The proxies of docker's config.json, as variables of a container."""

from __future__ import annotations

from typing import Any

import pytest

from nixdock.engine.run_options.proxies import proxy_variables
from nixdock.engine.run_options.request import make_request

CONFIG = {
    "proxies": {
        "default": {"httpProxy": "http://p:1", "noProxy": "a,b"},
        "tcp://far.test:2376": {"httpsProxy": "http://q:2"},
    }
}


def test_the_engine_s_own_come_before_the_default_ones() -> None:
    assert proxy_variables(CONFIG, "unix:///x") == (
        *("HTTP_PROXY=http://p:1", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy=a,b"),
    )
    assert proxy_variables(CONFIG, "tcp://far.test:2376") == (
        "HTTPS_PROXY=http://q:2",
        "https_proxy=http://q:2",
    )


@pytest.mark.parametrize("config", [{}, {"proxies": None}, {"proxies": []}, {"proxies": {"default": "x"}}])
def test_no_proxies(config: dict[str, Any]) -> None:
    assert proxy_variables(config, "unix:///x") == ()


def test_what_the_user_sets_is_left_alone() -> None:
    variables = proxy_variables(CONFIG, "unix:///x")
    options = {"env": ("HTTP_PROXY=mine", "no_proxy")}
    request = make_request("image", (), options, variables=variables, environ={})
    assert request.body["Env"] == ["HTTP_PROXY=mine", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy"]
