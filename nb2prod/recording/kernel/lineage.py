"""Which raw rows a value carries: a side table of weak references, kept beside the user's objects and never inside them.

A `Lineage` says, entry by entry, which row of which table a value's entry comes from. A value may come from several tables (a merge).
Nothing here draws a random number, changes an index or keeps a user's object alive.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

SCALARS = (
    int,
    float,
    str,
    bool,
    bytes,
    complex,
    type(None),
    type(Ellipsis),
    slice,
    type,
    type(sys),
    type(len),
    type(lambda: 0),
)


ACROSS = -2
"""The length of what has no entry for each row: equal to no length."""


class Lineage:
    """Rows of tables, one array of row numbers (-1: none) for each table, all of length `n`.

    `single`: the value is one row itself (a Series over the columns, a dict, a flat array), not a collection of one row.
    `upright`: the rows run across (`df.T`), so that the value has no entry for each; turned back, it carries these.
    """

    __slots__ = ("n", "serial", "single", "tables", "upright")
    count = 0

    def __init__(self, tables: dict[int, Any], n: int) -> None:
        self.tables = tables
        self.n = n
        self.single = False
        self.upright: Lineage | None = None
        Lineage.count += 1
        self.serial = Lineage.count

    def take(self, positions: Any) -> Lineage:
        """The lineage of the entries at `positions` (-1: an entry that comes from nowhere)."""
        np = sys.modules["numpy"]
        positions = np.asarray(positions, dtype="int64")
        missing = positions < 0
        tables = {}
        for table, rows in self.tables.items():
            taken = np.asarray(rows)[np.where(missing, 0, positions)] if self.n else np.full(len(positions), -1)
            tables[table] = np.where(missing, -1, taken)
        return Lineage(tables, len(positions))

    def turned(self) -> Lineage:
        """The lineage of these rows running across; of rows that run across, upright again."""
        if self.upright is not None:
            return self.upright
        np = sys.modules["numpy"]
        across = Lineage({t: np.asarray(rows) for t, rows in self.tables.items()}, ACROSS)
        across.upright = self
        return across

    def row(self, position: int) -> Lineage:
        """The lineage of one row taken out by its position."""
        taken = self.take([position])
        taken.single = True
        return taken

    def same_rows(self, other: Lineage) -> bool:
        """Tell whether both carry the same rows in the same order."""
        if self is other:
            return True
        np = sys.modules["numpy"]
        if self.n != other.n or set(self.tables) != set(other.tables):
            return False
        return all(np.array_equal(np.asarray(a), np.asarray(other.tables[t])) for t, a in self.tables.items())


def concatenated(parts: list[tuple[Lineage | None, int]]) -> Lineage:
    """The lineage of values stacked one below the other; a part without lineage contributes rows that come from nowhere."""
    np = sys.modules["numpy"]
    tables = sorted({t for lineage, _ in parts if lineage for t in lineage.tables})
    arrays = {}
    for table in tables:
        pieces = []
        for lineage, n in parts:
            rows = lineage.tables.get(table) if lineage else None
            pieces.append(np.full(n, -1, dtype="int64") if rows is None else np.asarray(rows, dtype="int64"))
        arrays[table] = np.concatenate(pieces)
    return Lineage(arrays, sum(n for _, n in parts))


def merged(parts: list[Lineage]) -> Lineage:
    """The lineage of a value each of whose entries comes from one entry of every part (all of one length)."""
    tables: dict[int, Any] = {}
    for part in parts:
        for table, rows in part.tables.items():
            tables.setdefault(table, rows)
    return Lineage(tables, parts[0].n)


class Kinds:
    """Tells what sort of value something is, with the libraries that the notebook has imported."""

    @staticmethod
    def pandas(value: Any) -> bool:
        """A DataFrame, Series or Index."""
        pd = sys.modules.get("pandas")
        return pd is not None and hasattr(pd, "Index") and isinstance(value, (pd.DataFrame, pd.Series, pd.Index))

    @staticmethod
    def frame(value: Any) -> bool:
        """A DataFrame."""
        pd = sys.modules.get("pandas")
        return pd is not None and hasattr(pd, "DataFrame") and isinstance(value, pd.DataFrame)

    @staticmethod
    def series(value: Any) -> bool:
        """A Series."""
        pd = sys.modules.get("pandas")
        return pd is not None and hasattr(pd, "Series") and isinstance(value, pd.Series)

    @staticmethod
    def polars(value: Any) -> bool:
        """A DataFrame or Series of polars."""
        pl = sys.modules.get("polars")
        return pl is not None and hasattr(pl, "Series") and isinstance(value, (pl.DataFrame, pl.Series))

    @staticmethod
    def polars_frame(value: Any) -> bool:
        """A DataFrame of polars."""
        pl = sys.modules.get("polars")
        return pl is not None and hasattr(pl, "Series") and isinstance(value, pl.DataFrame)

    @staticmethod
    def lazy(value: Any) -> bool:
        """A LazyFrame of polars."""
        pl = sys.modules.get("polars")
        return pl is not None and hasattr(pl, "LazyFrame") and isinstance(value, pl.LazyFrame)

    @staticmethod
    def table(value: Any) -> bool:
        """A DataFrame of pandas or polars."""
        return Kinds.frame(value) or Kinds.polars_frame(value)

    @staticmethod
    def array(value: Any) -> bool:
        """A numpy array with at least one axis."""
        np = sys.modules.get("numpy")
        return np is not None and isinstance(value, np.ndarray) and value.ndim > 0

    @staticmethod
    def sparse(value: Any) -> bool:
        """A scipy sparse matrix or array."""
        return type(value).__module__.startswith("scipy.sparse") and hasattr(value, "shape") and hasattr(value, "tocsr")

    @staticmethod
    def dataset(value: Any) -> bool:
        """A booster's own data set, or a pandas extension array."""
        if type(value).__name__ in ("DMatrix", "QuantileDMatrix", "Dataset", "Pool"):
            return True
        pd = sys.modules.get("pandas")
        return pd is not None and hasattr(pd, "api") and isinstance(value, pd.api.extensions.ExtensionArray)

    @staticmethod
    def accessor(value: Any) -> bool:
        """A helper object that stands for rows: ``.loc``, ``.str``, ``groupby(...)``, ``group_by(...)`` and ``.str`` of polars."""
        kind = type(value)
        if kind.__module__.startswith("polars"):
            return kind.__name__ in POLARS_ACCESSORS or kind.__name__.endswith("NameSpace")
        if not kind.__module__.startswith("pandas") or Kinds.pandas(value):
            return False
        return kind.__name__ in ACCESSORS or any(base.__name__ in ACCESSORS for base in kind.__mro__)


