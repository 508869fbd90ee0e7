"""`ParityReport("flight_delay")`: the proof of a release, the newest unless told otherwise."""

from __future__ import annotations

from nb2prod.parity import report as reports
from nb2prod.parity.report import Mismatch
from nb2prod.release import records
from nb2prod.widgets import markup
from nb2prod.widgets.live import LiveBox


class ParityReport(LiveBox):
    """Cases, rows and differences of a proof, and the first difference explained.

    `release` is a Bento's `name` (then a newer build takes its place when there is one) or `name:version`.
    """

    def __init__(self, release: str, *, interval: float = 2.0) -> None:
        self.release = release
        self.what = release
        super().__init__(interval=interval)

    def look(self) -> str:
        """The report as it lies in the release record now."""
        item = records.find(self.release)
        found = reports.read(item.path("parity.json"))
        rows = [
            (kind.kind, f"{kind.rows:,}", f"{kind.differences:,}")
            if kind.status != "not run"
            else (kind.kind, "not run", "")
            for kind in found.kinds
        ]
        newest = records.find(item.name)
        which = "the newest release" if newest.version == item.version else f"not the newest: that is {newest.bento}"
        when = f"{which}, built {item.created[:16].replace('T', ' ')} UTC from {item.notebook}"
        return (
            markup.heading(item.bento, "passed" if found.passed else "failed", when)
            + markup.table(("case", "rows", "differ"), rows)
            + "".join(_explained(first) for first in found.mismatches[:1])
            + markup.sentences(found.notes)
        )


def _explained(first: Mismatch) -> str:
    where = f"cell {first.cause.cell}" if first.cause and first.cause.cell else ""
    return markup.facts(
        [
            ("row", f"{first.row_id if first.row_id is not None else first.row} ({first.case})"),
            ("notebook", first.expected),
            ("service", first.actual),
            ("reason", first.cause.text if first.cause else first.reason),
            ("line", first.cause.source if first.cause else ""),
            ("in", where),
        ]
    )
