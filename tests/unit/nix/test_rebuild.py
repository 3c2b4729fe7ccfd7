from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.events import ignore
from nixdock.nix.build_log import Level, Message
from nixdock.nix.failure import Circumstances, DifferentOutputError, explain
from nixdock.nix.follower import Follower
from nixdock.nix.rebuild import find_parts
from nixdock.nix.sources import Sources

STORE = "/nix/store/2y0ckpl0wa9mysccwi9xibcpar6b3kyx-"


def test_only_what_is_made_for_the_image_belongs_to_it() -> None:
    names = (
        *("bash-5.2.drv", "docker-layer-web.drv", "docker-layer-website.drv", "docker-layer-web"),
        *("web-customisation-layer.drv", "web-conf.json.drv", "web-1.0.drv"),
    )
    found = find_parts([Path(STORE + name) for name in names], "team/web")
    assert [path.name.partition("-")[2] for path in found] == [
        *("docker-layer-web.drv", "web-customisation-layer.drv", "web-conf.json.drv"),
    ]


def test_to_an_image_without_a_name_nothing_else_is_known_to_belong() -> None:
    assert find_parts([Path(f"{STORE}docker-layer-.drv")], None) == ()


@pytest.mark.parametrize("quote", ["'", '"'], ids=["2.8", "current"])
@pytest.mark.parametrize("kept", [False, True])
def test_what_differs_is_read_from_the_words_of_each_nix(quote: str, kept: bool) -> None:
    output = f"{STORE}image"
    from_other = f" from {quote}{output}.check{quote}" if kept else ""
    follower = Follower(ignore)
    sentence = (
        f"derivation '{output}.drv' may not be deterministic: "
        f"output {quote}{output}{quote} differs{from_other}"
    )
    follower.errors.append(Message(Level.ERROR, f"error: {sentence}", sentence))

    error = explain(follower, Circumstances("nix-store", 104, Sources(Path("/"))))

    assert isinstance(error, DifferentOutputError)
    assert (error.derivation, error.output) == (f"{output}.drv", output)
    assert error.other == (f"{output}.check" if kept else None)
    assert error.hint == (
        f"diffoscope {output} {output}.check" if kept else "--keep-failed keeps the other one to compare"
    )
