"""What an operation that has just run is, and who is to know of it."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from .arguments import arguments
from .frames import Step
from .guard import module_of, name_of
from .infer import infer
from .lineage import SCALARS, Kinds, Lineage
from .operation import Operation, Outcome
from .sites import Site
from .tables_in import part_of_bunch

if TYPE_CHECKING:
    from .recorder import Recorder

CLUSTERS = {
    "rule": "F1",
    "why": "labels_ holds the clusters of the rows that were fitted: a request's row is none of them.",
    "remedy": "Ask the model for the clusters of the rows at hand, with the columns that it was fitted on: model.predict(df[columns]).",
}


class Observer:
    """Puts an operation together from the values that the hooks saw, works out the rows of its result, and tells the others."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.operand_sets: list[frozenset[int]] = []
        """The sites whose values an operation is made of, by its own site."""

    def operands(self, step: Step, site: int) -> dict[int, Any]:
        wanted = self.operand_sets[site]
        if not wanted:
            return {}
        log = step.log
        found: dict[int, Any] = {}
        first = len(log)
        for i in range(len(log)):
            if log[i][0] in wanted:
                first = min(first, i)
                found[log[i][0]] = log[i][1]
        del log[first:]
        return found

    def observe(self, step: Step, number: int, result: Any) -> None:
        site = self.run.tables.sites[number]
        values = self.operands(step, number)
        step.log.append((number, result))
        for node in [n for n in step.elements if n >= site.node]:
            self.run.comprehensions.finished(step, node)
        self.run.answers.made(step, site, values, result)
        # A data set's parts come in each time anew (`X, y = iris.data, iris.target`): it is no container of the request's rows.
        if part_of_bunch(site, values) or not any(self.run.carries(value) for value in values.values()):
            self.without_rows(step, site, values, result)
            return
        step.touched = True
        op = self.describe(site, values, result)
        self.run.calls.attribute(step, site, op)
        if step.split is not None and step.split[0] is result:
            self.run.selections.split(step, site, op)
            return
        if result is None:
            self.run.selections.in_place(step, site, op)
            return
        outcome = self.run.raw_tables.without_names(op.result, infer(op, self.run.rows))
        self.run.fitting.fitted_to(step, site, op)
        self.run.fitting.learned_from(step, site, op)
        self.run.taken.fitted(site, op)
        if self.run.selections.sifted(step, site, op):
            return
        if outcome.lineage is None:
            self._rows_end(step, site, op, outcome)
        else:
            self._rows_go_on(step, site, op, outcome, outcome.lineage)

    def _rows_end(self, step: Step, site: Site, op: Operation, outcome: Outcome) -> None:
        """An operation took rows and gave none: its result is a value that was made of them all, unless something else goes over them."""
        run = self.run
        if run.selections.walks_rows(op):
            return
        if run.predictions.parts_by_row(op):
            return
        if run.freezing.parts(op):
            run.freezing.freeze(step, site, op)
            return
        if outcome.event == "reshape":
            step.events.append({"kind": "reshape", "node": site.node, "name": op.name})
        if run.rows.inside(op.result) or Kinds.accessor(op.result) or run.predictions.one_answer(step, site, op):
            return
        run.lengths.asked(op)
        run.taken.reduction(site, op, [x for v in op.operands if (x := run.lineage_of(v)) is not None])
        boundary = {"kind": "boundary", "node": site.node, "name": op.name, "value": op.result}
        step.events.append({**boundary, "from": run.sources(op)})

    def _rows_go_on(self, step: Step, site: Site, op: Operation, outcome: Outcome, lineage: Lineage) -> None:
        """An operation took rows and gave rows."""
        run = self.run
        run.lengths.reshaped(step, site, op, lineage)
        fresh = run.rows._entry(op.result) is None
        token = run.rows.put(op.result, lineage, by_index=lineage.upright is None)
        run.views.link(op.result, op.operands)
        run.selections.chosen(step, site, op, outcome)
        run.selections.lookups(step, site, op, lineage)
        run.selections.mentions(step, site, op)
        run.freezing.freeze(step, site, op)
        run.predictions.made(step, site, op, token, lineage, fresh)
        run.tables_in.names(step, site, op, lineage)

    def without_rows(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> None:
        """An operation on no rows: a table may come in, or a function of plain values may predict."""
        if site.kind == "call" and self.run.calls.plain_call(step, site, values, result):
            return
        if isinstance(result, SCALARS) or self.run.lengths.blank_array(step, site, result):
            return
        if site.kind == "attribute" and site.name == "labels_" and Kinds.array(result):
            step.events.append({"kind": "refuse", "node": site.node, **CLUSTERS})
        self.run.tables_in.made_fresh(site, values, result)
        if site.kind in ("call", "attribute", "subscript"):
            self.run.tables_in.comes_in(step, site, values, result)

    def describe(self, site: Site, values: dict[int, Any], result: Any) -> Operation:
        args: tuple[Any, ...] = ()
        kwargs: dict[str, Any] = {}
        func = receiver = key = None
        operands = list(values.values())
        if site.call is not None:
            shape = site.call
            func = values.get(shape.func) if shape.func is not None else None
            receiver = (
                getattr(func, "__self__", None)
                if shape.receiver is not None or isinstance(func, types.MethodType)
                else None
            )
            if shape.receiver is not None and shape.receiver in values:
                receiver = values[shape.receiver]
            if isinstance(receiver, types.ModuleType):
                receiver = None
            args, kwargs = arguments(shape, values)
            operands = [v for v in operands if v is not func]
            given = args[0] if args else None
            if site.name == "pipe" and Kinds.pandas(receiver) and (module_of(given) or "__main__") != "__main__":
                # `X.pipe(pd.get_dummies, ...)` is `pd.get_dummies(X, ...)`.
                name = name_of(given)
                return Operation("call", name, given, None, (receiver, *args[1:]), kwargs, operands, None, result)
        elif site.kind == "subscript":
            ordered = [s for s in site.operands if s in values]
            keyed = [s for s in ordered if self.run.tables.sites[s].kind == "key"]
            key = values[keyed[-1]] if keyed else _NoKey
            inside = set(self.run.tables.sites[keyed[-1]].operands) | {keyed[-1]} if keyed else set()
            bases = [s for s in ordered if s not in inside]
            receiver = values[bases[-1]] if bases else None
        elif operands:
            receiver = operands[0]
        return Operation(site.kind, site.name, func, receiver, args, kwargs, operands, key, result)


class _NoKey:
    """The key of a subscript was a column's name: columns need no following."""
