"""YAML with positions, by the rules of YAML 1.2.

`yes`, `on` and `12:30` are text, and every scalar keeps the text as written, so that `1.10` need not
become `1.1`. Duplicate keys are errors, and what a small file may expand to is bounded.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from nixdock.checks.format.nodes import DEPTH_LIMIT, Listing, Node, Place, Scalar, Table, join_halves
from nixdock.errors import UsageError
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NODE_LIMIT = 200_000


class _Loader(yaml.SafeLoader):
    """Composes nodes with the implicit types of YAML 1.2's core schema alone."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to say it
    _composed = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's
        """Compose a node; no more of them than a document may have."""
        self._composed += 1
        if self._composed > _NODE_LIMIT:
            raise yaml.YAMLError(f"it has more than {_NODE_LIMIT} values")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_STR = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"

for _tag, _expression, _first in (
    (_NULL, r"~|null|Null|NULL|", [*"~nN", ""]),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    (_INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    (
        _FLOAT,
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        [*"-+.0123456789"],
    ),
    (_MERGE, r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_expression})\Z"), _first)


def read_yaml(text: str, source: str) -> Node:
    """Read a YAML document.

    Args:
        text: The document.
        source: What messages call it.

    Raises:
        UsageError: It is not YAML, or uses what this reader does not take.
    """
    with yaml_errors(source):
        root = _Loader(text).get_single_node()
    if root is None:
        raise UsageError(f"{source}: it is empty")
    return YamlConverter(source).convert(root, "", ())


@contextmanager
def yaml_errors(source: str) -> Iterator[None]:
    """Turn PyYAML's errors into one that begins with the position.

    Args:
        source: What messages call the document.

    Raises:
        UsageError: What is read within the block is not YAML.
    """
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise UsageError(f"{source}{where}: it is not YAML: {said}") from error
    except (yaml.YAMLError, RecursionError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else split_lines(str(error))[0]
        raise UsageError(f"{source}: it is not YAML: {said}") from error


class YamlConverter:
    """Turns PyYAML's nodes into ours; aliases are expanded, within bounds.

    Args:
        source: What messages call the document.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._count = 0

    def convert(self, node: yaml.Node, path: str, above: tuple[int, ...]) -> Node:
        """Convert a node and what is in it.

        Args:
            node: Composed by PyYAML.
            path: The way to it.
            above: The identities of the nodes that it is in.

        Raises:
            UsageError: It cannot be taken.
        """
        place = self.place_of(node, path)
        self._count += 1
        if self._count > _NODE_LIMIT:
            raise UsageError(f"{place}: it expands to more than {_NODE_LIMIT} values")
        if id(node) in above:
            raise UsageError(f"{place}: an alias stands within what it names")
        if len(above) > DEPTH_LIMIT:
            raise UsageError(f"{place}: it is nested deeper than {DEPTH_LIMIT} levels")
        above = (*above, id(node))
        if isinstance(node, yaml.ScalarNode):
            return self.convert_scalar(node, place)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(
                self.convert(item, place.below(index), above) for index, item in enumerate(node.value)
            )
            return Listing(items, place)
        return self.convert_mapping(node, place, above)

    def convert_scalar(self, node: yaml.ScalarNode, place: Place) -> Scalar:
        """Convert a scalar: what it is by its tag, and how it is written."""
        text = _whole(node, place)
        return Scalar(_scalar_value(node.tag, text, place), text, place)

    def name_key(self, node: yaml.ScalarNode, place: Place) -> str | None:
        """Return what a key is called; None where it is the `<<` that merges other mappings in."""
        return None if node.tag == _MERGE else _whole(node, place)

    def convert_mapping(self, node: yaml.Node, place: Place, above: tuple[int, ...]) -> Table:
        """Convert a mapping; its own keys win over those that it merges in, and of these the last `<<`."""
        merged: dict[str, tuple[Scalar, Node]] = {}
        own: dict[str, tuple[Scalar, Node]] = {}
        for key_node, value_node in node.value:
            key_place = self.place_of(key_node, place.path)
            if not isinstance(key_node, yaml.ScalarNode):
                raise UsageError(f"{key_place}: a key must be text")
            name = self.name_key(key_node, key_place)
            if name is None:
                merged |= _merged(self.convert(value_node, place.path, above))
                continue
            if name in own:
                raise UsageError(f"{key_place}: the key {name!r} stands here a second time")
            key_place = replace(key_place, path=place.below(name))
            own[name] = (Scalar(name, name, key_place), self.convert(value_node, key_place.path, above))
        return Table(tuple({**merged, **own}.values()), place)

    def place_of(self, node: yaml.Node, path: str) -> Place:
        """Return where a node stands."""
        mark = node.start_mark
        return Place(self._source, path, mark.line + 1, mark.column + 1)


def _merged(node: Node) -> dict[str, tuple[Scalar, Node]]:
    """Return the entries of what one `<<` names, of which the first wins."""
    found: dict[str, tuple[Scalar, Node]] = {}
    for table in node.items if isinstance(node, Listing) else (node,):
        if not isinstance(table, Table):
            raise UsageError(f"{node.place}: '<<' takes a mapping or a list of mappings")
        for key, value in table.entries:
            found.setdefault(key.text, (key, value))
    return found


def _read_int(text: str) -> int:
    return int(text, 0) if text[:2] in {"0x", "0o"} else int(text, 10)


_READERS: dict[str, Callable[[str], str | int | float | bool | None]] = {
    _STR: str,
    _INT: _read_int,
    _FLOAT: float,
    _BOOL: lambda text: text.lower() == "true",
    _NULL: lambda _text: None,
    _MERGE: str,
}


def _whole(node: yaml.ScalarNode, place: Place) -> str:
    try:
        return join_halves(node.value)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from error


def _scalar_value(tag: str, text: str, place: Place) -> str | int | float | bool | None:
    reader = _READERS.get(tag)
    if reader is None:
        raise UsageError(f"{place}: the tag {tag!r} means nothing here")
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(f"{place}: {text!r} is not what its tag says") from error
