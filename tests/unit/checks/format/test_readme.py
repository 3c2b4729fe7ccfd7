"""What the format's own description shows and lists is what the reader takes."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import yaml

import nixdock
from nixdock.checks.format.kinds import KINDS
from nixdock.checks.format.matcher_shapes import VALUE_WORDS
from nixdock.checks.format.suite import read_suite, schema

README = (Path(nixdock.__file__).parent / "checks" / "README.md").read_text()


def test_the_example_in_yaml_is_read_and_satisfies_the_schema(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "web.checks.yaml").write_text(example)

    suite = read_suite(tmp_path / "web.checks.yaml")

    assert [check.name for check in suite.checks] == ["version", "serves", "certs", "shape"]
    assert not list(jsonschema.Draft202012Validator(schema()).iter_errors(yaml.safe_load(example)))


def test_every_kind_and_each_of_its_keys_is_described() -> None:
    section = README.split("## The kinds of checks")[1].split("## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    for name, kind in KINDS.items():
        row = next(row for row in rows if f"`{name}`" in row.split("|")[1])
        if name in {"exec", "unix_group"}:
            continue  # shares its keys with the row before, or its row with another kind
        for field in kind.keys:
            assert f"`{field.name}`" in row, f"{name}: {field.name}"


def test_every_matcher_is_described() -> None:
    for word in VALUE_WORDS:
        assert f"`{word}`" in README
