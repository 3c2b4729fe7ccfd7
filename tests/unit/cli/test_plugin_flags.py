"""The Docker CLI's global flags, as it hands them to a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.cli.plugin import parse_flags
from nixdock.engine.connection.address import Tls
from nixdock.errors import UsageError


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "C", "--context", "X", "--host", "H", "--debug"],
        ["--config=C", "--context=X", "--host=H", "--debug=true"],
        ["--config", "C", "-c", "X", "-H", "H", "-D"],
        ["--config", "C", "-cX", "-HH", "-D"],
        ["--config", "C", "-c=X", "-H=H", "-D"],
        ["--config", "C", "-c", "X", "-DH", "H"],
        ["--config", "C", "-c", "X", "-DHH"],
        ["--config", "C", "-c", "X", "-H", "H", "-l", "debug"],
    ],
)
def test_every_spelling_means_the_same(words: list[str]) -> None:
    flags = parse_flags([*words, "nixdock", "up", "-x", "--context", "later"])
    assert (flags.config, flags.context, flags.host, flags.debug) == ("C", "X", "H", True)
    assert flags.rest == ("nixdock", "up", "-x", "--context", "later")


def test_no_flags_say_nothing() -> None:
    flags = parse_flags(["nixdock", "up"])
    assert (flags.config, flags.context, flags.host, flags.debug) == (None, None, None, False)
    assert flags.tls({}) is None
    assert flags.rest == ("nixdock", "up")


def test_a_later_context_replaces_an_earlier_one() -> None:
    assert parse_flags(["-c", "a", "-c", "b", "nixdock"]).context == "b"


def test_help_before_the_name_asks_for_help() -> None:
    assert parse_flags(["--help", "nixdock", "up"]).rest == ("help", "nixdock", "up")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frobnicate", "nixdock"], "unknown docker option --frobnicate"),
        (["-x", "nixdock"], "unknown docker option -x"),
        (["--host"], "the docker option --host needs a value"),
        (["-H", "a", "-H", "b", "nixdock"], "the docker option --host was given twice"),
        (["--tls=perhaps", "nixdock"], "the docker option --tls=perhaps takes true or false"),
    ],
)
def test_what_docker_would_refuse_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_flags(words)
    assert caught.value.message == message


def test_tls_material_is_looked_for_where_docker_does(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    expected = Tls(tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem", verify=True)
    assert parse_flags(["--tlsverify", "nixdock"]).tls({"DOCKER_CERT_PATH": str(tmp_path)}) == expected
    assert parse_flags(["--tlsverify", "nixdock"]).tls({"DOCKER_CONFIG": str(tmp_path)}) == expected
    assert parse_flags(["--config", str(tmp_path), "--tlsverify", "nixdock"]).tls({}) == expected


def test_named_tls_material_is_taken_even_if_it_is_not_there() -> None:
    words = ["--tls", "--tlscacert", "/a", "--tlscert=/b", "--tlskey", "/c", "nixdock"]
    assert parse_flags(words).tls({"HOME": "/nowhere"}) == Tls(
        Path("/a"), Path("/b"), Path("/c"), verify=False
    )


def test_tlsverify_switched_off_still_means_tls() -> None:
    assert parse_flags(["--tlsverify=false", "nixdock"]).tls({"HOME": "/nowhere"}) == Tls(verify=False)


def test_material_alone_does_not_mean_tls() -> None:
    assert parse_flags(["--tlscacert", "/a", "nixdock"]).tls({}) is None
