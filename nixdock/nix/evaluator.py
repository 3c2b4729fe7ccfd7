"""From a target to the derivations that it names: which package set, which command, what it answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process
from nixdock.errors import BuildError, UsageError
from nixdock.events import Notice, Work, WorkFinished, WorkStarted
from nixdock.nix import command
from nixdock.nix.evaluation import EvaluatedImage, MissingArchitectureError, read_evaluation
from nixdock.nix.flake import NO_STAND_INS, StandIns, find_stand_ins, find_tracked
from nixdock.nix.package_set import ChosenBy, PackageSet, choose
from nixdock.nix.program import Nix
from nixdock.nix.settings import enables_flakes, find_settings, find_shell
from nixdock.nix.target import (
    FLAKE_FILE,
    BuildTarget,
    ExpressionTarget,
    FlakeTarget,
    PathTarget,
    split_attribute,
)
from nixdock.nixpkgs.assembly import offline_set
from nixdock.settings import here, is_there, wants_eval_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.missing import PackageNames
    from nixdock.nix.read_set import ReadRecorder, ReadSet

_PLAIN: Final = re.compile(r"[A-Za-z0-9/._~+-]*")
"""Paths that a URL can have as they are."""
_LACKING: Final = re.compile(r"does not provide attribute '(?P<outputs>packages\.[^'.]+)\.")
_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates one target.

    Args:
        target: What to evaluate.
        nix: The Nix programs.
        nixpkgs: What `<nixpkgs>` means, or a flake's input of that name; None is as Nix finds it.
        stand_ins: For which inputs of a flake it stands in, and what for others.
    """

    target: BuildTarget
    nix: Nix
    nixpkgs: str | None
    stand_ins: StandIns = NO_STAND_INS

    def find(
        self,
        *,
        expectations: bool,
        streams: bool,
        reads: Callable[[ReadSet], None] | None = None,
        may_recall: bool = True,
    ) -> tuple[EvaluatedImage, ...]:
        """Return what the target names, as `evaluate`; where the user wants that, from memory.

        Args:
            expectations: Whether to read the `nixdock` attribute.
            streams: Whether to offer `.stream`.
            reads: Told what was read.
            may_recall: Whether memory is to be trusted: not where what it said has turned out to be gone.

        Raises:
            BuildError: As by `evaluate`.
        """
        options = self.nix.options
        recall = wants_eval_cache() if options.eval_cache is None else options.eval_cache
        if not recall and not options.explain:
            return self.evaluate(expectations=expectations, streams=streams, reads=reads)
        from nixdock.nix.eval_cache import EvaluationCache  # noqa: PLC0415  # for those who ask

        wanted = command.EvaluationRequest(expectations=expectations, streams=streams)
        cache = EvaluationCache(
            self.target,
            self.nix,
            self.nixpkgs,
            repr(wanted),
            lambda reads: self.evaluate(expectations=expectations, streams=streams, reads=reads),
        )
        explain = options.explain and may_recall
        return cache.evaluate(may_recall=recall and may_recall, explain=explain, reads=reads)

    def evaluate(
        self, *, expectations: bool, streams: bool, reads: Callable[[ReadSet], None] | None = None
    ) -> tuple[EvaluatedImage, ...]:
        """Return what the target names; at least one.

        Args:
            expectations: Whether to read the `nixdock` attribute.
            streams: Whether to offer `.stream`.
            reads: Told what was read: also of an evaluation that fails, up to the error.

        Raises:
            BuildError: It has a fault, or is no derivation, nor a set or list of them.
        """
        paths = tuple(split_attribute(path) for path in self.nix.options.attributes)
        request = command.EvaluationRequest(paths or ((),), expectations, streams)
        key = f"evaluate {self.target.text}"
        self.nix.listener(WorkStarted(key, Work.EVALUATE, self.target.text))
        ok = False
        try:
            found = self._answer_telling(request, reads) if reads else self.answer(request)
            ok = True
        finally:
            self.nix.listener(WorkFinished(key, ok=ok))
        return found

    def _answer_telling(
        self, request: command.EvaluationRequest, reads: Callable[[ReadSet], None]
    ) -> tuple[EvaluatedImage, ...]:
        """Evaluate, and tell what was read, whatever comes of it."""
        from nixdock.nix.read_set import ReadRecorder  # noqa: PLC0415  # for those who ask

        recorder = ReadRecorder(self.constant)
        try:
            found = self._evaluate(replace(request, traced=True, roots=self._roots), recorder)
        except BuildError:
            recorder.fail()
            reads(recorder.read_set())
            # The same fault, told as it is where nobody looks on.
            return self.answer(request)
        reads(recorder.read_set())
        return found

    @property
    def _roots(self) -> tuple[str, ...]:
        """The directories of which many files import one another: the package set, the target's own."""
        searched = (entry.rpartition("=")[2] for entry in self.nix.options.search_path)
        roots = [*self.nix.package_sets, *(here() / entry for entry in searched)]
        roots += [self.target.file.parent] if isinstance(self.target, PathTarget) else []
        roots = [root for root in roots if root.is_absolute() and root.is_dir()]
        return tuple(dict.fromkeys(str(root) for one in roots for root in (one, one.resolve())))

    @property
    def constant(self) -> Path | None:
        """The directory of the offline package set, which is named by its content."""
        return Path(self.nixpkgs) if self.nixpkgs and self.nix.package_names else None

    def answer(self, request: command.EvaluationRequest) -> tuple[EvaluatedImage, ...]:
        """Evaluate without telling; again each time that the offline package set lacked an architecture."""
        try:
            return self._evaluate(request)
        except MissingArchitectureError as missing:
            return self._with_architecture(missing).answer(request)

    def _with_architecture(self, missing: MissingArchitectureError) -> Evaluator:
        """Return the same with the packages of one more architecture in the offline package set."""
        if not self.nix.package_names or self.nixpkgs is None:
            raise missing
        if missing.architecture in offline_set.architectures(Path(self.nixpkgs)):
            raise missing
        directory = offline_set.materialise(self.nix.listener, architecture=missing.architecture)
        nix = replace(self.nix, package_sets=(directory,), package_names=partial(_ask_names, str(directory)))
        return replace(self, nix=nix, nixpkgs=str(directory))

    def _evaluate(
        self, request: command.EvaluationRequest, recorder: ReadRecorder | None = None
    ) -> tuple[EvaluatedImage, ...]:
        target = self.target
        if isinstance(target, FlakeTarget):
            if recorder:
                self._record_flake(target, recorder)
            return self._evaluate_flake(target, request)
        if isinstance(target, PathTarget):
            argv = command.evaluate_file(target.file, request, self._context)
        else:
            argv = command.evaluate_expression(target.expression, request, self._context)
        ended = self.nix.run(argv, hear=recorder.hear) if recorder else self.nix.run(argv)
        return read_evaluation(ended.stdout, target.text)

    def _record_flake(self, target: FlakeTarget, recorder: ReadRecorder) -> None:
        """Have in the read set what of a flake, and of its inputs that were named, is on this machine."""
        if target.directory is not None:
            plain = target.reference.startswith("path:")
            recorder.add_flake(target.directory, None if plain else find_tracked(target.directory))
        for _, given in self.nix.options.override_inputs:
            if given.startswith("/"):
                recorder.add_flake(Path(given), None)

    @property
    def _context(self) -> command.Context:
        inputs = self.stand_ins.as_inputs(self.nixpkgs) if self.nixpkgs else ()
        return command.Context(self.nix.options, self.nix.settings.evaluation, self.nixpkgs, inputs)

    def _evaluate_flake(
        self, target: FlakeTarget, request: command.EvaluationRequest
    ) -> tuple[EvaluatedImage, ...]:
        """Evaluate a flake's output; without one named, each -A names one."""
        attributes = (target.attribute,) if target.attribute else self.nix.options.attributes or (None,)
        if target.attribute is None:
            request = replace(request, attributes=((),))
        reference, cwd = _place(target)
        found: list[EvaluatedImage] = []
        for attribute in attributes:
            argv = command.evaluate_flake(reference, attribute, request, self._context)
            at = split_attribute(attribute) if attribute and target.attribute is None else ()
            try:
                ended = self.nix.run(argv, cwd=cwd)
            except BuildError as error:
                if error.hint is None and (lacking := _LACKING.search(error.message)):
                    asked = command.list_outputs(reference, lacking["outputs"], self._context)
                    systems = command.list_systems(reference, self._context)
                    error.hint = _name_systems(systems, cwd, lacking["outputs"]) or _name_outputs(
                        asked, cwd, target
                    )
                raise
            found += (
                replace(candidate, attribute=(*at, *candidate.attribute))
                for candidate in read_evaluation(ended.stdout, target.text)
            )
        return tuple(found)


