"""Rules about what an image starts: its command, its health check, and the folder that they work in."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nixdock.checks.lint.programs import EXECUTE
from nixdock.checks.lint.rules import Gravity, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.checks.lint.programs import Programs


def find_command(programs: Programs) -> Iterator[Remark]:
    """Look for the program that the image starts."""
    config = programs.subject.run_config
    for key in programs.subject.texts:
        yield Remark(
            "command",
            Gravity.ADVICE,
            f"{key} is a text: Docker takes it for one word, its containerd store and Podman take lists only",
            f'{key} = [ "PROGRAM" "ARGUMENT" ];',
        )
    yield from _judge_folder(programs)
    test: list[str] = (config.get("Healthcheck") or {}).get("Test") or []
    if test and test[0] not in {"NONE", "CMD", "CMD-SHELL"}:
        message = f"the HEALTHCHECK begins with {test[0]!r}, not with CMD or CMD-SHELL: engines run none"
        yield Remark("command", Gravity.FAULT, message, f'Healthcheck.Test = [ "CMD" "{test[0]}" ... ];')
    elif test[:1] == ["CMD"] and len(test) > 1:
        yield from _judge_program(programs, "the HEALTHCHECK", test[1])
    elif test[:1] == ["CMD-SHELL"] and config.get("Shell"):
        yield from _judge_program(programs, "the HEALTHCHECK", config["Shell"][0])
    if programs.command:
        yield from _judge_program(programs, "the image", programs.command[0])
    else:
        yield Remark(
            "command",
            Gravity.ADVICE,
            "the image has neither Entrypoint nor Cmd: it starts nothing by itself",
            'config.Cmd = [ "${pkgs.hello}/bin/hello" ];',
        )


def _judge_program(programs: Programs, who: str, word: str) -> Iterator[Remark]:
    entry = programs.find_program(word)
    starts = f"{who} starts {word or 'an empty word'}, which"
    if entry is None:
        message = f"{starts} is not in it{'' if '/' in word else ' in PATH'}"
        yield Remark("command", Gravity.FAULT, message, "put its package into the image, or name its path")
    elif entry.kind != "file":
        yield Remark("command", Gravity.FAULT, f"{starts} is a {entry.kind}")
    elif not entry.mode & EXECUTE:
        yield Remark("command", Gravity.FAULT, f"{starts} nobody may execute", "chmod +x")
    elif (fact := programs.facts.get(entry.path)) is None or not (fact.elf or fact.shebang):
        message = f"{starts} is neither an ELF program nor a script with '#!'"
        yield Remark("command", Gravity.FAULT, message, "begin the script with #!/path/to/its/interpreter")


def _judge_folder(programs: Programs) -> Iterator[Remark]:
    """Look at the working directory: engines make one that is missing, for root."""
    folder = programs.subject.run_config.get("WorkingDir") or "/"
    if not folder.startswith("/"):
        message = f"WorkingDir is {folder!r}, which is no absolute path: the image cannot be started"
        yield Remark("command", Gravity.FAULT, message)
        return
    way = posixpath.normpath(folder)
    while way != "/" and programs.find(way) is None:
        way = posixpath.dirname(way)
    found = programs.find(way)
    if found is not None and not found.is_directory:
        message = f"WorkingDir is {folder}, and {way} is a {found.kind}: the image cannot be started"
        yield Remark("command", Gravity.FAULT, message)
    elif way != posixpath.normpath(folder) and programs.is_unprivileged:
        message = (
            f"WorkingDir {folder} is not in the image: Docker makes it for root, and the user may not write"
        )
        yield Remark(
            "command", Gravity.ADVICE, message, f'extraCommands = "mkdir -p .{folder}";, and its owner'
        )
