"""scikit-learn's data sets, however their parts are taken: the request has the columns, and never the target."""

from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
"""
FIT = "model = LogisticRegression(max_iter=5000).fit(X, y)"
CASES = {
    "both parts in one statement": ("iris = load_iris()\nX, y = iris.data, iris.target", FIT, "p = model.predict(X)"),
    "each in its own": (
        "iris = load_iris()\nX = iris.data\ny = iris.target\nX = X / 10",
        FIT,
        "p = model.predict(X)",
    ),
    "one part twice": (
        "iris = load_iris()\ny = iris['target']\nX = np.c_[np.ones(len(iris.data)), iris.data, iris['data'] ** 2]",
        FIT,
        "p = model.predict(X)",
    ),
    "rows of it": (
        "iris = load_iris()",
        "model = LogisticRegression(max_iter=5000).fit(iris.data[:120], iris.target[:120])",
        "p = model.predict(iris.data[120:])",
    ),
    "a frame with the target beside": (
        "iris = load_iris()\ndf = pd.DataFrame(iris.data, columns=iris.feature_names)\ndf['species'] = iris.target\nX = df.drop('species', axis=1)\ny = df['species']",
        FIT,
        "p = model.predict(X)",
    ),
    "columns without names": (
        "iris = load_iris()\nX = pd.DataFrame(iris.data)\ny = iris.target",
        FIT,
        "p = model.predict(X)",
    ),
    "written to": (
        "X, y = load_iris(return_X_y=True)\nX[:, 0] = np.log(X[:, 0])",
        FIT,
        "p = model.predict(X)",
    ),
    "images of known number": (
        "digits = load_digits()\nn = len(digits.images)\nX = digits.images.reshape((n, -1)) / 16\ny = digits.target",
        FIT,
        "p = model.predict(X[:50])",
    ),
    "images": (
        "digits = load_digits()\nX = digits.images.reshape((len(digits.images), -1))\ny = digits.target",
        FIT,
        "p = model.predict(X[:50])",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_its_parts_are_the_requests(name: str, tmp_path: Path) -> None:
    features, train, predict = CASES[name]
    served = serve([("data", LOAD), ("feature", features), ("train", train), ("predict", predict)], tmp_path)
    assert served.answers(served.predicted) == served.expected
    some = served.predicted[::7]
    assert [served.answers([row])[0] for row in some] == served.expected[::7]
    assert "load_" not in served.features
