"""Asking apt what Debian offers to this machine, without touching the system's state.

Nothing here needs root, takes a lock or writes below `/var`: apt is told of an empty dpkg status (else
installed versions would win over the index), of no package cache, and of a private list of sources that
holds Debian's own entries only. So a third-party repository on the machine neither breaks the package
set nor replaces a package of it.

Another architecture than the machine's is asked for without adding it there (`dpkg --add-architecture` would
change the system): by a private configuration, with lists in a directory of ours.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from nixdock import process
from nixdock.errors import BuildError
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ORIGIN = "Debian"
"""The `Origin:` of the repositories whose packages make the set."""

HELPER = "/usr/lib/apt/apt-helper"
"""apt's own reader of compressed lists, which is on nobody's PATH."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""Debian's own keys, where its package `debian-archive-keyring` has them."""

_FIELDS = (
    "SITE",
    "REPO_URI",
    "RELEASE",
    "COMPONENT",
    "ARCHITECTURE",
    "ORIGIN",
    "CODENAME",
    "FILENAME",
)
_STATELESS = (
    "-o", "Dir::State::status=/dev/null",
    "-o", "Dir::Cache::pkgcache=",
    "-o", "Dir::Cache::srcpkgcache=",
    "-o", "Debug::NoLocking=1",
)  # fmt: skip
_FIELD = re.compile(
    r"^(Package|Version|Architecture|(?:Pre-)?Depends|Provides|Filename|SHA256|Description|Homepage): (.*)",
    re.MULTILINE,
)
_RELATION = re.compile(r"[^\s(:\[<]+")
_UPDATE = "run `apt-get update` as root"


@dataclass(frozen=True, slots=True)
class Index:
    """One downloaded `Packages` file of a repository."""

    repository: str
    release: str
    component: str
    architecture: str
    origin: str
    codename: str
    file: Path


@dataclass(frozen=True, slots=True)
class Package:
    """What the index says of a package: the version that apt would install where none is installed.

    Attributes:
        depends: Each relation's alternatives, in Debian's order, without versions and architectures.
        provides: The virtual names it answers to.
        filename: The path of its `.deb` below the repository.
    """

    name: str
    version: str
    filename: str
    sha256: str
    depends: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()
    description: str = ""
    homepage: str = ""