POLARS_ACCESSORS = frozenset({"GroupBy", "RollingGroupBy", "DynamicGroupBy", "LazyFrame", "LazyGroupBy"})
ACCESSORS = frozenset(
    "_LocIndexer _iLocIndexer _AtIndexer _iAtIndexer StringMethods DatetimeProperties CombinedDatetimelikeProperties TimedeltaProperties"
    " PeriodProperties CategoricalAccessor DataFrameGroupBy SeriesGroupBy GroupBy BaseGroupBy Rolling Expanding ExponentialMovingWindow"
    " RollingGroupby ExpandingGroupby Resampler NDFrameIndexerBase Window BaseWindow BaseStringMethods SparseAccessor ListAccessor".split()
)


def length(value: Any) -> int:
    """The number of entries of a value that may carry rows; -1 where it has none."""
    if Kinds.pandas(value) or Kinds.polars(value):
        return len(value)
    if Kinds.array(value) or Kinds.sparse(value):
        return int(value.shape[0])
    if isinstance(value, list):
        return len(value)
    if Kinds.dataset(value):
        return _dataset_length(value)
    return -1


def _dataset_length(value: Any) -> int:
    for name in ("num_row", "num_data"):
        if hasattr(value, name):
            try:
                return int(getattr(value, name)())
            except (
                Exception
            ):  # a LightGBM data set that is not constructed yet does not know its length: what it was given does
                held = getattr(value, "data", None)
                return length(held) if not Kinds.dataset(held) else -1
    return len(value)


