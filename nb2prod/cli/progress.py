"""A build's progress on standard error: a bar over the cells, then each stage with its time."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from nb2prod.cli.output import is_terminal, note
from nb2prod.progress import NoProgress, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class PlainProgress:
    """A line a stage, and one when about a quarter of the cells has run: for logs and pipes."""

    def __init__(self) -> None:
        self._current: str | None = None
        self._since = 0.0
        self._quarter = 0

    def stage(self, name: str) -> None:
        """The stage before it is done; this one begins."""
        self._done()
        self._current, self._since, self._quarter = name, time.perf_counter(), 0

    def cell(self, done: int, total: int) -> None:
        """Said at each quarter."""
        quarter = 4 * done // total if total else 0
        if quarter > self._quarter:
            self._quarter = quarter
            note(f"{self._current}: {done} of {total} cells")

    def message(self, text: str) -> None:
        """A line of its own."""
        note(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(failed=kind is not None)

    def _done(self, *, failed: bool = False) -> None:
        if self._current is not None:
            outcome = "stopped after" if failed else "done in"
            note(f"{self._current}: {outcome} {time.perf_counter() - self._since:.1f} s")
            self._current = None


class TerminalProgress:
    """A rich bar for the running stage; finished stages stay above it with their times."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar: Bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[cells]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._current: str | None = None
        self._since = 0.0

    def stage(self, name: str) -> None:
        """The stage before it is done; this one begins."""
        self._done()
        self._current, self._since = name, time.perf_counter()
        self._task = self._bar.add_task(name, total=None, cells="")

    def cell(self, done: int, total: int) -> None:
        """Moves the bar."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, cells=f"cell {done} of {total}")

    def message(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(failed=kind is not None)
        self._bar.stop()

    def _done(self, *, failed: bool = False) -> None:
        if self._task is None:
            return
        self._bar.remove_task(self._task)
        mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
        spent = time.perf_counter() - self._since
        self._bar.console.print(f"{mark} {self._current} [dim]{spent:.1f} s[/dim]", highlight=False)
        self._task = None


class Quiet(NoProgress):
    """Nothing at all, as a context."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""


def shown() -> PlainProgress | TerminalProgress:
    """The progress that fits standard error."""
    return TerminalProgress() if is_terminal() else PlainProgress()
