"""A BentoML service with `batchable=True`, written by hand; rows come as a list (a frame makes every request 504)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
from features import features, frame_of


@bentoml.service(workers=1)
class Batchable:
    """One model behind `@bentoml.api(batchable=True)`."""

    def __init__(self) -> None:
        self.kept = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "model.joblib")

    @bentoml.api(batchable=True, max_batch_size=256, max_latency_ms=10_000)
    def predict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Predict for many callers at once."""
        return self.kept["model"].predict(features(frame_of(rows), self.kept["medians"])).tolist()
