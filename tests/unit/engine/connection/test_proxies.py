"""Variables of a container: the proxies of docker's config.json, and what is said of those that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nixdock.checks.structure_test.go_text import parse_dotenv
from nixdock.engine.connection.docker_files import DockerConfig
from nixdock.engine.connection.proxies import proxy_variables
from nixdock.engine.containers.options.request import make_request
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

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
    options = (("env", "HTTP_PROXY=mine"), ("env", "no_proxy"))
    request = make_request("image", (), options, variables=variables, environ={})
    assert request.body["Env"] == ["HTTP_PROXY=mine", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy"]


@pytest.mark.parametrize("text", ["=hunter2", "=hunter2=x", "="])
def test_a_variable_without_a_name_keeps_its_value_to_itself(text: str) -> None:
    with pytest.raises(UsageError, match=r"invalid environment variable: =…?$") as caught:
        make_request("image", (), (("env", text),), environ={})
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("text", ["A=1\n=hunter2\n", "A=1\nhunter2 x\n", "A=1\nA b=hunter2\n"])
def test_a_file_of_variables_that_cannot_be_read_is_told_of_by_its_lines(text: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(text)
    with pytest.raises(UsageError, match="line 2") as caught:
        make_request("image", (), (("env-file", "env"),), environ={}, directory=tmp_path)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("text", ["A=1\nhunter2\n", "A=1\nB='hunter2\n", 'A=1\n\nB="hunter2'])
def test_a_dotenv_file_that_cannot_be_read_is_told_of_by_its_lines(text: str) -> None:
    with pytest.raises(ValueError, match=r"^line [23]: ") as caught:
        parse_dotenv(text)
    assert "hunter2" not in str(caught.value)
