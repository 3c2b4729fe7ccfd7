"""Regular expressions in one dialect, RE2's: linear in the text, so that none can hang a run.

A search is unanchored and over the whole text; `$` without `(?m)` is the very end of it, also where
the text ends with a newline. Bytes that are not UTF-8 are seen as U+FFFD, one for each, as Go sees
them.
"""

from __future__ import annotations

import codecs
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import re2

from nixdock.outcome import Capture

if TYPE_CHECKING:
    from nixdock.outcome import Output

_BLOCK = 1 << 20
_MEMORY = 1 << 25
"""Bytes that an expression may take compiled: RE2's own limit refuses `\\pL{500}`, which Go takes."""
_LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression and the text that it was made from."""

    text: str
    compiled: Any = field(compare=False)

    def found_in(self, output: Output) -> bool:
        """Whether the expression matches anywhere in these bytes."""
        return self.compiled.search(as_utf8(output)) is not None

    def start_in(self, text: Output) -> int | None:
        """Return where the first match in this valid UTF-8 begins, or None."""
        found = self.compiled.search(text)
        return None if found is None else int(found.start())


@functools.lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Compile an RE2 expression.

    Raises:
        ValueError: It is not one; the message says what RE2 said, and which dialect this is.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(text.encode(), options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "it does not compile"
        hint = "; RE2 has no look-around" if any(sign in text for sign in _LOOK_AROUND) else ""
        raise ValueError(f"{text!r} is not an RE2 regular expression: {said}{hint}") from error
    return Pattern(text, compiled)


def as_utf8(output: Output) -> Output:
    """Return the bytes with every byte that is not part of valid UTF-8 replaced by U+FFFD.

    Valid bytes are returned as they are, without a copy.
    """
    if _is_utf8(output):
        return output
    if isinstance(output, bytes):
        return output.decode(errors=_EACH_BYTE).encode()

    with Capture() as clean:
        decoder = codecs.getincrementaldecoder("utf-8")(errors=_EACH_BYTE)
        for start in range(0, len(output), _BLOCK):
            clean.write(decoder.decode(output[start : start + _BLOCK]).encode())
        clean.write(decoder.decode(b"", final=True).encode())
        return clean.output


def _is_utf8(output: Output) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(output), _BLOCK):
            decoder.decode(output[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_EACH_BYTE = "nixdock-each-byte"


def _replace_each_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(_EACH_BYTE, _replace_each_byte)
