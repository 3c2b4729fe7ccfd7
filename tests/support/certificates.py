"""Certificates for an engine that is reached over TLS, made by openssl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_EXTENSIONS = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"


def make_authority(folder: Path) -> None:
    """Make `ca.pem` and its key in a new folder."""
    folder.mkdir()
    words = ("-days", "2", "-subj", "/CN=an authority of nixdock's tests", "-out", folder / "ca.pem")
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *words, "-keyout", folder / "ca-key.pem")


def make_certificate(authority: Path, folder: Path) -> None:
    """Make the three files of a DOCKER_CERT_PATH: `ca.pem`, and `cert.pem` with `key.pem` for 127.0.0.1."""
    folder.mkdir()
    (folder / "ca.pem").write_bytes((authority / "ca.pem").read_bytes())
    extensions, request = folder / "extensions", folder / "request"
    extensions.write_text(_EXTENSIONS)
    words = ("-subj", "/CN=127.0.0.1", "-keyout", folder / "key.pem", "-out", request)
    _openssl("req", "-newkey", "rsa:2048", "-nodes", *words)
    signer = ("-CA", authority / "ca.pem", "-CAkey", authority / "ca-key.pem", "-CAcreateserial")
    files = ("-extfile", extensions, "-in", request, "-out", folder / "cert.pem")
    _openssl("x509", "-req", "-days", "2", *signer, *files)


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
