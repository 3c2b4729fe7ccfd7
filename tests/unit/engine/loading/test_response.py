"""Engines' answers to an image, as they were recorded from each."""

from __future__ import annotations

from typing import Any

import pytest

from nixdock.engine.loading.response import explain, find_error, is_final, is_limit, is_loss

MISSING = (
    "open /var/lib/docker/tmp/docker-import-517382946/blobs/sha256/2e1b1e4c7a0d: no such file or directory"
)
UNPACKING = (
    'Error unpacking image one:b: apply layer error for "docker.io/library/one:b": failed to get reader from '
    "content store: content digest sha256:aa: not found\n"
)


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], None),
        ([{"stream": "Loaded image: one:b\n"}], None),
        ([{"status": "Loading layer", "progressDetail": {"current": 1, "total": 2}, "id": "a"}], None),
        ([{"errorDetail": {"message": MISSING}, "error": MISSING}], MISSING),
        ([{"error": "plain"}], "plain"),
        ([{"stream": "Loaded image: one:b\n"}, {"stream": UNPACKING}], UNPACKING.strip()),
        ([{"error": "first"}, {"error": "second"}], "first"),
        ([{"errorDetail": None, "stream": None}], None),
    ],
)
def test_the_first_error_counts_wherever_it_stands(messages: list[dict[str, Any]], error: str | None) -> None:
    assert find_error(messages) == error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("write /data/x: no space left on device", "the engine has no room left for a:1"),
        ("write /data/x: disk quota exceeded", "the engine has no room left for a:1"),
        ("max depth exceeded", "a:1 has more layers than the engine can stack"),
        (
            'invalid diffID for layer 0: expected "sha256:a", got "sha256:b"',
            "a:1 is damaged: a layer's bytes are not what the image's config says",
        ),
        (
            "wrong diff id calculated on extraction sha256:a",
            "a:1 is damaged: a layer's bytes are not what the image's config says",
        ),
        (MISSING, "the engine lost a part of a:1 while it was loaded"),
        ("something new", "the engine did not take a:1: something new"),
    ],
)
def test_errors_in_the_users_words(error: str, sentence: str) -> None:
    assert explain(error, "a:1").message == sentence


def test_what_another_sending_can_change() -> None:
    assert is_limit("no space left on device")
    assert not is_limit("invalid diffID for layer 0")
    assert is_final("invalid diffID for layer 0")
    assert is_final("max depth exceeded")
    assert not is_final(MISSING)
    assert is_loss(MISSING)
    assert is_loss(UNPACKING)
    # Docker 28 on containerd, asked for an image while `docker image prune` ran.
    assert is_loss("the engine refused: consistency error: data changed during operation, retry")
    assert not is_loss("something new")
