"""The proxies of docker's config.json, as variables of a container."""

from __future__ import annotations

import pytest

from nixdock.engine.docker_files import DockerConfig
from nixdock.engine.run_options.proxies import proxy_variables
from nixdock.engine.run_options.request import make_request

CONFIG = DockerConfig(
    proxies={
        "default": {"httpproxy": "http://p:1", "noproxy": "a,b"},
        "tcp://far.test:2376": {"httpsproxy": "http://q:2"},
    }
)


def test_the_engine_s_own_come_before_the_default_ones() -> None:
    assert proxy_variables(CONFIG, "unix:///x") == (
        *("HTTP_PROXY=http://p:1", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy=a,b"),
    )
    assert proxy_variables(CONFIG, "tcp://far.test:2376") == (
        "HTTPS_PROXY=http://q:2",
        "https_proxy=http://q:2",
    )


@pytest.mark.parametrize("proxies", [{}, {"default": {}}, {"unix:///x": {}, "default": {"httpproxy": "a"}}])
def test_no_proxies(proxies: dict[str, dict[str, str]]) -> None:
    assert proxy_variables(DockerConfig(proxies=proxies), "unix:///x") == ()


def test_what_the_user_sets_is_left_alone() -> None:
    variables = proxy_variables(CONFIG, "unix:///x")
    options = {"env": ("HTTP_PROXY=mine", "no_proxy")}
    request = make_request("image", (), options, variables=variables, environ={})
    assert request.body["Env"] == ["HTTP_PROXY=mine", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy"]
