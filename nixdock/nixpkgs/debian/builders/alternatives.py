"""The names that update-alternatives would make: `awk` for gawk, `libblas.so.3` for that of libblas3.

They are not among a package's files: its postinst asks for them. What it says in plain words is understood;
what it computes is left to `adjustments.nix`.
"""

from __future__ import annotations

import re
import shlex

_COMMAND = re.compile(r"^[^#\n]*?\bupdate-alternatives\b(.*)$", re.MULTILINE)
_SHARED = re.compile(r"/(editor|pager|www-browser|infobrowser|x-[a-z-]+|gnome-[a-z-]+)$")
"""Names that stand for a choice of the whole system; many packages have them, and none by that name."""


def parse_alternatives(script: str) -> dict[str, str]:
    """Return the links that a postinst asks for, as link to target, both as absolute paths.

    >>> parse_alternatives("update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10")
    {'/usr/bin/awk': '/usr/bin/gawk'}
    """
    links: dict[str, str] = {}
    for command in _COMMAND.findall(script.replace("\\\n", " ")):
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            continue
        for position, word in enumerate(words):
            if word in ("--install", "--slave") and len(words) > position + 3:
                link, target = words[position + 1], words[position + 3]
                if link.startswith("/") and target.startswith("/") and "$" not in link + target:
                    links.setdefault(link, target)
    return {link: target for link, target in links.items() if not _SHARED.search(link)}
