"""Models of other libraries are kept as data, answer alike when they are read back, and give the same bytes whenever they are written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nb2prod.runtime import artifacts

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["a", "b", "c"])
Y = X["a"] * 2 - X["b"]
WORDS = pd.Series(np.where(Y > 0, "yes", "no"))
CODES = (Y > 0).astype(int)


def _xgboost(name: str, y: Any) -> Any:
    library = pytest.importorskip("xgboost")
    return getattr(library, name)(n_estimators=5, n_jobs=1).fit(X, y)


def _lightgbm(name: str, y: Any) -> Any:
    library = pytest.importorskip("lightgbm")
    return getattr(library, name)(n_estimators=5, n_jobs=1, verbose=-1).fit(X, y)


def _catboost(name: str, y: Any, **options: Any) -> Any:
    library = pytest.importorskip("catboost")
    return getattr(library, name)(iterations=5, verbose=0, thread_count=1, allow_writing_files=False, **options).fit(
        X, y
    )


def _by_a_catboost_of_no_kind() -> Any:
    library = pytest.importorskip("catboost")
    return library.CatBoost({"iterations": 5, "thread_count": 1, "allow_writing_files": False}).fit(X, Y, verbose=0)


def _in_a_pipeline() -> Any:
    library = pytest.importorskip("xgboost")
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough")
    return make_pipeline(columns, library.XGBClassifier(n_estimators=5, n_jobs=1)).fit(X, CODES)


def _voting() -> Any:
    library = pytest.importorskip("lightgbm")
    models = [("l", LogisticRegression()), ("g", library.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1))]
    return VotingClassifier(models, voting="soft").fit(X, WORDS)


def _keras(outputs: int = 1) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    library = pytest.importorskip("keras")
    library.utils.clear_session()  # layers are numbered through a process
    library.utils.set_random_seed(0)
    layers = [library.layers.Dense(4, activation="relu"), library.layers.Dense(outputs)]
    model = library.Sequential([library.Input((3,)), *layers])
    model.compile(loss="mse", optimizer="adam")
    answers = np.column_stack([Y] * outputs).astype("float32")
    model.fit(X.to_numpy(dtype="float32"), answers, epochs=1, verbose=0)
    return model


MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "XGBClassifier": (lambda: _xgboost("XGBClassifier", CODES), "skops"),
    "XGBRegressor": (lambda: _xgboost("XGBRegressor", Y), "skops"),
    "an XGBoost booster": (lambda: _xgboost("XGBRegressor", Y).get_booster(), "xgboost"),
    "LGBMClassifier of words": (lambda: _lightgbm("LGBMClassifier", WORDS), "skops"),
    "LGBMRegressor": (lambda: _lightgbm("LGBMRegressor", Y), "skops"),
    "a LightGBM booster": (lambda: _lightgbm("LGBMRegressor", Y).booster_, "lightgbm"),
    "a booster in a pipeline": (_in_a_pipeline, "skops"),
    "a booster among voters": (_voting, "skops"),
    "CatBoostClassifier of words": (lambda: _catboost("CatBoostClassifier", WORDS), "catboost"),
    "CatBoostRegressor": (lambda: _catboost("CatBoostRegressor", Y), "catboost"),
    "CatBoost": (_by_a_catboost_of_no_kind, "catboost"),
    "Keras": (_keras, "keras"),
    "Keras with several outputs": (lambda: _keras(3), "keras"),
}


def answers(model: Any) -> list[Any]:
    """What the model answers to the rows, by each way that it is asked."""
    if type(model).__name__ == "Booster" and type(model).__module__.startswith("xgboost"):
        import xgboost

        return [model.predict(xgboost.DMatrix(X))]
    if type(model).__module__.startswith("keras"):
        return [np.asarray(model.predict(X.to_numpy(dtype="float32"), verbose=0))]
    ways = [getattr(model, name) for name in ("predict", "predict_proba") if hasattr(model, name)]
    return [np.asarray(way(X)) for way in ways]


@pytest.mark.parametrize(("make", "form"), MODELS.values(), ids=MODELS)
def test_a_model_is_data_and_answers_alike(make: Callable[[], Any], form: str, tmp_path: Path) -> None:
    model = make()
    saved = artifacts.save(model, "model", tmp_path)
    assert (saved.format, saved.notes) == (form, ())
    entry = {"name": "model", "file": saved.file, "format": saved.format, "sha256": saved.sha256}
    loaded = artifacts.load_entry(tmp_path, entry)
    assert type(loaded) is type(model)
    for one, other in zip(answers(loaded), answers(model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert artifacts.save(model, "model", tmp_path / "again").sha256 == saved.sha256


@pytest.mark.parametrize("name", [name for name, (_, form) in MODELS.items() if "among" not in name])
def test_a_model_that_is_fitted_again_alike_has_the_same_bytes(name: str, tmp_path: Path) -> None:
    make = MODELS[name][0]
    made = [artifacts.save(make(), "model", tmp_path / str(turn)).sha256 for turn in range(2)]
    assert made[0] == made[1]


def test_a_model_s_library_is_not_imported_to_look_at_something_else() -> None:
    program = """
import sys
from nb2prod.runtime import artifacts
import pathlib
artifacts.save({"a": 1}, "x", pathlib.Path(sys.argv[1]))
print([n for n in ("xgboost", "lightgbm", "catboost", "keras", "torch") if n in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, os.devnull + "x"], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() in ("[]", ""), done.stderr
