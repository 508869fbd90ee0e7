"""The release record: all that is known of one proved Bento, kept outside of it.

A folder `releases/<name>/<version>/` under `NB2PROD_HOME`::

    record.json     what is in `ReleaseRecord`
    plan.json       the serving path as it was planned
    cases.json      rows and expected values, to prove a Bento, a folder or a URL again
    metrics.json    how well the predicted rows were predicted: overall, by slice, calibration
    outcomes.json   what the metrics are computed from: predictions, true values and probabilities, a digest of each row
    parity.json     the report of the proof; parity.ipynb and parity.html for people, parity.xml for machines
    README.md       the model card; card.html the same for a browser
    executed.ipynb  the notebook as papermill ran it
    origin.json     where the notebook's file lies on this machine; never exported

It appears whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.errors import InputError
from nb2prod.release.source import GitState

if TYPE_CHECKING:
    from nb2prod.evaluation.evaluation import Evaluation

SCHEMA = 1
FILE, METRICS, OUTCOMES = "record.json", "metrics.json", "outcomes.json"


@dataclass(frozen=True)
class CapturedValue:
    """A value that was kept from training: its name in the generated code, where it was read, and why."""

    name: str
    cell: int | None = None
    line: int | None = None
    reason: str = ""
    format: str = ""


@dataclass(frozen=True)
class ReleaseRecord:
    """What `record.json` says of a release."""

    name: str
    version: str
    created: str
    """ISO 8601, UTC."""
    notebook: str
    """The notebook's file name."""
    notebook_hash: str
    data_hash: str | None = None
    """Digest of the raw table."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    git: GitState | None = None
    python: str = ""
    pins: tuple[str, ...] = ()
    """The served environment."""
    owner: str | None = None
    runbook: str | None = None
    watch: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of watching, as `nb2prod.toml` had them."""
    gates: Mapping[str, str | bool] = field(default_factory=dict)
    """Gates, as `nb2prod.toml` had them; so are `environments`, which a release moves through in this order."""
    environments: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)
    recording: str | None = None
    """Digest of the recorded run."""
    nb2prod: str = ""
    """Version of nb2prod that built it."""
    parity: Mapping[str, Any] = field(default_factory=dict)
    """The report's summary: `passed`, `cases`, `differences`, `seconds`, `notes`."""
    captured: tuple[CapturedValue, ...] = ()
    folder: Path | None = field(default=None, compare=False)
    """Where the record lies; no part of record.json."""

    @property
    def bento(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"

    @property
    def sampled(self) -> bool:
        """Whether only a sample was proved (`build --quick`): it can't be deployed before the whole proof."""
        return bool(self.parity.get("sample"))

    def path(self, file: str) -> Path:
        """A file of the record; `InputError` where the record lacks it."""
        path = (self.folder or Path()) / file
        if not path.is_file():
            raise InputError(f"the release {self.bento} has no {file}: {path} is missing", "Build the notebook again.")
        return path

    def metrics(self) -> Evaluation | None:
        """How well it predicts; None where it was built before metrics were kept. Raises `InputError` where they can't be read."""
        path = (self.folder or Path()) / METRICS
        if not path.is_file():
            return None
        try:
            from nb2prod.evaluation import evaluation  # imports numpy: a list of releases needs none

            return evaluation.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} can't be read: {error}", "Build the notebook again.") from error

    def to_json(self) -> dict[str, Any]:
        """The document of record.json."""
        document = asdict(self)
        del document["folder"]
        return {"schema": SCHEMA, "bento": self.bento, **document}


def from_json(document: Any, folder: Path) -> ReleaseRecord:
    """The record of this document in this folder; `InputError` where its form is not known or damaged."""
    source = folder / FILE
    if not isinstance(document, Mapping) or not isinstance(document.get("schema"), int):
        raise InputError(f"{source} is not a release record", "Build the notebook again to have it made anew.")
    if document["schema"] > SCHEMA:
        raise InputError(
            f"{source} was written by a newer nb2prod (schema {document['schema']}, this one reads {SCHEMA})",
            "Update nb2prod.",
        )
    try:
        known = {item.name for item in fields(ReleaseRecord)} - {"folder"}
        given = {key: value for key, value in document.items() if key in known}
        given["git"] = None if given.get("git") is None else GitState(**given["git"])
        given["pins"] = tuple(given.get("pins") or ())
        given["captured"] = tuple(CapturedValue(**item) for item in given.get("captured") or ())
        return ReleaseRecord(**given, folder=folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{source} is damaged: {type(error).__name__}: {error}", "Build the notebook again to have it made anew."
        ) from error


def read(folder: Path) -> ReleaseRecord:
    """The record in this folder; `InputError` where there is none that can be read."""
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the release record {folder / FILE} can't be read: {error}", "Build the notebook again."
        ) from error
    return from_json(document, folder)
