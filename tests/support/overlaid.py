"""Layers that lie over each other in every way that was thought of.

tests/unit/data/overlaid.json holds what a container of each had (Docker 20.10, or Docker 28's containerd
store where that alone takes it): kind, mode, owner and size of each path.
"""

from __future__ import annotations

import tarfile
from typing import Any

from support.layers import file, folder, hardlink, link, tar_of

Member = tuple[tarfile.TarInfo, bytes]


def tar(*members: Member) -> bytes:
    return tar_of(members)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", **more: Any) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    for key, value in more.items():
        setattr(info, key, value)
    return info, b""


def device_of(name: str, major: int = 0, minor: int = 0, t: bytes = tarfile.CHRTYPE) -> Member:
    return member(name, t, devmajor=major, devminor=minor, mode=0o644)


LOWER = tar(
    *(folder("d"), file("d/a", b"1"), file("d/b", b"2"), folder("e"), file("e/x", b"3"), file("f", b"4")),
    *(link("s", "d"), folder("g"), folder("g/h"), file("g/h/i", b"5")),
)
LOWER_OWNED = tar(
    member("d", tarfile.DIRTYPE, mode=0o700, uid=5, gid=6),
    file("d/a", b"1"),
    member("d/i", tarfile.DIRTYPE, mode=0o711, uid=7),
    file("d/i/x", b"2"),
)
LOWER_ROOT = tar(member("./", tarfile.DIRTYPE, mode=0o700, uid=9), file("d/a", b"1"))

