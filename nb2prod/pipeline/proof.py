"""The proof of a packaged Bento: the recorded cases in the form that parity compares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.config import Options
from nb2prod.progress import Progress

if TYPE_CHECKING:
    from nb2prod.environments.served import ServedEnvironment
    from nb2prod.parity.cases import Cases
    from nb2prod.parity.counterfactual import Awaited
    from nb2prod.parity.report import ParityReport
    from nb2prod.path.plan import ServingPath


@dataclass(frozen=True)
class ProofInput:
    """What is to be proved: the plan, the edge cases, and the runs with other values that go on meanwhile."""

    serving: ServingPath
    edges: list[dict[str, Any]]
    again: Awaited


def prove(
    unproved: ProofInput,
    bento: Path,
    environment: ServedEnvironment,
    options: Options,
    progress: Progress,
    *,
    quick: bool,
) -> tuple[ParityReport, Cases]:
    from nb2prod.parity import bench, cases, prover, target
    from nb2prod.parity.cases import tolerance_of

    serving = unproved.serving
    found = serving.cases
    known = cases.from_json(
        {
            "schema": cases.SCHEMA,
            "notebook": serving.recording.notebook.name,
            "prediction": serving.signature["prediction"]["name"],
            "replay": {"rows": found["rows"], "expected": found["expected"], "row_ids": found["row_ids"]},
            "fallback": found.get("fallback"),
            "phantoms": found["phantoms"],
            "edges": [_edge(edge) for edge in unproved.edges],
            "features": {
                "names": serving.signature["features"]["names"],
                "values": _feature_rows(found["given"]),
                "made_by": found["made_by"],
                "unread": found["unread"],
            },
            "precision": _precision(found["precision"], serving.signature["features"]["names"]),
        },
        "the recorded cases",
    )
    where = target.of_folder(bento, f"{bento.parent.name}:{bento.name}", environment)
    allowed = tolerance_of(known, options.tolerance, options.tolerances)
    limits = bench.SAMPLE if quick else None
    report = prover.prove(where, known, tolerance=allowed, progress=progress, limits=limits, awaited=unproved.again)
    return report, replace(known, counterfactual=unproved.again.found())


def _feature_rows(given: list[Any] | None) -> list[list[Any]] | None:
    """The recorded features by position; None where a row of them is a single value."""
    if given is None:
        return None
    rows = [list(row.values()) if isinstance(row, dict) else row for row in given]
    return rows if all(isinstance(row, list) for row in rows) else None


def _precision(measured: dict[str, dict[str, Any]], names: list[str] | None) -> dict[str, dict[str, Any]]:
    """What was measured of answers and features; a feature's place is its position."""
    at = {name: f"[{position}]" for position, name in enumerate(names or ())}
    return {
        "answers": measured["answers"],
        "features": {at.get(place, place): item for place, item in measured["features"].items()},
    }


def _edge(edge: dict[str, Any]) -> dict[str, Any]:
    """An edge case with its features by position; without them where they are a single value."""
    made = _feature_rows([edge["features"]]) if "features" in edge else None
    return {
        **{key: value for key, value in edge.items() if key != "features"},
        **({"features": made[0]} if made else {}),
    }
