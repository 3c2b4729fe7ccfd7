"""The lock of the offline package set: Debian's whole index, as Nix wants to read it.

A *unit* becomes one store path: a package; or packages that depend on each other in a circle; or packages
that `debian/rules.json` names together because they only work in one place. For each unit the lock says
which other units it needs, so Nix never has to look for circles.

The lock is a directory of small JSON files, each holding the packages whose name hashes to it: an evaluation
reads only those of the packages that it uses (a whole index costs Nix half a second).

    lock/amd64/f03.json      {"hello": {"version": ..., "uri": ..., "sha256": ..., "unit": ..., ...}, ...}
    lock/amd64/names.json    every name, for near matches
    lock/amd64/index.json    where it comes from, and what the first builder is made of
"""

from __future__ import annotations

import gc
import hashlib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly.apt import Apt, Index, Package, address, fetchable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

SHARDS = tuple(f"{byte:02x}{quarter}" for byte in range(256) for quarter in range(4))
"""The names of the 1024 shards, of about 25 kB each: fewer are slower to read, more are slower to write."""

Graph = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class UnitRule:
    """Packages that only work in one store path.

    Attributes:
        name: The package that gives the unit its name and version.
        members: A pattern; of the packages that `name` depends on, however far, those that match.
        also: Packages that nobody depends on, for they are essential or only recommended.
        version: A pattern; the member that matches gives the unit its version, where `name` is only a
            name for whatever is the newest.
    """

    name: str
    members: re.Pattern[str]
    also: tuple[str, ...] = ()
    version: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> UnitRule:
        """Read a group from its JSON value."""
        version = data.get("version")
        return cls(
            name=data["name"],
            members=re.compile(data["members"]),
            also=tuple(data.get("also", ())),
            version=re.compile(version) if version else None,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """How Debian's dependencies become units; the data is `nixdock/nixpkgs/debian/rules.json`."""

    ignored: frozenset[str]
    ignored_pattern: re.Pattern[str]
    without: Mapping[str, frozenset[str]]
    groups: tuple[UnitRule, ...]

    @classmethod
    def parse(cls, text: str) -> Rules:
        """Read the rules from their JSON text."""
        data = json.loads(text)
        return cls(
            ignored=frozenset(data["ignored"]),
            ignored_pattern=re.compile(data["ignoredPattern"]),
            without={name: frozenset(names) for name, names in data["without"].items()},
            groups=tuple(map(UnitRule.parse, data["units"])),
        )

    def keeps(self, package: str, dependency: str) -> bool:
        """Say whether this dependency of this package counts."""
        return (
            dependency not in self.ignored
            and not self.ignored_pattern.fullmatch(dependency)
            and dependency not in self.without.get(package, ())
        )


def resolve(packages: Mapping[str, Package], rules: Rules) -> Graph:
    """Return what each package needs, by one rule that no other package influences.

    Of the alternatives of a relation the first that exists counts; where none exists, the lowest-named
    package that provides the first alternative that anybody provides. A relation that nobody satisfies
    is left out, as are those that the rules ignore.
    """
    providers: dict[str, str] = {}
    for name in sorted(packages, reverse=True):
        for virtual in packages[name].provides:
            providers[virtual] = name
    graph: Graph = {}
    for name, package in packages.items():
        chosen = (_choose(alternatives, packages, providers) for alternatives in package.depends)
        graph[name] = tuple(
            dict.fromkeys(one for one in chosen if one and one != name and rules.keeps(name, one))
        )
    return graph


def closure(graph: Graph, names: Iterable[str]) -> tuple[str, ...]:
    """Return these packages and all that they need, in the order of discovery."""
    seen = dict.fromkeys(names)
    queue = list(seen)
    for name in queue:
        for dependency in graph[name]:
            if dependency not in seen:
                seen[dependency] = None
                queue.append(dependency)
    return tuple(seen)


def group(graph: Graph, rules: Rules) -> dict[str, str]:
    """Return the unit of each package that shares its store path with others: package to unit's name."""
    unit: dict[str, str] = {}
    for one in rules.groups:
        if one.name in graph:
            also = [name for name in one.also if name in graph]
            members = (name for name in closure(graph, [one.name, *also]) if one.members.fullmatch(name))
            unit.update(dict.fromkeys([one.name, *also, *members], one.name))
    for circle in circles(contract(graph, unit)):
        named = sorted(set(circle) & set(unit.values()))
        # The shortest name is the one people know: nodejs, not libnode108 or node-acorn.
        chief = named[0] if named else min(circle, key=lambda name: (len(name), name))
        joined = set(circle)
        unit.update({name: chief for name in graph if unit.get(name, name) in joined})
    return unit


def contract(graph: Graph, unit: Mapping[str, str]) -> Graph:
    """Return the graph of units: each with the units that its packages need."""
    needs: dict[str, dict[str, None]] = {}
    for name, dependencies in graph.items():
        chief = unit.get(name, name)
        needs.setdefault(chief, {}).update(dict.fromkeys(unit.get(one, one) for one in dependencies))
    return {chief: tuple(one for one in found if one != chief) for chief, found in needs.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return the sets of packages that depend on each other in a circle (Tarjan, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    found: list[list[str]] = []
    for root in graph:
        if root in number:
            continue
        work = [(root, iter(graph[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        waiting.add(root)
        while work:
            name, rest = work[-1]
            for one in rest:
                if one not in number:
                    number[one] = low[one] = len(number)
                    stack.append(one)
                    waiting.add(one)
                    work.append((one, iter(graph[one])))
                    break
                if one in waiting:
                    low[name] = min(low[name], number[one])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[name])
                if low[name] == number[name]:
                    start = stack.index(name)
                    circle = stack[start:]
                    del stack[start:]
                    waiting.difference_update(circle)
                    if len(circle) > 1:
                        found.append(sorted(circle))
    return found


def records(
    packages: Mapping[str, Package],
    graph: Graph,
    unit: Mapping[str, str],
    *,
    rules: Rules,
    repositories: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """Return what the lock says of each package.

    Args:
        packages: The index.
        graph: What each package needs.
        unit: The unit of each package that shares its store path with others.
        rules: How dependencies became units.
        repositories: The address of the repository of each package, by the SHA256 of its `.deb`; the
            empty key stands for all others.
    """
    needs = contract(graph, unit)
    members: dict[str, list[str]] = {}
    for name, chief in unit.items():
        members.setdefault(chief, []).append(name)
    found: dict[str, dict[str, Any]] = {}
    for name, package in packages.items():
        base = repositories.get(package.sha256, repositories[""])
        record: dict[str, Any] = {
            "version": package.version,
            "uri": address(base, package.filename),
            "sha256": package.sha256,
        }
        if package.description:
            record["description"] = package.description
        if package.homepage:
            record["homepage"] = package.homepage
        if unit.get(name, name) != name:
            record["unit"] = unit[name]
        else:
            record["needs"] = sorted(needs[name])
            if name in members:
                record["members"] = sorted(members[name])
        found[name] = record
    for one in rules.groups:
        for member in members.get(one.name, ()):
            if one.version and one.version.fullmatch(member):
                found[one.name]["unitVersion"] = packages[member].version
    return found


def shard(name: str) -> str:
    """Return the name of the shard that holds a package: the first ten bits of its name's SHA256."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"{digest[0]:02x}{digest[1] >> 6}"


def repositories(apt: Apt, indexes: Sequence[Index]) -> dict[str, str]:
    """Return the address to fetch from, by the SHA256 of the `.deb`; the empty key stands for the rest.

    apt does not say which repository an entry of its merged index is from. So the small ones (security)
    are read for what they hold; all else is from the largest.
    """
    sizes: dict[str, int] = {}
    for one in indexes:
        sizes[one.repository] = sizes.get(one.repository, 0) + one.file.stat().st_size
    largest = max(sizes, key=lambda repository: (sizes[repository], repository))
    found = {"": fetchable(largest) or largest}
    for one in indexes:
        if one.repository != largest:
            base = fetchable(one.repository) or one.repository
            found.update(dict.fromkeys(apt.files(one), base))
    return found


def bootstrap(graph: Graph, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the packages that the first builder is made of: a Python that only ever builds.

    It is the minimal Python with what it needs, and of the standard library's compiled modules those
    that read packages and hash quickly. Every evaluation asks for these: what of their records says how they
    are fetched stands beside their names, so that no shard is read for it.

    Args:
        graph: What each package depends on.
        found: The records of all packages.
    """
    python = next(name for name in graph["python3-minimal"] if name.startswith("python3."))
    parts = closure(graph, [python])
    more = (f"lib{python.removesuffix('-minimal')}-stdlib", "liblzma5", "libbz2-1.0", "libffi8")
    names = sorted({*parts, *(name for name in more if name in graph)})
    return {
        "python": names,
        "records": {name: {key: found[name][key] for key in ("version", "uri", "sha256")} for name in names},
    }


def write(directory: Path, found: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """Write the lock of one architecture into a directory; `about` gets the fingerprint of it all."""
    shards: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name in sorted(found):
        shards.setdefault(shard(name), {})[name] = found[name]
    content = hashlib.sha256()
    encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
    for name in SHARDS:
        text = encode(shards.get(name, {})).encode()
        content.update(text)
        (directory / f"{name}.json").write_bytes(text)
    (directory / "names.json").write_text(json.dumps(sorted(found), separators=(",", ":")), encoding="utf-8")
    about = {**about, "fingerprint": content.hexdigest()}
    (directory / "index.json").write_text(json.dumps(about, indent=1, sort_keys=True), encoding="utf-8")


def package(data: Mapping[str, str]) -> Package:
    """Read a package that `index.json` names in full."""
    return Package(
        name=data["name"], version=data["version"], filename=data["filename"], sha256=data["sha256"]
    )


def _in_full(package: Package) -> dict[str, str]:
    return {
        "name": package.name,
        "version": package.version,
        "filename": package.filename,
        "sha256": package.sha256,
    }


def _choose(
    alternatives: tuple[str, ...], packages: Mapping[str, Package], providers: Mapping[str, str]
) -> str | None:
    real = next((name for name in alternatives if name in packages), None)
    return real or next((providers[name] for name in alternatives if name in providers), None)


def make(directory: Path, *, apt: Apt, rules: Rules) -> None:
    """Ask apt and write the lock of its architecture into an empty directory.

    Raises:
        BuildError: apt is not there, has no lists, or none of Debian.
    """
    indexes = apt.indexes()
    with _without_collector():
        packages = apt.packages(indexes)
        for name in ("libc6", "bash", "python3-minimal", "busybox-static"):
            if name not in packages:
                raise BuildError(f"apt's package lists have no {name}", hint="run `apt-get update` as root")
        graph = resolve(packages, rules)
        bases = repositories(apt, indexes)
        found = records(packages, graph, group(graph, rules), rules=rules, repositories=bases)
        about: dict[str, Any] = {
            "architecture": apt.native_architecture(),
            "codenames": sorted({one.codename for one in indexes}),
            "bootstrap": bootstrap(graph, found),
            "busybox": _in_full(packages["busybox-static"]),
        }
        if "bash-static" in packages:
            about["shell"] = _in_full(packages["bash-static"])
        write(directory, found, about)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let Python make half a million small objects without looking through them for garbage meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
