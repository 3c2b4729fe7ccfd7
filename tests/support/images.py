"""Images made in memory, of layers and a config."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixdock.image.model import Image
from support.layers import file, layer_of, link

if TYPE_CHECKING:
    import tarfile

    from support.layers import MemoryLayer


def image_of(*layers: MemoryLayer, config: dict[str, Any] | None = None, **top: Any) -> Image:
    """An image of these layers; `config` is what containers get, `top` what stands beside it."""
    value = {
        "architecture": "amd64",
        "os": "linux",
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        **top,
    }
    return Image(json.dumps(value).encode(), tuple(layers))


def host_program(name: str, at: str | None = None) -> list[tuple[tarfile.TarInfo, bytes]]:
    """A program of this machine with all the libraries that it loads, where it looks for them."""
    path = shutil.which(name)
    assert path is not None
    members = [file(at or f"bin/{name}", Path(path).resolve().read_bytes(), 0o755)]
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        library = next((word for word in line.split() if word.startswith("/")), None)
        if library is not None:
            members.append(file(library.lstrip("/"), Path(library).resolve().read_bytes(), 0o755))
    return members


def shell_layer() -> MemoryLayer:
    """A layer with Debian's static busybox as /bin/busybox and /bin/sh."""
    busybox = Path("/bin/busybox").read_bytes()
    return layer_of(file("bin/busybox", busybox, 0o755), link("bin/sh", "busybox"))
