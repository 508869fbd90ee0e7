"""What was fitted on training rows in the same breath as it is used: a request has none of these rows, and needs none."""

from pathlib import Path

from tests.path.inprocess import serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

rng = np.random.default_rng(0)
df = pd.DataFrame({"a": rng.integers(0, 9, 60) * 1.0, "k": list("xyz") * 20, "q": list("uvuu") * 15})
df["y"] = (df.a > 4) * 1.0
X = df.drop(columns="y")
X_train, X_test, y_train, y_test = train_test_split(X, df["y"], random_state=0)
"""
FITTED = """
kept = []
for c in ["k", "q"]:
    encoder = OneHotEncoder(sparse_output=False)
    made = pd.DataFrame(encoder.fit_transform(X_train[[c]]), index=X_train.index)
    kept.append({"encoder": encoder, "column": c, "made": made})
X_train = pd.concat([X_train[["a"]]] + [one["made"] for one in kept], axis=1).to_numpy()
"""
ENCODED = """
parts = []
for one in kept:
    parts.append(pd.DataFrame(one["encoder"].transform(X_test[[one["column"]]]), index=X_test.index))
X_test = pd.concat([X_test[["a"]]] + parts, axis=1).to_numpy()
"""


def test_only_the_encoders_are_served(tmp_path: Path) -> None:
    cells = [
        ("data", LOAD),
        ("feature", FITTED),
        ("train", "model = LinearRegression().fit(X_train, y_train)"),
        ("feature", ENCODED),
        ("predict", "p = model.predict(X_test)"),
    ]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == served.expected
    assert "X_train" not in served.features


def test_two_places_that_take_the_same_values_in_order_count_for_themselves(tmp_path: Path) -> None:
    encoded = """
parts = []
for one in kept:
    column = one["column"]
    parts.append(pd.DataFrame(one["encoder"].transform(X_test[[column]]), index=X_test.index).add_prefix(column))
X_test = pd.concat([X_test[["a"]]] + parts, axis=1).to_numpy()
"""
    cells = [
        ("data", LOAD),
        ("feature", FITTED),
        ("train", "model = LinearRegression().fit(X_train, y_train)"),
        ("feature", encoded),
        ("predict", "p = model.predict(X_test)"),
    ]
    served = serve(cells, tmp_path)
    assert served.features.count(".next()") == 3
    assert served.answers(served.predicted) == served.expected


def test_a_scaler_that_lives_in_a_function_is_the_fitted_one(tmp_path: Path) -> None:
    scaled = """
def scaled(one, other):
    scaler = StandardScaler()
    return scaler.fit_transform(one), scaler.transform(other)

X_train, X_test = scaled(X_train[["a"]], X_test[["a"]])
"""
    cells = [
        ("data", LOAD.replace("OneHotEncoder", "OneHotEncoder, StandardScaler")),
        ("feature", scaled),
        ("train", "model = LinearRegression().fit(X_train, y_train)"),
        ("predict", "p = model.predict(X_test)"),
    ]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == served.expected
