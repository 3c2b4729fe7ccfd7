from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.kinds.lint import LintCheck
from nixdock.checks.lint import RULES
from nixdock.checks.lint.programs import Gravity
from nixdock.checks.static import judge_static
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import Status
from support.images import host_program, image_of
from support.layers import file, folder, layer_of, link

from .subjects import (
    GROUP,
    HASH,
    PASSWD,
    SURROUNDINGS,
    good_image,
    library_of,
    lint,
    lint_only,
    made_of,
    program_of,
    store_layers,
)


def test_a_whole_image_has_no_fault_and_needs_no_advice(cache: Path) -> None:
    assert lint(good_image(), cache) == []


def test_every_rule_is_applied_and_each_can_be_left_out(cache: Path) -> None:
    program, *libraries = host_program("true")
    linker = [member for member in libraries if "ld-linux" in member[0].name]
    bad = image_of(
        layer_of(
            file("app", program_of("/lib/ld-none.so", machine=183), 0o755),
            file("script", b"#!/usr/bin/none\n", 0o755),
            file("broken", f"/nix/store/{HASH}-gone/x".encode()),
            program,
            *linker,
            file("lib/libssl.so.3", library_of("libssl.so.3")),
        ),
        *store_layers({"conf": b"1"}, {"large": bytes(99)}, *([{}] * 52)),
        config={"Cmd": ["/bin/none"], "Env": ["TZ=Europe/Nowhere"], "User": "nobody"},
        history=[{}, *made_of(["conf"], ["large"], *([[]] * 52))],
    )

    assert {rule for rule, _, _ in lint(bad, cache)} == set(RULES)
    for rule in RULES:
        assert rule not in {left for left, _, _ in lint(bad, cache, LintCheck(skip=(rule,)))}
        assert {left for left, _, _ in lint(bad, cache, LintCheck(only=(rule,)))} == {rule}


def test_a_store_path_that_is_named_must_be_there(cache: Path) -> None:
    named = file("etc/conf", f"run /nix/store/{HASH}-app/bin/app".encode())

    gone = f"/nix/store/{HASH}-app"
    assert lint_only("references", image_of(layer_of(named)), cache) == [
        (Gravity.ADVICE, f"{gone} is not in the image, and /etc/conf names it")
    ]
    for layer, config, origin in (
        (layer_of(), {"Env": [f"APP={gone}"]}, "the image's config"),
        (layer_of(file("bin/run", f"#!{gone}/bin/sh".encode(), 0o755)), {}, "/bin/run"),
        (layer_of(file("run", gone.encode(), 0o755)), {"Cmd": ["/run"]}, "/run"),
        (layer_of(link("bin/app", f"{gone}/bin/app")), {}, "/bin/app"),
    ):
        assert lint_only("references", image_of(layer, config=config), cache) == [
            (Gravity.FAULT, f"{gone} is not in the image, and {origin} names it")
        ]
    whole = layer_of(named, file(f"nix/store/{HASH}-app/bin/app", b"", 0o755))
    assert lint_only("references", image_of(whole), cache) == []


def test_a_missing_shell_is_a_fault_only_where_it_surely_is_needed(cache: Path) -> None:
    layer = layer_of(PASSWD)

    ((gravity, message),) = lint_only("shell", image_of(layer), cache)
    assert (gravity, message[:21]) == (Gravity.ADVICE, "there is no /bin/sh: ")

    config = {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}
    assert lint_only("shell", image_of(layer, config=config), cache) == [
        (Gravity.FAULT, "there is no /bin/sh, and the HEALTHCHECK is a line for a shell: it always fails")
    ]


def test_certificates_are_missed_where_something_speaks_tls(cache: Path) -> None:
    library = file("lib/libssl.so.3", library_of("libssl.so.3"))

    assert lint_only("certificates", image_of(layer_of(library)), cache) == [
        (
            Gravity.ADVICE,
            "there are no CA certificates, and /lib/libssl.so.3 can speak TLS: a client trusts nobody",
        )
    ]
    assert lint_only("certificates", image_of(layer_of(library, SURROUNDINGS[-1])), cache) == []
    assert lint_only("certificates", image_of(layer_of(PASSWD)), cache) == []
    ((gravity, message),) = lint_only(
        "certificates", image_of(layer_of(file("go", program_of(), 0o755))), cache
    )
    assert (gravity, "static program" in message) == (Gravity.ADVICE, True)


def test_certificates_that_the_environment_names_must_be_there(cache: Path) -> None:
    image = image_of(layer_of(SURROUNDINGS[-1]), config={"Env": ["SSL_CERT_FILE=/nix/none.crt"]})

    assert lint_only("certificates", image, cache) == [
        (Gravity.FAULT, "SSL_CERT_FILE is /nix/none.crt, which is not in the image")
    ]


def test_tmp_must_be_there_for_everybody(cache: Path) -> None:
    assert [gravity for gravity, _ in lint_only("tmp", image_of(layer_of(PASSWD)), cache)] == [Gravity.ADVICE]
    assert lint_only("tmp", image_of(layer_of(PASSWD), config={"Volumes": {"/tmp": {}}}), cache) == []
    private = layer_of(folder("tmp", 0o755))
    assert [gravity for gravity, _ in lint_only("tmp", image_of(private), cache)] == [Gravity.ADVICE]
    unprivileged = image_of(private, config={"User": "999"})
    assert lint_only("tmp", unprivileged, cache) == [
        (Gravity.ADVICE, "/tmp has the mode 0755, not 1777: not everybody may write into it safely")
    ]
    assert [gravity for gravity, _ in lint_only("tmp", image_of(layer_of(file("tmp"))), cache)] == [
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

    remarks = lint_only("users", image, cache)

    assert [gravity for gravity, _ in remarks] == [gravity for gravity, _ in found]
    assert all(name in message for (_, message), (_, name) in zip(remarks, found, strict=True))


def test_an_image_without_passwd_is_advised_of_it(cache: Path) -> None:
    ((gravity, message),) = lint_only("users", image_of(layer_of(file("x"))), cache)

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

    assert len(lint_only("timezones", image, cache)) == faults


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


def test_a_plain_interpreter_has_no_fault(cache: Path) -> None:
    """Python has modules with a first line of long ago, and a module for TLS: nobody starts or asks them."""
    modules = layer_of(
        file("usr/lib/python3.11/cgi.py", b"#! /usr/local/bin/python\n", 0o755),
        file("usr/lib/python3.11/lib-dynload/_ssl.so", library_of("_ssl.so")),
        file("usr/lib/libssl.so.3", library_of("libssl.so.3")),
        file("usr/lib/node_modules/tool/musl/tool", program_of("/lib/ld-musl-x86_64.so.1"), 0o755),
        file("usr/lib/other/arm", program_of(machine=183), 0o755),
        file("usr/share/doc/x", f"built by /nix/store/{HASH}-gcc".encode()),
    )
    bare = image_of(layer_of(*host_program("true")), modules, config={"Cmd": ["/bin/true"]})

    assert [remark for remark in lint(bare, cache) if remark[1] is Gravity.FAULT] == []
