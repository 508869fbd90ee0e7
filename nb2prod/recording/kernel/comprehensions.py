"""Comprehensions: whose elements are followed, and what their variables held at each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frames import Step
from .lineage import SCALARS

if TYPE_CHECKING:
    from .recorder import Recorder

MOST_ELEMENTS = 200


class Comprehensions:
    """Decides which comprehensions are followed element by element, and marks the events of each element."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def few(self, step: Step, over: int) -> bool:
        """Columns, models, tables: a handful of things that are not the rows themselves."""
        value = next((v for site, v in reversed(step.log) if site == over), None)
        if value is None or not hasattr(value, "__len__") or len(value) > MOST_ELEMENTS or self._carries_rows(value):
            return False
        rows = {x.n for v in step.names.values() if (x := self.run.rows.of(v)) is not None}
        return not (isinstance(value, range) and len(value) in rows)

    def _carries_rows(self, value: Any) -> bool:
        return not isinstance(value, SCALARS) and self.run.rows.of(value) is not None

    def finished(self, step: Step, node: int) -> None:
        """An operation that stands before the comprehension, in it or around it, has ended: so has the comprehension.

        Write beside each event of an element what the comprehension's variables held.
        """
        done = step.elements.pop(node)
        if not done.marks:
            return
        ends = [at for at, _ in done.marks[1:]] + [len(step.events)]
        for (start, keys), end in zip(done.marks, ends, strict=True):
            for event in step.events[start:end]:
                event["keys"] = {**keys, **event.get("keys", {})}
