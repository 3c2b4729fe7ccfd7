"""The tests of container-structure-test files as a suite of checks, in the order of the original.

What depends on the image is put in here: `$NAME` is replaced from its environment, as Go does it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from nixdock.checks.expectations import RunExpectation
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.matchers.algebra import exactly
from nixdock.checks.model import Check, Command, ContainerSettings, StaticKind, Suite
from nixdock.checks.running.bench import ContainerKind
from nixdock.checks.structure_test import image_tests
from nixdock.checks.structure_test.container_files import ContainerFiles, Files, MountedFiles
from nixdock.checks.structure_test.go_text import expand, parse_dotenv, text_matcher
from nixdock.checks.structure_test.model import FIRST
from nixdock.checks.verdict import CheckResult, Finding, Status
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import NixdockError
from nixdock.settings import here
from nixdock.text import read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from nixdock.checks.model import CheckKind
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.structure_test.model import (
        CommandTest,
        FileContentTest,
        FileExistenceTest,
        LicenceTest,
        MetadataTest,
        StructureTests,
        Variable,
    )
    from nixdock.checks.structure_test.reader import Reading
    from nixdock.checks.subject import Subject
    from nixdock.checks.verdict import Verdict

    Judge = Callable[[Files], CheckResult]
    Made = tuple[CheckKind, tuple[str, ...]]

_LONG: Final = 86400.0
"""Seconds that a command may take: it has no time of its own."""

_MOUNTS: Final = "containerRunOptions"
_BEFORE: Final = frozenset(("setup", "globalEnvVars", _MOUNTS))
"""What comes before a test has begun: the original tells what fails there under the test's bare name."""


@dataclass(frozen=True, slots=True)
class StructureCheck(Check):
    """One test of a file, or a file that cannot be read, with a verdict as the original tells it.

    Args:
        called: Its kind in nixdock's words.
        own_name: Its name in the file; None where tests of its kind have none.
        file: Where it is written.
        is_usable: Whether it can be judged at all.
        remarks: What is to be said of it, whatever comes of it.
    """

    called: str = "structure-test"
    own_name: str | None = None
    file: str = ""
    is_usable: bool = True
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Its kind in nixdock's words."""
        return self.called

    @property
    def key(self) -> str:
        """Its identity: tests may have the same name."""
        return str(id(self))

    @property
    def is_optional(self) -> bool:
        """Whether names choose it: not of a file that cannot be read."""
        return self.called != "structure-test"

    def verdict(self, result: CheckResult, suite: str) -> Verdict:  # noqa: ARG002 - its file is its suite
        """Return its verdict under the name by which the original reports it."""
        result.notes = [*self.remarks, *result.notes]
        is_before = not self.is_usable or any(one.subject in _BEFORE for one in result.findings)
        name = self.name
        if result.status is Status.FAIL and is_before and self.own_name is not None:
            name = self.own_name
        return result.verdict(name, self.kind, suite=self.file, place=self.place)


@dataclass(frozen=True, slots=True)
class Look(StaticKind):
    """What the image's own bytes answer."""

    kind = "structure-test"
    look: Callable[[], CheckResult] = field(compare=False)
    asked: object = field(default_factory=object)
    """What it looks for; like nothing else where nobody says."""

    def judge(self, subject: Subject) -> CheckResult:  # noqa: ARG002 - it was made for one image
        """Look at the image."""
        return self.look()


@dataclass(frozen=True, slots=True)
class MountedLook(ContainerKind):
    """What the files of a container with mounts answer: only the engine can tell what lies there."""

    kind = "structure-test"
    look: Judge
    settings: ContainerSettings

    def run(self, bench: Bench, timeout: float) -> CheckResult:  # noqa: ARG002 - nothing is run
        """Look at a container that is never started."""
        own = {"Entrypoint": ["nixdock-looks-at-files"], "Cmd": []}
        request, _ = bench.request(self.settings, own=own)
        try:
            with bench.opened(request) as container:
                return self.look(MountedFiles(container))
        except EngineRefusedError as error:
            return CheckResult([Finding(_MOUNTS, error.message)])


