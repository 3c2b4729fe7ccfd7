"""Packages of another Debian release, unpacked beside this one and never installed.

apt itself does the work, with a private configuration: its own sources, lists and cache. The mirror
is the one that this machine's apt already uses, so no host name stands here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from collections.abc import Callable

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def cache_root() -> Path:
    """Return the folder that keeps downloads between test runs."""
    return Path(os.environ.get("NIXDOCK_TEST_CACHE") or Path.home() / ".cache" / "nixdock-tests")


def mirror() -> str:
    """Return the URI of the Debian mirror that this machine's apt uses."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for line in lines:
        label, _, uri = line.partition(" ")
        if label == "Debian":
            return uri
    raise RuntimeError("apt knows no Debian mirror: run apt-get update")


def _apt_options(folder: Path) -> list[str]:
    return [
        f"-oDir::Etc::sourcelist={folder}/sources.list",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={folder}/lists",
        f"-oDir::Cache={folder}/cache",
        "-oDir::State::status=/dev/null",
        "-oDebug::NoLocking=1",
        "-oAPT::Get::List-Cleanup=0",
        # Downloads land in our own folders, which apt's own user need not reach.
        "-oAPT::Sandbox::User=root",
    ]


def unpack(suite: str, *packages: str) -> Path:
    """Return a folder that holds the unpacked packages of a suite (`trixie`, `sid`), fetched once.

    Each package's own files only: what they depend on is named by the caller.
    """
    return _unpack(suite, "+".join(packages), lambda _options: list(packages))


def unpack_with_libraries(suite: str, package: str) -> Path:
    """Return a folder that holds a package of a suite and every library it needs, libc among them."""

    def choose(options: list[str]) -> list[str]:
        shown = subprocess.run(
            [
                "apt-get",
                "-qq",
                "--yes",
                "--no-install-recommends",
                "--print-uris",
                *options,
                "install",
                package,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        names = [line.split()[1].partition("_")[0] for line in shown if line.startswith("'")]
        return [name for name in names if name == package or name.startswith(("lib", "zlib"))]

    return _unpack(suite, f"{package} with libraries", choose)


def _unpack(suite: str, name: str, choose: Callable[[list[str]], list[str]]) -> Path:
    folder = cache_root() / suite
    root = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "lock"):
        if root.exists():
            return root
        options = _apt_options(folder)
        (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
        subprocess.run(["apt-get", "-qq", *options, "update"], check=True)
        debs = folder / "debs" / name
        shutil.rmtree(debs, ignore_errors=True)
        debs.mkdir(parents=True)
        subprocess.run(["apt-get", "-qq", *options, "download", *choose(options)], check=True, cwd=debs)
        half = folder / f"{name}.half"
        shutil.rmtree(half, ignore_errors=True)
        for deb in sorted(debs.glob("*.deb")):
            subprocess.run(["dpkg", "-x", deb, half], check=True)
        half.rename(root)
    return root
