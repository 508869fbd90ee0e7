"""Rows between JSON and the raw table: the type matrix, and decode as the exact inverse of encode."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.runtime import describe, rows
from nb2prod.runtime.columns import TEXT
from nb2prod.runtime.signature import Signature, SignatureProblem


def signature_of(frame: pd.DataFrame, **kwargs: Any) -> Signature:
    kwargs.setdefault("fields", list(frame.columns))
    form = json.loads(json.dumps({"schema": 1, "columns": describe.columns(frame, **kwargs)}))
    return Signature.from_json(form)


def column(dtype: str, kind: str, **changes: Any) -> Signature:
    return Signature.from_json(
        {"schema": 1, "columns": [{"name": "x", "dtype": dtype, "type": kind, "field": True, **changes}]}
    )


def decode_one(signature: Signature, text: str) -> rows.Decoded:
    return rows.Decoder(signature).parse(('{"rows":[{"x":' + text + "}]}").encode())


@dataclass(frozen=True)
class Taken:
    dtype: str
    kind: str
    text: str
    value: Any
    nullable: bool = False
    becomes: str | None = None


TAKEN = [
    Taken("int64", "integer", "5", 5),
    Taken("int64", "integer", "5.0", 5),
    Taken("int64", "integer", "1e3", 1000),
    Taken("int64", "integer", "-0.0", 0),
    Taken("int64", "integer", "9007199254740993", 9007199254740993),
    Taken("int64", "integer", "9223372036854775807", 2**63 - 1),
    Taken("int64", "integer", "-9223372036854775808", -(2**63)),
    Taken("uint64", "integer", "18446744073709551615", 2**64 - 1),
    Taken("int8", "integer", "-128", -128),
    Taken("Int64", "integer", "9007199254740993", 9007199254740993),
    Taken("Int64", "integer", "null", pd.NA, nullable=True),
    Taken("int64", "integer", "null", np.nan, nullable=True, becomes="float64"),
    Taken("object", "integer", "1180591620717411303424", 2**70),
    Taken("float64", "number", "1", 1.0),
    Taken("float64", "number", "1.5", 1.5),
    Taken("float64", "number", "5e-324", 5e-324),
    Taken("float64", "number", "1e308", 1e308),
    Taken("float64", "number", "null", np.nan, nullable=True),
    Taken("float32", "number", "0.5", np.float32(0.5)),
    Taken("Float64", "number", "null", pd.NA, nullable=True),
    Taken("bool", "boolean", "true", True),
    Taken("bool", "boolean", "null", np.nan, nullable=True, becomes="object"),
    Taken("boolean", "boolean", "null", pd.NA, nullable=True),
    Taken("object", "boolean", "true", True),
    Taken("object", "boolean", "null", np.nan, nullable=True),
    Taken(TEXT, "string", '""', ""),
    Taken(TEXT, "string", '"NaN"', "NaN"),
    Taken(TEXT, "string", '"2013-01-01"', "2013-01-01"),
    Taken(TEXT, "string", '"a\\u0000b\\ud83d\\ude00"', "a\0b😀"),
    Taken(TEXT, "string", "null", np.nan, nullable=True),
    Taken("string", "string", "null", pd.NA, nullable=True),
    Taken("object", "string", '"a"', "a"),
    Taken("datetime64[us]", "datetime", '"2013-01-01"', pd.Timestamp("2013-01-01")),
    Taken("datetime64[us]", "datetime", '"2013-01-01 05:06"', pd.Timestamp("2013-01-01 05:06")),
    Taken(
        "datetime64[ns]", "datetime", '"2013-01-01T05:06:07.123456789"', pd.Timestamp("2013-01-01T05:06:07.123456789")
    ),
    Taken("datetime64[us]", "datetime", "null", pd.NaT, nullable=True),
    Taken("datetime64[us, UTC]", "datetime", '"2013-01-01T01:00:00+01:00"', pd.Timestamp("2013-01-01", tz="UTC")),
    Taken("datetime64[us, UTC]", "datetime", '"2013-01-01T00:00:00Z"', pd.Timestamp("2013-01-01", tz="UTC")),
    Taken("object", "any", "[1]", [1]),
    Taken("object", "any", "true", True),
    Taken("object", "any", "1", 1),
    Taken("object", "any", "null", np.nan, nullable=True),
]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: f"{case.dtype}-{case.text}")
def test_a_value_is_taken_with_the_type_of_training(case: Taken) -> None:
    decoded = decode_one(column(case.dtype, case.kind, nullable=case.nullable), case.text)
    assert decoded.problems == ()
    made = decoded.frame["x"]
    assert str(made.dtype) == (case.becomes or case.dtype)
    assert isinstance(decoded.frame.index, pd.RangeIndex)
    value = made.iloc[0]
    if case.value is pd.NA or case.value is pd.NaT:
        assert value is case.value
    elif isinstance(case.value, float) and np.isnan(case.value):
        assert isinstance(value, float)
        assert np.isnan(value)
    else:
        assert value == case.value
        assert made.dtype != np.dtype(object) or type(value) is type(case.value)


REFUSED = [
    ("int64", "integer", "1.5", "got a number"),
    ("int64", "integer", "true", "got a boolean"),
    ("int64", "integer", '"1"', "got a string"),
    ("int64", "integer", "null", "got null"),
    ("int64", "integer", "9223372036854775808", "within int64"),
    ("int64", "integer", "1e300", "within int64"),
    ("int64", "integer", "NaN", "got a number"),
    ("int64", "integer", "1e999", "got a number"),
    ("uint64", "integer", "-1", "within uint64"),
    ("int8", "integer", "128", "within int8"),
    ("float64", "number", "true", "got a boolean"),
    ("float64", "number", '"1.5"', "got a string"),
    ("float64", "number", "NaN", "send null"),
    ("float64", "number", "Infinity", "infinity"),
    ("float64", "number", "-Infinity", "infinity"),
    ("float64", "number", "1e999", "infinity"),
    ("float64", "number", "1" + "0" * 400, "infinity"),
    ("float64", "number", "[1]", "got a list"),
    ("float32", "number", "1e300", "within float32"),
    ("bool", "boolean", "1", "got an integer"),
    ("bool", "boolean", '"true"', "got a string"),
    (TEXT, "string", "1", "got an integer"),
    (TEXT, "string", "{}", "got an object"),
    (TEXT, "string", "null", "got null"),
    ("datetime64[us]", "datetime", "1357000000", "got an integer"),
    ("datetime64[us]", "datetime", '"now"', "expected a date-time"),
    ("datetime64[us]", "datetime", '"2013"', "expected a date-time"),
    ("datetime64[us]", "datetime", '"2013-02-30"', "expected a date-time"),
    ("datetime64[us]", "datetime", '"2013-13-01"', "expected a date-time"),
    ("datetime64[us]", "datetime", '"NaT"', "expected a date-time"),
    ("datetime64[us]", "datetime", '""', "expected a date-time"),
    ("datetime64[us]", "datetime", '"2013-01-01T00:00:00Z"', "without an offset"),
    ("datetime64[us, UTC]", "datetime", '"2013-01-01T00:00:00"', "without its offset"),
    ("datetime64[s]", "datetime", '"2013-01-01T00:00:00.5"', "hold exactly"),
    ("datetime64[ns]", "datetime", '"9999-01-01"', "hold exactly"),
    ("datetime64[us]", "datetime", '"\\u0662\\u0660\\u0661\\u0663-01-01"', "expected a date-time"),
    ("object", "any", "[NaN]", "finite"),
    ("object", "any", "null", "got null"),
]


@pytest.mark.parametrize(("dtype", "kind", "text", "reason"), REFUSED, ids=lambda item: str(item)[:30])
def test_a_value_is_refused_by_field_and_reason_and_never_shown(dtype: str, kind: str, text: str, reason: str) -> None:
    (problem,) = decode_one(column(dtype, kind), text).problems
    assert (problem.row, problem.field) == (0, "x")
    assert reason in problem.reason


def everything() -> pd.DataFrame:
    iso = ["2013-01-01T00:00:00.123456", None, "2014-02-03", "2014-02-03", "1999-12-31", "2014-02-03"]
    moments = pd.to_datetime(iso, format="ISO8601")
    return pd.DataFrame(
        {
            "i": [2**53 + 1, -5, 2**62, 0, 1, 2],
            "f": [1.5, np.nan, -0.0, 1e308, 5e-324, 3],
            "b": [True, False] * 3,
            "s": ["a", np.nan, "é", "", "x y", "NaN"],
            "text objects": pd.Series(["a", None, "b", "c", "d", "e"], dtype=object),
            "flags": pd.Series([True, np.nan, False, True, True, True], dtype=object),
            "mixed": pd.Series([1, "a", 2.5, True, None, {"a": [1]}], dtype=object),
            "Int64": pd.array([2**53 + 1, None, 1, 2, 3, 4], dtype="Int64"),
            "boolean": pd.array([True, None, False, True, True, True], dtype="boolean"),
            "string": pd.array(["a", None, "c", "d", "e", "f"], dtype="string"),
            "Float64": pd.array([1.5, None, 3, 4, 5, 6], dtype="Float64"),
            "f32": np.array([0.1, np.nan, 3, 4, 5, 6], dtype="float32"),
            "i8": np.arange(6, dtype="int8"),
            "u64": np.array([2**64 - 1, 0, 1, 2, 3, 4], dtype="uint64"),
            "ns": moments.astype("datetime64[ns]"),
            "us": moments.astype("datetime64[us]"),
            "new york": pd.date_range("2013-03-10T05:30", periods=6, freq="h", tz="America/New_York"),
            "old zone": pd.date_range("1800-03-10T05:30", periods=6, freq="D", tz="America/New_York"),
            "ordered": pd.Categorical(["a", None, "b", "a", "a", "b"], categories=["z", "a", "b"], ordered=True),
            "codes": pd.Categorical([1, 2, 1, 2, 1, None]),
            "days": pd.Categorical(pd.to_datetime(["2020", "2021"] * 3)),
            "seconds": pd.Categorical(pd.to_datetime(["2020", "2021"] * 3).as_unit("s")),
            "nanoseconds": pd.Categorical(pd.to_datetime(["2020", "2021"] * 3).as_unit("ns")),
            "zoned days": pd.Categorical(pd.to_datetime(["2020", "2021"] * 3).tz_localize("Europe/Rome")),
            "small codes": pd.Categorical(np.array([1, 2] * 3, dtype="int8")),
            "small shares": pd.Categorical(np.array([0.1, 0.5] * 3, dtype="float32")),
            "yes": pd.Categorical([True, False] * 3),
            "old category": pd.Categorical(pd.Index(["a", "b"] * 3, dtype=object)),
            "date": pd.Series([datetime.date(2020, 1, 1)] * 5 + [None], dtype=object),
            "huge": pd.Series([2**70, 1, 2, 3, 4, 5], dtype=object),
            "nothing": [np.nan] * 6,
            3: range(6),
        }
    )


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_freq=False, check_column_type=False)
    for name in right:
        if right[name].dtype == np.dtype(object):
            assert [type(value) for value in left[name]] == [type(value) for value in right[name]], name


@pytest.mark.parametrize("fast", [True, False])
def test_decoding_what_was_encoded_is_the_identity_for_every_dtype(fast: bool) -> None:
    frame = everything() if fast else everything().assign(**{'a "quoted\\ name': range(6)})
    signature = signature_of(frame)
    decoder = rows.Decoder(signature)
    assert (decoder._fast is not None) is fast
    sent = rows.encode(frame, signature)
    assert_same(decoder.parse(json.dumps({"rows": sent}).encode()).frame, frame)
    for position, row in enumerate(sent):
        alone = frame.iloc[[position]].reset_index(drop=True)
        assert_same(decoder.parse(json.dumps({"rows": [row]}).encode()).frame, alone)
        assert_same(decoder.check({"rows": [row]}).frame, alone)


def test_many_date_times_are_read_as_each_alone() -> None:
    texts = [f"2013-01-{day:02d}T00:00:00.{day:06d}" for day in range(1, 31)] * 3
    bad = [*texts, "2013-02-30"]
    for dtype in ("datetime64[us]", "datetime64[ns]"):
        signature = column(dtype, "datetime", nullable=True)
        body = json.dumps({"rows": [{"x": text} for text in [*texts, None]]}).encode()
        alone = [decode_one(signature, json.dumps(text)).frame["x"].iloc[0] for text in [*texts, None]]
        pd.testing.assert_series_equal(rows.decode(body, signature).frame["x"], pd.Series(alone, dtype=dtype, name="x"))
        body = json.dumps({"rows": [{"x": text} for text in bad]}).encode()
        assert [problem.row for problem in rows.decode(body, signature).problems] == [90]


@pytest.mark.parametrize("text", ["NaT", "", "nan", "2013/31/01"])
def test_a_format_of_training_takes_nothing_else(text: str) -> None:
    signature = column("datetime64[us]", "datetime", format="%d.%m.%Y")
    assert decode_one(signature, '"31.01.2013"').frame["x"].iloc[0] == pd.Timestamp("2013-01-31")
    assert decode_one(signature, json.dumps(text)).problems


def test_no_rows_give_an_empty_table_with_training_s_dtypes() -> None:
    frame = everything()
    decoded = rows.Decoder(signature_of(frame)).parse(b'{"rows":[]}')
    assert decoded.count == 0
    assert (decoded.frame.dtypes == frame.dtypes).all()


def test_an_all_null_number_column_is_nan_floats() -> None:
    decoded = rows.Decoder(column("float64", "number", nullable=True)).parse(b'{"rows":[{"x":null},{"x":null}]}')
    assert decoded.frame["x"].dtype == "float64"
    assert decoded.frame["x"].isna().all()


def test_an_unseen_category_is_missing_as_a_cast_makes_it() -> None:
    frame = decode_one(column("category", "string", categories=["a", "b"]), '"c"').frame
    assert frame["x"].isna().all()
    assert list(frame["x"].cat.categories) == ["a", "b"]


def test_rows_with_a_null_that_changes_the_dtype_do_not_share_a_table() -> None:
    decoder = rows.Decoder(column("int64", "integer", nullable=True))
    decoded = decoder.parse(b'{"rows":[{"x":9007199254740993},{"x":null},{"x":2}]}')
    parts = [list(part) for part in decoder.parts(decoded.rows)]
    assert parts == [[0, 2], [1]]
    whole = decoder.frame(decoded.rows.take(parts[0]))
    assert whole["x"].tolist() == [9007199254740993, 2]
    assert whole["x"].dtype == "int64"


def test_columns_off_the_request_hold_a_value_of_training_and_keep_their_place() -> None:
    frame = pd.DataFrame({"id": [7, 7, 8], "x": [1.0, 2.0, 3.0], "y": ["a", "b", "b"]})
    signature = signature_of(frame, fields=["x"], targets=["y"])
    made = rows.decode(b'{"rows":[{"x":5}]}', signature).frame
    assert list(made.columns) == ["id", "x", "y"]
    held = {column.name: column.phantom for column in signature.columns}
    assert made.iloc[0].tolist() == [held["id"], 5.0, held["y"]]
    other = rows.Decoder(signature, {"y": "z"}).parse(b'{"rows":[{"x":5}]}').frame
    assert other.iloc[0].tolist() == [held["id"], 5.0, "z"]


def test_all_that_is_wrong_is_listed_at_once() -> None:
    frame = pd.DataFrame({"Age": [1.0, 2.0], "Sex": ["f", "m"]})
    decoder = rows.Decoder(signature_of(frame))
    decoded = decoder.parse(b'{"rows":[{"Age":"x","sex":"f"},{"Age":1,"Sex":"f"},7,{"Age":true,"Sex":null,"q":1}]}')
    told = {(problem.row, problem.field): problem.reason for problem in decoded.problems}
    assert set(told) == {(0, "Age"), (0, "Sex"), (0, "sex"), (2, None), (3, "Age"), (3, "Sex"), (3, "q")}
    assert told[0, "Sex"].startswith("missing")
    assert "did you mean 'Sex'?" in told[0, "sex"]
    assert "GET /signature" in told[3, "q"]
    assert list(decoded.positions) == [1]
    assert decoded.rows.count == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b'{"rows":[{"x":01}]}',
        b"\xff",
        b"[" * 100_000,
        b'{"rows":[NaN',
        b'{"rows":[{"x":1' + b"0" * 5000 + b"}]}",
    ],
)
def test_a_body_that_can_not_be_read_is_told_apart(body: bytes) -> None:
    with pytest.raises(rows.MalformedBody):
        rows.decode(body, column("int64", "integer"))


@pytest.mark.parametrize("body", [b"[]", b"1", b"{}", b'{"rows":1}', b'{"rows":null}', b'{"rows":[],"more":1}'])
def test_a_body_of_another_form_is_one_problem_of_the_request(body: bytes) -> None:
    (problem,) = rows.decode(body, column("int64", "integer")).problems
    assert problem.row is None


def test_a_signature_that_can_not_be_served_is_refused_by_column() -> None:
    with pytest.raises(SignatureProblem, match="column 'x'"):
        rows.Decoder(column("int64", "number"))


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**65), 2**65), st.floats(), st.text(max_size=5),
    st.sampled_from(["2013-01-01", "2013-01-01T00:00:00Z", "now", "1.5", "nan", "\ud800"]), st.lists(st.integers(), max_size=2),
)  # fmt: skip
FRAME = everything()
SIGNATURE = signature_of(FRAME)
DECODER = rows.Decoder(SIGNATURE)
GOOD = rows.encode(FRAME, SIGNATURE)[0]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*GOOD, "other"]), scalars, max_size=6),
    st.sets(st.sampled_from([*GOOD]), max_size=2),
)
def test_the_fast_way_and_the_slow_way_agree(changes: dict[str, Any], missing: set[str]) -> None:
    """Whatever a row holds: the two decoders say the same, and good rows give the same table."""
    row = {name: value for name, value in {**GOOD, **changes}.items() if name not in missing}
    body = json.dumps({"rows": [GOOD, row]}).encode()
    slow = DECODER.check({"rows": [GOOD, row]})
    try:
        fast = DECODER.parse(body)
    except rows.MalformedBody:
        assert "\ud800" in str(list(changes.values())) or slow.problems
        return
    assert bool(fast.problems) == bool(slow.problems)
    if not slow.problems:
        pd.testing.assert_frame_equal(fast.frame, slow.frame)


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), numbers, st.one_of(st.none(), st.text())), min_size=1, max_size=5
    )
)
def test_any_table_of_numbers_and_texts_comes_back_exactly(values: list[tuple[int, float | None, str | None]]) -> None:
    try:
        frame = pd.DataFrame(
            {
                "i": pd.Series([item[0] for item in values], dtype="int64"),
                "f": pd.Series([item[1] for item in values], dtype="float64"),
                "s": pd.Series([item[2] for item in values], dtype=TEXT),
            }
        )
    except UnicodeEncodeError:
        return
    signature = signature_of(frame)
    body = json.dumps({"rows": rows.encode(frame, signature)}).encode()
    pd.testing.assert_frame_equal(rows.decode(body, signature).frame, frame)
