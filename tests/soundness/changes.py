"""Which predicted rows are given which other values."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tests.soundness import tables, template
from tests.soundness.grammar.program import Program

MOST = 36
UNSEEN = {"sold": "2024-02-29", "note": "a quite new text", "code": "99"}


@dataclass(frozen=True)
class Change:
    """Other values, by column, for one row."""

    given: tuple[tuple[str, Any], ...]

    @property
    def words(self) -> str:
        """What it does, in a line."""
        return ", ".join(f"{name} = {value!r}" for name, value in self.given)


def used(program: Program) -> list[str]:
    """The raw columns that the notebook names, without the target."""
    text = "\n".join(template.notebook(cell) for _, cell in program.cells)
    named = set(re.findall(r"\b(\w+)\b", text))
    return [c for c in program.data.single.columns if c in named and c not in tables.TARGETS]


def drawn(program: Program) -> list[Change]:
    """Rows of training as they are, single values of theirs, pairs of them; missing, unseen and extreme values."""
    table, columns = program.data.single, used(program)
    rest = [row for row in range(tables.ROWS) if row not in set(program.predicted)]
    others = table.iloc[rest]
    made: list[Change] = []
    rare = {name: _rare(table, name, list(program.predicted)) for name in columns}
    for name in columns:
        made += [Change(((name, value),)) for value in (*rare[name][:2], *_odd(others, name))]
    for row in _telling(others, rare):
        whole = {name: _plain(table[name].iloc[row]) for name in columns}
        made.append(Change(tuple(whole.items())))
        made += [Change(tuple({**whole, name: value}.items())) for name, value in _turn(others, columns, row)]
    for name in columns:
        for value in rare[name][:1]:
            made += [
                Change(((name, value), (other, _plain(others[other].iloc[(7 * at + 3) % len(others)]))))
                for at, other in enumerate(columns)
                if other != name
            ]
    return list(dict.fromkeys(made))


def _rare(table: pd.DataFrame, name: str, predicted: list[int]) -> list[Any]:
    """Values that no predicted row has, the rarest first; a missing one among them."""
    counts = table[name].value_counts()
    held = set(table[name].iloc[predicted].dropna())
    values = [_plain(value) for value in counts.index[::-1] if value not in held and counts.size < 30]
    lacks = table[name].isna().any() and not table[name].iloc[predicted].isna().any()
    return [*([None] if lacks else []), *values]


def _odd(others: pd.DataFrame, name: str) -> Iterator[Any]:
    column = others[name]
    if column.dtype.kind in "if":
        yield _plain(column.max())
        yield _plain(column.min())
        yield _plain(column.max() * 2)
    else:
        yield UNSEEN.get(name, "zzz")
    yield None


def _telling(others: pd.DataFrame, rare: dict[str, list[Any]]) -> list[int]:
    """Rows of training that hold something rare, one for each such value, and three that need not."""
    found = [int(others.index[at]) for at in (5, 21, 37)]
    for name, values in rare.items():
        for value in values:
            at = others.index[others[name].isna() if value is None else others[name] == value]
            found += [int(row) for row in at[:2]]
    return list(dict.fromkeys(found))[:9]


def _turn(others: pd.DataFrame, columns: list[str], row: int) -> list[tuple[str, Any]]:
    """For a whole row, two of its columns with the value of another row."""
    picked = [columns[(row + step) % len(columns)] for step in (0, 2)]
    return [(name, _plain(others[name].iloc[(row * 3 + 1) % len(others)])) for name in dict.fromkeys(picked)]


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def applied(table: pd.DataFrame, changes: dict[int, Change]) -> pd.DataFrame:
    """The table with other values in these rows, as it comes back from a file."""
    columns = {str(name): table[name].astype(object).tolist() for name in table.columns}
    for row, change in changes.items():
        for name, value in change.given:
            columns[name][row] = value
    return read(pd.DataFrame(columns, index=table.index))


def fits(column: pd.Series[Any], value: Any) -> bool:
    """Whether a column of a file keeps its type with this value in it."""
    return value is not None or column.dtype.kind not in "iu"


def read(table: pd.DataFrame) -> pd.DataFrame:
    """The table as `pd.read_csv` gives it."""
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))
