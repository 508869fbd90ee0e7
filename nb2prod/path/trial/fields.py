"""Which raw columns matter: a field is a column that can change what an accepted row gets.

A column is dropped on evidence alone: rows of the whole raw table and of those like it, chosen to hold every category, extreme and gap, and rows put together of
several, on which all columns that showed nothing are changed at once. Where anything differs, the fewest changes that make the difference
are found, so that columns which matter only beside each other are found too. What serves in a dropped column's place is tried as well.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from nb2prod_runtime import captured, describe, outputs
from nb2prod_runtime.columns import codec_of
from nb2prod_runtime.signature import Column

from .column_values import ColumnValues, Literals, of_column
from .coverage import coverage
from .describe import described
from .experiment import Asked, Path, changed, smallest
from .project import Trial
from .recombination import mixed
from .removal import Removal

CELLS, ROWS, ALONE, TOGETHER, SECONDS = 1_000_000, 3_000, 60, 300, 60.0
"""Of one run: cells and rows at most, rows where each is asked alone, rows put together of several; seconds for all experiments."""
LOOKS = (2, 10)
"""How many rows show whether a column matters by itself: a first look at all columns, and another at those that showed nothing."""
_PASS = 0.5
_EXPLAINED = 12


def find_fields(trial: Trial) -> None:
    """Find the columns that matter, and by what: `fields`, those that change a value and not survival alone (`by_value`), and what is `unread`."""
    search = _Search.begin(trial)
    for looks in LOOKS:
        search.look(looks)
    search.change_together(search.base)
    if search.left:
        search.change_together(search.recombined())
    search.look_at_values()
    search.look_at_unheld()
    columns = list(trial.raw.columns)
    trial.answer["fields"] = [columns[at] for at in sorted(search.found)]
    trial.answer["by_value"] = [columns[at] for at, how in search.found.items() if how != "survival"]
    trial.answer["unheld"] = [name for name in trial.unheld if name in trial.answer["fields"]]
    trial.answer["unread"] = _of_features(trial, search)


@dataclass
class _Search:
    """The search for the columns that matter; columns are known by their position.

    `base` are rows that the code does not fail on; in the target's columns they hold what predicted rows have there, as every request's row does.
    """

    trial: Trial
    path: Path
    base: Asked
    targets: frozenset[int]
    values: list[ColumnValues]
    deadline: float
    rng: np.random.Generator
    found: dict[int, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, trial: Trial) -> _Search:
        """Ask the rows that all is held against."""
        rng = np.random.default_rng(3)
        path = Path(trial, batching=bool(trial.answer.get("batching")))
        columns = list(trial.raw.columns)
        targets = frozenset(at for at, name in enumerate(columns) if name in trial.answer["target"])
        kept = trial.frame(trial.predicted)
        literals = Literals.of_project(trial.project)
        values = [
            of_column(kept.iloc[:, at], literals, made=False)
            if at in targets
            else of_column(trial.evidence.iloc[:, at], literals)
            for at in range(len(columns))
        ]
        rows = rng.permutation(_rows(trial, path))
        drawn = rng.integers(0, len(kept), len(rows))
        frame = changed(
            trial.evidence.iloc[rows].reset_index(drop=True),
            {at: (range(len(rows)), kept.iloc[:, at].array.take(drawn)) for at in targets},
        )
        base = path.ask_steady(frame)
        path.calibrate(base.run, path.ask(base.frame).run)
        return cls(trial, path, base, targets, values, time.process_time() + SECONDS, rng)

    @property
    def left(self) -> list[int]:
        """The columns that have shown nothing; none when there is no more time to ask, for then they count as fields."""
        left = [at for at in range(len(self.values)) if at not in self.found]
        if left and time.process_time() > self.deadline:
            self._count_as_fields(left)
            return []
        return left

    @property
    def answered(self) -> list[int]:
        """Positions of the rows that are answered."""
        return [at for at, code in enumerate(self.base.run.codes) if code is None]

    # each alone --------------------------------------------------------------------------------------------------------------

    def look(self, looks: int) -> None:
        """Change each column by itself in a few rows."""
        width = max(1, len(self.values))
        size = max(1, min(CELLS // (width * looks), ROWS // looks)) if self.path.batching else 1
        shown: dict[int, set[str]] = {}
        left = self.left
        for start in range(0, len(left), size):
            shown.update(self._look(left[start : start + size], looks, self.base, self.values))
            if not self.left:
                return
        self._settle(shown)

    def look_at_values(self) -> None:
        """Ask of columns that were found to decide whether a row is answered if they change what an answered row gets, too.

        Most of the values that show the one make a row that is left out, which gets nothing: here answered rows get each other's values.
        """
        answered = self.base.take(self.answered)
        deciding = [at for at, how in self.found.items() if how == "survival" and at not in self.targets]
        if not len(answered.frame) or not deciding or time.process_time() > self.deadline:
            return
        values = {at: of_column(answered.frame.iloc[:, at], Literals(), made=False) for at in deciding}
        for column in deciding:
            shown = self._look([column], min(ALONE, 3 * len(values[column].own)), answered, values)
            self._settle(shown)

    def look_at_unheld(self) -> None:
        """Put what only another table's type holds into the columns that are left: where anything differs, a request must not leave the column out.

        What is read as a number in one file and as text in another is asked for, and a value of the other type is refused by name.
        """
        columns = list(self.trial.raw.columns)
        for at in self.left:
            for cells in self.trial.unheld.get(columns[at], ()) if at not in self.targets else ():
                before = self.base.take(np.resize(self.answered, len(cells)).tolist()) if self.answered else self.base
                frame = before.frame.copy()
                frame.isetitem(at, cells.iloc[np.resize(np.arange(len(cells)), len(frame))].array)
                after = self.path.ask(frame)
                if any(self.path.differs(before.run, row, after.run, row) for row in range(len(frame))):
                    self._note(at, "survival")

    def _look(
        self, block: Sequence[int], looks: int, base: Asked, values: Mapping[int, ColumnValues] | Sequence[ColumnValues]
    ) -> dict[int, set[str]]:
        """Note what these columns change when rows of `base` get some of their values; what they change of the features alone is returned."""
        at = [int(row) for row in self.rng.integers(0, len(base.frame), len(block) * looks)]
        before = base.take(at)
        new, own = {}, np.ones(len(at), dtype=bool)
        for turn, column in enumerate(block):
            rows = range(turn * looks, (turn + 1) * looks)
            drawn, own[rows.start : rows.stop] = values[column].drawn(looks, self.rng)
            new[column] = (rows, drawn)
        after = self.path.ask(changed(before.frame, new))
        shown: dict[int, set[str]] = {}
        for turn, column in enumerate(block):
            for row in range(turn * looks, (turn + 1) * looks):
                how = self.path.differs(before.run, row, after.run, row, failing=bool(own[row]))
                if how == "features":
                    names = self.path.changed_features(before.run.features[row], after.run.features[row])
                    shown.setdefault(column, set()).update(names)
                elif how is not None:
                    self._note(column, how)
        return {column: names for column, names in shown.items() if self.found.get(column) != "answer"}

    def _count_as_fields(self, columns: Sequence[int]) -> None:
        """What could not be told counts as read, but for the target, which no request has."""
        self.found.update({column: "survival" for column in columns if column not in self.targets})

    def _note(self, column: int, how: str) -> None:
        if self.found.get(column) in (None, "survival"):
            self.found[column] = how

    def _settle(self, shown: dict[int, set[str]]) -> bool:
        """Whether what columns change among the features is read by the model; True where that is news."""
        known = len(self.found), len(self.path.unread)
        names = set().union(*shown.values()) if shown else set()
        if names and not self._many.shows_reading(names):
            self.path.unread |= names
            return True
        for column, own in shown.items():
            fresh = own - self.path.unread
            if self._few.shows_reading(fresh) or self._many.shows_reading(fresh):
                self._note(column, "features")
            else:
                self.path.unread |= fresh
        return known != (len(self.found), len(self.path.unread))

    @cached_property
    def _few(self) -> Removal:
        """A look at a row or two settles most."""
        return self._removal(2)

    @cached_property
    def _many(self) -> Removal:
        return self._removal(60 if self.path.batching else 6)

    def _removal(self, count: int) -> Removal:
        return Removal(self.trial, self.base.take(self.answered[:count]), batching=self.path.batching)

    # all that are left at once -------------------------------------------------------------------------------------------------

    def recombined(self) -> Asked:
        """Rows of which about half of the values are other rows' own, so that what goes with what is met that no raw row has."""
        count = TOGETHER if self.path.batching else ALONE // 2
        return self.path.ask_steady(mixed(self.path, self.base, self.values, self.found, count, self.rng))

    def change_together(self, base: Asked) -> None:
        """Change all columns that are left at once, in several ways, until no row differs."""
        if not len(base.frame):
            return
        for draw in (self._stand_ins, self._others, self._own, self._own, self._made):
            while left := self.left:
                new, failing = draw(left, len(base.frame)), draw != self._made
                after = self.path.ask(changed(base.frame, {c: (range(len(base.frame)), v) for c, v in new.items()}))
                rows = [
                    row
                    for row in range(len(base.frame))
                    if self.path.differs(base.run, row, after.run, row, failing=failing) is not None
                ]
                if not rows:
                    break
                self._explain(base, new, rows[:_EXPLAINED], failing=failing)

    def _explain(self, base: Asked, new: dict[int, Any], rows: Sequence[int], *, failing: bool) -> None:
        """Find for each row the fewest changes that make it differ."""
        for number, row in enumerate(rows):
            before = base.take([row])

            def asked(columns: Sequence[int], row: int = row, before: Asked = before) -> Asked:
                return self.path.ask(changed(before.frame, {c: ([0], new[c][row : row + 1]) for c in columns}))

            def differs(columns: Sequence[int], before: Asked = before, asked: Any = asked) -> bool:
                return self.path.differs(before.run, 0, asked(columns).run, 0, failing=failing) is not None

            left = [c for c in new if c not in self.found]
            if not left or not differs(left):
                if number == 0:  # rows together differ where a row alone does not: nothing can be told apart
                    self._count_as_fields(left)
                continue
            self._blame(before, smallest(left, differs), asked, failing=failing)

    def _blame(self, before: Asked, columns: Sequence[int], asked: Any, *, failing: bool) -> None:
        after = asked(columns)
        how = self.path.differs(before.run, 0, after.run, 0, failing=failing)
        if how == "features":
            names = self.path.changed_features(before.run.features[0], after.run.features[0])
            if self._settle(dict.fromkeys(columns, names)):
                return
        for column in columns:
            self._note(column, how or "features")

    def _stand_ins(self, columns: Sequence[int], count: int) -> dict[int, Any]:
        """What serves in these columns' place where a request does not give them."""
        found = {}
        for column in columns:
            try:
                form = described(self.trial, self.trial.raw.columns[column], field=False, target=column in self.targets)
            except describe.Undescribable:
                continue
            form["categories"] = form["categories"] and tuple(form["categories"])
            codec = codec_of(Column(**form))
            value = None if form["phantom"] is None else codec.checked(form["phantom"])
            found[column] = pd.Series(codec.array([value] * count)).array
        return found

    def _others(self, columns: Sequence[int], count: int) -> dict[int, Any]:
        """Other rows' values, as often as they come; the target's of predicted rows."""
        held = {c: self.values[c].series if c in self.targets else self.trial.evidence.iloc[:, c] for c in columns}
        return {c: seen.array.take(self.rng.integers(0, len(seen), count)) for c, seen in held.items()}

    def _own(self, columns: Sequence[int], count: int) -> dict[int, Any]:
        """The column's own values, rare ones as often as common ones."""
        return {c: self.values[c].drawn(count, self.rng, own_only=True)[0] for c in columns}

    def _made(self, columns: Sequence[int], count: int) -> dict[int, Any]:
        """Values that the raw table does not hold, among others."""
        return {c: self.values[c].drawn(count, self.rng)[0] for c in columns}


