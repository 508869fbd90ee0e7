"""A table through the serving path gets what requests with the same values get, bit for bit."""

import datetime as dt
import decimal
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.runtime import seam
from nb2prod.runtime.batch import texts
from nb2prod.runtime.batch.casting import json_value
from nb2prod.runtime.batch.scoring import Scorer, prediction_type
from nb2prod.runtime.batch.tables import TableDecoder, TableProblem
from nb2prod.runtime.model import Model
from nb2prod.runtime.rows import Decoder
from nb2prod.runtime.signature import Column, Prediction, Signature

from . import projects

MOMENT = dt.datetime(2013, 1, 31, 18, 5)  # noqa: DTZ001 - a table's date-times have no zone


def column(dtype, kind, **others):
    return Column("x", dtype, kind, **{"nullable": True, **others})


COLUMNS = {
    "int64": column("int64", "integer"),
    "int8": column("int8", "integer", nullable=False),
    "uint64": column("uint64", "integer"),
    "Int64": column("Int64", "integer"),
    "float64": column("float64", "number"),
    "float32": column("float32", "number", nullable=False),
    "Float64": column("Float64", "number"),
    "objects of numbers": column("object", "number"),
    "bool": column("bool", "boolean"),
    "boolean": column("boolean", "boolean"),
    "objects of text": column("object", "string", missing="none"),
    "category": column("category", "string", categories=("a", "b"), ordered=True),
    "category of numbers": column("category", "integer", categories=(1, 2), nullable=False),
    "datetime": column("datetime64[us]", "datetime"),
    "datetime of seconds": column("datetime64[s]", "datetime"),
    "zoned": column("datetime64[ns, Europe/Paris]", "datetime"),
    "dates": column("object", "datetime", format="date"),
    "any": column("object", "any"),
}
TABLES = {
    "whole numbers": pa.array([1, 2, -3, 127, 128, 2**62, None, 2**53 + 1]),
    "small": pa.array([1, None, 2], type=pa.int8()),
    "unsigned": pa.array([1, 2**63, 2**64 - 1], type=pa.uint64()),
    "floats": pa.array([1.0, 2.5, None, float("nan"), float("inf"), -0.0, 1e300, 2.0**53, 2.0**63]),
    "single floats": pa.array([0.1, 3.0, None], type=pa.float32()),
    "booleans": pa.array([True, False, None]),
    "texts": pa.array(["a", "b", "c", None, "2013-01-31", "2013-01-31T18:05:00+01:00", "12"]),
    "large dictionary": pa.array(["a", None, "b", "a"], type=pa.large_string()).dictionary_encode(),
    "moments": pa.array([MOMENT, None, MOMENT.replace(microsecond=7)], type=pa.timestamp("ns")),
    "instants": pa.array([MOMENT, None], type=pa.timestamp("us", "UTC")),
    "days": pa.array([MOMENT.date(), None]),
    "decimals": pa.array([decimal.Decimal("1.50"), decimal.Decimal("2.00"), None]),
    "nested": pa.array([[1, 2], None, [3]]),
    "nothing": pa.nulls(3),
    "no rows": pa.array([], type=pa.float64()),
}


def cast_both(column, array):
    """What the table's way and the request's way make of the same values: by part, frames and problems."""
    signature = Signature((column,))
    plain = array.dictionary_decode() if isinstance(array.type, pa.DictionaryType) else array
    values = list(plain.to_pandas()) if pa.types.is_timestamp(plain.type) else plain.to_pylist()
    wire = [None if value is pd.NaT or value is None else json_value(value) for value in values]
    tables, requests = TableDecoder(signature), Decoder(signature)
    cast = tables.cast(pa.table({"x": array}))
    decoded = requests.check({"rows": [{"x": value} for value in wire]})
    return (tables, cast), (requests, decoded)


