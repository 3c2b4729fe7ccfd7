"""Where a file of Debian's tree is in a store path.

Debian's `/usr` is the store path itself, as nixpkgs has it: `/usr/bin/hello` is `bin/hello`. What is in
`/usr` and what is beside it (`/bin`, `/lib`) come together, `sbin` and `games` join `bin`.
"""

from __future__ import annotations

import re

_BIN = re.compile(r"^(sbin|games)(?=/|$)")
_LIB = re.compile(r"^lib(64|x32)(?=/|$)")

UNWANTED = re.compile(
    r"""
    share/(doc|man|info|locale|doc-base|lintian|bug|reportbug|apport|gdb)(/|$)
    | share/(menu|pixmaps|applications|metainfo)(/|$)
    | lib/(systemd/(system|user|system-preset)|udev|debug)(/|$)
    | lib/(tmpfiles|sysusers|modprobe|modules-load)\.d(/|$)
    | etc/(init\.d|rc[0-9S]\.d|systemd|default|cron\.[a-z]+|logrotate\.d)(/|$)
    | etc/(alternatives|apparmor\.d|ufw|apport)(/|$)
    """,
    re.VERBOSE,
)
"""What nobody finds in a store path, or what would only bring references: manuals, translations (programs
look for them at Debian's absolute paths), and what belongs to an init system."""


def place(path: str) -> str:
    """Return where a path of Debian's tree is below a store path; both without a leading slash.

    >>> place("usr/sbin/nginx")
    'bin/nginx'
    >>> place("lib64/ld-linux-x86-64.so.2")
    'lib/ld-linux-x86-64.so.2'
    >>> place("etc/nginx/nginx.conf")
    'etc/nginx/nginx.conf'
    """
    inner = path.removeprefix("usr/") if path != "usr" else ""
    return _LIB.sub("lib", _BIN.sub("bin", inner))


def is_wanted(placed: str) -> bool:
    """Say whether a file, by its place in the store path, is kept."""
    return not UNWANTED.match(placed)
