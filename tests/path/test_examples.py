"""Made examples: of the signature's types, never a training row, always the same."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from nb2prod.path.trial import examples, reference
from nb2prod.runtime import rows as runtime_rows
from nb2prod.runtime.describe import columns
from nb2prod.runtime.signature import Signature

N = 500


def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": np.where(random.random(N) < 0.1, np.nan, random.normal(40, 10, N).round(1)),
            "rooms": random.integers(1, 6, N),
            "big": pd.array([None, *random.integers(1, 9, N - 1)], dtype="Int64"),
            "sold": random.random(N) < 0.5,
            "city": random.choice(["Rome", "Oslo", "Bonn"], N),
            "note": [f"note {n}" for n in range(N)],
            "who": [f"No{n}, {random.choice(['Mr.', 'Mrs.'])} {random.choice(['John', 'Ann'])}" for n in range(N)],
            "day": pd.date_range("2020-01-01", periods=N, freq="h").strftime("%d.%m.%Y %H:%M"),
            "at": pd.date_range("2020-01-01", periods=N, freq="h"),
            "zone": pd.date_range("2020-01-01", periods=N, freq="h", tz="Europe/Berlin"),
            "born": [dt.date(1980, 1, 1) + dt.timedelta(days=n % 90) for n in range(N)],
            "grade": pd.Categorical(random.choice(["a", "b"], N)),
            7: random.random(N),
            "price": random.random(N),
        }
    )


def signature(data, target="price"):
    return {
        "schema": 1,
        "model": {"name": "m"},
        "notebook": "m.ipynb",
        "raw_table": "df",
        "row_kind": "frame",
        "columns": columns(data, fields=set(data.columns) - {target}, targets={target}),
        "prediction": {"name": "y", "dtype": "float64", "kind": "number", "labels": None},
        "features": {"kind": "frame", "names": None},
        "batching": True,
    }


def made(data, **options):
    return examples.make(signature(data), reference.describe(data), data, **options)


def test_rows_satisfy_the_signature_by_the_runtimes_own_reading():
    data = frame()
    document = made(data)
    assert len(document["rows"]) == 3
    decoded = runtime_rows.decode(json.dumps({"rows": document["rows"]}).encode(), Signature.from_json(signature(data)))
    assert not decoded.problems
    assert len(decoded.frame) == 3


def test_rows_have_every_field_and_not_the_target():
    data = frame()
    for row in made(data)["rows"]:
        assert list(row) == [str(name) for name in data.columns if name != "price"]


def test_the_same_input_gives_the_same_examples():
    assert made(frame()) == made(frame())


def test_dates_as_text_keep_their_format():
    for row in made(frame())["rows"]:
        assert pd.to_datetime(row["day"], format="%d.%m.%Y %H:%M")


def test_texts_that_all_differ_are_made_of_common_words_or_neutral():
    data = frame()
    for row in made(data)["rows"]:
        assert row["who"] not in set(data["who"])
        assert set(row["who"].split()) <= {"Mr.", "Mrs.", "John", "Ann"}
        assert row["note"] not in set(data["note"])


def test_values_meet_in_new_company():
    rows = made(frame())["rows"]
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == 3
    assert len({row["city"] for row in rows}) > 1
    assert len({row["rooms"] for row in rows}) > 1


def test_no_example_is_a_training_row():
    """Here every common combination but a few is a training row."""
    data = pd.DataFrame({"x": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0] * 2, "y": list("aabbba") * 2, "price": 0.0})
    data = data[~((data["x"] == 1) & (data["y"] == "b"))]
    rows = examples.make(signature(data), reference.describe(data), data)["rows"]
    trained = {(x, y): n for (x, y), n in data.groupby(["x", "y"]).size().items()}
    assert rows
    assert all(not 0 < trained.get((row["x"], row["y"]), 0) < reference.MIN_GROUP for row in rows)


def test_where_every_combination_occurs_a_shared_row_is_taken():
    data = pd.DataFrame({"x": [True, False] * 50, "price": 0.0})
    rows = examples.make(signature(data), reference.describe(data), data)["rows"]
    assert {row["x"] for row in rows} == {True, False}


def test_rows_that_the_model_does_not_answer_are_left_out():
    data = frame()
    document = made(data, accept=lambda rows: [row["city"] != "Rome" for row in rows])
    assert len(document["rows"]) == 3
    assert all(row["city"] != "Rome" for row in document["rows"])
    assert made(data, accept=lambda rows: [False] * len(rows))["rows"] == []


@pytest.mark.parametrize("count", [1, 4])
def test_a_tiny_training_frame_still_gives_rows_of_the_right_types(count):
    data = frame().head(3)
    document = made(data, count=count)
    decoded = runtime_rows.decode(json.dumps({"rows": document["rows"]}).encode(), Signature.from_json(signature(data)))
    assert not decoded.problems
