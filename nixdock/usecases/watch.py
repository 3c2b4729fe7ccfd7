"""`watch`: up again each time that something changes which its target was made of.

A round is what `up` does: build, load, replace, wait until it is ready, check. Rounds follow each other in
one process, with everything imported and the engine connected. A service stays while the next one is built,
and after a round that failed; what went wrong is told, and ends nothing.

Signals and the key that quits end it wherever it is, as exceptions of the main thread; what lives is ended on
the way out.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from nixdock.checks.format.beside import SUFFIXES
from nixdock.engine.containers.terminal import keys_told
from nixdock.errors import EngineError, NixdockError, UsageError
from nixdock.events import Notice, Warned
from nixdock.nix.target import ArtefactTarget, ImageTarget, PathTarget
from nixdock.usecases.prepare import brings_expectations, prepared
from nixdock.usecases.standing import Standing
from nixdock.usecases.up import up
from nixdock.usecases.wishes import Desk, KeyPressed, ReadChanged, Readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixdock.checks.expectations import RunExpectation
    from nixdock.checks.model import Suite
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.attendance import ContainerEnd
    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.read_set import ReadSet
    from nixdock.nix.target import Target
    from nixdock.usecases.prepare import TargetImage
    from nixdock.usecases.run import RunOptions
    from nixdock.usecases.up import UpResult

STOP_TIMEOUT: Final = "1"
"""Seconds that a container has to end, unless told: whoever edits waits for it each time."""

_STOP_TIMEOUT: Final = "stop-timeout"

_SENSELESS: Final = (UsageError.exit_code, EngineError.exit_code)
"""Exit statuses of errors that no change of a file mends, where even the first round ends with them."""

KEYS: Final = "r: again, c: checks, l: logs, q: quit"


@dataclass(slots=True)
class Watch:
    """The rounds of one target.

    Args:
        engine: Where its containers run.
        target: What is watched.
        nix: What the user said about the build.
        options: How to run it.
        expectation: What must hold of its output, beside what the target says itself.
        listener: Whom to tell what happens.
        tell_error: Told what went wrong in a round, though another one may follow.
        before_output: Called when a container's output follows.
        host_store: Whether store paths are mounted and not loaded; as the user's setting says when None.
    """

    engine: Engine
    target: Target
    nix: NixOptions
    options: RunOptions
    expectation: RunExpectation | None
    listener: Listener
    tell_error: Callable[[NixdockError], object]
    before_output: Callable[[], object]
    host_store: bool | None = None
    _desk: Desk = field(default_factory=Desk)
    _read: ReadSet | None = None
    _suite_files: tuple[Path, ...] = ()
    _standing: Standing | None = None
    _there_before: frozenset[str] = frozenset()
    _loaded: set[str] = field(default_factory=set)
    _current: str = ""
    _of_files: UsageError | None = None
    _ended: tuple[object, ...] = ()

    def run(self, keys: int | None = None) -> int:
        """Go from round to round.

        Args:
            keys: The terminal on which keys are pressed; None is none.

        Returns:
            0, once the user has pressed the key that quits.

        Raises:
            KeyboardInterrupt: Ctrl-C came.
            NixdockError: The first round says that there is nothing to wait for.
            OSError: A container's output could not be passed on; a BrokenPipeError where nobody wanted it.
        """
        if isinstance(self.target, ImageTarget):
            raise UsageError(
                f"{self.target.text} is an image of the engine, and nothing that is made of files",
                hint="name the .nix file that it is built of",
            )
        desk = self._desk
        with ExitStack() as stack:
            readings = stack.enter_context(closing(Readings(lambda what: desk.put(ReadChanged(what)))))
            stack.callback(self._end_standing)
            self._there_before = frozenset(image.id for image in self.engine.images(every=True))
            try:
                if keys is not None:
                    stack.enter_context(keys_told(keys, lambda key: desk.put(KeyPressed(key))))
                self._go_on(readings, has_keys=keys is not None)
            except KeyboardInterrupt:
                if not desk.quits:
                    raise
        return 0

    def _go_on(self, readings: Readings, *, has_keys: bool) -> NoReturn:
        again, first = False, True
        while True:
            try:
                self._begin_round(readings, again=again)
            except NixdockError as error:
                if first and error.exit_code in _SENSELESS and error is not self._of_files:
                    raise
                self.tell_error(error)
                self._resume()
            first = False
            self._prune()
            self.before_output()
            if not self._desk.calls_off():
                self._tell_watching(readings, has_keys=has_keys)
            again = self._stay()

    def _begin_round(self, readings: Readings, *, again: bool) -> None:
        """Build, load and run anew; what is up in the end is what stands."""
        self._desk.clear()
        self.engine.patience.renew()
        life = ExitStack()
        try:
            self._take_round(readings, life, again=again)
        except BaseException:
            life.close()
            raise

    def _take_round(self, readings: Readings, life: ExitStack, *, again: bool) -> None:
        readings.begin()
        readings.add_files([*self._own_files(), *self._suite_files])
        before = self._read

        def note(read: ReadSet) -> None:
            self._read = read
            readings.add(read)

        try:
            image = life.enter_context(
                prepared(
                    self.engine,
                    self.target,
                    self.nix,
                    self.listener,
                    host_store=self.host_store,
                    reads=note,
                )
            )
        except NixdockError:
            # What was not reached was not read; but the way out may be there.
            if before is not None:
                readings.add(before)
                self._read = before
            raise
        suite = None
        if brings_expectations(self.target, image):
            from nixdock.usecases.check import own_suites  # noqa: PLC0415  # most images bring none

            try:
                (suite,) = own_suites(self.target, [image])
            except UsageError as error:
                # It stands in a file that is watched, not in the command line.
                self._of_files = error
                raise
        self._suite_files = () if suite is None else suite.files
        readings.add_files(self._suite_files)
        self._note_loaded(image)
        if self._desk.calls_off():
            # It is old already.
            life.close()
            return
        self.before_output()
        standing = Standing(self._desk, life, image, suite, self.listener)
        options = replace(self.options, keeper=standing, options=_stopping_soon(self.options, suite))
        made = (image.in_engine().details.id, options.request("").body, suite)
        if again:
            self._end_standing()
        elif made == self._ended:
            # As after an editor's file in a directory whose filter leaves it out.
            life.close()
            self.listener(Notice(f"{image.name} is the same, and has run; r runs it again"))
            return
        self._ended = ()
        try:
            result = up(image, options, self.expectation, self.listener, suite=suite)
        finally:
            self._desk.attended = None
        self._settle(standing, result)
        if self._standing is None and not self._desk.calls_off():
            self._ended = made

    def _settle(self, standing: Standing, result: UpResult) -> None:
        """Have what a round brought up in the place of what stood before."""
        old = self._standing
        self._current = standing.image.in_engine().details.id
        if result.attendance is not None:
            standing.attendance, standing.name = result.attendance, result.name or ""
        elif standing.container is None and old is not None:
            # The same runs on; but what is expected of it may be something else.
            standing.life.close()
            old.suite = standing.suite
            old.judge(None, self.listener)
            return
        else:
            standing.life.close()
            if result.status and not self._desk.calls_off():
                self.listener(Notice(f"{standing.image.name} ended with exit status {result.status}"))
        self._standing = standing if standing.attendance is not None else None
        if old is not None:
            old.life.close()

    def _stay(self) -> bool:
        """Wait until there is a reason for another round; whether it is that the user wants one."""
        while True:
            standing = self._standing
            if standing is not None:
                try:
                    ended = standing.stay()
                except EngineError as error:
                    self.tell_error(error)
                    self._end_standing()
                    continue
                if ended is not None:
                    self._tell_end(standing, ended)
                    continue
            match self._desk.take():
                case ReadChanged(what):
                    self.listener(Notice(what))
                    return False
                case KeyPressed("r"):
                    return True
                case KeyPressed("c"):
                    self._ask_standing(self._judge)
                case KeyPressed("l"):
                    self._ask_standing(Standing.show_logs)
                case _:
                    self.listener(Notice(KEYS))

    def _tell_end(self, standing: Standing, ended: ContainerEnd) -> None:
        """Say that a service has ended, which was to stay."""
        if ended.sink_error is not None:
            raise ended.sink_error
        how = "took too long and was killed" if ended.timed_out else f"ended with {ended.exit_code}"
        self.listener(Notice(f"{standing.name} {how}; the next change starts it again"))
        self._end_standing()

    def _end_standing(self) -> None:
        standing, self._standing = self._standing, None
        if standing is not None:
            standing.life.close()

    def _resume(self) -> None:
        """Go on with what stood before a round that failed, if it still runs, or does so again."""
        standing = self._standing
        try:
            if standing is not None and standing.resume(self.options, self.listener):
                return
        except EngineError as error:
            self.tell_error(error)
        self._end_standing()

    def _ask_standing(self, ask: Callable[[Standing], object]) -> None:
        """Do something with what runs; say it where nothing does."""
        if self._standing is None:
            self.listener(Notice("nothing runs by now; r runs it again"))
            return
        try:
            ask(self._standing)
        except NixdockError as error:
            self.tell_error(error)

    def _judge(self, standing: Standing) -> None:
        if not standing.judge(self.expectation, self.listener):
            self.listener(Notice(f"nothing is expected of {self.target.text}"))

    def _own_files(self) -> Iterator[Path]:
        """Yield what is read beside what Nix reads: check files, an archive, files of variables."""
        yield from (Path(value) for name, value in self.options.options if name == "env-file")
        if isinstance(self.target, ArtefactTarget):
            yield self.target.path
        if isinstance(self.target, PathTarget):
            stem = self.target.file.with_suffix("")
            yield from (Path(f"{stem}{suffix}") for suffix in SUFFIXES)

    def _note_loaded(self, image: TargetImage) -> None:
        ident = image.in_engine().details.id
        if ident not in self._there_before:
            self._loaded.add(ident)

    def _prune(self) -> None:
        """Remove the images that earlier rounds loaded, but for what a container uses."""
        from nixdock.engine.loading.ledger import find_old_builds, remove_builds  # noqa: PLC0415

        old = self._loaded - {self._current}
        if not old:
            return
        try:
            found = find_old_builds(self.engine, keep=0)
            remove_builds(self.engine, [one for one in found if one.image in old], self.listener)
            self._loaded -= old
        except EngineError as error:
            self.listener(Warned(f"the images of earlier rounds stay: {error.message}"))

    def _tell_watching(self, readings: Readings, *, has_keys: bool) -> None:
        if readings.fault is not None:
            self.listener(
                Warned(f"the kernel tells of no changes ({readings.fault}): looking every few seconds")
            )
        what = f"watching {readings.count} path{'' if readings.count == 1 else 's'}"
        self.listener(Notice(f"{what}; {KEYS}" if has_keys else what))


def _stopping_soon(options: RunOptions, suite: Suite | None) -> GivenOptions:
    """Return docker's options, with a short time to end where nobody says how long."""
    said = [options.options]
    if suite is not None:
        said += [suite.run.options, *([suite.service.options] if suite.service else [])]
    if any(name == _STOP_TIMEOUT for given in said for name, _ in given):
        return options.options
    return (*options.options, (_STOP_TIMEOUT, STOP_TIMEOUT))
