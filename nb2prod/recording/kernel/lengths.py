"""How many rows there are, where the notebook asks: the number is a request's own where something with an entry for each row is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frames import Step
from .lineage import Kinds, Lineage
from .operation import Operation
from .sites import Site

if TYPE_CHECKING:
    from .recorder import Recorder

FEWEST_COUNTED = 12
"""Smaller numbers are too common to be taken for the number of rows."""
BLANK = frozenset({"zeros", "ones", "full", "empty"})


class Lengths:
    """Knows the lengths that were asked for, and the arrays that were made to hold an entry for each row."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self._known: dict[int, Lineage] = {}
        self.blank: set[int] = set()
        """Tokens of arrays made to be filled."""

    def blank_array(self, step: Step, site: Site, result: Any) -> bool:
        """``np.zeros(len(test))``: an array with an entry for each row, to be filled or added to; its length is the rows' own."""
        if site.kind != "call" or site.name not in BLANK or not Kinds.array(result):
            return False
        inside = [e for e in step.events if e["kind"] == "boundary" and e["node"] > site.node and e["from"]]
        lengths = [e for e in inside if e["name"] in ("len", "shape")]
        sides = result.shape[:2]
        lineage = next((x for e in lengths if (x := self.run.lineages[e["from"][0]]).n in sides), None)
        if lineage is None and not inside:
            return self._counted(step, site, result)
        if lineage is None or lineage.n < 2 or len(lengths) != len(inside):
            return False
        step.events = [e for e in step.events if not any(e is other for other in lengths)]
        step.touched = True
        self.blank.add(self.run.rows.put(result, lineage if lineage.n == len(result) else lineage.turned()))
        return True

    def reshaped(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """``images.reshape((len(images), -1))``: the number of rows is the request's, whether it is asked there or held by a variable."""
        if op.name != "reshape":
            return

        def told(event: dict[str, Any]) -> bool:
            asked = event["kind"] == "boundary" and event["name"] in ("len", "shape") and event["node"] > site.node
            return asked and bool(event["from"]) and self.run.lineages[event["from"][0]].n == lineage.n

        step.events = [event for event in step.events if not told(event)]
        for number, value in step.names.items():
            where = self.run.tables.sites[number]
            if where.node > site.node and type(value) is int and value == lineage.n >= FEWEST_COUNTED:
                step.events.append({"kind": "count", "node": where.node})

    def asked(self, op: Operation) -> None:
        """Remember how many rows something has, where the notebook asks."""
        count = op.result
        if op.name == "shape" and isinstance(count, tuple) and count:
            count = count[0]
        elif op.name != "len":
            return
        lineage = next((x for v in op.operands if (x := self.run.lineage_of(v)) is not None), None)
        if isinstance(count, int) and lineage is not None and lineage.n == count >= FEWEST_COUNTED:
            self._known[count] = lineage

    def _counted(self, step: Step, site: Site, result: Any) -> bool:
        """``m = len(y)``, then ``np.ones((m, 1))``: a variable that holds how many rows there are."""
        lineage = self._known.get(len(result))
        within = [s for s in step.names if self.run.tables.sites[s].node > site.node]
        named = [s for s in within if step.names[s] is not True and step.names[s] == len(result)] if lineage else []
        if lineage is None or len(named) != 1:
            return False
        step.touched = True
        step.events.append({"kind": "count", "node": self.run.tables.sites[named[0]].node})
        self.run.rows.put(result, lineage)
        return True
