"""The narration on a terminal: a bar for each piece of work that goes on, below the lines that stay."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from nixdock.events import Event, WorkAdvanced, WorkFinished, WorkStarted
from nixdock.out import form_line
from nixdock.progress.narration import Narration, name_work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType


class BarConsole:
    """Shows bars while work goes on; nothing moves, and nothing is redirected, while none does."""

    def __init__(self, out: IO[str], narration: Narration) -> None:
        self._narration = narration
        self._terminal = Terminal(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def tell(self, event: Event) -> None:
        """Show one event; that the terminal has gone is no fault of the work."""
        lines = self._narration.narrate(event)
        with contextlib.suppress(OSError):
            self._print(lines)
            self._move(event)

    def close(self) -> None:
        """Show what was held back, and leave the terminal as it was."""
        self._tasks.clear()
        lines = self._narration.finish()
        with contextlib.suppress(OSError):
            self._stop()
            self._print(lines)

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._terminal.print(form_line(line))

    def _move(self, event: Event) -> None:
        match event:
            case WorkStarted():
                self._tasks[event.key] = self._open().add_task(form_line(name_work(event)), total=event.total)
            case WorkAdvanced() if event.key in self._tasks and self._progress is not None:
                task = self._tasks[event.key]
                if event.total is None:
                    self._progress.update(task, completed=event.done)
                else:
                    self._progress.update(task, completed=event.done, total=event.total)
            case WorkFinished() if event.key in self._tasks and self._progress is not None:
                self._progress.remove_task(self._tasks.pop(event.key))
                if not self._tasks:
                    self._stop()
            case _:
                pass

    def _open(self) -> Progress:
        if self._progress is None:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                _OnlyWithTotal(BarColumn(bar_width=30)),
                _OnlyWithTotal(DownloadColumn()),
                _OnlyWithTotal(TransferSpeedColumn()),
                TimeElapsedColumn(),
                console=self._terminal,
                transient=True,
            )
            self._progress.start()
        return self._progress

    def _stop(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.stop()


class _OnlyWithTotal(ProgressColumn):
    """A column for work of known size; a spinner says enough about the rest."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Task) -> RenderableType:
        """Return the column's cell, empty where the size is unknown."""
        return self._column.render(task) if task.total else Text("")
