"""Which table a request's rows come from: the one that stands behind the predicted rows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Nb2ProdError, Refused
from nb2prod.path.prediction import Prediction
from nb2prod.recording.trace import Recording, Table

if TYPE_CHECKING:
    from nb2prod.path.plan import Planner


def choose(recording: Recording, prediction: Prediction, wanted: str | None) -> tuple[Table, npt.NDArray[np.int64]]:
    """The raw table and the rows of it that were predicted; `wanted` names the variable that holds it.

    Raises `Refused` (N5, N6, N12) where no table, several, or one with a row predicted twice stand behind the prediction.
    """
    fit: list[tuple[Table, npt.NDArray[np.int64]]] = []
    torn: list[Table] = []
    whole = False
    for number in recording.tables_of(prediction.lineage):
        rows = recording.rows_of(prediction.lineage, number)
        table = recording.tables[number]
        if rows is None or wanted not in (None, table.name):
            continue
        if (rows >= 0).all() and (len(np.unique(rows)) == len(rows) or not _multiplied(recording, number)):
            fit.append((table, rows))
        elif (rows >= 0).any():
            torn.append(table)
            whole = whole or bool((rows >= 0).all())
    data = {b.name for s in recording.by_frame.get(0, []) if "data" in _tags(recording, s.k) for b in s.binds}
    if len(fit) > 1 and data:
        fit = [(t, r) for t, r in fit if t.name in data] or fit
    if len(fit) == 1:
        return fit[0]
    if wanted is not None and not fit and not torn:
        names = sorted({t.name for n in recording.tables_of(prediction.lineage) if (t := recording.tables[n]).name})
        raise Refused([_not_that_one(wanted, names)])
    raise Refused([_no_table(recording, prediction, [t for t, _ in fit], torn, whole=whole)])


def _multiplied(recording: Recording, table: int) -> bool:
    """Whether several rows were made of one row of this table, by a merge say: drawn several times (``resample``), a row is itself each time."""
    for step in recording.steps:
        for event in step.events:
            if event["kind"] == "reshape":
                return True
            rows = recording.rows_of(event["after"], table) if event["kind"] == "merge" else None
            known = rows[rows >= 0] if rows is not None else ()
            if len(np.unique(known)) < len(known):
                return True
    return False


def beside(planner: Planner, job: Mapping[str, Any]) -> list[str]:
    """Files of the other tables that came in, for a trial of the raw table: their rows may be like its own."""
    found: list[str] = []
    for table in () if job.get("calls") else planner.recording.tables:
        if str(table.path) != job["raw"]:
            with contextlib.suppress(Nb2ProdError):  # what no format holds is no evidence
                found.append(planner.trials.handed(str(table.path)))
    return found


def _not_that_one(wanted: str, names: list[str]) -> Diagnostic:
    return Diagnostic(
        "N6",
        "error",
        f"The predicted rows do not come from a table in a variable {wanted!r}.",
        f"They come from: {', '.join(names) or 'no named table'}. Name one of these, or leave the option out.",
    )


def _tags(recording: Recording, k: int) -> frozenset[str]:
    cell = recording.trees[recording.statements[k].tree].cell
    return cell.tags if cell is not None else frozenset()


def _no_table(
    recording: Recording, prediction: Prediction, fit: list[Table], torn: list[Table], *, whole: bool
) -> Diagnostic:
    tree, node = recording.statement(prediction.steps[-1].k)
    place = tree.place(node)
    names = ", ".join(sorted(repr(t.name or f"table {t.number}") for t in (fit or torn)))
    if fit:
        return Diagnostic(
            "N6",
            "error",
            f"The predicted rows could come from several tables: {names}.",
            'Say which one a request describes: raw_table = "NAME" in nb2prod.toml, or --raw-table NAME.',
            *place,
        )
    if torn:
        return Diagnostic(
            "N6" if len(torn) > 1 and not whole else "N12",
            "error",
            f"The predicted rows do not stand one for one for the rows of a table ({names}).",
            "Predict on rows of one table, each at most once; if several tables were put together, name the one to serve with --raw-table.",
            *place,
        )
    return Diagnostic(
        "N5",
        "error",
        "No rows of a table stand behind the prediction.",
        "Predict on rows that come from a table the notebook loads, for example pd.read_csv(...).",
        *place,
    )
