"""A name that is neither a file's nor an image's: what may have been meant, and nothing is pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.archives import docker_archive, layer, runnable

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock, Run


def tell(run: Run, status: int) -> str:
    assert (run.status, run.stdout) == (status, ""), run.stderr
    return run.stderr


def test_a_file_s_name_without_its_ending(nixdock: Nixdock) -> None:
    assert nixdock("init").status == 0
    for command in ("up", "run"):
        assert tell(nixdock(command, "hello-docker"), 125) == (
            "nixdock: there is neither a file 'hello-docker' nor an image of this name in the engine\n"
            "hint: did you mean hello-docker.nix?\n"
        )
    assert tell(nixdock("load", "hello-dcker"), 2) == (
        "nixdock: there is no file 'hello-dcker'\nhint: did you mean hello-docker.nix?\n"
    )
    assert "names an image, and what is loaded is a file" in tell(nixdock("load", "image:nothing"), 2)


def test_an_image_without_its_tag(nixdock: Nixdock, engine: Engine) -> None:
    name = "nixdock-test-names:abc"
    engine.docker("load", stdin=docker_archive(runnable(layer("names"), tags=(name,))))
    for words in (("up",), ("run",), ("check", "--expect", "hello")):
        assert tell(nixdock(*words, "nixdock-test-names"), 125) == (
            "nixdock: the engine has no image nixdock-test-names; nixdock does not pull\n"
            f"hint: did you mean {name}?\n"
        )
    assert "is an image of the engine, and no file" in tell(nixdock("load", name), 2)
    engine.docker("rmi", name)


def test_what_can_be_no_name_asks_the_engine_nothing(nixdock: Nixdock) -> None:
    silent = {"DOCKER_HOST": f"unix://{nixdock.folder}/none.sock"}
    said = tell(nixdock("run", "web/../../containers/json", env=silent), 2)
    assert said.startswith("nixdock: there is no file 'web/../../containers/json', nor can that be the name")
    assert "'Web' is not the name of an image" in tell(nixdock("load", "image:Web", env=silent), 2)
    assert "there is no file './none.tar'" in tell(nixdock("load", "./none.tar", env=silent), 2)
