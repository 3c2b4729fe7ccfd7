"""The tests of container-structure-test files as checks, and their verdicts.

`collect` reads one file into checks that can be counted, chosen and judged one by one; `run` does all
of it for several files, one after the other, as the original does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    from collections.abc import Callable, Iterable, Iterator
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


def collect(path: Path, *, compat: bool = False) -> Collection:
    """Read a file into checks; no image and no engine is needed for it.

    Args:
        path: The file: .yaml, .yml or .json.
        compat: Whether even the faults of the original are kept (`--strict-compat`).

    Raises:
        UsageError: It cannot be read.
    """
    reading = read_file(path, compat=compat)
    checks = tuple(_checks(reading.tests, str(path)))
    if compat and reading.tests.version == "1.0.0":
        checks = tuple(_without_faults(checks))
    return Collection(checks, reading.warnings)


def collect_files(files: Iterable[Path], *, compat: bool = False) -> tuple[Collection, ...]:
    """Read files into checks; one that cannot be read keeps nobody from the others.

    Args:
        files: The files, in order.
        compat: Whether even the faults of the original are kept.
    """
    return tuple(_collect_or_blame(file, compat=compat) for file in files)


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
    for collection in collect_files(files, compat=rig.compat):
        verdicts += [collection.unreadable] if collection.unreadable is not None else []
        for warning in collection.warnings:
            listener(Warned(warning))
        found = (judge(check, rig) for check in collection.checks)
        verdicts += [verdict for verdict in found if verdict is not None]
    return tuple(verdicts)


def judge(check: StructureCheck, rig: Rig) -> Verdict | None:
    """Judge one check.

    Returns:
        Its verdict; None where the original, in `compat`, tells nothing of the test.
    """
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
            if not error.begun and rig.compat and check.version == "1.0.0":
                return None
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


def _collect_or_blame(path: Path, *, compat: bool) -> Collection:
    try:
        return collect(path, compat=compat)
    except UsageError as error:
        details = "\n".join(text for text in (error.details, error.hint) if text) or None
        result = CheckResult([Finding("", error.message, details)], is_error=not compat)
        return Collection((), unreadable=result.verdict(str(path), KIND, suite=str(path)))


def _without_faults(checks: Iterable[StructureCheck]) -> Iterator[StructureCheck]:
    """Yield what the original runs in version 1.0.0: of unusable tests it tells its log alone."""
    for check in checks:
        if not check.faults:
            yield check
        elif check.kind == "file-existence" and check.name:
            # That a path is missing is found, and forgotten.
            yield replace(check, faults=())


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
            version=tests.version,
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
