"""Check files that nobody wrote in good faith: each is refused in one sentence, soon, and shows no secret."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from nixdock.checks.expectations import expectations_from_options
from nixdock.checks.format.suite import read_suite
from nixdock.checks.structure_test.reader import read_file
from nixdock.engine.containers.options.request import make_request
from nixdock.errors import UsageError

SECRET = "5ecr3t"
SHADOW = f"root:$y$j9T${SECRET}:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"
PEM = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}AAAA==\n-----END OPENSSH PRIVATE KEY-----\n"
GOOD = "version: 1\nchecks: {a: {exec: ['true']}}\n"
LAUGHS = "a0: &a0 [lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
MERGES = "x0: &x0 {a: 1}\n" + "".join(
    f"x{n}: &x{n}\n  <<: [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 30)
)

Make = Callable[[Path], object]


def _text(text: str, encoding: str = "utf-8") -> Make:
    return lambda path: path.write_bytes(text.encode(encoding, "surrogatepass"))


def _checks(text: str, encoding: str = "utf-8") -> Make:
    return _text(f"version: 1\nchecks:\n  a: {text}\n", encoding)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def _huge(path: Path) -> None:
    path.write_text(GOOD)
    os.truncate(path, 1 << 40)


def _link_to(target: str) -> Make:
    return lambda path: path.symlink_to(target)


def _chain(length: int) -> Make:
    def make(path: Path) -> None:
        for n in range(length):
            (path.parent / f"chain{n}.yaml").write_text(f"include: chain{n + 1}.yaml\n")
        (path.parent / f"chain{length}.yaml").write_text(GOOD)
        path.write_text("include: chain0.yaml\n")

    return make


def _fan(depth: int) -> Make:
    def make(path: Path) -> None:
        for n in range(depth):
            names = f"[fan{n + 1}.yaml, ./fan{n + 1}.yaml]"
            (path.parent / f"fan{n}.yaml").write_text(f"include: {names}\n")
        (path.parent / f"fan{depth}.yaml").write_text("version: 1\n")
        path.write_text("include: fan0.yaml\n")

    return make


def _circle(path: Path) -> None:
    (path.parent / "other.yaml").write_text(f"include: {path.name}\n")
    path.write_text("include: other.yaml\n")


NOT_A_FILE = "it is no regular file"
NO_CHECK_FILE = "it is no check file: it has none of the keys"

FILES: dict[str, tuple[Make, str]] = {
    "a pipe without a writer": (_fifo, NOT_A_FILE),
    "a device that never ends": (_link_to("/dev/zero"), NOT_A_FILE),
    "a device that is empty": (_link_to("/dev/null"), NOT_A_FILE),
    "a terminal": (_link_to("/dev/ptmx"), NOT_A_FILE),
    "a socket": (_socket, NOT_A_FILE),
    "a folder": (lambda path: path.mkdir(), "Is a directory"),
    "a link to itself": (_link_to("hostile.yaml"), "cannot read"),
    "a link to nothing": (_link_to("nothing"), "No such file or directory"),
    "a terabyte": (_huge, "it is larger than 4 MiB"),
    "an empty file": (_text(""), "it is empty"),
    "passwords": (_text(SHADOW), NO_CHECK_FILE),
    "a private key": (_text(PEM), NO_CHECK_FILE),
    "variables": (_text(f"TOKEN={SECRET}\n"), NO_CHECK_FILE),
    "credentials": (_text(f'{{"auths": {{"x": {{"auth": "{SECRET}"}}}}}}'), NO_CHECK_FILE),
    "a list": (_text(f"- {SECRET}\n"), NO_CHECK_FILE),
    "a word": (_text(SECRET), NO_CHECK_FILE),
    "an alias of a word": (_text(f"*{SECRET}"), NO_CHECK_FILE),
    "a tag of a word": (_text(f"!{SECRET} x"), NO_CHECK_FILE),
    "a directive": (_text(f"%{SECRET} x\n---\n"), NO_CHECK_FILE),
    "a billion laughs": (_text(f"checks: {{}}\n{LAUGHS}"), "expands to more than"),
    "a billion merges": (_text(f"checks: {{}}\n{MERGES}"), "expands to more than"),
    "an alias within itself": (_checks("&a [*a]"), "an alias stands within what it names"),
    "many brackets": (_checks("[" * 100_000), "nested"),
    "many mappings": (_checks("{a: " * 5_000), "nested"),
    "many indentations": (_text("checks:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 900))), "nested"),
    "half a character": (_checks(r'{exec: ["\ud800"]}'), "half a character"),
    "half a character in a name": (_text('checks: {"\\udfff": {exec: [a]}}'), "half a character"),
    "a key twice": (_checks("{exec: [a], exec: [b]}"), "stands here a second time"),
    "a zero byte": (_checks("{exec: [a\0b]}"), "it is not YAML"),
    "an escape character": (_checks("{exec: [a\x1b]}"), "it is not YAML"),
    "UTF-16": (_text(GOOD, "utf-16"), "it is not UTF-8"),
    "UTF-16 without a mark": (_text(GOOD, "utf-16-be"), NO_CHECK_FILE),
    "UTF-32": (_text(GOOD, "utf-32"), "it is not UTF-8"),
    "Latin-1": (_checks("{exec: [\xe9]}", "latin-1"), "it is not UTF-8"),
    "a surrogate's own bytes": (_checks("{exec: [\ud800]}"), "it is not UTF-8"),
    "an object of Python": (_checks("!!python/name:os.system x"), "the tag"),
    "two documents": (_text(f"{GOOD}---\n{GOOD}"), "it is not YAML"),
    "a key that is a list": (_text(f"? [a]\n: b\n{GOOD}"), "a key must be text"),
    "a number without end": (_checks(f"{{exec: [a], exit: {'9' * 100_000}}}"), "a"),
    "a number without end in hexadecimal": (_checks(f"{{exec: [a], exit: 0x{'f' * 100_000}}}"), "a"),
    "a number beyond all": (_checks("{exec: [a], timeout: 1e999}"), "is not a duration"),
    "a word of a megabyte": (_checks(f"{{{'k' * (1 << 20)}: 1}}"), "it is not YAML"),
    "a value of a megabyte": (_checks(f"{{exec: [a], exit: {'v' * (1 << 20)}}}"), "a"),
    "thousands of faults": (_text("checks:\n" + "".join(f"  a{n}: {{x: 1}}\n" for n in range(2000))), "x"),
    "itself": (_text("include: hostile.yaml"), "includes itself"),
    "itself by another": (_circle, "includes itself"),
    "a chain": (_chain(3000), "more than"),
    "a fan": (_fan(25), "more than"),
    "a name with a zero byte": (_text('include: "a\\0b"'), "cannot read"),
    "a name without end": (_text(f"include: {'a' * 5000}"), "File name too long"),
    "an include of a pipe": (_text("include: /proc/self/fd/0"), "cannot read"),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("included", [False, True], ids=["named", "included"])
@pytest.mark.parametrize(("make", "said"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused_in_a_sentence(
    tmp_path: Path, make: Make, said: str, included: bool
) -> None:
    hostile = tmp_path / "hostile.yaml"
    make(hostile)
    if included:
        (tmp_path / "web.checks.yaml").write_text("include: hostile.yaml\n")

    with pytest.raises(UsageError) as caught:
        read_suite(tmp_path / "web.checks.yaml" if included else hostile)

    error = caught.value
    whole = "\n".join(text for text in (error.message, error.details, error.hint) if text)
    assert said in error.message
    assert SECRET not in whole
    assert "\n" not in error.message
    assert len(error.message) < 1000
    assert len(whole) < 20_000


def _request(option: str, value: str) -> object:
    return make_request("image", options=((option, value),))


DOORS: dict[str, Callable[[Path], object]] = {
    "--expect-stdout": lambda path: expectations_from_options(stdout_files=[path]),
    "--expect-stderr": lambda path: expectations_from_options(stderr_files=[path]),
    "--env-file": lambda path: _request("env-file", str(path)),
    "--label-file": lambda path: _request("label-file", str(path)),
    "--security-opt": lambda path: _request("security-opt", f"seccomp={path}"),
    "a structure test": read_file,
}


@pytest.mark.parametrize("make", [_fifo, _link_to("/dev/zero")], ids=["a pipe", "a device"])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_file_that_is_named_comes_by_one_door(
    tmp_path: Path, make: Make, door: Callable[[Path], object]
) -> None:
    make(tmp_path / "hostile")

    with pytest.raises(UsageError, match="it is no regular file"):
        door(tmp_path / "hostile")


def test_an_environment_file_that_a_check_file_names_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(PEM.replace("KEY-----", "KEY=-----"))

    with pytest.raises(UsageError) as caught:
        make_request("image", options=(("env-file", "key"),), directory=tmp_path, from_file=True)

    assert "contains whitespaces (line 1)" in caught.value.message
    assert "PRIVATE" not in caught.value.message
