"""An engine on another machine, as far as nixdock can tell: reached over TCP, with certificates."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import MACHINE, make_archive, make_root
from support import engines
from support.certificates import make_authority, make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.program import Nixdock

NAME = "nixdock-test-secure:1"


class Secure:
    """The program, and an engine that answers over TLS alone.

    Attributes:
        environment: What leads there.
        certificates: A folder with folders of certificates: `ours`, and `foreign` of another authority.
    """

    def __init__(self, nixdock: Nixdock, port: int, certificates: Path) -> None:
        self.nixdock = nixdock
        self.certificates = certificates
        self.environment = {
            "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(certificates / "ours"),
            # For the web, not for engines, and not for this machine.
            "REQUESTS_CA_BUNDLE": str(certificates / "foreign" / "ca.pem"),
            "HTTPS_PROXY": "http://127.0.0.1:1",
            "ALL_PROXY": "socks5://127.0.0.1:1",
        }


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "foreign"):
        make_authority(folder / f"{name}-authority")
        make_certificate(folder / f"{name}-authority", folder / name)
    make_certificate(folder / "ours-authority", folder / "engine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}
    words = [f"--{option}={folder / 'engine' / file}" for option, file in files.items()]
    with engines.dockerd("docker-20-tls", "--tlsverify", *words, f"--host=tcp://127.0.0.1:{port}"):
        yield port, folder


@pytest.fixture
def secure(nixdock: Nixdock, listening: tuple[int, Path]) -> Secure:
    found = Secure(nixdock, *listening)
    archive = nixdock.folder / "image.tar"
    archive.write_bytes(make_archive(NAME, make_root(), {"Cmd": ["echo", "hello"]}, MACHINE))
    loaded = nixdock("load", archive, env=found.environment)
    assert (loaded.status, loaded.stdout) == (0, f"Loaded image: {NAME}\n"), loaded.stderr
    return found


def test_it_is_loaded_and_brought_up(secure: Secure) -> None:
    up = secure.nixdock("up", NAME, "--expect", "hello", env=secure.environment)
    assert (up.status, up.out) == (0, b"hello\n"), up.stderr


def test_the_output_goes_on_when_the_input_has_ended(secure: Secure) -> None:
    words = ("run", "-i", NAME, "sh", "-c", "wc -c; sleep 0.2; seq 100000")
    ran = secure.nixdock(*words, stdin=bytes(3_000_000), env=secure.environment)
    numbers = "".join(f"{number}\n" for number in range(1, 100001))
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout == f"3000000\n{numbers}"


def test_checks_run_there(secure: Secure) -> None:
    file = secure.nixdock.folder / "checks.yaml"
    file.write_text('checks: {fed: {exec: [cat], stdin: "some words", stdout: some words}}\n')
    checked = secure.nixdock("check", NAME, "--checks", file, env=secure.environment)
    assert checked.status == 0, checked.stderr
    assert "1 passed" in checked.stdout


def test_an_authority_of_this_machine_is_enough(secure: Secure) -> None:
    """A folder with our certificate alone: the engine's is signed by one that the machine trusts."""
    folder = secure.nixdock.folder / "without-authority"
    folder.mkdir()
    for name in ("cert.pem", "key.pem"):
        (folder / name).write_bytes((secure.certificates / "ours" / name).read_bytes())
    trusted = {"DOCKER_CERT_PATH": str(folder), "SSL_CERT_FILE": str(secure.certificates / "ours" / "ca.pem")}
    ran = secure.nixdock("run", NAME, env={**secure.environment, **trusted})
    assert (ran.status, ran.out) == (0, b"hello\n"), ran.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DOCKER_CERT_PATH": "foreign"}, "(DOCKER_HOST): its certificate is not trusted ("),
        ({"DOCKER_CERT_PATH": "nowhere"}, "there is no ca.pem, so this machine's own authorities were asked"),
        ({"DOCKER_CERT_PATH": "", "DOCKER_TLS_VERIFY": ""}, "HTTPS"),
    ],
    ids=["of another authority", "that are not there", "none"],
)
def test_wrong_certificates_are_said(secure: Secure, changed: dict[str, str], said: str) -> None:
    values = {key: value and str(secure.certificates / value) for key, value in changed.items()}
    ran = secure.nixdock("run", NAME, env={**secure.environment, **values})
    assert ran.status == 125
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
