"""`nixdock check`: judge images against what is expected of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import printing_option, session_options, show_json, together
from nixdock.cli.target_options import (
    FILE,
    WORDS,
    CommandAfterDashes,
    Duration,
    container_options,
    expect_options,
    host_store_option,
    nix_options,
    scripts_option,
    take_expectation,
    take_options,
    target_argument,
)
from nixdock.out import is_github, say_json, say_text
from nixdock.report import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nixdock.checks.verdict import Report, Verdict
    from nixdock.cli.options import Function, Session
    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.nix.command import NixOptions
    from nixdock.report import ReportForm
    from nixdock.usecases.check import CheckOptions


def _report_option(form: ReportForm) -> Callable[[Function], Function]:
    flag = f"--{form.name}"
    if form.to_file:
        return click.option(flag, type=FILE, metavar="FILE", help=form.help)
    return click.option(flag, is_flag=True, help=form.help)


report_options = together(show_json, *map(_report_option, REPORTS))
"""Adds the options that say how verdicts are reported; they go to `Reporter`."""


class Reporter:
    """Shows verdicts in the forms that the user asked for.

    Args:
        given: The values of `report_options`.
        verbose: Whether notes of checks that hold are shown too.
    """

    def __init__(self, given: Mapping[str, Any], *, verbose: bool) -> None:
        self._as_json = given["as_json"]
        self._forms = {form: given[form.name] for form in REPORTS if given[form.name]}
        printed = ["--json"] if self._as_json else []
        printed += [f"--{form.name}" for form in self._forms if not form.to_file]
        if len(printed) > 1:
            raise click.UsageError(f"{printed[0]} and {printed[1]} exclude each other")
        self._text = None
        if not printed:
            from nixdock.report.console import TextReport, wants_colour  # noqa: PLC0415

            self._text = TextReport(sys.stdout, wants_colour(sys.stdout), verbose)

    def tell(self, verdict: Verdict) -> None:
        """Show one verdict, if the form has verdicts one by one."""
        if self._text is not None:
            self._text.tell(verdict)

    def finish(self, report: Report) -> None:
        """Show the whole.

        Raises:
            UsageError: A file cannot be written.
        """
        if self._text is not None:
            self._text.finish(report)
        if self._as_json:
            say_json(report.to_json())
        for form, file in self._forms.items():
            if form.to_file:
                _write(file, form.write(report))
            else:
                say_text(form.write(report))
        if is_github():
            from nixdock.report import github  # noqa: PLC0415

            github.publish(report, sys.stderr)


def _write(file: Path, text: str) -> None:
    from nixdock.errors import UsageError  # noqa: PLC0415

    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def _print_schema() -> None:
    from nixdock.checks.format.suite import schema  # noqa: PLC0415

    say_json(schema())


check_options = together(
    click.option(
        "--checks",
        "--config",
        "files",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="A check file, or one for container-structure-test; repeatable.",
    ),
    click.option(
        "--filter",
        "patterns",
        multiple=True,
        metavar="NAME",
        help="Run the checks whose names contain this, or match it as a pattern; !NAME leaves out.",
    ),
    click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Run the checks with this tag; !TAG leaves out."
    ),
    click.option(
        "--parallel", type=click.IntRange(1, 32), metavar="N", help="Checks at a time; processors and one."
    ),
    click.option("--fail-fast", is_flag=True, help="Begin nothing more after the first failure."),
    click.option("--hardened", is_flag=True, help="Give containers as few rights as they run with."),
    click.option("--keep", is_flag=True, help="Keep a container whose check fails, and say how to enter it."),
    click.option(
        "--timeout", type=Duration(), help="Time for all checks of an image, 60 s unless told: status 124."
    ),
    click.option(
        "--rebuild",
        is_flag=True,
        help="Build the image again, too: it must be the same bit for bit (--keep-failed keeps the other).",
    ),
    click.option(
        "--static", is_flag=True, help="Skip what needs an engine: look at files and metadata alone."
    ),
    click.option("--update", is_flag=True, help="Record snapshots anew."),
    click.option(
        "--cached",
        is_flag=True,
        help="Run no check again that held for this image, definition, engine and nixdock.",
    ),
    printing_option("--schema", _print_schema, "Print the JSON Schema of check files."),
)
"""Adds the options that say what is checked, and how."""


@click.command(cls=CommandAfterDashes)
@session_options
@check_options
@report_options
@expect_options
@container_options
@host_store_option
@scripts_option
@nix_options
@target_argument
@click.pass_context
def command(context: click.Context, /, target: str | None, nix: NixOptions, **given: Any) -> int:  # noqa: ANN401
    """Judge the images of TARGET against what is expected of them.

    Expectations stand in the expression (image // { nixdock = ...; }), in NAME.checks.yaml beside
    NAME.nix, in files named by --checks, or on the command line. What the image's own bytes answer
    (files, config, size, closure, lint) needs no engine; containers are started as checks need them,
    and removed.

    The exit status is 0 if all holds, 1 if something does not, 122 if a check could not run or
    nothing was checked, 124 if the time was up.

    \b
    Examples:
      nixdock check web.nix
      nixdock check web:1.2 --checks web.checks.yaml --junit report.xml
      nixdock check web:1.2 --config structure-tests.yaml
      nixdock check hello-docker.nix --expect 'Hello, world!'
      nixdock check web.nix --filter 'tls*' --fail-fast --hardened
      nixdock check web.nix --rebuild
      nixdock check web.nix --cached
    """
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.check import check  # noqa: PLC0415

    session: Session = context.obj
    reporter = Reporter(given, verbose=session.verbose or session.debug)
    options = _options(take_options(given), context.meta[WORDS], given)
    found = parse(target, expression=nix.expression)
    checked = check(
        found,
        nix,
        # Checks have a limit in any case, an engine that is sent an image only where the user sets one.
        lambda: session.connect(seconds=given["timeout"]),
        options,
        session.listener,
        tell=reporter.tell,
    )
    session.close()
    reporter.finish(checked.report)
    return checked.exit_code


def _options(settings: GivenOptions, words: tuple[str, ...], given: Mapping[str, Any]) -> CheckOptions:
    from nixdock.checks.expectations import RunExpectation  # noqa: PLC0415
    from nixdock.checks.model import ContainerSettings  # noqa: PLC0415
    from nixdock.checks.running.trials import Choice, default_jobs  # noqa: PLC0415
    from nixdock.usecases.check import DEFAULT_SECONDS, CheckOptions  # noqa: PLC0415

    expectation = take_expectation(given)
    if words and expectation is None:
        expectation = RunExpectation()
    return CheckOptions(
        files=given["files"],
        expectation=expectation,
        command=words,
        choice=Choice(
            patterns=given["patterns"],
            tags=given["tags"],
            fail_fast=given["fail_fast"],
            jobs=given["parallel"] or default_jobs(),
        ),
        settings=ContainerSettings(settings),
        hardened=given["hardened"],
        keep=given["keep"],
        seconds=given["timeout"] or DEFAULT_SECONDS,
        update=given["update"],
        rebuild=given["rebuild"],
        static=given["static"],
        cached=given["cached"],
        host_store=given["host_store"],
    )
