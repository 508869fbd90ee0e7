"""What the served code does with a Series of training, and with questions about no rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

from nb2prod.runtime import rules
from tests.path.inprocess import serve


def test_a_request_has_none_of_trainings_labels_so_every_row_is_missing() -> None:
    names = pd.Series(["low", "high"], dtype="category")
    made = rules.beside(names, pd.DataFrame({"x": [1, 2, 3]}))
    assert made.isna().tolist() == [True, True, True]
    assert made.dtype == names.dtype


class _Doubled:
    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(y=table["x"] * 2)


def test_no_rows_are_answered_in_the_shape_of_the_answers() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]])
    model = LogisticRegression().fit(x, [0, 1, 1])
    assert rules.asked(model.predict, x[:0]).shape == (0,)
    assert rules.asked(model.predict_proba, x[:0]).shape == (0, 2)
    assert rules.asked(StandardScaler().fit(x).transform, x[:0]).shape == (0, 2)
    assert rules.asked(LabelEncoder().fit(["a", "b"]).transform, pd.Series(["a"])[:0]).shape == (0,)
    assert rules.asked(_Doubled().transform, pd.DataFrame({"x": [1.0]})[:0])["y"].shape == (0,)
    assert rules.asked(model.predict, x).tolist() == model.predict(x).tolist()


def test_a_function_of_the_row_gives_no_values_of_its_type_for_no_rows() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    made = rules.by_row("float64", table.iloc[:0].apply, lambda row: row["a"] + row["b"], axis=1)
    assert (made.dtype, len(made)) == ("float64", 0)
    assert rules.by_row("float64", table.apply, lambda row: row["a"] + row["b"], axis=1).tolist() == [4.0, 6.0]


TWO_TABLES = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(60)
table = pd.DataFrame({"age": np.where(i % 5 == 0, np.nan, 20.0 + i % 31), "klass": 1 + i % 3, "price": 100.0 + 13 * (i % 37)})
table[:40].to_csv("train.csv", index=False)
table[40:].drop(columns="price").to_csv("test.csv", index=False)
"""
IMPUTED = """def impute(row):
    return [38.0, 30.0, 25.0][int(row['klass']) - 1] if pd.isnull(row['age']) else row['age']
for t in [train, test]:
    t['age'] = t[['age', 'klass']].apply(impute, axis=1)
"""


def test_functions_of_the_row_are_served_in_loops_over_training_and_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    served = serve(
        [
            (None, TWO_TABLES),
            ("data", 'train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")'),
            ("feature", IMPUTED),
            ("train", "model = LinearRegression().fit(train[['age', 'klass']], train['price'])"),
            ("predict", "pred = model.predict(test[['age', 'klass']])"),
        ],
        tmp_path,
    )
    assert np.allclose(served.one_by_one(), served.expected)
