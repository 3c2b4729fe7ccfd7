from __future__ import annotations

import pytest

from nixdock.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("250us", 0.00025),
        ("0", 0.0),
    ],
)
def test_a_duration_is_seconds_or_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5 s", "-1s", "1x", "1s2", "five", "1m 30s", "٣s"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write seconds"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1500", 1500),
        ("60MB", 60_000_000),
        ("60MiB", 62_914_560),
        ("1.5 kB", 1500),
        ("2GiB", 2**31),
        ("7B", 7),
    ],
)
def test_sizes_have_decimal_and_binary_units(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_a_bare_letter_is_refused_because_it_has_two_meanings() -> None:
    with pytest.raises(ValueError, match="'60M' has an unknown unit 'M': write '60MB' or '60MiB'"):
        parse_size("60M")


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1e3", "60 XB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size|unknown unit"):
        parse_size(text)


def test_numbers_are_written_for_people() -> None:
    assert format_size(999) == "999 B"
    assert format_size(8400) == "8.4 kB"
    assert format_size(1_600_000_000) == "1.6 GB"
    assert format_duration(0.0123) == "12 ms"
    assert format_duration(3.21) == "3.2 s"
    assert format_duration(125) == "2 min 5 s"
