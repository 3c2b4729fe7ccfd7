"""Writes a bundle of certificates as the trust store that Java reads: `java_truststore BUNDLE STORE`.

The format is JKS, as the JDK's `sun.security.provider.JavaKeyStore` says it: a header, entries of kind 2,
and a digest of all that with a password that everybody knows.
"""

from __future__ import annotations

import hashlib
import ssl
import struct
import sys
from pathlib import Path

_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"  # noqa: S105 - what protects no secret
_END = "-----END CERTIFICATE-----"


def store(bundle: str) -> bytes:
    """Return the trust store of a text of PEM certificates."""
    texts = [part[part.index("-----BEGIN") :] + _END for part in bundle.split(_END) if "-----BEGIN" in part]
    content = struct.pack(">III", _MAGIC, _VERSION, len(texts))
    for number, text in enumerate(texts):
        certificate = ssl.PEM_cert_to_DER_cert(text)
        content += struct.pack(">I", _TRUSTED) + _text(f"ca-{number}") + struct.pack(">Q", 0)
        content += _text("X.509") + struct.pack(">I", len(certificate)) + certificate
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + content)  # noqa: S324 - its format
    return content + digest.digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(store(Path(sys.argv[1]).read_text()))
