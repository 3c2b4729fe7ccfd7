"""What makes two services the same one."""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection.address import Address
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary, ImageDetails
from nixdock.engine.connection.stream import Stream
from nixdock.engine.containers.image import EngineImage, HostStore
from nixdock.engine.containers.options.request import CreateRequest, make_request
from nixdock.engine.containers.owner import MARKED, REPLACES, RUN
from nixdock.engine.containers.unfinished import label_place
from nixdock.errors import DeadlineError
from nixdock.events import Notice, Warned
from nixdock.services.identity import (
    WantedService,
    describe_service,
    exclusively,
    find_service,
    read_logs,
    read_tail,
)

if TYPE_CHECKING:
    from nixdock.events import Event


def image(
    name: str = "web:1",
    *,
    ident: str = "sha256:a",
    key: str = "/web.nix",
) -> tuple[EngineImage, str]:
    details = ImageDetails(ident, (), (), {}, "linux", "amd64", "", 0, {})
    return EngineImage(None, name, name, details), key  # type: ignore[arg-type]


def request(*, detach: bool = False, command: tuple[str, ...] = (), **options: str) -> CreateRequest:
    return make_request("web:1", command, tuple(options.items()), detach=detach, environ={})


def test_the_same_image_and_options_are_the_same_settings() -> None:
    assert describe_service(*image(), request(env="A=1")) == describe_service(*image(), request(env="A=1"))


def test_one_build_is_one_image_with_its_store_paths_or_with_those_of_this_machine() -> None:
    built = Path("/nix/store/a-stream-web")
    mounted, key = image(ident="sha256:b")
    store = HostStore(("/nix/store/c-libc",), lambda: mounted, lambda _container: None, Path("/x"))
    wanted = describe_service(replace(mounted, host_store=store), key, request(), built)
    loaded = describe_service(*image(), request(), built)
    assert wanted.settings != loaded.settings
    assert wanted.settings_of(standing(loaded)) == wanted.settings
    assert wanted.settings_of(standing(describe_service(*image(), request(), None))) != wanted.settings
    assert (
        wanted.settings_of(standing(describe_service(*image(), request(env="A=1"), built))) != wanted.settings
    )
    # Mounted, what is mounted counts.
    other = HostStore(("/nix/store/d-libc",), lambda: mounted, lambda _container: None, Path("/x"))
    assert describe_service(replace(mounted, host_store=other), key, request()).settings != wanted.settings


def standing(service: WantedService) -> ContainerSummary:
    return ContainerSummary.from_json({"Id": "a", "Image": "web:1", "Labels": service.labels})


class Halfway:
    """An engine with both containers of a replacement that was cut short; the old one may not start."""

    address = Address("unix:///x", "a test")

    def __init__(self, service: WantedService, refuses: str) -> None:
        pid, _, rest = label_place("web", "old")[REPLACES].removeprefix("web old ").partition(" ")
        # The start of a process that had our number before us.
        dead = f"web old {pid} 1 {rest.partition(' ')[2]}"
        self.labels = {"old": service.labels, "new": {**service.labels, REPLACES: dead}}
        self.names = {"old": "web.old-1", "new": "web"}
        self.status, self.refuses = "exited", refuses

    def containers(self, *, labels: list[str]) -> list[ContainerSummary]:
        assert labels[0] == RUN
        return [
            ContainerSummary(
                one, self.names[one], "web:1", "sha256:a", "", {RUN: "r", **self.labels[one]}, {}
            )
            for one in self.names
        ]

    def find_container(self, ident: str) -> ContainerDetails | None:
        if ident not in self.names:
            return None
        state, host = {"Status": self.status, "ExitCode": 3}, {MARKED: "nixdock:r:1"}
        return ContainerDetails.from_json(
            {"Id": ident, "Name": f"/{self.names[ident]}", "State": state, "HostConfig": host}
        )

    def remove_container(self, ident: str) -> None:
        del self.names[ident]

    def rename_container(self, ident: str, name: str) -> None:
        self.names[ident] = name

    def start_container(self, _ident: str) -> None:
        if self.refuses:
            raise EngineRefusedError(self.refuses, status=500)
        self.status = "running"


