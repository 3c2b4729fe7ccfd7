from __future__ import annotations

import pytest

from nixdock.checks.format.nodes import Scalar, Table
from nixdock.checks.structure_test.go_json import read_go_json
from nixdock.errors import UsageError


def _members(data: bytes) -> list[tuple[str, object]]:
    node = read_go_json(data, "f.json")
    assert isinstance(node, Table)
    return [(name.text, value.value) for name, value in node.entries if isinstance(value, Scalar)]


def test_keys_that_stand_twice_are_kept_in_order() -> None:
    assert _members(b'{"a": 1, "b": "x", "a": null}') == [("a", 1), ("b", "x"), ("a", None)]


def test_numbers_are_whole_only_where_go_takes_them_for_it() -> None:
    found = _members(b'{"a": 1, "b": 1.0, "c": 1e3, "d": 9223372036854775807, "e": 9223372036854775808}')
    assert [type(value) for _, value in found] == [int, float, float, int, float]


def test_what_is_not_utf8_is_replaced() -> None:
    assert _members(b'{"a\xff": "b\xfe\xfdc", "d": "\\ud800x\\ud83d\\ude00"}') == [
        ("a\ufffd", "b\ufffd\ufffdc"),
        ("d", "\ufffdx\U0001f600"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1} x', "f.json:1:10: it is not JSON: extra data"),
        (b'{"a": 1,}', "f.json:1:9: it is not JSON: "),
        (b'{\n "a": 01}', "f.json:2:8: it is not JSON: "),
        (b'{"a": NaN}', "f.json: it is not JSON: NaN is no value of JSON"),
        (b'{"a": "b\tc"}', "f.json:1:9: it is not JSON: "),
        (b'\xef\xbb\xbf{"a": 1}', "f.json"),
        (b"a: 1", "f.json:1:1: it is not JSON"),
        (b"[" * 100_000, "f.json: it is not JSON: it is nested too deep"),
    ],
)
def test_what_is_not_json_is_said_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_go_json(data, "f.json")
    assert raised.value.message.startswith(message)
