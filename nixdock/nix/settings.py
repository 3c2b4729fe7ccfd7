"""What Nix's configuration lacks on this machine, so that nixdock passes it with its own calls.

A machine that somebody has configured is respected: nothing is passed where a daemon builds, or
where root has build users. What is left is Nix as a package leaves it: root without the group
`nixbld`, whose first build would fail, and a sandbox without a `/bin/sh`. Then nixdock says, for its
own calls only:

- `build-users-group =` (empty: build as root, inside the sandbox),
- `sandbox = true`; and, wherever our Nix builds, `sandbox-fallback = false`: a sandbox that cannot be had
  is an error then, and `--option sandbox false` (or `sandbox-fallback true`) allows to build without,
- `sandbox-paths` with a static shell as `/bin/sh`, where there is one: that of the offline package set,
  which finds programs by PATH, else a busybox, which takes its own first,
- `substituters` with those binary caches only that answer, if something is to be built at all:
  Nix waits 4 to 5 s for each process that meets an unreachable one.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nixdock import process
from nixdock.log import get_logger
from nixdock.nix.command import show_config
from nixdock.nix.machine import BUSYBOX, DEFAULT_GROUP, has_members, runs_alone
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nixdock.nix.command import NixOptions

log = get_logger(__name__)

Answer = TypeVar("Answer")

_SHELL: Final = "/bin/sh"
_ABOUT_JOBS: Final = re.compile(r"^\s*(?:(?:build-)?max-jobs\b|!?include\b)", re.MULTILINE)
_NO_PATH: Final = "/path-not-set"
"""What Nix sets PATH to for a build that says nothing of it."""
_LOCAL_STORES: Final = (None, "", "auto", "local")

_FLAKES_IN_2_8: Final = 2
_PATIENCE: Final = 1.5
"""Seconds that a binary cache has to take a connection."""
_LATELY: Final = 60.0
"""Seconds for which an answer holds in one process: what builds again and again does not wait each time."""
_heard: Final[dict[str, tuple[float, Any]]] = {}


@dataclass(frozen=True, slots=True)
class ObservedMachine:
    """What there is to know of a machine's Nix before asking Nix itself.

    Args:
        is_root: Whether we are root.
        builds_itself: Whether our Nix processes build, and not a daemon.
        has_build_users: Whether the group `nixbld` has members.
        is_configured: Whether any configuration is there: a file, or NIX_CONFIG.
        shell: A static shell, the sandbox's `/bin/sh`.
    """

    is_root: bool
    builds_itself: bool
    has_build_users: bool
    is_configured: bool
    shell: Path | None


@dataclass(frozen=True, slots=True)
class NixConfig:
    """The part of Nix's configuration that decides whether a build can start.

    Args:
        build_users_group: The group of the build users; empty builds as the caller.
        has_build_users: Whether that group has members, or Nix makes up users itself.
        sandbox: Whether builds run in a sandbox.
        sandbox_paths: What is seen in the sandbox, each `INSIDE=OUTSIDE` or a path that is both.
        substituters: The binary caches.
        flakes: Whether flakes are enabled.
    """

    build_users_group: str = DEFAULT_GROUP
    has_build_users: bool = False
    sandbox: bool = True
    sandbox_paths: tuple[str, ...] = ()
    substituters: tuple[str, ...] = ()
    flakes: bool = False

    @property
    def has_shell(self) -> bool:
        """Whether the sandbox has a `/bin/sh` that exists."""
        return any(
            inside == _SHELL and is_there(Path(outside.removesuffix("?")))
            for inside, outside in map(_split_sandbox_path, self.sandbox_paths)
        )


@dataclass(frozen=True, slots=True)
class NixSettings:
    """What to pass to the Nix programs.

    Args:
        evaluation: For all of them, by name.
        _substituters: The binary caches that are asked for a build; None where Nix's own are left alone.
    """

    evaluation: Mapping[str, str] = field(default_factory=dict)
    _substituters: Callable[[], Sequence[str]] | None = None

    def for_build(self) -> Mapping[str, str]:
        """Return what to pass where something is to be built: asks the binary caches for an answer."""
        if self._substituters is None:
            return self.evaluation
        configured = self._substituters()
        answering = [uri for uri in configured if _ask_lately(uri, partial(answers, uri))]
        if list(configured) == answering:
            return self.evaluation
        log.info("nix.substituters", configured=configured, answering=answering)
        return {**self.evaluation, "substituters": " ".join(answering)}

    def as_nix_config(self) -> str:
        """Return them in the form of `nix.conf`, for NIX_CONFIG."""
        return "".join(f"{name} = {value}\n" for name, value in self.for_build().items())


def find_shell(package_set: Path) -> Path | None:
    """Return the offline package set's shell for sandboxes: its own, or the busybox that it starts from."""
    found = (path for form in ("shell/*/sh", "bootstrap/*/bin/busybox") for path in package_set.glob(form))
    return next(filter(runs_alone, found), None)


