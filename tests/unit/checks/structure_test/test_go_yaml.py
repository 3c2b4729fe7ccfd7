from __future__ import annotations

import math

import pytest

from nixdock.checks.format.nodes import Listing, Scalar, to_value
from nixdock.checks.structure_test.go_yaml import read_go_yaml, resolve_plain
from nixdock.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")),
        *((word, False) for word in ("n", "N", "no", "off", "Off", "False")),
        *(
            (word, word)
            for word in ("tRUE", "yEs", "nULL", "abc", "1000:00", "0x", "1_", "+", "-", ".", "0b2")[:6]
        ),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        ("0x1F", 31),
        ("0X1f", 31),
        ("017", 15),
        ("0o17", 15),
        ("0b101", 5),
        ("1_000", 1000),
        ("+12", 12),
        ("-12", -12),
        ("0", 0),
        ("-0x10", -16),
        ("08", 8.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("._5", "._5"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_plain_scalars_are_what_they_are_to_yaml_1_1(text: str, value: object) -> None:
    found = resolve_plain(text)
    assert found == value
    assert type(found) is type(value)


def test_a_scalar_keeps_its_text() -> None:
    node = read_go_yaml(b"- 1.10\n- yes\n- 'yes'\n- !!str 1\n- !foo x\n- !!binary aGk=\n", "f.yaml")
    assert isinstance(node, Listing)
    scalars = [item for item in node.items if isinstance(item, Scalar)]
    assert [(item.text, item.value) for item in scalars] == [
        ("1.10", 1.1),
        ("yes", True),
        ("yes", "yes"),
        ("1", "1"),
        ("x", "x"),
        ("hi", "hi"),
    ]


def test_only_the_first_document_counts() -> None:
    assert to_value(read_go_yaml(b"a: b\n---\n[", "f.yaml")) == {"a": "b"}
    assert to_value(read_go_yaml(b"", "f.yaml")) is None


def test_merged_keys_stand_behind_own_ones() -> None:
    late = b"a: &a {x: '1', y: '1'}\nb: {x: '2', <<: *a}\n"
    assert to_value(read_go_yaml(late, "f.yaml"))["b"] == {"x": "2", "y": "1"}
    first = b"- &a {x: '1'}\n- &b {x: '2', y: '2'}\n- {<<: [*a, *b]}\n"
    assert to_value(read_go_yaml(first, "f.yaml"))[2] == {"x": "1", "y": "2"}
    assert to_value(read_go_yaml(b"{'<<': '1'}", "f.yaml")) == {"<<": "1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: the key 'a' stands here a second time"),
        ("~: 1\n? ''\n: 2\n", "f.yaml:2:3: the key '' stands here a second time"),
        ("? [a]\n: 2\n", "f.yaml:1:3: a key must be text"),
        ("{<<: 3}", "f.yaml:1:6: '<<' takes a mapping or a list of mappings"),
        ("&a [*a]", "f.yaml:1:1: an alias stands within what it names"),
        ("[*x]", "f.yaml:1:2: it is not YAML: found undefined alias 'x'"),
        ("\t- a", "f.yaml:1:1: it is not YAML: while scanning for the next token"),
        ("%YAML 1.2\n---\na: b\n", "f.yaml: it says %YAML 1.2"),
        ("!!int abc", "f.yaml:1:1: 'abc' is not what its tag !!int says"),
        ("!!int yes", "f.yaml:1:1: 'yes' is not what its tag !!int says"),
        ("!!binary '%%'", "f.yaml:1:1: it is not the base64"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_go_yaml(text.encode(), "f.yaml")
    assert raised.value.message.startswith(message)


def test_a_small_file_does_not_become_a_large_one() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
        for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(UsageError, match="it expands to more than"):
        read_go_yaml(bomb.encode(), "f.yaml")
