from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nixdock.checks.matchers.algebra import Matcher
from nixdock.checks.structure_test.go_text import compile_go, expand, text_matcher
from nixdock.outcome import Output

_GO = Path(__file__).parents[2] / "data" / "go-semantics.txt"
_LINE = re.compile(r'expand ("(?:[^"\\]|\\.)*") +-> ("(?:[^"\\]|\\.)*")')


def _probes() -> list[tuple[str, str]]:
    lines = [line for line in _GO.read_text().splitlines() if line.startswith("expand ")]
    found = [_LINE.fullmatch(line) for line in lines]
    # The recording is in Go's quoting, of which only what JSON knows too is used here.
    return [(json.loads(match[1]), json.loads(match[2])) for match in found if match]


def test_every_probe_of_the_recording_is_read() -> None:
    lines = [line for line in _GO.read_text().splitlines() if line.startswith("expand ")]
    assert len(_probes()) == len(lines) > 20


@pytest.mark.parametrize(("text", "expanded"), _probes())
def test_variables_are_expanded_as_go_does(text: str, expanded: str) -> None:
    assert expand(text, {"FOO": "bar", "PATH": "/bin"}) == expanded


def test_special_names_are_names() -> None:
    assert expand("$1 ${1} $12 ${*}x ${a b} $é", {"1": "one", "*": "all", "a b": "spaced"}) == (
        "one one one2 allx spaced $é"
    )


@pytest.mark.parametrize("pattern", [r"\C", r"a\Cb", "(?P<é>a)", "(?<é>a)"])
def test_what_only_the_other_re2_takes_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="of Go's"):
        compile_go(pattern)


@pytest.mark.parametrize("pattern", [r"\\C", r"\Q\C\E", "(?P<n>a)|x", "(?<n>a)|x", "[(?P<é>]", r"\pL{500}|x"])
def test_what_looks_like_it_is_taken(pattern: str) -> None:
    assert compile_go(pattern).found_in(rb"x \\C (")


def _holds(matcher: Matcher[Output], text: bytes) -> bool:
    return not matcher.judge(text)


def test_all_expected_and_none_excluded() -> None:
    assert _holds(text_matcher(["a", "b"], ["x"]), b"ab")
    assert not _holds(text_matcher(["a", "b"], ["x"]), b"a")
    assert not _holds(text_matcher(["a", "b"], ["x"]), b"abx")
    assert _holds(text_matcher([], []), b"whatever")


def test_an_expression_that_does_not_compile_never_holds() -> None:
    assert not _holds(text_matcher(["(?=a)"], []), b"a")
    assert not _holds(text_matcher([], ["(?=a)"]), b"b")
