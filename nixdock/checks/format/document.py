"""Reading a document, YAML or JSON, into nodes with positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.format.json_reader import read_json
from nixdock.checks.format.yaml_reader import read_yaml
from nixdock.errors import UsageError
from nixdock.text import shorten

if TYPE_CHECKING:
    from nixdock.checks.format.nodes import Node


def decode_document(data: bytes, source: str) -> str:
    """Return a document's text.

    Args:
        data: The file's content.
        source: The file's name, as messages give it.

    Raises:
        UsageError: It is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: it is not UTF-8") from error


def read_document(data: bytes, source: str) -> Node:
    """Read a document: JSON where its name ends in `.json`, YAML otherwise.

    Args:
        data: The file's content.
        source: The file's name, as messages give it.

    Raises:
        UsageError: It cannot be read; the message begins with the position.
    """
    text = decode_document(data, source)
    try:
        return _read(text, source)
    except UsageError as error:
        raise UsageError(shorten(error.message), hint=error.hint, details=error.details) from error


def _read(text: str, source: str) -> Node:
    if source.endswith(".json"):
        return read_json(text, source)
    return read_yaml(text, source)
