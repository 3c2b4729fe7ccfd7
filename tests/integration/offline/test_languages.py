"""Projects in languages of modules, built from local sources beside Debian's modules, and run in images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images
    from support.program import Nixdock

PROJECTS = Path(__file__).with_name("projects")

PYTHON = {
    "app": "app [1, 2] requests hello\n",
    "legacy": "script 42\n",
    "greeter": "greet flask click 42 1.2.0 ['click', 'flask']\n",
    "backends": "hatched poetic flitted\n",
    "env": "99 dateutil hello\n",
    "plain": "plain flask\n",
}


@pytest.fixture(scope="module")
def python_images(module_nixdock: Nixdock) -> Nixdock:
    """The images of all Python projects: built and loaded at once."""
    shutil.copytree(PROJECTS, module_nixdock.folder / "projects")
    loaded = module_nixdock("load", "-q", "projects/python.nix", timeout=900)
    assert loaded.status == 0, loaded.stderr
    return module_nixdock


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("project", PYTHON)
def test_a_python_project(python_images: Nixdock, nixdock: Nixdock, project: str) -> None:
    run = nixdock("run", f"python-{project}:1")
    assert (run.stdout, run.status) == (PYTHON[project], 0), run.stderr


def test_what_a_python_project_was_built_with_is_not_in_its_closure(
    python_images: Nixdock, images: Images
) -> None:
    file = python_images.folder / "projects/python.nix"
    listed = images.by_hand(f"nix-store -qR $(nix-build --no-out-link {file} -A greeter)")
    assert "python3-flask" in listed.stdout
    assert not [
        path
        for path in listed.stdout.split()
        if path.endswith("-build-env") or "pytest" in path or "g++" in path
    ]


LANGUAGES = {
    "perl": "greet [42]\n42",
    "php-fpm": "77M 1 fpm-fcgi\n",
    "ruby": '["Sinatra",42]\n',
    "lua": "[1,2]\tx\n",
    "jar": "jar true true word\n",
    "composer": "Composer version 2.",
    "maven": "Apache Maven 3.",
}


# The first one is cheap; some of the others fetch a hundred megabytes.
@pytest.mark.slow
@pytest.mark.sampled(len(LANGUAGES))
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("project", LANGUAGES)
def test_a_project_of_another_language(images: Images, project: str) -> None:
    shutil.copytree(PROJECTS, images.folder / "projects")
    [reference] = images.load(images.folder / "projects/languages.nix", "-A", project)
    assert LANGUAGES[project] in images.run(reference)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("pkgs.python27", "Debian has no Python 2 any more; use pkgs.python3"),
        ("pkgs.python3.withPackages (ps: [ ps.polars ])", "has no module 'polars'; with a wheel of it"),
        ("pkgs.jdk8", "has Java "),
    ],
)
def test_what_debian_lacks_is_said(images: Images, expression: str, sentence: str) -> None:
    assert sentence in images.refuse(f'pkgs.writeText "x" "${{{expression}}}"')