def open_evaluator(target: BuildTarget, options: NixOptions, listener: Listener) -> Evaluator:
    """Prepare the evaluation of a target: choose the package set, and what Nix must be told here.

    Args:
        target: What to evaluate.
        options: The user's own.
        listener: Whom to tell what happens.

    Raises:
        UsageError: An option does not go with the target.
        BuildError: There is no package set to be had.
    """
    if isinstance(target, FlakeTarget) and (options.arguments or options.string_arguments):
        raise UsageError("--arg and --argstr are for functions, and a flake takes none")
    if options.override_inputs and not isinstance(target, FlakeTarget):
        raise UsageError(f"--override-input is for flakes, and {target.text} is none")
    package_set = _choose_package_set(target, options, listener)
    stand_ins = NO_STAND_INS
    if package_set is not None:
        if isinstance(target, FlakeTarget) and package_set.is_offline:
            stand_ins = find_stand_ins(target.directory, Path(package_set.target))
        listener(Notice(package_set.sentence + _tell_stand_ins(target, stand_ins)))
    nix = Nix(
        options=options,
        settings=find_settings(options, shell=_shell_of(package_set) if package_set else None),
        listener=listener,
        expression=target.expression if isinstance(target, ExpressionTarget) else None,
        package_sets=(Path(package_set.target),) if package_set else (),
        package_names=partial(_ask_names, package_set.target)
        if package_set and package_set.is_offline
        else None,
        is_flake=isinstance(target, FlakeTarget),
        flake=target.directory if isinstance(target, FlakeTarget) else None,
        file=target.file if isinstance(target, PathTarget) else None,
    )
    passed = package_set is not None and package_set.kind is not ChosenBy.CONFIGURED
    return Evaluator(target, nix, package_set.target if package_set and passed else None, stand_ins)


