"""A Series of training written into a column of the request's rows."""

from __future__ import annotations

import pandas as pd

from nb2prod.runtime import rules


def test_a_request_has_none_of_trainings_labels_so_every_row_is_missing() -> None:
    names = pd.Series(["low", "high"], dtype="category")
    made = rules.beside(names, pd.DataFrame({"x": [1, 2, 3]}))
    assert made.isna().tolist() == [True, True, True]
    assert made.dtype == names.dtype
