"""YAML as go-yaml v2 reads it into typed fields: YAML 1.1's words, and every scalar's own text.

What was observed with the real program (go-yaml v2.4, UnmarshalStrict): only the first document
counts; a key that stands twice is an error; `y`, `yes` and `on` are truth values; numbers may be
written `0x1F`, `017`, `0o17`, `0b1` and `1_000`; tags that are not YAML's own mean nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

import yaml

from nixdock.checks.format.nodes import Node, Place, Scalar
from nixdock.checks.format.yaml_reader import YamlConverter, yaml_errors
from nixdock.errors import UsageError

if TYPE_CHECKING:
    Value = str | int | float | bool | None

_PLAIN = "plain"
_TAG = "tag:yaml.org,2002:"

_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_NAMED_FLOATS = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_INT = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII,
)
_TAGGED: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "null": (type(None),),
}
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}


class _Loader(yaml.SafeLoader):
    """Composes nodes that keep whether a scalar is plain; what it is, is decided later."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:  # noqa: ANN401 - PyYAML's
        """Return the tag of a node that has none: a plain scalar's is our own word."""
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else f"{_TAG}str"
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def read_go_yaml(data: bytes, source: str) -> Node:
    """Read the first document of a YAML file.

    Args:
        data: The file.
        source: What messages call it.

    Raises:
        UsageError: It cannot be read.
    """
    with yaml_errors(source):
        loader = _Loader(data)
        try:
            root = loader.get_node() if loader.check_node() else None
            version: tuple[int, int] | None = loader.yaml_version
        finally:
            loader.dispose()
    if version is not None and version != (1, 1):
        raise UsageError(f"{source}: it says %YAML {version[0]}.{version[1]}, and this format is YAML 1.1")
    if root is None:
        return Scalar(None, "", Place(source))
    return _Converter(source).convert(root, "", ())


def resolve_plain(text: str) -> Value:
    """Return what a scalar without quotes and tag is."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULL:
        return None
    if text in _NAMED_FLOATS:
        return _NAMED_FLOATS[text]
    if text[0] not in "+-.0123456789":
        return text
    number = text if text.startswith(".") else text.replace("_", "")
    if found := _INT.fullmatch(number):
        base = found.lastgroup or "dec"
        value = int(found["sign"] + found[base], _BASES[base])
        if -(1 << 63) <= value < 1 << 64:
            return value
    return float(number) if _FLOAT.fullmatch(number) else text


class _Converter(YamlConverter):
    def convert_scalar(self, node: yaml.ScalarNode, place: Place) -> Scalar:
        """Convert a scalar as go-yaml resolves it."""
        return _resolve(node, place)

    def name_key(self, node: yaml.ScalarNode, place: Place) -> str | None:
        """Return what a key is called: null is the empty text."""
        if node.tag == _PLAIN and node.value == "<<":
            return None
        return "" if _resolve(node, place).value is None else str(node.value)


def _resolve(node: yaml.ScalarNode, place: Place) -> Scalar:
    text: str = node.value
    if node.tag == _PLAIN:
        return Scalar(resolve_plain(text), text, place)
    kind = node.tag.removeprefix(_TAG)
    if kind == "binary":
        try:
            text = base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode(errors="replace")
        except binascii.Error as error:
            raise UsageError(f"{place}: it is not the base64 that its tag !!binary says") from error
        return Scalar(text, text, place)
    types = _TAGGED.get(kind)
    if types is None:
        return Scalar(text, text, place)
    value = resolve_plain(text)
    if not isinstance(value, types) or (kind != "bool" and isinstance(value, bool)):
        raise UsageError(f"{place}: {text!r} is not what its tag !!{kind} says")
    return Scalar(value, text, place)
