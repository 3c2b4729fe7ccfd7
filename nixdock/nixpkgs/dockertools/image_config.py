"""Image configs, manifests and environments, in the two shapes that dockerTools writes them.

The bytes of a config are the image's identity, so their form is part of the contract: a layered image's
is Python's `json.dumps` with an indent of 4, `buildImage`'s is jq's pretty print with a final newline.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def merge_env(base: Iterable[str], own: Iterable[str]) -> list[str]:
    """Return both environments as one: a variable keeps its first place and takes its last value.

    Args:
        base: `NAME=value` entries of the image below.
        own: `NAME=value` entries of this one.
    """
    merged: dict[str, str] = {}
    for entry in (*base, *own):
        merged[entry.partition("=")[0]] = entry
    return list(merged.values())


def timestamp(text: str) -> datetime:
    """Return the moment that `created` or `mtime` names: "now", or ISO 8601."""
    return datetime.now(tz=UTC) if text == "now" else datetime.fromisoformat(text)


def layered(
    *,
    created: str,
    architecture: str,
    config: Mapping[str, Any] | None,
    diff_ids: Sequence[str],
    comments: Sequence[str],
) -> bytes:
    """Return the config of a layered image.

    Args:
        created: As ISO 8601, with the zone.
        architecture: As Go names it.
        config: The Docker config, environment merged.
        diff_ids: Each layer's sha256 in hexadecimal, bottom first.
        comments: Each layer's comment in the history.
    """
    return json.dumps(
        {
            "created": created,
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"diff_ids": [f"sha256:{digest}" for digest in diff_ids], "type": "layers"},
            "history": [{"created": created, "comment": comment} for comment in comments],
        },
        indent=4,
    ).encode()


def comment(paths: Sequence[str]) -> str:
    """Return what the history says of a layer that is made of these."""
    return f"store paths: {list(paths)}"


def pretty(value: object) -> bytes:
    """Return JSON as jq prints it: an indent of 2, text as it is, a final newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def manifest(*, config: str, repo_tags: Sequence[str], layers: Sequence[str]) -> list[dict[str, Any]]:
    """Return a docker-archive's manifest of one image.

    Args:
        config: The member that is the config.
        repo_tags: `name:tag` of each name.
        layers: The members that are the layers, bottom first.
    """
    return [{"Config": config, "RepoTags": list(repo_tags), "Layers": list(layers)}]
