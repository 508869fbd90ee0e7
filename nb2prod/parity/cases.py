"""What is proved: the rows that the notebook predicted with its own predictions, and the edges.

Read from and written to `cases.json`, which lies in the release record, so that a Bento, a folder or a
running service can be proved again later with nothing run again. Its form::

    {"schema": 1, "notebook": "x.ipynb", "prediction": "y_pred",
     "replay": {"rows": [{field: value}], "expected": [value], "row_ids": [int]},
     "phantoms": {column: [other values]},
     "features": {"names": [text] | null, "values": [[value]] | null,
                  "made_by": [{"cell", "line", "source", "rule"} | null], "unread": [position]},
     "precision": {"answers": {place: {"dtype", "spread", "noise"}}, "features": {place: the same}},
     "edges": [{"row": {field: value}, "expected": {"value": v} | {"raises": text} | {"refused": text},
                "name": text, "features": [value]}],
     "counterfactual": {"rows": [{"row_id", "words", "request", "outcome", "expected", ...}], "missing": text, ...}}

`phantoms`, `edges`, `counterfactual` (as `nb2prod.counterfactual.cases` writes it) and `fallback` (the answers by rule, row by row) may be missing, so may an edge's `name` and `features`, and `replay.row_ids`.
`features.values[i]` belongs to `replay.rows[i]`; `features.made_by`, which may be missing too, names the
notebook's statement that makes each feature, and `features.unread` those of which nothing comes: a model that is given a whole table need
not read all of it, and a column that it does not read is asked of nobody. `precision` says how finely numbers are compared (`runtime/equality.py`); a feature's
place is its position, as in `[2]`. Where it is missing it is measured from what is recorded, without noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nb2prod.counterfactual.cases import Found
from nb2prod.counterfactual.cases import from_json as counterfactual_of
from nb2prod.errors import InputError
from nb2prod.parity.stored import Stored
from nb2prod.runtime.equality import Measure, Tolerance

SCHEMA = 1
_STORED = Stored("set of parity cases", SCHEMA, "Build the notebook again to have it made.")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Edge:
    """One made or sought-out row, and what the notebook's own statements do with it."""

    row: Row
    outcome: Literal["value", "raises", "refused"]
    expected: Any
    """The value, or the words of the error or refusal."""
    name: str = ""
    """What the row tries, in a few words."""
    features: Sequence[Any] | None = None
    """What the model is given for it, by position."""

    def to_json(self) -> dict[str, Any]:
        """As in cases.json."""
        document: dict[str, Any] = {"row": dict(self.row), "expected": {self.outcome: self.expected}}
        if self.name:
            document["name"] = self.name
        if self.features is not None:
            document["features"] = list(self.features)
        return document


@dataclass(frozen=True)
class Statement:
    """A statement of the notebook: its place, and the code of the rule that it is served by."""

    cell: int
    line: int
    source: str
    rule: str | None = None


@dataclass(frozen=True)
class Cases:
    """All that a proof needs to know of the notebook's run."""

    notebook: str
    prediction: str
    rows: tuple[Row, ...]
    expected: tuple[Any, ...]
    row_ids: tuple[int, ...] = ()
    phantoms: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    feature_names: tuple[str, ...] | None = None
    feature_values: tuple[Sequence[Any], ...] | None = None
    made_by: tuple[Statement | None, ...] = ()
    """The statement that makes each feature, where the plan knows it."""
    unread: frozenset[int] = frozenset()
    """Positions of the features of which nothing comes: they are not compared."""
    edges: tuple[Edge, ...] = ()
    fallback: tuple[Any, ...] | None = None
    """What the notebook's fallback cell answers for the replay's rows; None where it has none."""
    counterfactual: Found | None = None
    """Rows with other values, and what the notebook itself gave them; None where it was not run again."""
    answers: Mapping[str, Measure] = field(default_factory=dict)
    """What was measured of the answers' numbers, by place."""
    features: Mapping[str, Measure] = field(default_factory=dict)
    """The same for features, by position."""

    def tolerance(self, stated: Tolerance) -> Tolerance:
        """What was `stated`, with what was measured of these cases' answers."""
        return replace(stated, measured=self.answers)

    def feature_tolerance(self, stated: Tolerance) -> Tolerance:
        """The same for features; a tolerance for single outputs does not hold for them."""
        return replace(stated, outputs={}, measured=self.features)

    def row_id(self, position: int) -> int | None:
        """The raw table's row that the replay's row at `position` is."""
        return self.row_ids[position] if position < len(self.row_ids) else None

    def take(self, positions: Sequence[int]) -> Cases:
        """The same with only these rows of the replay."""
        return replace(
            self,
            rows=tuple(self.rows[i] for i in positions),
            expected=tuple(self.expected[i] for i in positions),
            row_ids=tuple(self.row_ids[i] for i in positions) if self.row_ids else (),
            feature_values=None if self.feature_values is None else tuple(self.feature_values[i] for i in positions),
            fallback=None if self.fallback is None else tuple(self.fallback[i] for i in positions),
        )

    def to_json(self) -> dict[str, Any]:
        """The document of cases.json."""
        return {
            "schema": SCHEMA,
            "notebook": self.notebook,
            "prediction": self.prediction,
            "replay": {
                "rows": [dict(row) for row in self.rows],
                "expected": list(self.expected),
                "row_ids": list(self.row_ids),
            },
            "fallback": None if self.fallback is None else list(self.fallback),
            "phantoms": {name: list(values) for name, values in self.phantoms.items()},
            "features": {
                "names": None if self.feature_names is None else list(self.feature_names),
                "values": None if self.feature_values is None else [list(row) for row in self.feature_values],
                "made_by": [None if item is None else asdict(item) for item in self.made_by],
                "unread": sorted(self.unread),
            },
            "edges": [edge.to_json() for edge in self.edges],
            "precision": {
                "answers": {place: item.to_json() for place, item in self.answers.items()},
                "features": {place: item.to_json() for place, item in self.features.items()},
            },
            "counterfactual": None if self.counterfactual is None else self.counterfactual.to_json(),
        }