def _tell_stand_ins(target: BuildTarget, stand_ins: StandIns) -> str:
    """Return what is to be said of a flake's inputs besides what the package set is."""
    if not isinstance(target, FlakeTarget):
        return ""
    *first, last = [name for name, _ in stand_ins.others] or [""]
    own = f"{', '.join(first)} and {last}" if first else last
    return ", in place of the flake's own input" + (f"; nixdock's own in place of {own}" if own else "")


def _choose_package_set(target: BuildTarget, options: NixOptions, listener: Listener) -> PackageSet | None:
    """Return what `<nixpkgs>` means; None where that is not for us to say.

    A user's `-I` says it already, and so does a flake on a machine that is set up for flakes.
    """
    if options.nixpkgs is None:
        if isinstance(target, FlakeTarget):
            if enables_flakes():
                return None
        elif any(
            entry.startswith("nixpkgs=") or is_there(Path(entry, "nixpkgs")) for entry in options.search_path
        ):
            return None
    package_set = choose(options.nixpkgs, listener=listener)
    if isinstance(target, FlakeTarget) and package_set.kind is ChosenBy.CONFIGURED:
        return None
    return package_set


def _ask_names(nixpkgs: str) -> PackageNames:
    """Return the names in a package set; none where they cannot be had."""
    from nixdock.nix.missing import PackageNames  # noqa: PLC0415  # only for mistakes

    outcome = process.run(command.list_names(nixpkgs))
    if not outcome:
        return PackageNames(())
    answer = json.loads(outcome.stdout)
    return PackageNames(answer["pkgs"], frozenset(answer["debian"]), answer["python"])


def _name_outputs(asked: Sequence[Sequence[str]], cwd: Path | None, target: FlakeTarget) -> str | None:
    """Return a hint with the outputs that a flake does have, by the first question that has an answer."""
    outcomes = (process.run(argv, cwd=cwd) for argv in asked)
    names = next((list(json.loads(outcome.stdout)) for outcome in outcomes if outcome), [])
    flake = target.text.partition("#")[0].removesuffix(FLAKE_FILE).rstrip("/") or "."
    listed = ", ".join(f"{flake}#{name}" for name in names[:_MOST])
    return f"there is: {listed}{' …' if len(names) > _MOST else ''}" if names else None


def _name_systems(argv: Sequence[str], cwd: Path | None, lacking: str) -> str | None:
    """Return a hint with the systems that a flake has packages for, where this machine's is none of them."""
    outcome = process.run(argv, cwd=cwd)
    systems = list(json.loads(outcome.stdout)) if outcome else []
    mine = lacking.removeprefix("packages.")
    return (
        f"its packages are for {', '.join(systems)}; this is {mine}"
        if systems and mine not in systems
        else None
    )


def _shell_of(package_set: PackageSet) -> Path | None:
    return find_shell(Path(package_set.target)) if package_set.is_offline else None


def _place(target: FlakeTarget) -> tuple[str, Path | None]:
    """Return a flake's reference, and the directory to evaluate it from; None is the current one.

    A path with spaces or other signs is no reference to Nix 2.8, written plainly or encoded, and one to
    a newer Nix only encoded; the directory itself is `.` to both.
    """
    if target.directory is None or _PLAIN.fullmatch(str(target.directory)):
        return target.reference, None
    return "path:." if target.reference.startswith("path:") else ".", target.directory
