"""Which Nix processes a build takes, and in which order; fake programs write down their calls."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import BuildError
from nixdock.events import Event, Warned, Work, WorkFinished, WorkStarted, ignore
from nixdock.nix.artefact import Artefact, ArtefactForm
from nixdock.nix.builder import BuildRequest, build
from nixdock.nix.command import NixOptions
from nixdock.nix.target import ArtefactTarget, ExpressionTarget

from .replay import log_of

HASH = "2y0ckpl0wa9mysccwi9xibcpar6b3kyx"
FAKE = """#!{python}
import json, os, sys
from pathlib import Path
folder = Path({folder!r})
name = Path(sys.argv[0]).name
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
answers = folder / f"{{name}}.answers"
first, *rest = answers.read_text().splitlines()
answers.write_text("\\n".join(rest or [first]))
answer = json.loads(first)
for path in answer.get("makes", []):
    Path(path).write_bytes(b"\\x1f\\x8b")
    os.utime(path, (1, 1))
sys.stdout.write(answer["stdout"])
sys.stderr.buffer.write(Path(answer["log"]).read_bytes() if "log" in answer else b"")
sys.exit(answer.get("status", 0))
"""


class Programs:
    """Fake Nix programs, first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.store.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("nix", "nix-instantiate", "nix-build", "nix-store"):
            file = self.bin / name
            file.write_text(FAKE.format(python=sys.executable, folder=str(folder)))
            file.chmod(file.stat().st_mode | stat.S_IEXEC)
        self.path = self.store / f"{HASH}-image"

    def answer(self, name: str, *answers: dict[str, Any]) -> None:
        """Say what a program does, call by call; the last answer stays."""
        (self.folder / f"{name}.answers").write_text("".join(json.dumps(each) + "\n" for each in answers))

    @property
    def calls(self) -> list[list[str]]:
        """The calls so far, each the program and its arguments."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def entry(self, **more: Any) -> dict[str, Any]:
        return {
            "attribute": [],
            "derivation": f"{self.path}.drv",
            "output": "out",
            "path": str(self.path),
            "name": "image",
            "image_name": None,
            "image_tag": None,
            "executable": False,
            "stream": None,
            **more,
        }


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    fakes = Programs(tmp_path)
    monkeypatch.setenv("PATH", f"{fakes.bin}:{os.environ['PATH']}")
    monkeypatch.setenv("NIX_STORE_DIR", str(fakes.store))
    monkeypatch.setenv("NIX_PATH", f"nixpkgs={tmp_path}")
    monkeypatch.setenv("NIX_REMOTE", "daemon")
    monkeypatch.chdir(tmp_path)
    fakes.answer("nix-instantiate", {"stdout": json.dumps([fakes.entry()])})
    fakes.answer("nix-build", {"stdout": f"{fakes.path}\n", "makes": [str(fakes.path)]})
    return fakes


def run(roots: Path, request: BuildRequest | None = None, options: NixOptions | None = None) -> list[Path]:
    found = build(ExpressionTarget("1"), options or NixOptions(), ignore, roots=roots, request=request)
    return [artefact.path for artefact in found]


def built_already(programs: Programs) -> None:
    programs.path.write_bytes(b"\x1f\x8b")
    os.utime(programs.path, (1, 1))


def test_what_is_there_takes_one_evaluation_and_one_look_by_nix(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    assert run(tmp_path / "roots") == [programs.path]
    assert programs.names == ["nix-instantiate", "nix-build"]
    place = programs.calls[1].index("--out-link")
    assert programs.calls[1][place + 1] == str(tmp_path / "roots" / "result")


def test_what_is_to_be_built_is_looked_at_before_it_is_linked(programs: Programs, tmp_path: Path) -> None:
    run(tmp_path / "roots", BuildRequest(link=Path("result")))
    assert programs.names == ["nix-instantiate", "nix-build", "nix-build"]
    links = [call[call.index("--out-link") + 1] for call in programs.calls[1:]]
    assert links == [str(tmp_path / "roots" / "build"), "result"]


def test_what_is_no_image_gets_no_link(programs: Programs, tmp_path: Path) -> None:
    programs.path.write_text("text")
    os.utime(programs.path, (1, 1))
    programs.answer("nix-build", {"stdout": f"{programs.path}\n"})
    with pytest.raises(BuildError, match=r"the expression is not an image: .* is a text file of 4 bytes"):
        run(tmp_path / "roots", BuildRequest(link=Path("result")))
    assert all("result" not in call for call in programs.calls)


def test_the_users_link_and_no_link_win_over_the_commands(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    run(tmp_path / "roots", BuildRequest(link=Path("result")), NixOptions(out_link=Path("mine")))
    run(tmp_path / "roots", BuildRequest(link=Path("result")), NixOptions(no_out_link=True))
    links = [call[call.index("--out-link") + 1] for call in programs.calls if call[0] == "nix-build"]
    assert links == ["mine", str(tmp_path / "roots" / "result")]


def test_a_derivation_that_was_collected_is_evaluated_once_more(programs: Programs, tmp_path: Path) -> None:
    log = tmp_path / "collected.jsonl"
    log.write_bytes(b"".join(log_of("2.8.0", "collected")))
    gone = {"stdout": "", "status": 1, "log": str(log)}
    good = {"stdout": f"{programs.path}\n", "makes": [str(programs.path)]}
    programs.answer("nix-build", gone, good)
    assert run(tmp_path / "roots") == [programs.path]
    assert programs.names == ["nix-instantiate", "nix-build"] * 2


def find_lazily(tmp_path: Path) -> Artefact:
    request = BuildRequest(expectations=True, lazily=True)
    (artefact,) = build(
        ExpressionTarget("1"), NixOptions(), ignore, roots=tmp_path / "roots", request=request
    )
    return artefact


def test_what_is_there_is_held_when_that_is_asked_for(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    artefact = find_lazily(tmp_path)
    assert (artefact.path, programs.names) == (programs.path, ["nix-instantiate"])
    assert artefact.hold()
    assert not artefact.hold()
    assert programs.names == ["nix-instantiate", "nix-build"]
    place = programs.calls[1].index("--out-link")
    assert programs.calls[1][place + 1] == str(tmp_path / "roots" / "result")


def test_what_is_built_is_held_at_once(programs: Programs, tmp_path: Path) -> None:
    assert not find_lazily(tmp_path).hold()
    # By the build itself: a second program has nothing to do but a link of the user's.
    assert programs.names == ["nix-instantiate", "nix-build"]
    place = programs.calls[1].index("--out-link")
    assert programs.calls[1][place + 1] == str(tmp_path / "roots" / "build")


def test_what_brings_programs_along_is_held_at_once(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    entry = programs.entry(expectations={"checks": {}}, needs=[f"{programs.path}-tool.drv!out"])
    programs.answer("nix-instantiate", {"stdout": json.dumps([entry])})
    assert not find_lazily(tmp_path).hold()
    assert programs.names == ["nix-instantiate", "nix-build", "nix-build"]


def test_a_link_is_made_at_once(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    run(tmp_path / "roots", BuildRequest(link=Path("result"), lazily=True))
    assert programs.names == ["nix-instantiate", "nix-build"]


def test_a_derivation_that_was_collected_is_evaluated_once_more_to_hold_what_it_made(
    programs: Programs, tmp_path: Path
) -> None:
    built_already(programs)
    artefact = find_lazily(tmp_path)
    log = tmp_path / "collected.jsonl"
    log.write_bytes(b"".join(log_of("2.8.0", "collected")))
    gone = {"stdout": "", "status": 1, "log": str(log)}
    programs.answer("nix-build", gone, {"stdout": f"{programs.path}\n"})
    assert artefact.hold()
    assert programs.names == ["nix-instantiate", "nix-build"] * 2


def test_a_collector_that_always_wins_is_told(programs: Programs, tmp_path: Path) -> None:
    log = tmp_path / "collected.jsonl"
    log.write_bytes(b"".join(log_of("2.34.8", "collected")))
    programs.answer("nix-build", {"stdout": "", "status": 1, "log": str(log)})
    with pytest.raises(BuildError, match="a derivation is gone before it was built"):
        run(tmp_path / "roots")
    assert programs.names == ["nix-instantiate", "nix-build"] * 2


def test_the_programs_of_expectations_are_built_in_one_process(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    tools = [programs.store / f"{HASH}-{name}" for name in ("a", "b")]
    source = programs.store / f"{HASH}-source"
    needs = [*(f"{tool}.drv!out" for tool in tools), str(source)]
    entry = programs.entry(expectations={"checks": {}}, needs=needs)
    programs.answer("nix-instantiate", {"stdout": json.dumps([entry])})
    programs.answer(
        "nix-build", {"stdout": "".join(f"{tool}\n" for tool in tools)}, {"stdout": f"{programs.path}\n"}
    )
    programs.answer("nix-store", {"stdout": f"{source}\n"})
    (artefact,) = build(
        ExpressionTarget("1"),
        NixOptions(),
        ignore,
        roots=tmp_path / "roots",
        request=BuildRequest(expectations=True),
    )
    assert artefact.needs == (*tools, source)
    assert programs.names == ["nix-instantiate", "nix-store", "nix-build", "nix-build"]
    assert programs.calls[2][1:3] == [f"{tool}.drv!out" for tool in tools]


def test_an_evaluation_is_told_from_its_start_to_its_end(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    told: list[Event] = []
    build(ExpressionTarget("1"), NixOptions(), told.append, roots=tmp_path)
    started = [event for event in told if isinstance(event, WorkStarted)]
    assert [(event.kind, event.label) for event in started] == [(Work.EVALUATE, "the expression")]
    assert WorkFinished(started[0].key) in told
    assert not [event for event in told if isinstance(event, Warned)]


def test_an_archive_from_elsewhere_needs_no_nix(programs: Programs, tmp_path: Path) -> None:
    file = tmp_path / "image.tar.gz"
    file.write_bytes(b"\x1f\x8b")
    (artefact,) = build(ArtefactTarget("image.tar.gz", file), NixOptions(), ignore, roots=tmp_path)
    assert (artefact.path, artefact.form, artefact.store_path) == (file, ArtefactForm.ARCHIVE, None)
    assert programs.calls == []


def test_a_store_path_is_held_and_is_read_even_where_that_fails(programs: Programs, tmp_path: Path) -> None:
    built_already(programs)
    (tmp_path / "result").symlink_to(programs.path)
    programs.answer("nix-store", {"stdout": "", "status": 1})
    target = ArtefactTarget("result", tmp_path / "result")
    (artefact,) = build(target, NixOptions(), ignore, roots=tmp_path / "roots")
    assert artefact.store_path == programs.path
    assert programs.names == ["nix-store"]
    assert str(tmp_path / "roots" / "artefact") in programs.calls[0]


def test_a_store_path_that_is_named_is_held_when_that_is_asked_for(
    programs: Programs, tmp_path: Path
) -> None:
    built_already(programs)
    (tmp_path / "result").symlink_to(programs.path)
    programs.answer("nix-store", {"stdout": ""})
    target = ArtefactTarget("result", tmp_path / "result")
    request = BuildRequest(lazily=True)
    (artefact,) = build(target, NixOptions(), ignore, roots=tmp_path / "roots", request=request)
    assert programs.names == []
    assert [artefact.hold(), artefact.hold()] == [True, False]
    assert programs.names == ["nix-store"]
