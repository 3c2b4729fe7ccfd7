"""Vendors the crates of a Cargo.lock.

fetch LOCK FOLDER    to the folder, laid out as nixpkgs does it: the lock file, archives, repositories
make FOLDER OUT      of that a folder which cargo takes in the place of registries and repositories
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = re.compile(r"(?:registry|sparse)\+(https?)://(?:.*/([^/]+)-index|index\.([^/]+))/?")


def foreign(lock: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the packages of others, and the hashes that old lock files have at their end."""
    data = tomllib.loads(lock.read_text())
    return [one for one in data.get("package", []) if "source" in one], data.get("metadata", {})


def repository(source: str) -> tuple[str, str, dict[str, list[str]]]:
    """Split the source of a git package into address, commit, and what else it is known by."""
    parts = urlsplit(source.removeprefix("git+"))
    return parts._replace(query="", fragment="").geturl(), parts.fragment, parse_qs(parts.query)


def fetch(lock: Path, folder: Path) -> None:
    """Fetch what the lock file names."""
    shutil.copy(lock, folder / "Cargo.lock")
    config = []
    for one in foreign(lock)[0]:
        if one["source"].startswith("git+"):
            address, commit, _ = repository(one["source"])
            clone(address, commit, folder / "git" / commit)
            continue
        index = INDEX.fullmatch(one["source"])
        if index is None:
            sys.exit(f"error: {one['name']} is of a registry whose address is not known: {one['source']}")
        name, version = one["name"], one["version"]
        address = f"{index[1]}://{index[2] or index[3]}/api/v1/crates/{name}/{version}/download"
        config.append(f'url = "{address}"\noutput = "{folder}/tarballs/{name}-{version}.tar.gz"\n')
    if config:
        (folder / "tarballs").mkdir()
        words = ["curl", "--fail", "--silent", "--show-error", "--location", "--retry", "3", "--parallel"]
        done = subprocess.run([*words, "--config", "-"], input="".join(config), text=True, check=False)
        sys.exit(done.returncode)


def clone(address: str, commit: str, target: Path) -> None:
    """Fetch one commit of a repository."""
    if target.exists():
        return
    target.mkdir(parents=True)
    git = ["git", "-C", str(target)]
    for words in (
        ["init", "-q"],
        ["fetch", "-q", "--depth", "1", address, commit],
        ["checkout", "-q", "FETCH_HEAD"],
    ):
        subprocess.run([*git, *words], check=True)
    shutil.rmtree(target / ".git")


def make(folder: Path, out: Path) -> None:
    """Unpack all, and write what cargo wants to know of it."""
    out.mkdir()
    (out / ".cargo").mkdir()
    shutil.copy(folder / "Cargo.lock", out / "Cargo.lock")
    packages, hashes = foreign(out / "Cargo.lock")
    sources = {'"crates-io"': ""}
    for one in packages:
        name, version, source = one["name"], one["version"], one["source"]
        target = out / f"{name}-{version}"
        checksum = one.get("checksum") or hashes.get(f"checksum {name} {version} ({source})")
        if source.startswith("git+"):
            address, commit, known = repository(source)
            shutil.copytree(crate(folder / "git" / commit, name), target, symlinks=True)
            kinds = "".join(
                f"{kind} = {json.dumps(known[kind][0])}\n"
                for kind in ("rev", "tag", "branch")
                if kind in known
            )
            sources[json.dumps(source.partition("#")[0])] = f"git = {json.dumps(address)}\n{kinds}"
        else:
            target.mkdir()
            with tarfile.open(folder / "tarballs" / f"{name}-{version}.tar.gz") as archive:
                for member in archive:
                    member.name = member.name.partition("/")[2]
                    if member.name:
                        archive.extract(member, target, set_attrs=member.isreg())
            if not re.search(r"/crates\.io-index$|//index\.crates\.io/", source):
                sources[json.dumps(source)] = f"registry = {json.dumps(source.removeprefix('registry+'))}\n"
        target.chmod(0o755)
        (target / ".cargo-checksum.json").unlink(missing_ok=True)
        (target / ".cargo-checksum.json").write_text(json.dumps({"files": {}, "package": checksum}))
    text = "".join(
        f'[source.{name}]\n{known}replace-with = "vendored-sources"\n\n' for name, known in sources.items()
    )
    (out / ".cargo" / "config").write_text(f'{text}[source.vendored-sources]\ndirectory = "@vendor@"\n')


def crate(tree: Path, name: str) -> Path:
    """Find a crate in a repository."""
    for file in sorted(tree.rglob("Cargo.toml"), key=lambda path: len(path.parts)):
        if tomllib.loads(file.read_text()).get("package", {}).get("name") == name:
            return file.parent
    sys.exit(f"error: the repository {tree.name} has no crate {name}")


def main() -> None:
    """Do what the arguments say."""
    command, one, other = sys.argv[1:]
    {"fetch": fetch, "make": make}[command](Path(one), Path(other))


if __name__ == "__main__":
    main()
