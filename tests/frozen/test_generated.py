"""On generated tables: any choice of training's rows, in any order, gets what it got in training."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2prod.recording.kernel.frozen import NoEntry
from tests.frozen.replay import PandasRefuses, Site, assert_same, at

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

labels = st.one_of(st.none(), st.sampled_from(["a", "b", "ü", "", "nan", "None", "a_b"]), st.text(max_size=3))
numbers = st.one_of(
    st.none(), st.integers(-5, 5).map(float), st.floats(-1e6, 1e6, allow_nan=False, width=32), st.just(0.1)
)


@st.composite
def tables(draw):
    length = draw(st.integers(2, 25))
    column = lambda values: draw(st.lists(values, min_size=length, max_size=length))  # noqa: E731
    return pd.DataFrame(
        {
            "label": pd.Series(column(labels), dtype=draw(st.sampled_from(["str", "object"]))),
            "other": pd.Series(column(st.sampled_from(["x", "y", "z"])), dtype="str"),
            "number": pd.Series(column(numbers), dtype="float64"),
            "whole": pd.Series(column(st.integers(-3, 8)), dtype="int64"),
            "flag": pd.Series(column(st.booleans()), dtype="bool"),
            "when": pd.Series(
                column(st.one_of(st.none(), st.integers(0, 400))), dtype="float64"
            ).map(lambda d: pd.Timestamp("2024-01-01") + pd.Timedelta(hours=d) if d == d else pd.NaT),
        }
    )  # fmt: skip


def holds(source, table, data):
    """The operation is served right on a drawn choice of rows; where pandas itself refuses there is nothing to hold."""
    try:
        site = Site(source, table)
    except PandasRefuses:
        return
    except NoEntry as unkept:
        gone = "All of training's values are missing", "there is not one value for each row"
        assert unkept.why.startswith(gone)  # noqa: PT017 - an answer, not what is tested
        assert table.isna().all().any()
        return
    length = len(table)
    positions = data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=length), label="rows")
    for chosen in (list(range(length)), positions, positions[:1]):
        served = site.serve(table.iloc[chosen].reset_index(drop=True))
        assert_same(served, at(site.training, chosen, length), source)


@FEW
@given(
    tables(),
    st.sampled_from([["label"], ["label", "other"], ["other", "whole"], ["flag", "label"], None]),
    st.booleans(), st.booleans(), st.sampled_from(["", ", dtype=int", ", dtype='float32'"]), st.data(),
)  # fmt: skip
def test_get_dummies(table, columns, first, gaps, dtype, data):
    holds(f"pd.get_dummies(df, columns={columns}, drop_first={first}, dummy_na={gaps}{dtype})", table, data)


@FEW
@given(tables(), st.sampled_from(["label", "number", "whole", "flag", "when"]), st.booleans(), st.booleans(), st.data())
def test_get_dummies_of_a_series(table, column, first, gaps, data):
    holds(f"pd.get_dummies(df[{column!r}], drop_first={first}, dummy_na={gaps})", table, data)


@FEW
@given(tables(), st.sampled_from(["label", "number", "whole", "flag", "when"]), st.booleans(), st.booleans(), st.data())
def test_factorize(table, column, ordered, sentinel, data):
    source = f"pd.factorize(df[{column!r}], sort={ordered}, use_na_sentinel={sentinel})"
    try:
        site = Site(source, table)
    except PandasRefuses:
        return
    chosen = data.draw(st.lists(st.integers(0, len(table) - 1), min_size=1), label="rows")
    codes, uniques = site.serve(table.iloc[chosen].reset_index(drop=True))
    assert codes.tolist() == site.training[0][chosen].tolist()
    assert codes.dtype == site.training[0].dtype
    assert_same(uniques, site.training[1], source)


@FEW
@given(tables(), st.sampled_from(["label", "number", "whole", "flag", "when"]), st.data())
def test_as_category(table, column, data):
    holds(f"df[{column!r}].astype('category')", table, data)


@FEW
@given(
    tables(), st.sampled_from(["number", "whole", "when"]), st.integers(1, 6), st.sampled_from(["None", "False"]),
    st.booleans(), st.data(),
)  # fmt: skip
def test_cut(table, column, bins, names, right, data):
    holds(f"pd.cut(df[{column!r}], {bins}, labels={names}, right={right})", table, data)


@FEW
@given(
    tables(), st.sampled_from(["number", "whole", "when"]), st.integers(1, 6), st.sampled_from(["None", "False"]),
    st.data(),
)  # fmt: skip
def test_qcut(table, column, bins, names, data):
    holds(f"pd.qcut(df[{column!r}], {bins}, labels={names}, duplicates='drop')", table, data)


KEYS = ['"label"', '["other", "flag"]', '["label", "whole"]', '"number"', '["label"]', '"when"']


@FEW
@given(
    tables(), st.sampled_from(KEYS), st.sampled_from(["number", "whole", "flag"]), st.booleans(),
    st.sampled_from(["mean", "median", "std", "sum", "min", "count", "size", "nunique", "first", "quantile"]), st.data(),
)  # fmt: skip
def test_group_statistic(table, keys, column, dropna, statistic, data):
    holds(f'df.groupby({keys}, dropna={dropna})[{column!r}].transform("{statistic}")', table, data)


FUNCTIONS = [
    "s.fillna(s.mean())",
    "s.fillna(s.median())",
    "s.fillna(s.mode()[0] if len(s.mode()) else -1.0)",
    "(s - s.mean()) / s.std()",
    "s.clip(s.quantile(0.1), s.quantile(0.9))",
    "np.where(s.isna(), np.nanmedian(s), s)",
    "s.fillna(0) if s.isna().all() else s - s.min()",
]


@FEW
@given(tables(), st.sampled_from(KEYS), st.sampled_from(FUNCTIONS), st.booleans(), st.data())
def test_group_function(table, keys, function, dropna, data):
    with np.errstate(all="ignore"):
        holds(f'df.groupby({keys}, dropna={dropna})["number"].transform(lambda s: {function})', table, data)


@FEW
@given(tables(), st.sampled_from(FUNCTIONS), st.data())
def test_column_function(table, function, data):
    with np.errstate(all="ignore"):
        holds(f'df[["number", "whole"]].apply(lambda s: {function})', table, data)