@pytest.mark.parametrize(
    ("refuses", "difference", "said"),
    [
        ("", None, Notice("web: the one before runs again: what was to replace it was cut short")),
        (
            "its port is taken",
            "it has ended with 3",
            Warned("web: the one before could not be started again: its port is taken"),
        ),
    ],
)
def test_what_was_cut_short_keeps_nothing_from_its_place(
    refuses: str, difference: str | None, said: Event
) -> None:
    service = describe_service(*image(), replace(request(), name="web"))
    told: list[Event] = []
    found = find_service(Halfway(service, refuses), service, told.append)  # type: ignore[arg-type]
    assert found is not None
    assert (found.container.id, found.difference) == ("old", difference)
    assert told == [said]


def test_looking_on_is_no_setting() -> None:
    assert describe_service(*image(), request()) == describe_service(*image(), request(detach=True))


@pytest.mark.parametrize(
    ("other", "asked"),
    [
        (image(ident="sha256:b"), request()),
        (image(), request(env="A=1")),
        (image(), request(command=("serve",))),
        (image(), request(platform="linux/arm64")),
    ],
)
def test_anything_else_is(other: tuple[EngineImage, str], asked: CreateRequest) -> None:
    assert describe_service(*other, asked).settings != describe_service(*image(), request()).settings


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("web:1", "web"),
        ("registry.test:5000/team/web:1", "web"),
        ("team/web", "web"),
        ("sha256:a", "service"),
    ],
)
def test_it_is_named_after_its_image(name: str, base: str) -> None:
    assert describe_service(*image(name), request()).name.rpartition("-")[0] == base


def test_targets_have_names_of_their_own() -> None:
    names = {describe_service(*image(key=key), request()).name for key in ("/a/web.nix", "/b/web.nix")}
    assert len(names) == 2
    assert describe_service(*image("web:2"), request()).name == describe_service(*image(), request()).name


def test_a_name_of_the_user_s_is_kept() -> None:
    assert describe_service(*image(), request(name="mine")).name == "mine"


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ({}, {}, False),
        ({"Healthcheck": {"Test": ["CMD", "x"]}}, {}, True),
        ({"Healthcheck": {"Test": ["NONE"]}}, {}, False),
        ({"Healthcheck": None}, {"health-cmd": "x"}, True),
        ({"Healthcheck": {"Test": ["CMD", "x"]}}, {"no-healthcheck": "true"}, False),
        ({"Healthcheck": {"Test": ["CMD", "x"]}}, {"health-interval": "1s"}, True),
        ({}, {"health-interval": "1s"}, False),
    ],
)
def test_who_has_a_health_check(config: dict[str, Any], options: dict[str, str], expected: bool) -> None:
    asked = make_request("web:1", (), tuple(options.items()), environ={})
    assert asked.is_probed(config) is expected


class Waiting:
    """What `exclusively` asks of an engine."""

    address = Address("unix:///x", "a test")
    left = math.inf
    renewed = 0

    @property
    def patience(self) -> Waiting:
        return self

    def renew(self) -> None:
        self.renewed += 1


def test_another_nixdock_is_waited_for_as_long_as_the_time_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))
    service = describe_service(*image(), request())
    told: list[Event] = []
    first, second = Waiting(), Waiting()
    second.left = 0
    with (
        exclusively(first, service, told.append),  # type: ignore[arg-type]
        pytest.raises(DeadlineError, match="while another nixdock works on web-"),
        exclusively(second, service, told.append),  # type: ignore[arg-type]
    ):
        pass
    with exclusively(second, service, told.append):  # type: ignore[arg-type]
        assert len(told) == 1


def test_where_no_lock_can_be_had_the_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locks").write_text("no directory")
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))
    told: list[Event] = []
    with exclusively(Waiting(), describe_service(*image(), request()), told.append):  # type: ignore[arg-type]
        assert not told


class Logging:
    """An engine with one container, whose output is to be read over connections that are counted."""

    def __init__(self) -> None:
        self.open = 0

    def find_container(self, _container: str) -> ContainerDetails:
        return ContainerDetails.from_json({"Id": "a", "Name": "/web", "Config": {"Tty": True}, "State": {}})

    def logs(self, _container: str, **_how: Any) -> Stream:
        self.open += 1
        return Stream(BytesIO(b"served\n"), None, tty=True, close=self.close)

    def close(self) -> None:
        self.open -= 1


def test_what_a_service_wrote_is_read_and_the_connection_given_back() -> None:
    engine = Logging()
    assert read_tail(engine, "a") == "served"  # type: ignore[arg-type]
    written, _ = read_logs(engine, engine.find_container("a"))  # type: ignore[arg-type]
    assert bytes(written) == b"served\n"
    assert engine.open == 0
