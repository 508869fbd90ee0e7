"""What the served code does with a Series of training, and with questions about no rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from nb2prod.runtime import rules


def test_a_request_has_none_of_trainings_labels_so_every_row_is_missing() -> None:
    names = pd.Series(["low", "high"], dtype="category")
    made = rules.beside(names, pd.DataFrame({"x": [1, 2, 3]}))
    assert made.isna().tolist() == [True, True, True]
    assert made.dtype == names.dtype


def test_no_rows_are_answered_in_the_shape_of_the_answers_without_asking() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]])
    model = LogisticRegression().fit(x, [0, 1, 1])
    assert rules.asked(model.predict, x[:0]).shape == (0,)
    assert rules.asked(model.predict_proba, x[:0]).shape == (0, 2)
    assert rules.asked(StandardScaler().fit(x).transform, x[:0]).shape == (0, 2)
    assert rules.asked(model.predict, x).tolist() == model.predict(x).tolist()
