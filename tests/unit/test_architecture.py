"""Imports go down only, a library has its own corner, a class name is one thing, and files are short."""

from __future__ import annotations

import ast
import itertools
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
        "log",
        "workers",
        "hints",
        "database",
        "text",
        "out",
        "outcome",
        "units",
        "watching",
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

# Which modules may import a library; what ends in a dot is a package.
CORNERS = {
    "subprocess": ("nixdock.process",),
    "docker": ("nixdock.engine.connection.transport",),
    "tenacity": ("nixdock.engine.connection.patience",),
    "structlog": ("nixdock.log",),
    "click": ("nixdock.cli.",),
    "rich": ("nixdock.progress.bars",),
    "watchfiles": ("nixdock.watching",),
    "isal": ("nixdock.formats.compression",),
    "zstandard": ("nixdock.formats.compression", "nixdock.checks.files.layer_index"),
    # Below the checks an expression is Go's, too: of what nix2container leaves out.
    "re2": ("nixdock.checks.regex", "nixdock.formats.nix2container_tar"),
    # A file of ours, and one of container-structure-test's as Go reads it.
    "yaml": ("nixdock.checks.format.yaml_reader", "nixdock.checks.structure_test.go_yaml"),
}

# What slows a start down: imported where it is needed, never at the top of a module.
LAZY = ("docker", "tenacity", "structlog", "rich", "watchfiles")
# These modules are themselves imported only when needed.
LAZY_MODULES = ("nixdock.progress.bars",)


LONGEST = 400
"""Lines of a file, at most."""

# Rooms of a part that know each other only by the one they all stand on.
ENGINE_ROOMS = ("loading", "containers", "daemon")


@dataclass(frozen=True)
class Import:
    """That one module imports another."""

    importer: str
    imported: str
    line: int
    at_start: bool
    type_only: bool = False

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
    """Collects a module's imports: at its start, within a call, or for a type checker alone."""

    def __init__(self, module: str, package: str) -> None:
        self.module = module
        self.package = package
        self.found: list[Import] = []
        self.depth = 0
        self.type_only = False

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)
            return
        self.type_only = True
        for inner in node.body:
            self.visit(inner)
        self.type_only = False
        for other in node.orelse:
            self.visit(other)

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
        at_start = self.depth == 0 and not self.type_only
        self.found.append(Import(self.module, imported, line, at_start, self.type_only))


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


def test_the_rooms_of_the_engine_stand_on_the_connection_alone() -> None:
    strays = [
        str(one)
        for one in OURS
        if one.importer.startswith("nixdock.engine.")
        and (room := one.imported.removeprefix("nixdock.engine.").split(".")[0]) in ENGINE_ROOMS
        and one.importer.split(".")[2] != room
    ]
    assert strays == []


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


def find_public_classes(text: str) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def test_no_two_public_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = {}
    for module, path in EVERY_MODULE.items():
        for name in find_public_classes(path.read_text(encoding="utf-8")):
            homes.setdefault(name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_no_file_is_long() -> None:
    root = PACKAGE.parent
    lengths = {
        str(path.relative_to(root)): path.read_bytes().count(b"\n")
        for part in ("nixdock", "tests", "scripts")
        for path in sorted((root / part).rglob("*.py"))
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


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
        ("rich", False),
        ("nixdock.process", False),
    ]
