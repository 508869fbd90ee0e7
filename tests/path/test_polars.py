"""Notebooks that hold their tables in polars: followed, composed and tried as those in pandas are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nb2prod.errors import Refused
from tests.path import inprocess

pl = pytest.importorskip("polars")

LOAD = """import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

df = pl.read_csv("d.csv", try_parse_dates=True)"""
FIT = 'model = DecisionTreeClassifier(random_state=0).fit(X[:60], df["y"].to_numpy()[:60])'
PREDICT = "pred = model.predict(X[60:])"

CASES = {
    "expressions over columns": [
        (None, 'X = df.with_columns((pl.col("age") * pl.col("fare")).alias("af")).select("age", "fare", "af").to_numpy()'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "a table is given to the model": [
        (None, 'X = df.select(pl.col("age"), (pl.col("fare") + 1).log().alias("log_fare"))'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "a mean is kept, a missing value filled with it": [
        (None, 'mean = df["gap"].mean()\nX = df.with_columns(pl.col("gap").fill_null(mean)).select("age", "gap").to_numpy()'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "categories by when and then, texts by their length": [
        (
            None,
            ('X = df.select(pl.when(pl.col("city") == "Rome").then(1).otherwise(0).alias("rome"),'
            ' pl.col("city").str.len_chars(), "age").to_numpy()'),
        ),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "parts of a date": [
        (None, 'X = df.select(pl.col("day").dt.weekday(), pl.col("day").dt.month().alias("month"), "age").to_numpy()'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "a split by scikit-learn": [
        (None, 'X = df.select("age", "fare")\na, b, c, d = train_test_split(X, df["y"], random_state=0)'),
        ("train", "model = LogisticRegression().fit(a, c)"),
        ("predict", "pred = model.predict_proba(b)[:, 1]"),
    ],
    "sorted, then cut": [
        (None, 'df = df.sort("age", "fare")\nX = df.select("age", "fare").to_numpy()'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "prices joined by key": [
        (
            None,
            ('prices = pl.DataFrame({"city": ["Rome", "Oslo", "Bern"], "price": [1.0, 2.5, 4.0]})\n'
            'X = df.join(prices, on="city", how="left", maintain_order="left").select("age", "price").to_numpy()'),
        ),
        ("train", FIT),
        ("predict", PREDICT),
    ],
    "into pandas": [
        (None, 'table = df.select("age", "fare").to_pandas()\nX = table.assign(s=table.age + table.fare)'),
        ("train", FIT),
        ("predict", PREDICT),
    ],
}  # fmt: skip


def tables(folder: Path) -> None:
    """The table that the notebooks read."""
    i = np.arange(90)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(i % 50, unit="D")
    pd.DataFrame(
        {
            "age": 20 + i * 7 % 41,
            "fare": (i % 7) + 0.5,
            "gap": np.where(i % 9 == 4, np.nan, i % 11),
            "city": np.array(["Rome", "Oslo", "Bern"])[i % 3],
            "day": days.strftime("%Y-%m-%d"),
            "y": (i * 5 % 3 > 0).astype(int),
        }
    ).to_csv(folder / "d.csv", index=False)


def planned(folder: Path, cells: list[tuple[str | None, str]]) -> inprocess.ServingPath:
    """The plan of a notebook that loads the table, then has these cells."""
    tables(folder)
    return inprocess.plan([(None, "import pandas as pd\n" + LOAD), *cells], folder)


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
def test_it_is_followed_and_gives_the_notebooks_own_answers(cells, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = planned(tmp_path, cells)
    assert "polars_table(rows" in made.composition.features
    assert "y" not in made.fields


def test_rows_that_a_condition_leaves_out_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [
        (None, 'df = df.filter(pl.col("age") > 25)\nX = df.select("age", "fare").to_numpy()'),
        ("train", 'model = DecisionTreeClassifier(random_state=0).fit(X[:40], df["y"].to_numpy()[:40])'),
        ("predict", "pred = model.predict(X[40:])"),
    ]
    made = planned(tmp_path, cells)
    assert [f.klass for f in made.filters] == ["validity"]
    row = {"age": 30, "fare": 2.5}
    assert inprocess.refusals(made, tmp_path, [row, {**row, "age": 21}])[0] is None
    assert 'pl.col("age") > 25' in (inprocess.refusals(made, tmp_path, [{**row, "age": 21}])[0] or "").replace("'", '"')


def test_a_mean_inside_of_an_expression_is_no_rows_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [
        (None, 'X = df.select(pl.col("age") - pl.col("age").mean(), "fare").to_numpy()'),
        ("train", FIT),
        ("predict", PREDICT),
    ]
    with pytest.raises(Refused):
        planned(tmp_path, cells)


def test_a_lazy_table_comes_in_where_it_is_collected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [
        (None, 'df = pl.scan_csv("d.csv").filter(pl.col("age") > 0).collect()'),
        (None, 'X = df.lazy().with_columns((pl.col("age") * 2).alias("twice")).select("twice", "fare").collect()'),
        ("train", FIT),
        ("predict", PREDICT),
    ]
    assert planned(tmp_path, cells).fields == ("age", "fare")


def test_groups_are_values_and_no_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [
        (
            None,
            (
                'means = df.group_by("city").agg(pl.col("fare").mean().alias("usual"))\n'
                'usual = dict(zip(means["city"].to_list(), means["usual"].to_list()))\n'
                'X = df.select("age", pl.col("city").replace_strict(usual, return_dtype=pl.Float64).alias("usual")).to_numpy()'
            ),
        ),
        ("train", FIT),
        ("predict", PREDICT),
    ]
    made = planned(tmp_path, cells)
    assert {value.name for value in made.composition.captured} >= {"usual", "model"}
