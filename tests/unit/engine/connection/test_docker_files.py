"""docker's own files: what docker 28.2 does with each was tried, and stands beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.cli.options import Session
from nixdock.engine.connection.address import Address, choose, context_names
from nixdock.engine.connection.docker_files import DockerConfig, read_config, read_daemon_settings
from nixdock.engine.connection.patience import Patience
from nixdock.engine.connection.proxies import proxy_variables
from nixdock.engine.connection.transport import _make_sdk, open_sdk
from nixdock.errors import UsageError
from nixdock.events import Warned

if TYPE_CHECKING:
    from nixdock.events import Event

# What stands in config.json; whether docker warns of it; and the context that it then uses.
CONFIGS: list[tuple[bytes, bool, str]] = [
    (b"", False, ""),
    (b" \n\t ", False, ""),
    (b"null", False, ""),
    (b"{}", False, ""),
    (b"[]", True, ""),
    (b'"a"', True, ""),
    (b"3", True, ""),
    (b"true", True, ""),
    (b'{"auths":', True, ""),
    (b'{"currentContext":"ci","auths":{', True, ""),
    (b'{"currentContext":"ci"} x', False, "ci"),
    (b'{"currentContext":"ci"}{}', False, "ci"),
    (b"\xef\xbb\xbf{}", True, ""),
    ("{}".encode("utf-16"), True, ""),
    (b"\0\0", True, ""),
    (b'{"currentContext":"\xff"}', False, "\ufffd"),
    (b'{"currentContext":"\\ud800"}', False, "\ufffd"),
    (b'{"currentContext":"ci","a":NaN}', True, ""),
    (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", True, ""),
    (b'{"psFormat":"' + b"x" * 2_000_000 + b'","currentContext":"ci"}', False, "ci"),
    (b'{"CurrentContext":"ci"}', False, "ci"),
    (b'{"currentContext":"ci","CURRENTCONTEXT":""}', False, ""),
    (b'{"currentContext":"ci","currentcontext":null}', False, "ci"),
    (b'{"currentContext":"ci","currentContext":"other"}', False, "other"),
    (b'{"currentContext":null}', False, ""),
    (b'{"currentContext":""}', False, ""),
    (b'{"currentContext":3}', True, ""),
    (b'{"currentContext":[]}', True, ""),
    (b'{"HttpHeaders":null,"currentContext":"ci"}', False, "ci"),
    (b'{"HttpHeaders":[],"currentContext":"ci"}', True, "ci"),
    (b'{"HttpHeaders":{"A":1},"currentContext":"ci"}', True, "ci"),
    (b'{"HttpHeaders":{"X-Meta":"v"},"currentContext":"ci"}', False, "ci"),
    (b'{"proxies":null,"currentContext":"ci"}', False, "ci"),
    (b'{"proxies":[],"currentContext":"ci"}', True, "ci"),
    (b'{"proxies":{"default":"x"},"currentContext":"ci"}', True, "ci"),
    (b'{"proxies":{"default":{"httpProxy":3}},"currentContext":"ci"}', True, "ci"),
    (b'{"proxies":{"default":null},"currentContext":"ci"}', False, "ci"),
    (b'{"cliPluginsExtraDirs":"x","currentContext":"ci"}', True, "ci"),
    (b'{"cliPluginsExtraDirs":null,"currentContext":"ci"}', False, "ci"),
    (b'{"cliPluginsExtraDirs":[3],"currentContext":"ci"}', True, "ci"),
    (b'{"detachKeys":3,"currentContext":"ci"}', True, "ci"),
]

# Credentials, which docker warns of where they cannot be read, and nixdock never asks for.
CREDENTIALS = [
    b'{"auths":{"r.test":{"auth":"YWJj"}}}',
    b'{"auths":{"r.test":{"auth":"%%%"}}}',
    b'{"auths":{"r.test":{"auth":3}}}',
    b'{"auths":{"r.test":{"auth":null}}}',
    b'{"auths":{"r.test":{"auth":"/////w=="}}}',
    b'{"auths":{"r.test":{"identitytoken":3}}}',
    b'{"auths":{"r.test":null}}',
    b'{"auths":{"r.test":"a"}}',
    b'{"auths":[]}',
    b'{"auths":null}',
    b'{"auths":"x"}',
    b'{"Auths":{"r.test":{"auth":"YWJj"}}}',
    b'{"r.test":{"auth":"YWJj","email":"x"}}',
    b'{"credsStore":3}',
    b'{"credsStore":"nope"}',
    b'{"credHelpers":[]}',
    b'{"plugins":[]}',
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(("text", "warns", "context"), CONFIGS, ids=[repr(row[0][:40]) for row in CONFIGS])
def test_config_is_read_as_docker_reads_it(folder: Path, text: bytes, warns: bool, context: str) -> None:
    (folder / "config.json").write_bytes(text)
    found = read_config()
    assert (found.fault is not None, found.context) == (warns, context)
    assert not found.fault or str(folder / "config.json") in found.fault
    proxy_variables(found, "unix:///x")


@pytest.mark.parametrize(
    "text", [*CREDENTIALS, *(row[0] for row in CONFIGS)], ids=lambda text: repr(text[:40])
)
@pytest.mark.sampled(3)
def test_no_config_keeps_an_engine_from_being_spoken_to(folder: Path, text: bytes) -> None:
    (folder / "config.json").write_bytes(text)
    for address in (Address("unix:///a.sock", "a test"), Address("tcp://h.test:1/x", "a test")):
        open_sdk(address, Patience(None)).close()


@pytest.mark.parametrize("text", CREDENTIALS, ids=lambda text: repr(text[:40]))
def test_credentials_are_nobody_s_business_here(folder: Path, text: bytes) -> None:
    (folder / "config.json").write_bytes(text)
    assert read_config() == DockerConfig()


def test_what_cannot_be_opened_is_warned_of_and_what_is_not_there_is_not(folder: Path) -> None:
    assert read_config() == DockerConfig()
    (folder / "config.json").mkdir()
    assert (read_config().fault or "").endswith("Is a directory")
    (folder / "file").touch()
    assert read_config({"DOCKER_CONFIG": str(folder / "file")}) == DockerConfig()


def test_a_broken_config_is_warned_of_once_and_ends_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.json").write_text("{")
    monkeypatch.setenv("DOCKER_HOST", "unix:///a.sock")
    session = Session()
    told: list[Event] = []
    monkeypatch.setattr(Session, "tell", lambda _self, event: told.append(event))
    for _ in range(3):
        assert session.address().url == "unix:///a.sock"
        session.docker_config()
    (event,) = told
    assert isinstance(event, Warned)
    assert "config.json is not valid JSON" in event.text


def test_headers_go_along_as_docker_sends_them(folder: Path) -> None:
    headers = {
        "X-Meta": " v ", "x-ü": "a", "X-Late": "ü", "a b": "c", "X-Two": "a\r\nX-Three: b", "Host": "h",
        "user-agent": "me", "Content-Length": "3",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({"HttpHeaders": headers}))
    sent = _make_sdk("http+docker://localhost").headers
    assert (sent["X-Meta"], sent["X-Late"]) == (b"v", "ü".encode())
    assert not {"a b", "x-ü", "X-Two", "X-Three", "Host", "Content-Length"} & set(sent)
    assert sent["User-Agent"] != b"me"
    assert "no header of HTTP" in (read_config().fault or "")


def context(folder: Path, data: bytes | None, name: str = "ci") -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.mkdir() if data is None else meta.write_bytes(data)


def described(**more: Any) -> bytes:
    endpoint = {"Host": "unix:///ci.sock", "SkipTLSVerify": False, **more}
    return json.dumps({"Name": "ci", "Metadata": {}, "Endpoints": {"docker": endpoint}}).encode()


WHOLE = described()
HERE = "unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("data", "url"),
    [
        (WHOLE, "unix:///ci.sock"),
        (WHOLE + b" \n", "unix:///ci.sock"),
        (described(Extra=[1]), "unix:///ci.sock"),
        (described(SkipTLSVerify=None), "unix:///ci.sock"),
        (WHOLE.replace(b"Host", b"host").replace(b"Endpoints", b"endpoints"), "unix:///ci.sock"),
        (WHOLE.replace(b'"ci"', b'"other"'), "unix:///ci.sock"),
        (WHOLE.replace(b'"Name": "ci", ', b""), "unix:///ci.sock"),
        (WHOLE.replace(b"{}", b'{"Description":"\xff"}'), "unix:///ci.sock"),
        (described(Host=None), HERE),
        (described(Host=""), HERE),
        (b'{"Name":"ci","Endpoints":{"docker":{}}}', HERE),
        (b"", None),
        (b"null", None),
        (b"[]", None),
        (WHOLE + b" x", None),
        (b"\xef\xbb\xbf" + WHOLE, None),
        (described(Host=3), None),
        (described(SkipTLSVerify=1), None),
        (described(SkipTLSVerify="true"), None),
        (b'{"Name":"ci"}', None),
        (b'{"Name":"ci","Endpoints":null}', None),
        (b'{"Name":"ci","Endpoints":[]}', None),
        (b'{"Name":"ci","Endpoints":{"docker":null}}', None),
        (b'{"Name":"ci","Endpoints":{"docker":"x"}}', None),
        (WHOLE.replace(b'"docker"', b'"Docker"'), None),
        (WHOLE.replace(b'"Name": "ci"', b'"Name": 3'), None),
        (WHOLE.replace(b"{}", b'"x"'), None),
        (b'{"a":' + b"[" * 200_000, None),
        (None, None),
    ],
)
def test_a_context_is_read_as_docker_reads_it(folder: Path, data: bytes | None, url: str | None) -> None:
    context(folder, data)
    context_names()
    if url is not None:
        assert choose(context="ci").url == url
        return
    with pytest.raises(UsageError, match="docker context 'ci'"):
        choose(context="ci")


def test_a_context_whose_name_is_no_text_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no docker context"):
        choose(context="\udcff")
    assert folder.exists()


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        (b"", {}),
        (b" \n", {}),
        (b"null", {}),
        (b"{}", {}),
        (b'{"mtu":1400} x', {"mtu": 1400}),
        (b"[]", None),
        (b'"x"', None),
        (b"3", None),
        (b"\xef\xbb\xbf{}", None),
        (b"{", None),
        (b"[" * 200_000, None),
    ],
)
def test_daemon_settings_are_read_as_dockerd_reads_them(
    folder: Path, data: bytes, settings: dict[str, Any] | None
) -> None:
    path = folder / "daemon.json"
    path.write_bytes(data)
    if settings is None:
        with pytest.raises(ValueError, match=r"."):
            read_daemon_settings(path)
    else:
        assert read_daemon_settings(path) == settings
