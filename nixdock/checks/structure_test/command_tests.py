"""Command tests: run a command in a container, and judge how it ends and what it writes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from nixdock.checks.expectations import RunExpectation, judge_outcome
from nixdock.checks.matchers.algebra import exactly
from nixdock.checks.structure_test.go_text import expand, text_matcher
from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.rig import CommandRequest, ContainerNeeds
from nixdock.checks.structure_test.surroundings import (
    expand_variables,
    global_variables,
    host_variables,
    setup_needs,
)
from nixdock.checks.verdict import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.structure_test.model import CommandTest, StructureTests
    from nixdock.checks.structure_test.rig import CommandAnswer, Rig


def find_faults(test: CommandTest) -> tuple[Finding, ...]:
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


def judge(test: CommandTest, tests: StructureTests, rig: Rig) -> CheckResult:
    """Run a test's command and judge it.

    Raises:
        NotReachedError: The test's own command was never reached.
        EngineError: It cannot be run, or the engine is not there.
    """
    assert rig.runner is not None  # noqa: S101 - whoever asks has looked
    request, remarks = make_request(test, tests, rig)
    answer = rig.runner.run(request)
    result = _judge_response(test, answer)
    result.reproduce = _docker_command(request, rig.subject.name) if not request.setup else None
    result.notes += remarks
    result.notes += [
        f"the setup command {shlex.join(argv)} ended with {code}, which is not looked at"
        for argv, code in zip(request.setup, answer.setup_codes, strict=True)
        if code
    ]
    if test.teardown:
        result.notes.append("teardown is not run: every test has files of its own")
    return result


def make_request(
    test: CommandTest, tests: StructureTests, rig: Rig
) -> tuple[CommandRequest, tuple[str, ...]]:
    """Say what is to be run for a test.

    Returns:
        The request, and remarks.

    Raises:
        NotReachedError: The file's variables cannot be had.
    """
    first = tests.version == "1.0.0"
    # In version 1.0.0 the file's variables are for the setup commands only, with the test's own.
    outer = expand_variables((), rig.subject.env) if first else global_variables(tests, rig)
    inner = (*tests.environment, *test.environment) if first else test.environment
    own = expand_variables(inner if test.setup else (), outer.result)
    if first and test.setup and any(not variable.key for variable in inner):
        raise NotReachedError("globalEnvVars", "a variable has no key, which engines refuse")
    options = tests.options
    plain = tuple(f"{variable.key}={variable.value}" for variable in test.environment)
    remarks: tuple[str, ...] = ()
    if options.is_set:
        given, remarks = host_variables(options, rig)
        plain = (*plain, *given)
    request = CommandRequest(
        argv=tuple(expand(word, own.result) for word in test.argv),
        needs=ContainerNeeds(
            environment=(*outer.words, *own.words, *plain),
            user=options.user,
            privileged=options.privileged,
            tty=options.tty,
            capabilities=options.capabilities,
            bind_mounts=options.bind_mounts,
        ),
        setup=test.setup,
        setup_needs=setup_needs(options, (*outer.words, *own.words)),
    )
    return request, remarks


def _judge_response(test: CommandTest, answer: CommandAnswer) -> CheckResult:
    outcome = answer.outcome
    expectation = RunExpectation(
        exit=exactly(test.exit_code),
        stdout=text_matcher(test.expected_output, test.excluded_output),
        stderr=text_matcher(test.expected_error, test.excluded_error),
    )
    return judge_outcome(expectation, outcome)


def _docker_command(request: CommandRequest, image: str) -> str:
    """Return the docker command that runs the same."""
    needs = request.needs
    words = ["docker", "run", "--rm"]
    words += _options("-e", (variable.partition("=")[0] for variable in needs.environment))
    words += ["--user", needs.user] if needs.user else []
    words += ["--privileged"] if needs.privileged else []
    words += ["-t"] if needs.tty else []
    words += _options("--cap-add", needs.capabilities)
    words += _options("-v", needs.bind_mounts)
    return shlex.join([*words, "--entrypoint", request.argv[0], image, *request.argv[1:]])


def _options(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
