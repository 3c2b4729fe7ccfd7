"""Evaluations remembered: what one found, what it read, and in which circumstances.

What was found holds as long as nothing that was read is another, the circumstances are the same, and the
derivations are there. In doubt nothing is remembered, and Nix evaluates:

- what cannot be looked at again was read (`ReadSet.unknowable`), or Nix told of reading in words not known;
- something of it was written while the evaluation ran, or so shortly before that its time cannot tell;
- the target is a flake: which files Nix takes is for Git to say, and inputs may be fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock import settings
from nixdock.database import Database
from nixdock.events import Notice
from nixdock.log import get_logger
from nixdock.nix.command import DIRECTORY
from nixdock.nix.evaluation import DerivationOutput, EvaluatedImage
from nixdock.nix.package_set import default_search_path
from nixdock.nix.read_set import ReadSet
from nixdock.nix.read_state import Aspect, Change, ReadState, observe_state
from nixdock.nix.settings import config_files
from nixdock.nix.store import locate
from nixdock.nix.target import ExpressionTarget, FlakeTarget
from nixdock.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixdock.nix.program import Nix
    from nixdock.nix.target import BuildTarget

log = get_logger(__name__)

_VERSION: Final = 3
"""Raised whenever more is known to lead to another answer: what is remembered without it is thrown away."""
_SCHEMA: Final = (
    "CREATE TABLE evaluations (target TEXT PRIMARY KEY, content TEXT NOT NULL, kept REAL NOT NULL)"
)
_KEPT: Final = 200
"""Evaluations that are remembered; one takes some kilobytes."""
_LARGEST: Final = 16 * 1024 * 1024
"""Characters that one may take: one that read more is not worth it."""
_MOST: Final = 10
"""How many changes are told."""
_INCLUDED: Final = re.compile(r"^[^\S\n]*!?include[^\S\n]+([^\s#]+)", re.MULTILINE)
_PLUGINS: Final = re.compile(r"\bplugin-files\b")
_OURS: Final = ("evaluate.nix", "describe.nix", "traced.nix")
_VARIABLES: Final = ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_STATE_HOME", "XDG_DATA_HOME")
"""Besides those of Nix's own, what decides where it looks for something."""
_SET_BY_US: Final = ("XDG_CACHE_HOME", "NIX_CACHE_HOME")
"""Variables that Nix may find with another value than we (`program.py`)."""


