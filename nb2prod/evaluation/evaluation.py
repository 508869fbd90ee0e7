"""How well the rows that the notebook predicted were predicted: `metrics.json` of a release.

Its form is `Evaluation.to_json`; a field may be added without a new schema number. A metric has scikit-learn's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nb2prod.evaluation import slices as parts
from nb2prod.evaluation.calibration import Bin, Calibration, calibration
from nb2prod.evaluation.intervals import LEVEL, MOST, SEED, Metric, measured
from nb2prod.evaluation.measures import measures, row_loss
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import HALF, Sample, samples
from nb2prod.evaluation.slices import SMALL, Slice

SCHEMA = 1
METHOD = (
    f"Intervals of {LEVEL:.0%}: accuracy, precision and recall by the exact binomial interval of Clopper and Pearson, all others by percentiles "
    f"of resamples of the rows with replacement (up to {MOST:,}, seed {SEED}). A slice is compared with all other rows by its mean loss a row "
    "(Welch's test, or Fisher's for right and wrong answers), corrected by Holm for the number of slices compared; slices of fewer than "
    f"{SMALL} rows are called small and not compared."
)


@dataclass(frozen=True)
class OutputEvaluation:
    """How well one output is predicted. `loss` names what slices are compared by; `labels_from` how labels came from probabilities, if so."""

    name: str
    task: str
    rows: int
    classes: tuple[Any, ...]
    positive: Any
    probabilities: str | None
    """Where they come from: `answer`, the notebook's `run`, or the `model`, asked beside the run."""
    labels_from: str
    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    loss: str | None
    calibration: Calibration | None

    def metric(self, name: str) -> Metric | None:
        """The metric of this name over all rows."""
        return next((item for item in self.metrics if item.name == name), None)

    @property
    def worst(self) -> tuple[Slice, ...]:
        """The slices that lose most, the worst first, of those that were compared."""
        return parts.worst(self.slices)

    def worst_slice(self, metric: str) -> Slice | None:
        """The slice with the worst value of a metric, of those that are not small and for which it is defined."""
        known = [
            (s, m) for s in self.slices if not s.small and (m := s.metric(metric)) is not None and m.value is not None
        ]
        if not known:
            return None
        sign = 1 if known[0][1].larger_is_better else -1
        return min(known, key=lambda item: sign * (item[1].value or 0.0))[0]


@dataclass(frozen=True)
class Evaluation:
    """The whole. Without outputs `reason` says why; `kind` whether the model had learned from the rows."""

    reason: str | None
    kind: str
    predicted: int
    trained: int
    evaluated: int
    outputs: tuple[OutputEvaluation, ...]
    notes: tuple[str, ...] = ()
    method: str = METHOD

    @property
    def title(self) -> str:
        """What the metrics are to be called."""
        return "Metrics" if self.kind == "held out" else "Training metrics"

    def to_json(self) -> dict[str, Any]:
        """The document of metrics.json; slices that are among the worst are listed by name, the worst first."""
        document = asdict(self)
        for made, output in zip(document["outputs"], self.outputs, strict=True):
            made["worst"] = [item.name for item in output.worst]
        return {"schema": SCHEMA, **document}

    def summary(self) -> dict[str, Any]:
        """The `metrics` object of `build --json`: values and intervals overall, and the worst slices."""
        return {
            "reason": self.reason,
            "kind": self.kind,
            "rows": {"predicted": self.predicted, "trained": self.trained, "evaluated": self.evaluated},
            "outputs": [
                {
                    "name": output.name,
                    "task": output.task,
                    "metrics": [asdict(item) for item in output.metrics],
                    "worst_slices": [
                        {"slice": s.name, "rows": s.rows, "loss": s.loss, "rest": s.rest, "p": s.p}
                        for s in output.worst
                    ],
                }
                for output in self.outputs
            ],
            "notes": list(self.notes),
        }


