"""The last look before a version gets the callers: it says who it is, answers its made rows, and answers as the notebook did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nb2prod.errors import InputError
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.service import Service
from nb2prod.runtime.equality import Tolerance, difference

ROWS = 50
"""So many of the rows that the notebook predicted are asked again."""


@dataclass(frozen=True)
class Suspect:
    """The service under test: its client, its Bento's folder, what it must call itself, and its release's cases."""

    client: Client
    bento: Path
    tag: str
    cases: Cases | None
    tolerance: Tolerance


def fault(suspect: Suspect) -> str | None:
    """What is wrong with the service, in a sentence; None where nothing is."""
    try:
        return _examples(suspect) or _replay(suspect)
    except ServiceFault as error:
        return error.message
    except InputError as error:
        return str(error)


def _examples(suspect: Suspect) -> str | None:
    rows = _rows(suspect.bento / "src" / "examples.json")
    reply = suspect.client.post("/predict", {"rows": rows})
    document = reply.document
    if reply.status != 200 or not isinstance(document, Mapping):
        return f"its own example rows were answered with status {reply.status}{_reason(document)}"
    if document.get("model") != suspect.tag:
        return f"{suspect.client.url} answered as {document.get('model')!r}, not as {suspect.tag}"
    if len(document.get("predictions") or ()) != len(rows):
        return f"{len(rows)} example rows got {len(document.get('predictions') or ())} predictions"
    failed = [error for error in document.get("errors") or () if error.get("code") == "row_failed"]
    if rows and len(failed) == len(rows):
        return f"every example row failed; the first: {failed[0].get('reason')}"
    return None


def _replay(suspect: Suspect) -> str | None:
    if suspect.cases is None:
        return None
    known = suspect.cases
    step = max(1, len(known.rows) // ROWS)
    some = known.take(range(0, len(known.rows), step)[:ROWS])
    answers = Service(suspect.client).predict_batches(some.rows)
    allowed = known.tolerance(suspect.tolerance)
    wrong = []
    kind = _kind(suspect.bento / "src" / "signature.json")
    for value, answer in zip(some.expected, answers, strict=True):
        if answer.kind != "value":
            wrong.append(answer.reason or answer.kind)
            continue
        found = difference(value, answer.value, allowed, output=known.prediction, kind=kind)
        if found is not None:
            wrong.append(f"{found.reason}: expected {found.expected!r}, answered {found.actual!r}")
    if not wrong:
        return None
    return f"{len(wrong)} of {len(answers)} rows are not answered as the notebook did; the first: {wrong[0]}"


def _kind(path: Path) -> str:
    """The kind of prediction, which says how texts of moments are compared."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["prediction"]["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return rows


def _reason(document: object) -> str:
    error = document.get("error") if isinstance(document, Mapping) else None
    return f": {error.get('message')}" if isinstance(error, Mapping) else ""