@dataclass(frozen=True, slots=True)
class Apt:
    """apt as one architecture of this machine sees it.

    Attributes:
        architecture: Debian's name of the architecture (`amd64`); the machine's own when empty.
        options: What every call is told first: `-c`/`-o` words that point to a private configuration.
    """

    architecture: str = ""
    options: tuple[str, ...] = ()

    def native_architecture(self) -> str:
        """Return Debian's name of the architecture that is asked for."""
        return self.architecture or self.configuration("APT::Architecture")["APT::Architecture"]

    def configuration(self, *names: str) -> dict[str, str]:
        """Return settings of apt; a `/d` or `/f` behind a name asks for the absolute directory or file."""
        variables = {f"V{number}": name for number, name in enumerate(names)}
        text = self._ask("apt-config", "shell", *(word for pair in variables.items() for word in pair))
        values = dict(line.split("=", 1) for line in split_lines(text) if "=" in line)
        return {name: values.get(variable, "''")[1:-1] for variable, name in variables.items()}

    def indexes(self) -> tuple[Index, ...]:
        """Return Debian's package indexes on this machine.

        Raises:
            BuildError: There are none, or they are of somebody else.
        """
        form = "\t".join(f"$({name})" for name in _FIELDS)
        rows = split_lines(self._ask("apt-get", "indextargets", "--format", form, "Created-By: Packages"))
        every = [self._index(row) for row in rows]
        if not every:
            raise BuildError("apt has no package lists on this machine", hint=_UPDATE)
        wanted = {self.native_architecture(), "all"}
        ours = tuple(one for one in every if one.origin == ORIGIN and one.architecture in wanted)
        if not ours:
            origins = ", ".join(sorted({one.origin or "unknown" for one in every}))
            raise BuildError(
                f"apt has no package lists of Debian for {self.native_architecture()}, only of: {origins}",
                hint="the offline package set needs Debian's; or name another: --nixpkgs PATH",
            )
        return ours

    def packages(self, indexes: Sequence[Index]) -> dict[str, Package]:
        """Return every package of these indexes by name, each in the version that apt prefers."""
        with _sources(indexes) as sources:
            text = self._ask("apt-cache", *_STATELESS, *sources, "dumpavail")
        wanted = {self.native_architecture(), "all"}
        stanzas = parse_stanzas(text)
        found = {
            fields["Package"]: _package(fields)
            for fields in stanzas
            if fields.get("Architecture") in wanted and "SHA256" in fields
        }
        if not found:
            raise BuildError("apt's package lists are empty", hint=_UPDATE)
        return found

    def files(self, index: Index) -> frozenset[str]:
        """Return the SHA256 of every `.deb` that an index lists."""
        text = self._ask(HELPER, "cat-file", str(index.file))
        return frozenset(re.findall(r"^SHA256: ([0-9a-f]{64})$", text, re.MULTILINE))

    def update(self) -> None:
        """Download the lists of the private configuration that the options name.

        Raises:
            BuildError: They could not be had; the reason is apt's.
        """
        words = ("-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none")
        outcome = _run(["apt-get", "-qq", *self.options, *words, "update"])
        if not outcome:
            raise BuildError(
                f"apt could not download Debian's package lists for {self.native_architecture()}",
                hint="check the network, then try again",
                details=outcome.error_text.strip(),
            )

    def fetch(self, package: Package, directory: Path) -> Path:
        """Download one `.deb` into a directory with apt's own settings for mirrors and proxies.

        Raises:
            BuildError: It could not be had; the reason is apt's.
        """
        asked = f"{package.name}={package.version}"
        options = (*self.options, *_STATELESS, "-o", "APT::Sandbox::User=", "-o", "Acquire::ForceHash=SHA256")
        outcome = _run(["apt-get", "-qq", *options, "download", asked], cwd=directory)
        files = list(directory.glob("*.deb"))
        if not outcome or not files:
            raise BuildError(
                f"apt could not download {package.name} {package.version}",
                hint=f"if the lists are old, {_UPDATE}",
                details=outcome.error_text.strip(),
            )
        return files[0]

    def _index(self, row: str) -> Index:
        value = dict(zip(_FIELDS, row.split("\t"), strict=True))
        return Index(
            repository=value["REPO_URI"] or value["SITE"],
            release=value["RELEASE"],
            component=value["COMPONENT"],
            architecture=value["ARCHITECTURE"],
            origin=value["ORIGIN"],
            codename=value["CODENAME"],
            file=Path(value["FILENAME"]),
        )

    def _ask(self, program: str, *words: str) -> str:
        outcome = _run([program, *self.options, *words])
        if not outcome:
            raise BuildError(f"{program} failed", details=outcome.error_text.strip())
        return outcome.text


@contextmanager
def ask_for(architecture: str, native: Sequence[Index]) -> Iterator[Apt]:
    """Give apt as a machine of another architecture sees it, with lists that are fetched for the while.

    Args:
        architecture: Debian's name of it (`arm64`).
        native: The machine's own indexes: their repositories are asked.

    Raises:
        BuildError: The lists cannot be had, or Debian has none for it.
    """
    with tempfile.TemporaryDirectory(prefix="nixdock-apt-") as scratch:
        asked = _configure(Path(scratch), architecture, native)
        asked.update()
        try:
            asked.indexes()
        except BuildError as error:
            codenames = ", ".join(sorted({one.codename for one in native}))
            raise BuildError(
                f"Debian ({codenames}) has no packages for {architecture}",
                hint="what it lacks is in the real nixpkgs: --nixpkgs PATH",
            ) from error
        yield asked


