"""Rows have equal numbers exactly where their values are equal."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2prod.recording.kernel.row_digests import row_digests

FRAME = pd.DataFrame({"a": [0, 1, 1], "b": ["x", "y", None], "c": [True, False, True]})
SAME = {
    "itself": FRAME.copy(),
    "whole numbers as floats": FRAME.assign(a=[0.0, 1.0, 1.0]),
    "truth values as numbers": FRAME.assign(c=[1, 0, 1]),
    "other labels": FRAME.set_axis([7, 8, 9]),
}


@pytest.mark.parametrize("other", SAME.values(), ids=list(SAME))
def test_equal_rows(other):
    assert (row_digests(FRAME) == row_digests(other)).all()


def test_a_missing_value_beside_a_row_changes_no_other():
    other = FRAME.assign(a=[0, 1, None])
    assert (row_digests(FRAME) == row_digests(other)).tolist() == [True, True, False]


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from([0.0, 0.5, float("nan")])), min_size=1, max_size=20))
def test_arrays(rows):
    made = row_digests(np.array(rows))
    for at, one in enumerate(rows):
        for to, other in enumerate(rows):
            equal = np.array_equal(np.array(one), np.array(other), equal_nan=True)
            assert (made[at] == made[to]) == equal


def test_what_has_none():
    assert row_digests([1, 2]) is None
    assert row_digests(pd.DataFrame({"a": [[1], [2]]})) is None
