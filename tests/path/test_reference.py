"""Training's distributions: right numbers, and nothing that points at a row."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.path.trial import reference


def test_numbers_have_moments_quantiles_and_a_histogram():
    values = pd.Series([float(n) for n in range(1, 201)] + [np.nan] * 50)
    facts = reference.describe_column(values)
    assert (facts["type"], facts["count"], facts["missing"], facts["missing_share"]) == ("number", 200, 50, 0.2)
    assert facts["mean"] == 100.5
    assert facts["quantiles"]["0.5"] in (100.0, 101.0)
    assert sum(facts["histogram"]["counts"]) == 200
    assert len(facts["histogram"]["edges"]) == len(facts["histogram"]["counts"]) - 1
    assert max(facts["histogram"]["counts"]) <= 12


def test_a_quantile_is_a_value_that_occurs():
    facts = reference.describe_column(pd.Series([1, 2, 11, 12] * 10))
    assert set(facts["quantiles"].values()) <= {1, 2, 11, 12}


def test_an_outlier_is_not_told():
    facts = reference.describe_column(pd.Series([*range(1000), 9_876_543]))
    facts.pop("mean")
    facts.pop("std")
    assert "987654" not in json.dumps(facts)


def test_integers_with_few_values_are_counted_one_by_one():
    facts = reference.describe_column(pd.Series([0] * 990 + [1] * 7 + [2] * 3))
    assert facts["categories"] == [{"value": 0, "count": 990}, {"value": 1, "count": 7}]
    assert facts["other"] == {"count": 3, "distinct": 1}
    assert "categories" not in reference.describe_column(pd.Series(range(1000)))


def test_rare_categories_are_folded_into_other():
    values = pd.Series(["often"] * 10 + ["five"] * 5 + ["rare"] * 4 + ["Jane Doe", None])
    facts = reference.describe_column(values)
    assert facts["categories"] == [{"value": "often", "count": 10}, {"value": "five", "count": 5}]
    assert facts["other"] == {"count": 5, "distinct": 2}
    assert (facts["count"], facts["missing"], facts["distinct"]) == (20, 1, 4)


def test_texts_that_all_differ_are_counted_and_not_told():
    facts = reference.describe_column(pd.Series([f"person {n}" for n in range(100)]))
    assert "person" not in json.dumps(facts)
    assert facts["other"] == {"count": 100, "distinct": 100}


def test_fewer_than_five_values_are_only_counted():
    assert reference.describe_column(pd.Series([1.0, 2.0, None])) == {
        "type": "number",
        "count": 2,
        "missing": 1,
        "missing_share": 0.333333,
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1, 2]), "integer"),
        (pd.Series([1, None], dtype="Int64"), "integer"),
        (pd.Series([1.5]), "number"),
        (pd.Series([True]), "boolean"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series([True, None], dtype=object), "boolean"),
        (pd.Series(["a"]), "string"),
        (pd.Series(["a", None], dtype=object), "string"),
        (pd.Series(["a"], dtype="category"), "category"),
        (pd.Series(pd.to_datetime(["2020-01-01"])), "datetime"),
        (pd.Series([[1], "a"], dtype=object), "object"),
    ],
)
def test_each_dtype_has_its_kind(values, kind):
    assert reference.kind_of(values) == kind


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_have_a_histogram_in_iso_8601(zone):
    values = pd.Series(pd.date_range("2020-01-01", periods=100, freq="D", tz=zone))
    facts = reference.describe_column(values)
    edges = [pd.Timestamp(edge) for edge in facts["histogram"]["edges"]]
    assert edges == sorted(edges)
    assert sum(facts["histogram"]["counts"]) == 100
    assert all(str(edge.tz) == str(values.iloc[0].tz) or edge.tz is not None for edge in edges)


def test_categories_that_are_numbers_or_dates_stay_json():
    frame = pd.DataFrame(
        {
            "grade": pd.Categorical([1, 2] * 5),
            "day": pd.Categorical(pd.to_datetime(["2020-01-01"] * 10)),
            "flag": [np.bool_(True)] * 10,
        }
    )
    columns = json.loads(json.dumps(reference.describe(frame)))["columns"]
    assert [item["value"] for item in columns["grade"]["categories"]] == [1, 2]
    assert columns["day"]["categories"][0]["value"] == "2020-01-01T00:00:00"
    assert columns["flag"]["categories"][0]["value"] is True


@pytest.mark.parametrize(
    ("predictions", "kind"),
    [
        (np.array([0, 1] * 5), "integer"),
        (pd.Series([0.5] * 10), "number"),
        (["yes", "no"] * 5, "string"),
        (np.array(["yes", "no"] * 5), "string"),
        (np.random.default_rng(0).random((10, 3)), "vector"),
        ([[0.1, 0.9]] * 10, "vector"),
        (pd.DataFrame({"a": [1.0] * 10, "b": [2.0] * 10}), "vector"),
        ([{"a": 1}] * 10, "object"),
    ],
)
def test_predictions_of_every_form(predictions, kind):
    document = reference.describe(pd.DataFrame({"x": [1]}), predictions, prediction_name="y")
    assert document["prediction"]["name"] == "y"
    assert document["prediction"]["type"] == kind
    json.dumps(document, allow_nan=False)


def test_infinity_counts_at_the_end_of_the_histogram():
    facts = reference.describe_column(pd.Series([*map(float, range(100)), np.inf, -np.inf]))
    assert sum(facts["histogram"]["counts"]) == 102
    json.dumps(facts, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(allow_nan=True, width=32), st.integers(-5, 5).map(float)), max_size=200))
def test_no_bin_stands_for_fewer_than_five_rows(values):
    facts = reference.describe_column(pd.Series(values, dtype="float64"))
    json.dumps(facts, allow_nan=False)
    histogram = facts.get("histogram")
    if histogram:
        assert sum(histogram["counts"]) == facts["count"]
        assert min(histogram["counts"]) >= reference.MIN_GROUP or len(histogram["counts"]) == 1
        assert len(histogram["edges"]) == len(histogram["counts"]) - 1
