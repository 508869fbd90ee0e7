"""Which rows of the raw table a second run gives other values, and which: chosen from the tables and the predicted rows alone.

A change is one row (a *host*) whose cells get those of other rows (*donors*), or a made value. Nothing is known here of fields, kept values or
filters: every column but the target is varied. Values come from the whole table, and from columns of the same name in other tables (train
beside test): each category, the missing value, both ends and some between, those first that no predicted row has; as whole rows of training, in
one column, and in pairs of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_HOSTS = 240
MOST_CATEGORIES = 40
DONORS_EACH = 3
"""Whole rows of one category that are tried: what else they hold may matter only together with it."""
SEEN, FRESH, MADE, KEY = range(4)
"""How likely a change breaks the notebook: a value that predicted rows have, one that they lack, one that no row has, the key of a row."""
SHARES = {"whole": 4, "one": 3, "pair": 3, "made": 1, "key": 1}
_BETWEEN = (0.1, 0.35, 0.65, 0.9)
_SHOWN = 40


@dataclass(frozen=True)
class Value:
    """A value to try in a column: the row that has it (rows of other tables are numbered on), or a made one (in a tuple of one)."""

    column: int
    donor: int
    boldness: int
    made: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Change:
    """One host with what it gets, by column position."""

    host: int
    cells: tuple[Value, ...]
    words: str

    @property
    def boldness(self) -> int:
        """That of its boldest value."""
        return max(value.boldness for value in self.cells)


class Choice:
    """Chooses the changes of one table.

    Args:
        frame: the raw table. predicted: the rows of it that were predicted. kept: columns that keep their values. nullable: columns
            that take a missing value although none is there. turn: another number chooses other hosts and values. others: further tables.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        predicted: Any,
        kept: Sequence[str],
        nullable: Sequence[str],
        turn: int = 0,
        others: Sequence[pd.DataFrame] = (),
    ) -> None:
        self.frame = frame
        self.starts = [len(frame) + sum(len(table) for table in others[:at]) for at in range(len(others))]
        self.pools = [_pooled(frame, at, list(zip(self.starts, others, strict=True))) for at in range(frame.shape[1])]
        self.predicted = np.asarray(predicted, dtype="int64")
        self.nullable = frozenset(nullable)
        self.random = np.random.default_rng(turn)
        self.turn = turn
        names = [str(name) for name in frame.columns]
        self.columns = [at for at, name in enumerate(names) if name not in set(kept)]
        self.keys = [at for at in self.columns if _is_key(frame.iloc[:, at])]
        self.free = [at for at in self.columns if at not in self.keys]

    def changes(self) -> list[Change]:
        """The changes, the least bold first; no host twice."""
        hosts = self.hosts()
        if not hosts or not self.columns:
            return []
        makers = {
            "whole": self._whole(),
            "one": self._one(),
            "pair": self._pairs(),
            "made": self._made(),
            "key": self._key(),
        }
        turns = [name for name, share in SHARES.items() for _ in range(share)]
        found: list[Change] = []
        while makers and len(found) < len(hosts):
            for name in turns:
                values = next(makers.get(name, iter(())), None)
                if not values:
                    makers.pop(name, None)
                elif len(found) < len(hosts):
                    found.append(Change(hosts[len(found)], values, self.words(values)))
        return sorted(found, key=lambda change: change.boldness)

    def hosts(self) -> list[int]:
        """Predicted rows to be changed: at most half of them, none the only one of the predicted rows with its category."""
        n = len(self.predicted)
        wanted = 1 if n < 4 else min(MOST_HOSTS, n // 2)
        counts = []
        for at in self.columns:
            known = _categories(self.frame.iloc[:, at].iloc[self.predicted])
            # Of what has many values none is looked for by name.
            if known is not None and len(known.categories) <= MOST_CATEGORIES:
                counts.append((known.codes, np.bincount(known.codes[known.codes >= 0], minlength=1)))
        chosen: list[int] = []
        for position in self.random.permutation(n):
            if len(chosen) == wanted:
                break
            own = [(count, codes[position]) for codes, count in counts if codes[position] >= 0]
            if n > 1 and any(count[code] < 2 for count, code in own):
                continue
            for count, code in own:
                count[code] -= 1
            chosen.append(int(self.predicted[position]))
        return chosen

    # what hosts get ---------------------------------------------------------------------------------------------------

    def _whole(self) -> Iterator[tuple[Value, ...]]:
        """All cells of another row, the rare ones first; then of rows that were not predicted, by chance."""
        queues = [list(self._values(at, DONORS_EACH)) for at in self.free]
        for value in _in_turn(queues):
            yield self._all_of(value.donor, value.boldness)
        rows = np.unique(np.concatenate([self.pools[at].rows for at in self.free])) if self.free else np.array([])
        others = np.setdiff1d(rows, self.predicted)
        for row in self.random.permutation(others if len(others) else self.predicted):
            yield self._all_of(int(row), FRESH)

    def _all_of(self, donor: int, boldness: int) -> tuple[Value, ...]:
        """The cells of a row, as far as its table has these columns."""
        return tuple(Value(at, donor, boldness) for at in self.free if self.pools[at].has(donor))

    def _one(self) -> Iterator[tuple[Value, ...]]:
        """One column's values, each in its turn."""
        queues = [list(self._values(at, 1)) for at in self.free]
        while any(queues):
            for value in _in_turn([list(queue) for queue in queues]):
                yield (value,)

    def _pairs(self) -> Iterator[tuple[Value, ...]]:
        """A category or a missing value in one column, and another row's value in a second one."""
        firsts = [v for at in self.free for v in self._values(at, 1) if self._is_branch(v)]
        firsts.sort(key=lambda value: -value.boldness)
        others = self.random.permutation(self.free)
        for second in others if firsts else ():
            values = list(self._values(int(second), 1))
            for number, value in enumerate(firsts):
                if value.column != second and values:
                    yield value, values[(number + self.turn) % len(values)]

    def _made(self) -> Iterator[tuple[Value, ...]]:
        """Beyond both ends of a number, and missing where the service takes it although no row lacks it."""
        for at in self.free:
            column = self.frame.iloc[:, at]
            for made in _beyond(column):
                yield (Value(at, -1, MADE, (made,)),)
            if str(self.frame.columns[at]) in self.nullable and not column.isna().any() and _holds_missing(column):
                yield (Value(at, -1, MADE, (None if column.dtype == object else pd.NA,)),)

    def _key(self) -> Iterator[tuple[Value, ...]]:
        """The key of another row, which no row of the changed table may have twice: two hosts would have to change places."""
        for at in self.keys:
            for row in self.random.permutation(np.setdiff1d(np.arange(len(self.frame)), self.predicted))[:DONORS_EACH]:
                yield (Value(at, int(row), KEY),)

    def _values(self, at: int, donors: int) -> Iterator[Value]:
        """What to try in a column: what the predicted rows lack first."""
        pool = self.pools[at]
        gone = pool.column.isna().to_numpy()
        lacking = gone.any() and not gone[self.predicted].any()
        if gone.any():
            yield Value(at, self._row(pool.rows[gone]), FRESH if lacking else SEEN)
        known = _categories(pool.column)
        if known is None:
            yield from (Value(at, int(pool.rows[place]), SEEN) for place in _spread(pool.column))
            return
        counts = np.bincount(known.codes[known.codes >= 0], minlength=len(known.categories))
        # The raw table's own rows come first in each pool.
        here = set(known.codes[self.predicted].tolist())
        order = sorted(range(len(counts)), key=lambda code: (code in here, counts[code]))
        for code in order[:MOST_CATEGORIES]:
            rows = pool.rows[known.codes == code]
            for _ in range(min(donors, len(rows))):
                yield Value(at, self._row(rows), SEEN if code in here else FRESH)

    def _row(self, rows: Any) -> int:
        """One of these rows, rather one that was not predicted."""
        others = np.setdiff1d(rows, self.predicted)
        return int(self.random.choice(others if len(others) else rows))

    def _is_branch(self, value: Value) -> bool:
        pool = self.pools[value.column]
        return value.boldness == FRESH or bool(pd.isna(pool.cell(value.donor))) or _categories(pool.column) is not None

    # saying and doing it ----------------------------------------------------------------------------------------------

    def words(self, values: Sequence[Value]) -> str:
        """What the host gets, in words."""
        if len(values) > 2:
            own = values[0].donor < len(self.frame)
            return f"the values of row {values[0].donor}" if own else "the values of a row of another table"
        return " and ".join(f"{self.frame.columns[v.column]} = {self._shown(v)}" for v in values)

    def _shown(self, value: Value) -> str:
        cell = value.made[0] if value.made else self.pools[value.column].cell(value.donor)
        missing = pd.api.types.is_scalar(cell) and pd.isna(cell)
        text = "missing" if missing else repr(cell.item() if isinstance(cell, np.generic) else cell)
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

    def cells(self, changes: Sequence[Change]) -> dict[int, tuple[Any, Any]]:
        """For each column position the hosts and their new cells, of the column's own type."""
        by_column: dict[int, list[tuple[int, Value]]] = {}
        for change in changes:
            for value in change.cells:
                by_column.setdefault(value.column, []).append((change.host, value))
        found = {}
        for at, pairs in by_column.items():
            pool = self.pools[at]
            donors = [pool.place(host if value.made else value.donor) for host, value in pairs]
            cells = pool.column.iloc[donors].array.copy()
            for place, (_, value) in enumerate(pairs):
                if value.made:
                    cells[place] = np.nan if value.made[0] is pd.NA and _is_float(pool.column) else value.made[0]
            found[at] = (np.asarray([host for host, _ in pairs], dtype="int64"), cells)
        return found


@dataclass(frozen=True)
class _Pool:
    """A column with what other tables have under its name, and each entry's row."""

    column: pd.Series[Any]
    rows: Any

    def has(self, row: int) -> bool:
        place = self.place(row)
        return place < len(self.rows) and int(self.rows[place]) == row

    def place(self, row: int) -> int:
        return int(np.searchsorted(self.rows, row))

    def cell(self, row: int) -> Any:
        return self.column.iloc[self.place(row)]


def _pooled(frame: pd.DataFrame, at: int, others: Sequence[tuple[int, pd.DataFrame]]) -> _Pool:
    name, own = frame.columns[at], frame.iloc[:, at].reset_index(drop=True)
    parts, rows = [own], [np.arange(len(own))]
    for start, table in others:
        if name not in table.columns or not table.columns.is_unique or isinstance(own.dtype, pd.CategoricalDtype):
            continue
        try:
            parts.append(table[name].reset_index(drop=True).astype(own.dtype))
        except (ValueError, TypeError):  # values that this column can't hold
            continue
        rows.append(start + np.arange(len(table)))
    return _Pool(pd.concat(parts, ignore_index=True) if len(parts) > 1 else own, np.concatenate(rows))


def apply(frame: pd.DataFrame, cells_of: dict[int, tuple[Any, Any]]) -> None:
    """Put hosts' new cells, by column position, into a table in its place; index, types and shape stay."""
    for at, (hosts, cells) in cells_of.items():
        dtype = frame.dtypes.iloc[at]
        made = frame.iloc[:, at].array.copy()
        made[hosts] = cells
        frame.iloc[hosts, at] = cells.to_numpy() if isinstance(dtype, np.dtype) else cells
        if frame.dtypes.iloc[at] != dtype:
            frame.isetitem(at, made)


def _is_float(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"


@dataclass(frozen=True)
class _Categories:
    codes: Any
    categories: Any


def _categories(column: pd.Series[Any]) -> _Categories | None:
    """The column's categories where it has some: texts, truth values, few whole numbers."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "fcmM":
        return None
    try:
        codes, categories = pd.factorize(column)
    except TypeError:  # cells that can't be hashed
        return None
    if kind in "iu" and len(categories) > 20:
        return None
    return _Categories(codes, categories)


def _is_key(column: pd.Series[Any]) -> bool:
    """Whether each row has a value of its own, and it is no measure: a text or a whole number."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "fcmMb" or len(column) < 20:
        return False
    try:
        return bool(column.is_unique)
    except TypeError:
        return False


def _spread(column: pd.Series[Any]) -> list[int]:
    """Rows with both ends of a column and some values between."""
    try:
        order = column.argsort(kind="stable").to_numpy() if column.dtype != object else np.arange(len(column))
    except TypeError:
        return []
    order = order[column.iloc[order].notna().to_numpy()] if (order >= 0).all() else np.flatnonzero(column.notna())
    if not len(order):
        return []
    last = len(order) - 1
    return [int(order[round(part * last)]) for part in (0, 1, *_BETWEEN)]


def _beyond(column: pd.Series[Any]) -> list[Any]:
    """A number above all of the column's and one below."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iuf":
        return []
    seen = column[np.isfinite(column.to_numpy())]
    if seen.empty:
        return []
    least, greatest = seen.min().item(), seen.max().item()
    span = max(greatest - least, 1)
    found = [greatest + span, least - span]
    if column.dtype.kind == "f":
        return [float(value) for value in found if abs(value) < float(np.finfo(column.dtype.name).max)]
    bounds = np.iinfo(column.dtype.name)
    return [value for value in found if bounds.min <= value <= bounds.max]


def _holds_missing(column: pd.Series[Any]) -> bool:
    return not isinstance(column.dtype, np.dtype) or column.dtype.kind in "fOmM"


def _in_turn(queues: list[list[Value]]) -> Iterator[Value]:
    """The first of each queue, then the second of each."""
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue):
                yield queue[place]
