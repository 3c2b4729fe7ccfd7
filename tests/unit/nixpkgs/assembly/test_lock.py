"""The lock: one rule for dependencies, units without circles, and files that an evaluation can read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.nixpkgs.assembly import lock
from nixdock.nixpkgs.assembly.apt import Package, parse_relations, parse_stanzas
from nixdock.nixpkgs.assembly.offline_set import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parents[2] / "data" / "apt"
RULES = lock.Rules.parse((SOURCES / "debian/rules.json").read_text())
NO_RULES = lock.Rules.parse('{"ignored": [], "ignoredPattern": "(?!)", "without": {}, "units": []}')


def package(name: str, depends: str = "", provides: str = "") -> Package:
    return Package(
        name=name,
        version="1-1",
        filename=f"pool/{name}.deb",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        depends=parse_relations(depends),
        provides=tuple(one for (one,) in parse_relations(provides)),
    )


def index(*packages: Package) -> dict[str, Package]:
    return {one.name: one for one in packages}


@pytest.fixture(scope="module")
def debian() -> dict[str, Package]:
    """Some packages of Debian 12, as apt prints them."""
    stanzas = parse_stanzas((DATA / "dumpavail.txt").read_text())
    return index(
        *(
            Package(
                name=one["Package"],
                version=one["Version"],
                filename=one["Filename"],
                sha256=one["SHA256"],
                depends=parse_relations(f"{one.get('Pre-Depends', '')}, {one.get('Depends', '')}"),
                provides=tuple(name for (name,) in parse_relations(one.get("Provides", ""))),
            )
            for one in stanzas
        )
    )


def make_records(packages: Mapping[str, Package]) -> dict[str, dict[str, Any]]:
    graph = lock.resolve(packages, RULES)
    unit = lock.group(graph, RULES)
    return lock.records(packages, graph, unit, rules=RULES, repositories={"": "http://mirror.example"})


def test_the_first_alternative_that_exists_counts() -> None:
    graph = lock.resolve(index(package("a", "gone | b | c"), package("b"), package("c")), NO_RULES)
    assert graph["a"] == ("b",)


def test_a_real_package_comes_before_a_provider_of_an_earlier_alternative() -> None:
    graph = lock.resolve(
        index(package("a", "virtual | b"), package("b"), package("p", provides="virtual")), NO_RULES
    )
    assert graph["a"] == ("b",)


def test_the_lowest_named_provider_stands_for_a_virtual_package() -> None:
    packages = index(package("a", "mail"), package("z", provides="mail"), package("m", provides="mail"))
    assert lock.resolve(packages, NO_RULES)["a"] == ("m",)
    assert lock.resolve(dict(reversed(packages.items())), NO_RULES)["a"] == ("m",)


def test_what_nobody_has_and_what_the_package_is_itself_are_left_out() -> None:
    graph = lock.resolve(index(package("a", "gone, a, mail", provides="mail")), NO_RULES)
    assert graph["a"] == ()


def test_what_the_rules_ignore_is_left_out(debian: Mapping[str, Package]) -> None:
    graph = lock.resolve(debian, RULES)
    assert graph["hello"] == ("libc6",)
    assert graph["libc6"] == ("libgcc-s1",)
    assert graph["libgcc-s1"] == ("libc6",)
    assert "debianutils" not in graph["bash"]
    assert "readline-common" not in graph["libreadline8"]


def test_packages_in_a_circle_are_one_unit_by_their_shortest_name(debian: Mapping[str, Package]) -> None:
    graph = lock.resolve(debian, NO_RULES)
    unit = lock.group(graph, NO_RULES)
    assert {unit[name] for name in ("nodejs", "libnode108", "node-acorn")} == {"nodejs"}
    assert unit["libc6"] == unit["libgcc-s1"] == "libc6"
    assert "hello" not in unit


def test_packages_that_the_rules_name_are_one_unit(debian: Mapping[str, Package]) -> None:
    graph = lock.resolve(debian, RULES)
    unit = lock.group(graph, RULES)
    assert {name for name, chief in unit.items() if chief == "python3"} == {
        "python3",
        "python3-minimal",
        "python3.11",
        "python3.11-minimal",
        "libpython3-stdlib",
        "libpython3.11-minimal",
        "libpython3.11-stdlib",
    }


def test_a_group_takes_in_what_stands_between_its_members() -> None:
    packages = index(
        package("all", "one"), package("one", "middle"), package("middle", "two"), package("two")
    )
    rules = lock.Rules.parse(
        '{"ignored": [], "ignoredPattern": "(?!)", "without": {},'
        ' "units": [{"name": "all", "members": "all|one|two"}]}'
    )
    unit = lock.group(lock.resolve(packages, rules), rules)
    assert set(unit.values()) == {"all"}
    assert "middle" in unit


def test_a_group_takes_in_what_nobody_depends_on_and_has_a_members_version() -> None:
    packages = index(
        package("sql", "sql-15"), package("sql-15"), package("mount", "libmount"), package("libmount")
    )
    packages["sql-15"] = dataclasses.replace(packages["sql-15"], version="15.3-1")
    rules = lock.Rules.parse(
        '{"ignored": [], "ignoredPattern": "(?!)", "without": {}, "units": '
        '[{"name": "sql", "members": "sql-.*", "also": ["mount", "gone"], "version": "sql-[0-9]+"}]}'
    )
    graph = lock.resolve(packages, rules)
    found = lock.records(packages, graph, lock.group(graph, rules), rules=rules, repositories={"": ""})
    assert found["sql"]["members"] == ["mount", "sql", "sql-15"]
    assert found["sql"]["needs"] == ["libmount"]
    assert found["sql"]["unitVersion"] == "15.3-1"


def test_a_record_says_what_nix_needs(debian: Mapping[str, Package]) -> None:
    graph = lock.resolve(debian, RULES)
    unit = lock.group(graph, RULES)
    bases = {"": "http://mirror.example/debian", debian["hello"].sha256: "http://security.example"}
    found = lock.records(debian, graph, unit, rules=RULES, repositories=bases)
    assert found["hello"]["uri"] == f"http://security.example/{debian['hello'].filename}"
    assert found["hello"]["needs"] == ["libc6"]
    assert found["libc6"]["uri"].startswith("http://mirror.example/debian/pool/main/g/glibc/libc6_")
    assert found["libc6"]["members"] == ["libc6", "libgcc-s1"]
    assert found["libgcc-s1"]["unit"] == "libc6"
    assert "needs" not in found["libgcc-s1"]


def test_the_first_builder_is_a_minimal_python(debian: Mapping[str, Package]) -> None:
    found = make_records(debian)
    first = lock.bootstrap(lock.resolve(debian, RULES), found)
    parts = first["python"]
    # Nix fetches it without reading a shard.
    assert list(first["records"]) == parts
    assert all(found[name].items() >= record.items() for name, record in first["records"].items())
    assert set(first["records"]["libc6"]) == {"version", "uri", "sha256"}
    assert {"python3.11-minimal", "libpython3.11-stdlib", "libc6", "zlib1g", "liblzma5"} <= set(parts)
    assert "python3.11" not in parts


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in lock.SHARDS:
        found.update(json.loads((folder / f"{name}.json").read_text()))
    return found


def test_the_shards_hold_everything_in_its_place(tmp_path: Path, debian: Mapping[str, Package]) -> None:
    found = make_records(debian)
    lock.write(tmp_path, found, {"architecture": "amd64"})
    assert read(tmp_path) == found
    for name in found:
        assert name in json.loads((tmp_path / f"{lock.shard(name)}.json").read_text())
    assert json.loads((tmp_path / "names.json").read_text()) == sorted(found)


def test_the_fingerprint_follows_from_the_content_alone(
    tmp_path: Path, debian: Mapping[str, Package]
) -> None:
    found = make_records(debian)
    fingerprints = []
    for number in range(2):
        shuffled = list(found.items())
        random.Random(number).shuffle(shuffled)
        folder = tmp_path / str(number)
        folder.mkdir()
        lock.write(folder, dict(shuffled), {})
        fingerprints.append(json.loads((folder / "index.json").read_text())["fingerprint"])
    assert fingerprints[0] == fingerprints[1]
    found["hello"]["version"] = "3"
    folder = tmp_path / "changed"
    folder.mkdir()
    lock.write(folder, found, {})
    assert json.loads((folder / "index.json").read_text())["fingerprint"] != fingerprints[0]


NAMES = [f"p{number}" for number in range(8)]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4).map(tuple)),
    st.sampled_from(["(?!)", "p[0-3]", "p[1357]"]),
)
def test_units_never_need_each_other_in_a_circle(some: lock.Graph, members: str) -> None:
    graph = {name: tuple(one for one in some.get(name, ()) if one != name) for name in NAMES}
    rules = lock.Rules.parse(
        json.dumps(
            {
                "ignored": [],
                "ignoredPattern": "(?!)",
                "without": {},
                "units": [{"name": "p0", "members": members}],
            }
        )
    )
    unit = lock.group(graph, rules)
    needs = lock.contract(graph, unit)
    assert lock.circles(needs) == []
    # A unit's name is one of its members, and leads to itself.
    assert all(unit[chief] == chief for chief in unit.values())
