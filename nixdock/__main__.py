"""`python -m nixdock`: the program, where its script is not on PATH."""

from __future__ import annotations

from nixdock.cli.main import main

main()
