"""Image references as Docker writes them: `registry/repository:tag@digest`.

Grammar and the familiar form follow distribution/reference (`regexp.go`, `normalize.go`): a first
component with a dot, a colon, or the word `localhost` is a registry; otherwise the registry is
Docker Hub, whose official images live below `library/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nixdock.image.digest import Digest

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
    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag
