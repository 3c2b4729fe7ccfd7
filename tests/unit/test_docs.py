"""What the pages name is there: files, directories, modules, and names within files."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import nixdock

PACKAGE = Path(nixdock.__file__).parent
ROOT = PACKAGE.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md"), *PACKAGE.rglob("*.md")])

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:py|md|toml)|[\w.-]+(?:/[\w.-]+)+\.nix|[\w.-]+(?:/[\w.-]+)*/")
_MODULE = re.compile(r"nixdock(?:\.[a-z_]+)+")
# What stands for a name of one's own; a bare `x.nix` is a file of the user's.
_PLACEHOLDER = re.compile(r"[A-Z]{3,}")


def find_file(name: str, page: Path) -> Path | None:
    """Find what a page names: from the page, the package or the repository on."""
    return next((base / name for base in (page.parent, PACKAGE, ROOT) if (base / name).exists()), None)


def find_names(path: Path) -> set[str]:
    """Return what a file of Python defines, members of classes as `Class.member`."""
    found: set[str] = set()

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.add(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                collect(node.body, f"{prefix}{node.name}.")
            if isinstance(node, ast.ImportFrom):
                found.update(prefix + alias.name for alias in node.names)
            if isinstance(node, ast.If):
                collect(node.body, prefix)
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update(prefix + target.id for target in targets if isinstance(target, ast.Name))

    collect(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return found


def is_missing(token: str, page: Path) -> bool:
    """Whether a token in a page names something of ours that is not there."""
    name, _, member = token.partition("::")
    if member:
        path = find_file(name, page)
        return path is None or member not in find_names(path)
    if _FILE.fullmatch(token):
        if _PLACEHOLDER.search(Path(token).name):
            return find_file(str(Path(token).parent), page) is None
        return find_file(token, page) is None
    if _MODULE.fullmatch(token):
        return not _is_module(token)
    return False


def _is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module = path.parent.with_suffix(".py")
    return path.name in find_names(module if module.exists() else path.parent / "__init__.py")


def find_tokens(text: str) -> list[str]:
    """Return what a page names as code: within a line, and in blocks that are no program's."""
    blocks = [block for language, block in _FENCE.findall(text) if not language]
    words = [word for block in blocks for word in block.split() if word.endswith(".py")]
    return [*_CODE.findall(_FENCE.sub("", text)), *words]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [token for token in find_tokens(text) if is_missing(token, page)] == []
    assert [link for link in _LINK.findall(text) if find_file(link.partition("#")[0], page) is None] == []


def test_what_is_not_there_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = (
        "`cli/main.py` `cli/gone.py` `cli/main.py::run` `cli/main.py::gone` `engine/`\n"
        "`gone/` `nixdock.build`\n"
        "`nixdock.cli.main` `nixdock.gone` `cli/NAME.py` `gone/NAME.py` `hello.nix` `gone/hello.nix`\n"
        "`out.py::Painted.text` `out.py::Painted.gone`\n"
        "```\ngone.py   what it holds\n```\n```bash\npython mine.py\n```\n"
    )
    assert [token for token in find_tokens(text) if is_missing(token, page)] == [
        "cli/gone.py",
        "cli/main.py::gone",
        "gone/",
        "nixdock.gone",
        "gone/NAME.py",
        "gone/hello.nix",
        "out.py::Painted.gone",
        "gone.py",
    ]
