from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.lint.programs import Gravity
from support.images import host_program, image_of
from support.layers import file, layer_of, link

from .subjects import SURROUNDINGS, good_image, lint_only, program_of


@pytest.mark.parametrize(
    ("config", "gravity", "message"),
    [
        ({}, Gravity.ADVICE, "the image has neither Entrypoint nor Cmd: it starts nothing by itself"),
        ({"Cmd": ["none"]}, Gravity.FAULT, "the image starts none, which is not in it in PATH"),
        ({"Cmd": ["/bin/none"]}, Gravity.FAULT, "the image starts /bin/none, which is not in it"),
        ({"Entrypoint": ["/tmp"]}, Gravity.FAULT, "the image starts /tmp, which is a directory"),
        (
            {"Cmd": ["/etc/passwd"]},
            Gravity.FAULT,
            "the image starts /etc/passwd, which nobody may execute",
        ),
        (
            {"Cmd": ["/text"]},
            Gravity.FAULT,
            "the image starts /text, which is neither an ELF program nor a script with '#!'",
        ),
    ],
)
def test_the_command_must_be_there_and_executable(
    cache: Path, config: dict[str, Any], gravity: Gravity, message: str
) -> None:
    image = image_of(layer_of(*SURROUNDINGS, file("text", b"echo\n", 0o755)), config=config)

    assert lint_only("command", image, cache) == [(gravity, message)]


@pytest.mark.parametrize(
    "config",
    [
        {"Cmd": ["true"]},
        {"Cmd": ["./true"], "WorkingDir": "/bin"},
        {"Entrypoint": ["/bin/true"], "Cmd": ["none"]},
        {"Cmd": ["true"], "Env": ["PATH=/none:/bin"]},
        {"Cmd": ["sh"]},
        {"cmd": ["/bin/true"]},
        {"Cmd": None, "ENTRYPOINT": ["true"]},
        {"Entrypoint": [""], "Cmd": ["true"]},
        {"Cmd": ["/bin/true"], "WorkingDir": "/not/there"},
        {"Cmd": ["/bin/true"], "WorkingDir": ""},
        {"Cmd": ["true"], "Env": ["PATH=none::/bin"]},
        {"Cmd": ["true"], "Healthcheck": {"Test": ["CMD", "true"]}},
        {"Cmd": ["true"], "Healthcheck": {"Test": ["NONE"]}},
        {"Cmd": ["true"], "Healthcheck": {"Test": ["CMD-SHELL", "none"]}},
        {"Cmd": ["true"], "Healthcheck": {"Test": ["CMD-SHELL", "x"]}, "Shell": ["/bin/sh", "-c"]},
        {"Cmd": ["true"], "Healthcheck": {"Test": []}},
    ],
)
def test_the_command_is_looked_for_as_the_engine_does(cache: Path, config: dict[str, Any]) -> None:
    assert lint_only("command", good_image(**config), cache) == []


def test_a_missing_dynamic_linker_is_told_once_with_who_asks_for_it(cache: Path) -> None:
    programs = [file(f"opt/p{n}", program_of("/lib64/ld-linux-x86-64.so.2"), 0o755) for n in range(5)]

    linker = "/lib64/ld-linux-x86-64.so.2"
    users = "/opt/p0, /opt/p1, /opt/p2 and 2 more ask for it"
    for path, gravity in (("/opt", Gravity.FAULT), ("/bin", Gravity.ADVICE)):
        image = image_of(layer_of(*programs), config={"Env": [f"PATH={path}"]})
        assert lint_only("interpreter", image, cache) == [
            (gravity, f"the dynamic linker {linker} is not in the image, and {users}")
        ]


def test_a_missing_library_of_a_library_is_told(cache: Path) -> None:
    members = host_program("git" if Path("/usr/bin/git").exists() else "bash")
    kept = [
        member for member in members if "libz.so" not in member[0].name and "libtinfo" not in member[0].name
    ]

    (remark,) = lint_only("libraries", image_of(layer_of(*kept)), cache)

    assert remark[0] is Gravity.FAULT
    assert "is not found where" in remark[1]
    assert lint_only("libraries", image_of(layer_of(*members)), cache) == []


