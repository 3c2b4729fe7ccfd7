"""From options to the request that creates a container."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.containers.options.table import OPTIONS
from nixdock.engine.containers.options.values import hide_value
from nixdock.engine.containers.options.writers import RequestDraft
from nixdock.errors import UsageError
from nixdock.settings import here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nixdock.engine.containers.options.table import DockerOption

GivenOptions = tuple[tuple[str, str], ...]
"""docker's options and their values, in order: `("env", "TZ=UTC")`; a switch is `true` or `false`."""

_SHARED_NETWORKS: Final = frozenset({"", "default", "bridge", "host", "none"})

_FORMS: Final = {
    "SIZE": "a number with b, k, m or g behind it: 512m, 1.5g",
    "TIME": "a number with ms, s, m or h behind it: 500ms, 30s, 1m30s",
    "N": "a number",
    "SECONDS": "a whole number",
    "IP": "such as 192.0.2.1",
    "ADDRESS": "such as 192.0.2.1, 2001:db8::1 or, of a card, 02:42:ac:11:00:02",
    "[[IP:]PORT:]PORT": "the container's port last: 80, 8080:80, 127.0.0.1:8080:80, 53:53/udp",
    "[SOURCE:]TARGET[:ro]": "a path in the container last: /data, /srv/data:/data, cache:/data:ro",
    "NAME:IP": "such as db:192.0.2.1",
    "NAME=SOFT[:HARD]": "such as nofile=1024:2048",
    "POLICY": "one of no, always, unless-stopped and on-failure[:N]",
    "OS/ARCH": "such as linux/arm64",
    "USER[:GROUP]": "names that the image knows, or numbers: 1000:1000",
    "all|N": "all of them or a number",
    "FILE": "a file that can be read",
}
"""How values are written, by what the help calls them."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A container to create.

    Args:
        body: The request as the Engine API writes it.
        name: The container's name; the engine invents one when None.
        platform: The platform that the image must be for, or None.
    """

    body: Mapping[str, Any]
    name: str | None = None
    platform: str | None = None

    @property
    def tty(self) -> bool:
        """Whether its process has a terminal."""
        return bool(self.body.get("Tty"))

    @property
    def stdin(self) -> bool:
        """Whether its process's standard input is ours."""
        return bool(self.body.get("AttachStdin"))

    @property
    def health_test(self) -> Sequence[str] | None:
        """What the options say of the health check; None where they leave it to the image."""
        test: Sequence[str] | None = (self.body.get("Healthcheck") or {}).get("Test")
        return test

    def is_probed(self, image_config: Mapping[str, Any]) -> bool:
        """Whether the engine will probe the container's health: by its own test, or by the image's."""
        test = self.health_test
        if test is None:
            test = (image_config.get("Healthcheck") or {}).get("Test")
        return bool(test) and list(test or ())[:1] != ["NONE"]


def make_request(
    image: str,
    command: Sequence[str] = (),
    options: GivenOptions = (),
    *,
    detach: bool = False,
    interactive: bool = False,
    tty: bool = False,
    auto_remove: bool = False,
    variables: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    directory: Path | None = None,
    from_file: bool = False,
) -> CreateRequest:
    """Make the request that docker would make of the same words.

    Args:
        image: The image's reference or ID.
        command: The words after the image; the image's own Cmd when empty.
        options: docker's options, by the table's names.
        detach: `-d`: nothing is attached.
        interactive: `-i`: standard input is open, and ours unless detached.
        tty: `-t`: the process gets a terminal.
        auto_remove: Whether the engine removes the container as soon as it has ended.
        variables: Environment variables below those of the options.
        environ: The environment that `-e NAME` reads.
        directory: What relative paths are relative to; the working directory when None.
        from_file: Whether a file says so, and not the command line: it names no pipes.

    Raises:
        UsageError: A value that docker refuses too, in docker's words.
    """
    draft = RequestDraft(directory=directory or here(), environ=environ, by_hand=not from_file)
    if variables:
        draft.body["Env"] = list(variables)
    for option in OPTIONS:
        for name, text in options:
            if name == option.name and not (option.metavar is None and text == "false"):
                _write(draft, option, text)
    body: dict[str, Any] = {
        "Image": image,
        "AttachStdin": interactive and not detach,
        "AttachStdout": not detach,
        "AttachStderr": not detach,
        "OpenStdin": interactive,
        "StdinOnce": interactive and not detach,
        "Tty": tty,
        **draft.body,
    }
    if command:
        body["Cmd"] = list(command)
    if variables:
        body["Env"] = _last_of_each(body["Env"])
    _add_health(draft, body)
    _add_network(draft, body)
    if auto_remove:
        if (draft.host.get("RestartPolicy") or {}).get("Name", "no") not in {"", "no"}:
            raise UsageError("conflicting options: cannot specify both --restart and --rm")
        draft.host["AutoRemove"] = True
    logging = draft.host.get("LogConfig") or {}
    if logging.get("Type") == "none" and logging.get("Config"):
        raise UsageError("invalid logging opts for driver none")
    return CreateRequest({**body, "HostConfig": draft.host}, draft.own.get("Name"), draft.own.get("Platform"))


def _last_of_each(variables: Sequence[str]) -> list[str]:
    """Keep the last value of each variable; a name alone, which unsets it, counts too."""
    return list({variable.partition("=")[0]: variable for variable in variables}.values())


def _write(draft: RequestDraft, option: DockerOption, text: str) -> None:
    try:
        option.write(draft, text)
    except ValueError as error:
        shown = hide_value(text) if option.name == "env" else text
        quoted = json.dumps(shown, ensure_ascii=False)
        raise UsageError(
            f'invalid argument {quoted} for "{option.shown}" flag: {error}', hint=_explain_form(option)
        ) from error


def _explain_form(option: DockerOption) -> str:
    """Say how an option's value is written."""
    form = _FORMS.get(option.metavar or "")
    return f"write it as {option.flags[-1]} {option.metavar}" + (f", {form}" if form else "")


def _add_health(draft: RequestDraft, body: dict[str, Any]) -> None:
    if draft.no_health and draft.health:
        raise UsageError("--no-healthcheck conflicts with --health-* options")
    if draft.no_health:
        body["Healthcheck"] = {"Test": ["NONE"]}
    elif draft.health:
        body["Healthcheck"] = draft.health


def _add_network(draft: RequestDraft, body: dict[str, Any]) -> None:
    network = draft.host.setdefault("NetworkMode", "default")
    if not draft.endpoint:
        return
    if draft.endpoint.get("Aliases") and (network in _SHARED_NETWORKS or network.startswith("container:")):
        raise UsageError("network-scoped aliases are only supported for user-defined networks")
    body["NetworkingConfig"] = {"EndpointsConfig": {network: draft.endpoint}}
