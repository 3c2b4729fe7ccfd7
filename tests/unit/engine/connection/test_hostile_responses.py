"""What an engine's response holds, each part of it damaged in turn."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection import decoding
from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary, ImageDetails, ImageSummary
from nixdock.errors import EngineError
from nixdock.services.readiness import HealthCheck
from support.hostile import CONTAINER, DAMAGES, GOOD, IMAGE, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

from .hostile_calls import CALLS

WRONG: tuple[Any, ...] = (5, 1.5, "text", True, [5], [None], {"a": 5}, {})
READERS: dict[str, tuple[object, Any, Callable[[Any], object]]] = {
    "image": (decoding.IMAGE, IMAGE, ImageDetails.from_json),
    "container": (
        decoding.CONTAINER,
        CONTAINER,
        lambda raw: [
            (details := ContainerDetails.from_json(raw)).ports,
            details.last_probe,
            details.stop_timeout,
            details.labels.get("a"),
            HealthCheck.of(details),
        ],
    ),
    "containers": (
        decoding.CONTAINERS,
        [
            {
                "Id": "c",
                "Names": ["/c"],
                "Image": "i",
                "ImageID": "i",
                "State": "running",
                "Labels": {"a": "b"},
            }
        ],
        lambda raw: [ContainerSummary.from_json(one).labels.get("a") for one in raw],
    ),
    "images": (
        decoding.IMAGES,
        [{"Id": "i", "RepoTags": ["a:b"], "Created": 1, "Size": 1, "Labels": {"a": "b"}}],
        lambda raw: [ImageSummary.from_json(one).tags for one in raw],
    ),
    "version": (
        decoding.VERSION,
        VERSION,
        lambda raw: [one.get("Name") for one in raw.get("Components") or ()],
    ),
}


def _mutations(value: Any) -> Iterator[Any]:
    """Yield a value with each of its parts replaced by something else."""
    yield from (*WRONG, None)
    if isinstance(value, dict):
        for key in value:
            for other in _mutations(value[key]):
                yield {**copy.deepcopy(value), key: other}
            yield {name: copy.deepcopy(item) for name, item in value.items() if name != key}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for other in _mutations(item):
                yield [*value[:number], other, *value[number + 1 :]]


@pytest.mark.parametrize("name", READERS)
def test_no_part_of_an_answer_is_believed_blindly(name: str) -> None:
    shape, good, read = READERS[name]
    decoding.check(good, shape, "GET /x")
    read(good)
    rows = 0
    for mutated in _mutations(good):
        rows += 1
        try:
            decoding.check(mutated, shape, "GET /x")
        except EngineError as error:
            assert error.message.startswith("the engine answered nonsense to GET /x: ")  # noqa: PT017
            continue
        read(mutated)
    assert rows > 50


def test_the_good_answers_are_good() -> None:
    assert len(CALLS) * len(DAMAGES) > 34 * 7
    for _, _, answer in GOOD:
        json.dumps(answer)
