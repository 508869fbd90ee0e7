"""The tables that came into the notebook, written to files as they were at that moment."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from .lineage import Kinds, Lineage, length
from .operation import NONE, Outcome
from .polars_tables import as_pandas

MOST_NAMES = 5000


class RawTables:
    """Writes tables to numbered files in `folder`; `entries` tells of each what the trace has of it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.entries: list[dict[str, Any]] = []

    def whole(self, table: int, n: int) -> Lineage:
        """All `n` rows of a table, in order."""
        known: Lineage | None = self.entries[table].get("lineage")
        if known is None or known.n != n:
            known = self.entries[table]["lineage"] = Lineage({table: range(n)}, n)
        return known

    def add(self, content: Any, seq: int, names: Any = None) -> int:
        """Keep a table (or an array, with the names of its columns) that came in at step `seq`; its number."""
        table = len(self.entries)
        form = "frame" if Kinds.table(content) else "array"
        if Kinds.polars_frame(content):
            content = as_pandas(content)
        if not Kinds.frame(content) and "pandas" in sys.modules and Kinds.array(content):
            content = _framed(content, names)
        path = os.path.join(self.folder, f"table{table}.pkl")
        _write(path, content)
        columns = [str(c) for c in getattr(content, "columns", [])]
        self.entries.append(
            {
                "table": table,
                "path": path,
                "rows": len(content),
                "columns": columns,
                "form": form,
                "name": None,
                "seq": seq,
            }
        )
        return table

    def without_names(self, result: Any, outcome: Outcome) -> Outcome:
        """What an operation gave, if it is no list of columns' names: a table of scores tells which columns of another are used, not which rows."""
        array = Kinds.array(result) or (Kinds.dataset(result) and hasattr(result, "__len__"))
        if outcome.lineage is None or not (isinstance(result, list) or array) or not 0 < len(result) <= MOST_NAMES:
            return outcome
        if not isinstance(result[0], str):
            return outcome
        others = [t for t in self.entries if t["table"] not in outcome.lineage.tables]
        known = {name for table in others for name in table["columns"]}
        names = [name for name in result if isinstance(name, str)]
        return NONE if len(set(names)) == len(result) and known.issuperset(names) else outcome

    def parts(self, table: int, bunch: Any) -> None:
        """Parts of the data set that the table is of have been seen; a run that changes tables changes them too."""

    def extend(self, table: int, target: Any) -> None:
        """Give a table the target that came in beside it, as one more column."""
        info = self.entries[table]
        if target is None or length(target) != info["rows"] or getattr(target, "ndim", 1) != 1:
            return
        with open(info["path"], "rb") as stream:
            content = pickle.load(stream)
        name = str(getattr(target, "name", None) or "target")
        if name in content.columns:
            return
        content = content.assign(**{name: target})
        _write(info["path"], content)
        info["columns"] = [str(c) for c in content.columns]
        info["target"] = name

    def name(self, table: int, named: Any) -> None:
        """Keep a table that came in without names as it is with them; a target that came in beside it stays beside it."""
        info = self.entries[table]
        target = info.get("target")
        if target is not None and target not in named.columns:
            with open(info["path"], "rb") as stream:
                named = named.assign(**{target: pickle.load(stream)[target].to_numpy()})
        info["renamed"] = [str(c) for c in named.columns]
        _write(info["path"] + ".named", named)


def _framed(content: Any, names: Any) -> Any:
    """An array as a table; without names its columns are called by their numbers."""
    import pandas as pd

    if names is None:
        names = [f"x{i}" for i in range(content.shape[1] if content.ndim > 1 else 1)]
    return pd.DataFrame(content if content.ndim > 1 else content.reshape(-1, 1), columns=[str(c) for c in names])


def _write(path: str, content: Any) -> None:
    with open(path + ".part", "wb") as stream:
        pickle.dump(content, stream, protocol=5)
    os.replace(path + ".part", path)
