"""What was true of the predicted rows beside what was predicted, as the plan hands it over and the release record keeps it.

`outcomes.json` holds the notebook's data (the target): it stays in the record, and an export leaves it out unless rows are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

SCHEMA = 1


@dataclass(frozen=True)
class Outcomes:
    """The evaluated rows; entry i of each sequence belongs to the same row.

    `reason` says why there are none. `kind`: whether the model had learned from these rows. `keys`: digests of the whole raw rows, by which a
    later release knows them again. `scores`: the probability of each of `classes`, in the run or by the model (`scores_from`).
    """

    reason: str | None = None
    kind: Literal["held out", "training"] = "held out"
    predicted: int = 0
    """Rows that the notebook predicted."""
    trained: int = 0
    """Those of them that the model had learned from."""
    beside: int = 0
    """Evaluated rows that a fit was given beside those that it learned from, as to stop early by."""
    missing: int = 0
    """Rows without a value of the target."""
    drawn: bool = False
    """Whether the rows are a random part of the predicted ones."""
    row_ids: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    predictions: tuple[Any, ...] = ()
    truth: tuple[Any, ...] = ()
    classes: tuple[Any, ...] | None = None
    scores: tuple[tuple[float, ...], ...] | None = None
    scores_from: Literal["run", "model"] | None = None
    estimator: Literal["classifier", "regressor"] | None = None
    rows: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    """The rows as a request gives them; not kept in the record, whose cases.json has them."""

    def to_json(self) -> dict[str, Any]:
        """The document of outcomes.json."""
        document = asdict(self)
        del document["rows"]
        return {"schema": SCHEMA, **document}


def from_json(document: Mapping[str, Any]) -> Outcomes:
    """The outcomes of the plan's answer, or of outcomes.json. Raises `ValueError` or `TypeError` for another form."""
    if document.get("schema", SCHEMA) > SCHEMA:
        raise ValueError(f"outcomes of schema {document['schema']}; this nb2prod reads {SCHEMA}")
    names = {item.name for item in fields(Outcomes)}
    given = {name: value for name, value in document.items() if name in names}
    for name in ("row_ids", "keys", "predictions", "truth", "rows"):
        given[name] = tuple(given.get(name) or ())
    given["classes"] = None if given.get("classes") is None else tuple(given["classes"])
    given["scores"] = None if given.get("scores") is None else tuple(map(tuple, given["scores"]))
    made = Outcomes(**given)
    if len(made.predictions) != len(made.truth):
        raise ValueError(f"{len(made.predictions)} predictions and {len(made.truth)} true values")
    return made
