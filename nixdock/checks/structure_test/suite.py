"""The tests of container-structure-test files as checks, and their verdicts.

`collect` reads one file into checks that can be counted, chosen and judged one by one; `run` does all
of it for several files, one after the other, as the original does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nixdock.checks.structure_test import command_tests, file_tests, metadata_test
from nixdock.checks.structure_test.judgement import NotReachedError, StructureCheck
from nixdock.checks.structure_test.reader import read_file
from nixdock.checks.verdict import CheckResult, Finding, Verdict
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import CommandNotExecutableError, CommandNotFoundError, NixdockError, UsageError
from nixdock.events import Warned, ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nixdock.checks.structure_test.model import StructureTests
    from nixdock.checks.structure_test.rig import Rig
    from nixdock.events import Listener

KIND = "structure-test"
"""The kind of the verdict on a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The checks of one file.

    Args:
        checks: In the order in which the original runs them.
        warnings: What the file says to no effect.
        unreadable: The verdict on a file that cannot be read, which has no checks.
    """

    checks: tuple[StructureCheck, ...]
    warnings: tuple[str, ...] = ()
    unreadable: Verdict | None = None


def collect(path: Path) -> Collection:
    """Read a file into checks; no image and no engine is needed for it.

    Args:
        path: The file: .yaml, .yml or .json.

    Raises:
        UsageError: It cannot be read.
    """
    reading = read_file(path)
    return Collection(tuple(_checks(reading.tests, str(path))), reading.warnings)


def collect_files(files: Iterable[Path]) -> tuple[Collection, ...]:
    """Read files into checks; one that cannot be read keeps nobody from the others.

    Args:
        files: The files, in order.
    """
    return tuple(_collect_or_blame(file) for file in files)


def run(files: Iterable[Path], rig: Rig, listener: Listener = ignore) -> tuple[Verdict, ...]:
    """Judge an image by files for container-structure-test.

    Args:
        files: The files, in order.
        rig: The image, and where commands are run.
        listener: Told what a file says to no effect.

    Returns:
        The verdicts, in the order of the original. A file that cannot be read is an ERROR, and the
        others are judged all the same.
    """
    verdicts: list[Verdict] = []
    for collection in collect_files(files):
        verdicts += [collection.unreadable] if collection.unreadable is not None else []
        for warning in collection.warnings:
            listener(Warned(warning))
        verdicts += [judge(check, rig) for check in collection.checks]
    return tuple(verdicts)


def judge(check: StructureCheck, rig: Rig) -> Verdict:
    """Judge one check."""
    name = check.full_name
    if check.faults:
        # The metadata test keeps its title; the others are reported by their bare names.
        name = check.name if check.named else check.title
        result = CheckResult(list(check.faults))
    elif check.needs_engine and rig.runner is None:
        result = CheckResult.error("an engine is needed for this, and there is none")
    else:
        try:
            result = _judge(check, rig)
        except NotReachedError as error:
            name = check.name if check.named and not error.begun else name
            result = CheckResult([Finding(error.subject, error.message)])
    return result.verdict(name, check.kind, suite=check.suite, place=check.place)


def _judge(check: StructureCheck, rig: Rig) -> CheckResult:
    """Judge a check that can be; what the image or the file is to blame for is a finding."""
    try:
        return check.judge(rig)
    except (CommandNotFoundError, CommandNotExecutableError) as error:
        return CheckResult([Finding("command", error.message, error.hint)])
    except EngineRefusedError as error:
        return CheckResult([Finding("", error.message, error.hint)])
    except NixdockError as error:
        return CheckResult.error(error.message, error.details or error.hint)


def _collect_or_blame(path: Path) -> Collection:
    try:
        return collect(path)
    except UsageError as error:
        details = "\n".join(text for text in (error.details, error.hint) if text) or None
        result = CheckResult.error(error.message, details)
        return Collection((), unreadable=result.verdict(str(path), KIND, suite=str(path)))


def _checks(tests: StructureTests, suite: str) -> list[StructureCheck]:
    mounted = bool(tests.options.bind_mounts)

    def check(
        title: str,
        test: object,
        kind: str,
        judge_with: Callable[[Rig], CheckResult],
        *,
        faults: tuple[Finding, ...] = (),
        engine: bool = mounted,
    ) -> StructureCheck:
        name: str | None = getattr(test, "name", None)
        return StructureCheck(
            title=title,
            name=name or "",
            named=name is not None,
            kind=kind,
            suite=suite,
            place=getattr(test, "place", None),
            needs_engine=engine,
            faults=faults,
            judge=judge_with,
        )

    found = [
        check(
            "Command Test",
            test,
            "command",
            partial(command_tests.judge, test, tests),
            faults=command_tests.find_faults(test),
            engine=True,
        )
        for test in tests.commands
    ]
    found += [
        check(
            "File Content Test",
            content,
            "file-content",
            partial(file_tests.judge_content, content, tests),
            faults=file_tests.find_faults(content),
        )
        for content in tests.contents
    ]
    found += [
        check(
            "File Existence Test",
            existence,
            "file-existence",
            partial(file_tests.judge_existence, existence, tests),
            faults=file_tests.find_faults(existence),
        )
        for existence in tests.files
    ]
    found += [
        check("License Test", licence, "licence", partial(file_tests.judge_licences, licence, tests))
        for licence in tests.licences
    ]
    if not tests.metadata.is_empty:
        found.append(
            check(
                "Metadata Test",
                tests.metadata,
                "metadata",
                partial(metadata_test.judge, tests.metadata),
                faults=metadata_test.find_faults(tests.metadata),
                engine=False,
            )
        )
    return found
