"""A phantom and an example show nobody's value, and are still values of their column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nb2prod.runtime import describe
from nb2prod.runtime.columns import codec_of
from nb2prod.runtime.signature import Column

PEOPLE = [f"{name}son, Mrs. {other} Ann" for name in ("Jack", "Peter", "Eric") for other in ("Éva", "Ida", "Zoe")]
COLUMNS: dict[str, Any] = {
    "names": PEOPLE,
    "tickets": [f"A/5 {at * 7919}" for at in range(9)],
    "dates as text": [f"19{80 + at}-0{at + 1}-1{at}" for at in range(9)],
    "salaries": [31_234.5 + at * 777.7 for at in range(9)],
    "numbers": [1_000_003 + at * at * 101 for at in range(9)],
    "small": np.array([0.00123456 * at for at in range(1, 10)], dtype="float32"),
    "births": pd.to_datetime([f"19{60 + at}-05-17T03:0{at}:11" for at in range(9)]),
    "zoned": pd.to_datetime([f"2019-05-1{at}T03:0{at}:11" for at in range(9)], utc=True).tz_convert("Europe/Berlin"),
    "objects": pd.Series(PEOPLE, dtype=object),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_where_no_value_is_shared_the_phantom_is_made_and_fits_its_column(name: str) -> None:
    values = pd.Series(COLUMNS[name], name="c")
    form = describe.column(values, field=True)
    codec = codec_of(Column(**{**form, "nullable": True}))
    assert form["phantom"] not in codec.encode(values)
    assert form["example"] == form["phantom"]
    codec.array([codec.check(form["phantom"])])
    if form["minimum"] is not None:
        assert form["minimum"] <= form["phantom"] <= form["maximum"]


def test_a_value_that_five_rows_share_is_shown() -> None:
    assert describe.column(pd.Series(["UA"] * 5 + ["AA"] * 3, name="c"), field=True)["phantom"] == "UA"
    assert describe.column(pd.Series(["UA"] * 4 + ["AA"] * 3, name="c"), field=True)["phantom"] == "XX"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Braund, Mr. Owen", "Xxxxxx, Xx. Xxxx"),
        ("1987-06-05 23:59", "2011-11-11 11:11"),
        ("05/06/87", "11/11/11"),
        ("O'Dwyer 42", "X'Xxxxx 11"),
        ("müller@example.org", "xxxxxx@xxxxxxx.xxx"),
    ],
)
def test_only_the_shape_of_a_text_is_left(text: str, shape: str) -> None:
    values = pd.Series([text, text + " a", text + " b"], name="c")
    assert str(describe.column(values, field=True)["phantom"]).startswith(shape)


def test_days_and_whole_moments_stay_what_they_are() -> None:
    days = pd.Series([dt.date(1980, 5, at) for at in range(2, 11)], name="c", dtype=object)
    form = describe.column(days, field=True)
    assert form["type"] == "datetime"
    assert form["phantom"] == "1980-05-01T00:00:00"
