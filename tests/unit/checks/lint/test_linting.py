from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.lint.linting import lint_image
from nixdock.checks.lint.rules import RULES, Gravity
from nixdock.checks.model import LintCheck
from nixdock.checks.static import judge_static
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import Status
from nixdock.image.model import Image
from support.images import host_program, image_of
from support.layers import MemoryLayer, file, folder, layer_of, link

HASH = "a" * 32
PASSWD = file("etc/passwd", b"root:x:0:0::/root:/bin/sh\nweb:x:999:999::/:/bin/false\n")
GROUP = file("etc/group", b"root:x:0:\nweb:x:999:\n")
SURROUNDINGS = (
    PASSWD,
    GROUP,
    folder("tmp", 0o1777),
    file("bin/sh", b"#!/bin/sh\n", 0o755),
    file("etc/ssl/certs/ca-bundle.crt", b"..."),
)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def _lint(image: Image, cache: Path, check: LintCheck = LintCheck()) -> list[tuple[str, Gravity, str]]:  # noqa: B008
    remarks = lint_image(check, Subject(image, cache=cache))
    return [(remark.rule, remark.gravity, remark.message) for remark in remarks]


def _only(rule: str, image: Image, cache: Path) -> list[tuple[Gravity, str]]:
    return [(gravity, message) for _, gravity, message in _lint(image, cache, LintCheck(only=(rule,)))]


def _program(interpreter: str = "", machine: int = 62) -> bytes:
    """A 64-bit ELF program with an interpreter alone."""
    text = interpreter.encode() + b"\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1 if interpreter else 0, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(text), len(text), 1)
    return header + segment + text


def _good(*more: MemoryLayer, **config: Any) -> Image:
    return image_of(
        layer_of(*SURROUNDINGS, *host_program("true")), *more, config={"Cmd": ["/bin/true"], **config}
    )


def test_a_whole_image_has_no_fault_and_needs_no_advice(cache: Path) -> None:
    assert _lint(_good(), cache) == []


def test_every_rule_is_applied_and_each_can_be_left_out(cache: Path) -> None:
    program, *libraries = host_program("true")
    linker = [member for member in libraries if "ld-linux" in member[0].name]
    bad = image_of(
        layer_of(
            file("app", _program("/lib/ld-none.so", machine=183), 0o755),
            file("script", b"#!/usr/bin/none\n", 0o755),
            file("broken", f"/nix/store/{HASH}-gone/x".encode()),
            program,
            *linker,
            file("lib/libssl.so.3", _library("libssl.so.3")),
        ),
        config={"Cmd": ["/bin/none"], "Env": ["TZ=Europe/Nowhere"], "User": "nobody"},
    )

    assert {rule for rule, _, _ in _lint(bad, cache)} == set(RULES)
    for rule in RULES:
        assert rule not in {left for left, _, _ in _lint(bad, cache, LintCheck(skip=(rule,)))}
        assert {left for left, _, _ in _lint(bad, cache, LintCheck(only=(rule,)))} == {rule}


def _library(soname: str) -> bytes:
    strings = b"\0" + soname.encode() + b"\0"
    dynamic = struct.pack("<qQqQqQ", 14, 1, 5, 176 + 48, 0, 0)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    size = 176 + len(dynamic) + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 1)
    segment = struct.pack("<IIQQQQQQ", 2, 4, 176, 176, 176, len(dynamic), len(dynamic), 1)
    return header + load + segment + dynamic + strings


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

    assert _only("command", image, cache) == [(gravity, message)]


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
    assert _only("command", _good(**config), cache) == []


def test_a_missing_dynamic_linker_is_told_once_with_who_asks_for_it(cache: Path) -> None:
    programs = [file(f"opt/p{n}", _program("/lib64/ld-linux-x86-64.so.2"), 0o755) for n in range(5)]

    linker = "/lib64/ld-linux-x86-64.so.2"
    users = "/opt/p0, /opt/p1, /opt/p2 and 2 more ask for it"
    for path, gravity in (("/opt", Gravity.FAULT), ("/bin", Gravity.ADVICE)):
        image = image_of(layer_of(*programs), config={"Env": [f"PATH={path}"]})
        assert _only("interpreter", image, cache) == [
            (gravity, f"the dynamic linker {linker} is not in the image, and {users}")
        ]


def test_a_missing_library_of_a_library_is_told(cache: Path) -> None:
    members = host_program("git" if Path("/usr/bin/git").exists() else "bash")
    kept = [
        member for member in members if "libz.so" not in member[0].name and "libtinfo" not in member[0].name
    ]

    (remark,) = _only("libraries", image_of(layer_of(*kept)), cache)

    assert remark[0] is Gravity.FAULT
    assert "is not found where" in remark[1]
    assert _only("libraries", image_of(layer_of(*members)), cache) == []


