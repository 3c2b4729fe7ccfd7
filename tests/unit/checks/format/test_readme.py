"""What the format's own description shows and lists is what the reader takes."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import yaml

import nixdock
from nixdock.checks.format.checks import KINDS
from nixdock.checks.format.matcher_shapes import VALUE_WORDS
from nixdock.checks.format.suite import read_suite, schema
from nixdock.checks.model import CheckKind

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

    def row_of(kind: type[CheckKind]) -> str:
        beside = ", ".join(f"`{field.name}`" for field in kind.record_keys() if field.name != kind.kind)
        return f"| `{kind.kind}` | {kind.about} | {beside} |".replace("|  |", "| |")

    assert rows == [row_of(kind) for kind in KINDS.values()]


def test_every_matcher_is_described() -> None:
    for word in VALUE_WORDS:
        assert f"`{word}`" in README
