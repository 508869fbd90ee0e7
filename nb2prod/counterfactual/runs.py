"""The runs of one build: all changes at once, and where that tells nothing, fewer of them; as many as the limits allow."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nb2prod import notebook as notebooks
from nb2prod.counterfactual.cases import Changed, Found
from nb2prod.counterfactual.inspection import Told, Unusable, changes_of, inspect
from nb2prod.counterfactual.job import Job
from nb2prod.counterfactual.rules import left_out, still_rules
from nb2prod.errors import Nb2ProdError, Refused
from nb2prod.recording import record
from nb2prod.recording.trace import Recording
from nb2prod.runtime.equality import Measure, Tolerance, same

MOST_RUNS = 7
ENOUGH = 12
"""Changed rows below which another turn is made, with other rows and values."""
MOST_TURNS = 3
CONFIRMED = 10
"""Rows that are changed once more, with fewer others."""
LEFT_OPEN = (
    "answers to rows unlike those that the notebook predicted are held against the plan's own statements alone (edges)"
)


@dataclass
class Runs:
    """Runs the notebook again, and gathers what its changed rows get."""

    job: Job
    done: int = 0
    spent: float = 0.0
    last: float = field(init=False)
    whys: list[str] = field(default_factory=list)
    unjudged: int = 0
    held: int = 0
    fates: int = 0
    """Changed rows that a step lost which is no rule on the row alone: the notebook says nothing of them."""

    def __post_init__(self) -> None:
        """A run is expected to take what the one before it took."""
        self.last = self.job.seconds

    def find(self) -> Found:
        """All that the notebook says of changed rows."""
        if self.job.seconds > self.job.limit:
            return Found(missing=self._too_slow())
        rows: list[Changed] = []
        for turn in range(MOST_TURNS):
            if len(rows) >= ENOUGH or not self._may_run():
                break
            found = self._turn(turn)
            rows += found
            if not found:
                break
        missing = "" if rows else self._why_none()
        return Found(tuple(rows), missing, self.done, round(self.spent, 3), self.held, tuple(self._notes(rows)))

    def confirm(self, rows: Sequence[Changed]) -> list[int] | None:
        """Which of these rows (by their position) get the same in a run that changes a few of them alone; None where none could tell."""
        chosen = [at for at, row in enumerate(rows) if row.turn == rows[0].turn]
        step = max(1, len(chosen) // CONFIRMED)
        chosen = chosen[::step][:CONFIRMED]
        try:
            told = self._run(rows[0].turn, [rows[at].number for at in chosen])
        except _Failed:
            return None
        again = {change.row_id: change for change in self._rows(told, rows[0].turn)}
        alike = [at for at in chosen if (now := again.get(rows[at].row_id)) is not None and self._same(rows[at], now)]
        return alike if len(alike) < len(chosen) else list(range(len(rows)))

    # runs -------------------------------------------------------------------------------------------------------------

    def _turn(self, turn: int) -> list[Changed]:
        """All changes at once; where that tells nothing, those that lost no row, then halves. Without any row told, those that lost one too."""
        waiting: list[list[int] | None] = [None]
        losing: list[int] = []
        rows: list[Changed] = []
        while waiting:
            take = waiting.pop(0)
            if not self._may_run():
                self.unjudged += len(take or ())
                continue
            try:
                told = self._run(turn, take)
                rows += self._rows(told, turn)
            except _Failed as failed:
                self.whys.append(failed.why)
                waiting += self._parts(failed, losing)
            if losing and not waiting and not rows:
                waiting, losing = [losing], []
        self.unjudged += len(losing)
        return rows

    def _parts(self, failed: _Failed, losing: list[int]) -> list[list[int]]:
        """What to try of changes that told nothing together; those that lost a row are put off where there are others."""
        made = failed.made
        others = [number for number in made if number not in failed.losing]
        if others and len(others) < len(made):
            losing += failed.losing
            return [others]
        if len(made) > 1:
            middle = (len(made) + 1) // 2
            return [made[:middle], made[middle:]]
        self.unjudged += len(made)
        return []

    def _may_run(self) -> bool:
        return self.done < MOST_RUNS and self.spent + self.last <= self.job.limit

    def _run(self, turn: int, take: list[int] | None) -> Told:
        """One run with these changes; raises `_Failed`."""
        folder = self._folder()
        try:
            told: Told = self._measured(
                folder, self._asked(turn, take), lambda run, kernel: inspect(self.job, run, kernel)
            )
        except Unusable as problem:
            document = changes_of(folder)
            made = document["made"]
            losing = [number for number in made if document["changes"][number]["row"] in problem.lost]
            raise _Failed(str(problem), made or take or [], losing) from problem
        except Refused as refused:
            made = changes_of(folder)["made"] or take or []
            raise _Failed(refused.diagnostics[0].message.splitlines()[0], made) from refused
        self.held = max(self.held, told.held)
        return told

    def _measured(self, folder: Path, asked: dict[str, Any], then: Any, *, anyhow: bool = False) -> Any:
        notebook = notebooks.read(Path(self.job.notebook))
        self.done += 1
        began = time.perf_counter()
        try:
            lent = Path(self.job.lent) if self.job.lent else None
            return record.rerun(notebook, self.job.settings(), folder, asked, then, lent, anyhow=anyhow)
        finally:
            self.last = time.perf_counter() - began
            self.spent += self.last

    def _folder(self) -> Path:
        return Path(self.job.folder) / f"run{self.done + 1}"

    def _asked(self, turn: int, take: list[int] | None, *, shuffled: bool = False) -> dict[str, Any]:
        job = self.job
        return {
            "first": job.recording,
            "table": job.table,
            "table_path": job.table_path,
            "predicted": job.predicted,
            "others": list(job.others),
            "kept": list(job.kept),
            "nullable": list(job.nullable),
            "turn": turn,
            "take": take,
            "shuffled": shuffled,
            "guarded": [str(Path(job.notebook).parent)],
        }

    # what they tell ---------------------------------------------------------------------------------------------------

    def _rows(self, told: Told, turn: int) -> list[Changed]:
        rules = self._rules(told, turn)
        found = []
        for number in told.made:
            change = told.changes[number]
            row = change["row"]
            if row not in told.requests:
                continue
            blank = Changed(row, change["words"], told.requests[row], "value", None, number=number, turn=turn)
            if row in told.answers:
                found.append(replace(blank, expected=told.answers[row], features=told.given.get(row)))
            elif row in rules:
                found.append(replace(blank, outcome="raises", expected=f"left out by the filter at {rules[row]}"))
            else:
                self.fates += 1
        return found

    def _rules(self, told: Told, turn: int) -> dict[int, str]:
        """The changed rows that a rule on the row alone has left out, with its place."""
        lost = left_out(told, self.job.table, self.job.settings())
        if not lost or not self._may_run():
            return {}
        folder = self._folder()
        asked = self._asked(turn, list(told.made), shuffled=True)
        try:
            shuffled: Recording = self._measured(folder, asked, lambda run, _: run, anyhow=True)
        except Nb2ProdError:
            return {}
        rules = still_rules(told, shuffled, self.job.table, self.job.rows)
        return {row: _place(left.place) for row, left in lost.items() if left in rules}

    def _same(self, one: Changed, other: Changed) -> bool:
        settings = self.job.settings()
        measured = {place: Measure(**item) for place, item in self.job.precision["answers"].items()}
        allowed = Tolerance(settings.tolerance, settings.tolerances, measured)
        return one.outcome == other.outcome and same(one.expected, other.expected, allowed, output=self.job.output)

    # saying it --------------------------------------------------------------------------------------------------------

    def _too_slow(self) -> str:
        return (
            f"the notebook takes {self.job.seconds:.0f} s, and the limit of this kind is {self.job.limit:g} s "
            f"(counterfactual_limit): {LEFT_OPEN}"
        )

    def _why_none(self) -> str:
        why = self.whys[0] if self.whys else "no row could be changed"
        return f"run again with other values in some rows, the notebook tells nothing of them ({why}): {LEFT_OPEN}"

    def _notes(self, rows: Sequence[Changed]) -> list[str]:
        notes = []
        if rows and self.unjudged:
            notes.append(f"{self.unjudged} changes told nothing ({self.whys[0]})")
        if self.fates:
            notes.append(
                f"{self.fates} changed rows were left out by a step of training, which says nothing of a request"
            )
        if rows and self.held:
            places = "place" if self.held == 1 else "places"
            notes.append(f"what {self.held} {places} take from all rows was held at the first run's value")
        return notes


class _Failed(Exception):
    """A run that told nothing: why, the changes that it made, and those of them whose rows were lost on the way."""

    def __init__(self, why: str, made: Sequence[int], losing: Sequence[int] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.made = list(made)
        self.losing = list(losing)


def _place(place: str) -> str:
    cell, _, line = place.partition(".")
    return f"cell {cell}, line {line}"


def clear(job: Job) -> None:
    """Remove what the runs left."""
    shutil.rmtree(job.folder, ignore_errors=True)
