"""Lines of other programs' files and outputs end at a newline, whatever else stands in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nixdock.checks.files.accounts import read_accounts
from nixdock.checks.structure_test.go_text import parse_dotenv
from nixdock.engine.containers.options.values import read_variables
from nixdock.nix.package_set import _SETTING
from nixdock.nix.program import NixOutcome
from nixdock.outcome import tail_of

# What `str.splitlines` takes for the end of a line beside a newline.
OTHERS = ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]

READERS: dict[str, Callable[[str], object]] = {
    "a log's tail": lambda text: tail_of(text.encode(), 1) == text,
    "a program's output": lambda text: NixOutcome("nix", 0, text.encode()).lines == [text],
    "users": lambda text: (
        [user.home for user in read_accounts(f"a:x:1:1::/{text}:/bin/sh\n".encode(), None).users or ()]
        == [f"/{text}"]
    ),
}


@pytest.mark.parametrize("sign", OTHERS, ids=ascii)
@pytest.mark.parametrize("reader", READERS)
def test_a_line_goes_on_behind_what_is_no_newline(reader: str, sign: str) -> None:
    assert READERS[reader](f"one{sign}two")


# What docker 20.10 made of each file, with HOME=/root; a text is a word of its refusal.
VARIABLES: list[tuple[str, list[str] | str]] = [
    *((f"A=1{sign}B=2\n", [f"A=1{sign}B=2"]) for sign in OTHERS),
    ("A=1\r\nB=2\r\n", ["A=1", "B=2"]),
    ("A=1\r\r\n", ["A=1\r"]),
    ("A=1", ["A=1"]),
    ("A=1  \n", ["A=1  "]),
    ("A=\0x\n", ["A=\0x"]),
    ("\xa0A=1\n", ["A=1"]),
    ("\vA=1\n", ["A=1"]),
    ("A\v=1\n", ["A\v=1"]),
    ("A\xa0=1\n", ["A\xa0=1"]),
    ("A\u2003B=1\n", ["A\u2003B=1"]),
    ("A =1\n", "whitespaces"),
    ("A\t=1\n", "whitespaces"),
    ("HOME X\n", "whitespaces"),
    ("HOME \n", "whitespaces"),
    (" =1\n", "no variable name"),
    ("HOME\n", ["HOME=/root"]),
    ("HOME\r\n", ["HOME=/root"]),
    ("HOME\v\n", []),
    ("HOME\xa0\n", []),
    (" \r\n", []),
    ("\r", []),
    ("# x\rA=1\n", []),
    ("\ufeffA=1\n", ["A=1"]),
    ("\n\ufeffA=1\n", ["\ufeffA=1"]),
]


@pytest.mark.parametrize(("text", "found"), VARIABLES)
def test_a_file_of_variables_is_read_as_docker_reads_it(
    text: str, found: list[str] | str, tmp_path: Path
) -> None:
    (tmp_path / "env").write_bytes(text.encode())
    if isinstance(found, str):
        with pytest.raises(ValueError, match=found):
            list(read_variables("env", tmp_path, {"HOME": "/root"}))
    else:
        assert list(read_variables("env", tmp_path, {"HOME": "/root"})) == found


@pytest.mark.parametrize(
    "line",
    [
        "a:x:\u00b2:0::/:/x",
        "a:x:\u0663:0::/:/x",
        f"a:x:{'9' * 5000}:0::/:/x",
        "a:x:4294967296:0::/:/x",
        "a:x:-1:0::/:/x",
        "a:x:1_0:0::/:/x",
        "a:x: 1:0::/:/x",
        "a:x:1:\u00b2::/:/x",
        "a:x:1:0::/",
    ],
)
def test_a_line_that_is_no_user_is_passed_over(line: str) -> None:
    data = f"{line}\nroot:x:0:0::/root:/bin/sh\n".encode()
    accounts = read_accounts(data, data.replace(b"::/", b":"))

    assert [user.name for user in accounts.users or ()] == ["root"]
    assert "root" in [group.name for group in accounts.groups or ()]


def test_a_setting_of_nix_ends_with_its_line() -> None:
    assert _SETTING.findall("nix-path =\nsandbox = false\n extra-nix-path = a=b  # c\n") == [
        ("", ""),
        ("extra-", "a=b"),
    ]


def test_a_dotenv_file_knows_the_blanks_of_go() -> None:
    assert parse_dotenv("\u3000A=1\n") == {"A": "1"}
    with pytest.raises(ValueError, match="name is missing"):
        parse_dotenv("\x1cA=1\n")
