"""What a model has answered, and what the notebook makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import no_rows
from .answers import alters, scalar
from .frames import Loop, Step
from .lineage import SCALARS, Kinds, Lineage, length
from .operation import Operation
from .polars_tables import as_pandas
from .rows_across import parts_by_row
from .sites import Site, Statement
from .snapshots import type_name

if TYPE_CHECKING:
    from .recorder import Recorder

PREDICTING = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "inplace_predict"}
)


class Predictions:
    """Knows which values are predictions, by token, and keeps those that the notebook may mean."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.tokens: set[int] = set()
        self.altered: set[int] = set()
        """Tokens of predictions that are other values than a model gave."""
        self._columns: dict[int, set[Any]] = {}
        """Columns of tables, by token, that are predictions."""

    def made(self, step: Step, site: Site, op: Operation, token: int, lineage: Lineage, fresh: bool) -> None:
        asked = (
            op.kind == "call" and op.name in PREDICTING and op.receiver is not None and not Kinds.pandas(op.receiver)
        )
        derived = any(self.is_predicted(v) for v in op.operands)
        question = no_rows.question(op)
        if question is not None:
            step.events.append({**question, "node": site.node, "lineage": self.run.serial(lineage)})
        if asked:
            self.tokens.add(token)
            argument = next((s for kind, s in site.call.args if kind == "site"), None) if site.call else None
            node = self.run.tables.sites[argument].node if argument is not None else None
            step.carries = True
            given = op.args[0] if op.args and _moderate(op.args[0]) else None
            if Kinds.polars_frame(given):
                given = as_pandas(given)  # every environment reads it so
            step.events.append(
                {
                    "kind": "predict",
                    "given": self.run.snapshots.keep(given) if given is not None else None,
                    "node": site.node,
                    "name": op.name,
                    "argument": node,
                    "model": type_name(op.receiver),
                    **self.run.fitted.of(op.receiver),
                    "output": self.run.snapshots.keep(op.result),
                    "lineage": self.run.serial(lineage),
                    "token": token,
                }
            )
        elif derived:
            self.tokens.add(token)
            given = next((v for v in op.operands if self.is_predicted(v)), None)
            if (given is not None and self.run.rows.token(given) in self.altered) or alters(given, op.result):
                self.altered.add(token)
            if self.run.in_predict_cell() and _small(op.result):
                step.events.append(
                    {
                        "kind": "derived",
                        "node": site.node,
                        "output": self.run.snapshots.keep(op.result),
                        "lineage": self.run.serial(lineage),
                        "token": token,
                        "altered": token in self.altered,
                    }
                )

    def parts_by_row(self, op: Operation) -> bool:
        """Whether parts of a result are made row by row of answers that run across; they are answers too."""
        parts = parts_by_row(op, self.run.rows)
        if any(self.is_predicted(v) for v in op.operands):
            tokens = {token for part in parts if (token := self.run.rows.token(part)) is not None}
            self.tokens |= tokens
            self.altered |= tokens
        return bool(parts)

    def is_predicted(self, value: Any) -> bool:
        """Whether the value is a prediction, or a list or dict of predictions and nothing else."""
        token = self.run.rows.token(value)
        if token is not None:
            return token in self.tokens
        inside = self.run.tokens_inside(value)
        return bool(inside) and set(inside) <= self.tokens

    def one_answer(self, step: Step, site: Site, op: Operation) -> bool:
        """``model.predict(row)[0]``: the plain value of a prediction for one row is that prediction still."""
        of = [
            x for v in op.operands if self.run.rows.token(v) in self.tokens and (x := self.run.rows.of(v)) is not None
        ]
        return op.kind == "subscript" and bool(of) and of[0].n == 1 and scalar(op.result) and self.run.in_predict_cell()

    def written(self, step: Step, statement: Statement, space: dict[str, Any]) -> None:
        """``m[:, i] = model.predict(X)``: an array or a table into which nothing but predictions is written is one itself."""
        name = statement.written[0] if len(statement.written) == 1 else ""
        value = space.get(name, self.run.ns.get(name))
        token = self.run.rows.token(value) if value is not None and self.run.in_predict_cell() else None
        if token is None or statement.value is None or not self._assigns(step, statement.value):
            return
        keys = [v for site, v in step.log if self.run.tables.sites[site].kind == "key"]
        key = keys[-1] if keys else None
        if Kinds.frame(value):
            known = self._columns.setdefault(token, set())
            known.add(statement.column[1] if statement.column else key)
            if not set(value.columns) <= known:  # type: ignore[union-attr]
                return
        elif token not in self.run.lengths.blank or not self._for_all_rows(value, key):
            return
        self.tokens.add(token)

    def _for_all_rows(self, value: Any, key: Any) -> bool:
        """Whether a key of an array addresses an entry for each row; ``oof[validation] = ...`` fills some of them."""
        lineage = self.run.rows.of(value)
        first = key[0] if isinstance(key, tuple) and key else key
        across = lineage is not None and lineage.upright is not None
        return across or (isinstance(first, slice) and first == slice(None))

    def _assigns(self, step: Step, node: int) -> bool:
        """Whether the value at a node is a prediction."""
        made = any(e["kind"] in ("predict", "derived") and e["node"] == node for e in step.events)
        return made or any(
            self.run.tables.sites[s].node == node and self.is_predicted(v) for s, v in step.names.items()
        )

    def changed(self, record: dict[str, Any], tokens: set[int]) -> None:
        """In a predict cell, keep what a statement or a whole loop has made of a prediction in its place."""
        tokens &= self.tokens
        if not tokens or not self.run.in_predict_cell():
            return
        for value in list(self.run.ns.values()):
            token = None if isinstance(value, SCALARS) else self.run.rows.token(value)
            if token not in tokens or not _small(value):
                continue
            tokens.discard(token)
            output, lineage = self.run.snapshots.keep(value), self.run.serial(self.run.rows.of(value))
            node = self.run.tables.statements[record["k"]].node
            record["events"].append(
                {"kind": "changed", "node": node, "output": output, "lineage": lineage, "token": token}
            )

    def bound(
        self, step: Step, statement: Statement, binds: list[list[Any]], space: dict[str, Any], value: Any
    ) -> None:
        """In a predict or fallback cell, keep what its statements give: one of them is the prediction, or the answer by rule."""
        if step.frame.number or not (self.run.in_predict_cell() or self.run.in_cell("fallback")):
            return
        for bind in binds:
            lineage = self.run.rows.of(space[bind[0]]) if bind[1] is not None else None
            if lineage is not None and lineage.n > 0 and _small(space[bind[0]]):
                step.events.append(
                    {
                        "kind": "bound",
                        "node": self.run.tables.statements[step.k].node,
                        "name": bind[0],
                        "output": self.run.snapshots.keep(space[bind[0]]),
                        "lineage": bind[2],
                        "token": bind[1],
                        "predicted": bind[1] in self.tokens,
                        "altered": bind[1] in self.altered,
                    }
                )
        self.run.answers.bound(step, statement, space, value)
        if statement.column is not None and not step.frame.loops:
            self._column_written(step, *statement.column, space)
        lineage = self.run.rows.of(value) if value is not None else None
        if lineage is not None and _small(value):
            token = self.run.rows.token(value)
            step.events.append(
                {
                    "kind": "shown",
                    "node": statement.node,
                    "output": self.run.snapshots.keep(value),
                    "lineage": self.run.serial(lineage),
                    "token": token,
                    "predicted": token in self.tokens,
                    "altered": token in self.altered,
                }
            )

    def _column_written(self, step: Step, name: str, column: str, space: dict[str, Any]) -> None:
        frame = space.get(name)
        lineage = self.run.rows.of(frame) if Kinds.pandas(frame) else None
        if lineage is None or getattr(frame, "ndim", 0) != 2 or column not in frame.columns:  # type: ignore[union-attr]
            return
        values = frame[column]  # type: ignore[index]
        if getattr(values, "ndim", 0) == 1:
            step.events.append(
                {
                    "kind": "written",
                    "node": self.run.tables.statements[step.k].node,
                    "name": name,
                    "column": column,
                    "output": self.run.snapshots.keep(values),
                    "lineage": self.run.serial(lineage),
                    "token": self.run.rows.token(frame),
                }
            )

    def looped(self, loop: Loop) -> None:
        """A loop of a predict cell is over: what it has made of a prediction."""
        inside = [s for s in self.run.steps if s["updates"] and (s["k"] == loop.k or ran_in(s, loop))]
        if inside:
            self.changed(inside[-1], {token for s in inside for token in s["updates"]})

    def filled(self, k: int, binds: list[list[Any]], reads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Lists of plain values that a loop of a predict cell has filled, one for each row; of predictions alone, they are predictions."""
        if not self.run.in_predict_cell():
            return []
        given = {read.get("token") for read in reads}
        events = []
        for name, token, lineage in binds:
            value = self.run.ns[name]
            if not all(scalar(entry) or entry is None for entry in value):
                continue
            if given and given <= self.tokens:
                self.tokens.add(token)
                self.altered.add(token)
            told = {"output": self.run.snapshots.keep(value), "lineage": lineage, "token": token}
            marks = {"predicted": token in self.tokens, "altered": token in self.altered}
            events.append({"kind": "bound", "node": self.run.tables.statements[k].node, "name": name, **told, **marks})
        return events

    def added_up(self, step: Step, value: Any) -> None:
        """``total += model.predict(test)``: what rows are added to has an entry for each of them."""
        parts = [(v, x) for _, v in step.log if (x := self.run.lineage_of(v)) is not None and x.n == length(value)]
        if not parts:
            return
        if self.run.rows.of(value) is None:
            self.run.rows.put(value, parts[-1][1])
        if any(self.run.rows.token(v) in self.tokens for v, _ in parts):
            self.tokens.add(self.run.rows.token(value))  # type: ignore[arg-type]


def _small(value: Any) -> bool:
    """Narrow enough to be a prediction: a vector, or up to fifty outputs for each row."""
    shape = getattr(value, "shape", None)
    return isinstance(value, list) or (shape is not None and (len(shape) == 1 or (len(shape) == 2 and shape[1] <= 50)))


def _moderate(value: Any) -> bool:
    """Small enough to be kept beside the prediction it led to."""
    shape = getattr(value, "shape", None)
    if shape is None or not shape:
        return False
    cells = 1
    for side in shape:
        cells *= int(side)
    return cells <= 4_000_000


def ran_in(step: dict[str, Any], loop: Loop) -> bool:
    """Whether a recorded step belongs to this run of a loop."""
    return any(place["instance"] == loop.instance for place in step["loops"])