def tolerance_of(cases: Cases, relative: float | None, outputs: Mapping[str, float]) -> Tolerance:
    """The tolerance for these cases; `InputError` where it names an output that there is not."""
    known = {cases.prediction}
    for value in cases.expected[:1]:
        known |= set(value) if isinstance(value, Mapping) else set()
    unknown = sorted(set(outputs) - known)
    if unknown:
        raise InputError(
            f"a tolerance is given for {unknown[0]!r}, which is no output",
            f"The outputs are: {', '.join(sorted(known))}.",
        )
    return cases.tolerance(Tolerance(relative, dict(outputs)))


def from_json(document: Any, source: str = "cases.json") -> Cases:
    """The cases of this document; `InputError`, naming `source`, where it is not of a form that is known."""
    return _STORED.parse(document, source, _cases)


def read(path: Path) -> Cases:
    """The cases in this file; `InputError` where it can't be read or is not of a form that is known."""
    return from_json(_STORED.load(path), str(path))


def _cases(document: Mapping[str, Any]) -> Cases:
    replay = document["replay"]
    rows, expected = tuple(replay["rows"]), tuple(replay["expected"])
    if len(rows) != len(expected):
        raise ValueError(f"{len(rows)} rows and {len(expected)} predictions")
    if not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("a row is not an object")
    features = document.get("features") or {}
    names, values = features.get("names"), features.get("values")
    if values is not None and len(values) != len(rows):
        raise ValueError(f"{len(rows)} rows and features of {len(values)}")
    return Cases(
        notebook=str(document.get("notebook", "")),
        prediction=str(document.get("prediction", "prediction")),
        rows=rows,
        expected=expected,
        row_ids=tuple(replay.get("row_ids") or ()),
        phantoms={str(name): list(values) for name, values in (document.get("phantoms") or {}).items()},
        feature_names=None if names is None else tuple(map(str, names)),
        feature_values=None if values is None else tuple(values),
        made_by=tuple(None if item is None else Statement(**item) for item in features.get("made_by") or ()),
        unread=frozenset(features.get("unread") or ()),
        edges=tuple(map(_edge, document.get("edges") or ())),
        fallback=None if document.get("fallback") is None else tuple(document["fallback"]),
        **_precision(document.get("precision"), expected, values),
        counterfactual=None
        if document.get("counterfactual") is None
        else counterfactual_of(document["counterfactual"]),
    )


def _precision(
    form: Mapping[str, Any] | None, expected: Sequence[Any], features: Sequence[Any] | None
) -> dict[str, dict[str, Measure]]:
    if form is None:
        from nb2prod.runtime.precision import measured

        return {"answers": measured(expected), "features": measured(list(features or ()))}
    return {
        name: {place: Measure(**item) for place, item in (form.get(name) or {}).items()}
        for name in ("answers", "features")
    }


def _edge(form: Mapping[str, Any]) -> Edge:
    ((outcome, expected),) = form["expected"].items()
    if outcome not in ("value", "raises", "refused"):
        raise ValueError(f"an edge's outcome is {outcome!r}")
    return Edge(form["row"], outcome, expected, str(form.get("name", "")), form.get("features"))
