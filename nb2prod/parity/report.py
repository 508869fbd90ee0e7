"""The parity report: what was proved, how, and every difference found. `parity.json` is its written form.

`templates/parity.schema.json` is its JSON Schema. The schema's rule: a field may be added without a new number; whatever makes an older reader wrong takes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from nb2prod.parity.stored import Stored

SCHEMA = 1
_STORED = Stored("parity report", SCHEMA, "Prove again with `nb2prod parity TARGET`.")
SCHEMA_FILE = Path(__file__).with_name("templates") / "parity.schema.json"
KINDS = ("replay", "partition", "edges", "counterfactual", "wire", "target-free")
TITLES = {
    "replay": "the rows that the notebook predicted give the notebook's own predictions",
    "partition": "a row's answer never depends on its neighbours, their order, or the hash seed",
    "edges": "odd rows get what the notebook's own statements give them",
    "counterfactual": "rows given other values get what the notebook itself, run again with them, predicts",
    "wire": "what comes back over HTTP equals what the same code gives in process",
    "target-free": "the request has no target, and what stands in for it changes nothing",
}

Status = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class KindResult:
    """What came of one kind of case.

    Of the rows that agree, `refused` counts those that the contract refuses as it should, and `failed` those that the
    notebook's own code fails on as well; all others have the same value.
    """

    kind: str
    status: Status
    rows: int = 0
    requests: int = 0
    differences: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Cause:
    """Where a mismatch seems to begin: the first feature that differs, and the line that computes it."""

    text: str
    """The finding, in a sentence."""
    feature: str | None = None
    expected: Any = None
    actual: Any = None
    cell: int | None = None
    line: int | None = None
    """The line in the cell, where the plan knows the statement."""
    source: str = ""
    rule: str | None = None
    """Code of the rule that fits, as `check` names it."""


@dataclass(frozen=True)
class Mismatch:
    """One answer that is not what was expected."""

    kind: str
    case: str
    """What was asked: `batch of 256 rows`, `alone`, `phantom of arr_delay`."""
    reason: str
    row: int | None = None
    """Position in the replay's rows (or among the edges), from 0."""
    row_id: int | None = None
    """The raw table's row that it is."""
    output: str = ""
    """The prediction, with the place in it if it is a vector or an object."""
    expected: Any = None
    actual: Any = None
    difference: float | None = None
    request: Mapping[str, Any] | None = None
    """The row as it was sent."""
    cause: Cause | None = None


@dataclass(frozen=True)
class FeatureDifference:
    """How one computed feature of the service compares with the recording's, over `rows` rows."""

    name: str
    rows: int
    differing: int
    largest: float | None
    """The largest absolute difference of numbers; None where a difference is of another kind."""


@dataclass(frozen=True)
class Replayed:
    """The replay's values side by side, for tables and plots; entry i belongs to row `row_ids[i]`."""

    row_ids: tuple[int | None, ...] = ()
    expected: tuple[Any, ...] = ()
    actual: tuple[Any, ...] = ()
    differing: tuple[int, ...] = ()
    """Positions of the rows whose values differ."""


@dataclass(frozen=True)
class Precision:
    """How closely the numbers of one output, or of one entry of it, were compared: within a share of them, and an absolute difference."""

    output: str
    dtype: str
    relative: float
    absolute: float
    noise: float
    """What the notebook's own path differed by when it was asked for the same rows again."""


@dataclass(frozen=True)
class Timing:
    """One request: how many rows, and how long it took."""

    rows: int
    milliseconds: float


@dataclass(frozen=True)
class SummaryText:
    """The proof in sentences, each standing alone."""

    compared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True)
