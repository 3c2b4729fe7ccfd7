"""Completion of command lines, for shells and for the Docker CLI.

For `nixdock` itself click writes the shell's own script:
`eval "$(_NIXDOCK_COMPLETE=bash_source nixdock)"` (or zsh_source, fish_source).
The Docker CLI completes `docker nixdock …` by asking the plugin, in cobra's form: a line for each
proposal, `value<tab>description`, and a last line `:N` that says what the shell may add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import ShellComplete, get_completion_class

from nixdock.cli.options import Session
from nixdock.out import say, say_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

VARIABLE: Final = "_NIXDOCK_COMPLETE"
_FILES: Final = 0
"""The shell completes file names where there is no proposal (ShellCompDirectiveDefault)."""
_ERROR: Final = 1
_NO_FILES: Final = 4
_DIRECTORIES: Final = 16


def complete_for_shell(program: click.Command, session: Session, instruction: str) -> int:
    """Answer a shell as click does, but through our own door; return the exit status.

    The instruction is what the variable says: `bash_source`, `zsh_complete`.
    """
    shell, _, wanted = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or wanted not in {"source", "complete"}:
        return 1
    completion = kind(program, {"obj": session}, "nixdock", VARIABLE)
    say_text(completion.source() if wanted == "source" else completion.complete())
    return 0


def complete_for_docker(program: click.Command, words: Sequence[str], *, described: bool) -> int:
    """Write the proposals for the last word of a command line; return the exit status.

    The words are those after `docker nixdock`; the last one is what stands there so far.
    """
    if not words:
        say(f":{_ERROR}")
        return 0
    finder = ShellComplete(program, {"obj": Session()}, "docker nixdock", VARIABLE)
    lines: list[str] = []
    directive = _NO_FILES
    for item in finder.get_completions(list(words[:-1]), words[-1]):
        if item.type in {"file", "dir"}:
            directive = _FILES if item.type == "file" else _DIRECTORIES
        else:
            lines.append(f"{item.value}\t{item.help}" if described and item.help else str(item.value))
    for line in [*lines, f":{directive}"]:
        say(line)
    return 0
