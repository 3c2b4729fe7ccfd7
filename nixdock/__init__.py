"""From a `.nix` file to a checked Docker container, in one command.

As a library: `nixdock.build`, `load`, `run`, `check`, `serve`, `add_device`, `connect` (see `nixdock.api`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixdock.api import add_device, build, check, connect, load, run, serve

__version__ = "0.1.0"

__all__ = ["__version__", "add_device", "build", "check", "connect", "load", "run", "serve"]


def __getattr__(name: str) -> object:
    # The command line must not pay for what only a library needs.
    if name not in __all__:
        raise AttributeError(f"module 'nixdock' has no attribute {name!r}")
    from nixdock import api  # noqa: PLC0415

    return getattr(api, name)


def __dir__() -> list[str]:
    # For whoever looks around in an interpreter: those too that nobody has asked for yet.
    return sorted({*globals(), *__all__})
