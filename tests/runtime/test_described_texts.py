"""Which texts of training a service tells: few, and none that belongs to somebody."""

import pandas as pd
import pytest

from nb2prod.runtime import describe, openapi
from nb2prod.runtime.signature import Signature

COMMON = ["EWR"] * 40 + ["JFK"] * 30 + ["LGA"] * 20


@pytest.mark.parametrize(
    ("values", "told", "rarer"),
    [
        (COMMON, ["EWR", "JFK", "LGA"], 0),
        ([*COMMON, None, None], ["EWR", "JFK", "LGA"], 0),
        ([*COMMON, "SWF", "SWF", "HPN"], ["EWR", "JFK", "LGA"], 2),
        ([f"customer {n}" for n in range(40)], None, 0),
        ([f"street {n % 60}" for n in range(600)], None, 0),
    ],
    ids=["few", "with missing ones", "some are rare", "each its own", "many"],
)
def test_texts_that_enough_rows_share_are_told(values, told, rarer):
    made = describe.column(pd.Series(values, name="origin", dtype="str"), field=True)
    assert (made["categories"], made["rarer"]) == (told, rarer)
    signature = Signature.from_json({"schema": 1, "columns": [made]})
    text = openapi.field_schema(signature.columns[0]).get("description", "")
    assert ("EWR, JFK, LGA" in text) == (told is not None)
    assert ("and 2 more" in text) == (rarer == 2)