def test_libraries_are_found_by_the_environment_and_by_links(cache: Path) -> None:
    program, *libraries = host_program("true")
    moved = []
    for info, data in libraries:
        if "ld-linux" in info.name:
            moved.append(file(info.name, data, 0o755))
        else:
            moved.append(file("opt/real/" + Path(info.name).name, data))
    layer = layer_of(program, *moved, link("opt/lib", "real"))

    assert _only("libraries", image_of(layer), cache) != []
    assert _only("libraries", image_of(layer, config={"Env": ["LD_LIBRARY_PATH=/opt/lib"]}), cache) == []


@pytest.mark.parametrize("interpreter", ["/usr/bin/env", "/bin/perl"])
def test_scripts_need_their_interpreters(cache: Path, interpreter: str) -> None:
    layer = layer_of(*SURROUNDINGS, file("run", f"#! {interpreter} python3\n".encode(), 0o755))

    for config, gravity in (({"Cmd": ["/run"]}, Gravity.FAULT), ({"Cmd": ["/bin/sh"]}, Gravity.ADVICE)):
        assert _only("shebang", image_of(layer, config=config), cache) == [
            (gravity, f"the interpreter {interpreter} is not in the image, and /run asks for it")
        ]


def test_env_needs_the_program_that_it_starts(cache: Path) -> None:
    image = image_of(
        layer_of(
            file("usr/bin/env", _program(), 0o755),
            file("run", b"#!/usr/bin/env -S A=1 python3 -u\n", 0o755),
            file("not-executable", b"#!/none\n"),
        ),
        config={"Entrypoint": ["/run"]},
    )

    assert _only("shebang", image, cache) == [
        (Gravity.FAULT, "the interpreter python3 is not in the image in PATH, and /run asks for it")
    ]


def test_programs_for_another_machine_are_a_fault_when_all_are(cache: Path) -> None:
    foreign = file("a", _program(machine=183), 0o755)

    assert _only("architecture", image_of(layer_of(foreign)), cache) == [
        (Gravity.FAULT, "the image is for amd64, and /a is for arm64")
    ]
    assert _only("architecture", image_of(layer_of(foreign, file("b", _program(), 0o755))), cache) == [
        (Gravity.ADVICE, "the image is for amd64, and /a is for arm64")
    ]
    assert _only("architecture", image_of(layer_of(foreign), architecture="arm64"), cache) == []


def test_a_store_path_that_is_named_must_be_there(cache: Path) -> None:
    named = file("etc/conf", f"run /nix/store/{HASH}-app/bin/app".encode())

    gone = f"/nix/store/{HASH}-app"
    assert _only("references", image_of(layer_of(named)), cache) == [
        (Gravity.ADVICE, f"{gone} is not in the image, and /etc/conf names it")
    ]
    for layer, config, origin in (
        (layer_of(), {"Env": [f"APP={gone}"]}, "the image's config"),
        (layer_of(file("bin/run", f"#!{gone}/bin/sh".encode(), 0o755)), {}, "/bin/run"),
        (layer_of(file("run", gone.encode(), 0o755)), {"Cmd": ["/run"]}, "/run"),
        (layer_of(link("bin/app", f"{gone}/bin/app")), {}, "/bin/app"),
    ):
        assert _only("references", image_of(layer, config=config), cache) == [
            (Gravity.FAULT, f"{gone} is not in the image, and {origin} names it")
        ]
    whole = layer_of(named, file(f"nix/store/{HASH}-app/bin/app", b"", 0o755))
    assert _only("references", image_of(whole), cache) == []


def test_a_missing_shell_is_a_fault_only_where_it_surely_is_needed(cache: Path) -> None:
    layer = layer_of(PASSWD)

    ((gravity, message),) = _only("shell", image_of(layer), cache)
    assert (gravity, message[:21]) == (Gravity.ADVICE, "there is no /bin/sh: ")

    config = {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}
    assert _only("shell", image_of(layer, config=config), cache) == [
        (Gravity.FAULT, "there is no /bin/sh, and the HEALTHCHECK is a line for a shell: it always fails")
    ]


def test_certificates_are_missed_where_something_speaks_tls(cache: Path) -> None:
    library = file("lib/libssl.so.3", _library("libssl.so.3"))

    assert _only("certificates", image_of(layer_of(library)), cache) == [
        (
            Gravity.ADVICE,
            "there are no CA certificates, and /lib/libssl.so.3 can speak TLS: a client trusts nobody",
        )
    ]
    assert _only("certificates", image_of(layer_of(library, SURROUNDINGS[-1])), cache) == []
    assert _only("certificates", image_of(layer_of(PASSWD)), cache) == []
    ((gravity, message),) = _only("certificates", image_of(layer_of(file("go", _program(), 0o755))), cache)
    assert (gravity, "static program" in message) == (Gravity.ADVICE, True)


def test_certificates_that_the_environment_names_must_be_there(cache: Path) -> None:
    image = image_of(layer_of(SURROUNDINGS[-1]), config={"Env": ["SSL_CERT_FILE=/nix/none.crt"]})

    assert _only("certificates", image, cache) == [
        (Gravity.FAULT, "SSL_CERT_FILE is /nix/none.crt, which is not in the image")
    ]


