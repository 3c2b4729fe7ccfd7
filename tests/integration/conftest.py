"""Real Nix, a real engine, and the real program."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support import engines
from support.program import Nixdock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.engines import Engine

ENGINES = ("docker-20", "docker-28", "docker-28-containerd", "podman")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engines",
        default=",".join(ENGINES),
        help=f"engines to test against, separated by commas (default: {','.join(ENGINES)})",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_engine" in metafunc.fixturenames:
        metafunc.parametrize("any_engine", ENGINES, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    chosen = terminalreporter.config.getoption("--engines").split(",")
    left_out = [name for name in ENGINES if name not in chosen]
    if left_out:
        terminalreporter.write_line(f"engines left out by --engines: {', '.join(left_out)}")


class Fleet:
    """The engines of this test session, each started when a test first asks for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, Engine] = {}

    def get(self, name: str) -> Engine:
        """Return the running engine of this name."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(engines.start(name))
        return self._running[name]


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Every engine that a test can ask for by name."""
    with ExitStack() as stack:
        yield Fleet(stack)


@pytest.fixture(scope="session")
def engine(fleet: Fleet) -> Engine:
    """The engine of tests that need just one: what Debian 12 installs."""
    return fleet.get("docker-20")


@pytest.fixture
def any_engine(request: pytest.FixtureRequest, fleet: Fleet) -> Engine:
    """Each supported engine in turn."""
    name: str = request.param
    if name not in request.config.getoption("--engines").split(","):
        pytest.skip(f"{name} is left out by --engines")
    return fleet.get(name)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache that all tests of a session share: the offline package set is written once."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "nixdock-cache"


def install(engine: Engine, shared_cache: Path, folder: Path) -> Nixdock:
    """Return the program with a home and a state in a folder, on an engine."""
    home = folder / "home"
    home.mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NIX", "DOCKER", "XDG_", "NIXDOCK"))}
    environment = {
        **kept,
        "HOME": str(home),
        "DOCKER_HOST": engine.host,
        "NIXDOCK_CACHE_DIR": str(shared_cache),
        "NIXDOCK_STATE_DIR": str(home / "state"),
    }
    work = folder / "work"
    work.mkdir()
    return Nixdock(environment, work)


@pytest.fixture
def nixdock(engine: Engine, shared_cache: Path, tmp_path: Path) -> Nixdock:
    """The program, with a home and a state of this test's own, on the tests' engine."""
    return install(engine, shared_cache, tmp_path)


@pytest.fixture(scope="module")
def module_nixdock(engine: Engine, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Nixdock:
    """The program with a home and a state that the tests of a module share, on the tests' engine."""
    return install(engine, shared_cache, tmp_path_factory.mktemp("module"))
