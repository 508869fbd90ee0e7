"""Loops over rows, over groups of rows and over other things: what an iteration binds, what a whole loop fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frames import Frame, Loop, Step
from .lineage import SCALARS, Kinds, Lineage
from .predictions import ran_in

if TYPE_CHECKING:
    from .recorder import Recorder


class Loops:
    """Writes a step for each iteration that binds rows, and one for a loop that has filled something."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def goes_over(self, loop: Loop, step: Step, value: Any) -> None:
        """``for text in df["text"]``, ``for i in range(len(df))``, ``for _, row in df.iterrows()``: an iteration for each row."""
        loop.header = step.seq
        lineage = self.run.rows.of(value)
        if lineage is None and isinstance(value, range) and value == range(len(value)):
            # Of `range(len(df))` the header has read the table that it counts.
            read = [
                x for v in step.names.values() if not isinstance(v, SCALARS) and (x := self.run.rows.of(v)) is not None
            ]
            lineage = next((x for x in read if x.n == len(value)), None)
        loop.over = lineage if lineage is not None and not lineage.single else None

    def filled(self, frame: Frame, loop: Loop, space: dict[str, Any]) -> None:
        """What a loop over rows has filled (a list with an entry for each, a table's cells) carries them; it is served as it is written."""
        over = loop.over
        assert over is not None
        binds = []
        for name in self.run.tables.statements[loop.k].appends:
            value = space.get(name)
            if isinstance(value, list) and len(value) == over.n and over.n and self.run.rows.of(value) is None:
                binds.append([name, self.run.rows.put(value, over), self.run.serial(over)])
        inside = [s for s in self.run.steps if ran_in(s, loop)]
        changed = sorted(
            {token for s in inside if s["kind"] != "iteration" for token in s["updates"]}
            | self._may_set(loop, over, space)
        )
        if not binds and not changed:
            return
        head = [s for s in self.run.steps if s["seq"] == loop.header]
        reads = {
            (r["name"], r.get("token")): r
            for s in (*head, *inside)
            for r in s["reads"]
            if r["kind"] in ("rows", "container")
        }
        made = {b[0] for s in inside for b in s["binds"]}
        own = [r for (name, _), r in reads.items() if name not in made]
        self._add(
            loop,
            frame,
            "filled",
            loops=self.run.places(frame)[: self.run.tables.statements[loop.k].depth],
            binds=binds,
            reads=own,
            events=[] if frame.number else self.run.predictions.filled(loop.k, binds, own),
            updates=changed,
            names={} if frame.number else self.run.definitions.reads(self.run.tables.outside[loop.k]),
        )

    def _may_set(self, loop: Loop, over: Lineage, space: dict[str, Any]) -> set[int]:
        """Tokens of rows whose items the loop sets in some branch: none of these rows may have taken it, and a request's row may."""
        values = [space.get(name) for name in self.run.tables.statements[loop.k].assigns]
        known = [v for v in values if (x := self.run.lineage_of(v)) is not None and x.n == over.n]
        return {token for v in known if (token := self.run.rows.token(v)) is not None}

    def iteration(self, frame: Frame, loop: Loop, values: dict[str, Any]) -> None:
        loop.keys = {n: v for n, v in values.items() if isinstance(v, (str, int, float, bool, type(None)))}
        bound = []
        for name, value in values.items():
            if loop.source is not None and Kinds.pandas(value) and self.run.rows.of(value) is None:
                self._group(loop.source, value)
            token = self.run.rows.token(value) if value is not None and not isinstance(value, SCALARS) else None
            if token is not None:
                bound.append([name, token])
        if bound:
            loop.quiet = 0
            self._add(loop, frame, "iteration", loops=self.run.places(frame), binds=bound)

    def _add(self, loop: Loop, frame: Frame, kind: str, **facts: Any) -> None:
        """A step of the loop's own, which no statement is; what is not told of it is empty."""
        self.run.seq += 1
        empty: dict[str, Any] = {"reads": [], "events": [], "updates": []}
        step = {"seq": self.run.seq, "k": loop.k, "frame": frame.number, "kind": kind, **empty, **facts}
        self.run.steps.append(step)

    def _group(self, source: tuple[Lineage, Any], value: Any) -> None:
        """``for key, group in df.groupby(...)``: a group's rows are found by their labels."""
        lineage, old = source
        if old is None or not old.is_unique or not hasattr(value, "index"):
            return
        positions = old.get_indexer(value.index)
        if len(positions) and (positions >= 0).all():
            self.run.rows.put(value, lineage.take(positions))
