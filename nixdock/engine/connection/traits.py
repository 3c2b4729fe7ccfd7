"""What an engine can and cannot do: the one place that asks for its product, its version and its store.

An engine's next quirk is one more trait here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.engine.connection.responses import EngineInfo, EngineVersion

_DEVICE_DIRECTORIES: Final = ("/etc/cdi", "/var/run/cdi")


class Traits:
    """What an engine can and cannot do.

    Args:
        version: What it said of itself.
        ask_info: Returns how it is set up, for the traits that only this tells.
    """

    def __init__(self, version: EngineVersion, ask_info: Callable[[], EngineInfo]) -> None:
        self._ask_info = ask_info
        # Podman imitates docker, but for these.
        is_podman = self._is_podman = version.is_podman
        self.leaves_health_check_out = is_podman
        """Inspecting an image does not tell its health check; Podman's own request does."""
        self.takes_no_stop_timeout_for_none = is_podman
        """A container whose stop timeout is not said has no time at all."""
        self.asks_before_removing = is_podman
        """Removing a container by force asks it to end first, and waits; Podman's own request need not."""
        self.wants_body_to_commit = is_podman
        """Making an image of a container needs a body, in which nothing need stand."""
        self.refuses_missing_mounts = not is_podman
        """A container is not created that mounts what is not there; Podman makes a folder of that name."""
        self.checks_diff_ids = not is_podman
        """What is loaded is compared with the diff IDs of its config."""
        self.reads_zstd = is_podman or version.speaks("1.42")
        """Layers may be compressed so: since Docker 23. Podman says 1.41."""
        self.sizes_new_terminals = version.speaks("1.42")
        """A terminal can have its size from its beginning."""
        self.tells_devices = version.speaks("1.50")
        """The devices (CDI) that it has found are told: since Docker 28.2."""
        # Podman 4.3 is the first that reads the files that we write.
        self._hides_device_directories = is_podman and version.is_at_least("4.3")
        self.tells_manifests = version.speaks("1.48")
        """An image's manifests can be asked for: since Docker 28."""

    @property
    def identity(self) -> str:
        """What it is known by, over restarts."""
        info = self._ask_info()
        if info.id and not self._is_podman:
            return info.id
        # Podman gives another ID at each call: its machine and its storage are as good.
        return f"{info.raw.get('Name') or ''}:{info.root}"

    @property
    def device_directories(self) -> tuple[str, ...]:
        """Where it looks for files of devices (CDI); nowhere where it has no such devices.

        Docker has them since 28, and by a feature since 25. Podman does not say where; what stands here is
        what it takes where nobody says otherwise.
        """
        told = self._ask_info().device_directories
        return _DEVICE_DIRECTORIES if self._hides_device_directories and not told else told

    @property
    def keeps_blobs(self) -> bool:
        """Whether its images live in containerd's store: as blobs, known by their manifests' digests."""
        return self._ask_info().containerd_store

    @property
    def stacks_layers(self) -> bool:
        """Whether its images live in a graph driver, which keeps a layer only upon those below it."""
        return not self._is_podman and not self.keeps_blobs

    @property
    def reads_words_as_lists_only(self) -> bool:
        """Whether a config whose command is a text is not read."""
        return self._is_podman or self.keeps_blobs
