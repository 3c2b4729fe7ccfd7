"""TarSum, version 1: a checksum of an archive that does not depend on the order or the times of its members.

Docker once identified layers by it; `buildImage` still writes it into a layer's JSON. Of each member the
headers (without the time) and the content are hashed; the hashes are sorted, and hashed together.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
from typing import IO

_LABEL = "tarsum.v1+sha256"


def compute(file: IO[bytes]) -> str:
    """Return the checksum of a tar stream, with its label.

    Raises:
        tarfile.TarError: It is not a tar archive.
    """
    sums = []
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            state = hashlib.sha256(_headers(member).encode("utf-8", "surrogateescape"))
            content = archive.extractfile(member) if member.isreg() else None
            while content and (piece := content.read(1 << 20)):
                state.update(piece)
            sums.append(state.hexdigest())
    return f"{_LABEL}:{hashlib.sha256(''.join(sorted(sums)).encode()).hexdigest()}"


def _headers(member: tarfile.TarInfo) -> str:
    kind = "0" if member.type == tarfile.AREGTYPE else member.type.decode()
    fields = {
        # Go's reader keeps the slash that ends a directory's name; Python's drops it.
        "name": member.name + ("/" if member.isdir() else ""),
        "mode": member.mode,
        "uid": member.uid,
        "gid": member.gid,
        "size": member.size,
        "typeflag": kind,
        "linkname": member.linkname,
        "uname": member.uname,
        "gname": member.gname,
        "devmajor": member.devmajor,
        "devminor": member.devminor,
    }
    attributes = {
        key.removeprefix("SCHILY.xattr."): value
        for key, value in sorted(member.pax_headers.items())
        if key.startswith("SCHILY.xattr.")
    }
    return "".join(f"{key}{value}" for key, value in (fields | attributes).items())


if __name__ == "__main__":
    sys.stdout.write(compute(sys.stdin.buffer) + "\n")