def compared(column, array):
    (tables, cast), (requests, decoded) = cast_both(column, array)
    assert list(cast.positions) == list(decoded.positions)
    assert [(p.row, p.field, p.reason) for p in cast.problems] == [(p.row, p.field, p.reason) for p in decoded.problems]
    ours = {tuple(part): tables.frame(cast.rows.take(part)) for part in tables.parts(cast.rows)}
    theirs = {tuple(part): requests.frame(decoded.rows.take(part)) for part in requests.parts(decoded.rows)}
    assert set(ours) == set(theirs)
    for part, frame in ours.items():
        pd.testing.assert_frame_equal(frame, theirs[part], check_exact=True)
        if frame["x"].dtype == object:
            assert list(map(type, frame["x"])) == list(map(type, theirs[part]["x"]))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_is_cast_as_a_request_is(kind, table):
    compared(COLUMNS[kind], TABLES[table])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([name for name in COLUMNS if name != "any"]),
    st.one_of(
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8).map(lambda v: pa.array(v, pa.int64())),
        st.lists(st.none() | st.floats(), max_size=8).map(lambda v: pa.array(v, pa.float64())),
        st.lists(st.none() | st.text("ab12.-T:", max_size=5), max_size=8).map(lambda v: pa.array(v, pa.string())),
        st.lists(st.none() | st.booleans(), max_size=8).map(lambda v: pa.array(v, pa.bool_())),
    ),
)
def test_drawn_columns_are_cast_as_requests_are(kind, array):
    compared(COLUMNS[kind], array)


def of_texts(values):
    return pa.Table.from_arrays([pa.array(values, pa.string())], schema=pa.schema([texts.field("x")]))


@pytest.mark.parametrize(
    ("kind", "written", "values"),
    [
        ("int64", ["1", "2", "9007199254740993"], [1, 2, 2**53 + 1]),
        ("int64", ["1", "", "2.0", "NA"], [1, None, 2, None]),
        ("int64", ["1", "9007199254740993", ""], [1, 2**53 + 1, None]),
        ("int64", ["+1", " 2 ", "007"], [1, 2, 7]),
        ("float64", ["0.1", "1e5", "", "7"], [0.1, 1e5, None, 7.0]),
        ("float64", ["5.", ".5", "-.5e1"], [5.0, 0.5, -5.0]),
        ("bool", ["True", "false", "nan"], [True, False, None]),
        ("objects of text", ["007", "NA", ""], ["007", None, None]),
        ("datetime", ["2013-01-31", "", "2013-01-31T18:05:00"], ["2013-01-31", None, "2013-01-31T18:05:00"]),
        ("any", ["1", "1.5", "true", "x", ""], [1, 1.5, True, "x", None]),
    ],
)
def test_texts_are_read_by_the_signature(kind, written, values):
    signature = Signature((COLUMNS[kind],))
    tables, requests = TableDecoder(signature), Decoder(signature)
    cast, decoded = tables.cast(of_texts(written)), requests.check({"rows": [{"x": value} for value in values]})
    assert not cast.problems
    assert not decoded.problems
    for ours, theirs in zip(tables.parts(cast.rows), requests.parts(decoded.rows), strict=True):
        made = tables.frame(cast.rows.take(ours))
        pd.testing.assert_frame_equal(made, requests.frame(decoded.rows.take(theirs)), check_exact=True)


def test_a_category_that_reads_like_nothing_is_a_category():
    known = column("object", "string", categories=("NA", "EU"))
    cast = TableDecoder(Signature((known,))).cast(of_texts(["NA", "EU", "nan"]))
    assert cast.rows.columns[0].nulls.tolist() == [False, False, True]


@pytest.mark.parametrize("text", ["1_000", "abc", "0x10", "inf", "Infinity", "\u0661", "1 2", "--1"])
@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_a_text_that_is_no_number_is_told(kind, text):
    cast = TableDecoder(Signature((COLUMNS[kind],))).cast(of_texts(["1", text]))
    expected = "an integer" if kind == "int64" else "a number"
    assert [(p.row, p.reason) for p in cast.problems] == [(1, f"expected {expected}, got a string")]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["int64", "uint64", "Int64", "float64", "float32", "bool", "any"]),
    st.lists(
        st.text("0123456789.eE+-x ", max_size=6) | st.integers().map(str) | st.floats().map(str), min_size=1, max_size=6
    ),
)
def test_what_a_text_stands_for_does_not_depend_on_its_neighbours(kind, written):
    decoder = TableDecoder(Signature((COLUMNS[kind],)))
    together = decoder.cast(of_texts(written))
    told = {problem.row: problem.reason for problem in together.problems}
    for row, text in enumerate(written):
        alone = decoder.cast(of_texts([text]))
        assert [problem.reason for problem in alone.problems] == ([told[row]] if row in told else [])
        if row not in told:
            among = together.rows.take([list(together.positions).index(row)])
            pd.testing.assert_frame_equal(decoder.frame(among), decoder.frame(alone.rows), check_exact=True)


def test_a_column_that_is_there_twice_is_refused_by_name():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pytest.raises(TableProblem, match="two columns 'x'"):
        TableDecoder(Signature((COLUMNS["int64"],))).cast(table)


