"""What an evaluation reads; and one is repeated with `--eval-cache` where another answer could come of it."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.engines import Engine
    from support.nix import NixMachine
    from support.program import Nixdock, Run

EDITS, READS = (Path(__file__).with_name(name) for name in ("edits.py", "reads.py"))
SETTLED = 0.05
"""Seconds after which what was written can be told from what is written next."""


def counted(programs: Path, folder: Path) -> dict[str, str]:
    """Return the environment in which each start of a program that evaluates is written down."""
    folder.mkdir()
    for name in ("nix", "nix-instantiate"):
        script = f'#!/bin/sh\necho {name} "$*" >> {folder}/started\nexec {programs}/{name} "$@"\n'
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{programs}:/usr/local/bin:/usr/bin:/bin"}


def started(folder: Path) -> list[str]:
    """Return what was started since it was last asked."""
    file = folder / "started"
    lines = [line for line in _lines(file) if "show-config" not in line]
    file.unlink(missing_ok=True)
    return lines


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.slow
@pytest.mark.sampled(20)
@pytest.mark.parametrize("seed", range(20))
def test_no_answer_is_stale(machine: NixMachine, seed: int) -> None:
    done = machine.run(
        *(sys.executable, EDITS, str(seed), "50"), env={"NIXDOCK_STATE_DIR": str(machine.work / "state")}
    )
    assert done.status == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["stale"] == []
    # Of a hundred answers; that none came from memory would hold as well.
    assert answer["recalled"] > 20


READ: dict[str, dict[str, object]] = {
    # What a list of expressions reads: files, ...
    "builtins.readFile ./text": {"files": ["text"]},
    "(with builtins; readFile) ./text": {"files": ["text"]},
    "__readFile ./text": {"files": ["text"]},
    'builtins.hashFile "md5" ./text': {"files": ["text"]},
    "import ./folder": {"files": ["folder/default.nix"]},
    "scopedImport { } ./folder/default.nix": {"files": ["folder/default.nix"]},
    "import ./reads-text.nix": {"files": ["reads-text.nix", "text"]},
    "toString (builtins.isFunction (import <nixpkgs>))": {"files": ["SET/default.nix"], "present": ["SET"]},
    "toString (builtins.attrNames (builtins.readDir ./folder))": {"directories": ["folder"]},
    # ... copies, whole or filtered, ...
    '"${./folder}"': {"trees": ["folder"]},
    "./text": {"trees": ["text"]},
    "builtins.path { path = ./folder; }": {"trees": ["folder"]},
    'builtins.filterSource (path: _: baseNameOf path != "left") ./folder': {
        "directories": ["folder", "folder/inner"],
        "trees": ["folder/default.nix"],
    },
    'builtins.path { path = ./folder; name = "f"; filter = path: type: type == "regular"; }': {
        "directories": ["folder"],
        "trees": ["folder/default.nix", "folder/left"],
    },
    # ... what is there or is not, and the environment.
    "toString (builtins.pathExists ./text)": {"present": ["text"]},
    "toString (builtins.pathExists ./absent)": {"absences": ["absent"]},
    "toString (builtins.tryEval <absent>).success": {},
    "toString (builtins.tryEval <nixpkgs/absent>).success": {"absences": ["SET/absent"]},
    'builtins.getEnv "WORD"': {"environment": ["WORD"]},
    "throw (builtins.readFile ./text)": {"files": ["text"], "error": "word"},
    "import ./broken.nix": {
        "files": ["broken.nix"],
        "error": "undefined variable 'nothing'",
    },
    # What nobody can look at again, and the same where it is fixed.
    "toString builtins.currentTime": {"unknowable": ["currentTime"]},
    "toString __currentTime": {"unknowable": ["currentTime"]},
    'builtins.readFile (builtins.fetchurl "file://${toString ./.}/text")': {"unknowable": ["fetchurl"]},
    '__fetchurl { url = "file://${toString ./.}/text"; }': {"unknowable": ["fetchurl"]},
    '__fetchurl { url = "file://${toString ./.}/text"; sha256 = "HASH"; }': {},
    'fetchTarball "file://${toString ./.}/a.tar"': {"unknowable": ["fetchTarball"]},
    "(with builtins; fetchGit { url = ./repository; })": {"unknowable": ["fetchGit"]},
    '(fetchGit { url = ./repository; rev = "REVISION"; })': {},
    "builtins.storePath ./link": {"unknowable": ["storePath"]},
    "builtins.storePath (/. + (builtins.substring 1 99 (toString STORED)))": {},
    "toString (builtins ? currentTime)": {},
}
"""What an evaluation of an expression, in a derivation, has in its read set."""


def test_what_is_read(machine: NixMachine) -> None:
    for name in ("text", "repository/text", "folder/left"):
        machine.write(name, "word")
    machine.write("folder/default.nix", '"value"')
    machine.write("folder/inner/left", "")
    machine.write("reads-text.nix", "builtins.readFile ./text")
    machine.write("broken.nix", "nothing")
    made = machine.run(
        "sh",
        "-ec",
        "tar cf a.tar repository; cd repository; git init -q; git add text;"
        "git -c user.name=n -c user.email=e commit -qm m; git rev-parse HEAD; cd ..;"
        "nix-store --add text; nix-hash --flat --type sha256 --base32 text",
    )
    assert made.status == 0, made.stderr
    revision, stored, hashed = made.stdout.split()
    (machine.work / "link").symlink_to(stored)
    words = {"REVISION": revision, "STORED": stored, "HASH": hashed}
    frame = 'derivation {{ name = "x"; system = "y"; builder = "z"; value = ({}); }}'
    expressions = [
        frame.format(re.sub("|".join(words), lambda word: words[word[0]], expression)) for expression in READ
    ]
    done = machine.run(sys.executable, READS, *expressions)
    assert done.status == 0, done.stderr
    found = json.loads(done.stdout.replace(str(machine.root / "set"), "SET"))
    for expression, read in zip(READ, found, strict=True):
        # One that fails is known up to the error.
        failed = {"unknowable": ["what was evaluated a second time"]} if "error" in read else {}
        assert (expression, read) == (expression, {**READ[expression], **failed})


def test_why_an_evaluation_is_not_remembered(machine: NixMachine) -> None:
    machine.write("image.nix", '(import ./toy.nix).archive "x${toString (builtins.currentTime * 0)}"')
    words = ("build", "--no-out-link", "--eval-cache", "--explain", "image.nix")
    for _ in range(2):
        done = machine.nixdock(*words)
        assert "no evaluation of image.nix is remembered" in done.stderr
        assert "this evaluation is not remembered: it depends on currentTime" in done.stderr
        assert done.status == 0


def test_nothing_that_evaluates_is_started_where_nothing_has_changed(machine: NixMachine) -> None:
    counts = machine.work / "counts"
    env = counted(machine.programs, counts)
    machine.write("image.nix", "(import ./toy.nix).archive (builtins.readFile ./name)")
    machine.write("name", "first")
    time.sleep(SETTLED)

    def build(*words: str, **variables: str) -> tuple[str, list[str]]:
        started(counts)
        done = machine.nixdock("build", "image.nix", *words, env={**env, **variables})
        assert done.status == 0, done.stderr
        return done.stdout.strip(), started(counts)

    path, evaluations = build("--eval-cache")
    assert len(evaluations) == 1
    assert build("--eval-cache") == (path, [])
    assert build(NIXDOCK_EVAL_CACHE="1") == (path, [])
    assert len(build()[1]) == len(build("--no-eval-cache", NIXDOCK_EVAL_CACHE="1")[1]) == 1
    # What was found is remembered whatever was asked in between.
    assert build("--eval-cache") == (path, [])
    machine.write("name", "second")
    time.sleep(SETTLED)
    other, evaluations = build("--eval-cache")
    assert other.endswith("-second")
    assert len(evaluations) == 1


def test_what_the_collector_took_is_evaluated_and_built_again(machine: NixMachine) -> None:
    machine.write("image.nix", '(import ./toy.nix).archive "collected"')
    time.sleep(SETTLED)
    words = ("build", "--no-out-link", "--eval-cache", "image.nix")
    first = machine.nixdock(*words)
    path = Path(first.stdout.strip())
    derivation = machine.run("nix-store", "--query", "--deriver", path).stdout.strip()
    # Of this machine's own store: the output alone, then the derivation with it.
    assert machine.run("nix-store", "--delete", path).status == 0
    assert machine.nixdock(*words).stdout == first.stdout
    assert machine.run("nix-store", "--delete", path).status == 0
    assert machine.run("nix-store", "--delete", derivation).status == 0
    again = machine.nixdock(*words)
    assert (again.status, again.stdout) == (0, first.stdout)


def test_what_has_changed_is_told_by_its_name(machine: NixMachine) -> None:
    machine.write("image.nix", '{ n ? "x" }: (import ./toy.nix).archive (n + import ./part.nix)')
    machine.write(
        "part.nix",
        'with builtins; concatStringsSep "-" (attrNames (readDir ./src)) + getEnv "WORD"',
    )
    machine.write("src/one", "")
    time.sleep(SETTLED)

    def explain(*words: str, **variables: str) -> list[str]:
        done = machine.nixdock(
            *("build", "--no-out-link", "--explain", *words),
            env={"NIXDOCK_STATE_DIR": str(machine.work / "state"), **variables},
        )
        assert done.status == 0, done.stderr
        return re.findall(r"^(?:\S+: )?(.*(?:last evaluation|remembered).*)$", done.stderr, re.MULTILINE)

    assert explain("image.nix") == ["no evaluation of image.nix is remembered"]
    assert explain("image.nix") == ["nothing has changed since the last evaluation"]
    machine.write("src/two", "")
    (machine.work / "src/two").rename(machine.work / "src/one")
    machine.write("src/three", "")
    machine.write("part.nix", (machine.work / "part.nix").read_text() + "# edited")
    time.sleep(SETTLED)
    assert explain("image.nix", WORD="w") == [
        "since the last evaluation part.nix has changed",
        "since the last evaluation src/three is new",
        "since the last evaluation the environment variable WORD has another value",
    ]
    (machine.work / "src/three").unlink()
    time.sleep(SETTLED)
    assert explain("image.nix", "--argstr", "n", "y", WORD="w") == [
        "since the last evaluation src/three is gone",
        "since the last evaluation --argstr n is another",
    ]
    machine.write("image.nix", (machine.work / "image.nix").read_text() + "# edited")
    time.sleep(SETTLED)
    assert explain("image.nix", "--argstr", "n", "y", WORD="w") == [
        "since the last evaluation image.nix has changed",
        "the same came of it as of the last evaluation: nothing of the image is another",
    ]


def test_a_setting_that_is_neither_yes_nor_no(machine: NixMachine) -> None:
    machine.write("image.nix", '(import ./toy.nix).archive "image"')
    done = machine.nixdock("build", "image.nix", env={"NIXDOCK_EVAL_CACHE": "perhaps"})
    assert done.status == 2
    assert "NIXDOCK_EVAL_CACHE is 'perhaps', and must be yes or no" in done.stderr


def test_an_unchanged_up_evaluates_nothing(nixdock: Nixdock, engine: Engine, tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    env = counted(Path("/usr/bin"), counts)
    assert nixdock("init").status == 0

    def up() -> Run:
        started(counts)
        done = nixdock("up", "hello-docker.nix", "--eval-cache", env=env)
        assert (done.status, done.out) == (0, b"Hello, world!\n"), done.stderr
        return done

    time.sleep(SETTLED)
    up()
    assert any("evaluate.nix" in line for line in started(counts))
    up()
    assert started(counts) == []
