"""Platforms: operating system, architecture and variant, in Go's words as images state them."""

from __future__ import annotations

import platform as machine
from dataclasses import dataclass, replace
from typing import Any, Final

# What kernels and engines call a machine, and what Go calls it (containerd, platforms/database.go).
_ARCHITECTURES: Final = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i386": ("386", ""),
    "i686": ("386", ""),
}

_USUAL_VARIANTS: Final = {"arm64": "v8", "arm": "v7"}


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image is made for, or what an engine runs."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/architecture` or `os/architecture/variant`.

        Raises:
            ValueError: It is neither.
        """
        os, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        if not os or not architecture or "/" in variant:
            raise ValueError("a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64")
        return cls(os, architecture, variant)

    @classmethod
    def of_machine(cls, architecture: str, os: str = "linux") -> Platform:
        """Return the platform of a machine by the kernel's name of it, such as `x86_64`."""
        known, variant = _ARCHITECTURES.get(architecture.lower(), (architecture.lower(), ""))
        return cls(os, known, variant)

    @classmethod
    def of_this_machine(cls) -> Platform:
        """Return what a Linux engine on this machine runs."""
        return cls.of_machine(machine.machine())

    @classmethod
    def from_json(cls, value: Any) -> Platform | None:  # noqa: ANN401  # JSON of unknown shape
        """Read the platform of an image's config or of a descriptor; None where it states none."""
        if not isinstance(value, dict):
            return None
        os, architecture, variant = (value.get(key, "") for key in ("os", "architecture", "variant"))
        if not (isinstance(os, str) and isinstance(architecture, str) and isinstance(variant, str)):
            return None
        return cls(os, architecture, variant) if os or architecture else None

    @property
    def full(self) -> Platform:
        """The same with the usual variant where none is stated: v8 for arm64, v7 for arm."""
        return replace(self, variant=self.variant or _USUAL_VARIANTS.get(self.architecture, ""))

    def runs_on(self, engine: Platform) -> bool:
        """Whether an image for this platform runs on such an engine without emulation.

        What is not stated is no obstacle.
        """
        if self.os and self.os != engine.os:
            return False
        if self.architecture and self.architecture != engine.architecture:
            return False
        if self.architecture == "arm":
            # An older variant runs on a newer machine, not the other way round.
            return self.full.variant <= engine.full.variant
        return not self.variant or self.full.variant == engine.full.variant

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
