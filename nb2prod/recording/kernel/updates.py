"""Values that a statement changed in their place, seen by marks of what they held before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frames import Step
from .lineage import Kinds, Lineage, length
from .snapshots import fingerprint

if TYPE_CHECKING:
    from .recorder import Recorder


class Updates:
    """Marks what a statement reads, and tells afterwards what is no longer as it was."""

    def __init__(self, run: Recorder) -> None:
        self.run = run

    def note(self, step: Step, value: Any) -> None:
        lineage = self.run.rows.of(value)
        if lineage is None:
            holder = self.run.rows.holder(value, known=True)
            if holder is not None and holder not in step.holders:
                step.holders[holder] = (value, _held(value))
            for member, _ in self.run.rows.inside(value):
                step.touched = True
                self._remember(step, member)
            if Kinds.accessor(value):
                return
            return
        step.touched = True
        self._remember(step, value)

    def _remember(self, step: Step, value: Any) -> None:
        token = self.run.rows.token(value)
        if token is not None and token not in step.before:
            step.before[token] = (
                value,
                fingerprint(value),
                getattr(value, "index", None) if Kinds.pandas(value) else None,
            )

    def of(self, step: Step, written: set[int], column: str | None) -> list[int]:
        """Tokens of what the statement changed in its place, or through another value that lies in the same memory.

        A write counts even where nothing seems changed: the mark samples large tables, and a rule that met none of these rows may meet a request's.
        """
        changed = []
        for token, (value, mark, _) in step.before.items():
            if id(value) not in written and fingerprint(value) == mark:
                continue
            changed.append(token)
            entry = self.run.rows._entry(value)
            if entry is not None and Kinds.pandas(value) and hasattr(value, "index") and len(value) == entry[1].n:
                self.run.rows.put(value, entry[1])
            elif (
                entry is not None
                and not entry[1].single
                and entry[1].upright is None
                and length(value) >= 0
                and length(value) != entry[1].n
            ):
                self._grown(step, value, entry[1])
            changed += [t for v in self.run.views.others(value, column) if (t := self.run.rows.token(v)) is not None]
        for token, (value, held) in step.holders.items():
            if _held(value) != held and self.run.rows.inside(value):
                changed.append(token)
        return changed

    def _grown(self, step: Step, value: Any, before: Lineage) -> None:
        """``T = pd.DataFrame()``, then ``T["a"] = ...``: an empty table has the rows of its first column. Other changes of length can't be followed."""
        first = (x for _, v in reversed(step.log) if (x := self.run.lineage_of(v)) is not None and x.n == len(value))
        lineage = next(first, None) if before.n == 0 and Kinds.frame(value) else None
        if lineage is None:
            self.run.rows.forget(value)
        else:
            self.run.rows.put(value, lineage)


def _held(value: Any) -> Any:
    """A mark of what a list or dict holds: how much, and which objects come first."""
    members = list(value.values()) if isinstance(value, dict) else value
    return len(members), [id(member) for member in members[:60]]
