"""Which engine is spoken to: docker's own order, and its contexts read as docker writes them."""

from __future__ import annotations

import hashlib
import json
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection import address as module
from nixdock.engine.connection.address import Address, Tls, choose, context_names, published_host
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "docker"
    folder.mkdir()
    return folder


def environ(config: Path, **more: str) -> dict[str, str]:
    return {"DOCKER_CONFIG": str(config), "XDG_RUNTIME_DIR": str(config / "run"), **more}


def add_context(
    config: Path, name: str, host: str, *, skip_verify: bool = False, tls: Mapping[str, str] | None = None
) -> None:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / key
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": skip_verify}
    (meta / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}})
    )
    for file, text in (tls or {}).items():
        folder = config / "contexts" / "tls" / key / "docker"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)


def use_context(config: Path, name: str) -> None:
    (config / "config.json").write_text(json.dumps({"auths": {}, "currentContext": name}))


def test_context_and_host_together_are_a_usage_error(config: Path) -> None:
    with pytest.raises(UsageError, match="--context and --host"):
        choose(context="a", host="unix:///b", environ=environ(config))


def test_the_order_is_docker_s(config: Path) -> None:
    for name in ("option", "variable", "current"):
        add_context(config, name, f"unix:///{name}.sock")
    use_context(config, "current")
    everything = environ(config, DOCKER_HOST="unix:///host.sock", DOCKER_CONTEXT="variable")
    without_host = environ(config, DOCKER_CONTEXT="variable")

    assert choose(context="option", environ=everything).url == "unix:///option.sock"
    assert choose(host="unix:///h", environ=everything).url == "unix:///h"
    assert choose(environ=everything) == Address("unix:///host.sock", "DOCKER_HOST")
    assert choose(environ=without_host).url == "unix:///variable.sock"
    assert choose(environ=environ(config)).url == "unix:///current.sock"
    assert choose(environ=environ(config)).context == "current"


def test_the_default_context_is_the_host_of_the_environment(config: Path) -> None:
    use_context(config, "no-such")
    found = choose(context="default", environ=environ(config, DOCKER_HOST="tcp://h:1"))
    assert found.url == "tcp://h:1"


@pytest.mark.parametrize("source", ["--context", "DOCKER_CONTEXT", "currentContext"])
def test_an_unknown_context_is_an_error_that_names_those_there_are(config: Path, source: str) -> None:
    add_context(config, "known", "unix:///known.sock")
    more = {"DOCKER_CONTEXT": "nope"} if source == "DOCKER_CONTEXT" else {}
    if source == "currentContext":
        use_context(config, "nope")

    with pytest.raises(UsageError, match="no docker context 'nope'") as caught:
        choose(context="nope" if source == "--context" else None, environ=environ(config, **more))

    assert source in caught.value.message
    assert caught.value.hint == "contexts there are: default, known"


def test_a_context_without_any_configuration_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no docker context 'ci'"):
        choose(environ={"DOCKER_CONFIG": str(tmp_path / "none"), "DOCKER_CONTEXT": "ci"})


def test_a_context_brings_its_own_certificates(config: Path) -> None:
    add_context(
        config,
        "far",
        "tcp://far.test:2376",
        skip_verify=True,
        tls={"ca.pem": "ca", "cert.pem": "cert", "key.pem": "key"},
    )

    found = choose(context="far", environ=environ(config, DOCKER_TLS_VERIFY="1"))

    folder = config / "contexts" / "tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    assert found.tls == Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", verify=False)


def test_a_context_without_an_engine_is_an_error(config: Path) -> None:
    key = hashlib.sha256(b"kube").hexdigest()
    meta = config / "contexts" / "meta" / key
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Name": "kube", "Endpoints": {}}')
    with pytest.raises(UsageError, match="'kube' names no engine"):
        choose(context="kube", environ=environ(config))
    assert context_names(environ(config)) == ("default", "kube")


