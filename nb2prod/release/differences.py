"""What differs between two releases: code, kept values, fields, environment, metrics, answers, and where they come from."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nb2prod.bento import store
from nb2prod.errors import InputError
from nb2prod.evaluation import comparison, outcomes
from nb2prod.evaluation.comparison import Comparison
from nb2prod.parity import cases
from nb2prod.release.record import OUTCOMES, ReleaseRecord
from nb2prod.runtime.equality import Tolerance, difference

_CODE = ("features.py", "predict.py")
_FACTS = ("notebook_hash", "data_hash", "parameters", "git", "python", "owner", "runbook", "recording")


@dataclass(frozen=True)
class Changes:
    """By name: what only the second has, what only the first had, and what both have but not the same (first, second)."""

    added: Mapping[str, Any]
    removed: Mapping[str, Any]
    changed: Mapping[str, tuple[Any, Any]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Answers:
    """The notebook's own predictions of the rows that both releases predicted."""

    rows: int
    differing: int
    largest: float | None
    """The largest absolute difference of numbers."""


@dataclass(frozen=True)
class Differences:
    """All of it. `code` is a unified diff by file; a part is None where a Bento or a record no longer has it."""

    first: str
    second: str
    facts: Changes
    code: Mapping[str, str] | None
    captured: Changes | None
    signature: Changes | None
    environment: Changes
    metrics: Comparison
    """On the rows that both evaluated."""
    answers: Answers | None
    """What the change does to predictions."""
    parity: tuple[Mapping[str, Any], Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The document of `diff --json`."""
        return asdict(self)


def compare(first: ReleaseRecord, second: ReleaseRecord) -> Differences:
    """What differs from the first to the second."""
    one, other = _folder(first), _folder(second)
    both = (one, other) if one is not None and other is not None else None
    return Differences(
        first.bento,
        second.bento,
        _changes(_facts(first), _facts(second)),
        None if both is None else _code(*both),
        None if both is None else _changes(*map(_artifacts, both)),
        None if both is None else _changes(*map(_fields, both)),
        _changes(_pins(first), _pins(second)),
        metrics(first, second),
        answers(first, second),
        (dict(first.parity), dict(second.parity)),
    )


def _folder(release: ReleaseRecord) -> Path | None:
    try:
        return store.find(release.bento).folder / "src"
    except InputError:
        return None


def _facts(release: ReleaseRecord) -> dict[str, Any]:
    document = release.to_json()
    return {name: document[name] for name in _FACTS}


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> Changes:
    return Changes(
        {name: value for name, value in second.items() if name not in first},
        {name: value for name, value in first.items() if name not in second},
        {name: (first[name], value) for name, value in second.items() if name in first and first[name] != value},
    )


def _code(first: Path, second: Path) -> dict[str, str]:
    found = {}
    for name in _CODE:
        old, new = ((folder / name).read_text(encoding="utf-8").splitlines() for folder in (first, second))
        lines = list(
            difflib.unified_diff(old, new, f"{first.parent.name}/{name}", f"{second.parent.name}/{name}", lineterm="")
        )
        if lines:
            found[name] = "\n".join(lines)
    return found


def _artifacts(folder: Path) -> dict[str, Any]:
    """A kept value is told by what it holds: its files' digests."""
    document = json.loads((folder / "artifacts" / "manifest.json").read_text(encoding="utf-8"))
    return {
        item["name"]: [entry.get("sha256") for entry in item.get("entries", [item])] for item in document["artifacts"]
    }


def _fields(folder: Path) -> dict[str, Any]:
    document = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    kept = ("type", "dtype", "nullable", "field", "target", "categories", "minimum", "maximum")
    found = {column["name"]: {name: column.get(name) for name in kept} for column in document["columns"]}
    return {**found, "(prediction)": document["prediction"]}


def _pins(release: ReleaseRecord) -> dict[str, str]:
    return {pin.partition("==")[0]: pin.partition("==")[2] for pin in release.pins}


def metrics(first: ReleaseRecord, second: ReleaseRecord) -> Comparison:
    """The metrics of both on the rows that both evaluated; where there are none, its reason says why."""
    known = []
    for item in (first, second):
        try:
            document = json.loads(item.path(OUTCOMES).read_text(encoding="utf-8"))
            known.append(outcomes.from_json(document))
        except InputError:
            return Comparison(
                0, reason=f"{item.bento} was built before metrics were kept, or imported without its rows."
            )
        except (OSError, ValueError, TypeError) as error:
            return Comparison(0, reason=f"{OUTCOMES} of {item.bento} can't be read: {error}")
    return comparison.compare(known[0], known[1], _prediction(first))


def _prediction(release: ReleaseRecord) -> str:
    plan = json.loads(release.path("plan.json").read_text(encoding="utf-8"))
    return str(plan.get("prediction") or "prediction")


def answers(first: ReleaseRecord, second: ReleaseRecord) -> Answers | None:
    """What the second answers otherwise of the rows that both predicted; None where a record lacks its rows."""
    try:
        one, other = (cases.read(item.path("cases.json")) for item in (first, second))
    except InputError:
        return None
    key: Callable[[Any], str] = lambda row: json.dumps(row, sort_keys=True, default=str)  # noqa: E731
    known = {key(row): value for row, value in zip(one.rows, one.expected, strict=True)}
    allowed = other.tolerance(Tolerance())
    rows = differing = 0
    largest: float | None = None
    for row, value in zip(other.rows, other.expected, strict=True):
        if key(row) not in known:
            continue
        rows += 1
        found = difference(known[key(row)], value, allowed)
        if found is not None:
            differing += 1
            largest = max(largest or 0.0, found.size) if found.size is not None else largest
    return Answers(rows, differing, largest)
