"""Check files in pytest, and the engine that tests reach, or pytest's own words for there being none.

Every check is a test of its own, so that -k, --lf, --junitxml and xdist work.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.checks.format.beside import SUFFIXES
from nixdock.checks.format.suite import read_suite
from nixdock.checks.model import Check, ContainerSettings, Suite
from nixdock.checks.verdict import Status, Verdict
from nixdock.errors import EngineError, NixdockError
from nixdock.out import form_text
from nixdock.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.usecases.prepare import TargetImage


@contextlib.contextmanager
def connect_or_skip(config: pytest.Config) -> Iterator[Engine]:
    """Connect to the engine that the options name; without one skip, or fail if one is required."""
    from nixdock.engine.connection.address import choose  # noqa: PLC0415
    from nixdock.engine.connection.api import connect  # noqa: PLC0415

    try:
        engine = connect(choose(host=config.getoption("--nixdock-host")))
    except EngineError as error:
        if config.getoption("--nixdock-require"):
            pytest.fail(form_text(f"{error.message} (--nixdock-require)"), pytrace=False)
        pytest.skip(form_text(f"no engine: {error.message}"))
    with engine:
        yield engine


class CheckFailedError(Exception):
    """A check does not hold, or could not run; its verdicts say why."""

    def __init__(self, verdicts: tuple[Verdict, ...]) -> None:
        super().__init__("the check does not hold")
        self.verdicts = verdicts


class CheckFile(pytest.File):
    """A check file; the image is that of the .nix file beside it, or `--nixdock-target`."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each check."""
        try:
            suite = read_suite(self.path)
        except NixdockError as error:
            raise self.CollectError(form_text(_describe(error))) from error
        self.suite = suite
        for check in suite.checks:
            yield CheckItem.from_parent(self, name=clean_line(check.name), check=check)

    def setup(self) -> None:
        """Forget what an earlier run of this file held."""
        self._stack = contextlib.ExitStack()
        self._candidate: TargetImage | None = None

    def teardown(self) -> None:
        """Let go of the image and the engine."""
        self._stack.close()

    def candidate(self) -> TargetImage:
        """Build the image, once for all checks of the file."""
        if self._candidate is None:
            from nixdock.events import ignore  # noqa: PLC0415 - nothing of Nix at collection
            from nixdock.nix.command import NixOptions  # noqa: PLC0415
            from nixdock.nix.target import parse  # noqa: PLC0415
            from nixdock.settings import wants_host_store  # noqa: PLC0415
            from nixdock.usecases.prepare import target_images  # noqa: PLC0415

            target, mounts = parse(self._target()), wants_host_store()
            found = target_images(target, NixOptions(), self._connect, ignore, host_store=mounts)
            images = self._stack.enter_context(found)
            if len(images) != 1:
                raise pytest.UsageError(f"{self._target()} is {len(images)} images; a check file is for one")
            self._candidate = images[0]
        return self._candidate

    def _connect(self) -> Engine:
        return self._stack.enter_context(connect_or_skip(self.config))

    def _target(self) -> str:
        stem = next(self.path.name.removesuffix(end) for end in SUFFIXES if self.path.name.endswith(end))
        beside = self.path.with_name(f"{stem}.nix")
        if beside.exists():
            return str(beside)
        target = self.config.getoption("--nixdock-target") or self.config.getini("nixdock_target")
        if not target:
            raise pytest.UsageError(f"{self.path.name} has no {beside.name} beside it: give --nixdock-target")
        return str(target)


def _describe(error: NixdockError) -> str:
    return "\n".join(filter(None, (error.message, error.hint, error.details)))


class CheckItem(pytest.Item):
    """One check."""

    def __init__(self, *, check: Check, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**arguments)
        self.check = check
        for tag in check.tags:
            self.keywords[tag] = True

    def runtest(self) -> None:
        """Run the check alone.

        Raises:
            CheckFailedError: It does not hold, or could not run.
        """
        if self.check.skip is not None:
            pytest.skip(form_text(self.check.skip))
        file = self.parent
        if not isinstance(file, CheckFile):
            raise TypeError("a check belongs to a check file")
        verdicts = self._judge(file.candidate(), file.suite)
        if any(verdict.status in {Status.FAIL, Status.ERROR} for verdict in verdicts):
            raise CheckFailedError(verdicts)
        for verdict in verdicts:
            if verdict.status is Status.SKIP:
                pytest.skip(form_text(verdict.reason or "skipped"))

    def _judge(self, image: TargetImage, whole: Suite) -> tuple[Verdict, ...]:
        from nixdock.checks.running.runner import SuiteRun  # noqa: PLC0415 - not at collection
        from nixdock.events import ignore  # noqa: PLC0415
        from nixdock.usecases.check import CheckOptions, open_bench  # noqa: PLC0415

        service = whole.service
        if service is None and whole.has_service:
            service = ContainerSettings()
        suite = replace(whole, checks=(self.check,), service=None if self.check.is_static else service)
        if self.check.is_static:
            suite = replace(suite, ready=None)
        options = CheckOptions(keep=self.config.getoption("--nixdock-keep"))
        bench = None if self.check.is_static else open_bench(image, options, suite, ignore)
        return SuiteRun(suite, image.name, image.subject, bench).run().report.verdicts

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,  # noqa: ANN401 - pytest's own
    ) -> Any:  # noqa: ANN401
        """Show a check that does not hold as `nixdock check` does."""
        error = excinfo.value
        if isinstance(error, CheckFailedError):
            from nixdock.report.console import TextReport  # noqa: PLC0415

            out = io.StringIO()
            report = TextReport(out)
            for verdict in error.verdicts:
                report.tell(verdict)
            return out.getvalue()
        if isinstance(error, NixdockError):
            return form_text(_describe(error))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the check is written."""
        place = (self.check.place or "").rsplit(":", 2)
        line = int(place[1]) - 1 if len(place) == 3 and place[1].isdigit() else None
        return self.path, line, self.name
