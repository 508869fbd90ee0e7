"""What a raw column may hold, chosen for coverage: its own categories, extremes and gaps, what the code compares with, and values that nobody had."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

COMMON, RARE, DRAWN, LITERALS = 8, 24, 16, 60
_UNSEEN = "never seen"


@dataclass(frozen=True)
class ColumnValues:
    """Values of one column (`series`), each once. `own` tells which of them the raw table holds: others are made."""

    series: pd.Series[Any]
    own: npt.NDArray[np.bool_]

    def drawn(
        self, count: int, rng: np.random.Generator, *, own_only: bool = False
    ) -> tuple[Any, npt.NDArray[np.bool_]]:
        """An array of `count` values of the column's own type, each value about equally often, and which of them are the column's own."""
        turns = self.turns(count, rng, self.own if own_only else np.ones_like(self.own))
        return self.series.array.take(turns), self.own[turns]

    def turns(self, count: int, rng: np.random.Generator, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Positions of `count` values, each that is allowed about equally often."""
        known = np.flatnonzero(allowed)
        return np.concatenate([rng.permutation(known) for _ in range(-(-count // len(known)))])[:count]


def of_column(raw: pd.Series[Any], literals: Literals, *, made: bool = True) -> ColumnValues:
    """The values worth trying in a column; without those that nobody had, if not `made`."""
    own = raw.iloc[_positions(raw)]
    more = _made(raw, literals) if made else []
    try:
        added = pd.Series(more, dtype=raw.dtype)
    except (TypeError, ValueError, OverflowError):
        added = raw.iloc[:0]
    if len(added):
        added = added[~added.isin(raw)]
    values = pd.concat([own, added], ignore_index=True) if len(added) else own.reset_index(drop=True)
    return ColumnValues(values.astype(raw.dtype), np.arange(len(values)) < len(own))


def _positions(raw: pd.Series[Any]) -> list[int]:
    """Positions of a column's categories, extremes, a gap and some others, each value once."""
    chosen: dict[int, None] = {}
    missing = np.flatnonzero(raw.isna().to_numpy())
    seen = np.flatnonzero(raw.notna().to_numpy())
    values = raw.iloc[seen]
    if len(seen) and _ordered(values):
        chosen.update(dict.fromkeys((int(seen[values.argmin()]), int(seen[values.argmax()]))))
    try:
        codes, _ = pd.factorize(values)
        _, first, counts = np.unique(codes, return_index=True, return_counts=True)
        order = seen[first[np.argsort(-counts, kind="stable")]]
    except TypeError:
        order = seen  # lists and dicts: neither counted nor told apart
    middle = order[COMMON : max(COMMON, len(order) - RARE)]
    step = max(1, len(middle) // DRAWN)
    for at in (*order[:COMMON], *order[max(0, len(order) - RARE) :], *middle[::step][:DRAWN], *missing[:1]):
        chosen.setdefault(int(at))
    return list(chosen) or [0]


def _ordered(values: pd.Series[Any]) -> bool:
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return numeric or pd.api.types.is_datetime64_any_dtype(values)


def _made(raw: pd.Series[Any], literals: Literals) -> list[Any]:
    """Values that the column does not hold and a request may: the code's own literals, and what lies beyond what was seen."""
    values = raw.dropna()
    if pd.api.types.is_bool_dtype(raw):
        return [True, False]
    if _ordered(values) and pd.api.types.is_numeric_dtype(values) and len(values):
        low, high = (
            np.asarray(end).item() for end in (values.min(), values.max())
        )  # Python's numbers know no overflow
        beyond = [low - (high - low) - 1, high + (high - low) + 1, 0, -1]
        near = [n + step for n in literals.numbers for step in (-1, 0, 1)]
        return _fitting([*beyond, *near], raw.dtype)
    if (
        len(values)
        and all(isinstance(v, str) for v in values.iloc[:50])
        and not isinstance(raw.dtype, pd.CategoricalDtype)
    ):
        return [*literals.texts, _UNSEEN, ""]
    return []


def _fitting(values: list[float], dtype: Any) -> list[float]:
    """Those that a column of this type can hold, each once."""
    name = str(dtype).lower()
    values = list(dict.fromkeys(values))
    if name not in _SIZES:
        return values
    kind = np.dtype(name)
    if kind.kind == "f":
        limit = float(np.finfo(kind).max)
        return [v for v in values if abs(float(v)) <= limit]
    bounds = np.iinfo(kind)
    return [v for v in values if float(v).is_integer() and int(bounds.min) <= v <= int(bounds.max)]


_SIZES = frozenset(f"{kind}{size}" for kind in ("int", "uint", "float") for size in (8, 16, 32, 64)) - {"float8"}


@dataclass(frozen=True)
class Literals:
    """Texts and numbers that the served code holds: what it compares with, looks up, or keeps from training."""

    texts: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()

    @classmethod
    def of_project(cls, project: Path) -> Literals:
        """Those of the generated modules, and of the plain values that they read."""
        found = list(_in_code(project / name for name in ("features.py", "predict.py")))
        for path in sorted((project / "artifacts").glob("*.json")):
            if path.name != "manifest.json" and path.stat().st_size < 100_000:
                found += _inside(json.loads(path.read_text(encoding="utf-8")))
        texts = dict.fromkeys(v for v in found if isinstance(v, str) and 0 < len(v) < 40)
        numbers = dict.fromkeys(
            v for v in found if isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < 1e15
        )
        return cls(tuple(texts)[:LITERALS], tuple(numbers)[:LITERALS])


def _in_code(paths: Iterable[Path]) -> Iterator[Any]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                yield node.value


def _inside(value: Any) -> list[Any]:
    """The plain values in a JSON document."""
    if isinstance(value, dict):
        return [item for key, inner in value.items() for item in (key, *_inside(inner))]
    if isinstance(value, list):
        return [item for inner in value[:LITERALS] for item in _inside(inner)]
    return [value]
