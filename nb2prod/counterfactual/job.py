"""What a worker is told: the notebook, its first run, and what may be changed. A JSON file, written by the build."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nb2prod.config import Options
from nb2prod.path.serving_path import ServingPath
from nb2prod.recording.trace import Recording


@dataclass(frozen=True)
class Fit:
    """A fit of the first run: the statement, the rows (.npy, of table `table`) and a number for each row's features (.npy; None: not known)."""

    k: int
    node: int
    table: int | None
    rows: str | None
    digests: str | None


@dataclass(frozen=True)
class Job:
    """All that a worker needs. Paths are texts; `.npy` files hold rows of the raw table or digests."""

    notebook: str
    options: dict[str, Any]
    recording: str
    """The first run's folder."""
    folder: str
    """Where runs leave their files."""
    runtime: str
    """The folder that holds the runtime's package."""
    table: int
    table_path: str
    rows: int
    """Of the raw table."""
    others: tuple[str, ...]
    """Files of other tables: what training has under a column's name is tried too."""
    predicted: str
    prediction: str
    """The first run's prediction, as it was kept; an entry for each of `predicted`."""
    statement: tuple[int, int | None]
    """The last statement of the prediction, and the node that is the answer."""
    given: str | None
    given_rows: str | None
    fits: tuple[Fit, ...]
    kept: tuple[str, ...]
    """Columns that keep their values: the target."""
    nullable: tuple[str, ...]
    columns: tuple[dict[str, Any], ...]
    """The signature's."""
    output: str
    """The prediction's name."""
    precision: dict[str, dict[str, Any]]
    """What the plan measured of the numbers of answers and features."""
    lent: str | None
    """A folder of packages that the recorder may use where the kernel lacks one."""
    seconds: float
    """What the first run took."""
    limit: float
    """What all runs together may take, as far as that is known before each."""

    def write(self, path: Path) -> None:
        """Write the file that `read` reads."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def settings(self) -> Options:
        """The build's options."""
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in self.options.items()}
        return Options(**given)


def read(path: Path) -> Job:
    """The job in this file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    fits = tuple(Fit(**fit) for fit in document["fits"])
    lists = {key: tuple(document[key]) for key in ("kept", "nullable", "columns", "statement", "others")}
    return Job(**{**document, **lists, "fits": fits})


@dataclass(frozen=True)
class FirstRun:
    """A build as it stands when the plan is made: its folder, packages lent to the kernel, the run's seconds, whether its proof is a quick one."""

    stage: Path
    lent: Path | None
    seconds: float
    quick: bool = False

    @property
    def folder(self) -> Path:
        """Where further runs leave their files."""
        return self.stage / "counterfactual"

    @property
    def runtime(self) -> Path:
        """The folder that holds the runtime's package."""
        return self.stage / "project"


def of_plan(serving: ServingPath, options: Options, first: FirstRun) -> Job:
    """The job for a planned notebook; its folder is made."""
    folder = first.folder
    folder.mkdir(parents=True)
    recording, prediction = serving.recording, serving.prediction
    given = prediction.event[1].get("given") if prediction.event else None
    given_rows = None
    if given is not None and prediction.event is not None:
        rows = recording.rows_of(prediction.event[1]["lineage"], serving.table.number)
        given_rows = None if rows is None else _saved(rows, folder / "given.npy")
    columns = serving.signature["columns"]
    return Job(
        notebook=str(recording.notebook.path),
        options=asdict(options),
        recording=str(recording.folder),
        folder=str(folder),
        runtime=str(first.runtime),
        table=serving.table.number,
        table_path=str(serving.table.path),
        rows=serving.table.rows,
        others=tuple(str(table.path) for table in recording.tables if table.number != serving.table.number),
        predicted=_saved(serving.predicted, folder / "predicted.npy"),
        prediction=snapshot(recording, prediction.snapshot),
        statement=(prediction.steps[-1].k, prediction.node),
        given=snapshot(recording, given) if given is not None and given_rows is not None else None,
        given_rows=given_rows,
        fits=fits_of(recording, folder),
        kept=tuple(column["name"] for column in columns if column.get("target")),
        nullable=tuple(str(column["name"]) for column in columns if column["field"] and column["nullable"]),
        columns=tuple(columns),
        output=str(serving.signature["prediction"]["name"]),
        precision=serving.cases["precision"],
        lent=str(first.lent) if first.lent else None,
        seconds=first.seconds,
        limit=options.counterfactual_limit,
    )


def fits_of(recording: Recording, folder: Path) -> tuple[Fit, ...]:
    """The recorded fits, their rows written to files of `folder`."""
    found = []
    for number, fit in enumerate(recording.fits):
        tables: Sequence[int] = recording.tables_of(fit["lineage"])
        rows = recording.rows_of(fit["lineage"], tables[0]) if tables else None
        path = None if rows is None else _saved(rows, folder / f"fit{number}.npy")
        found.append(Fit(fit["k"], fit["node"], tables[0] if tables else None, path, fit.get("digests")))
    return tuple(found)


def snapshot(recording: Recording, number: int) -> str:
    """The file of a snapshot."""
    return str(recording.folder / "snapshots" / f"{number}.pkl")


def _saved(rows: Any, path: Path) -> str:
    np.save(path, rows)
    return str(path)