class ParityReport:
    """The outcome of a proof."""

    passed: bool
    notebook: str
    prediction: str
    target: str
    """`name:version`, or the URL or folder where the Bento has no name."""
    bento: str | None
    created: str
    seconds: float
    seed: int
    hash_seeds: tuple[int, ...]
    """Values of PYTHONHASHSEED that the servers ran with; none for a URL."""
    batching: tuple[str, ...]
    """What was tested: `on`, `off`; none for a URL."""
    batching_licensed: bool
    tolerance: float
    loosened: Mapping[str, float]
    """Tolerances above the default: a proof that asked for less."""
    kinds: tuple[KindResult, ...]
    mismatches: tuple[Mismatch, ...] = ()
    """The first of each kind, explained; `KindResult.differences` counts all."""
    notes: tuple[str, ...] = ()
    replay: Replayed = field(default_factory=Replayed)
    features: tuple[FeatureDifference, ...] = ()
    times: tuple[Timing, ...] = ()
    summary_text: SummaryText = field(default_factory=SummaryText)
    """What was compared, what was not, and what that means, for a reader who has never seen one."""
    sample: bool = False
    """Whether only a sample was asked, as `build --quick` does: such a release can't be deployed."""
    precision: tuple[Precision, ...] = ()

    @property
    def cases(self) -> dict[str, int]:
        """Rows compared, by kind; kinds that did not run are left out."""
        return {item.kind: item.rows for item in self.kinds if item.status != "not run"}

    @property
    def differences(self) -> int:
        """All answers that differ."""
        return sum(item.differences for item in self.kinds)

    @property
    def what(self) -> str:
        """What was proved, in words: the Bento, and where it answered if that was a URL."""
        if self.bento is None or self.bento == self.target:
            return self.target
        return f"{self.bento} at {self.target}"

    def kind(self, name: str) -> KindResult:
        """The result of this kind; one that says so if it was not run."""
        return next((item for item in self.kinds if item.kind == name), KindResult(name, "not run"))

    def summary(self) -> dict[str, Any]:
        """The `parity` object of `build --json`."""
        return {
            "passed": self.passed,
            "cases": self.cases,
            "differences": self.differences,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "sample": self.sample,
        }

    def to_json(self) -> dict[str, Any]:
        """The document of parity.json."""
        return {"schema": SCHEMA, **asdict(self)}


def from_json(document: Any, source: str = "parity.json") -> ParityReport:
    """The report of this document; `InputError`, naming `source`, where its form is not known or damaged."""
    return _STORED.parse(document, source, _report)


def read(path: Path) -> ParityReport:
    """The report in this file; `InputError` where it can't be read."""
    return from_json(_STORED.load(path), str(path))


def _report(document: Mapping[str, Any]) -> ParityReport:
    given = _known(ParityReport, document)
    given["hash_seeds"] = tuple(given["hash_seeds"])
    given["batching"] = tuple(given["batching"])
    given["notes"] = tuple(given.get("notes") or ())
    given["kinds"] = tuple(KindResult(**_known(KindResult, item)) for item in given["kinds"])
    given["mismatches"] = tuple(map(_mismatch, given.get("mismatches") or ()))
    given["replay"] = Replayed(**{key: tuple(value) for key, value in _known(Replayed, given["replay"]).items()})
    given["features"] = tuple(FeatureDifference(**_known(FeatureDifference, item)) for item in given["features"])
    told = _known(SummaryText, given.get("summary_text") or {})
    given["summary_text"] = SummaryText(
        tuple(told.get("compared") or ()), tuple(told.get("left_out") or ()), str(told.get("meaning") or "")
    )
    given["times"] = tuple(Timing(**_known(Timing, item)) for item in given["times"])
    given["precision"] = tuple(Precision(**_known(Precision, item)) for item in given.get("precision") or ())
    return ParityReport(**given)


def _mismatch(form: Mapping[str, Any]) -> Mismatch:
    given = _known(Mismatch, form)
    if given.get("cause") is not None:
        given["cause"] = Cause(**_known(Cause, given["cause"]))
    return Mismatch(**given)


def _known(kind: type[Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a later version of the same schema may have added."""
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in form.items() if key in names}
