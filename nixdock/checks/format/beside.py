"""The check file of a .nix file, found by its name: whoever has none needs no reader of such files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nixdock.errors import UsageError

SUFFIXES: Final = (".checks.yaml", ".checks.yml", ".checks.json")
"""How the names of check files end."""


def find_suite_beside(expression: Path) -> Path | None:
    """Return the check file that belongs to a .nix file: `web.checks.yaml` beside `web.nix`.

    Raises:
        UsageError: There is more than one.
    """
    stem = expression.with_suffix("") if expression.suffix == ".nix" else expression / "default"
    found = [path for suffix in SUFFIXES if (path := Path(f"{stem}{suffix}")).is_file()]
    if len(found) > 1:
        names = " and ".join(str(path) for path in found)
        raise UsageError(f"{expression} has more than one check file: {names}", hint="keep one of them")
    return found[0] if found else None
