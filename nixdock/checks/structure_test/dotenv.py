r"""Files of variables in dotenv's format, as godotenv 1.5 reads them for `containerRunOptions.envFile`.

`NAME=value` or `NAME: value`, perhaps behind `export`; comments; values bare, in single quotes (taken as
they are) or in double quotes (`\n`, `\r` and other escapes); `$NAME` and `${NAME}`, upper case only,
are replaced by what stands further up in the file, but not in single quotes.
"""

from __future__ import annotations

import re

from nixdock.text import BLANKS

_SPACE = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(rf"export[{_SPACE}]+")
_KEY = re.compile(r"[^=:\n]*(?=[=:])")
_EXPANSION = re.compile(r"(\\)?\$\(?\{?([A-Z0-9_]+)?\}?")


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
        return _expand(_without_comment(line).strip(_SPACE), before), rest[len(line) :]
    end = next((at for at in range(1, len(rest)) if rest[at] == quote and rest[at - 1] != "\\"), None)
    if end is None:
        raise ValueError("the quotes of a value are not closed")
    value = rest[:end].strip(quote)
    if quote == '"':
        value = re.sub(r"\\.", lambda found: {"\\n": "\n", "\\r": "\r"}.get(found[0], found[0]), value)
        value = _expand(re.sub(r"\\([^$])", r"\1", value), before)
    return value, rest[end + 1 :]


def _without_comment(line: str) -> str:
    """Cut a comment off a bare value: the last `#` that has a space before it and whatever follows."""
    for at in range(len(line) - 1, 0, -1):
        if line[at] == "#" and line[at - 1] in _SPACE:
            return line[:at]
    return line


def _expand(value: str, before: dict[str, str]) -> str:
    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return before.get(found[2], "") if found[2] else found[0]

    return _EXPANSION.sub(replacement, value)
