"""Makes small project folders, as a Bento's ``src`` has them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

import nb2prod.runtime
from nb2prod.runtime import artifacts, describe

FEATURES = '''"""Feature code of houses.ipynb: rows of the raw table -> what the model is given."""
import numpy as np
import pandas as pd
from nb2prod_runtime import captured


def features(rows):
    # cell 2
    df = rows
    print("seen:", df["Sex"].tolist())
    # cell 4
    df["Age"] = df["Age"].fillna(captured.age_median)
    df["Sex_code"] = df["Sex"].map(captured.codes)
    # cell 5
    df["Fare_log"] = [captured.checked_log(fare) if False else np.log1p(check(fare)) for fare in df["Fare"]]
    return df[["Age", "Sex_code", "Fare_log"]]


def check(fare):
    # cell 3
    if fare < 0:
        raise ValueError(f"a negative fare: {fare}")
    return fare
'''

PREDICT = '''"""Prediction of houses.ipynb."""
from nb2prod_runtime import captured


def predict(X):
    # cell 7
    y_pred = captured.model.predict(X)
    return y_pred
'''

SERVICE = """import bentoml
from nb2prod_runtime.service import build_service

Service = build_service(__file__)
"""


def training() -> pd.DataFrame:
    """The raw table of the made-up notebook."""
    count = 40
    return pd.DataFrame(
        {
            "Id": range(1000, 1000 + count),
            "Age": [None if at % 7 == 0 else 20.0 + at for at in range(count)],
            "Sex": ["male" if at % 3 else "female" for at in range(count)],
            "Fare": [at * 1.5 for at in range(count)],
            "Big": [2**53 + at for at in range(count)],
            "When": pd.to_datetime(["2013-01-01T00:00:00"] * count),
            "Survived": [at % 2 for at in range(count)],
        }
    )


FIELDS = ("Age", "Sex", "Fare", "Big", "When")


def signature(frame: pd.DataFrame, *, batching: bool, **changes: Any) -> dict[str, Any]:
    """``signature.json`` of the made-up notebook."""
    return {
        "schema": 1,
        "model": {"name": "houses", "version": "abc"},
        "notebook": "houses.ipynb",
        "raw_table": "df",
        "row_kind": "frame",
        "columns": describe.columns(frame, fields=FIELDS, targets=["Survived"]),
        "prediction": {"name": "y_pred", "dtype": "int64", "kind": "integer", "labels": [0, 1]},
        "features": {"kind": "frame", "names": ["Age", "Sex_code", "Fare_log"]},
        "batching": batching,
        "owner": "Ada",
        "runbook": None,
        **changes,
    }


def row(**changes: Any) -> dict[str, Any]:
    """A good row."""
    return {"Age": 22.0, "Sex": "male", "Fare": 7.25, "Big": 2**53 + 1, "When": "2013-01-01T05:00:00", **changes}


def write(
    folder: Path,
    *,
    batching: bool = True,
    features: str = FEATURES,
    predict: str = PREDICT,
    options: dict[str, Any] | None = None,
    values: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write a whole project folder with a real scikit-learn model."""
    from sklearn.linear_model import LogisticRegression

    frame = training()
    folder.mkdir(parents=True, exist_ok=True)
    given = pd.DataFrame({"Age": frame["Age"].fillna(30.0), "Sex_code": [0, 1] * 20, "Fare_log": frame["Fare"]})
    model = LogisticRegression().fit(given, frame["Survived"])
    kept = {"age_median": 30.0, "codes": {"male": 0, "female": 1}, "model": model, **(values or {})}
    entries = []
    for name, value in kept.items():
        saved = artifacts.save(value, name, folder / "artifacts")
        entries.append(
            {"name": name, "file": saved.file, "format": saved.format, "sha256": saved.sha256, "cell": 4, "line": 1,
             "reason": "", "key": None}
        )  # fmt: skip
    artifacts.write_manifest(folder / "artifacts", entries)
    (folder / "features.py").write_text(features)
    (folder / "predict.py").write_text(predict)
    (folder / "service.py").write_text(SERVICE)
    (folder / "signature.json").write_text(json.dumps(signature(frame, batching=batching, **changes)))
    (folder / "reference.json").write_text("{}")
    (folder / "examples.json").write_text(json.dumps({"rows": [row()]}))
    if options is not None:
        (folder / "options.json").write_text(json.dumps(options))
    source = Path(nb2prod.runtime.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, folder / "nb2prod_runtime", ignore=ignored, dirs_exist_ok=True)
    return folder
