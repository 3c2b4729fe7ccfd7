"""The two ways to an engine: what they have in common, and the import of the one that takes long."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.engine.connection.decoding import Response
    from nixdock.engine.connection.transport import ArchiveBody, SdkTransport

_TRANSPORT: Final = "nixdock.engine.connection.transport"
_PACKAGES: Final = frozenset({"docker", "requests", "urllib3"})

_importing: Final = threading.Lock()


class Transport(Protocol):
    """A way to an engine."""

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        body: Any,  # noqa: ANN401  # bytes, and what is larger for the SDK
        headers: Mapping[str, str],
    ) -> Response:
        """Send a request and return its response unread, whatever it says."""

    def close(self) -> None:
        """Close all connections."""


def import_sdk() -> tuple[type[SdkTransport], type[ArchiveBody]]:
    """Import what sends requests over the SDK, and what goes out as their body; slow, the first time.

    A signal may end the import halfway, or a want of memory or of descriptors. Python forgets a package
    then, but not the modules in it, and another import would never make these its attributes again.
    """
    with _importing:
        before = frozenset(sys.modules)
        try:
            from nixdock.engine.connection.transport import (  # noqa: PLC0415
                ArchiveBody,
                SdkTransport,
                import_docker,
            )

            import_docker()
        except BaseException:
            for name in frozenset(sys.modules).difference(before):
                if name == _TRANSPORT or name.partition(".")[0] in _PACKAGES:
                    del sys.modules[name]
            raise
        return SdkTransport, ArchiveBody
