"""Imports go down only, and a library is imported in its own corner only."""

from __future__ import annotations

import ast
import itertools
import re
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nixdock

PACKAGE = Path(nixdock.__file__).parent

# From the ground up; a module imports from its own layer and from those before it.
LAYERS = (
    (
        "errors",
        "events",
        "settings",
        "process",
        "retry",
        "log",
        "hints",
        "database",
        "text",
        "out",
        "outcome",
        "units",
        "kept_directories",
    ),
    ("nixpkgs",),
    ("image",),
    ("nix", "formats", "engine"),
    ("services",),
    ("checks",),
    ("usecases", "report", "progress"),
    ("api",),
    ("cli", "pytest_plugin"),
    ("__main__",),
)

# Which modules may import a library; what ends in a dot is a folder.
CORNERS = {
    "subprocess": ("nixdock.process",),
    "docker": ("nixdock.engine.connection.transport",),
    "tenacity": ("nixdock.retry",),
    "structlog": ("nixdock.log",),
    "click": ("nixdock.cli.",),
    "rich": ("nixdock.progress.",),
}

# What slows a start down: imported where it is needed, never at the top of a module.
LAZY = ("docker", "tenacity", "structlog", "rich")
# These modules are themselves imported only when needed.
LAZY_MODULES = ("nixdock.progress.bars",)


@dataclass(frozen=True)
class Import:
    """That one module imports another."""

    importer: str
    imported: str
    line: int
    at_start: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERY_MODULE = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
# Builders run inside Nix's sandbox, alone with the standard library: they are data of ours.
BUILDERS = {
    name: path
    for name, path in EVERY_MODULE.items()
    if name.startswith("nixdock.nixpkgs.") and not name.startswith("nixdock.nixpkgs.assembly")
}
MODULES = {name: path for name, path in EVERY_MODULE.items() if name not in BUILDERS}


class Collector(ast.NodeVisitor):
    """Collects a module's imports, but for those that only a type checker sees."""

    def __init__(self, module: str, package: str) -> None:
        self.module = module
        self.package = package
        self.found: list[Import] = []
        self.depth = 0

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parent = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*parent, *([base] if base else [])])
        for alias in node.names:
            full = f"{base}.{alias.name}"
            self.add(full if full in MODULES else base, node.lineno)

    def add(self, imported: str, line: int) -> None:
        self.found.append(Import(self.module, imported, line, at_start=self.depth == 0))


def collect(module: str, text: str, *, is_package: bool = False) -> list[Import]:
    collector = Collector(module, module if is_package else module.rpartition(".")[0])
    collector.visit(ast.parse(text))
    return collector.found


IMPORTS = [
    found
    for module, path in MODULES.items()
    for found in collect(module, path.read_text(), is_package=path.name == "__init__.py")
]
OURS = [one for one in IMPORTS if one.imported.split(".")[0] == "nixdock" and one.imported != "nixdock"]


def layer_of(module: str) -> int:
    # The package's own file is the library's face.
    part = module.split(".")[1] if "." in module else "api"
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_every_module_belongs_to_a_layer() -> None:
    known = set(itertools.chain.from_iterable(LAYERS))
    assert {name.split(".")[1] for name in MODULES if "." in name} <= known


def test_imports_only_go_down() -> None:
    upwards = [str(one) for one in OURS if layer_of(one.imported) > layer_of(one.importer)]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for one in OURS:
        # A package's own file only describes it: importing a module of it is no use of the package.
        graph.setdefault(one.importer, set()).add(one.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("library", CORNERS)
def test_a_library_is_imported_in_its_corner_only(library: str) -> None:
    allowed = CORNERS[library]
    strays = [
        str(one)
        for one in IMPORTS
        if one.imported.split(".")[0] == library
        and not any(one.importer == corner or one.importer.startswith(corner) for corner in allowed)
    ]
    assert strays == []


@pytest.mark.parametrize("library", LAZY)
def test_a_slow_library_is_not_imported_at_start(library: str) -> None:
    eager = [
        str(one)
        for one in IMPORTS
        if one.imported.split(".")[0] == library and one.at_start and one.importer not in LAZY_MODULES
    ]
    assert eager == []


@pytest.mark.parametrize("module", LAZY_MODULES)
def test_what_is_built_on_a_slow_library_is_not_imported_at_start(module: str) -> None:
    assert [str(one) for one in IMPORTS if one.imported == module and one.at_start] == []


def test_builders_need_the_standard_library_alone() -> None:
    strays = [
        str(found)
        for module, path in BUILDERS.items()
        for found in collect(module, path.read_text())
        if found.imported.split(".")[0] not in sys.stdlib_module_names
        # Beside each other they are found by their bare names, in the sandbox as in a test.
        and not any(other.endswith(f".{found.imported}") or other == found.imported for other in BUILDERS)
    ]
    assert strays == []


def test_the_collector_sees_what_there_is_to_see() -> None:
    text = (
        "import docker\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import rich\n"
        "def late():\n"
        "    from nixdock import process\n"
    )
    assert [(one.imported, one.at_start) for one in collect("nixdock.x", text)] == [
        ("docker", True),
        ("typing", True),
        ("nixdock.process", False),
    ]


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


# Builders run in Nix's sandbox, which has no locale: there Python reads and writes UTF-8 (PEP 540).
def test_text_is_read_and_written_in_an_encoding_that_is_named() -> None:
    found = {
        module: find_calls_without_encoding(path.read_text(encoding="utf-8"))
        for module, path in MODULES.items()
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
    "nixdock.out": "the door itself",
    "nixdock.progress.bars": "a terminal's bars, whose every text is formed by the door",
    "nixdock.cli.plugin": "the plugin's metadata: our own words, for docker, which waits for them",
}
# Who may write what the door does not look at.
EXACT = {
    "nixdock.out",
    "nixdock.log",  # fields are made safe before they get their colours
    "nixdock.report.github",  # commands that are ours, escaped as the runner reads them
    "nixdock.cli.env",  # a shell's commands, of the user's own environment
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
        if module not in WRITERS
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
        for name, path in EVERY_MODULE.items()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert calls == []
