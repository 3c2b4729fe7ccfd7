"""Numbers with units, as people write them: durations and byte counts."""

from __future__ import annotations

import math
import re

_DURATION_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h))", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)

_SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", re.ASCII)


def parse_duration(text: str) -> float:
    """Read a duration and return its seconds: `5`, `1.5s`, `500ms`, `1m30s`.

    Raises:
        ValueError: It is something else.
    """
    if _NUMBER.fullmatch(text):
        return float(text)
    seconds = 0.0
    position = 0
    while match := _DURATION.match(text, position):
        seconds += float(match[1]) * _DURATION_UNITS[match[2]]
        position = match.end()
    if not position or position != len(text):
        raise ValueError(f"{text!r} is not a duration: write seconds, or such as '500ms', '20s', '1m30s'")
    return seconds


def format_duration(seconds: float) -> str:
    """Write a duration for people: `12 ms`, `3.2 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def parse_size(text: str) -> int:
    """Read a byte count: `1500`, `60MB` (powers of 1000), `60MiB` (powers of 1024).

    A bare `60M` is refused: docker reads it as 1024², most people as 1000².

    Raises:
        ValueError: It is something else.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size: write bytes, or such as '60MB' (10^6) or '60MiB' (2^20)")
    number, unit = match[1], match[2] or "B"
    if unit not in _SIZE_UNITS:
        letter = unit[0].upper()
        meant = (
            f"write '{number}{letter}B' or '{number}{letter}iB'" if letter in "KMGT" else "write kB, MiB, ..."
        )
        raise ValueError(f"{text!r} has an unknown unit {unit!r}: {meant}")
    return math.ceil(float(number) * _SIZE_UNITS[unit])


def format_size(size: float) -> str:
    """Write a byte count for people, in powers of 1000 as docker does: `8.4 kB`, `1.6 GB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.4g} {unit}"
        value /= 1000
    return f"{value:.4g} TB"
