"""The document's schemas say what the type matrix takes."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.runtime import describe, openapi, rows
from nb2prod.runtime.options import Options
from nb2prod.runtime.signature import Signature

MOMENTS = pd.DataFrame(
    {
        "us": pd.to_datetime(["2013-01-01"]).astype("datetime64[us]"),
        "ns": pd.to_datetime(["2013-01-01"]).astype("datetime64[ns]"),
        "s": pd.to_datetime(["2013-01-01"]).astype("datetime64[s]"),
        "zone": pd.to_datetime(["2013-01-01"]).tz_localize("America/New_York"),
        "category": pd.Categorical(pd.to_datetime(["2013-01-01"])),
    }
)
SIGNATURE = Signature.from_json({"schema": 1, "columns": describe.columns(MOMENTS, fields=list(MOMENTS.columns))})
DECODER = rows.Decoder(SIGNATURE)
PATTERNS = {column.key: openapi.field_schema(column)["pattern"] for column in SIGNATURE.fields}


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries(
        {name: st.from_regex(re.compile(p, re.ASCII), fullmatch=True) for name, p in PATTERNS.items()}
    )
)
def test_every_date_time_of_the_pattern_is_taken(row: dict[str, str]) -> None:
    decoded = DECODER.check({"rows": [{name: text.rstrip("\n") for name, text in row.items()}]})
    assert decoded.problems == ()


@pytest.mark.parametrize(
    "text", ["2013-13-01", "2013-02-30", "2013-01-01T24:00", "2013-01-01T00:00:00Z", "now", "1357000000"]
)
def test_what_is_no_date_time_is_off_the_pattern(text: str) -> None:
    assert not re.match(PATTERNS["us"], text)


def test_with_keys_the_document_says_so() -> None:
    document = openapi.document(SIGNATURE, Options(), [], openapi.Facts("v1", keys=True))
    assert document["security"] == [{"bearer": []}, {"key": []}]
    assert document["paths"]["/livez"]["get"]["security"] == []


def test_every_error_of_the_envelope_is_declared() -> None:
    answers = openapi.document(SIGNATURE, Options(), [], openapi.Facts("v1"))["paths"]["/predict"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "408", "413", "415", "422", "429", "500", "503", "504"}
