r"""Texts as Go's standard library reads and writes them: `$NAME` in a text, and regular expressions.

The rules of `os.Expand` (src/os/env.go), observed with Go: a name is letters, digits and underscores,
or one of `*#$@!?-` and a digit; `${...}` takes anything up to the brace, an empty or unclosed one is
swallowed; a `$` before anything else stays. So there is no way to write a `$` that would be expanded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixdock.checks.matchers.algebra import AllOf, Matcher, Mismatch, NoneOf
from nixdock.checks.matchers.text import Matches
from nixdock.checks.regex import Pattern, compile_pattern
from nixdock.outcome import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|\{|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))")
_TOKEN = re.compile(
    r"""\\Q.*?(?:\\E|\Z)                                   # quoted text
      | \\.                                                # an escape
      | \[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]            # a class
      | \(\?P?<(?P<name>[^>]*)>                            # the beginning of a named group
      | .""",
    re.VERBOSE | re.DOTALL,
)


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}`; a variable that is not there is empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        return environment.get(name, "") if name else ""

    return _VARIABLE.sub(value, text)


def compile_go(text: str) -> Pattern:
    r"""Compile an expression as Go does: RE2 without `\C`, and with ASCII names of groups only.

    Raises:
        ValueError: Go refuses it.
    """
    pattern = compile_pattern(text)
    for token in _TOKEN.finditer(text):
        if token[0] == r"\C":
            raise ValueError(rf"{text!r} is not an RE2 regular expression of Go's: it has no \C")
        if token["name"] is not None and not token["name"].isascii():
            raise ValueError(f"{text!r} is not an RE2 regular expression of Go's: a group's name is ASCII")
    return pattern


def text_matcher(expected: Sequence[str], excluded: Sequence[str]) -> Matcher[Output]:
    """Return the matcher of a text in which each of some expressions is found and none of others.

    An expression that does not compile never holds, whichever of the two it is among.
    """
    parts: list[Matcher[Output]] = [_matcher(text) for text in expected]
    for text in excluded:
        matcher = _matcher(text)
        parts.append(NoneOf((matcher,)) if isinstance(matcher, Matches) else matcher)
    return AllOf(tuple(parts))


class _Unreadable(Matcher[Output]):
    """An expression that does not compile: it holds for nothing."""

    def __init__(self, message: str) -> None:
        self._message = message

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:  # noqa: ARG002 - whatever it is
        return (Mismatch(self._message),)

    def __str__(self) -> str:
        return self._message


def _matcher(text: str) -> Matcher[Output]:
    try:
        return Matches(compile_go(text))
    except ValueError as error:
        return _Unreadable(str(error))
