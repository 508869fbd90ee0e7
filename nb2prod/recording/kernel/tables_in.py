"""Where tables come into the notebook: frames that no rows were given to, and data sets of scikit-learn's."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from .frames import Step
from .guard import module_of, name_of
from .lineage import Kinds, Lineage, length
from .operation import Operation
from .polars_tables import schema_of
from .sites import Site

if TYPE_CHECKING:
    from .recorder import Recorder


class TablesIn:
    """Notes each table as it comes in, and the names that the notebook gives to one that came without."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self._fresh: dict[int, Any] = {}
        """What pandas made of no rows at all, by identity."""
        self._bunches: dict[int, tuple[Any, int]] = {}

    def made_fresh(self, site: Site, values: dict[int, Any], result: Any) -> None:
        """Remember what pandas made of no rows at all (``pd.date_range(...)``): a table made of it has lost none."""
        if not Kinds.pandas(result):
            return
        func = values.get(site.call.func) if site.call is not None and site.call.func is not None else None
        owner = getattr(func, "__self__", None)
        parts = [v for v in (*values.values(), owner) if Kinds.pandas(v)]
        ours = Kinds.pandas(owner) or module_of(func).startswith("pandas") or site.kind != "call"
        if ours and all(self._is_fresh(v) for v in parts) and (parts or site.kind == "call"):
            self._fresh[id(result)] = weakref.ref(result)

    def _is_fresh(self, value: Any) -> bool:
        known = self._fresh.get(id(value))
        return known is not None and known() is value

    def comes_in(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> None:
        """A table comes in: a frame returned by a call that took no rows, or a data set of scikit-learn's."""
        if site.kind in ("attribute", "subscript"):
            receiver = next(iter(values.values()), None)
            if _is_bunch(receiver) and (Kinds.pandas(result) or Kinds.array(result)) and length(result) > 1:
                self.part_of_data_set(step, site, receiver, result)
            return
        func = values.get(site.call.func) if site.call is not None and site.call.func is not None else None
        module = module_of(func)
        if isinstance(result, tuple) and module.startswith("sklearn.datasets") and result and length(result[0]) > 1:
            table = self.run.raw_tables.add(result[0], self.run.seq)
            for part in result[:2]:
                if length(part) == length(result[0]):
                    self.run.rows.put(part, self.run.raw_tables.whole(table, length(part)))
            self.run.raw_tables.extend(table, result[1])
            step.touched = True
            step.events.append({"kind": "root", "node": site.node, "table": table, "form": "pair"})
            return
        loader = module.startswith(("numpy", "sklearn.datasets")) and name_of(func) in (
            "loadtxt",
            "genfromtxt",
            "load",
        )
        if not Kinds.table(result) and not (loader and Kinds.array(result)):
            return
        receiver = getattr(func, "__self__", None)
        lazy = (
            Kinds.lazy(receiver) and self.run.lineage_of(receiver) is None
        )  # `pl.scan_csv(...).filter(...).collect()`
        stands_for_rows = Kinds.pandas(receiver) or Kinds.polars(receiver) or Kinds.array(receiver)
        if stands_for_rows or (Kinds.accessor(receiver) and not lazy):
            return
        if any(_has_rows(v) and not self._is_fresh(v) for v in values.values()):
            return  # made from something whose rows were lost: its rows are none of a table's
        if len(result) < 1:
            # An empty table to which rows are added later: it carries none of any table's.
            self.run.rows.put(result, Lineage({}, 0))
            step.touched = True
            return
        table = self.run.raw_tables.add(result, self.run.seq)
        self.run.rows.put(result, self.run.raw_tables.whole(table, len(result)))
        step.touched = True
        root = {"kind": "root", "node": site.node, "table": table, "form": "frame" if Kinds.table(result) else "array"}
        step.events.append({**root, "schema": schema_of(result)} if Kinds.polars_frame(result) else root)

    def part_of_data_set(self, step: Step, site: Site, bunch: Any, result: Any) -> None:
        """A part of a data set is asked for: the table comes in with the first of them."""
        table = self._table_of(bunch)
        if table is not None:
            self._part_comes_in(step, site, bunch, table, result)
            self.run.raw_tables.parts(table, bunch)

    def _table_of(self, bunch: Any) -> int | None:
        known = self._bunches.get(id(bunch))
        if known is None or known[0] is not bunch:
            frame = bunch.get("frame")
            data = bunch.get("data")
            if frame is None and data is None:
                return None
            content = frame if frame is not None else data
            table = self.run.raw_tables.add(content, self.run.seq, bunch.get("feature_names"))
            if frame is None:
                self.run.raw_tables.extend(table, bunch.get("target"))
            known = self._bunches[id(bunch)] = (bunch, table)
        return known[1]

    def _part_comes_in(self, step: Step, site: Site, bunch: Any, table: int, result: Any) -> None:
        info = self.run.raw[table]
        if length(result) != info["rows"]:
            return
        self.run.rows.put(result, self.run.raw_tables.whole(table, length(result)))
        columns = [str(c) for c in result.columns] if Kinds.frame(result) else None
        shape = list(result.shape[1:]) if Kinds.array(result) and result.ndim > 2 else None
        if shape is not None and not _same_values(result, bunch.get("data")):
            return
        if Kinds.array(result) and result.ndim >= 2:
            columns = [c for c in info["columns"] if c != info.get("target")]
        elif columns is None:
            columns = [str(getattr(result, "name", None) or info.get("target") or "target")]
        form = (
            "frame"
            if Kinds.frame(result)
            else "series"
            if Kinds.pandas(result)
            else "array"
            if result.ndim >= 2
            else "vector"
        )
        step.touched = True
        root = {"kind": "root", "node": site.node, "table": table, "form": form, "columns": columns}
        step.events.append({**root, "shape": shape} if shape is not None else root)

    def names(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """``pd.DataFrame(array, columns=...)`` names what came in without names."""
        if not Kinds.frame(op.result) or op.name != "DataFrame" or len(lineage.tables) != 1 or not op.args:
            return
        table, rows = next(iter(lineage.tables.items()))
        info = self.run.raw[table]
        if info["form"] != "array" or not isinstance(rows, range) or not Kinds.array(op.args[0]):
            return
        wide = op.args[0].ndim == 2 and op.args[0].shape[1] == op.result.shape[1]
        if wide and info.get("renamed") is None:
            self.run.raw_tables.name(table, op.result)
            columns = [c if isinstance(c, (str, int)) else str(c) for c in op.result.columns]
            form = "named" if len(columns) == len(info["renamed"]) else "frame"
            root = {"kind": "root", "node": site.node, "table": table, "form": form}
            step.events.append({**root, "columns": columns} if form == "frame" else root)


def _has_rows(value: Any) -> bool:
    """Whether a value is a table or column of more than one row."""
    return (Kinds.pandas(value) or Kinds.polars(value)) and len(value) > 1


def _is_bunch(value: Any) -> bool:
    """A data set of scikit-learn's."""
    return type(value).__name__ == "Bunch"


def part_of_bunch(site: Site, values: dict[int, Any]) -> bool:
    return site.kind in ("attribute", "subscript") and _is_bunch(next(iter(values.values()), None))


def _same_values(images: Any, data: Any) -> bool:
    """Whether an array of more dimensions holds what the flat table holds (``digits.images``)."""
    np = sys.modules["numpy"]
    flat = images.reshape(len(images), -1)
    return data is not None and flat.shape == getattr(data, "shape", None) and bool(np.array_equal(flat, data))
