"""What one more run of the notebook tells: whether the rows that were not changed got what they had, and what the changed ones got."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.counterfactual.job import Fit, Job, fits_of, snapshot
from nb2prod.errors import Refused
from nb2prod.path import prediction as predictions
from nb2prod.path.prediction import Prediction
from nb2prod.recording.engine import KernelCallFailed
from nb2prod.recording.trace import Recording

if TYPE_CHECKING:
    from nb2prod.recording.engine import Kernel

_TELL = (
    "__import__('sys').modules['_nb2prod_recorder.rerun'].tell(__import__('builtins').__nb2prod__, "
    "__import__('json').loads({payload}))"
)


class Unusable(Exception):
    """A run that tells nothing; its text says why.

    `lost` are changed rows that it neither learned from nor predicted: where a split follows, one row less is another split.
    """

    def __init__(self, why: str, lost: frozenset[int] = frozenset()) -> None:
        super().__init__(why)
        self.lost = lost


@dataclass(frozen=True)
class Told:
    """One usable run. Rows are numbers of the raw table."""

    recording: Recording
    rows: npt.NDArray[np.int64]
    """The predicted ones."""
    changes: tuple[dict[str, Any], ...]
    """All that were chosen; those with a number in `made` were made."""
    made: tuple[int, ...]
    answers: dict[int, Any]
    given: dict[int, Any]
    requests: dict[int, dict[str, Any]]
    held: int

    @property
    def changed(self) -> frozenset[int]:
        """The changed rows."""
        return frozenset(self.changes[number]["row"] for number in self.made)


def changes_of(folder: Path) -> dict[str, Any]:
    """What a run was given; nothing where it ended before its table came in."""
    path = folder / "changes.json"
    if not path.is_file():
        return {"changes": [], "made": [], "came": False, "differs": False, "held": []}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def inspect(job: Job, recording: Recording, kernel: Kernel) -> Told:
    """Read what the run says. Raises `Unusable`."""
    document = changes_of(recording.folder)
    if document["differs"]:
        raise Unusable("the notebook loaded other data than in its first run")
    if recording.problems:
        raise Unusable(f"nb2prod itself failed: {recording.problems[0].strip().splitlines()[-1]}")
    if not document["came"]:
        raise Unusable("its table did not come in as in the first run")
    if not document["changes"]:
        raise Unusable("no row could be changed")
    prediction = _prediction(job, recording)
    rows = recording.rows_of(prediction.lineage, job.table)
    if rows is None or (rows < 0).any() or len(np.unique(rows)) != len(rows):
        raise Unusable("which rows it predicted could not be followed")
    changed = {document["changes"][number]["row"] for number in document["made"]}
    fits = fits_of(recording, recording.folder)
    if not _same_training(job, fits, changed):
        lost = changed - set(rows.tolist()) - _learned(job, fits)
        raise Unusable("a model was fitted to other rows or features than in the first run", frozenset(lost))
    told = _ask(job, recording, kernel, prediction, rows)
    if told["apart"]:
        raise Unusable("rows that were not changed got other answers than in the first run")
    return Told(
        recording,
        rows,
        tuple(document["changes"]),
        tuple(document["made"]),
        _by_row(told["answers"]),
        _by_row(told["given"]),
        _by_row(told["requests"]),
        len({tuple(place) for place in document["held"]}),
    )


def _prediction(job: Job, recording: Recording) -> Prediction:
    try:
        prediction = predictions.choose(recording, job.settings().prediction)
    except Refused as refused:
        raise Unusable("it made no prediction that could be followed") from refused
    if (prediction.steps[-1].k, prediction.node) != tuple(job.statement):
        raise Unusable("its prediction was made by another statement")
    return prediction


def _same_training(job: Job, fits: tuple[Fit, ...], changed: set[int]) -> bool:
    """Whether each model was fitted to the first run's rows and features, as far as these were not changed: a filter may leave a changed one out."""
    if len(fits) != len(job.fits):
        return False
    for one, other in zip(job.fits, fits, strict=True):
        if (one.k, one.node, one.table) != (other.k, other.node, other.table):
            return False
        before, after = _loaded(one.rows), _loaded(other.rows)
        if before is None or after is None:
            continue
        own = list(changed) if one.table == job.table else []
        kept, still = ~np.isin(before, own), ~np.isin(after, own)
        if not np.array_equal(before[kept], after[still]):
            return False
        was, now = _loaded(one.digests), _loaded(other.digests)
        if was is None or now is None or len(was) != len(before) or len(now) != len(after):
            continue
        if not np.array_equal(was[kept], now[still]):
            return False
    return True


def _learned(job: Job, fits: tuple[Fit, ...]) -> set[int]:
    """The rows of the changed table that models were fitted to."""
    known = (_loaded(fit.rows) for fit in fits if fit.table == job.table)
    return {int(row) for rows in known if rows is not None for row in rows}


def _ask(job: Job, recording: Recording, kernel: Kernel, prediction: Prediction, rows: Any) -> dict[str, Any]:
    folder = recording.folder
    np.save(folder / "predicted.npy", rows)
    given = prediction.event[1].get("given") if prediction.event and job.given else None
    given_rows = recording.rows_of(prediction.event[1]["lineage"], job.table) if given and prediction.event else None
    if given_rows is not None:
        np.save(folder / "given.npy", given_rows)
    first = {"prediction": job.prediction, "rows": job.predicted, "given": None, "given_rows": None}
    second = {
        "prediction": snapshot(recording, prediction.snapshot),
        "rows": str(folder / "predicted.npy"),
        "given": None,
        "given_rows": None,
    }
    if given is not None and given_rows is not None:
        first |= {"given": job.given, "given_rows": job.given_rows}
        second |= {"given": snapshot(recording, given), "given_rows": str(folder / "given.npy")}
    answer = folder / "told.json"
    request = {
        "runtime": job.runtime,
        "columns": list(job.columns),
        "table_path": str(recording.tables[job.table].path),
        "answer": str(answer),
        "relative": job.settings().tolerance,
        "outputs": dict(job.settings().tolerances),
        "output": job.output,
        "precision": job.precision,
        "first": first,
        "second": second,
    }
    try:
        kernel.run(_TELL.format(payload=repr(json.dumps(request))))
    except KernelCallFailed as failure:
        raise Unusable(f"its answers could not be read: {failure.message}") from failure
    document: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return document


def _by_row(document: dict[str, Any]) -> dict[int, Any]:
    return {int(row): value for row, value in document.items()}


def _loaded(path: str | None) -> npt.NDArray[Any] | None:
    return None if path is None else np.load(path)