def test_a_table_without_a_field_is_refused_by_name():
    with pytest.raises(TableProblem, match="no column 'x'"):
        TableDecoder(Signature((COLUMNS["int64"],))).cast(pa.table({"y": [1]}))


@pytest.mark.parametrize(
    ("kind", "dtype", "expected"),
    [
        ("number", "float64", pa.float64()),
        ("integer", "int64", pa.int64()),
        ("integer", "float64", pa.float64()),
        ("boolean", "bool", pa.bool_()),
        ("string", "object", pa.string()),
        ("vector", "float64", pa.list_(pa.float64())),
        ("vector", "object", pa.string()),
        ("object", "object", pa.string()),
    ],
)
def test_predictions_have_one_type(kind, dtype, expected):
    assert prediction_type(Prediction(kind=kind, dtype=dtype)) == expected


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return projects.write(tmp_path_factory.mktemp("batch") / "src")


def rows_of(count):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "other": range(count),
            "Age": np.where(rng.random(count) < 0.2, np.nan, rng.uniform(1, 80, count)),
            "Sex": rng.choice(["male", "female"], count),
            "Fare": rng.uniform(-1, 90, count),
            "Big": 2**53 + rng.integers(0, 9, count),
            "When": pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 999, count), unit="h"),
        }
    )
    return frame.set_index(np.arange(count) * 2)


def test_answers_are_those_of_requests(project):
    frame = rows_of(300)
    model = Model.load(project)
    scored = Scorer(model).score(pa.Table.from_pandas(frame, preserve_index=False))
    decoder = Decoder(model.signature)
    rows = json.loads(frame.drop(columns="other").to_json(orient="records", date_format="iso", double_precision=15))
    for row, age, fare in zip(rows, frame["Age"], frame["Fare"], strict=True):
        row["Age"], row["Fare"] = None if np.isnan(age) else age, fare
        row["When"] = row["When"].removesuffix("Z")
    decoded = decoder.check({"rows": rows})
    assert not decoded.problems
    answer = seam.predictions(model, decoder, decoded.rows)
    assert scored.answers.column("prediction").to_pylist() == answer.predictions
    failed = {error.row: error.reason for error in answer.errors}
    assert failed
    assert dict(zip(scored.errors["row"].to_pylist(), scored.errors["reason"].to_pylist(), strict=True)) == failed
    told = scored.answers.column("error").to_pylist()
    assert [at for at, text in enumerate(told) if text is not None] == sorted(failed)


def test_a_row_by_itself_and_in_any_company_is_answered_alike(project):
    table = pa.Table.from_pandas(rows_of(60), preserve_index=False)
    scorer = Scorer.load(project)
    whole = scorer.score(table).answers
    order = np.random.default_rng(1).permutation(60)
    for size in (1, 7):
        for start in range(0, 60, size):
            part = order[start : start + size]
            assert scorer.score(table.take(pa.array(part))).answers.equals(whole.take(pa.array(part)))


def test_malformed_rows_are_told_and_their_neighbours_answered(project):
    table = pa.Table.from_pandas(rows_of(4), preserve_index=False)
    bad = pa.array([5.0, float("inf"), None, 7.0])
    table = table.set_column(table.schema.get_field_index("Fare"), "Fare", bad)
    scored = Scorer.load(project).score(table)
    assert [value is None for value in scored.answers["prediction"].to_pylist()] == [False, True, True, False]
    assert scored.errors["field"].to_pylist() == ["Fare", "Fare"]
    assert set(scored.errors["code"].to_pylist()) == {"row_malformed"}
    assert scored.answers["error"].to_pylist()[1].startswith("row_malformed: Fare: expected a number")


def test_one_imports_it_from_the_bento(project):
    script = """
import sys; sys.path.insert(0, sys.argv[1])
import pandas as pd, pyarrow as pa
from nb2prod_runtime.batch import bad_rows, score
frame = pd.DataFrame({"Age": [22.0, 3.0], "Sex": ["male", "female"], "Fare": [7.25, -1.0], "Big": [1, 2],
                      "When": pd.to_datetime(["2013-01-01", "2013-01-02"])}, index=["p", "q"])
made = score(frame)
assert list(made.index) == ["p", "q"] and list(made.columns) == ["prediction", "error"], made
assert made["error"].isna().tolist() == [True, False], made
batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
assert score(batch)["prediction"].to_pylist()[0] == made["prediction"].iloc[0]
assert bad_rows(frame)["row"].to_pylist() == [1]
print("nb2prod" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(project)], capture_output=True, text=True, check=False, cwd=project.parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "False"
