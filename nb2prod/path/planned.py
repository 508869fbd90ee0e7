"""A plan as it is told: what a build gives and a release record keeps (plan.json), read back with types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from nb2prod.diagnostics import Diagnostic

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class PlannedLine:
    """A line of the notebook that is served. `cell` counts all cells from 1, `line` the cell's lines from 1."""

    cell: int | None
    line: int | None
    source: str


@dataclass(frozen=True)
class PlannedValue:
    """A value that was kept from training: its name in the served code, where it was read, and why."""

    name: str
    cell: int | None
    line: int | None
    reason: str
    type: str = ""
    value: str = ""
    """The value in a few words."""
    keyed: tuple[str, ...] = ()
    """The loop variables that tell its entries apart."""
    count: int = 1
    """How many entries it has."""
    as_code: bool = False
    """No format for data holds it: it is kept as code, by cloudpickle."""
    rows_held: int = 0
    """How many rows of the notebook's tables it holds as they were."""


@dataclass(frozen=True)
class PlannedFilter:
    """A line that drops rows: `validity` (a request's row that it drops is refused) or `training-only` (left out)."""

    id: str
    cell: int | None
    line: int | None
    source: str
    kind: str
    evidence: str
    rows_before: int
    rows_after: int


@dataclass(frozen=True)
class FrozenCall:
    """A call whose answer depends on the batch, served with what training left it."""

    operation: str
    rule: str
    cell: int | None
    line: int | None
    source: str


@dataclass(frozen=True)
class Plan:
    """What is served and why, as the recorded run showed it."""

    notebook: str
    raw_table: str | None
    fields: tuple[str, ...]
    """Raw columns that a request has."""
    target: tuple[str, ...]
    """Raw columns that it does not have, for they are what is predicted."""
    prediction: str | None
    other_predictions: tuple[str, ...]
    path: tuple[PlannedLine, ...]
    captured: tuple[PlannedValue, ...]
    filters: tuple[PlannedFilter, ...]
    frozen: tuple[FrozenCall, ...]
    batching: bool
    """Whether rows of a request may be answered together: that was proved safe."""
    fallback: tuple[PlannedLine, ...] | None
    text: str = ""
    """The plan in words, as `nb2prod show` prints it."""
    diagnostics: tuple[Diagnostic, ...] = ()
    suppressed: tuple[Diagnostic, ...] = ()
    """Warnings that a comment in the notebook takes away."""
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """The JSON form that it was read from."""


def from_json(document: Mapping[str, Any]) -> Plan:
    """The plan of this document; what a later version added stays in `document`."""
    fallback = document.get("fallback")
    return Plan(
        notebook=str(document.get("notebook", "")),
        raw_table=document.get("raw_table"),
        fields=tuple(document.get("fields", ())),
        target=tuple(document.get("target", ())),
        prediction=document.get("prediction"),
        other_predictions=tuple(document.get("other_predictions", ())),
        path=_each(PlannedLine, document.get("path", ())),
        captured=_each(PlannedValue, document.get("captured", ())),
        filters=_each(PlannedFilter, [{**item, "kind": item["class"]} for item in document.get("filters", ())]),
        frozen=_each(FrozenCall, document.get("frozen", ())),
        batching=bool(document.get("batching")),
        fallback=None if fallback is None else _each(PlannedLine, fallback),
        text=str(document.get("text", "")),
        diagnostics=_each(Diagnostic, document.get("diagnostics", ())),
        suppressed=_each(Diagnostic, document.get("suppressed", ())),
        document=document,
    )


def _each(kind: type[_Kind], items: Sequence[Mapping[str, Any]]) -> tuple[_Kind, ...]:
    names = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    made = [{key: value for key, value in item.items() if key in names} for item in items]
    return tuple(kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in item.items()}) for item in made)
