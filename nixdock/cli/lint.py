"""`nixdock lint`: look for the usual faults of images; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import printing_option, session_options, show_json
from nixdock.cli.target_options import SectionedCommand, nix_options, scripts_option, target_argument
from nixdock.out import say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixdock.checks.lint.programs import Remark
    from nixdock.cli.options import Session
    from nixdock.nix.command import NixOptions


def _print_rules() -> None:
    from nixdock.checks.lint import RULES  # noqa: PLC0415

    for name, rule in RULES.items():
        say(f"{name:<14}{rule.holds}")


@click.command(cls=SectionedCommand)
@session_options
@click.option("--only", multiple=True, metavar="RULE", help="Apply this rule alone; repeatable.")
@click.option("--skip", multiple=True, metavar="RULE", help="Leave this rule out; repeatable.")
@click.option("--strict", is_flag=True, help="Fail on advice too, not on faults alone.")
@printing_option("--rules", _print_rules, "List the rules.")
@show_json
@scripts_option
@nix_options
@target_argument
@click.pass_obj
def command(session: Session, /, target: str | None, nix: NixOptions, **given: Any) -> int:  # noqa: ANN401
    """Look for the usual faults of the images of TARGET.

    A fault is what will fail: a command, or a program in PATH, whose interpreter, library or store
    path is not in the image. Advice is what is amiss where nobody may ever ask for it, and what many
    programs miss: a shell, /tmp, certificates; and how layers lie. The image's own bytes are read;
    nothing is run.

    The exit status is 0 if there is no fault, 1 if there is one.

    \b
    Examples:
      nixdock lint web.nix
      nixdock lint ./result --strict
      nixdock lint web.nix --skip timezones --json
    """
    from nixdock.checks.kinds.lint import LintCheck  # noqa: PLC0415
    from nixdock.checks.lint.programs import Gravity  # noqa: PLC0415
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.check import lint  # noqa: PLC0415

    check = LintCheck(given["only"], given["skip"], given["strict"])
    found = parse(target, expression=nix.expression)
    linted = lint(found, nix, session.connect, check, session.listener)
    session.close()
    if given["as_json"]:
        say_json({name: [remark.to_json() for remark in remarks] for name, remarks in linted})
    else:
        for name, remarks in linted:
            _print(name, remarks)
    found_all = [remark for _, remarks in linted for remark in remarks]
    return int(any(remark.gravity is Gravity.FAULT or check.strict for remark in found_all))


def _print(name: str, remarks: Sequence[Remark]) -> None:
    if not remarks:
        say(f"{name}: no fault")
        return
    say(name)
    for remark in remarks:
        say(f"  {remark.gravity.value:<7} {remark.rule}: {remark.message}")
        if remark.remedy:
            say(f"          remedy: {remark.remedy}")
