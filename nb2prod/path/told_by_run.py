"""What a warning that was forecast becomes once the run has shown the values: mended, confirmed, or gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.path.serving_path import ServingPath


def told(item: Diagnostic, serving: ServingPath) -> Iterator[Diagnostic]:
    """The warning as the run lets it stand."""
    if item.code == "T5" and serving.outcomes.learned is not None:
        return  # `learned_from` says what the run shows
    if item.code == "F14":
        yield _with_format(item, serving)
        return
    yield item


def learned_from(serving: ServingPath) -> Iterator[Diagnostic]:
    """T5: all predicted rows are rows that the model was fitted to."""
    known, rows = serving.outcomes.learned, len(serving.predicted)
    if known is None or known < rows or rows < 2:
        return
    step = serving.prediction.steps[-1]
    tree, node = serving.recording.statement(step.k)
    yield Diagnostic(
        "T5",
        "warning",
        f"The model, or a part of it, was fitted to all {rows:,} rows that are predicted: how well it does on them says nothing about new rows.",
        "Keep rows apart for the test: train_test_split(X, y, random_state=0).",
        *tree.place(node),
    )


def _with_format(item: Diagnostic, serving: ServingPath) -> Diagnostic:
    """F14 of a date: the format that pandas found in the run's own rows."""
    form = next(
        (
            found
            for value in serving.composition.captured
            if (value.cell, value.line) == (item.cell, item.line) and not value.keyed
            if (found := _format(serving.recording.snapshots[value.snapshot])) is not None
        ),
        None,
    )
    if form is None or not item.message.startswith("to_datetime()"):
        return item
    return replace(
        item,
        message=f"to_datetime() took the format {form!r} from the rows; it is kept, and a request's date is read by it.",
        hint=f"State it: pd.to_datetime(..., format={form!r}).",
    )


def _format(snapshot: dict[str, Any]) -> str | None:
    """The date format in a captured state of `to_datetime`."""
    try:
        kept = ast.literal_eval(snapshot.get("text", ""))
    except (ValueError, SyntaxError):
        return None
    state = kept[-1] if isinstance(kept, tuple) and kept else None
    form = state.get("format") if isinstance(state, dict) else None
    return form if isinstance(form, str) else None
