"""Calls whose answer depends on the batch: what of training's state is kept for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import Step
from .frozen import NoEntry, explain, match
from .lineage import Kinds, length
from .operation import Operation
from .sites import Site

if TYPE_CHECKING:
    from .recorder import Recorder


class Freezing:
    """Asks the table of frozen operations about each call, and keeps the state that serving it needs."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def freeze(self, step: Step, site: Site, op: Operation) -> None:
        if op.kind not in ("call", "attribute") or self._fits_inside(step, op):
            return
        reason = explain(op.func, op.receiver, op.name, op.args, op.kwargs)
        if reason is not None and not (op.name == "reset_index" and op.kwargs.get("drop")):
            step.events.append(
                {"kind": "depends", "node": site.node, "rule": reason[0], "why": reason[1], "remedy": reason[2]}
            )
            return
        found = match(op.func, op.receiver, op.name, op.args, op.kwargs)
        if found is None:
            return
        self.run.active = False  # capturing may run the notebook's own function again: that is no part of the run
        try:
            state = found.capture(op.receiver, op.args, op.kwargs, op.result)
        except NoEntry as refusal:
            if not refusal.rule:
                return  # nothing to keep: the call answers row by row as it is
            step.events.append(
                {
                    "kind": "refuse",
                    "node": site.node,
                    "rule": refusal.rule,
                    "why": refusal.why,
                    "remedy": refusal.remedy,
                }
            )
            return
        finally:
            self.run.active = True
        step.events.append(
            {
                "kind": "frozen",
                "node": site.node,
                "op": found.op,
                "rule": found.rule,
                "phrase": found.phrase,
                "value": state,
                "receiver_is_state": found.receiver_is_state,
                "from": self.run.sources(op),
                "lineage": self.run.serial(lineage) if (lineage := self.run.rows.of(op.result)) is not None else None,
                "attribute": op.kind == "attribute",
                "name": found.name,
            }
        )

    def _fits_inside(self, step: Step, op: Operation) -> bool:
        """``df.apply(encode)`` over columns, where the notebook's `encode` fits an estimator: its own lines are served, column by column."""
        if op.name not in ("apply", "transform") or not Kinds.frame(op.receiver):
            return False
        called: set[int] = set()
        for info in reversed(self.run.frames):
            if info["parent"] != step.seq and info["outer"] not in called:
                break
            if any(key.endswith(".name") for key in info["keys"]) or info["outer"] in called:
                called.add(info["frame"])
        if not called:
            return False
        for done in reversed(self.run.steps):
            if done["seq"] < step.seq:
                break
            if done["frame"] in called and any(
                e["kind"] == "frozen" and e["receiver_is_state"] for e in done["events"]
            ):
                return True
        return False

    def parts(self, op: Operation) -> bool:
        """A frozen operation that returns rows beside something else (``pd.factorize``): its parts carry the rows."""
        if op.kind != "call" or not isinstance(op.result, tuple):
            return False
        if match(op.func, op.receiver, op.name, op.args, op.kwargs) is None:
            return False
        found = False
        for lineage in [x for v in op.operands if (x := self.run.rows.of(v)) is not None][:1]:
            for part in op.result:
                if length(part) == lineage.n and not isinstance(part, str):
                    self.run.rows.put(part, lineage)
                    found = True
        return found
