"""What the service counts, for Prometheus. No label has values that a caller chooses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .rows import Problem, Rows
from .signature import Column, Signature

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 10_000)
_MOST_LABELS = 50


class Metrics:
    """The service's metrics.

    Args:
        signature: names the fields and the model.
        version: the Bento's.
        registry: where to register; prometheus_client's own by default.
        generate: gives the text of /metrics, over all workers; the registry's own by default.
    """

    def __init__(
        self, signature: Signature, version: str, registry: Any = None, generate: Callable[[], bytes] | None = None
    ) -> None:
        import prometheus_client as client

        registry = client.REGISTRY if registry is None else registry
        self._generate = generate or (lambda: client.generate_latest(registry))
        self.content_type = client.CONTENT_TYPE_LATEST.encode()
        kept = {"registry": registry}
        self._requests = client.Counter("nb2prod_requests", "Requests answered", ["endpoint", "status"], **kept)
        self._seconds = client.Histogram(
            "nb2prod_request_seconds", "Time to answer", ["endpoint"], buckets=_SECONDS, **kept
        )
        stages = client.Histogram(
            "nb2prod_stage_seconds", "Time by stage of a request", ["stage"], buckets=_SECONDS, **kept
        )
        self._stages = {stage: stages.labels(stage) for stage in ("decode", "features", "predict", "encode")}
        self._rows = client.Counter("nb2prod_rows", "Rows answered", **kept)
        self._batch = client.Histogram("nb2prod_batch_rows", "Rows that ran together", buckets=_ROWS, **kept)
        self._failed = client.Counter("nb2prod_row_errors", "Rows without an answer, by reason", ["code"], **kept)
        self._malformed = client.Counter("nb2prod_malformed_values", "Values refused, by field", ["field"], **kept)
        self._missing = client.Counter("nb2prod_missing_values", "Missing values, by field", ["field"], **kept)
        self._unseen = client.Counter("nb2prod_unseen_categories", "Unseen categories, by field", ["field"], **kept)
        self.in_flight = client.Gauge("nb2prod_in_flight", "Requests at work", multiprocess_mode="livesum", **kept)
        self.overtime = client.Counter("nb2prod_timeouts", "Requests answered 504 whose work went on", **kept)
        fallbacks = client.Counter("nb2prod_fallbacks", "Rows answered by the fallback's rules", ["reason"], **kept)
        self._fallbacks = {reason: fallbacks.labels(reason) for reason in ("row_failed", "over_budget", "busy")}
        jobs = client.Counter("nb2prod_jobs", "Jobs put in and ended", ["state"], **kept)
        self._jobs = {job: jobs.labels(job) for job in ("queued", "done", "failed")}
        self.logged = client.Counter("nb2prod_request_log_rows", "Rows written to the request log", **kept)
        self.unlogged = client.Counter("nb2prod_request_log_dropped", "Rows that the request log lost", **kept)
        self._predictions = client.Counter("nb2prod_predictions", "Predictions, by label", ["label"], **kept)
        self._values = client.Histogram(
            "nb2prod_prediction_value",
            "Predicted numbers",
            buckets=(-1e6, -1e3, -10, -1, 0, 0.25, 0.5, 0.75, 1, 10, 100, 1e3, 1e4, 1e6),
            **kept,
        )
        self._watch(signature)
        info = client.Gauge(
            "nb2prod_build_info", "The model served", ["model", "version", "notebook"], multiprocess_mode="max", **kept
        )
        info.labels(signature.model, version, signature.notebook).set(1)
        self._by_endpoint: dict[tuple[str, int], tuple[Any, Any]] = {}

    def _watch(self, signature: Signature) -> None:
        self._fields = {column.key: self._malformed.labels(column.key) for column in signature.fields}
        self._nullable = [
            (at, self._missing.labels(column.key)) for at, column in enumerate(signature.fields) if column.nullable
        ]
        self._known = [
            (at, _known_values(column), self._unseen.labels(column.key))
            for at, column in enumerate(signature.fields)
            if column.categories and not column.rarer and column.type in ("string", "integer")
        ]
        labels = signature.prediction.labels or ()
        self._labels = {label: self._predictions.labels(str(label)) for label in labels[:_MOST_LABELS]}
        self._numeric = signature.prediction.kind in ("number", "integer") and not labels

    def text(self) -> bytes:
        """The text of /metrics."""
        return self._generate()

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """A request was answered; ``endpoint`` is one of ours or "other"."""
        known = self._by_endpoint.get((endpoint, status))
        if known is None:
            known = self._requests.labels(endpoint, status), self._seconds.labels(endpoint)
            self._by_endpoint[endpoint, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def stage(self, stage: str, seconds: float) -> None:
        """A stage took this long."""
        self._stages[stage].observe(seconds)

    def fell_back(self, reason: str, count: int) -> None:
        """The fallback's rules answered so many rows."""
        self._fallbacks[reason].inc(count)

    def job(self, state: str) -> None:
        """A job was put in or ended."""
        self._jobs[state].inc()

    def refused(self, problems: Sequence[Problem]) -> None:
        """Values were refused by the type matrix."""
        for name, count in Counter(problem.field for problem in problems).items():
            known: Any = self._fields.get(name or "")
            (known or self._malformed.labels("(unknown)")).inc(count)

    def ran(self, rows: Rows, values: Sequence[Any], errors: Sequence[Any]) -> None:
        """A batch ran."""
        self._batch.observe(rows.count)
        self._rows.inc(rows.count)
        for at, counter in self._nullable:
            count = rows.columns[at].count(None)
            if count:
                counter.inc(count)
        for at, known, counter in self._known:
            unseen = set(rows.columns[at]) - known
            if unseen:
                counter.inc(sum(value in unseen for value in rows.columns[at]))
        for error in errors:
            self._failed.labels(error.code).inc()
        self._predicted(values)

    def _predicted(self, values: Sequence[Any]) -> None:
        if self._labels:
            for label, count in Counter(value for value in values if isinstance(value, (str, int, float))).items():
                if label in self._labels:
                    self._labels[label].inc(count)
        elif self._numeric:
            for value in values:
                if isinstance(value, (int, float)):
                    self._values.observe(value)


def _known_values(column: Column) -> frozenset[Any]:
    """The categories of training; what is missing is counted elsewhere."""
    return frozenset(column.categories or ()) | {None}
