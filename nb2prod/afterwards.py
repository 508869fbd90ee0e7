"""After the run: its own warnings, the forecast's that it can't give, and where the forecast was wrong. The recording binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import forecast
from nb2prod.forecast.notebook_rules import several_predictions
from nb2prod.notebook import Cell, Notebook
from nb2prod.path import told_by_run

if TYPE_CHECKING:
    from nb2prod.config import Options
    from nb2prod.forecast import Forecast
    from nb2prod.path.plan import ServingPath


@dataclass(frozen=True)
class Afterwards:
    """What a build says beside its outcome. `suppressed`: taken away by a `# nb2prod: ignore[...]` comment on the line."""

    diagnostics: tuple[Diagnostic, ...]
    suppressed: tuple[Diagnostic, ...]


def compare(notebook: Notebook, options: Options, serving: ServingPath) -> Afterwards:
    """Put together what the run showed and what was forecast."""
    expected = forecast(notebook, options)
    found: dict[tuple[str, int | None, int | None], Diagnostic] = {}
    feared = [d for d in expected.diagnostics if d.severity == "warning" and d.code != "N18"]
    warned = [told for d in feared for told in told_by_run.told(d, serving)]
    shown = (*serving.diagnostics, *told_by_run.learned_from(serving))
    # The run's own come first: where both speak of a line, it knows the values.
    for item in (*shown, *_several(notebook, options, serving), *warned, *_wrong(expected, serving)):
        found.setdefault((item.code, item.cell, item.line if item.code != "N17" else len(found)), item)
    kept, suppressed = _sift(found.values(), notebook)
    return Afterwards(tuple(kept), (*expected.suppressed, *suppressed))


def _several(notebook: Notebook, options: Options, serving: ServingPath) -> Iterator[Diagnostic]:
    """N18, by the run: other predict cells have predictions that are not served, and nobody chose."""
    last = serving.prediction.steps[-1]
    recording = serving.recording
    tree, node = recording.statement(last.k)
    cell = tree.cell
    if cell is None or options.prediction is not None:
        return
    left = {
        name: other.number
        for other in notebook.with_role("predict")
        for name in serving.prediction.others
        if other.number != cell.number and name in _bound(other)
    }
    if left:
        yield several_predictions(serving.prediction.label, cell, tree.line(node), left)


def _bound(cell: Cell) -> set[str]:
    nodes = (node for statement in cell.statements for node in ast.walk(statement.node))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _sift(found: Iterable[Diagnostic], notebook: Notebook) -> tuple[list[Diagnostic], list[Diagnostic]]:
    kept: list[Diagnostic] = []
    suppressed: list[Diagnostic] = []
    for item in found:
        cell = notebook.cell(item.cell) if item.cell else None
        ignored = item.severity != "error" and cell is not None and cell.ignores(item.code, item.line)
        (suppressed if ignored else kept).append(item)
    return kept, suppressed


def _wrong(expected: Forecast, serving: ServingPath) -> Iterator[Diagnostic]:
    """N17: each thing that the forecast expected and the run showed otherwise."""
    for item in expected.diagnostics:
        if item.severity == "error":
            text = f"The forecast feared {item.code} here ({item.message}); the recording shows that it does no harm."
            yield Diagnostic("N17", "info", text, "", item.cell, item.line, item.source)
    if expected.prediction is not None and serving.prediction.label and not expected.prediction.name.startswith("("):
        yield from _differs("prediction", expected.prediction.name, serving.prediction.label)
    if expected.raw_table is not None and serving.table.name:
        yield from _differs("raw table", expected.raw_table.name, serving.table.name)
    raw = set(map(str, serving.table.columns))
    needless = [f for f in expected.fields if f in raw and f not in serving.fields]
    if needless:
        yield _note(
            f"The forecast named {_listed(needless)} as fields; in the run other values there changed no answer of the rows that were tried."
        )
    made = [f for f in expected.fields if f not in raw]
    if made:
        yield _note(f"The forecast named {_listed(made)} as fields; the raw table has no column of that name.")
    for rule in serving.filters:
        for guess in expected.filters:
            if (guess.cell, guess.line) == (rule.cell, rule.line) and guess.kind != rule.klass:
                text = f"The forecast took this filter for {guess.kind}; the run shows {rule.klass}: {rule.evidence}."
                yield Diagnostic("N17", "info", text, "", rule.cell, rule.line, rule.source)


def _differs(what: str, guess: str, shown: str) -> Iterator[Diagnostic]:
    if guess != shown:
        yield _note(f"The forecast took {guess!r} for the {what}; the run shows {shown!r}.")


def _note(text: str) -> Diagnostic:
    return Diagnostic("N17", "info", text, "")


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
