"""Saves the model for `mlflow models serve`: features and model in one pyfunc."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import joblib
import mlflow.pyfunc
import pandas as pd

HERE = Path(__file__).parent


class Model(mlflow.pyfunc.PythonModel):
    """Features and model."""

    def load_context(self, context: Any) -> None:
        """Load."""
        self.kept = joblib.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[int]:
        """Predict."""
        from features import features

        floats = dict.fromkeys(("age", "income", "balance", "score"), "float64")
        return self.kept["model"].predict(features(model_input.astype(floats), self.kept["medians"])).tolist()


folder = Path(sys.argv[1])
mlflow.pyfunc.save_model(
    str(folder / "mlflow"),
    python_model=Model(),
    artifacts={"model": str(folder / "model.joblib")},
    code_paths=[str(HERE / "features.py")],
    pip_requirements=[],
)
