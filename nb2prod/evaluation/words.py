"""The evaluation in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.evaluation.evaluation import Evaluation, OutputEvaluation
from nb2prod.evaluation.intervals import Metric
from nb2prod.evaluation.slices import Slice


def text(evaluation: Evaluation) -> str:
    """A few lines: what the metrics are of, each with its interval, and the slices that are worst."""
    if evaluation.reason is not None:
        return f"Metrics: none. {evaluation.reason}"
    lines = [f"{evaluation.title} on {evaluation.evaluated:,} rows, with intervals of 95 %"]
    for output in evaluation.outputs:
        if len(evaluation.outputs) > 1:
            lines.append(f"  {output.name}")
        lines += [_metric(item) for item in output.metrics]
        lines += _worst(output)
    return "\n".join([*lines, *(f"  {note}" for note in evaluation.notes)])


def lines(evaluation: Evaluation) -> Iterator[str]:
    """The same in a line or two: each output's first metric with its interval, and the slice that is worst."""
    if evaluation.reason is not None:
        yield f"metrics: none. {evaluation.reason}"
    for output in evaluation.outputs:
        head = output.metrics[0]
        named = "" if len(evaluation.outputs) == 1 else f" of {output.name}"
        kind = "training " if evaluation.kind == "training" else ""
        yield f"{kind}{head.name}{named}: {_value(head)} on {output.rows:,} rows"
        yield from (f"worse than the rest: {item.name} ({item.rows:,} rows)" for item in output.worst[:1] if item.worse)


def _value(item: Metric) -> str:
    if item.value is None:
        return f"none, {item.reason}"
    interval = "" if item.low is None or item.high is None else f" ({item.low:.4g} to {item.high:.4g})"
    return f"{item.value:.4g}{interval}"


def _metric(item: Metric) -> str:
    return f"  {item.name:<24}{_value(item)}"


def _worst(output: OutputEvaluation) -> list[str]:
    sure = [item for item in output.worst if item.worse]
    if not sure:
        compared = sum(item.p is not None for item in output.slices)
        return [f"  No slice of {compared:,} compared is worse than the rest beyond chance."] if compared else []
    return [f"  Worse than the rest by {output.loss}:", *(_slice(item) for item in sure)]


def _slice(item: Slice) -> str:
    return f"    {item.name}: {item.loss:.4g}, other rows {item.rest:.4g} ({item.rows:,} rows)"
