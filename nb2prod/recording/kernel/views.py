"""Values that lie in the same memory: what is written into one of them is written into the others.

Slices of arrays of numpy do, and with pandas 2 (without its copy-on-write) so do a column and its table, a slice of rows and the whole, and the
array under either.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from .lineage import Kinds
from .snapshots import fingerprint

_PARTS = ("_codes", "_ndarray", "_data", "_mask")
"""Where pandas' arrays of its own keep their cells."""
_MOST_WORK = 1000


class Views:
    """Values that were seen to share memory, by weak references, each with a mark of what it held when it was last seen to change."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}

    def link(self, result: Any, operands: Iterable[Any]) -> None:
        """Remember a result that lies in the memory of an operand, and that operand."""
        if not (Kinds.pandas(result) or Kinds.array(result)):
            return
        for given in operands:
            operand = getattr(given, "obj", None) if Kinds.accessor(given) else given
            if operand is not result and (Kinds.pandas(operand) or Kinds.array(operand)) and _linked(result, operand):
                self._add(operand)
                self._add(result)

    def _add(self, value: Any) -> None:
        key = id(value)
        held = self._known.get(key)
        if held is not None and held[0]() is value:
            return
        ref = weakref.ref(value, lambda _, key=key, known=self._known: known.pop(key, None))  # type: ignore[misc]
        self._known[key] = (ref, fingerprint(value))

    def others(self, value: Any, column: str | None = None) -> list[Any]:
        """What else has changed, now that `value` has; of a table only `column` was written, where that is known.

        A table's new column lies in memory of its own: a view of another column stays as it was.
        """
        if id(value) not in self._known:
            return []
        part = value if not Kinds.frame(value) else _column(value, column)
        found = []
        for ref, mark in list(self._known.values()):
            other = ref()
            if other is None or other is value or not share_memory(value if part is None else part, other):
                continue
            now = fingerprint(other)
            if part is not None or now != mark:
                found.append(other)
            self._known[id(other)] = (ref, now)
        self._known[id(value)] = (self._known[id(value)][0], fingerprint(value))
        return found


def _column(table: Any, column: str | None) -> Any:
    """The array that holds a column, asked of the table without a trace; None where it can't be told."""
    place = table.columns.get_loc(column) if column is not None and column in table.columns else None
    return table._mgr.iget_values(place) if isinstance(place, int) else None


def share_memory(one: Any, other: Any) -> bool:
    """Whether any cell of one value is a cell of the other."""
    np = sys.modules["numpy"]
    theirs = list(_buffers(other))
    for mine in _buffers(one):
        for their in theirs:
            try:
                if np.may_share_memory(mine, their) and np.shares_memory(mine, their, max_work=_MOST_WORK):
                    return True
            except Exception:  # too much to find out: they may
                return True
    return False


def _linked(one: Any, other: Any) -> bool:
    if Kinds.pandas(one) and Kinds.pandas(other) and _copies_on_write():
        return False
    return share_memory(one, other)


def _copies_on_write() -> bool:
    pd = sys.modules["pandas"]
    if int(pd.__version__.partition(".")[0]) >= 3:
        return True
    return pd.options.mode.copy_on_write is True


def _buffers(value: Any) -> Iterator[Any]:
    """The arrays of numpy that a value's cells lie in."""
    np = sys.modules["numpy"]
    if Kinds.frame(value):
        arrays = getattr(getattr(value, "_mgr", None), "arrays", ())
    else:
        arrays = (getattr(value, "_values", value),)
    for array in arrays:
        if isinstance(array, np.ndarray):
            yield array
        else:
            yield from (part for name in _PARTS if isinstance(part := getattr(array, name, None), np.ndarray))