def _rows(trial: Trial, path: Path) -> npt.NDArray[np.int64]:
    """Rows of all that is evidence, chosen for coverage: as many as can be asked at once in good time."""
    width = max(1, trial.raw.shape[1])
    if not path.batching:
        limit = ALONE
    else:
        few = trial.frame(trial.predicted[: min(100, len(trial.predicted))])
        started = time.perf_counter()
        path.ask(few)
        each = (time.perf_counter() - started) / max(1, len(few))
        limit = int(np.clip(_PASS / max(each, 1e-7), 100, min(ROWS, max(150, CELLS // width))))
    predicted = trial.predicted[coverage(trial.frame(trial.predicted), limit // 4)]
    chosen = coverage(trial.evidence.reset_index(drop=True), limit - len(predicted))
    return np.unique(np.concatenate([predicted, np.array(chosen, dtype="int64")]))


def _of_features(trial: Trial, search: _Search) -> list[int]:
    """Positions of the unread parts among the features that are shown (see `outputs.featured`)."""
    rows = search.base.take(search.answered[:1]).frame
    if not search.path.unread or not len(rows):
        return []
    with warnings.catch_warnings(), captured.request():
        warnings.simplefilter("ignore")
        given = trial.features(rows)
    parts = given if isinstance(given, tuple) else (given,)
    for at, part in enumerate(parts):
        try:
            shown = outputs.per_row(part, len(rows))
        except outputs.NotOnePerRow:
            continue
        names = [f"{at}:{name}" for name in shown[0]] if isinstance(shown[0], dict) else []
        return [position for position, name in enumerate(names) if name in search.path.unread]
    return []
