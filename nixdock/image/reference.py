"""What names images and their parts: references, `registry/repository:tag@digest`, and digests.

References are as Docker writes them: grammar and the familiar form follow distribution/reference
(`regexp.go`, `normalize.go`). A first component with a dot, a colon, or the word `localhost` is a
registry; otherwise the registry is Docker Hub, whose official images live below `library/`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REGISTRY = re.compile(
    r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::[0-9]+)?"
)
_NAME_LIMIT = 255
_STORELESS = ("nixdock.invalid", "host-store/")
"""The registry, which nobody can have (RFC 2606), and the path of images without their store paths."""
_CLOSURE = ("nixdock.invalid", "closure/")
"""The same, of such images whose store paths are a device."""
_PORT = re.compile(r"^([^/]*)__([0-9]+)(?=/)")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A sha256 digest; the only algorithm that Docker and Nix images use."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise ValueError(f"not a sha256 digest: {self.hex!r}")

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `sha256:<hex>`.

        Raises:
            ValueError: It is something else.
        """
        algorithm, _, digits = text.partition(":")
        if algorithm != "sha256":
            raise ValueError(f"not a sha256 digest: {text!r}")
        return cls(digits)

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """Return the digest of these bytes."""
        return cls(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A name for an image, fully qualified.

    Args:
        registry: Host and port, such as `docker.io` or `localhost:5000`.
        path: The repository in it, such as `library/hello`.
        tag: The tag, or None where a digest alone names the image.
        digest: A manifest digest, or None.
    """

    registry: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference as docker does; without tag and digest it gets the tag `latest`.

        Raises:
            ValueError: It breaks a rule; the message says which, quoting the offending part.
        """
        rest, at, digest_text = text.partition("@")
        digest = Digest.parse(digest_text) if at else None
        head, colon, last = rest.rpartition(":")
        name, tag = (head, last) if colon and "/" not in last else (rest, None)
        if tag is not None and not _TAG.fullmatch(tag):
            raise ValueError(
                f"invalid tag {tag!r} in {text!r}: a tag has letters, digits, '_', '.' and '-', "
                "does not begin with '.' or '-', and has at most 128 characters"
            )
        first, slash, remainder = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
            registry, path = first, remainder
        else:
            registry, path = DOCKER_HUB, name if slash else f"library/{name}"
        if registry == "index.docker.io":
            registry = DOCKER_HUB
        if not _REGISTRY.fullmatch(registry):
            raise ValueError(f"invalid registry {registry!r} in {text!r}")
        if not _PATH.fullmatch(path) or len(path) > _NAME_LIMIT:
            raise ValueError(
                f"invalid image name {name!r}: a name has lowercase letters and digits, with '.', '_', "
                "'__' or '-' between them, and '/' between its parts"
            )
        if tag is None and digest is None:
            tag = DEFAULT_TAG
        return cls(registry, path, tag, digest)

    @classmethod
    def of_closure(cls, name: str) -> Reference:
        """Return the name of the image whose store paths are the device of this name.

        Raises:
            ValueError: No image could have it.
        """
        registry, prefix = _CLOSURE
        path = f"{prefix}{name}"
        if "/" in name or not _PATH.fullmatch(path) or len(path) > _NAME_LIMIT:
            raise ValueError(
                f"invalid device name {name!r}: a name has lowercase letters and digits, with '.', '_', "
                "'__' or '-' between them"
            )
        return cls(registry, path, DEFAULT_TAG)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}{self._suffix}"

    @property
    def familiar(self) -> str:
        """The short form that docker prints: no `docker.io/`, no `library/`."""
        name = f"{self.registry}/{self.path}"
        if self.registry == DOCKER_HUB:
            name = self.path.removeprefix("library/")
        return f"{name}{self._suffix}"

    @property
    def repository(self) -> str:
        """The fully qualified name without tag and digest."""
        return f"{self.registry}/{self.path}"

    @property
    def storeless(self) -> Reference | None:
        """The name of the same image without its store paths; None where this name does not fit into one."""
        name = self.repository if self.registry != DOCKER_HUB else self.path.removeprefix("library/")
        path = f"{_STORELESS[1]}{name.replace(':', '__').lower()}"
        fits = _PATH.fullmatch(path) and len(path) <= _NAME_LIMIT
        return Reference(_STORELESS[0], path, self.tag) if fits else None

    @property
    def whole(self) -> Reference:
        """The name of the whole image, where this is one without its store paths; otherwise this one."""
        registry, prefix = _STORELESS
        if self.registry != registry or not self.path.startswith(prefix):
            return self
        name = _PORT.sub(r"\1:\2", self.path.removeprefix(prefix), count=1)
        try:
            return Reference.parse(f"{name}{self._suffix}")
        except ValueError:
            return self  # somebody else's name

    @property
    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag
