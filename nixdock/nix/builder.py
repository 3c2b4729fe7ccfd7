"""From a target to artefacts: evaluate, build, look at what came out, and link to it.

Two Nix processes where nothing has changed (about 20 ms each): one that evaluates and writes the
derivations, one that makes the links and thereby sees that the outputs are there. Where something is
to be built, and linked to for the user, there is a third between them, so that a result that is no image
leaves no link behind.
Whoever may not need the outputs at all, as of an image that an engine has, puts the second one off.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from nixdock.errors import BuildError, NixdockError, UsageError
from nixdock.events import Notice, ignore
from nixdock.nix import command
from nixdock.nix.artefact import Artefact, ArtefactForm, describe, is_held, recognise
from nixdock.nix.evaluation import BrokenDownloadError, CollectedError
from nixdock.nix.store import lies_elsewhere, locate, store_path_of
from nixdock.nix.target import ArtefactTarget, BuildTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.evaluation import DerivationOutput, EvaluatedImage
    from nixdock.nix.program import Nix
    from nixdock.nix.read_set import ReadSet

DEFAULT_LINK: Final = Path("result")
"""What nix-build calls the link to what it built."""

_MORE_ATTEMPTS: Final = 2
"""How often a build is tried again where a server broke off amid a file."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a command wants of a build, apart from the image.

    Args:
        expectations: To read the `nixdock` attribute, and to build the programs that it names.
        streams: To get a program that writes the image, where there is one, instead of an archive.
        single: To get one image, and an error that names them where there are several.
        link: The link to make where the user does not say; None makes none.
        reads: Told what the evaluation read, also one that fails; to tell costs an evaluation a little.
        lazily: To have what is there already without holding it: `Artefact.hold` does that.
        failed: Told why some of several images could not be built: the others are returned then.
    """

    expectations: bool = False
    streams: bool = False
    single: bool = False
    link: Path | None = None
    reads: Callable[[ReadSet], None] | None = None
    lazily: bool = False
    failed: Callable[[BuildError], None] | None = None


def build(
    target: BuildTarget | ArtefactTarget,
    options: NixOptions,
    listener: Listener,
    *,
    roots: Path,
    request: BuildRequest | None = None,
) -> tuple[Artefact, ...]:
    """Build what a target names.

    Args:
        target: What to build; an artefact is only looked at.
        options: The user's own.
        listener: Whom to tell what happens.
        roots: The directory that keeps what is built from the garbage collector: `store.hold_roots`.
        request: What the command wants.

    Returns:
        The artefacts, in the target's order; at least one.

    Raises:
        BuildError: It cannot be evaluated or built, or is no image.
        UsageError: There are several and one is wanted, or an option does not go with the target.
    """
    request = request or BuildRequest()
    if isinstance(target, ArtefactTarget):
        return (_adopt(target, options, roots, lazily=request.lazily),)
    # With all that an evaluation needs; what is built already is found without.
    from nixdock.nix.evaluator import open_evaluator  # noqa: PLC0415

    evaluator = open_evaluator(target, options, listener)
    link = None if options.no_out_link else options.out_link or request.link

    # What streams an image names its parts as they are called in the store.
    streams = request.streams and not lies_elsewhere(options.store)

    def evaluate(*, again: bool = False) -> _Realisation:
        candidates = evaluator.find(
            expectations=request.expectations, streams=streams, reads=request.reads, may_recall=not again
        )
        if request.single and len(candidates) > 1:
            raise _refuse_several(target.text, candidates)
        nix = evaluator.nix
        if request.failed is not None:
            nix = replace(nix, options=replace(nix.options, keep_going=True))
        return _Realisation(nix, target.text, candidates, roots, link, request.failed)

    realisation = evaluate()
    if request.lazily and (there := realisation.find()):

        def hold() -> None:
            try:
                realisation.hold()
            except CollectedError:
                evaluate(again=True)
                realisation.hold()

        held = _Once(hold)
        return tuple(replace(artefact, hold=held) for artefact in there)
    try:
        return realisation.run()
    except CollectedError:
        # The garbage collector came between evaluation and build, when nothing held the derivations.
        return evaluate(again=True).run()


class _Once:
    """Does something at the first call that succeeds, and says whether it was this one."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._is_done = False
        self._lock = Lock()

    def __call__(self) -> bool:
        with self._lock:
            if self._is_done:
                return False
            self._work()
            self._is_done = True
            return True


def _adopt(target: ArtefactTarget, options: NixOptions, roots: Path, *, lazily: bool) -> Artefact:
    """Return what is there already; a store path is held while the command runs."""
    resolved = target.path.resolve()
    store_path = store_path_of(resolved)
    hold: Callable[[], bool] = is_held
    if store_path is not None:

        def hold_it() -> None:
            # Without Nix, or its daemon, nobody collects garbage either, and the file can still be read.
            with contextlib.suppress(NixdockError):
                hold_valid([str(store_path)], roots / "artefact", options)

        hold = _Once(hold_it)
    try:
        if not lazily:
            hold()
        form = recognise(resolved)
    except OSError as error:
        raise UsageError(f"'{target.text}' cannot be read: {error.strerror}") from error
    # Whether it is an image after all is for the readers of images to say.
    may_run = not options.no_scripts
    return Artefact(
        target.path, form or ArtefactForm.ARCHIVE, store_path=store_path, may_run=may_run, hold=hold
    )


def hold_valid(paths: Sequence[str], link: Path, options: NixOptions) -> None:
    """Keep store paths that are there from the garbage collector as long as links to them are there.

    Args:
        paths: The store paths.
        link: The first of the links; those after it have a number behind its name.
        options: The user's own.

    Raises:
        NixdockError: There is no Nix, or no daemon, or one of them is not valid.
    """
    from nixdock.nix.program import Nix  # noqa: PLC0415  # as in build
    from nixdock.nix.settings import NixSettings  # noqa: PLC0415

    Nix(options, NixSettings(), ignore).run(command.hold_paths(paths, link, options))


def _refuse_several(target: str, candidates: Sequence[EvaluatedImage]) -> UsageError:
    names = [candidate.label or "" for candidate in candidates]
    listed = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return UsageError(
        f"{target} gives {len(names)} images, and this command takes one: {listed}",
        hint=f"choose one: -A {names[0]}; build, load and check take all of them",
    )