@dataclass(frozen=True, slots=True)
class RememberedEvaluation:
    """An evaluation as it was.

    Args:
        images: What was found.
        reads: What was read.
        state: What that was, and the configuration of Nix.
        circumstances: All else that could have led to something else, by names for the user.
    """

    images: tuple[EvaluatedImage, ...]
    reads: ReadSet
    state: ReadState
    circumstances: Mapping[str, str]

    def changes(self, circumstances: Mapping[str, str]) -> tuple[Change, ...]:
        """Return what is not as it was."""
        names = sorted(self.circumstances.keys() | circumstances.keys())
        others = [name for name in names if self.circumstances.get(name) != circumstances.get(name)]
        return (*self.state.differences(), *(Change(name, "is another") for name in others))

    def is_there(self, store: str | None) -> bool:
        """Whether the derivations that were found are there still, and the sources that checks name."""
        outputs = [
            output for image in self.images for output in (image.own, image.stream) if output is not None
        ]
        needs = [need.partition("!")[0] for image in self.images for need in image.needs]
        paths = {*(output.derivation for output in outputs), *needs}
        return all(locate(Path(path), store) is not None for path in paths)

    def as_json(self) -> str:
        """Return it as what `from_json` reads."""
        return json.dumps(
            {
                "images": [asdict(image) for image in self.images],
                "reads": self.reads.as_json(),
                "state": self.state.as_json(),
                "circumstances": dict(self.circumstances),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> RememberedEvaluation:
        """Read what `as_json` wrote.

        Raises:
            ValueError: It is something else; so do TypeError and KeyError.
        """
        value = json.loads(text)
        return cls(
            tuple(map(_read_image, value["images"])),
            ReadSet.from_json(value["reads"]),
            ReadState.from_json(value["state"]),
            value["circumstances"],
        )


def _read_image(value: Mapping[str, Any]) -> EvaluatedImage:
    return EvaluatedImage(
        **{
            **value,
            "attribute": tuple(value["attribute"]),
            "own": DerivationOutput(**value["own"]),
            "stream": DerivationOutput(**value["stream"]) if value["stream"] else None,
            "needs": tuple(value["needs"]),
        }
    )


@dataclass(frozen=True, slots=True)
class EvaluationCache:
    """The evaluations that are remembered, one of each target and what a command wants to know of it.

    Args:
        target: What is evaluated.
        nix: The Nix programs, with all that they are told.
        nixpkgs: What `<nixpkgs>` means to them.
        wanted: What a command wants to know of the target, in whatever words.
        evaluation: Evaluates, and tells what was read, as `Evaluator.evaluate` does.
        database: Where they are kept.
    """

    target: BuildTarget
    nix: Nix
    nixpkgs: str | None
    wanted: str
    evaluation: Callable[[Callable[[ReadSet], None] | None], tuple[EvaluatedImage, ...]]
    database: Database = field(
        default_factory=lambda: Database(settings.state_dir() / "evaluations.sqlite", _SCHEMA, _VERSION)
    )

    def evaluate(
        self, *, may_recall: bool, explain: bool, reads: Callable[[ReadSet], None] | None = None
    ) -> tuple[EvaluatedImage, ...]:
        """Return what the target names: from memory where that holds, else by an evaluation.

        Args:
            may_recall: Whether it may come from memory.
            explain: Whether to say what has changed, and what cannot be remembered.
            reads: Told what was read, as by `Evaluator.evaluate`.

        Raises:
            BuildError: As by `Evaluator.evaluate`.
        """
        if isinstance(self.target, FlakeTarget):
            if explain:
                self._tell(f"{self.target.text} is a flake: its evaluations are not remembered")
            return self.evaluation(reads)
        circumstances = self._circumstances()
        known = self._recall()
        changes = known.changes(circumstances) if known else ()
        holds = bool(known and not changes and known.is_there(self.nix.options.store))
        if explain:
            self._explain(known, changes, recalled=holds and may_recall)
        if known and holds and may_recall:
            log.debug("evaluation.recalled", target=self.target.text)
            if reads:
                reads(known.reads)
            if renewed := known.state.renewed():
                self._keep(replace(known, state=renewed))
            return known.images
        images = self._evaluate_and_keep(circumstances, explain=explain, reads=reads)
        if explain and changes and known and known.images == images:
            self._tell("the same came of it as of the last evaluation: nothing of the image is another")
        return images

    def _evaluate_and_keep(
        self, circumstances: Mapping[str, str], *, explain: bool, reads: Callable[[ReadSet], None] | None
    ) -> tuple[EvaluatedImage, ...]:
        heard: list[ReadSet] = []
        config, variables, begun = self._observe_config(), dict(os.environ), time.time_ns()
        try:
            images = self.evaluation(heard.append)
        finally:
            if reads and heard:
                reads(heard[-1])
        # More than one, where the offline package set had to be asked for another architecture's packages.
        read = heard[-1]
        state = read.observe()
        obstacles = self._find_obstacles(read, state, begun)
        obstacles += [f"{change.what} {change.how}" for change in config.differences()]
        # In a library another thread may have set one.
        set_meanwhile = [name for name in read.environment if os.environ.get(name) != variables.get(name)]
        obstacles += [f"{name} was set meanwhile" for name in sorted(set_meanwhile)]
        remembered = RememberedEvaluation(images, read, state.joined(config), circumstances)
        if not obstacles and not self._keep(remembered):
            obstacles.append(f"it cannot be kept in {self.database.path}")
        if obstacles:
            log.debug("evaluation.not_remembered", obstacles=obstacles)
            if explain:
                self._tell(f"this evaluation is not remembered: {'; '.join(obstacles)}")
        return images

    def _explain(
        self, known: RememberedEvaluation | None, changes: tuple[Change, ...], *, recalled: bool
    ) -> None:
        if known is None:
            self._tell(f"no evaluation of {self.target.text} is remembered")
            return
        here = settings.here()
        for change in changes[:_MOST]:
            self._tell(f"since the last evaluation {change.shown_from(here)}")
        if len(changes) > _MOST:
            self._tell(f"since the last evaluation {len(changes) - _MOST} more have changed")
        if not changes and recalled:
            self._tell("nothing has changed since the last evaluation: it is not repeated")
        elif not changes:
            self._tell("nothing has changed since the last evaluation")

    def _tell(self, sentence: str) -> None:
        self.nix.listener(Notice(clean_line(sentence)))

    def _recall(self) -> RememberedEvaluation | None:
        rows = self.database.read("SELECT content FROM evaluations WHERE target = ?", [self._key])
        try:
            return RememberedEvaluation.from_json(rows[0][0]) if rows else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def _keep(self, remembered: RememberedEvaluation) -> bool:
        """Remember an evaluation; whether that was possible."""
        text = remembered.as_json()
        if len(text) > _LARGEST:
            return False
        kept = self.database.write(
            "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?)", [(self._key, text, time.time())]
        )
        self.database.write(
            "DELETE FROM evaluations WHERE target IN "
            "(SELECT target FROM evaluations ORDER BY kept DESC LIMIT -1 OFFSET ?)",
            [(_KEPT,)],
        )
        return kept

    @property
    def _key(self) -> str:
        """What stands for the target, and for what is wanted of it."""
        target, options = self.target, self.nix.options
        named = (
            target.expression if isinstance(target, ExpressionTarget) else str(getattr(target, "file", ""))
        )
        wanted = [type(target).__name__, named, options.attributes, self.wanted]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()

    def _circumstances(self) -> dict[str, str]:
        """Return what decides an evaluation besides what it reads, by names for the user."""
        options = self.nix.options
        found = {
            "nixdock": _digest(*((DIRECTORY / name).read_bytes() for name in _OURS)),
            "Nix": _identify_nix(),
            "the working directory": str(settings.here()),
            "<nixpkgs>": self.nixpkgs or "",
            "the search path (-I)": json.dumps([options.nixpkgs, *options.search_path]),
            "the store": options.store or "",
        }
        told = (*self.nix.settings.evaluation.items(), *options.settings)
        given = {"--arg": options.arguments, "--argstr": options.string_arguments, "--option": told}
        for option, pairs in given.items():
            for name in dict(pairs):
                # One that is given twice counts with all its values.
                found[f"{option} {name}"] = _digest(*(value for other, value in pairs if other == name))
        for name, value in os.environ.items():
            if name.startswith("NIX_") or name in _VARIABLES:
                found[f"the environment variable {name}"] = _digest(value)
        return found

    def _observe_config(self) -> ReadState:
        """Return what Nix's configuration is, and where it looks for packages that nobody has named."""
        channels = [] if "NIX_PATH" in os.environ else default_search_path(os.environ)
        return observe_state(
            [(Aspect.CONTENT, file) for file in _config_files()] + [(Aspect.KIND, path) for path in channels]
        )

    def _find_obstacles(self, read: ReadSet, state: ReadState, begun: int) -> list[str]:
        """Return why an evaluation cannot be remembered, each as a clause of a sentence."""
        obstacles = [f"it depends on {what}" for what in sorted(read.unknowable)]
        obstacles += [f"it depends on {name}" for name in _SET_BY_US if name in read.environment]
        settings_of_nix = [name for name, _ in self.nix.options.settings]
        texts = [os.environ.get("NIX_CONFIG", ""), *settings_of_nix, *map(_read, _config_files())]
        if any(map(_PLUGINS.search, texts)):
            obstacles.append("Nix has plugins here (the setting plugin-files)")
        # What was read was there.
        gone = (read.paths - read.absences) & state.absent()
        meanwhile = sorted(gone.union(state.written_since(begun)))
        obstacles += [f"{path} was written meanwhile" for path in meanwhile[:_MOST]]
        return obstacles


def _digest(*values: str | bytes) -> str:
    """Return what stands for values, which may be secrets."""
    texts = (os.fsencode(value) if isinstance(value, str) else value for value in values)
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _identify_nix() -> str:
    """Return what is another for another version of Nix."""
    program = shutil.which("nix-instantiate")
    if program is None:
        return ""
    resolved = Path(program).resolve()
    status = resolved.stat()
    numbers = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return f"{resolved} {numbers}"


def _config_files() -> list[Path]:
    """Return where Nix's configuration is, or would be."""
    files = config_files(os.environ)
    files += _included(os.environ.get("NIX_CONFIG", ""), settings.here())
    for file in files:
        # A file that is included may include others.
        files += (path for path in _included(_read(file), file.parent) if path not in files)
    return files


def _included(text: str, directory: Path) -> list[Path]:
    return [directory / name for name in _INCLUDED.findall(text)]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
