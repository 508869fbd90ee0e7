"""How finely answers can be compared, measured from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2prod.runtime.equality import Measure, Tolerance, same
from nb2prod.runtime.outputs import per_row
from nb2prod.runtime.precision import dtypes_of, measured, spread

RNG = np.random.default_rng(0)
PRICES = RNG.normal(100, 20, 400)

CASES = [
    ("a float64", PRICES, {"": "float64"}),
    ("a float32", PRICES.astype("float32"), {"": "float32"}),
    ("a float32 turned into a float64", PRICES.astype("float32").astype("float64"), {"": "float32"}),
    ("short decimals", np.round(PRICES, 2), {"": "float64"}),
    ("halves", np.round(PRICES) / 2, {"": "float64"}),
    ("whole numbers as floats", np.round(PRICES), {"": "float64"}),
    ("a nullable column", pd.Series(PRICES, dtype="Float32"), {"": "float32"}),
    ("a list of float32", list(PRICES.astype("float32")), {"": "float32"}),
    ("probabilities", np.column_stack([PRICES / 200, 1 - PRICES / 200]), {"[0]": "float64", "[1]": "float64"}),
    ("a frame", pd.DataFrame({"a": PRICES, "b": PRICES.astype("float32"), "c": "text"}), {"a": "float64", "b": "float32"}),
    ("labels", np.array(["a", "b"]), {}),
    ("counts", np.arange(5), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_float_that_holds_each_place(name: str, value: object, expected: dict[str, str]) -> None:
    del name
    found = measured(per_row(value, len(value)), dtypes_of(value))
    assert {place: item.dtype for place, item in found.items()} == expected


def test_the_noise_is_the_largest_difference_between_askings_of_one_row() -> None:
    runs = [[[1.0, 5.0], [2.0, 6.0]], [[1.0, 5.25], [2.5, 6.0]], [[1.0, 5.0], [1.75, None]]]
    assert {place: item.noise for place, item in measured(runs[0], again=runs).items()} == {"[0]": 0.75, "[1]": 0.25}


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.0, 1.0, 2.0, 3.0], 1, 2),
        ([4e-16] * 80 + [3.0, -2.0, 5.0] * 7, 1, 8),  # most lie at nought but for rounding
        ([*PRICES, 1e12], 20, 40),  # one that is far away does not make the others alike
        ([7.0] * 9, 0, 0),
        ([7.0], 0, 0),
        ([], 0, 0),
    ],
)
def test_the_spread(values: list[float], low: float, high: float) -> None:
    assert low <= spread(np.array(values)) <= high


@given(
    st.floats(-1e6, 1e6),
    st.floats(0, 1e3),
    st.floats(0, 1e3),
    st.floats(0, 1e-3),
    st.sampled_from(["float64", "float32"]),
)
def test_nothing_is_compared_more_loosely_than_precision_spread_and_noise_allow(
    value: float, apart: float, wide: float, noise: float, dtype: str
) -> None:
    precision = {"float64": 1e-9, "float32": 1e-5}[dtype]
    allowed = max(precision * max(abs(value), abs(value + apart)), precision * wide, noise)
    equal = same(value, value + apart, Tolerance(measured={"": Measure(dtype, wide, noise)}))
    difference = abs((value + apart) - value)
    assert equal or difference > allowed * (1 - 1e-12)
    assert not equal or difference <= allowed * (1 + 1e-12)