class Rows:
    """The side table: which lineage a live object has, found again by identity and, for pandas, by the identity of its index."""

    def __init__(self) -> None:
        self._objects: dict[int, tuple[Any, Lineage, int, Any]] = {}
        self._indexes: dict[int, tuple[Any, Lineage]] = {}
        self._holders: dict[int, tuple[Any, int]] = {}
        self._tokens = 0

    def of(self, value: Any) -> Lineage | None:
        """The lineage of `value`, or None."""
        if isinstance(value, SCALARS):
            return None
        entry = self._entry(value)
        if entry is not None:
            return entry[1]
        if Kinds.pandas(value):
            return self._by_index(value)
        return None

    def _by_index(self, value: Any) -> Lineage | None:
        pd = sys.modules["pandas"]
        if isinstance(value, pd.Index):
            return None
        mark = getattr(value.index, "_id", None)
        known = self._indexes.get(id(mark))
        if mark is None or known is None or known[0] is not mark or known[1].n != len(value):
            return None
        return known[1]

    def _entry(self, value: Any) -> tuple[Any, Lineage, int, Any] | None:
        entry = self._objects.get(id(value))
        if entry is None:
            return None
        ref, _, _, guard = entry
        if ref is not None:
            return entry if ref() is value else None
        return entry if guard == _guard(value) else None

    def put(self, value: Any, lineage: Lineage, by_index: bool = True) -> int:
        """Say that `value` carries `lineage`; return the object's token, the same for as long as the object lives."""
        known = self._entry(value)
        if known is not None:
            token = known[2]
        else:
            self._tokens += 1
            token = self._tokens
        key = id(value)
        try:
            ref = weakref.ref(value, lambda _, key=key, table=self._objects: table.pop(key, None))  # type: ignore[misc]
        except TypeError:
            ref = None
        self._objects[key] = (ref, lineage, token, None if ref is not None else _guard(value))
        if by_index and Kinds.pandas(value) and hasattr(value, "index"):
            mark = getattr(value.index, "_id", None)
            if mark is not None:
                self._indexes[id(mark)] = (mark, lineage)
        return token

    def token(self, value: Any) -> int | None:
        """The token of a known object; a pandas object known by its index alone gets one."""
        entry = self._entry(value)
        if entry is not None:
            return entry[2]
        lineage = self.of(value)
        return self.put(value, lineage) if lineage is not None else None

    def forget(self, value: Any) -> None:
        """Drop what is known of `value`: it changed in a way that cannot be followed."""
        self._objects.pop(id(value), None)

    def holder(self, value: Any, known: bool = False) -> int | None:
        """The token of a list or dict that holds rows, or is empty and may come to hold some; with ``known`` only of one seen before.

        Tables are gathered so: ``parts = []``, and ``parts.append(df[...])`` in a loop.
        """
        entry = self._holders.get(id(value))
        if entry is not None:
            return entry[1]
        if known or not isinstance(value, (list, dict)) or (value and not self.inside(value)):
            return None
        self._tokens += 1
        # Kept alive, so that its identity is never another's: lists take no weak reference.
        self._holders[id(value)] = (value, self._tokens)
        return self._tokens

    def inside(self, value: Any, limit: int = 60) -> list[tuple[Any, Lineage]]:
        """The row-carrying members of a plain container, two levels deep."""
        found: list[tuple[Any, Lineage]] = []
        for member in _members(value, limit):
            lineage = self.of(member)
            if lineage is not None:
                found.append((member, lineage))
            else:
                for inner in _members(member, 12):
                    deeper = self.of(inner)
                    if deeper is not None:
                        found.append((inner, deeper))
        return found


_VIEWS: tuple[Any, ...] = (type({}.values()), type({}.items()))


def _members(value: Any, limit: int) -> list[Any]:
    if isinstance(value, (list, tuple)):
        if len(value) > limit and isinstance(value[0], SCALARS):
            return []
        return list(value[:limit])
    if isinstance(value, dict):
        return list(value.values())[:limit]
    if isinstance(value, _VIEWS):
        return list(value)[:limit]
    return []


def _guard(value: Any) -> Any:
    """What must still hold for an object that takes no weak reference to be the one that was seen."""
    if isinstance(value, (list, tuple)) and value:
        return (type(value), len(value), id(value[0]), id(value[-1]))
    if isinstance(value, dict) and value:
        return (type(value), len(value), id(next(iter(value.values()))))
    return (type(value), 0)
