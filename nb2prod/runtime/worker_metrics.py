"""The text of ``/metrics`` over all workers of a service, each of which keeps its own in files of one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def generate() -> bytes:
    """Add up what the workers wrote to ``PROMETHEUS_MULTIPROC_DIR``, in Prometheus' text format.

    A worker makes an empty file before it writes to it. On a full disk the file stays empty, and Prometheus' own collector fails on
    one: the metrics of all workers would be gone just when somebody looks for what is wrong.
    """
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Workers(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])))
    return bytes(generate_latest(registry))


class _Workers:
    """Collects from the files that hold something."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Any]:
        from prometheus_client import multiprocess

        files = [str(file) for file in self._folder.glob("*.db") if _holds_something(file)]
        merge: Callable[..., Iterable[Any]] = multiprocess.MultiProcessCollector.merge
        metrics = merge(files, accumulate=True)
        for metric in metrics:
            if metric.type == "histogram":
                metric.samples.sort(key=_place)
        return metrics


def _holds_something(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # of a worker that has just ended
        return False


def _place(sample: Any) -> tuple[list[tuple[str, str]], int, float]:
    """A histogram's buckets, in order, then its count, then its sum: the order that the text format has."""
    labels = sorted((name, value) for name, value in sample.labels.items() if name != "le")
    if sample.name.endswith("_bucket"):
        return labels, 0, float(sample.labels["le"])
    return labels, 1 if sample.name.endswith("_count") else 2, 0.0