def parse_stanzas(text: str) -> list[dict[str, str]]:
    """Return the fields that matter of each package that `apt-cache dumpavail` prints.

    Of a field of several lines the first is kept. A stanza begins with its `Package:`, as they all do; one
    search over all of the 50 MB takes a third of the time of looking at each stanza.
    """
    stanzas: list[dict[str, str]] = []
    for name, value in _FIELD.findall(text):
        if name == "Package":
            stanzas.append({})
        if stanzas:
            stanzas[-1][name] = value
    return stanzas


def parse_relations(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the alternatives of each relation of a dependency field, names alone.

    >>> parse_relations("libc6 (>= 2.34), python3:any, default-mta | mail-transport-agent")
    (('libc6',), ('python3',), ('default-mta', 'mail-transport-agent'))
    """
    if not text:
        return ()
    groups = dict.fromkeys(_alternatives(relation.strip()) for relation in text.split(","))
    groups.pop((), None)
    return tuple(groups)


@cache
def _alternatives(relation: str) -> tuple[str, ...]:
    # Cached, for an index names the same few thousand relations over and over.
    return tuple(match.group() for one in relation.split("|") if (match := _RELATION.match(one.strip())))


def fetchable(repository: str) -> str | None:
    """Return the address at which Nix can fetch from a repository of apt, or None where it cannot.

    Nix speaks http, https and file. A `mirror+file:` source names a file of mirrors: its first line
    that Nix can fetch from counts.
    """
    scheme, _, rest = repository.partition(":")
    if scheme in {"http", "https", "file"}:
        return repository.rstrip("/")
    if scheme == "copy":
        return f"file:{rest}".rstrip("/")
    if scheme == "mirror+file":
        try:
            lines = split_lines(Path("/" + rest.lstrip("/")).read_bytes().decode(errors="replace"))
        except OSError:
            return None
        words = (line.split()[0] for line in lines if line.strip() and not line.startswith("#"))
        return next((found for word in words if (found := fetchable(word))), None)
    return None


def address(repository: str, filename: str) -> str:
    """Return the URI of a file of a repository."""
    return f"{repository}/{quote(filename, safe='/+~:')}"


def _package(fields: dict[str, str]) -> Package:
    relations = ", ".join(fields[name] for name in ("Pre-Depends", "Depends") if name in fields)
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        filename=fields["Filename"],
        sha256=fields["SHA256"],
        depends=parse_relations(relations),
        provides=tuple(name for (name,) in parse_relations(fields.get("Provides", ""))),
        description=fields.get("Description", ""),
        homepage=fields.get("Homepage", ""),
    )


@contextmanager
def _sources(indexes: Sequence[Index]) -> Iterator[tuple[str, ...]]:
    """Give the options that make apt see these indexes and no others."""
    with tempfile.TemporaryDirectory(prefix="nixdock-apt-") as directory:
        file = Path(directory) / "sources.list"
        _write_sources(file, indexes)
        yield ("-o", f"Dir::Etc::sourcelist={file}", "-o", "Dir::Etc::sourceparts=/dev/null")


def _write_sources(file: Path, indexes: Sequence[Index]) -> None:
    entries = sorted({(one.repository, one.release, one.component) for one in indexes})
    file.write_text("".join(f"deb {' '.join(entry)}\n" for entry in entries), encoding="utf-8")


def _run(argv: list[str], *, cwd: Path | None = None) -> process.Outcome:
    try:
        return process.run(argv, cwd=cwd)
    except FileNotFoundError as error:
        raise BuildError(
            f"no {Path(argv[0]).name} on this machine: the offline package set is made of Debian's packages",
            hint="on another system name a package set: --nixpkgs PATH, or set NIX_PATH",
        ) from error


def _configure(directory: Path, architecture: str, native: Sequence[Index]) -> Apt:
    sources = directory / "sources.list"
    _write_sources(sources, native)
    (directory / "lists/partial").mkdir(parents=True)
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Dir::State::lists": directory / "lists",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        # Sources name their keys, indexes do not; keys of the machine's own count besides.
        "Dir::Etc::trusted": KEYRING,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
    }
    return Apt(
        architecture=architecture,
        options=tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}")),
    )
