"""`nixdock doctor`: what nixdock needs of a machine, looked at one by one, and the command that mends it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nixdock import process, settings
from nixdock.cli.options import HelpfulCommand, Session, session_options, show_json
from nixdock.cli.plugin_command import find_plugins
from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.errors import NixdockError
from nixdock.hints import as_root, ourselves_as_root
from nixdock.nix import package_set
from nixdock.nix.command import NixOptions
from nixdock.nix.failure import explain_text
from nixdock.nix.machine import DEFAULT_GROUP, SYSTEMD, hint_for_users
from nixdock.nix.settings import find_settings, find_shell
from nixdock.nix.store import store_dir
from nixdock.nixpkgs.assembly import offline_set
from nixdock.out import say, say_json
from nixdock.text import format_bytes, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OLDEST_NIX: Final = (2, 8)
_ANSWER_SECONDS: Final = 60
_PROBE: Final = """
derivation {
  name = "nixdock-doctor";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "echo built > $out" ];
}
"""


class State(StrEnum):
    """How a part of the machine was found."""

    OK = "ok"
    OPTIONAL = "optional"
    """Not as it could be; only what the message names suffers."""
    MISSING = "missing"


_SPACE: Final = ((300_000_000, State.MISSING), (2_000_000_000, State.OPTIONAL))
"""What it is to have fewer free bytes than that."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A part of the machine: how it was found, in a word and in a sentence, and the command that mends it."""

    part: str
    state: State
    message: str
    mend: str | None = None


@click.command(cls=HelpfulCommand)
@show_json
@session_options
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Say what is missing here, and the command that mends it.

    The exit status is 0 when nothing that nixdock needs is missing, and 1 otherwise. What is called
    optional is needed for some uses only.

    \b
    Examples:
      nixdock doctor
      nixdock doctor --json
    """
    findings: list[Diagnosis] = []
    for finding in examine(session):
        findings.append(finding)
        if not as_json:
            session.close()
            _show(finding)
    session.close()
    missing = sum(finding.state is State.MISSING for finding in findings)
    if as_json:
        document = {"ok": not missing, "findings": [asdict(finding) for finding in findings]}
        say_json(document)
    else:
        summary = "nothing is missing" if not missing else f"{missing} missing; mend the first one first"
        session.tell_note(summary)
    return 1 if missing else 0


def _show(finding: Diagnosis) -> None:
    say(f"{finding.state:9} {finding.part:11} {finding.message}")
    if finding.mend:
        say(f"{'':9} {'':11} mend: {finding.mend}")


def examine(session: Session) -> Iterator[Diagnosis]:
    """Look at everything, and tell each finding as soon as it is known."""
    probes: tuple[tuple[str, Callable[[Session], Iterator[Diagnosis]]], ...] = (
        ("nix", _examine_nix),
        ("nixpkgs", _examine_package_set),
        ("builds", _examine_builds),
        ("engine", _examine_engine),
        ("docker", _examine_docker),
        ("namespaces", _examine_namespaces),
        ("disk", _examine_disk),
        ("folders", _examine_directories),
    )
    for part, probe in probes:
        try:
            yield from probe(session)
        except NixdockError as error:
            yield Diagnosis(part, State.MISSING, error.message, error.hint)
        except (OSError, TimeoutError) as error:
            yield Diagnosis(part, State.MISSING, f"{part} could not be looked at: {error}")


def _examine_nix(_session: Session) -> Iterator[Diagnosis]:
    if shutil.which("nix-build") is None or shutil.which("nix") is None:
        yield Diagnosis("nix", State.MISSING, "Nix is not installed", _install("nix-bin"))
        return
    text = process.run(["nix", "--version"], timeout=_ANSWER_SECONDS).text.strip()
    # nix (Nix) 2.8.0 · nix (Nix) 2.34pre20260101_abcdef · nix (Lix, like Nix) 2.93.0
    version = re.match(r"(\d+)\.(\d+)", text.rpartition(" ")[2])
    if version and (int(version[1]), int(version[2])) < _OLDEST_NIX:
        yield Diagnosis(
            "nix", State.MISSING, f"{text} is too old: 2.8 or later is needed", _install("nix-bin")
        )
        return
    # Asks the store, or the daemon, about a path; any answer will do.
    path = store_dir() / f"{'0' * 32}-nixdock-doctor"
    opened = process.run(["nix-store", "--check-validity", "--print-invalid", path], timeout=_ANSWER_SECONDS)
    if opened:
        yield Diagnosis("nix", State.OK, text)
        return
    # As `up` tells it: one fault, one remedy.
    known = explain_text(opened.error_text)
    message = known.message if known else "the Nix store cannot be used"
    yield Diagnosis("nix", State.MISSING, f"{message}: {_last_line(opened)}", known.hint if known else None)


def _examine_package_set(session: Session) -> Iterator[Diagnosis]:
    chosen = package_set.choose(listener=session.listener)
    yield Diagnosis("nixpkgs", State.OK, chosen.origin)


def _examine_builds(_session: Session) -> Iterator[Diagnosis]:
    if shutil.which("nix-build") is None:
        return
    settings_of_ours = find_settings(NixOptions(), shell=find_shell(offline_set.stable_path()))
    config = settings_of_ours.as_nix_config()
    lacking = settings_of_ours.evaluation.keys() - {"sandbox-fallback"}
    environ = {**os.environ, "NIX_CONFIG": f"{os.environ.get('NIX_CONFIG', '')}\n{config}"}
    # Once for it to be there, then for it to be built whether it is there or not.
    for words in ([], ["--check"]):
        # It is the machine that is looked at: a working directory that has been removed is no fault of it.
        outcome = process.run(
            ["nix-build", "--no-out-link", *words, "-E", _PROBE],
            env=environ,
            cwd=Path("/"),
            timeout=_ANSWER_SECONDS,
        )
        if not outcome:
            known = explain_text(outcome.error_text)
            line = _last_line(outcome)
            mend = known.hint if known else hint_for_users() if DEFAULT_GROUP in line else None
            message = known.message if known else "Nix cannot build here"
            yield Diagnosis("builds", State.MISSING, f"{message}: {line}", mend)
            return
    yield Diagnosis(
        "builds", State.OK, "Nix builds" + (", with settings that nixdock passes" if lacking else "")
    )


def _examine_engine(session: Session) -> Iterator[Diagnosis]:
    address = session.address()
    try:
        with session.connect() as engine:
            info = engine.info
            yield Diagnosis(
                "engine",
                State.OK,
                f"{engine.version.product} {engine.version.version} at {address.url} ({info.driver})",
            )
            if address.is_local:
                yield from _examine_space("the engine's images", Path(info.root), "nixdock prune")
    except EngineUnreachableError as error:
        mend = error.hint
        socket = address.socket_path
        if socket is not None and not os.access(socket, os.F_OK):
            mend = _find_engine_starter()
        yield Diagnosis("engine", State.MISSING, error.message, mend)


def _find_engine_starter() -> str:
    """Return the command that gives this machine an engine."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if shutil.which("dockerd", path=path) is None:
        return _install("docker.io")
    return as_root("systemctl start docker") if SYSTEMD.is_dir() else ourselves_as_root("engine start")


