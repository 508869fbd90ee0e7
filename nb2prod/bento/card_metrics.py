"""The model card's metrics: how well each output is predicted, over all rows and in the slices that are worst, with its calibration."""

from __future__ import annotations

from nb2prod.bento.markdown import code, escape, table
from nb2prod.evaluation.calibration import Calibration
from nb2prod.evaluation.evaluation import Evaluation, OutputEvaluation
from nb2prod.evaluation.intervals import Metric
from nb2prod.evaluation.slices import Slice


def render(evaluation: Evaluation) -> str:
    """The section as Markdown; everything that comes from the notebook is escaped."""
    title = f"## {evaluation.title}"
    notes = "\n".join(f"- {escape(note)}" for note in evaluation.notes)
    if evaluation.reason is not None:
        return "\n\n".join(filter(None, (title, f"None: {escape(evaluation.reason)}", notes)))
    rows = f"Computed from {evaluation.evaluated:,} rows of the recorded run: the notebook's own predictions beside what was true."
    parts = [title, rows, notes]
    for output in evaluation.outputs:
        parts += _output(output, alone=len(evaluation.outputs) == 1)
    return "\n\n".join(filter(None, (*parts, escape(evaluation.method))))


def _output(output: OutputEvaluation, *, alone: bool) -> list[str]:
    parts = [] if alone else [f"### {code(output.name)}"]
    words = [f"Task: {escape(output.task)}"]
    if output.positive is not None:
        words.append(f"positive class {code(output.positive)}")
    if output.probabilities in ("run", "model"):
        asked = "computed by the notebook" if output.probabilities == "run" else "asked of the model beside the run"
        words.append(f"probabilities {asked}")
    if output.labels_from:
        words.append(escape(output.labels_from))
    parts.append(", ".join(words) + ".")
    parts.append(table(("metric", "value", "95 % interval", "better"), [_metric(item) for item in output.metrics]))
    if output.slices:
        parts.append(_worst(output))
    if output.calibration is not None:
        parts.append(_calibration(output.calibration))
    return parts


def _metric(item: Metric) -> tuple[str, ...]:
    end = "higher" if item.larger_is_better else "lower"
    if item.value is None:
        return code(item.name), "none", escape(item.reason), end
    interval = escape(item.reason) if item.low is None or item.high is None else f"{item.low:.4g} to {item.high:.4g}"
    return code(item.name), f"{item.value:.6g}", interval, end


def _worst(output: OutputEvaluation) -> str:
    small = sum(item.small for item in output.slices)
    compared = sum(item.p is not None for item in output.slices)
    text = f"Slices: {len(output.slices):,} were looked at, {compared:,} compared with the other rows by their {escape(output.loss or 'loss')}"
    text += f"; {small:,} are too small for that." if small else "."
    if not output.worst:
        return text + " None of them is worse than the rest." if compared else text
    head = ("worst slices", "rows", escape(output.loss or "loss"), "other rows", "")
    return text + "\n\n" + table(head, [_slice(item) for item in output.worst])


def _slice(item: Slice) -> tuple[str, ...]:
    words = "worse" if item.worse else "may be chance"
    return code(item.name), f"{item.rows:,}", f"{item.loss:.4g}", f"{item.rest:.4g}", words


def _calibration(found: Calibration) -> str:
    rows = [
        (
            f"{b.rows:,}",
            f"{b.predicted:.4g}",
            f"{b.observed:.4g}",
            "" if b.low is None else f"{b.low:.4g} to {b.high:.4g}",
        )
        for b in found.bins
    ]
    text = f"Calibration of the {escape(found.of)}: predicted and observed lie {found.error:.4g} apart in the mean."
    return text + "\n\n" + table(("rows", "predicted", "observed", "95 % interval"), rows)
