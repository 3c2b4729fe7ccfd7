"""Text that terminals, runners and readers of reports would obey, and what they obey of a text."""

from __future__ import annotations

import re
import unicodedata

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[Hhome",
    "\x1b]0;a title\x07",
    "\x1b]8;;http://example.com\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1bP$q q\x1b\\",
    "\x1bc",
    "\x1b7\x1b8",
    "\x9b31mC1",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "ok\rPASS forged",
    "secret\x08\x08\x08\x08\x08\x08open",
    "ding\x07",
    "\x00nul",
    "\x7fdelete",
    "\x0e\x0fshift",
    "\x0bdown\x0cpage",
    "\x1c\x1d\x1e\x1fseparators",
    "next\x85line",
    "\u202egnp.exe",
    "\u2066isolate\u2069",
    "\u200fright\u061cletter\u200eleft",
    "one\u2028PASS forged\u2029two",
    "\ud800lone",
    "\udcffbyte",
    "::error::forged",
    "::add-path::/tmp/evil",
    " ::set-env name=PATH::/tmp/evil",
    "\t::stop-commands::token",
    "\u00a0::set-output name=a::b",
    "\u3000::add-mask::a",
    "\ufeff::error::forged",
    "##[add-path]/tmp/evil",
    "a ##[set-env name=PATH]/tmp/evil",
    "a ##[error]forged",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStatus status='SUCCESS']",
    "a\nPASS forged",
    "a\nnixdock: forged",
    "a\n::add-path::/tmp/evil",
    "a\r\n::set-env name=a::b",
    "a\n  ##[add-path]/tmp/evil",
    "a | b | c",
    "</td></table><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](http://example.com) ![b](http://example.com/b.png)",
    "# Heading\n\n* list",
    "`code` **bold** @everyone",
    "[red]markup[/red]",
    "[/]",
    "[bold",
    "%0A::error::forged",
    "%0D%0A::error::forged",
    "]]><!-- & &lt;",
    "\ufffe\uffff",
    "x" * 100_000,
    "-" * 5000 + "\x1b[31m" * 5000,
]


BLANKS = "".join(chr(n) for n in range(0x10000) if chr(n).isspace()) + "\ufeff"
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_obeyed(character: str) -> bool:
    """Whether a terminal does something with a character, or nobody can write it."""
    return (
        (unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in "\t\n")
        or unicodedata.bidirectional(character) in DIRECTIONS
        or character in "\u200e\u200f\u061c"
    )


def find_commands(text: str) -> list[str]:
    """Return the lines that a runner obeys: actions/runner, ActionCommand.cs, and two of its kind."""
    return [
        line
        for line in re.split(r"\r\n|\n|\r", text)
        if line.lstrip(BLANKS).startswith("::") or re.search(r"##(vso|teamcity)?\[", line)
    ]