@dataclass(frozen=True, slots=True)
class _Realisation:
    """The building of what an evaluation found.

    Args:
        nix: The Nix programs.
        target: How the user named the target.
        candidates: What was found.
        roots: The directory of temporary GC roots.
        link: The link that the user gets; None is none.
        failed: As in `BuildRequest`.
    """

    nix: Nix
    target: str
    candidates: Sequence[EvaluatedImage]
    roots: Path
    link: Path | None
    failed: Callable[[BuildError], None] | None = None

    @property
    def outputs(self) -> list[DerivationOutput]:
        """What is to be built."""
        return [candidate.stream or candidate.own for candidate in self.candidates]

    def find(self) -> tuple[Artefact, ...]:
        """Return what is there already, as it is; nothing where anything must be built, held or linked to."""
        if self.link or any(candidate.needs for candidate in self.candidates):
            return ()
        paths = [output.path for output in self.outputs]
        forms = self._recognise(paths)
        return () if None in forms else self._describe(paths, forms, {})

    def hold(self) -> None:
        """Keep what is there from the garbage collector; it is built again where that has taken it."""
        self._realise(self.outputs, self.roots / "result")

    def run(self) -> tuple[Artefact, ...]:
        """Build, and return what came out; where only some could be built, and that will do, those."""
        try:
            return self._run()
        except CollectedError:
            raise
        except BuildError as error:
            built = self._split(error)
            if self.failed is None or not built:
                raise
            return replace(self, candidates=built, failed=None).run()

    def _split(self, error: BuildError) -> list[EvaluatedImage]:
        """Return those of several that were built, and tell of the others why not; none where none was."""
        paths = [output.path for output in self.outputs]
        forms = self._recognise(paths)
        built = [one for one, form in zip(self.candidates, forms, strict=True) if form is not None]
        lacking = [
            one
            for one, path in zip(self.candidates, paths, strict=True)
            if locate(Path(path), self.nix.options.store) is None
        ]
        if self.failed is None or not built:
            return built
        if lacking:
            names = ", ".join(one.label or one.own.path for one in lacking)
            error.details = "\n".join(filter(None, (error.details, f"not built: {names}")))
            self.failed(error)
        others = [one for one in self.candidates if one not in built and one not in lacking]
        try:
            there = replace(self, candidates=others)
            there.refuse_others([output.path for output in there.outputs])
        except BuildError as other:
            self.failed(other)
        return built

    def _run(self) -> tuple[Artefact, ...]:
        outputs = self.outputs
        needs = self._realise_needs()
        paths: list[str] | None = None
        if None in self._recognise([output.path for output in outputs]):
            # Not there yet, or no image: only what Nix has made, or found valid, counts.
            paths = self._realise(outputs, self.roots / "build")
            self.refuse_others(paths)
        if paths is None or self.link is not None:
            paths = self._realise(outputs, self.link or self.roots / "result")
        return self._describe(paths, self._recognise(paths), needs)

    def _describe(
        self, paths: Sequence[str], forms: Sequence[ArtefactForm | None], needs: Mapping[str, Path]
    ) -> tuple[Artefact, ...]:
        """Return the artefacts that were built."""
        outputs = self.outputs
        links = _name_links(outputs, self.link) if self.link else [None] * len(outputs)
        return tuple(
            Artefact(
                path=self._locate(path),
                form=form or ArtefactForm.ARCHIVE,
                attribute=candidate.label,
                store_path=Path(path),
                derivation=Path(output.derivation),
                link=link,
                image_name=candidate.image_name,
                image_tag=candidate.image_tag,
                expectations=candidate.expectations,
                needs=tuple(needs[need] for need in candidate.needs),
                may_run=not self.nix.options.no_scripts,
                nix=self.nix,
            )
            for candidate, output, path, form, link in zip(
                self.candidates, outputs, paths, forms, links, strict=True
            )
        )

    def _realise(self, outputs: Sequence[DerivationOutput], link: Path) -> list[str]:
        """Build outputs where they are not there, link to them, and return their store paths."""
        missing = sum(locate(Path(output.path), self.nix.options.store) is None for output in outputs)
        settings = self.nix.settings.for_build() if missing else self.nix.settings.evaluation
        if missing > 1:
            from nixdock.nix.settings import find_jobs  # noqa: PLC0415  # as in build

            settings = {**settings, **find_jobs(self.nix.options)}
        words = [str(output) for output in outputs]
        context = command.Context(self.nix.options, settings)
        return self._build(command.realise(words, link, context))

    def _realise_needs(self) -> dict[str, Path]:
        """Build what the expectations name, and return the store path of each."""
        needs = {need for candidate in self.candidates for need in candidate.needs}
        derived = sorted(need for need in needs if "!" in need)
        sources = sorted(needs.difference(derived))
        found = {need: Path(need) for need in sources}
        if sources:
            self.nix.run(command.hold_paths(sources, self.roots / "sources", self.nix.options))
        if derived:
            context = command.Context(self.nix.options, self.nix.settings.for_build())
            argv = command.realise(derived, self.roots / "needs", context)
            found |= zip(derived, map(Path, self._build(argv)), strict=True)
        return found

    def _build(self, argv: Sequence[str]) -> list[str]:
        """Run a build; again where a download broke off, for what came before it is in the store."""
        for _ in range(_MORE_ATTEMPTS):
            try:
                return self.nix.run(argv).lines
            except BrokenDownloadError as error:
                self.nix.listener(Notice(f"{error.message}; trying again"))
        return self.nix.run(argv).lines

    def _recognise(self, paths: Sequence[str]) -> list[ArtefactForm | None]:
        forms: list[ArtefactForm | None] = []
        for path, candidate in zip(paths, self.candidates, strict=True):
            file = locate(Path(path), self.nix.options.store)
            program = candidate.executable or candidate.stream is not None
            forms.append(recognise(file, executable=program) if file else None)
        return forms

    def _locate(self, path: str) -> Path:
        """Return where a store path's file is on this machine."""
        file = locate(Path(path), self.nix.options.store)
        if file is None:
            store = self.nix.options.store or os.environ.get("NIX_REMOTE") or "auto"
            raise BuildError(
                f"{path} was built in the store {store}, and is not on this machine",
                hint=f"nix copy --from {store} {path}",
            )
        return file

    def refuse_others(self, paths: Sequence[str]) -> None:
        """Say what was built that is no image."""
        others = [
            f"{f'{candidate.label} of ' if candidate.label else ''}{self.target} is not an image: "
            f"{path} is {describe(self._locate(path))}"
            for candidate, path, form in zip(self.candidates, paths, self._recognise([*paths]), strict=True)
            if form is None
        ]
        if others:
            raise BuildError(
                others[0],
                hint="nix-build builds anything; nixdock builds what pkgs.dockerTools and its like make",
                details="\n".join(others[1:]) or None,
            )


def _name_links(outputs: Sequence[DerivationOutput], link: Path) -> list[Path]:
    """Return the links that nix-build makes: `result`, `result-2`, and `result-dev` for an output `dev`."""
    numbers: dict[str, int] = {}
    links: list[Path] = []
    for output in outputs:
        number = numbers.setdefault(output.derivation, len(numbers) + 1)
        name = link.name + (f"-{number}" if number > 1 else "")
        links.append(link.with_name(name if output.output == "out" else f"{name}-{output.output}"))
    return links
