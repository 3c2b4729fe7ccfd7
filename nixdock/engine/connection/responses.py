"""An engine's responses, as values; each keeps the whole response in `raw` for the rarer keys."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.image.manifest import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Raw = dict[str, Any]

OLDEST_API: Final = "1.40"
"""Assumed of an engine that does not tell."""

NEWEST_API: Final = "1.51"
"""The newest API version that nixdock is tested with; newer engines are spoken to in this one."""

STOP_TIMEOUT: Final = 10
"""Seconds that a container has to end when it is asked to, if its options do not say (Engine API)."""


_RUNNING: Final = frozenset({"running", "paused", "restarting", "stopping"})
"""The states of a container whose process runs; the last one Podman alone tells of."""


def read_stop_timeout(config: Mapping[str, Any]) -> int:
    """Return the seconds that a container of this config has to end; for ever when negative."""
    given = config.get("StopTimeout")
    return STOP_TIMEOUT if given is None else int(given)


def read_stop_signal(config: Mapping[str, Any]) -> str:
    """Return the name of the signal that asks a container of this config to end; Podman tells a number."""
    given = str(config.get("StopSignal") or "SIGTERM")
    try:
        return signal.Signals(int(given)).name
    except ValueError:
        return given


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """What answers.

    Args:
        product: `Docker` or `Podman`.
        version: Its version, such as `20.10.24`.
        api: The API version that nixdock speaks with it.
        os: The operating system of its containers, as in an image's config.
        architecture: Its machine's architecture, as in an image's config.
    """

    product: str
    version: str
    api: str
    os: str
    architecture: str

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman's service."""
        return self.product == "Podman"

    @property
    def platform(self) -> Platform:
        """What its containers run on."""
        return Platform(self.os, self.architecture)

    def speaks(self, api: str) -> bool:
        """Whether it speaks at least this API version."""
        return _version_key(self.api) >= _version_key(api)

    def is_at_least(self, version: str) -> bool:
        """Whether its own version is at least this one."""
        return _version_key(self.version) >= _version_key(version)

    @classmethod
    def from_json(cls, raw: Raw, pinned: str | None) -> EngineVersion:
        """Read the response of `/version`; a pinned API version is spoken whatever the engine offers."""
        names = [component.get("Name") or "" for component in raw.get("Components") or ()]
        offered = str(raw.get("ApiVersion") or OLDEST_API)
        return cls(
            product="Podman" if "Podman Engine" in names else "Docker",
            version=str(raw.get("Version") or ""),
            api=pinned or min(offered, NEWEST_API, key=_version_key),
            os=str(raw.get("Os") or "linux"),
            architecture=str(raw.get("Arch") or ""),
        )


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """How the engine is set up.

    Args:
        id: Its own identity, stable over restarts; empty where it has none (Podman).
        driver: The storage driver's name.
        containerd_store: Whether images live in containerd's store, not in a graph driver's.
        root: Its data directory, on its own machine.
        device_directories: Where it looks for files of devices (CDI), on its own machine.
        device_ids: The devices that it found there; only Docker since 28.2 tells.
        raw: The whole response.
    """

    id: str
    driver: str
    containerd_store: bool
    root: str
    device_directories: tuple[str, ...]
    device_ids: frozenset[str]
    raw: Raw

    @classmethod
    def from_json(cls, raw: Raw) -> EngineInfo:
        """Read the response of `/info`."""
        status = [tuple(pair) for pair in raw.get("DriverStatus") or []]
        return cls(
            id=raw.get("ID") or "",
            driver=raw.get("Driver") or "",
            containerd_store=("driver-type", "io.containerd.snapshotter.v1") in status,
            root=raw.get("DockerRootDir") or "",
            device_directories=tuple(one for one in raw.get("CDISpecDirs") or () if one),
            device_ids=frozenset(one.get("ID") or "" for one in raw.get("DiscoveredDevices") or () if one),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """An image as a list shows it."""

    id: str
    tags: tuple[str, ...]
    created: int
    size: int
    raw: Raw

    @classmethod
    def from_json(cls, raw: Raw) -> ImageSummary:
        """Read one element of the response of `/images/json`."""
        return cls(raw["Id"], _tags(raw), int(raw.get("Created") or 0), int(raw.get("Size") or 0), raw)


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """An image as inspecting shows it.

    Args:
        id: The engine's answer: the config digest on graph drivers, a manifest digest on containerd.
        tags: Its references in the engine's own spelling.
        diff_ids: Of its layers, bottom first; empty where the engine has not all of it.
        config: What a container gets from it: Cmd, Entrypoint, Env, User, Healthcheck...
        os: Of its programs.
        architecture: Of its programs.
        variant: Of the architecture, or empty.
        size: Bytes.
        raw: The whole response.
    """

    id: str
    tags: tuple[str, ...]
    diff_ids: tuple[str, ...]
    config: Mapping[str, Any]
    os: str
    architecture: str
    variant: str
    size: int
    raw: Raw

    @classmethod
    def from_json(cls, raw: Raw) -> ImageDetails:
        """Read the response of `/images/{name}/json`."""
        return cls(
            id=raw["Id"],
            tags=_tags(raw),
            diff_ids=tuple((raw.get("RootFS") or {}).get("Layers") or ()),
            config=raw.get("Config") or {},
            os=raw.get("Os") or "",
            architecture=raw.get("Architecture") or "",
            variant=raw.get("Variant") or "",
            size=int(raw.get("Size") or 0),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class ContainerSummary:
    """A container as a list shows it."""

    id: str
    name: str
    image: str
    image_id: str
    state: str
    labels: Mapping[str, str]
    raw: Raw

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.state in _RUNNING

    @classmethod
    def from_json(cls, raw: Raw) -> ContainerSummary:
        """Read one element of the response of `/containers/json`."""
        # A link's name (`/other/alias`) may stand before its own.
        names = sorted(raw.get("Names") or [""], key=lambda name: name.count("/") > 1)
        return cls(
            id=raw["Id"],
            name=names[0].removeprefix("/"),
            image=raw.get("Image") or "",
            image_id=raw.get("ImageID") or "",
            state=raw.get("State") or "",
            labels=raw.get("Labels") or {},
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class ContainerDetails:
    """A container as inspecting shows it.

    Args:
        id: Its identity.
        name: Its name.
        image_id: The engine's ID of its image.
        status: `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`; Podman has
            `stopping`, too.
        exit_code: Of its process, once it has ended.
        error: Why it could not be started, or empty.
        oom_killed: Whether the kernel killed it for want of memory.
        health: `starting`, `healthy` or `unhealthy`; None where it has no health check.
        labels: Its own and its image's.
        raw: The whole response.
    """

    id: str
    name: str
    image_id: str
    status: str
    exit_code: int
    error: str
    oom_killed: bool
    health: str | None
    labels: Mapping[str, str]
    raw: Raw

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.status in _RUNNING

    @property
    def stop_timeout(self) -> int:
        """Seconds that it has to end when it is asked to; for ever when negative."""
        return read_stop_timeout(self.raw.get("Config") or {})

    @property
    def last_probe(self) -> str:
        """What the health check's last probe wrote, or empty."""
        results = ((self.raw.get("State") or {}).get("Health") or {}).get("Log") or []
        return str(results[-1].get("Output") or "").strip() if results else ""

    @property
    def ports(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Published ports: `80/tcp` to the addresses and ports on the engine's machine."""
        ports = (self.raw.get("NetworkSettings") or {}).get("Ports") or {}
        return {
            port: tuple((binding.get("HostIp") or "", int(binding["HostPort"])) for binding in bindings)
            for port, bindings in ports.items()
            if bindings
        }

    @classmethod
    def from_json(cls, raw: Raw) -> ContainerDetails:
        """Read the response of `/containers/{id}/json`."""
        state = raw.get("State") or {}
        # Podman answers an empty health status where Docker leaves the key out.
        health = (state.get("Health") or {}).get("Status") or None
        return cls(
            id=raw["Id"],
            name=(raw.get("Name") or "").removeprefix("/"),
            image_id=raw.get("Image") or "",
            status=state.get("Status") or "",
            exit_code=int(state.get("ExitCode") or 0),
            error=state.get("Error") or "",
            oom_killed=bool(state.get("OOMKilled")),
            health=None if health == "none" else health,
            labels=(raw.get("Config") or {}).get("Labels") or {},
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class CreatedContainer:
    """A container that was created, and what the engine had to say about it."""

    id: str
    warnings: tuple[str, ...] = ()


def has_labels(labels: Mapping[str, str], wanted: Sequence[str]) -> bool:
    """Whether all these labels, each `key` or `key=value`, are among some: engines take patterns for them."""
    pairs = (text.partition("=") for text in wanted)
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in pairs)


def _version_key(text: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))


def _tags(raw: Raw) -> tuple[str, ...]:
    """Return an image's references; `<none>:<none>` is how older engines write that it has none."""
    return tuple(tag for tag in raw.get("RepoTags") or () if not tag.startswith("<none>"))
