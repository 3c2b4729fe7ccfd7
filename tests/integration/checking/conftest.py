"""Images with a busybox, and `nixdock check` run over them as users run it."""

from __future__ import annotations

import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.archives import Sample, docker_archive
from support.layers import file, folder, link, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from support.engines import Engine
    from support.program import Nixdock, Run

APPLETS = (
    *("cat", "chmod", "cut", "dd", "echo", "env", "false", "grep", "head", "httpd", "id", "kill", "ls"),
    *("mkdir", "nc", "printf", "ps", "pwd", "rm", "seq", "sh", "sleep", "test", "touch", "tr", "true"),
    *("uname", "wc", "yes"),
)
Members = list[tuple[tarfile.TarInfo, bytes]]


def busybox() -> Members:
    """The members of a small system: a shell and its tools, users, /tmp."""
    return [
        file("bin/busybox", Path("/bin/busybox").read_bytes(), 0o755),
        *(link(f"bin/{applet}", "busybox") for applet in APPLETS),
        file("etc/passwd", b"root:x:0:0::/:/bin/sh\nweb:x:999:998::/srv:/bin/sh\n"),
        file("etc/group", b"root:x:0:\nweb:x:998:\n"),
        folder("tmp", 0o1777),
    ]


@dataclass(frozen=True)
class SuiteResult:
    """What `nixdock check` came to."""

    run: Run
    verdicts: Mapping[str, dict[str, Any]]

    @property
    def status(self) -> int:
        return self.run.status

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.verdicts[name]

    def statuses(self) -> dict[str, str]:
        """The status of each check, but of that of the service itself."""
        return {
            name: verdict["status"]
            for name, verdict in self.verdicts.items()
            if name != "the service is ready"
        }

    def said(self, name: str) -> str:
        """All that the findings of a check say, in one text."""
        found = self.verdicts[name].get("findings", [])
        return "\n".join(f"{one['subject']}: {one['message']}\n{one.get('details', '')}" for one in found)


class Checker:
    """Runs `nixdock check` over an image of an engine."""

    IMAGE = "nixdock-checked:1"

    def __init__(self, nixdock: Nixdock, engine: Engine) -> None:
        self.nixdock = nixdock
        self.engine = engine

    def make_image(self, name: str, members: Members | None = None, **config: Any) -> str:
        """Load an image, unless it is there; return its name."""
        if not self.engine.docker("images", "-q", name).strip():
            layers = (tar_of(busybox()), *([tar_of(members)] if members else []))
            sample = Sample(layers, (name,), {"Env": ["PATH=/bin"], **config})
            self.engine.docker("load", stdin=docker_archive(sample))
        return name

    def write(self, suite: Mapping[str, Any], name: str = "suite.checks.json") -> Path:
        """Write a check file."""
        path = self.nixdock.folder / name
        path.write_text(json.dumps(suite))
        return path

    def __call__(
        self,
        checks: Mapping[str, Any],
        *options: str | Path,
        image: str | Path = IMAGE,
        timeout: float = 240,
        **suite: Any,
    ) -> SuiteResult:
        """Check an image; `suite` is what stands beside the checks."""
        file = self.write({"checks": checks, **suite})
        run = self.nixdock("check", image, "--checks", file, "--json", *options, timeout=timeout)
        try:
            found = json.loads(run.stdout)["checks"]
        except ValueError:
            found = []
        return SuiteResult(run, {verdict["name"]: verdict for verdict in found})

    def labelled(self) -> dict[str, Sequence[str]]:
        """All that nixdock made on the engine and that is still there."""
        label = "label=io.nixdock.run"
        return {
            "containers": self.engine.docker("ps", "-aq", "--filter", label).split(),
            "volumes": self.engine.docker("volume", "ls", "-q", "--filter", label).split(),
            "networks": self.engine.docker("network", "ls", "-q", "--filter", label).split(),
        }

    def volumes(self) -> set[str]:
        """All volumes of the engine, anonymous ones included."""
        return set(self.engine.docker("volume", "ls", "-q").split())


def wait_until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for something that another program does; fail when it does not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.05)


def _checker(nixdock: Nixdock, engine: Engine) -> Iterator[Checker]:
    checker = Checker(nixdock, engine)
    checker.make_image(Checker.IMAGE, Cmd=["/bin/echo", "hello from the image"])
    volumes = checker.volumes()
    yield checker
    left = checker.labelled()
    for container in left["containers"]:
        engine.docker("rm", "-fv", container)
    assert not any(left.values()), left
    assert checker.volumes() <= volumes


@pytest.fixture
def check(nixdock: Nixdock, engine: Engine) -> Iterator[Checker]:
    """`nixdock check` on the engine that Debian 12 installs; nothing may be left behind."""
    yield from _checker(nixdock, engine)


@pytest.fixture
def any_check(nixdock: Nixdock, any_engine: Engine) -> Iterator[Checker]:
    """The same on each supported engine."""
    yield from _checker(nixdock.at(any_engine), any_engine)
