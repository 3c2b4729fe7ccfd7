"""The agent: a tiny static program that is PID 1 of an idle container and runs commands on request.

It is not part of the image: it is put into a volume of the container before its start. `agent.c` is
its source, and says how it is spoken to; `scripts/build-agent` builds it.
"""

from __future__ import annotations

import io
import tarfile
from importlib import resources

FOLDER = "/.nixdock"
"""Where the volume with the agent is mounted in a container."""

PATH = f"{FOLDER}/agent"

MACHINES = ("amd64", "arm64")
"""Architectures of engines that there is an agent for."""


def read_agent(architecture: str) -> bytes | None:
    """Return the agent for an engine's machine; None where there is none for it.

    Args:
        architecture: In Go's words, as the engine states it.
    """
    if architecture not in MACHINES:
        return None
    return resources.files(__name__).joinpath(f"agent-{architecture}").read_bytes()


def pack_agent(program: bytes) -> bytes:
    """Return the tar archive that puts the agent into its directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("agent")
        member.size, member.mode = len(program), 0o555
        tar.addfile(member, io.BytesIO(program))
    return buffer.getvalue()
