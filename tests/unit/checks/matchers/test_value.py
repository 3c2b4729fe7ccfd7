from __future__ import annotations

import pytest

from nixdock.checks.matchers.algebra import BYTES, SECONDS, Between, Matcher, exactly
from nixdock.checks.matchers.text import Contains
from nixdock.checks.matchers.value import (
    MISSING,
    AsText,
    AtPath,
    ContainsValue,
    EmptyValue,
    EqualsValue,
    Exists,
    HasLength,
    InBounds,
    JsonPath,
    Members,
    SameSet,
    same_json,
)


def _message(matcher: Matcher[object], value: object) -> str:
    (mismatch,) = matcher.judge(value)
    return mismatch.message


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("status", ("status",)),
        (".items[0].name", ("items", 0, "name")),
        ('$.a["key with spaces"][-1]', ("a", "key with spaces", -1)),
        ("[2]", (2,)),
        ("$", ()),
        ("kubernetes-name.x", ("kubernetes-name", "x")),
    ],
)
def test_paths_are_steps(text: str, steps: tuple[str | int, ...]) -> None:
    assert JsonPath.parse(text).steps == steps


@pytest.mark.parametrize("text", ["a..b", "a[", "a[x]", "a b", "a['b']", "a[0]b", "."])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path into JSON"):
        JsonPath.parse(text)


def test_a_path_that_leads_nowhere_is_missing_not_null() -> None:
    value = {"a": [{"b": None}]}

    assert JsonPath.parse("a[0].b").find(value) is None
    assert JsonPath.parse("a[-1].b").find(value) is None
    assert JsonPath.parse("a[1].b").find(value) is MISSING
    assert JsonPath.parse("a.b").find(value) is MISSING
    assert JsonPath.parse("a[0].b.c").find(value) is MISSING


def test_json_values_are_the_same_or_not() -> None:
    assert same_json({"a": [1, 2.0]}, {"a": [1.0, 2]})
    assert not same_json(1, True)
    assert not same_json("1", 1)
    assert not same_json([1], [1, 1])
    assert not same_json({"a": 1}, {"b": 1})


def test_null_is_met_by_what_is_unset() -> None:
    assert EqualsValue(None).judge(None) == ()
    assert EqualsValue(None).judge(MISSING) == ()
    assert _message(EqualsValue(None), "999") == 'expected to be unset, found "999"'
    assert Exists().judge(None) == ()
    assert _message(Exists(), MISSING) == "expected to exist, found nothing"


def test_long_values_are_shown_as_a_diff() -> None:
    (mismatch,) = EqualsValue(["x" * 50] * 5).judge([*["x" * 50] * 4, "y"])

    assert mismatch.details is not None
    assert '+  "y"' in mismatch.details.splitlines()


def test_members_are_judged_by_name_and_others_do_not_matter() -> None:
    matcher = Members((("a", EqualsValue(1)), ("b", EqualsValue(None))))

    assert matcher.judge({"a": 1, "z": 9}) == ()
    assert [m.message for m in matcher.judge({"a": 2, "b": 3})] == [
        "a: expected to be 1, found 2",
        "b: expected to be unset, found 3",
    ]
    assert _message(matcher, [1]) == "expected an object, found [1]"


def test_contains_is_a_piece_an_element_or_a_name() -> None:
    assert ContainsValue("ell").judge("Hello") == ()
    assert ContainsValue("a").judge(["a"]) == ()
    assert ContainsValue("8080/tcp").judge({"8080/tcp": {}}) == ()
    assert _message(ContainsValue("a"), ["ab"]) == 'expected to contain "a", found ["ab"]'
    assert ContainsValue("a").judge(None)


def test_the_rest_of_the_value_matchers() -> None:
    assert AtPath(JsonPath.parse("a.b"), EqualsValue(1)).judge({"a": {"b": 1}}) == ()
    assert (
        _message(AtPath(JsonPath.parse("a.b"), EqualsValue(1)), {}) == "a.b: expected to be 1, found nothing"
    )
    assert AsText(Contains(b"2")).judge("x2") == ()
    assert AsText(Contains(b"2")).judge(123) == ()
    assert AsText(Contains(b"2")).judge([2])
    assert EmptyValue().judge(MISSING) == ()
    assert EmptyValue().judge(0)
    assert EmptyValue(expected=False).judge([0]) == ()
    assert InBounds(Between(low=1, high=3)).judge(2) == ()
    assert InBounds(Between(low=1)).judge("2")
    assert InBounds(Between(low=1)).judge(True)
    assert HasLength(exactly(2)).judge(["a", "b"]) == ()
    assert HasLength(exactly(0)).judge(None) == ()
    assert HasLength(exactly(1)).judge(7)


def test_a_set_says_what_it_lacks_and_what_is_too_much() -> None:
    matcher = SameSet(frozenset({"80/tcp", "443/tcp"}))

    assert matcher.judge({"443/tcp": {}, "80/tcp": {}}) == ()
    assert (
        _message(matcher, {"80/tcp": {}, "9/udp": {}})
        == "expected to be 443/tcp, 80/tcp; it lacks 443/tcp and has 9/udp too"
    )
    assert SameSet(frozenset()).judge(None) == ()


def test_numbers_are_compared_and_written_in_their_unit() -> None:
    limit = Between(high=60_000_000, unit=BYTES)

    assert limit.judge(60_000_000) == ()
    assert limit.judge(61_500_000)[0].message == "expected to be at most 60 MB, found 61.5 MB"
    assert limit.judge(60_000_400)[0].message == "expected to be at most 60 MB, found 60 MB (60000400)"
    assert Between(1, 2, SECONDS).judge(0.5)[0].message == (
        "expected to be at least 1.0 s and at most 2.0 s, found 500 ms"
    )
