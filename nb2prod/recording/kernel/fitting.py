"""Fits: what was fitted to which rows."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .arguments import fitted_to
from .frames import Step
from .lineage import Kinds
from .operation import Operation
from .sites import Site
from .snapshots import type_name

if TYPE_CHECKING:
    from .recorder import Recorder

MOST_FITS = 30


class Fitting:
    """Notes each fit to a target, and for anything that was fitted the rows that it learned from."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.learned: dict[int, tuple[Any, dict[str, Any]]] = {}
        """What was fitted: where, and on which rows; by identity."""

    def learned_from(self, step: Step, site: Site, op: Operation) -> None:
        """Remember what was fitted on which rows, whatever it is."""
        fits = op.result is op.receiver or "fit" in op.name
        if (
            op.kind != "call"
            or not fits
            or self.run.lineage_of(op.receiver) is not None
            or not (rows := self.run.sources(op))
        ):
            return
        try:
            ref = weakref.ref(op.receiver)
        except TypeError:
            return
        self.learned[id(op.receiver)] = (ref, {"k": step.k, "node": site.node, "from": rows})

    def rows_of(self, value: Any) -> dict[str, Any] | None:
        """Where a value was fitted, and on which rows; None of one that was not."""
        known = self.learned.get(id(value))
        return known[1] if known is not None and known[0]() is value else None

    def count_of(self, value: Any) -> int:
        """On how many rows it was fitted; 0 where it was not."""
        known = self.rows_of(value)
        return 0 if known is None else max(self.run.lineages[serial].n for serial in known["from"])

    def fitted_to(self, step: Step, site: Site, op: Operation) -> None:
        y = fitted_to(op)
        training = self.run.fitted.note(op, y)
        lineage = self.run.rows.of(y) if y is not None else None
        if lineage is None or lineage.n < 2:
            return
        if Kinds.dataset(y):
            y = y.get_label()
        self.run.fits.append(
            {
                "seq": step.seq,
                "node": site.node,
                "frame": step.frame.number,
                "k": step.k,
                "y": self.run.snapshots.take(y),
                "lineage": self.run.serial(lineage),
                "model": type_name(op.receiver),
                "training": training,
                "digests": self.run.taken.digests(op),
            }
        )
        del self.run.fits[:-MOST_FITS]
