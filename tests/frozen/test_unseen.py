"""What training never saw: zeros in dummies, a missing value from a group table, code -1; what is missing stays so."""

import numpy as np
import pandas as pd
import pytest
import sklearn.preprocessing
from scipy import stats

from tests.frozen.replay import ROWS, Site, training

NAMES = {"pre": sklearn.preprocessing, "stats": stats}


def rows(**changes):
    """One row of training with other values."""
    row = training().iloc[[0]].reset_index(drop=True)
    for name, value in changes.items():
        row[name] = pd.Series([value], dtype=row[name].dtype)
    return row


@pytest.mark.parametrize("options", ["", ", drop_first=True", ", dummy_na=True", ", dtype=int", ", sparse=True"])
def test_an_unseen_category_has_no_dummy(options):
    site = Site(f'pd.get_dummies(df[["city", "age"]], columns=["city"]{options})')
    served = site.serve(rows(city="Atlantis"))
    assert list(served.columns) == list(site.training.columns)
    assert served.iloc[:, 1:].to_numpy().sum() == 0


def test_a_missing_value_has_its_dummy_only_if_asked_for():
    asked = Site('pd.get_dummies(df["city"], dummy_na=True)')
    assert asked.serve(rows(city=None)).to_numpy().tolist() == [[False] * 5 + [True]]
    plain = Site('pd.get_dummies(df["city"])')
    assert plain.serve(rows(city=None)).to_numpy().sum() == 0


def test_an_unused_category_has_its_dummy():
    assert "size_L" in Site('pd.get_dummies(df["size"], prefix="size")').serve(rows(size="L")).columns


def test_unseen_words_have_no_column():
    site = Site('df["tags"].str.get_dummies()')
    assert site.serve(rows(tags="x|new")).to_numpy().tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    "source",
    ['pd.factorize(df["city"])[0]', 'pd.factorize(df["city"], use_na_sentinel=False)[0]',
     'np.unique(df["city"].fillna("?"), return_inverse=True)[1]'],
)  # fmt: skip
def test_an_unseen_value_has_code_minus_one(source):
    site = Site(source.rpartition("[")[0])
    assert site.serve(rows(city="Atlantis"))[int(source[-2])].tolist() == [-1]


def test_an_unseen_category_is_missing():
    served = Site('df["city"].astype("category")').serve(rows(city="Atlantis"))
    assert served.isna().all()
    assert served.cat.codes.tolist() == [-1]


@pytest.mark.parametrize("call", ["cut", "qcut"])
def test_a_value_outside_the_bins_is_missing(call):
    served = Site(f'pd.{call}(df["age"], 3)').serve(rows(age=500.0))
    assert served.isna().all()
    codes = Site(f'pd.{call}(df["count"], 3, labels=False)').serve(rows(count=500))
    assert codes.isna().all()


@pytest.mark.parametrize("statistic", ["mean", "count", "nunique", "first", "any"])
def test_an_unseen_group_has_no_statistic(statistic):
    site = Site(f'df.groupby("city")["count"].transform("{statistic}")')
    assert site.serve(rows(city="Atlantis")).isna().all()
    assert site.serve(rows(city=None)).isna().all()


def test_a_seen_group_beside_an_unseen_one_keeps_its_value():
    site = Site('df.groupby("city")["count"].transform("max")')
    pair = pd.concat([rows(), rows(city="Atlantis")], ignore_index=True)
    assert site.serve(pair).tolist()[0] == site.training[0]


def test_in_an_unseen_group_a_row_keeps_its_own_value_and_a_gap_stays():
    site = Site('df.groupby("city")["age"].transform(lambda s: s.fillna(s.mean()))')
    assert site.serve(rows(city="Atlantis", age=33.0)).tolist() == [33.0]
    assert site.serve(rows(city="Atlantis", age=np.nan)).isna().all()
    mode = Site('df.groupby("city")["deck"].transform(lambda s: s.fillna(s.mode()[0]))')
    assert mode.serve(rows(city="Atlantis", deck="C")).tolist() == ["C"]
    assert mode.serve(rows(city="Atlantis", deck=None)).isna().all()


def test_a_group_function_fills_a_gap_with_the_statistic_of_training():
    site = Site('df.groupby("klass")["age"].transform(lambda s: s.fillna(s.mean()))')
    gap = rows(age=np.nan)
    mean = site.table.groupby("klass")["age"].mean()[gap["klass"][0]]
    assert site.serve(gap).tolist() == [mean]


def test_an_unseen_group_has_no_number():
    assert Site('df.groupby("city").ngroup()').serve(rows(city="Atlantis")).isna().all()


def test_a_label_encoder_refuses_as_it_does_in_the_notebook():
    site = Site('pre.LabelEncoder().fit_transform(df["city"].fillna("?"))', **NAMES)
    with pytest.raises(ValueError, match="unseen"):
        site.serve(rows(city="Atlantis"))


def test_more_parts_than_training_had_are_left_out():
    site = Site('df["text"].str.split(expand=True)')
    assert site.serve(rows(text="1 2 3 4 5")).to_numpy().tolist() == [["1", "2", "3"]]


def test_a_value_that_is_no_number_is_missing_where_the_notebook_said_so():
    served = Site('pd.to_numeric(df["number"], errors="coerce")').serve(rows(number="many"))
    assert served.isna().all()


def test_dates_are_read_as_training_read_them():
    site = Site(
        'pd.to_datetime(df["day"], errors="coerce")', training().assign(day=["01/02/2024"] + ["13/02/2024"] * 29)
    )
    assert site.training.isna().sum() == ROWS - 1
    assert site.serve(rows(day="02/03/2024")).dt.month.tolist() == [2]
    assert site.serve(rows(day="25/03/2024")).isna().all()


EMPTY = """
    pd.get_dummies(df, columns=["city"])
    df["tags"].str.get_dummies()
    pd.factorize(df["city"])
    df["city"].astype("category")
    pd.cut(df["age"], 3)
    pd.qcut(df["age"], 3)
    df.groupby("city")["age"].transform("mean")
    df.groupby("city")["age"].transform(lambda s: s.fillna(s.mean()))
    stats.zscore(df["fare"])
    pre.scale(df[["fare"]])
    df.dropna(axis=1)
    pd.to_datetime(df["day"])
    df["text"].str.split(expand=True)
    df["deck"].map({"A": 1, "B": 2})
    df[["age", "fare"]].apply(lambda c: c.fillna(c.mean()))
"""


@pytest.mark.parametrize("source", [line.strip() for line in EMPTY.strip().splitlines()])
def test_no_rows_give_no_rows(source):
    site = Site(source, **NAMES)
    served = site.serve(site.table.iloc[:0].reset_index(drop=True))
    first, trained = (served[0], site.training[0]) if isinstance(served, tuple) else (served, site.training)
    assert len(first) == 0
    if isinstance(trained, pd.DataFrame):
        assert list(first.columns) == list(trained.columns)
        assert list(first.dtypes) == list(trained.dtypes)
    else:
        assert first.dtype == trained.dtype
