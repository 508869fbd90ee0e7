"""What a value is that a statement or a function read by its name, with a copy of it where it carries no rows."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from .guard import module_of
from .held_rows import rows_held
from .lineage import SCALARS, Kinds

if TYPE_CHECKING:
    from .recorder import Recorder

MOST_ASKED = 500_000
"""A table of more cells is not kept for lambdas that ask it by its name."""
MOST_CELLS = 5_000_000
"""A table of more cells is not kept for code that has not run."""


class Reads:
    """Classifies values, and keeps those that may have to be served."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def read(self, site: int, value: Any, keep: bool, ran: bool = True) -> dict[str, Any]:
        where = self.run.tables.sites[site]
        read: dict[str, Any] = {"node": where.node, "name": where.name, "tree": where.tree}
        token = None if isinstance(value, SCALARS) else self.run.rows.token(value)
        if token is not None:
            asked = ran and site in self.run.tables.inner
            found = self._rows_by_name(value, snapshot=keep and (not ran or (asked and _small(value))))
            return {**read, "token": token, **found, **({"asked": True} if asked and "snapshot" in found else {})}
        if not isinstance(value, SCALARS):
            tokens = self.run.tokens_inside(value)
            if tokens:
                holder = self.run.rows.holder(value, known=True)
                return {**read, "kind": "container", "tokens": tokens + ([] if holder is None else [holder])}
        return {**read, **self.classify(value, keep)}

    def classify(self, value: Any, keep: bool) -> dict[str, Any]:
        if isinstance(value, types.ModuleType):
            return {"kind": "module", "module": value.__name__}
        module = module_of(value) or None
        if isinstance(value, (types.FunctionType, type)):
            own = module == "__main__"
            kind = ("function" if isinstance(value, types.FunctionType) else "class") if own else "import"
            found = {"kind": kind, "module": module, "qualname": getattr(value, "__qualname__", "")}
            return {**found, "state": self.run.definitions.state(value)} if own and keep else found
        if self._wraps(
            value
        ):  # by `functools.lru_cache`, say: defined anew by its own statement, as a plain function is
            return {"kind": "function", "module": module, "qualname": value.__qualname__} | (
                {"state": self.run.definitions.state(value)} if keep else {}
            )
        if isinstance(value, types.BuiltinFunctionType) and (
            value.__self__ is None or isinstance(value.__self__, types.ModuleType)
        ):
            return {"kind": "import", "module": module, "qualname": value.__qualname__}
        if type(value).__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
            return {"kind": "import", "module": "numpy", "qualname": value.__name__}
        if isinstance(value, types.GeneratorType) or type(value).__name__ in (
            "zip",
            "map",
            "filter",
            "enumerate",
            "generator",
        ):
            return {"kind": "iterator"}
        if not keep:
            return {"kind": "value", "snapshot": None}
        return {"kind": "value", "snapshot": self.kept(value)}

    def _wraps(self, value: Any) -> bool:
        """Whether a callable stands for a function of the notebook, which a decorator put inside it."""
        inner = getattr(value, "__wrapped__", None) if callable(value) else None
        return isinstance(inner, types.FunctionType) and module_of(inner) == "__main__" == module_of(value)

    def kept(self, value: Any) -> int:
        """The number of a snapshot of the value, with what it was fitted on."""
        number = self.run.snapshots.take(value)
        entry = self.run.snapshots.entries[number]
        learned = self.run.fitting.rows_of(value)
        if learned is not None:
            entry["learned"] = learned
        if "rows_held" not in entry:
            entry["rows_held"] = rows_held(value, self.run.fitting.count_of)
        return number

    def without_state(self, value: Any) -> dict[str, Any]:
        """What a value is that a function reads by its name."""
        if self.run.carries(value):
            return self._rows_by_name(value, snapshot=True)
        return self.classify(value, True)

    def _rows_by_name(self, value: Any, *, snapshot: bool) -> dict[str, Any]:
        """A value with rows; with a `snapshot` where code that has not run may ask it (a function's branch that no row took)."""
        lineage = self.run.rows.of(value)
        found = {"kind": "rows", "lineage": self.run.serial(lineage) if lineage else None}
        taken = snapshot and Kinds.pandas(value) and value.size <= MOST_CELLS
        if not taken:
            return found
        number = self.run.snapshots.take(value)
        self.run.snapshots.entries[number]["rows_held"] = len(value)
        return {**found, "snapshot": number}

    def states_of(self, names: set[str]) -> dict[str, int]:
        """The states of the notebook's functions and classes of these names, which a pickle refers to."""
        found = {name: self.run.definitions.state(self.run.ns[name]) for name in sorted(names) if name in self.run.ns}
        return {name: state for name, state in found.items() if state is not None}


def _small(value: Any) -> bool:
    return Kinds.pandas(value) and len(value) > 1 and value.size <= MOST_ASKED
