"""Paths into JSON values: `status`, `.items[0].name`, `$.a["key with spaces"][-1]`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

_NAME = re.compile(r"[^.\[\]\"'\s]+")
_INDEX = re.compile(r"\[(-?\d+)\]", re.ASCII)
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')


class Missing:
    """The value of a path that leads nowhere; not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Steps into a JSON value: member names and list positions."""

    text: str
    steps: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> JsonPath:
        """Read a path.

        Raises:
            ValueError: It is not one.
        """
        rest = text.removeprefix("$")
        steps: list[str | int] = []
        while rest:
            if match := _INDEX.match(rest):
                steps.append(int(match[1]))
            elif match := _QUOTED.match(rest):
                steps.append(json.loads(match[1]))
            else:
                dotted = rest.startswith(".")
                match = _NAME.match(rest, 1 if dotted else 0)
                if match is None or not (dotted or not steps):
                    raise ValueError(
                        f"{text!r} is not a path into JSON (at {rest!r}): write such as '.items[0].name' or "
                        """'["key with spaces"]'"""
                    )
                steps.append(match[0])
            rest = rest[match.end() :]
        return cls(text, tuple(steps))

    def find(self, value: object) -> object:
        """Return what the path leads to, or `MISSING`."""
        for step in self.steps:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step, MISSING)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step] if -len(value) <= step < len(value) else MISSING
            else:
                return MISSING
        return value
