"""Operations that choose rows, and what another table's rows or a variable named in a text have to do with them."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any

from .arguments import places_of
from .chosen_rows import unaltered
from .frames import Step
from .guard import name_of
from .lineage import Kinds, Lineage, length
from .operation import Operation, Outcome
from .sites import Site

if TYPE_CHECKING:
    from .recorder import Recorder

ITERATORS = frozenset({"zip", "enumerate", "map", "reversed", "list_iterator", "generator", "itertuples", "filter"})


class Selections:
    """Finds the rows that were chosen where they can't be seen from operands and result, and tells what was chosen by what."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def chosen(self, step: Step, site: Site, op: Operation, outcome: Outcome) -> None:
        """What an operation did to the choice and order of rows, as its outcome says."""
        if outcome.event not in ("filter", "select", "order", "row", "merge"):
            return
        event = {"kind": outcome.event, "node": site.node, "name": op.name, "after": self.run.serial(outcome.lineage)}
        if outcome.event != "merge":
            event.update(op=site.kind, before=self.run.serial(outcome.before))
        if outcome.source is not None and op.receiver is not outcome.source:
            # A function was given the table; where it judges each row by itself, its verdict is a rule as any other.
            places = [
                place for kind, place, value in places_of(site.call, op) if kind == "site" and value is outcome.source
            ]
            if places and outcome.event in ("filter", "select"):
                event.update(table=self.run.tables.sites[places[0]].node, by_row=outcome.event == "filter")
        along = self.run.lineage_of(op.receiver)
        if along is not None and along.upright is not None:
            event["axis"] = 1  # rows run across
        if outcome.event == "row":
            # One row may as well be a constant of training's: the plan says which, so its value is kept.
            event["value"] = op.result
        step.events.append(event)

    def lookups(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """Rows of another table that only serve to look something up: kept as they are, should the path need them."""
        if site.call is None:
            return
        shape = site.call
        for kind, sid in [*((k, s) for k, s in shape.args), *((k, s) for _, k, s in shape.kwargs)]:
            if kind != "site" or not isinstance(sid, int) or sid < 0:
                continue
            value = self._argument(op, shape, sid)
            other = self.run.rows.of(value) if value is not None else None
            if other is None or value is op.receiver:
                continue
            mine = self.run.rows.of(op.receiver) if op.receiver is not None else None
            if op.name in ("merge", "join", "merge_asof") or (
                mine is not None and not set(mine.tables) & set(other.tables)
            ):
                step.events.append(
                    {
                        "kind": "lookup",
                        "node": self.run.tables.sites[sid].node,
                        "call": site.node,
                        "value": value,
                        "of": self.run.serial(other),
                    }
                )

    def mentions(self, step: Step, site: Site, op: Operation) -> None:
        """``df.query("a > @cut")`` reads a variable that its text names."""
        if op.name not in ("query", "eval") or not op.args or not isinstance(op.args[0], str):
            return
        for name in dict.fromkeys(re.findall(r"@([A-Za-z_]\w*)", op.args[0])):
            if name in self.run.ns and step.frame.number == 0 and self.run.rows.of(self.run.ns[name]) is None:
                step.events.append({"kind": "mention", "node": site.node, "name": name, "value": self.run.ns[name]})

    def _argument(self, op: Operation, shape: Any, sid: int) -> Any:
        for (kind, s), value in zip(shape.args, op.args, strict=False):
            if kind == "site" and s == sid:
                return value
        for name, kind, s in shape.kwargs:
            if kind == "site" and s == sid:
                return op.kwargs.get(name)
        return None

    def sifted(self, step: Step, site: Site, op: Operation) -> bool:
        """A function that goes through groups or rows and gives back some rows of its table unaltered: a choice of rows, whatever it asked."""
        called = self.run.calls.made_by(step, site)
        if not called or not any(self.run.frames[number - 1].get("walked") for number in called):
            return False
        after = self.run.rows.of(op.result)
        if after is None:
            return False
        for kind, place, value in places_of(site.call, op):
            before = self.run.rows.of(value)
            if kind != "site" or before is None or not unaltered(value, before, op.result, after):
                continue
            self.run.steps = [done for done in self.run.steps if done["frame"] not in called]
            for number in called:
                self.run.frames[number - 1]["parent"] = None
            self.run.rows.put(op.result, after)
            step.events.append(
                {
                    "kind": "filter" if after.n < before.n else "order",
                    "node": site.node,
                    "name": op.name,
                    "op": "call",
                    "table": self.run.tables.sites[place].node,
                    "before": self.run.serial(before),
                    "after": self.run.serial(after),
                }
            )
            return True
        return False

    def walks_rows(self, op: Operation) -> bool:
        """``zip(df.a, df.b)`` goes over rows: what a comprehension makes of it has an entry for each."""
        if type(op.result).__name__ not in ITERATORS or hasattr(op.receiver, "get_n_splits"):
            return False
        by_method = op.name in ("iterrows", "itertuples") or (op.name == "items" and not Kinds.frame(op.receiver))
        over = (op.receiver,) if by_method else op.args
        for lineage in [x for v in over if (x := self.run.rows.of(v)) is not None][:1]:
            self.run.rows.put(op.result, lineage, by_index=False)
        return True

    def splitting(self, func: Any, step: Step) -> Any:
        rows = self.run.rows

        def choose(*arrays: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            with contextlib.suppress(Exception):  # the notebook's own mistakes come again below, without the recorder
                if any(rows.of(a) is not None for a in arrays):
                    out = func(*arrays, sys.modules["numpy"].arange(length(arrays[0])), **options)
                    each = len(out) // (len(arrays) + 1)
                    positions, chosen = out[-each:], out[:-each]
                    if name_of(func) != "train_test_split" and len(arrays) == 1:
                        chosen = chosen[0]
                    step.split = (chosen, arrays, positions)
                    return chosen
            return func(*arrays, **options)

        choose.__name__, choose.__module__ = func.__name__, func.__module__
        return choose

    def split(self, step: Step, site: Site, op: Operation) -> None:
        chosen, arrays, positions = step.split
        step.split = None
        each = len(positions)
        parts = chosen if isinstance(chosen, (list, tuple)) and len(arrays) * each > 1 else [chosen]
        after: list[int | None] = []
        for i, array in enumerate(arrays):
            lineage = self.run.rows.of(array)
            for j in range(each):
                part = parts[i * each + j]
                if lineage is None:
                    after.append(None)
                    continue
                taken = lineage.take(positions[j])
                self.run.rows.put(part, taken)
                after.append(self.run.serial(taken))
        step.events.append(
            {
                "kind": "split",
                "node": site.node,
                "name": op.name,
                "after": after,
                "random_state": op.kwargs.get("random_state") is not None or op.kwargs.get("shuffle") is False,
            }
        )

    def in_place(self, step: Step, site: Site, op: Operation) -> None:
        """A method that returned None may have changed which rows its receiver carries."""
        receiver = op.receiver
        if not Kinds.pandas(receiver) or not hasattr(receiver, "index"):
            return
        entry = self.run.rows._entry(receiver)
        token = self.run.rows.token(receiver)
        if entry is None or token is None or token not in step.before:
            return
        lineage, old, new = entry[1], step.before[token][2], receiver.index
        if old is None or (len(old) == len(new) and (old.is_(new) or old.equals(new))):
            return
        positions = old.get_indexer(new) if old.is_unique else None
        if op.name in ("reset_index", "set_index") and len(new) == lineage.n:
            self.run.rows.put(receiver, lineage)
            return
        if positions is None or (positions < 0).any() or op.kwargs.get("ignore_index"):
            self.run.rows.forget(receiver)
            return
        chosen = lineage.take(positions)
        self.run.rows.put(receiver, chosen)
        kind = "order" if chosen.n == lineage.n else "filter"
        step.events.append(
            {
                "kind": kind,
                "node": site.node,
                "name": op.name,
                "op": "call",
                "inplace": True,
                "before": self.run.serial(lineage),
                "after": self.run.serial(chosen),
            }
        )
