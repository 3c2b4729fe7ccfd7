"""Completion of command lines, for shells by way of the Docker CLI.

For `nixdock` itself click writes the shell's own script:
`eval "$(_NIXDOCK_COMPLETE=bash_source nixdock)"` (or zsh_source, fish_source).
The Docker CLI completes `docker nixdock …` by asking the plugin, in cobra's form: a line for each
proposal, `value<tab>description`, and a last line `:N` that says what the shell may add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import ShellComplete

from nixdock.cli.main import program
from nixdock.cli.options import Session
from nixdock.out import say

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILES: Final = 0
"""The shell completes file names where there is no proposal (ShellCompDirectiveDefault)."""
_ERROR: Final = 1
_NO_FILES: Final = 4
_FOLDERS: Final = 16


def complete_for_docker(words: Sequence[str], *, described: bool) -> int:
    """Write the proposals for the last word of a command line.

    Args:
        words: The words after `docker nixdock`; the last one is what stands there so far.
        described: Whether to add descriptions.

    Returns:
        The exit status.
    """
    if not words:
        say(f":{_ERROR}")
        return 0
    finder = ShellComplete(program, {"obj": Session()}, "docker nixdock", "_NIXDOCK_COMPLETE")
    lines: list[str] = []
    directive = _NO_FILES
    for item in finder.get_completions(list(words[:-1]), words[-1]):
        if item.type in {"file", "dir"}:
            directive = _FILES if item.type == "file" else _FOLDERS
        else:
            lines.append(f"{item.value}\t{item.help}" if described and item.help else str(item.value))
    for line in [*lines, f":{directive}"]:
        say(line)
    return 0
