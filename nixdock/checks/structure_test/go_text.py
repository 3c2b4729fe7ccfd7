r"""Texts as Go reads them: `$NAME` in a text, regular expressions, and files of variables.

The rules of `os.Expand` (src/os/env.go), observed with Go: a name is letters, digits and underscores,
or one of `*#$@!?-` and a digit; `${...}` takes anything up to the brace, an empty or unclosed one is
swallowed; a `$` before anything else stays. So there is no way to write a `$` that would be expanded.

Files of variables are those of dotenv, as godotenv 1.5 reads them for `containerRunOptions.envFile`:
`NAME=value` or `NAME: value`, perhaps behind `export`; comments; values bare, in single quotes (taken as
they are) or in double quotes (`\n`, `\r` and other escapes); `$NAME` and `${NAME}`, upper case only,
are replaced by what stands further up in the file, but not in single quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixdock.checks.matchers.algebra import AllOf, Matcher, Mismatch, NoneOf
from nixdock.checks.matchers.text import Matches
from nixdock.checks.regex import Pattern, compile_pattern
from nixdock.outcome import Output
from nixdock.text import BLANKS

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

_SPACE = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(rf"export[{_SPACE}]+")
_KEY = re.compile(r"[^=:\n]*(?=[=:])")
_EXPANSION = re.compile(r"(\\)?\$\(?\{?([A-Z0-9_]+)?\}?")


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


def parse_dotenv(text: str) -> dict[str, str]:
    """Read a file of variables; one that is given again is the later.

    Raises:
        ValueError: It is none; the message says why.
    """
    whole = rest = text.replace("\r\n", "\n")
    found: dict[str, str] = {}
    while rest := rest.lstrip(BLANKS):
        if rest.startswith("#"):
            rest = rest.partition("\n")[2]
            continue
        try:
            key, value = _take_key(rest)
            found[key], rest = _take_value(value, found)
        except ValueError as error:
            # Its values may be secrets: which line it is says enough.
            raise ValueError(f"line {whole.count(chr(10), 0, len(whole) - len(rest)) + 1}: {error}") from None
    return found


def _take_key(rest: str) -> tuple[str, str]:
    if export := _EXPORT.match(rest):
        rest = rest[export.end() :]
    match = _KEY.match(rest)
    # Go looks at the bytes of a name one by one, as if each were a letter.
    letters = match[0].encode().decode("latin-1") if match else ""
    if match is None or not all(letter.isalnum() or letter in f"._{_SPACE}" for letter in letters):
        raise ValueError("a variable's name is missing")
    return match[0].rstrip(_SPACE), rest[match.end() + 1 :].lstrip(_SPACE)


def _take_value(rest: str, before: dict[str, str]) -> tuple[str, str]:
    quote = rest[:1]
    if quote not in {"'", '"'} or not quote:
        line = re.split(r"[\n\r]", rest, maxsplit=1)[0]
        return _expand_dotenv(_without_comment(line).strip(_SPACE), before), rest[len(line) :]
    end = next((at for at in range(1, len(rest)) if rest[at] == quote and rest[at - 1] != "\\"), None)
    if end is None:
        raise ValueError("the quotes of a value are not closed")
    value = rest[:end].strip(quote)
    if quote == '"':
        value = re.sub(r"\\.", lambda found: {"\\n": "\n", "\\r": "\r"}.get(found[0], found[0]), value)
        value = _expand_dotenv(re.sub(r"\\([^$])", r"\1", value), before)
    return value, rest[end + 1 :]


def _without_comment(line: str) -> str:
    """Cut a comment off a bare value: the last `#` that has a space before it and whatever follows."""
    for at in range(len(line) - 1, 0, -1):
        if line[at] == "#" and line[at - 1] in _SPACE:
            return line[:at]
    return line


def _expand_dotenv(value: str, before: dict[str, str]) -> str:
    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return before.get(found[2], "") if found[2] else found[0]

    return _EXPANSION.sub(replacement, value)
