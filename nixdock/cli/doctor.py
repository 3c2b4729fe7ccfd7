"""`nixdock doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

from dataclasses import asdict

import click

from nixdock.cli.diagnosis import Finding, State, examine
from nixdock.cli.options import HelpfulCommand, Session, session_options, show_json
from nixdock.out import say, say_json


@click.command(cls=HelpfulCommand)
@show_json
@session_options
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Say what is missing here, and the command that mends it.

    The exit status is 0 when nothing that nixdock needs is missing, and 1 otherwise. What is called
    optional is needed for some uses only.

    \b
    Examples:
      nixdock doctor
      nixdock doctor --json
    """  # noqa: D301  # \b is click's own mark
    findings: list[Finding] = []
    for finding in examine(session):
        findings.append(finding)
        if not as_json:
            session.close()
            _show(finding)
    session.close()
    missing = sum(finding.state is State.MISSING for finding in findings)
    if as_json:
        document = {"ok": not missing, "findings": [asdict(finding) for finding in findings]}
        say_json(document)
    else:
        summary = "nothing is missing" if not missing else f"{missing} missing; mend the first one first"
        session.tell_note(summary)
    return 1 if missing else 0


def _show(finding: Finding) -> None:
    say(f"{finding.state:9} {finding.part:11} {finding.message}")
    if finding.mend:
        say(f"{'':9} {'':11} mend: {finding.mend}")