def test_tmp_must_be_there_for_everybody(cache: Path) -> None:
    assert [gravity for gravity, _ in _only("tmp", image_of(layer_of(PASSWD)), cache)] == [Gravity.ADVICE]
    assert _only("tmp", image_of(layer_of(PASSWD), config={"Volumes": {"/tmp": {}}}), cache) == []
    private = layer_of(folder("tmp", 0o755))
    assert [gravity for gravity, _ in _only("tmp", image_of(private), cache)] == [Gravity.ADVICE]
    unprivileged = image_of(private, config={"User": "999"})
    assert _only("tmp", unprivileged, cache) == [
        (Gravity.ADVICE, "/tmp has the mode 0755, not 1777: not everybody may write into it safely")
    ]
    assert [gravity for gravity, _ in _only("tmp", image_of(layer_of(file("tmp"))), cache)] == [
        Gravity.ADVICE
    ]


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("web", []),
        ("web:web", []),
        ("999:0", []),
        ("nobody", [(Gravity.FAULT, "nobody")]),
        ("web:wheel", [(Gravity.FAULT, "wheel")]),
        ("1234", [(Gravity.ADVICE, "1234")]),
        ("2147483647", [(Gravity.ADVICE, "2147483647")]),
        ("2147483648", [(Gravity.FAULT, "2147483648")]),
        ("9" * 5000, [(Gravity.FAULT, "999")]),
        ("\u00b2", [(Gravity.FAULT, "\u00b2")]),
        ("0:\u0663", [(Gravity.FAULT, "\u0663")]),
        ("", []),
    ],
)
def test_the_user_must_be_known(cache: Path, user: str, found: list[tuple[Gravity, str]]) -> None:
    image = image_of(layer_of(PASSWD, GROUP), config={"User": user})

    remarks = _only("users", image, cache)

    assert [gravity for gravity, _ in remarks] == [gravity for gravity, _ in found]
    assert all(name in message for (_, message), (_, name) in zip(remarks, found, strict=True))


def test_an_image_without_passwd_is_advised_of_it(cache: Path) -> None:
    ((gravity, message),) = _only("users", image_of(layer_of(file("x"))), cache)

    assert (gravity, message[:24]) == (Gravity.ADVICE, "there is no /etc/passwd:")


@pytest.mark.parametrize(
    ("env", "faults"),
    [
        ([], 0),
        (["TZ=UTC"], 0),
        (["TZ=CET-1CEST"], 0),
        (["TZ=Europe/Berlin"], 0),
        (["TZ=Europe/Nowhere"], 1),
        (["TZ=:/zones/x"], 1),
        (["TZ=Mars", "TZDIR=/zones"], 1),
        (["TZ=Venus", "TZDIR=/zones"], 0),
    ],
)
def test_a_named_time_zone_needs_its_file(cache: Path, env: list[str], faults: int) -> None:
    image = image_of(
        layer_of(file("usr/share/zoneinfo/Europe/Berlin", b"TZif"), file("zones/Venus")), config={"Env": env}
    )

    assert len(_only("timezones", image, cache)) == faults


def test_as_a_check_faults_fail_and_advice_is_a_note(cache: Path) -> None:
    subject = Subject(image_of(layer_of(PASSWD), config={"Cmd": ["/none"]}), "it", cache=cache)
    suite = suite_from_value(
        {
            "checks": {
                "a": {"lint": True},
                "b": {"lint": {"skip": ["command"]}},
                "c": {"lint": {"strict": True}},
            }
        },
        "x.nix",
    )

    loose, skipping, strict = judge_static(suite.checks, subject)

    assert loose.status is Status.FAIL
    assert [finding.subject for finding in loose.findings] == ["command"]
    assert any(note.startswith("shell: ") for note in loose.notes)
    assert skipping.status is Status.PASS
    assert len(strict.findings) > 1


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
    remarks = _only("command", _good(**config), cache)

    assert [(found, words in message) for found, message in remarks] == [(gravity, True)]


def test_a_plain_interpreter_has_no_fault(cache: Path) -> None:
    """Python has modules with a first line of long ago, and a module for TLS: nobody starts or asks them."""
    modules = layer_of(
        file("usr/lib/python3.11/cgi.py", b"#! /usr/local/bin/python\n", 0o755),
        file("usr/lib/python3.11/lib-dynload/_ssl.so", _library("_ssl.so")),
        file("usr/lib/libssl.so.3", _library("libssl.so.3")),
        file("usr/lib/node_modules/tool/musl/tool", _program("/lib/ld-musl-x86_64.so.1"), 0o755),
        file("usr/lib/other/arm", _program(machine=183), 0o755),
        file("usr/share/doc/x", f"built by /nix/store/{HASH}-gcc".encode()),
    )
    bare = image_of(layer_of(*host_program("true")), modules, config={"Cmd": ["/bin/true"]})

    assert [remark for remark in _lint(bare, cache) if remark[1] is Gravity.FAULT] == []