def find_settings(options: NixOptions, *, shell: Path | None = None, strict: bool = True) -> NixSettings:
    """Return what nixdock must pass to Nix on this machine: mostly nothing.

    Args:
        options: The user's own; what they say is not said again.
        shell: The static shell of the package set (`find_shell`).
        strict: Whether a sandbox that cannot be had is an error, as in all of nixdock's own calls.
    """
    machine = observe(options, shell)
    if not machine.builds_itself:
        return NixSettings()
    # Nix's own default builds without a sandbox then, and says nothing.
    own = {"sandbox-fallback": "false"} if strict else {}
    if machine.is_root and machine.has_build_users:
        return NixSettings(own)
    config = ask_config() if machine.is_configured else NixConfig()
    lacking = decide(machine, config)
    settings = {**own, **lacking}
    if not lacking:
        return NixSettings(own)
    if options.substituters is not None or any(name == "substituters" for name, _ in options.settings):
        return NixSettings(settings)
    if machine.is_configured:
        return NixSettings(settings, lambda: config.substituters)
    return NixSettings(settings, lambda: _ask_lately("", ask_config).substituters)


def enables_flakes(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody has set this machine up for flakes: then what a flake names can be fetched."""
    if not environ.get("NIX_CONFIG") and not any(is_there(file) for file in config_files(environ)):
        return False
    return ask_config().flakes


def decide(machine: ObservedMachine, config: NixConfig) -> dict[str, str]:
    """Return the settings that a machine lacks, by name.

    Args:
        machine: What was seen.
        config: What is configured; Nix's defaults where nothing is.
    """
    settings: dict[str, str] = {}
    if not machine.builds_itself:
        return settings
    lacks_users = machine.is_root and config.build_users_group != "" and not config.has_build_users
    if lacks_users:
        settings["build-users-group"] = ""
        if config.sandbox:
            settings["sandbox"] = "true"
    if (
        config.sandbox
        and not config.has_shell
        and machine.shell
        and (lacks_users or not machine.is_configured)
    ):
        others = [path for path in config.sandbox_paths if _split_sandbox_path(path)[0] != _SHELL]
        own = [f"{_SHELL}={machine.shell}"]
        # What a build without a PATH of its own finds, as by a busybox.
        if is_there(tools := machine.shell.parent / "tools"):
            own.append(f"{_NO_PATH}={tools}")
        settings["sandbox-paths"] = " ".join([*others, *own])
    return settings


def observe(
    options: NixOptions, shell: Path | None = None, environ: Mapping[str, str] = os.environ
) -> ObservedMachine:
    """Look at the machine without starting a process.

    Args:
        options: The user's own, for the store.
        shell: A static shell that goes before the machine's busybox.
        environ: The environment.
    """
    state = Path(environ.get("NIX_STATE_DIR") or "/nix/var/nix")
    is_root = os.geteuid() == 0
    remote = environ.get("NIX_REMOTE")
    elsewhere = remote not in _LOCAL_STORES or _is_remote(options.store)
    # As in Nix's own choice: who can write the state builds, and others ask the daemon; where there is
    # no state at all, a current Nix makes one below the home.
    writes = is_root or os.access(state, os.R_OK | os.W_OK) or not is_there(state)
    return ObservedMachine(
        is_root=is_root,
        builds_itself=writes and not elsewhere,
        has_build_users=has_members(DEFAULT_GROUP),
        is_configured=bool(environ.get("NIX_CONFIG"))
        or any(is_there(file) for file in config_files(environ)),
        # A list of paths in Nix's settings has no way to write a blank.
        shell=next(
            (
                path
                for path in (shell, *BUSYBOX)
                if path and not re.search(r"\s", str(path)) and runs_alone(path)
            ),
            None,
        ),
    )


def find_jobs(options: NixOptions, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what has Nix build several derivations at a time; nothing where anybody has said how many.

    Args:
        options: The user's own.
        environ: The environment.
    """
    said = options.max_jobs is not None or any(name == "max-jobs" for name, _ in options.settings)
    try:
        texts = [
            file.read_text(encoding="utf-8", errors="replace")
            for file in config_files(environ)
            if is_there(file)
        ]
    except OSError:
        return {}
    texts.append(environ.get("NIX_CONFIG") or "")
    # What is included is not looked for: it may say anything.
    if said or any(_ABOUT_JOBS.search(text) for text in texts):
        return {}
    return {"max-jobs": "auto"}


def config_files(environ: Mapping[str, str]) -> list[Path]:
    """Return where Nix looks for its configuration."""
    system = Path(environ.get("NIX_CONF_DIR") or "/etc/nix") / "nix.conf"
    if environ.get("NIX_USER_CONF_FILES"):
        return [system, *(Path(file) for file in environ["NIX_USER_CONF_FILES"].split(":") if file)]
    home = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or "/") / ".config"
    directories = [home, *(environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")]
    return [system, *(Path(directory) / "nix" / "nix.conf" for directory in directories if directory)]


def ask_config() -> NixConfig:
    """Ask Nix for its configuration, from wherever it comes; Nix's defaults where it does not say."""
    try:
        outcome = process.run(show_config())
        return read_config(json.loads(outcome.stdout)) if outcome else NixConfig()
    except (FileNotFoundError, ValueError):
        return NixConfig()


def read_config(answer: Mapping[str, Mapping[str, Any]]) -> NixConfig:
    """Read what `nix show-config --json` prints."""

    def value(name: str, default: Any) -> Any:  # noqa: ANN401  # JSON
        return answer.get(name, {}).get("value", default)

    group = str(value("build-users-group", DEFAULT_GROUP))
    paths = value("sandbox-paths", [])
    if isinstance(paths, dict):
        # Since 2.32 an object by the path inside; a list of texts before.
        paths = [
            f"{inside}={path['source']}{'?' if path.get('optional') else ''}"
            for inside, path in paths.items()
        ]
    return NixConfig(
        build_users_group=group,
        has_build_users=bool(value("auto-allocate-uids", default=False)) or has_members(group),
        sandbox=value("sandbox", default=True) not in (False, "false"),
        sandbox_paths=tuple(sorted(map(str, paths))),
        substituters=tuple(map(str, value("substituters", []))),
        # Nix 2.8 writes the features as numbers of its own; flakes are its second.
        flakes=any(feature in ("flakes", _FLAKES_IN_2_8) for feature in value("experimental-features", [])),
    )


def _ask_lately(what: str, ask: Callable[[], Answer]) -> Answer:
    """Return an answer that is at most a minute old."""
    when, answer = _heard.get(what, (-_LATELY, None))
    if answer is None or time.monotonic() - when >= _LATELY:
        answer = ask()
        _heard[what] = time.monotonic(), answer
    found: Answer = answer
    return found


def answers(uri: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a binary cache takes connections; where only Nix can tell, yes.

    Args:
        uri: The cache.
        environ: The environment, for a proxy that would be asked instead.
    """
    import socket  # noqa: PLC0415  # only a bare machine that builds asks
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(parts.path).exists()
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return True
    if any(environ.get(name) for name in _proxy_names(parts.scheme)):
        return True
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def _proxy_names(scheme: str) -> Iterable[str]:
    return (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")


def _is_remote(store: str | None) -> bool:
    """Whether `--store` names something that we do not write ourselves; a directory is written by us."""
    return store not in _LOCAL_STORES and not str(store).startswith(("/", "local"))


def _split_sandbox_path(entry: str) -> tuple[str, str]:
    inside, separator, outside = entry.partition("=")
    return inside, outside if separator else inside
