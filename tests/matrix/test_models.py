"""Models of other libraries than scikit-learn, each from a small notebook on a kernel that has the library to a proved Bento."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.matrix.environments import ENVIRONMENTS
from tests.matrix.test_builds import Machine, machine_with

pytestmark = [pytest.mark.matrix, pytest.mark.slow]

LOAD = """import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
size, rooms, town = rng.gamma(4, 20, 200).round(1), rng.integers(1, 6, 200), rng.choice(["a", "b", "c"], 200)
price = (size * 3 + rooms * 10 + (town == "a") * 50 + rng.normal(0, 5, 200)).round(1)
df = pd.DataFrame({"size": size, "rooms": rooms, "town": town, "price": price, "dear": np.where(price > 300, "yes", "no")})"""
FEATURES = """X = pd.DataFrame({"size": df["size"], "rooms": df["rooms"], "in_a": (df["town"] == "a") * 1.0})"""

# The train cell and the predict cell.
NOTEBOOKS = {
    "catboost_classifier": (
        "from catboost import CatBoostClassifier\nmodel = CatBoostClassifier(iterations=20, verbose=0, allow_writing_files=False).fit(X, df['dear'])",
        "pred = model.predict(X)",
        "catboost",
    ),
    "catboost_regressor": (
        "from catboost import CatBoostRegressor\nmodel = CatBoostRegressor(iterations=20, verbose=0, allow_writing_files=False).fit(X, df['price'])",
        "pred = model.predict(X)",
        "catboost",
    ),
    "xgboost_classifier": (
        "import xgboost as xgb\nmodel = xgb.XGBClassifier(n_estimators=10).fit(X, (df['dear'] == 'yes').astype(int))",
        "pred = model.predict_proba(X)[:, 1]",
        "skops",
    ),
    "lightgbm_regressor": (
        "import lightgbm as lgb\nmodel = lgb.LGBMRegressor(n_estimators=10, verbose=-1).fit(X, df['price'])",
        "pred = model.predict(X)",
        "skops",
    ),
    "lightgbm_classifier": (
        "import lightgbm as lgb\nmodel = lgb.LGBMClassifier(n_estimators=10, verbose=-1).fit(X, df['dear'])",
        "pred = model.predict(X)",
        "skops",
    ),
    "statsmodels_ols": (
        "import statsmodels.api as sm\nmodel = sm.OLS(df['price'], sm.add_constant(X)).fit()",
        "pred = model.predict(sm.add_constant(X))",
        "cloudpickle",
    ),
    "keras": (
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras\nkeras.utils.set_random_seed(0)\n"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation='relu'), keras.layers.Dense(1)])\n"
        "model.compile(loss='mse', optimizer='adam')\nmodel.fit(X.to_numpy(dtype='float32'), df['price'].to_numpy(dtype='float32'), epochs=3, verbose=0)"),
        "pred = model.predict(X.to_numpy(dtype='float32'), verbose=0)[:, 0]",
        "keras",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    environment = next(item for item in ENVIRONMENTS if item.name == "python3.12-models")
    return machine_with(environment, tmp_path_factory.mktemp(environment.name))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_model_of_another_library_is_built_and_proved(machine: Machine, name: str) -> None:
    train, predict, form = NOTEBOOKS[name]
    book = write(machine.folder / f"{name}.ipynb", train, predict)
    built = machine.build(book)
    assert built["parity"]["passed"]
    record = json.loads((Path(built["record"]) / "record.json").read_text())
    assert form in {value["format"] for value in record["captured"]}


def write(path: Path, train: str, predict: str) -> Path:
    """A notebook of four cells."""
    cells = [(LOAD, None), (FEATURES, "feature"), (train, "train"), (predict, "predict")]
    made = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for source, tag in cells]
    nbformat.write(new_notebook(cells=made), path)
    return path
