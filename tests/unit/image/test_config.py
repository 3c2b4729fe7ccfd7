"""An image's config is read as Docker reads it, and what cannot be read is told wherever it is read.

`ACCEPTED` is what Docker 20.10 and 28 (graph drivers) said to an image with each of the values in each of
the keys; Podman's service says the same but for a text in place of a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.kinds.snapshot import SnapshotCheck, snapshot_text
from nixdock.checks.static import judge_static
from nixdock.checks.structure_test.container_files import ContainerFiles
from nixdock.checks.structure_test.image_tests import config_check
from nixdock.checks.structure_test.model import Label, MetadataTest, Variable
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import Status
from nixdock.errors import LoadError
from nixdock.image.computed import ComputedImage, ComputedLayer
from nixdock.image.model import Image
from support.layers import MemoryLayer, file, folder, layer_of

VALUES: dict[str, Any] = {
    "null": None,
    "number": 5,
    "negative": -1,
    "fraction": 1.5,
    "huge": 10**30,
    "vast": 1e30,
    "wide": 2**63,
    "true": True,
    "empty text": "",
    "text": "text",
    "nul": "a\0b",
    "half": "a\ud800",
    "long": "x" * 100_000,
    "time": "2024-01-01T00:00:00Z",
    "empty list": [],
    "words": ["a", "b"],
    "nulls": [None],
    "halves": ["a=\udfff"],
    "nul words": ["a\0b"],
    "numbers": [5],
    "mixed": ["a", 5],
    "lists": [["a"]],
    "objects": [{}],
    "empty object": {},
    "set": {"a": {}},
    "null set": {"a": None},
    "pairs": {"a": "b"},
    "half key": {"\ud800": "b"},
    "number pairs": {"a": 5},
    "list pairs": {"a": ["b"]},
    "deep": {"a": {"b": {"c": []}}},
}

TEXTS = ("null", "empty text", "text", "nul", "half", "long", "time")
LISTS = ("null", "empty list", "words", "nulls", "halves", "nul words")
SETS = ("null", "empty object", "set", "null set", "deep")
OBJECTS = (*SETS, "pairs", "half key", "number pairs", "list pairs")
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("architecture os variant author comment docker_version id parent os.version rootfs.type", TEXTS),
    ("config.User config.WorkingDir config.Hostname config.Domainname config.Image", TEXTS),
    ("config.StopSignal config.MacAddress", TEXTS),
    ("os.features config.Env config.OnBuild config.Healthcheck.Test", LISTS),
    ("config.Cmd config.Entrypoint config.Shell", (*TEXTS, *LISTS)),
    ("config container_config config.Healthcheck", OBJECTS),
    ("config.ExposedPorts config.Volumes", SETS),
    ("config.Labels", ("null", "empty object", "null set", "pairs", "half key")),
    ("config.Healthcheck.Interval config.Healthcheck.Timeout", ("null", "number", "negative")),
    ("config.Healthcheck.StartPeriod config.Healthcheck.Retries", ("null", "number", "negative")),
    ("config.StopTimeout", ("null", "number", "negative")),
    ("config.Tty config.OpenStdin config.StdinOnce config.AttachStdin", ("null", "true")),
    ("config.AttachStdout config.AttachStderr config.NetworkDisabled", ("null", "true")),
    ("config.ArgsEscaped", ("null", "true")),
    ("created", ("null", "time")),
    ("history", ("null", "empty list", "nulls", "objects")),
    ("config.Unknown", tuple(VALUES)),
)
ACCEPTED = {key: values for keys, values in GROUPS for key in keys.split()}
ROWS = [(key, name) for key in ACCEPTED for name in VALUES]

LAYER = layer_of(
    file("bin/a", b"#!/bin/a\n", 0o755),
    folder("tmp", 0o1777),
    file("etc/passwd", b"text:x:5:5::/:\n"),
)
CHECKS = {
    "lint": {"lint": {}},
    "cmd": {"config": {"Cmd": ["a"], "Env": {"a": "b"}, "ExposedPorts": ["80"], "Labels": {"a": "b"}}},
    "path": {"config": {"history[0].created_by": "x", "rootfs.type": "layers"}},
}
METADATA = MetadataTest(
    environment=(Variable("a", "b"), Variable("a", ".*", is_regex=True)),
    labels=(Label("a", "b"),),
    cmd=("a",),
    entrypoint=("b",),
    exposed_ports=("80",),
    volumes=("/a",),
    workdir="/a",
    user="u",
)
LOOKS: tuple[Callable[[Subject], object], ...] = (
    lambda subject: config_check(METADATA).judge(subject),
    lambda subject: ContainerFiles(subject).look_at("/bin/a"),
    lambda subject: snapshot_text(SnapshotCheck("config", Path("config.snap")), subject),
)


def image_with(key: str, value: Any, layer: MemoryLayer = LAYER) -> Image:
    config: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/a"]},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id)]},
    }
    at = config
    *folders, last = [key] if key.startswith("os.") else key.split(".")
    for name in folders:
        at = at.setdefault(name, {})
    at[last] = value
    return Image(json.dumps(config).encode(), (layer,))


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("key", "name"), ROWS)
def test_a_config_is_read_as_docker_reads_it(key: str, name: str) -> None:
    image = image_with(key, VALUES[name])

    if name in ACCEPTED[key]:
        assert json.dumps(image.config, ensure_ascii=False).encode()
    else:
        with pytest.raises(LoadError, match=r"^the image's config cannot be read: .*") as raised:
            _ = image.config
        assert f": {key}" in raised.value.message
        raised.value.message.encode()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("key", "name"), ROWS)
def test_whatever_looks_at_an_image_says_that_its_config_cannot_be_read(
    key: str, name: str, tmp_path: Path
) -> None:
    subject = Subject(image_with(key, VALUES[name]), cache=tmp_path / "cache")
    suite = suite_from_value({"checks": CHECKS}, str(tmp_path / "x.nix"))

    results = judge_static(suite.checks, subject)

    said = [str(finding) for result in results for finding in result.findings]
    json.dumps(said, ensure_ascii=False).encode()
    if name in ACCEPTED[key]:
        assert [result for result in results if result.status is Status.ERROR] == []
        for look in LOOKS:
            look(subject)
        return
    assert {result.status for result in results} == {Status.ERROR}
    assert all("config cannot be read: " in sentence for sentence in said)
    for look in LOOKS:
        with pytest.raises(LoadError):
            look(subject)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"5",
        b"null",
        b"[]",
        b'"config"',
        b"{",
        b"{}x",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
    ],
)
def test_bytes_that_are_no_config_are_told_in_a_sentence(data: bytes) -> None:
    with pytest.raises(LoadError, match=r"^the image's config cannot be read: it is "):
        _ = Image(data, ()).config


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"config": {"cmd": ["a"]}}, {"Cmd": ["a"]}),
        ({"config": {"Cmd": "a b"}}, {"Cmd": ["a b"]}),
        ({"config": {"ENV": ["A=\ud800"]}}, {"Env": ["A=\ufffd"]}),
        ({"config": {"Cmd": ["a"], "cmd": ["b"]}}, {"Cmd": ["b"]}),
        ({"config": {"Cmd": ["a"], "cmd": None}}, {"Cmd": ["a"]}),
        ({"config": {"entryPoint": ["a", None]}}, {"Entrypoint": ["a", ""]}),
        ({"Config": {"user": "u"}}, {"User": "u"}),
        ({"config": {"labels": {"a": None}}}, {"Labels": {"a": ""}}),
        ({"config": {"Labels": {"a": "1"}, "labels": {"b": "2"}}}, {"Labels": {"a": "1", "b": "2"}}),
        ({"config": {"Volumes": {"/a": None}}}, {"Volumes": {"/a": {}}}),
        ({"config": {"Frob": [1]}}, {"Frob": [1]}),
    ],
)
def test_keys_are_read_in_any_case_and_values_as_docker_shows_them(
    given: dict[str, Any], found: dict[str, Any]
) -> None:
    assert Image(json.dumps(given).encode(), ()).config["config"] == found


def test_a_computed_config_is_checked_before_any_layer_is_read() -> None:
    layer = ComputedLayer("a layer", 1, lambda: pytest.fail("read"))
    image = ComputedImage((layer,), (), "amd64", lambda ids: b'{"config": {"Env": %d}}' % len(ids))

    with pytest.raises(LoadError, match=r"config\.Env is a number"):
        image.check_config()
