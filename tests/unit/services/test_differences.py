"""What is said of a service that is not what is wanted, in the user's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection.responses import ContainerSummary, ImageDetails
from nixdock.engine.containers.image import EngineImage
from nixdock.engine.containers.options.request import make_request
from nixdock.engine.containers.owner import GIVEN, SETTINGS
from nixdock.services.differences import find_difference
from nixdock.services.identity import describe_service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.services.identity import WantedService

ONE = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


def service(
    words: str = "",
    *,
    command: tuple[str, ...] = (),
    name: str = "web:1",
    ident: str = ONE,
    tty: bool = False,
) -> WantedService:
    """Return the service that an image makes with options, each written as `name=value`."""
    options = tuple((one.partition("=")[0], one.partition("=")[2]) for one in words.split())
    details = ImageDetails(ident, (), (), {}, "linux", "amd64", "", 0, {})
    request = make_request(name, command, options, tty=tty, environ={})
    image = EngineImage(None, name, name, details)  # type: ignore[arg-type]
    return describe_service(image, "/web.nix", request, None, options)


def standing(before: WantedService, labels: Mapping[str, str] | None = None) -> ContainerSummary:
    """Return the container of a service, as an engine lists it."""
    given = before.given
    made = {**before.labels, **(labels or {})}
    return ContainerSummary("1", before.name, given.image, given.image_id, "running", made, {})


def difference(before: ContainerSummary, now: WantedService) -> str | None:
    return find_difference(before, now.given, now.settings_of(before), now.settings)


DIFFERENCES = [
    (service(), service(), None),
    (service("env=A=1"), service("env=A=1"), None),
    (service(), service(name="web:2", ident=OTHER), "image web:1 -> web:2"),
    (service(), service(ident=OTHER), "image web:1, aaaaaaaaaaaa -> bbbbbbbbbbbb"),
    (service(), service("env=A=1"), "-e A is new"),
    (service("env=A=1"), service(), "-e A is gone"),
    (service("env=A=secret"), service("env=A=hunter2"), "-e A has another value"),
    (service(), service("memory=1g"), "-m 1g is new"),
    (service("memory=512m"), service("memory=2g memory=1g"), "-m 512m -> 1g"),
    (service("publish=80"), service("publish=8080:80"), "-p 80 -> 8080:80"),
    (service("publish=80"), service("publish=80 publish=81"), "-p 81 is new"),
    (service("publish=80 publish=81"), service("publish=82"), "-p 80 is gone; -p 81 is gone; -p 82 is new"),
    (service("publish=80 publish=81"), service("publish=81 publish=80"), None),
    (service("dns=192.0.2.1 dns=192.0.2.2"), service("dns=192.0.2.2 dns=192.0.2.1"), "other options"),
    (service(), service("init=true"), "--init is new"),
    (service("init=true"), service("init=false"), "--init is gone"),
    (service(), service("platform=linux/arm64"), "--platform linux/arm64 is new"),
    (service(), service(tty=True), "-t is new"),
    (
        service("log-opt=token=secret"),
        service("log-opt=token=hunter2"),
        "--log-opt token has another value",
    ),
    (service(), service(command=("serve", "a b")), "command the image's own -> serve 'a b'"),
    (
        service("stop-timeout=3"),
        service("stop-timeout=1", name="web:2", ident=OTHER, command=("x",)),
        "image web:1 -> web:2; --stop-timeout 3 -> 1; command the image's own -> x",
    ),
    (
        service(),
        service("env=A=1 env=B=1 env=C=1 env=D=1 env=E=1 env=F=1"),
        "-e A is new; -e B is new; -e C is new; -e D is new; 2 more",
    ),
]


@pytest.mark.parametrize(("before", "now", "said"), DIFFERENCES)
def test_what_differs_is_said_in_the_user_s_words(
    before: WantedService, now: WantedService, said: str | None
) -> None:
    assert difference(standing(before), now) == said


def test_no_secret_is_kept() -> None:
    label = service("env=A=hunter2 log-opt=token=hunter2").labels[GIVEN]
    assert "hunter2" not in label
    assert set(json.loads(label)["variables"]) == {"A"}


@pytest.mark.parametrize(
    "label",
    ["", "x", "[]", "{}", '{"image":1,"command":{},"options":[],"variables":{}}', "[" * 100_000],
)
def test_a_label_that_says_nothing_is_no_trouble(label: str) -> None:
    """What an earlier nixdock brought up has none."""
    found = standing(service(), {GIVEN: label})
    assert difference(found, service("env=A=1")) == "other options"
    assert difference(found, service(name="web:2", ident=OTHER)) == "image web:1 -> web:2"


def test_what_a_label_says_is_one_line() -> None:
    found = standing(
        service(), {GIVEN: '{"image":"a\\nb","command":["\\u001b[31m"],"options":{},"variables":{}}'}
    )
    said = difference(found, service("memory=1g", name="web:2", ident=OTHER))
    assert said is not None
    assert said.isprintable()


def test_settings_alone_decide() -> None:
    found = standing(service("env=A=1"), {SETTINGS: service().settings})
    assert difference(found, service()) is None