def test_the_environment_s_tls(config: Path, tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    (certificates / "ca.pem").touch()
    more = {"DOCKER_HOST": "tcp://far.test", "DOCKER_CERT_PATH": str(certificates)}

    verified = choose(environ=environ(config, DOCKER_TLS_VERIFY="0", **more))
    unverified = choose(environ=environ(config, DOCKER_TLS="yes", **more))
    plain = choose(environ=environ(config, **more))

    assert verified == Address("tcp://far.test:2376", "DOCKER_HOST", Tls(ca=certificates / "ca.pem"))
    assert unverified.tls == Tls(ca=certificates / "ca.pem", verify=False)
    assert plain == Address("tcp://far.test:2375", "DOCKER_HOST")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("unix:///x.sock", "unix:///x.sock"),
        ("unix://", "unix:///var/run/docker.sock"),
        ("tcp://localhost", "tcp://localhost:2375"),
        ("tcp://[::1]:7", "tcp://[::1]:7"),
        ("far.test", "tcp://far.test:2375"),
        (":9", "tcp://localhost:9"),
        ("http://far.test:1", "tcp://far.test:1"),
        ("https://far.test", "tcp://far.test:2376"),
        ("tcp://far.test:1/prefix/", "tcp://far.test:1/prefix"),
        ("ssh://me@far.test:22", "ssh://me@far.test:22"),
    ],
)
def test_forms_of_an_address(config: Path, text: str, url: str) -> None:
    assert choose(host=text, environ=environ(config)).url == url


@pytest.mark.parametrize(
    "text",
    [
        "/run/docker.sock",
        "fd://",
        "npipe:////./pipe/x",
        "ssh://me:secret@far.test",
        "ssh://",
        "ssh://h/x",
        "tcp://h:x",
    ],
)
def test_what_is_no_address(config: Path, text: str) -> None:
    with pytest.raises(UsageError, match="invalid engine address") as caught:
        choose(host=text, environ=environ(config))
    assert "secret" not in str(caught.value)


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    runtime = tmp_path / "r"
    (runtime / "podman").mkdir(parents=True)
    monkeypatch.setattr(module, "DEFAULT_SOCKET", str(tmp_path / "d.sock"))
    return {
        "default": tmp_path / "d.sock",
        "rootless": runtime / "docker.sock",
        "podman": runtime / "podman" / "podman.sock",
    }


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("there", [["default", "rootless", "podman"], ["rootless", "podman"], ["podman"]])
def test_the_first_socket_there_is(there: list[str], sockets: dict[str, Path], tmp_path: Path) -> None:
    for name in there:
        listen(sockets[name])
    found = choose(environ={"DOCKER_CONFIG": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "r")})
    assert found.socket_path == sockets[there[0]]


def test_a_socket_that_we_may_not_use_gives_way(
    sockets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(sockets["default"])
    listen(sockets["podman"])
    # Root may use every socket: ask for the permission bits alone.
    monkeypatch.setattr("os.access", lambda path, _mode: bool(Path(path).stat().st_mode & stat.S_IWUSR))
    sockets["default"].chmod(0)
    given = {"DOCKER_CONFIG": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "r")}

    assert choose(environ=given).socket_path == sockets["podman"]
    sockets["podman"].unlink()
    assert choose(environ=given).socket_path == sockets["default"]


def test_what_is_no_socket_is_passed_over(sockets: dict[str, Path], tmp_path: Path) -> None:
    sockets["default"].touch()
    listen(sockets["rootless"])
    found = choose(environ={"DOCKER_CONFIG": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "r")})
    assert found == Address(f"unix://{sockets['rootless']}", "rootless Docker's socket")


@pytest.mark.parametrize(
    ("url", "variables", "host"),
    [
        ("unix:///x", {}, "127.0.0.1"),
        ("tcp://localhost:2375", {}, "127.0.0.1"),
        ("tcp://docker:2375", {}, "docker"),
        ("ssh://me@far.test", {}, "far.test"),
        ("unix:///x", {"NIXDOCK_ENGINE_HOST": "10.0.0.7"}, "10.0.0.7"),
    ],
)
def test_where_published_ports_answer(url: str, variables: dict[str, Any], host: str) -> None:
    assert published_host(Address(url, "test"), variables) == host