def _examine_docker(_session: Session) -> Iterator[Diagnosis]:
    found = shutil.which("docker")
    if found is None:
        mend = _install("docker-cli" if _knows_package("docker-cli") else "docker.io")
        yield Diagnosis("docker", State.OPTIONAL, "no docker program: nixdock does without one", mend)
        return
    if Path(found).resolve().name == "podman" or _is_podman(found):
        yield Diagnosis("docker", State.OPTIONAL, f"{found} is Podman's, which runs no plugins")
        return
    yield Diagnosis("docker", State.OK, found)
    plugins = find_plugins()
    if plugins and plugins[0].version:
        yield Diagnosis("plugin", State.OK, f"docker nixdock is {plugins[0].path}")
    else:
        fault = f"{plugins[0].path} does not run" if plugins else "no docker nixdock"
        yield Diagnosis("plugin", State.OPTIONAL, fault, "nixdock plugin install")


def _is_podman(program: str) -> bool:
    """Whether a docker program is the script of Debian's podman-docker."""
    try:
        with Path(program).open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    return start.startswith(b"#!") and b"podman" in start


def _examine_namespaces(_session: Session) -> Iterator[Diagnosis]:
    try:
        outcome = process.run(["unshare", "--user", "--map-root-user", "true"], timeout=_ANSWER_SECONDS)
    except FileNotFoundError:
        return
    if outcome:
        yield Diagnosis("namespaces", State.OK, "user namespaces can be made")
        return
    switch = Path("/proc/sys/kernel/unprivileged_userns_clone")
    blocked = switch.exists() and switch.read_text(encoding="utf-8", errors="replace").strip() == "0"
    setting = "kernel.unprivileged_userns_clone=1" if blocked else "user.max_user_namespaces=10000"
    yield Diagnosis(
        "namespaces",
        State.OPTIONAL,
        "no user namespaces: images with runAsRoot or fakeRootCommands cannot be built",
        as_root(f"sysctl -w {setting}"),
    )


def _examine_disk(_session: Session) -> Iterator[Diagnosis]:
    yield from _examine_space("the Nix store", store_dir(), "nix-collect-garbage")
    yield from _examine_space("temporary files", Path(tempfile.gettempdir()), None)


def _examine_space(what: str, directory: Path, mend: str | None) -> Iterator[Diagnosis]:
    existing = next((path for path in (directory, *directory.parents) if settings.is_there(path)), None)
    if existing is None:
        return
    free = shutil.disk_usage(existing).free
    message = f"{format_bytes(free)} free for {what} ({directory})"
    state = next((state for limit, state in _SPACE if free < limit), State.OK)
    yield Diagnosis("disk", state, message, None if state is State.OK else mend)


def _examine_directories(_session: Session) -> Iterator[Diagnosis]:
    for variable, directory in (
        ("NIXDOCK_CACHE_DIR", settings.cache_dir()),
        ("NIXDOCK_STATE_DIR", settings.state_dir()),
    ):
        existing = next(path for path in (directory, *directory.parents) if settings.is_there(path))
        if existing.is_dir() and os.access(existing, os.W_OK):
            yield Diagnosis("folders", State.OK, str(directory))
        else:
            yield Diagnosis(
                "folders",
                State.OPTIONAL,
                f"{directory} cannot be written: what nixdock learns is forgotten",
                f"export {variable}=/some/folder/of/yours",
            )


def _install(package: str) -> str:
    if shutil.which("apt-get") is None:
        return f"install {package} with this system's package manager"
    return as_root(f"apt-get install {package}")


def _knows_package(name: str) -> bool:
    try:
        return bool(process.run(["apt-cache", "show", name], timeout=_ANSWER_SECONDS).stdout)
    except FileNotFoundError:
        return False


def _last_line(outcome: process.Outcome) -> str:
    # A current Nix has what is wrong below the word.
    text = re.sub(r"^error:\s+", "error: ", outcome.error_text, flags=re.MULTILINE)
    lines = [line for line in split_lines(text) if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or [f"exit status {outcome.status}"])[-1].removeprefix("error:").strip()
