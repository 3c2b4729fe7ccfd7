"""The rules of the lint: what each looks for, and how grave it is to find it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Gravity(Enum):
    """How sure it is that something breaks."""

    FAULT = "fault"
    """What the image starts, has in its PATH or asks for in its config will fail."""

    ADVICE = "advice"
    """Whether anything ever asks for it, the image's bytes do not tell."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a rule found.

    Args:
        rule: The rule's name.
        gravity: How grave it is.
        message: What was found, and where.
        remedy: What to write into the image's expression.
    """

    rule: str
    gravity: Gravity
    message: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return {
            "rule": self.rule,
            "gravity": self.gravity.value,
            "message": self.message,
            "remedy": self.remedy,
        }


RULES: Final = {
    "command": "The command and the health check name programs that are in the image and can be executed.",
    "interpreter": "The dynamic linker that each program asks for is in the image.",
    "libraries": "The shared libraries that each program asks for are found where it looks for them.",
    "shebang": "The interpreter in the first line of each executable script is in the image.",
    "architecture": "Programs are for the architecture that the image's config states.",
    "references": "Store paths that files refer to are in the image.",
    "shell": "/bin/sh is there for health checks, docker exec and programs that start others by a shell.",
    "certificates": "CA certificates are where TLS libraries look for them.",
    "tmp": "There is a folder /tmp into which everybody may write.",
    "users": "The user that the image runs as is known to /etc/passwd and /etc/group.",
    "timezones": "Time zone data is there where TZ asks for a zone.",
}
"""Names of rules, and what holds where they find nothing."""
