"""Text is read in an encoding that is named, written through one door, and its lines end at a newline."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nixdock

PACKAGE = Path(nixdock.__file__).parent
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
# Builders run in Nix's sandbox, which has no locale: there Python reads and writes UTF-8 (PEP 540).
SANDBOXED = (
    "nixpkgs/build-support/",
    "nixpkgs/debian/",
    "nixpkgs/dockertools/",
    "nixpkgs/languages/builders/",
)

# What a call must be told to be about bytes, and not about text in the locale's encoding.
_OPENERS = {"open", "fdopen"}
_TEXTS = {"read_text", "write_text"}


def find_calls_without_encoding(text: str) -> list[str]:
    """Return the calls that read or write text in whatever encoding the user's locale has."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        # The mode is the first word that looks like one: the second of `open`, the first of a path's own.
        words = [
            value.value
            for argument in [*node.args, *(word.value for word in node.keywords if word.arg == "mode")]
            for value in ast.walk(argument)
            if isinstance(value, ast.Constant) and isinstance(value.value, str)
        ]
        is_text = any(re.fullmatch("[rwxa][+t]*", word) for word in words)
        # `open()` without any word is a layer's or an archive's own: of bytes.
        is_archive = ast.unparse(node.func) == "tarfile.open"
        if name in _TEXTS or (name in _OPENERS and is_text and not is_archive):
            found.append(ast.unparse(node))
    return found


def test_text_is_read_and_written_in_an_encoding_that_is_named() -> None:
    found = {
        module: find_calls_without_encoding(path.read_text(encoding="utf-8"))
        for module, path in MODULES.items()
        if not module.startswith(SANDBOXED)
    }
    assert {module: calls for module, calls in found.items() if calls} == {}


def test_calls_without_an_encoding_are_seen() -> None:
    text = (
        "path.read_text()\n"
        "path.read_text(errors='replace')\n"
        "path.write_text(text)\n"
        "path.open('w' if force else 'x')\n"
        "open(path, 'r')\n"
        "os.fdopen(handle, mode='w')\n"
        "path.open('rb')\n"
        "path.open('w', encoding='utf-8')\n"
        "layer.open()\n"
        "tarfile.open(path, 'w')\n"
    )
    assert len(find_calls_without_encoding(text)) == 6


# Who may write past `nixdock.out`, and why.
WRITERS = {
    "out.py": "the door itself",
    "progress/bars.py": "a terminal's bars, whose every text is formed by the door",
    "cli/plugin.py": "the plugin's metadata: our own words, for docker, which waits for them",
}
# Who may write what the door does not look at.
EXACT = {
    "out.py",
    "log.py",  # fields are made safe before they get their colours
    "report/github.py",  # commands that are ours, escaped as the runner reads them
    "cli/env.py",  # a shell's commands, of the user's own environment
}


def find_writes(text: str) -> list[str]:
    """Return the calls that write to our standard output or error by themselves."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if re.fullmatch(
                r"print|(click\.)?s?echo|(click\.)?echo_via_pager|(rich\.)?print|.*\bConsole|Terminal"
                r"|traceback\.print_\w+|warnings\.warn|.*\bprint_exc(eption)?|pprint(\.pprint)?"
                r"|(sys\.)?(__)?std(out|err)(__)?\.(buffer\.)?write(lines)?|.*\bshow_message",
                called,
            ) or (called == "os.write" and ast.unparse(node.args[0]) in {"1", "2", "STDOUT", "STDERR"}):
                found.append(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom) and node.module == "click":
            found += [f"from click import {name.name}" for name in node.names if "echo" in name.name]
    return found


def test_all_that_we_write_goes_through_one_door() -> None:
    found = {
        module: find_writes(path.read_text(encoding="utf-8"))
        for module, path in MODULES.items()
        if module not in WRITERS and not module.startswith(SANDBOXED)
    }
    assert {module: calls for module, calls in found.items() if calls} == {}, (
        "use say and tell of nixdock.out"
    )


def test_text_that_the_door_does_not_look_at_is_written_by_few() -> None:
    found = {
        module
        for module, path in MODULES.items()
        if re.search(r"\b(say|tell)_exactly\(", path.read_text(encoding="utf-8"))
    }
    assert found == EXACT


def test_writes_past_the_door_are_seen() -> None:
    text = (
        "print(x)\n"
        "click.echo(x)\n"
        "click.secho(x, err=True)\n"
        "sys.stderr.write(x)\n"
        "sys.stdout.buffer.write(x)\n"
        "sys.stdout.writelines(x)\n"
        "traceback.print_exc()\n"
        "rich.console.Console()\n"
        "os.write(2, x)\n"
        "from click import echo\n"
        "os.write(self._descriptor, x)\n"
        "say(x)\n"
    )
    assert len(find_writes(text)) == 10


def test_lines_end_at_a_newline_and_nowhere_else() -> None:
    """`str.splitlines` ends them at a form feed or at U+2028, too: `nixdock.text.split_lines` does not."""
    calls = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert calls == []
