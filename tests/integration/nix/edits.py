"""A program of the tests: random edits of all that an evaluation reads, evaluated with memory and without.

    python edits.py SEED SEQUENCES

works in the current directory, and prints as JSON which answers were stale, and how many came from memory.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.errors import NixdockError
from nixdock.events import Event, WorkStarted, ignore
from nixdock.nix.command import NixOptions
from nixdock.nix.evaluator import open_evaluator
from nixdock.nix.target import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.nix.evaluator import Evaluator
    from nixdock.nix.read_set import ReadSet
    from nixdock.nix.target import BuildTarget

ROOT: Final = """
{ flavour ? "plain", number ? 0 }:
let
  inherit (builtins) readFile;
  kept = path: type: baseNameOf path != "skipped";
  all = name: derivation {
    inherit name flavour number;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    texts = [ (readFile ./texts/read) (__readFile ./texts/global) ];
    hashed = builtins.hashFile "sha256" ./texts/hashed;
    listed = builtins.toJSON (builtins.readDir ./listed);
    probed = [ (builtins.pathExists ./maybe) (builtins.pathExists "${toString ./.}/maybe/") ];
    environment = builtins.getEnv "EDITS";
    above = builtins.readFile (toString ./deep + "/../text");
    copied = "${./tree}";
    file = ./tree/run;
    filtered = builtins.filterSource kept ./filtered;
    path = builtins.path { path = ./single; name = "single"; };
    some = builtins.path { path = ./filtered; name = "some"; filter = kept; };
    imported = import ./part;
    by_link = import ./folder;
    scoped = builtins.scopedImport { word = "scoped"; } ./scoped.nix;
    thing = import <thing>;
    tried = (builtins.tryEval (import <nothing/of/it>)).success;
    chosen = import ./current/chosen.nix;
    linked = import ./linked.nix;
    home = toString ~/some;
    mode = import ./mode.nix;
  };
