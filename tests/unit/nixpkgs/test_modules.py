"""The module system of the offline package set, by modules in files as people write them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nixdock import process

LIB = Path(__file__).parents[3] / "nixdock" / "nixpkgs" / "lib"
MODULES = Path(__file__).parent / "modules"

pytestmark = pytest.mark.nix


def evaluated(expression: str, *modules: Path | str) -> process.Outcome:
    """`expression` of an evaluation `e` of modules, each a file, or its text."""
    listed = "\n".join(str(module) if isinstance(module, Path) else f"({module})" for module in modules)
    made = f"let lib = import {LIB}; e = lib.evalModules {{ modules = [ {listed} ]; }}; in {expression}"
    return process.run(["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E", made])


def values(expression: str, *modules: Path | str) -> Any:
    outcome = evaluated(expression, *modules)
    assert outcome, outcome.error_text
    return json.loads(outcome.text)


SYSTEM = MODULES / "system"
MACHINE = SYSTEM / "machine.nix"


def test_a_system_of_services_is_made_of_its_modules() -> None:
    found = values(
        "with e.config; { inherit (system) name build; inherit (postgres) databases; "
        "inherit (services.web) environment settings; }",
        SYSTEM,
        MACHINE,
    )

    assert found == {
        "name": "alpha",
        "build": {
            "postgres": "[postgres]\nrun postgres\nports 5432\nafter web",
            "web": "[web]\nrun nginx\nports 80 443",
        },
        "databases": [{"name": "wiki", "owner": "ann"}, {"name": "shop", "owner": "shop"}],
        "environment": {"DB_PORT": 5432, "HOME": "/srv", "OLD": None, "USER": "www"},
        "settings": {"log": "loud", "name": "web", "workers": 4},
    }


def test_old_names_are_told_with_the_file_that_has_them() -> None:
    warnings = values("e.config.warnings", SYSTEM, MACHINE)

    assert (
        f"The option `networking.hostName' defined in `{MACHINE}' has been renamed to `system.name'."
        in warnings
    )
    assert any(
        warning.startswith(f"The option `postgres.database' defined in `{MACHINE}' has been changed")
        for warning in warnings
    )


def test_the_documentation_has_the_options_of_submodules_and_their_defaults() -> None:
    options = values(
        'lib.optionAttrSetToDocList (removeAttrs e.options [ "_module" ])',
        SYSTEM,
    )

    shown = {option["name"]: option for option in options if option["visible"] and not option["internal"]}
    assert "services.<name>.settings.log" in shown
    assert "services.<name>.unit" not in shown
    assert "networking.hostName" not in shown
    owner = shown["postgres.databases.*.owner"]
    assert owner["default"] == {"_type": "literalMD", "text": "`name`"}
    assert owner["declarations"] == [str(SYSTEM / "postgres.nix")]
    assert shown["services.<name>.command"]["type"] == (
        "(non-empty (list of string)) or string convertible to it"
    )
    assert shown["system.name"]["example"] == {"_type": "literalExpression", "text": '"alpha"'}
    assert "default" not in shown["system.name"]


@pytest.mark.parametrize(
    ("module", "expression", "lines"),
    [
        (
            '{ _file = "mine.nix"; services.web.prots = [ 1 ]; }',
            "services.web.ports",
            [
                "The option `services.web.prots' does not exist. Definition values:",
                "- In `mine.nix':",
                "Did you mean `services.web.ports', `services.web.unit' or `services.web.after'?",
            ],
        ),
        (
            '{ _file = "mine.nix"; services.web.ports = [ 70000 ]; }',
            "services.web.ports",
            [
                "' is not of type `16 bit unsigned integer; between 0 and 65535 (both inclusive)'.",
                "- In `mine.nix': 70000",
            ],
        ),
        (
            '{ _file = "mine.nix"; services.web.settings.workers = true; }',
            "services.web.settings",
            ["- In `mine.nix': true"],
        ),
        (
            '{ _file = "mine.nix"; services.web.environment = "USER=www"; }',
            "services.web.environment",
            ['- In `mine.nix\': "USER=www"'],
        ),
        (
            '{ _file = "mine.nix"; services.web.unit = "mine"; }',
            "services.web.unit",
            ["The option `services.web.unit' is read-only, but it's set multiple times. Definition values:"],
        ),
        (
            "{ services.web.command = [ ]; }",
            "services.web.command",
            [
                "A definition for option `services.web.command' is not of type `(non-empty (list of",
                "- In `<unknown-file>': [ ]",
            ],
        ),
        (
            '{ _file = "mine.nix"; postgres = 5; }',
            "postgres.port",
            ["In module `mine.nix', you're trying to define a value of type `int'"],
        ),
        (
            "{ services.a.ports = [ 80 ]; services.b.ports = [ 80 ]; }",
            "system.build",
            ["Failed assertions:", "- two services listen on one of 80 80"],
        ),
        (
            '{ system.name = "beta"; }',
            "system.name",
            ["The option `system.name' has conflicting definition values:", f'- In `{MACHINE}\': "alpha"'],
        ),
        (
            "{ postgres.version = 12; }",
            "postgres.version",
            [
                "since it's been removed. There is one version only.",
            ],
        ),
        (
            "{ options.services.web = lib.mkOption { }; }",
            "services",
            [f"The option `services' in `<unknown-file>' is already declared in `{SYSTEM}/services.nix'."],
        ),
        (
            "{ ports = [ ]; config = { }; }",
            "services",
            ["Module `:anon-3' has an unsupported attribute `ports'."],
        ),
        (
            "lib.evalModules { modules = [ ]; }",
            "services",
            ['Expected a module, but found a value of type "configuration"'],
        ),
        (
            "{ disabledModules = [ { } ]; }",
            "services",
            ["that does not have a `key' attribute."],
        ),
    ],
)
def test_what_is_wrong_is_told_with_option_and_file(module: str, expression: str, lines: list[str]) -> None:
    outcome = evaluated(f"e.config.{expression}", SYSTEM, MACHINE, module)

    assert not outcome
    assert [line for line in lines if line not in outcome.error_text] == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  postgres.port =\n    "many";\n}', "2:3"),
        ("{ lib, ... }: {\n  postgres = lib.mkIf true {\n    port = 70000;\n  };\n}", "3:5"),
        ("{ lib, ... }: lib.mkMerge [\n  { }\n  { postgres.prot = 1; }\n]", "3:5"),
        ('{ services.web.environment = {\n    USER = "www"; GROUP = true;\n  };\n}', "2:19"),
        ("{ absent, ... }:\n{ postgres.port = absent; }", "1:3"),
        ("{\n  options = { };\n  postgres.port = 1;\n}", "3:3"),
        (
            "{ lib, config, ... }:\n{ options.a = lib.mkOption { };\n  config.postgres.port = config.a; }",
            "2:3",
        ),
    ],
)
def test_what_is_wrong_is_placed_where_it_is_written(text: str, place: str, tmp_path: Path) -> None:
    module = tmp_path / "mine.nix"
    module.write_text(text)
    wanted = "[ postgres.port services.web.environment.GROUP ]"

    outcome = process.run(
        [
            "nix-instantiate",
            "--eval",
            "--strict",
            "--show-trace",
            "-E",
            f"with (import {LIB}).evalModules {{ modules = [ {SYSTEM} {module} ]; }}; with config; {wanted}",
        ],
    )

    assert not outcome
    # nixdock takes the innermost place for that of the fault.
    assert re.findall(r"while describing what is at (\S+)", outcome.error_text)[:1] == [f"{module}:{place}"]


def test_a_module_may_be_left_out_by_its_file() -> None:
    without = f"{{ disabledModules = [ {SYSTEM}/postgres.nix {SYSTEM}/old-names.nix ]; }}"
    named = '{ system.name = "beta"; services.web.command = "true"; }'

    assert values("e.config.system.build", SYSTEM, without, named) == {"web": "[web]\nrun true"}


@pytest.mark.parametrize("project", ["priorities", "conditions"])
def test_a_project_of_services_gives_the_document_that_nixpkgs_gives(project: str) -> None:
    projects = MODULES / "projects"

    document = values(
        "e.config.document",
        "{ _module.args.pkgs = { }; }",
        projects / "compose.nix",
        projects / f"{project}.nix",
    )

    assert document == json.loads((projects / f"{project}.json").read_text())


def test_an_infinite_recursion_by_imports_is_told_why() -> None:
    outcome = process.run(
        [
            "nix-instantiate",
            "--eval",
            "--show-trace",
            "-E",
            f"(import {LIB}).evalModules {{ modules = [ ({{ config, ... }}: {{ imports = config.x; }}) ]; }}",
            "-A",
            "config",
        ],
    )

    assert not outcome
    assert "infinite recursion encountered" in outcome.error_text
    assert "you probably reference `config` in `imports`" in outcome.error_text


def test_who_asks_for_no_module_reads_nothing_of_them(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    shutil.copytree(LIB, lib)
    for name in ("modules", "types"):
        shutil.rmtree(lib / name)
    (lib / "options.nix").unlink()

    outcome = process.run(
        [
            "nix-instantiate",
            "--eval",
            "--strict",
            "-E",
            f"with import {lib}; [ version (callPackageWith {{ b = 1; }} ({{ b }}: b) {{ }}) ]",
        ],
    )

    assert outcome, outcome.error_text
