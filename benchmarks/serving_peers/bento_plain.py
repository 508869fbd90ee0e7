"""A plain BentoML service, written by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
from features import features, frame_of


@bentoml.service(workers=1)
class Plain:
    """One model behind `@bentoml.api`."""

    def __init__(self) -> None:
        self.kept = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "model.joblib")

    @bentoml.api
    def predict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Predict."""
        return self.kept["model"].predict(features(frame_of(rows), self.kept["medians"])).tolist()
