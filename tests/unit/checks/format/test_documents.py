from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.checks.format.document import read_document
from nixdock.checks.format.nodes import Listing, Scalar, Table, from_value, to_value
from nixdock.errors import UsageError


def _yaml(text: str) -> object:
    return to_value(read_document(text.encode(), "x.yaml"))


def _problem(text: str, source: str = "x.yaml") -> str:
    with pytest.raises(UsageError) as caught:
        read_document(text.encode(), source)
    return caught.value.message


def test_yaml_is_read_by_the_rules_of_1_2() -> None:
    assert _yaml("[yes, on, 12:30, 2024-01-01, 0o17, 010, 0x1f, 1e3, ~, true, '1', 1.10]") == [
        "yes",
        "on",
        "12:30",
        "2024-01-01",
        15,
        10,
        31,
        1000.0,
        None,
        True,
        "1",
        1.1,
    ]


def test_a_scalar_keeps_its_text_and_its_place() -> None:
    root = read_document(b"checks:\n  version: 1.10\n", "x.yaml")

    assert isinstance(root, Table)
    checks = root.get("checks")
    assert isinstance(checks, Table)
    version = checks.get("version")
    assert isinstance(version, Scalar)
    assert (version.value, version.text) == (1.1, "1.10")
    assert str(version.place) == "x.yaml:2:12"
    assert version.place.path == "checks.version"


def test_anchors_and_merge_keys_work_and_the_own_key_wins() -> None:
    text = "base: &base {a: 1, b: 2}\nmine:\n  <<: *base\n  b: 3\n"

    assert _yaml(text) == {"base": {"a": 1, "b": 2}, "mine": {"a": 1, "b": 3}}
    assert _yaml("a: &x {k: 1}\nb: &y {l: 2}\nc: {<<: [*x, *y]}")["c"] == {"k": 1, "l": 2}  # type: ignore[index]
    # Of a list the first wins, of two the last, as PyYAML and go-yaml have it.
    assert _yaml("a: &x {k: 1}\nb: &y {k: 2}\nc: {<<: [*x, *y]}")["c"] == {"k": 1}  # type: ignore[index]
    assert _yaml("a: &x {k: 1}\nb: &y {k: 2}\nc: {<<: *x, <<: *y}")["c"] == {"k": 2}  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1: the key 'a' stands here a second time"),
        ("a: [1, 2\n", "x.yaml:2:1: it is not YAML"),
        ("", "x.yaml: it is empty"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1: it is not YAML: expected a single document"),
        ("a: &a [*a]\n", "x.yaml:1:4: an alias stands within what it names"),
        ("a: !!binary aGk=\n", "x.yaml:1:4: the tag 'tag:yaml.org,2002:binary' means nothing here"),
        ("a: !!python/object:os.system x\n", "x.yaml:1:4: the tag"),
        ("? [a]\n: 1\n", "x.yaml:1:3: a key must be text"),
        ("a: {<<: 1}\n", "x.yaml:1:9: '<<' takes a mapping"),
        ("a: !!int x\n", "x.yaml:1:4: 'x' is not what its tag says"),
        ("[" * 100 + "]" * 100, "is nested deeper than 64 levels"),
        ("[" * 100_000, "x.yaml: it is not YAML: it is nested too deep"),
        ("a: \x00\n", "x.yaml: it is not YAML: unacceptable character #x0000"),
    ],
)
def test_what_is_wrong_with_yaml_is_said_with_its_place(text: str, message: str) -> None:
    assert message in _problem(text)


def test_a_small_file_cannot_expand_without_bound() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert "expands to more than" in _problem("l0: &l0 [1, 2, 3, 4]\n" + "\n".join(levels) + "\n")


def test_a_file_that_is_not_utf8_is_named_with_the_line() -> None:
    with pytest.raises(UsageError, match=r"x.yaml:2: it is not UTF-8"):
        read_document(b"a: 1\nb: \xff\n", "x.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "a": 2}', "x.json:2:2: the key 'a' stands here a second time"),
        ('{"a": 1,}', "x.json:1:9: it is not JSON: a key in double quotes is missing here"),
        ('{"a" 1}', "x.json:1:6: it is not JSON: ':' is missing here"),
        ("[1 2]", "x.json:1:4: it is not JSON: ',' or ']' is missing here"),
        ("[1,]", "x.json:1:4: it is not JSON: a value is missing here"),
        ("[1]x", "x.json:1:4: something stands after the JSON value"),
        ('"a\n"', "x.json:1:1: it is not JSON: this text does not end on its line"),
        ('"\\x"', "x.json:1:1: it is not JSON: this text has an escape that JSON does not know"),
        ("", "x.json:1:1: it is not JSON: a value is missing here"),
        ("[" * 100, "is nested deeper than 64 levels"),
        ("1" * 5000, "a number has too many digits"),
    ],
)
def test_what_is_wrong_with_json_is_said_with_its_place(text: str, message: str) -> None:
    assert message in _problem(text, "x.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([None, 1, "\t"]))
def test_json_is_read_as_the_standard_library_reads_it(value: object, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)

    assert to_value(read_document(text.encode(), "x.json")) == json.loads(text)


def test_a_value_from_nix_has_paths_instead_of_lines() -> None:
    root = from_value({"checks": {"a": {"stdout": ["x"]}}}, "web.nix", "nixdock")

    assert isinstance(root, Table)
    checks = root.get("checks")
    assert isinstance(checks, Table)
    check = checks.get("a")
    assert isinstance(check, Table)
    stdout = check.get("stdout")
    assert isinstance(stdout, Listing)
    assert str(stdout.items[0].place) == "web.nix: nixdock.checks.a.stdout[0]"