def make_suite(
    readings: Iterable[Reading],
    subject: Subject,
    *,
    environ: Mapping[str, str] = os.environ,
    directory: Path | None = None,
) -> Suite:
    """Make a suite of the tests of files; a file that cannot be read is an ERROR in it.

    Args:
        readings: The files, in order.
        subject: The image.
        environ: The caller's environment, for `containerRunOptions.envVars`.
        directory: What `envFile` is relative to; the working directory when None.
    """
    files = cache(lambda: ContainerFiles(subject))
    checks: list[Check] = []
    for reading in readings:
        if reading.error is not None:
            look = Look(partial(CheckResult.of_error, reading.error))
            checks.append(StructureCheck(reading.source, look, file=reading.source))
        checks += _Translation(reading, subject, files, environ, directory or here()).checks()
    return Suite("container-structure-test", tuple(checks), isolated=True)


class _NotReachedError(Exception):
    """The test itself cannot be reached, whatever the image."""

    def __init__(self, subject: str, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(subject, message)


@dataclass(frozen=True, slots=True)
class _Translation:
    """Of one file, for one image."""

    reading: Reading
    subject: Subject
    files: Callable[[], ContainerFiles]
    environ: Mapping[str, str]
    directory: Path

    @property
    def tests(self) -> StructureTests:
        return self.reading.tests

    def checks(self) -> Iterator[Check]:
        """Yield the checks in the order of the original."""
        tests = self.tests
        for test in tests.commands:
            yield self._check("Command Test", "command", test, _find_faults(test), self._command)
        for content in tests.contents:
            faults = image_tests.find_file_faults(content)
            yield self._check("File Content Test", "file-content", content, faults, self._content)
        for existence in tests.files:
            faults = image_tests.find_file_faults(existence)
            yield self._check("File Existence Test", "file-existence", existence, faults, self._existence)
        for licence in tests.licences:
            yield self._check("License Test", "licence", licence, (), self._licences)
        if not tests.metadata.is_empty:
            faults = image_tests.find_metadata_faults(tests.metadata)
            yield self._check("Metadata Test", "metadata", tests.metadata, faults, self._metadata)

    def _check(
        self,
        title: str,
        called: str,
        test: Any,  # noqa: ANN401 - what `make` takes
        faults: tuple[Finding, ...],
        make: Callable[[Any], Made],
    ) -> Check:
        own_name = getattr(test, "name", None)
        remarks: tuple[str, ...] = ()
        what: CheckKind = _found(faults)
        if not faults:
            try:
                what, remarks = make(test)
            except _NotReachedError as error:
                what = _found((error.finding,))
            except NixdockError as error:  # the image's config cannot be read
                what = Look(partial(CheckResult.of_error, error))
        return StructureCheck(
            name=title if own_name is None else f"{title}: {own_name}",
            what=what,
            timeout=_LONG,
            place=test.place,
            called=called,
            own_name=own_name,
            file=self.reading.source,
            is_usable=not faults,
            remarks=remarks,
        )

    def _command(self, test: CommandTest) -> Made:
        options = self.tests.options
        # In version 1.0.0 the file's variables are for the setup commands only, with the test's own.
        first = self.tests.version == FIRST
        outer = {} if first else self._file_variables()
        inner = (*self.tests.environment, *test.environment) if first else test.environment
        own: Mapping[str, str] = {}
        if test.setup:
            own = _expand_all(inner, {**self.subject.env, **outer})
        plain = {variable.key: variable.value for variable in test.environment}
        remarks: tuple[str, ...] = ()
        if options.is_set:
            given, remarks = self._host_variables()
            plain.update(given)
        known = {**self.subject.env, **outer, **own}
        argv = tuple(expand(word, known) for word in test.argv)
        for subject, words in (*(("setup", words) for words in test.setup), ("command", argv)):
            if not words[0]:
                message = f"the first word of the command is empty in {self.subject.name}"
                raise _NotReachedError(subject, message)
        if test.teardown:
            remarks = (*remarks, "teardown is not run: every test has files of its own")
        expected = RunExpectation(
            exit=exactly(test.exit_code),
            stdout=text_matcher(test.expected_output, test.excluded_output),
            stderr=text_matcher(test.expected_error, test.excluded_error),
            starts=True,
        )
        made = ExecCheck(
            Command(argv, env={**outer, **own, **plain}, expected=expected),
            # What is in volumes and mounts, and what a terminal is, cannot be the same for the next command.
            alone=bool(
                test.setup
                or options.tty
                or options.privileged
                or options.bind_mounts
                or self.subject.run_config.get("Volumes")
            ),
            settings=self._settings(),
            steps=tuple(Command(words, env={**outer, **own}) for words in test.setup),
            made_by=_MOUNTS if options.bind_mounts else "",
        )
        return made, remarks

    def _content(self, test: FileContentTest) -> Made:
        if self.tests.version != FIRST:
            self._file_variables()
        return self._look(partial(image_tests.judge_content, test))

    def _existence(self, test: FileExistenceTest) -> Made:
        # Version 1.0.0 takes a path as it is written.
        path = test.path
        if self.tests.version != FIRST:
            path = expand(path, {**self.subject.env, **self._file_variables()})
        return self._look(partial(image_tests.judge_existence, test, path))

    def _licences(self, test: LicenceTest) -> Made:
        return self._look(partial(image_tests.judge_licences, test))

    def _metadata(self, test: MetadataTest) -> Made:
        return image_tests.config_check(test), ()

    def _look(self, judge: Judge) -> Made:
        if self.tests.options.bind_mounts:
            return MountedLook(judge, self._settings()), ()
        return Look(lambda: judge(self.files()), judge), ()

    def _settings(self) -> ContainerSettings:
        options = self.tests.options
        words = [("user", options.user)] if options.user else []
        words += [("privileged", "true")] if options.privileged else []
        words += [("tty", "true")] if options.tty else []
        words += [("cap-add", name) for name in options.capabilities]
        mounts = {"HostConfig": {"Binds": list(options.bind_mounts)}} if options.bind_mounts else {}
        return ContainerSettings(tuple(words), raw=mounts)

    def _file_variables(self) -> dict[str, str]:
        """Return the file's own variables."""
        return _expand_all(self.tests.environment, self.subject.env)

    def _host_variables(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the variables that come from a file and from the caller's environment, and remarks."""
        options = self.tests.options
        given: dict[str, str] = {}
        remarks: tuple[str, ...] = ()
        if options.env_file:
            try:
                text = read_bounded(self.directory / options.env_file).decode(errors="replace")
                given = {key: value for key, value in parse_dotenv(text).items() if key and value}
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                remarks = (f"envFile {options.env_file} cannot be read and is passed over: {why}",)
        for name in options.env_names:
            value = self.environ.get(name) if name else None
            if value is None:
                raise _NotReachedError(f"{_MOUNTS}.envVars", f"the variable {name!r} is not set here")
            given[name] = value
        return given, remarks


def _found(findings: tuple[Finding, ...]) -> Look:
    return Look(lambda: CheckResult(list(findings)))


def _expand_all(variables: Iterable[Variable], environment: Mapping[str, str]) -> dict[str, str]:
    """Expand the values of variables, all by the same environment."""
    found = {variable.key: expand(variable.value, environment) for variable in variables}
    if "" in found:
        raise _NotReachedError("globalEnvVars", "a variable has no key, which engines refuse")
    return found


def _find_faults(test: CommandTest) -> tuple[Finding, ...]:
    """Return what makes a test unusable, whatever the image."""
    found: list[Finding] = []
    if not test.name:
        found.append(Finding("name", "every test needs a name"))
    if not test.command:
        found.append(Finding("command", "there is none"))
    for key, commands in (("setup", test.setup), ("teardown", test.teardown)):
        found += [Finding(key, "a command is empty") for argv in commands if not argv]
    found += [
        Finding("envVars", f"the variable {variable.key!r} must have a key and a value")
        for variable in test.environment
        if not (variable.key and variable.value)
    ]
    return tuple(found)