def evaluate(outcomes: Outcomes, name: str) -> Evaluation:
    """Measure these outcomes; `name` is the prediction's."""
    if outcomes.reason is not None:
        return Evaluation(outcomes.reason, outcomes.kind, outcomes.predicted, outcomes.trained, 0, ())
    found = samples(outcomes, name)
    cut = parts.cut(outcomes.rows)
    made = tuple(_output(item, outcomes, cut) for item in found.outputs)
    notes = (*_notes(outcomes), *found.notes)
    reason = None if made else (found.notes[-1] if found.notes else "There is nothing to measure.")
    return Evaluation(
        reason, outcomes.kind, outcomes.predicted, outcomes.trained, len(outcomes.predictions), made, notes
    )


def _output(sample: Sample, outcomes: Outcomes, cut: tuple[parts.SliceRows, ...]) -> OutputEvaluation:
    loss = row_loss(sample)
    return OutputEvaluation(
        sample.name,
        sample.task,
        len(sample),
        sample.classes,
        sample.classes[1] if sample.task in ("binary", "ranking") else None,
        None if sample.scores is None or sample.task == "ranking" else outcomes.scores_from or "answer",
        _labels_from(sample, outcomes),
        measured(sample, measures(sample)),
        parts.measured_slices(sample, cut),
        None if loss is None else loss[0],
        calibration(sample),
    )


def _labels_from(sample: Sample, outcomes: Outcomes) -> str:
    if sample.cut:
        return f"a probability of {HALF:g} or more counts as the positive class"
    if sample.answer is not None and sample.scores is not None and outcomes.scores is None:
        return "the most probable class counts as the answer"
    return ""


def _notes(outcomes: Outcomes) -> tuple[str, ...]:
    found = []
    if outcomes.kind == "training":
        found.append(
            f"All {outcomes.predicted:,} rows that the notebook predicted are rows that the model was fitted to: "
            "what follows says how well it fits them, not how well it predicts others."
        )
    elif outcomes.trained:
        found.append(
            f"{outcomes.trained:,} of the {outcomes.predicted:,} rows that the notebook predicted are rows that the model was fitted to; "
            "they are left out."
        )
    if outcomes.beside:
        found.append(
            f"{outcomes.beside:,} of the rows were given to a fit beside those that it learned from, as to stop early by."
        )
    if outcomes.missing:
        found.append(f"{outcomes.missing:,} rows have no value of the target and are left out.")
    if outcomes.drawn:
        found.append("The rows were drawn at random from all that could be evaluated.")
    return tuple(found)


def from_json(document: Mapping[str, Any]) -> Evaluation:
    """The evaluation of metrics.json. Raises `ValueError`, `KeyError` or `TypeError` for another form."""
    if document["schema"] > SCHEMA:
        raise ValueError(f"metrics of schema {document['schema']}; this nb2prod reads {SCHEMA}")
    given = _known(Evaluation, document)
    given["notes"] = tuple(given["notes"])
    given["outputs"] = tuple(_output_of(item) for item in given["outputs"])
    return Evaluation(**given)


def _output_of(form: Mapping[str, Any]) -> OutputEvaluation:
    given = _known(OutputEvaluation, form)
    given["classes"] = tuple(given["classes"])
    given["metrics"] = tuple(_metric(item) for item in given["metrics"])
    given["slices"] = tuple(
        Slice(**{**_known(Slice, item), "metrics": tuple(map(_metric, item["metrics"]))}) for item in given["slices"]
    )
    if given["calibration"] is not None:
        bins = tuple(Bin(**_known(Bin, item)) for item in given["calibration"]["bins"])
        given["calibration"] = Calibration(**{**_known(Calibration, given["calibration"]), "bins": bins})
    return OutputEvaluation(**given)


def _metric(form: Mapping[str, Any]) -> Metric:
    return Metric(**_known(Metric, form))


def _known(kind: type[Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a later version of the same schema may have added."""
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in form.items() if key in names}