in
{ one = all "one"; two = all "two"; }
"""
MODES: Final = (
    '"plain"',
    "builtins.readFile ./texts/extra",
    "import ./absent.nix",
    "{ syntax",
    "builtins.currentTime - builtins.currentTime",
    'if builtins.pathExists ./listed/new then "new" else throw "there is nothing new"',
)
TEXTS: Final = (
    *(f"texts/{name}" for name in ("read", "global", "hashed", "extra")),
    *("tree/run", "tree/inner/deep", "filtered/kept", "filtered/inner/kept", "filtered/skipped"),
    *("single", "part/text", "first/unused", "here.txt", "text", "a/text", "b/text", "folder/text"),
)
FOLDERS: Final = ("listed", "tree", "tree/inner", "filtered", "filtered/inner", "first", "texts", "new")


@dataclass
class World:
    """What is evaluated, and with what."""

    random: random.Random
    expression: str | None = None
    options: NixOptions = field(
        default_factory=lambda: NixOptions(
            search_path=("first", "nixpkgs=packages", "thing=things"), eval_cache=True
        )
    )

    def make(self) -> None:
        """Write all files."""
        for name in TEXTS:
            self.write(name, "0")
        for name in ("listed/old", "packages/default.nix", "things/default.nix", "scoped.nix"):
            self.write(name, "word" if name == "scoped.nix" else '"first"')
        for name in "ab":
            self.write(f"{name}/chosen.nix", "toString ./. + builtins.readFile ./text")
            self.write(f"{name}/deep/unused", "")
            Path(name, "both").symlink_to("../both")
        self.write("both/chosen.nix", "builtins.readFile ../text")
        self.write("part/default.nix", "builtins.readFile ./text")
        self.write("root.nix", ROOT)
        self.write("mode.nix", MODES[0])
        self.write("user.conf", "")
        self.write("number.nix", "1")
        Path("tree/link").symlink_to("run")
        Path("current").symlink_to("a")
        Path("deep").symlink_to("a/deep")
        Path("folder/default.nix").symlink_to("../a/chosen.nix")
        Path("linked.nix").symlink_to("a/chosen.nix")

    def write(self, name: str, text: str) -> None:
        """Write a file, whatever is in its place."""
        file = Path(name)
        if file.is_dir():
            shutil.rmtree(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def edit(self) -> str:
        """Change something; return what."""
        edit = self.random.choice(EDITS)
        edit(self)
        return str(edit)

    def mend(self) -> None:
        """Take back what makes an evaluation fail: of what is broken nothing is remembered."""
        restore(self)
        self.write("mode.nix", MODES[0])
        self.write("user.conf", "")
        os.environ.pop("NIX_CONFIG", None)
        self.options = replace(self.options, attributes=())

    def pick_text(self) -> Path:
        """Return a file that is there."""
        return self.random.choice([path for path in map(Path, TEXTS) if path.is_file()])

    def text(self) -> str:
        """Return one of few texts, so that some come again; all have one size."""
        return self.random.choice("0123")

    def open(self) -> Evaluator:
        """Return what evaluates it."""
        name = None if self.expression else "root.nix"
        target: BuildTarget = parse(name, expression=self.expression)  # type: ignore[assignment]
        return open_evaluator(target, self.options, ignore)


def rewrite(world: World) -> None:
    world.pick_text().write_text(world.text())


def rewrite_secretly(world: World) -> None:
    path = world.pick_text()
    status = path.stat()
    path.write_text(world.text())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_an_older(world: World) -> None:
    path = world.pick_text()
    Path("spare").write_text(world.text())
    os.utime("spare", (1_000_000_000, 1_000_000_000))
    Path("spare").rename(path)


def touch(world: World) -> None:
    world.pick_text().touch()


def rename(world: World) -> None:
    path = world.pick_text()
    path.rename(path.with_name("skipped" if path.name != "skipped" else "kept"))


def restore(world: World) -> None:
    for name in TEXTS:
        if not Path(name).exists():
            world.write(name, world.text())


def add_or_remove(world: World) -> None:
    file = Path(world.random.choice(FOLDERS)) / world.random.choice(("new", "skipped", "ü ' new"))
    if file.exists():
        file.unlink()
    else:
        world.write(str(file), world.text())


def change_mode(world: World) -> None:
    copied = map(Path, ("tree/run", "tree/inner/deep", "filtered/kept", "single"))
    path = world.random.choice([path for path in copied if path.is_file()] or [world.pick_text()])
    path.chmod(path.stat().st_mode ^ world.random.choice((0o100, 0o100, 0o010, 0o044)))


def turn_link(world: World) -> None:
    links = {
        "tree/link": ("run", "inner"),
        "current": ("a", "b"),
        "deep": ("a/deep", "b/deep"),
        "folder/default.nix": ("../a/chosen.nix", "../b/chosen.nix"),
        # Which leads to files of one content, or by two ways to one file, that read the files beside them.
        "linked.nix": ("a/chosen.nix", "b/chosen.nix", "a/both/chosen.nix", "b/both/chosen.nix"),
    }
    name, targets = world.random.choice(list(links.items()))
    Path(name).unlink()
    Path(name).symlink_to(world.random.choice(targets))


def probe(world: World) -> None:
    path = Path("maybe")
    if path.is_dir():
        path.rmdir()
    elif path.exists() or path.is_symlink():
        path.unlink()
    match world.random.randrange(4):
        case 0:
            path.mkdir()
        case 1:
            path.write_text("")
        case 2:
            path.symlink_to("nowhere")


def shadow(world: World) -> None:
    path = Path("first/thing")
    if path.exists():
        shutil.rmtree(path)
    else:
        world.write("first/thing/default.nix", '"shadow"')


def swap_folders(world: World) -> None:
    path = Path(world.random.choice(("tree", "filtered", "listed", "part", "things")))
    if not Path("twin", path).exists():
        shutil.copytree(path, "twin" / path, symlinks=True)
    path.rename("swap")
    Path("twin", path).rename(path)
    Path("swap").rename("twin" / path)


def set_variable(world: World) -> None:
    name, values = world.random.choice(
        (
            ("EDITS", ("", "a", "b", None)),
            ("HOME", (str(Path.cwd()), str(Path.cwd() / "listed"))),
            ("NIX_CONFIG", (f"!include {Path.cwd()}/included.conf", None)),
        )
    )
    value = world.random.choice(values)
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value


def set_argument(world: World) -> None:
    world.options = replace(
        world.options,
        string_arguments=world.random.choice(((), (("flavour", "sweet"),), (("flavour", "sour"),))),
        arguments=world.random.choice(
            ((), (("number", "2"),), (("number", "import ./number.nix # it"),), (("number", "[<thing>]"),))
        ),
    )


def set_number(world: World) -> None:
    world.write("number.nix", world.text())


def set_attribute(world: World) -> None:
    world.options = replace(
        world.options, attributes=world.random.choice(((), ("one",), ("two",), ("three",)))
    )


def set_search_path(world: World) -> None:
    path = world.random.choice(
        (("first", "thing=things"), ("thing=things", "first"), ("first", "thing=part"))
    )
    world.options = replace(world.options, search_path=(*path, "nixpkgs=packages"))


def configure(world: World) -> None:
    said = world.random.choice(
        ("", "", "", "system = aarch64-linux\n", "restrict-eval = true\n", "max-jobs = 1\n")
    )
    if world.random.random() < 0.5:
        world.write("user.conf", said)
    else:
        world.write("included.conf", said)
        told = world.random.choice(("!include included.conf", "!include included.conf # shared"))
        world.write("user.conf", f"{told}\n")


def configure_by_option(world: World) -> None:
    world.options = replace(
        world.options, settings=world.random.choice(((), (("system", "aarch64-linux"),), (("cores", "1"),)))
    )


def set_mode(world: World) -> None:
    world.write("mode.nix", world.random.choice(MODES))


def set_target(world: World) -> None:
    said = (
        None,
        "import ./root.nix",
        '(import ./root.nix { }).one // { name = "x"; }',
        'derivation { name = builtins.readFile ./here.txt; system = "x"; builder = ./tree; }',
        'let p = <thing>; in derivation { name = "y"; system = "s" + __getEnv "EDITS"; builder = p; }',
    )
    world.expression = world.random.choice((None, *said))


EDITS: Final[tuple[Callable[[World], None], ...]] = (
    *(rewrite, rewrite, rewrite_secretly, replace_by_an_older, touch, rename, restore),
    *(add_or_remove, add_or_remove, change_mode, turn_link, probe, shadow, swap_folders),
    *(set_variable, set_argument, set_number, set_attribute),
    *(set_search_path, configure, configure_by_option, set_mode, set_target),
)


@dataclass
class Asker:
    """Asks for a world's evaluation, with memory and without.

    Args:
        world: What is evaluated.
        started: How many evaluations Nix has done.
    """

    world: World
    started: int = 0

    def ask(self, *, remembers: bool, reads: Callable[[ReadSet], None] | None = None) -> object:
        """Return what came of it: what was found, or the message of the error."""
        evaluator = self.world.open()
        evaluator = replace(evaluator, nix=replace(evaluator.nix, listener=self._count))
        try:
            if remembers:
                return evaluator.find(expectations=False, streams=True, reads=reads)
            return evaluator.evaluate(expectations=False, streams=True)
        except NixdockError as error:
            return error.message

    def _count(self, event: Event) -> None:
        self.started += isinstance(event, WorkStarted)


def main() -> None:
    """Walk."""
    seed, sequences = map(int, sys.argv[1:])
    world = World(random.Random(seed))
    world.make()
    os.environ.update(HOME=str(Path.cwd()), NIX_USER_CONF_FILES=str(Path("user.conf").absolute()))
    asker = Asker(world)
    stale: list[object] = []
    recalled = 0
    plain: object = None
    for number in range(sequences):
        if isinstance(plain, str) and world.random.random() < 0.8:
            world.mend()
        # Mostly one: what hides a change that goes unseen is another.
        edits = [world.edit() for _ in range(world.random.choice((1, 1, 1, 1, 2, 4)))]
        if world.random.random() < 0.9:
            # What is written within a tick of the clock before an evaluation is not remembered.
            time.sleep(0.03)
        if world.random.random() < 0.2:
            # Somebody writes between the evaluation's reading and what is remembered of it.
            asker.ask(remembers=True, reads=lambda _: edits.append(world.edit()))  # noqa: B023  # called at once
        plain = asker.ask(remembers=False)
        for _ in range(2):
            before = asker.started
            answer = asker.ask(remembers=True)
            recalled += asker.started == before
            if answer != plain:
                stale.append([number, edits, str(answer), str(plain)])
    sys.stdout.write(json.dumps({"stale": stale, "recalled": recalled}))


if __name__ == "__main__":
    main()
