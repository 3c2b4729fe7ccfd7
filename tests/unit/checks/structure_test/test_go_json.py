from __future__ import annotations

import pytest

from nixdock.checks.format.nodes import Scalar, Table
from nixdock.checks.structure_test.reader import read_go_json, read_structure_tests
from nixdock.errors import UsageError


def _members(data: bytes) -> list[tuple[str, object]]:
    node = read_go_json(data, "f.json")
    assert isinstance(node, Table)
    return [(name.text, value.value) for name, value in node.entries if isinstance(value, Scalar)]


def test_keys_that_stand_twice_are_refused() -> None:
    with pytest.raises(UsageError, match=r"f\.json:1:20: the key 'a' stands here a second time"):
        _members(b'{"a": 1, "b": "x", "a": null}')


def test_numbers_are_whole_only_where_go_takes_them_for_it() -> None:
    def read(number: str) -> int:
        text = f'{{"schemaVersion": "2.0.0", "commandTests": [{{"exitCode": {number}}}]}}'
        return read_structure_tests(text.encode(), "f.json").tests.commands[0].exit_code

    assert [read(number) for number in ("1", "9223372036854775807", "-9223372036854775808")] == [
        1,
        9223372036854775807,
        -9223372036854775808,
    ]
    for number in ("1.0", "1e3", "9223372036854775808", "-9223372036854775809"):
        with pytest.raises(UsageError, match=f"expected a whole number, found the number {number}"):
            read(number)


def test_what_is_not_utf8_is_replaced() -> None:
    assert _members(b'{"a\xff": "b\xfe\xfdc", "d": "\\ud800x\\ud83d\\ude00"}') == [
        ("a\ufffd", "b\ufffd\ufffdc"),
        ("d", "\ufffdx\U0001f600"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1} x', "f.json:1:10: something stands after the JSON value"),
        (b'{"a": 1,}', "f.json:1:9: it is not JSON: "),
        (b'{\n "a": 01}', "f.json:2:8: it is not JSON: "),
        (b'{"a": NaN}', "f.json:1:7: it is not JSON: a value is missing here"),
        (b'{"a": "b\tc"}', "f.json:1:7: it is not JSON: "),
        (b'\xef\xbb\xbf{"a": 1}', "f.json"),
        (b"a: 1", "f.json:1:1: it is not JSON"),
        (b"[" * 100_000, "f.json:1:66: it is nested deeper than 64 levels"),
    ],
)
def test_what_is_not_json_is_said_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_go_json(data, "f.json")
    assert raised.value.message.startswith(message)
