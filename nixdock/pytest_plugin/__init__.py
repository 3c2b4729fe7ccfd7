"""nixdock in pytest: images built and loaded once, containers that are removed, check files as tests.

The plugin is found by its entry point. Importing it imports neither the engine's library nor anything
of Nix, and nothing is contacted before a test asks. `nixdock/checks/README.md` describes it for users.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from nixdock import settings
from nixdock.checks.format.beside import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.outcome import RunOutcome
    from nixdock.services.service import Service

_TAIL = 40
_SERVICES = pytest.StashKey["list[Service]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; all begin with `--nixdock-`."""
    group = parser.getgroup("nixdock", "container images")
    group.addoption("--nixdock-target", metavar="TARGET", help="what nixdock_image builds and loads")
    group.addoption("--nixdock-host", metavar="URL", help="the engine, as DOCKER_HOST takes it")
    group.addoption(
        "--nixdock-require", action="store_true", help="fail where there is no engine, rather than skip"
    )
    group.addoption("--nixdock-keep", action="store_true", help="keep containers of checks that fail")
    parser.addini("nixdock_target", "what nixdock_image builds and loads")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect check files: each check is a test."""
    if not file_path.name.endswith(SUFFIXES):
        return None
    from nixdock.pytest_plugin.check_items import CheckFile  # noqa: PLC0415 - most sessions have no check files

    return CheckFile.from_parent(parent, path=file_path)


@dataclass(frozen=True)
class ImageUnderTest:
    """An image that the engine has: its name, and what the engine calls it."""

    reference: str
    id: str

    def __str__(self) -> str:
        return self.reference


@pytest.fixture(scope="session")
def nixdock_target(pytestconfig: pytest.Config) -> str:
    """What is tested: `--nixdock-target`, or `nixdock_target` of the configuration. Override it at will."""
    target = pytestconfig.getoption("--nixdock-target") or pytestconfig.getini("nixdock_target")
    if not target:
        raise pytest.UsageError("no image to test: give --nixdock-target, or override nixdock_target")
    return str(target)


@pytest.fixture(scope="session")
def nixdock_engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The engine; tests are skipped where there is none, unless `--nixdock-require` is given."""
    from nixdock.pytest_plugin.check_items import connect_or_skip  # noqa: PLC0415 - not before a test asks

    with connect_or_skip(pytestconfig) as engine:
        yield engine


@pytest.fixture(scope="session")
def nixdock_image(
    nixdock_target: str,
    nixdock_engine: Engine,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> ImageUnderTest:
    """The image of `nixdock_target`, built and loaded once for all workers of a session."""
    key = hashlib.sha256(os.fsencode(f"{nixdock_target}\0{nixdock_engine.address.url}")).hexdigest()[:32]
    base = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have directories of their own within that of the session.
    directory = base.parent if hasattr(request.config, "workerinput") else base
    record = directory / f"nixdock-{key}.json"
    with settings.locked(directory / f"nixdock-{key}.lock"):
        if not record.exists():
            from nixdock import api  # noqa: PLC0415

            loaded = api.load(nixdock_target, engine=nixdock_engine)
            if len(loaded) != 1:
                raise pytest.UsageError(f"{nixdock_target} is {len(loaded)} images; name one of them")
            record.write_text(
                json.dumps({"reference": loaded[0].name, "id": loaded[0].engine_id}), encoding="utf-8"
            )
        return ImageUnderTest(**json.loads(record.read_text(encoding="utf-8")))


@pytest.fixture
def nixdock_run(nixdock_image: ImageUnderTest, nixdock_engine: Engine) -> Callable[..., RunOutcome]:
    """Run containers to their end: `nixdock_run("/bin/web", "--version", timeout=5)`.

    Keyword arguments are those of `nixdock.run`; the answer has `exit_code`, `stdout` and `stderr`.
    """

    def run(*command: str, **options: Any) -> RunOutcome:  # noqa: ANN401 - those of nixdock.run
        from nixdock import api  # noqa: PLC0415

        return api.run(f"image:{nixdock_image.reference}", command, engine=nixdock_engine, **options)

    return run


@pytest.fixture
def nixdock_service(
    nixdock_image: ImageUnderTest, nixdock_engine: Engine, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Service]]:
    """Have a function that starts services, each of which is removed after the test.

    As in `web = nixdock_service(ports=[80])`.

    Keyword arguments are those of `nixdock.serve`; the answer has `url(80)`, `run([...])`, `logs()`,
    `wait_for_log("ready")` and more. What they wrote stands in the report of a test that fails.
    """
    with ExitStack() as stack:

        def serve(command: Sequence[str] = (), **options: Any) -> Service:  # noqa: ANN401 - of nixdock.serve
            from nixdock import api  # noqa: PLC0415

            target = f"image:{nixdock_image.reference}"
            service = stack.enter_context(api.serve(target, command, engine=nixdock_engine, **options))
            request.node.stash.setdefault(_SERVICES, []).append(service)
            return service

        yield serve


@pytest.fixture
def nixdock_container(nixdock_service: Callable[..., Service]) -> Service:
    """A container of the image as it is, running: `nixdock_container.run(["/bin/web", "--version"])`."""
    return nixdock_service()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Put what services wrote, and their state, into the report of a test that failed."""
    if call.excinfo is not None:
        _disarm(call.excinfo.value)
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    for service in item.stash.get(_SERVICES, []):
        report.sections.append((f"nixdock: {service.id[:12]}", _describe(service)))


def _disarm(error: BaseException) -> None:
    """Have pytest, which shows an error as it is, show ours whole and obeyed by nobody."""
    from nixdock.errors import NixdockError  # noqa: PLC0415
    from nixdock.out import form_text  # noqa: PLC0415

    if not isinstance(error, NixdockError):
        return
    hint = f"hint: {error.hint}" if error.hint else None
    error.args = (form_text("\n".join(filter(None, (error.message, error.details, hint)))),)
    # What it came of is shown, too, as it is: the engine's own words, perhaps, which the sentence has.
    here: BaseException = error
    while (cause := here.__cause__ or (None if here.__suppress_context__ else here.__context__)) is not None:
        if form_text(str(cause)) != str(cause):
            here.__cause__ = None  # which suppresses the context
            break
        here = cause


def _describe(service: Service) -> str:
    from nixdock.errors import NixdockError  # noqa: PLC0415
    from nixdock.out import form_text  # noqa: PLC0415
    from nixdock.outcome import tail_of  # noqa: PLC0415

    state = "gone"
    with contextlib.suppress(NixdockError):
        details = service.engine.find_container(service.id)
        if details is not None:
            state = (
                f"{details.status}, exit status {details.exit_code}, health {details.health or 'not probed'}"
            )
    stdout, stderr = service.logs()
    lines = (
        f"state: {state}",
        f"stdout: {tail_of(stdout, lines=_TAIL)}",
        f"stderr: {tail_of(stderr, lines=_TAIL)}",
    )
    return form_text("\n".join(lines))
