"""`nixdock init`: a first file to build."""

from __future__ import annotations

import shlex
from importlib import resources
from pathlib import Path
from typing import Final

import click

from nixdock.cli.options import HelpfulCommand, Session, output_options
from nixdock.errors import UsageError
from nixdock.out import say

FILE: Final = "hello-docker.nix"


@click.command(cls=HelpfulCommand)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@output_options
@click.pass_obj
def command(session: Session, path: Path | None, *, force: bool) -> None:
    """Write a first hello-docker.nix, to PATH or here.

    PATH is the file to write if it ends in .nix, otherwise the directory to write hello-docker.nix into.

    \b
    Examples:
      nixdock init
      nixdock init first/
      nixdock up hello-docker.nix
    """
    file = _choose_file(path)
    text = resources.files("nixdock.cli").joinpath(FILE).read_text(encoding="utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        if Path(error.filename) != file:
            raise UsageError(f"{error.filename} is a file, not a folder") from error
        raise UsageError(
            f"{file} is there already", hint=f"nixdock init --force {shlex.quote(str(file))} overwrites it"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
    say(str(file))
    session.tell_note(f"next: nixdock up {shlex.quote(str(file))}")


def _choose_file(path: Path | None) -> Path:
    if path is None:
        return Path(FILE)
    return path if path.suffix == ".nix" and not path.is_dir() else path / FILE