def test_libraries_are_found_by_the_environment_and_by_links(cache: Path) -> None:
    program, *libraries = host_program("true")
    moved = []
    for info, data in libraries:
        if "ld-linux" in info.name:
            moved.append(file(info.name, data, 0o755))
        else:
            moved.append(file("opt/real/" + Path(info.name).name, data))
    layer = layer_of(program, *moved, link("opt/lib", "real"))

    assert lint_only("libraries", image_of(layer), cache) != []
    assert lint_only("libraries", image_of(layer, config={"Env": ["LD_LIBRARY_PATH=/opt/lib"]}), cache) == []


@pytest.mark.parametrize("interpreter", ["/usr/bin/env", "/bin/perl"])
def test_scripts_need_their_interpreters(cache: Path, interpreter: str) -> None:
    layer = layer_of(*SURROUNDINGS, file("run", f"#! {interpreter} python3\n".encode(), 0o755))

    for config, gravity in (({"Cmd": ["/run"]}, Gravity.FAULT), ({"Cmd": ["/bin/sh"]}, Gravity.ADVICE)):
        assert lint_only("shebang", image_of(layer, config=config), cache) == [
            (gravity, f"the interpreter {interpreter} is not in the image, and /run asks for it")
        ]


def test_env_needs_the_program_that_it_starts(cache: Path) -> None:
    image = image_of(
        layer_of(
            file("usr/bin/env", program_of(), 0o755),
            file("run", b"#!/usr/bin/env -S A=1 python3 -u\n", 0o755),
            file("not-executable", b"#!/none\n"),
        ),
        config={"Entrypoint": ["/run"]},
    )

    assert lint_only("shebang", image, cache) == [
        (Gravity.FAULT, "the interpreter python3 is not in the image in PATH, and /run asks for it")
    ]


def test_programs_for_another_machine_are_a_fault_when_all_are(cache: Path) -> None:
    foreign = file("a", program_of(machine=183), 0o755)

    assert lint_only("architecture", image_of(layer_of(foreign)), cache) == [
        (Gravity.FAULT, "the image is for amd64, and /a is for arm64")
    ]
    assert lint_only("architecture", image_of(layer_of(foreign, file("b", program_of(), 0o755))), cache) == [
        (Gravity.ADVICE, "the image is for amd64, and /a is for arm64")
    ]
    assert lint_only("architecture", image_of(layer_of(foreign), architecture="arm64"), cache) == []


@pytest.mark.parametrize(
    ("config", "gravity", "words"),
    [
        ({"Cmd": "true"}, Gravity.ADVICE, "config.Cmd is a text: Docker takes it for one word"),
        ({"Cmd": ["/bin/true -x"]}, Gravity.FAULT, "the image starts /bin/true -x, which is not in it"),
        ({"cmd": ["none"]}, Gravity.FAULT, "the image starts none, which is not in it in PATH"),
        ({"Cmd": [""]}, Gravity.FAULT, "the image starts an empty word, which is not in it"),
        ({"Cmd": ["true"], "Env": ["PATH="]}, Gravity.FAULT, "starts true, which is not in it in PATH"),
        ({"Cmd": ["true"], "Env": ["PATH=bin"]}, Gravity.FAULT, "starts true, which is not in it in PATH"),
        ({"WorkingDir": "bin"}, Gravity.FAULT, "WorkingDir is 'bin', which is no absolute path"),
        ({"WorkingDir": "/etc/passwd"}, Gravity.FAULT, "and /etc/passwd is a file: the image cannot be"),
        ({"WorkingDir": "/etc/passwd/x/y"}, Gravity.FAULT, "and /etc/passwd is a file: the image cannot"),
        ({"WorkingDir": "/srv/x", "User": "web"}, Gravity.ADVICE, "WorkingDir /srv/x is not in the image"),
        (
            {"Healthcheck": {"Test": ["CMD", "/bin/curl"]}},
            Gravity.FAULT,
            "the HEALTHCHECK starts /bin/curl, which is not in it",
        ),
        ({"Healthcheck": {"Test": ["curl", "x"]}}, Gravity.FAULT, "the HEALTHCHECK begins with 'curl'"),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "x"]}, "Shell": ["/bin/ash", "-c"]},
            Gravity.FAULT,
            "the HEALTHCHECK starts /bin/ash, which is not in it",
        ),
    ],
)
def test_what_the_image_starts_and_where(
    cache: Path, config: dict[str, Any], gravity: Gravity, words: str
) -> None:
    remarks = lint_only("command", good_image(**config), cache)

    assert [(found, words in message) for found, message in remarks] == [(gravity, True)]