OVERLAID: dict[str, list[bytes]] = {
    "wh-dir": [LOWER, tar(file(".wh.d"))],
    "wh-dir-then-dir": [LOWER, tar(file(".wh.d"), folder("d"), file("d/c", b"x"))],
    "wh-same-layer-file2": [LOWER, tar(file(".wh.n"), file("n", b"1"))],
    "wh-same-layer-over2": [LOWER, tar(file(".wh.f"), file("f", b"new"))],
    "opq": [LOWER, tar(folder("d"), file("d/.wh..wh..opq"), file("d/c", b"x"))],
    "opq-after": [LOWER, tar(folder("d"), file("d/c", b"x"), file("d/.wh..wh..opq"))],
    "opq-no-dir": [LOWER, tar(file("d/.wh..wh..opq"))],
    "opq-nested": [LOWER, tar(file("g/.wh..wh..opq"), folder("g/h"), file("g/h/j", b"z"))],
    "dev00": [LOWER, tar(device_of("f"))],
    "dev00-dir": [LOWER, tar(device_of("d"))],
    "dev00-new": [LOWER, tar(device_of("n"))],
    "dev00-one": [tar(device_of("n"))],
    "dev00-block": [LOWER, tar(device_of("f", t=tarfile.BLKTYPE))],
    "dev00-hidden-later": [LOWER, tar(device_of("n")), tar(file("n", b"1"))],
    "dev01": [LOWER, tar(device_of("f", 0, 1))],
    "dir-over-file": [LOWER, tar(folder("f"), file("f/z", b"1"))],
    "file-over-dir": [LOWER, tar(file("d", b"1"))],
    "link-over-dir": [LOWER, tar(link("d", "e"))],
    "dir-over-link": [LOWER, tar(folder("s"), file("s/q", b"1"))],
    "file-below-link": [LOWER, tar(file("s/q", b"1"))],
    "file-below-link-same": [LOWER, tar(link("t", "d"), file("t/q", b"1"))],
    "wh-below-link": [LOWER, tar(file("s/.wh.a"))],
    "implicit-parents": [LOWER, tar(file("p/q/r", b"1"))],
    "dup-file": [LOWER, tar(file("n", b"1"), file("n", b"22"))],
    "dup-dir-file": [LOWER, tar(folder("n"), file("n/a", b"1"), file("n", b"22"))],
    "dup-file-dir": [LOWER, tar(file("n", b"22"), folder("n"))],
    "dup-dir-mode": [LOWER, tar(folder("n", 0o700), file("n/a", b"1"), folder("n", 0o711))],
    "link-mode": [LOWER, tar(member("m", tarfile.SYMTYPE, "f", mode=0o600))],
    "hard": [LOWER, tar(file("n", b"1"), hardlink("o", "n"), hardlink("p", "o"))],
    "hard-then-over": [LOWER, tar(file("n", b"1"), hardlink("o", "n"), file("n", b"333"))],
    "hard-to-link": [LOWER, tar(link("n", "f"), hardlink("o", "n"))],
    "hard-mode": [LOWER, tar(file("n", b"1", 0o600), member("o", tarfile.LNKTYPE, "n", mode=0o755))],
    "aufs": [
        LOWER,
        tar(file(".wh..wh.aufs"), folder(".wh..wh.plnk"), file(".wh..wh.plnk/1", b"1"), file("z", b"1")),
    ],
    "wh-wh": [LOWER, tar(file(".wh..wh.f", b""))],
    "root-mode": [LOWER, tar(member("./", tarfile.DIRTYPE, mode=0o700))],
    "dot-names": [LOWER, tar(file("./x/../y", b"1"))],
    "abs-name": [LOWER, tar(file("/abs", b"1"))],
    "wh-link": [LOWER, tar(file(".wh.s"))],
    "wh-missing": [LOWER, tar(file(".wh.nope"))],
    "wh-dir-slash": [LOWER, tar(member(".wh.d", tarfile.DIRTYPE))],
    "wh-symlink": [LOWER, tar(link(".wh.d", "x"))],
    "three": [LOWER, tar(file(".wh.d")), tar(folder("d"), file("d/new", b"1"))],
    "three-opq": [LOWER, tar(file("d/c", b"1")), tar(file("d/.wh..wh..opq"), file("d/e", b"1"))],
    "sticky": [
        LOWER,
        tar(member("n", tarfile.REGTYPE, mode=0o4755), member("k", tarfile.DIRTYPE, mode=0o1777)),
    ],
    "uid": [LOWER, tar(member("n", uid=70000, gid=65534))],
    "implied": [LOWER_OWNED, tar(file("d/new", b"1"))],
    "implied-deep": [LOWER_OWNED, tar(file("d/i/new", b"1"))],
    "implied-wh": [LOWER_OWNED, tar(file("d/.wh.a"))],
    "implied-opq": [LOWER_OWNED, tar(file("d/i/.wh..wh..opq"))],
    "implied-dev": [LOWER_OWNED, tar(device_of("d/a"))],
    "root-one": [LOWER_ROOT],
    "root-below": [LOWER_ROOT, tar(file("z", b"1"))],
    "root-opq": [LOWER, tar(file(".wh..wh..opq"))],
    "same-link-abs": [LOWER, tar(folder("t"), link("u", "/t"), file("u/q", b"1"))],
    "same-link-lower": [LOWER, tar(link("u", "d"), file("u/q", b"1"))],
    "same-link-chain": [LOWER, tar(folder("t"), link("v", "t"), link("u", "v"), file("u/q", b"1"))],
    "same-link-wh": [LOWER, tar(link("u", "d"), folder("d"), file("u/.wh.a"))],
    "same-link-dir": [LOWER, tar(folder("t"), link("u", "t"), folder("u"), file("u/q", b"1"))],
    "wh-then-dir-deep": [LOWER, tar(file(".wh.g"), folder("g"), file("g/n", b"1"))],
    "wh-then-link": [LOWER, tar(file(".wh.d"), link("d", "e"))],
    "wh-then-file": [LOWER, tar(file(".wh.d"), file("d", b"1"))],
    "hard-owner": [LOWER, tar(member("n", uid=3), member("o", tarfile.LNKTYPE, "n", uid=4, mode=0o640))],
    "hard-wh-later": [LOWER, tar(file("n", b"1"), hardlink("o", "n")), tar(file(".wh.n"))],
    "dir-mode-over": [LOWER_OWNED, tar(member("d", tarfile.DIRTYPE, mode=0o750, uid=1))],
    "file-over-implied": [LOWER, tar(file("q/w", b"1")), tar(file("q", b"2"))],
}
