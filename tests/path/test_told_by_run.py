"""What a build says of a notebook is what its run has shown: of formats, of fitted rows, of fields, of values kept as code."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod import notebook
from nb2prod.afterwards import compare
from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.path import show
from nb2prod.path.serving_path import ServingPath
from tests.path import inprocess

LOAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(40)
days = ["04/29/2017", "09/24/2016", "11/05/2016", "10/01/2016"] * 10
short = ["4/29/17", "9/24/16", "11/5/16", "10/1/16"] * 10
df = pd.DataFrame({"day": days, "short": short, "a": i % 7 + 0.5, "other": i % 3, "price": i % 5 + 1.0})"""


def said(cells: list[tuple[str | None, str]], folder: Path) -> tuple[list[Diagnostic], ServingPath]:
    """What a build of these cells says, and its plan."""
    serving = inprocess.plan(cells, folder)
    found = compare(notebook.read(folder / "book.ipynb"), Options(), serving).diagnostics
    return list(found), serving


def of(code: str, found: list[Diagnostic]) -> list[Diagnostic]:
    return [item for item in found if item.code == code]


@pytest.mark.parametrize(("column", "form"), [("day", "'%m/%d/%Y'"), ("short", None)])
def test_a_date_has_the_format_that_the_run_found_or_none(column: str, form: str | None, tmp_path: Path) -> None:
    found, _ = said(
        [
            (None, LOAD),
            ("feature", f'X = pd.to_datetime(df["{column}"]).dt.month.to_frame()'),
            ("train", 'model = LinearRegression().fit(X[:30], df["price"][:30])'),
            ("predict", "y_pred = model.predict(X[30:])"),
        ],
        tmp_path,
    )
    (item,) = of("F14", found)
    if form is None:
        assert "pd.to_datetime(" not in item.hint
    else:
        assert form in item.message
        assert form in item.hint


def cells(fit: str, predict: str, feature: str = 'X = df[["a"]]') -> list[tuple[str | None, str]]:
    return [(None, LOAD), ("feature", feature), ("train", fit), ("predict", predict)]


HELD = 'model = LinearRegression().fit(X[:30], df["price"][:30])'
SCORES = """def evaluate(rows):
    print(model.predict(X[:30]).mean())
    return model.predict(rows)
y_pred = evaluate(X[30:])"""


@pytest.mark.parametrize(
    ("fit", "predict", "warned"),
    [
        (HELD, "y_pred = model.predict(X[30:])", False),
        (HELD, SCORES, False),
        (HELD, "y_pred = model.predict(X[:20])", True),
        ('model = LinearRegression().fit(X, df["price"])', "y_pred = model.predict(X[30:])", True),
    ],
)
def test_fitted_rows_are_told_by_the_run(fit: str, predict: str, warned: bool, tmp_path: Path) -> None:
    found, _ = said(cells(fit, predict), tmp_path)
    assert bool(of("T5", found)) is warned


def test_a_renamed_field_is_not_said_to_change_nothing(tmp_path: Path) -> None:
    upper = "df.columns = df.columns.str.upper()\nX = df[['A']]"
    found, serving = said(cells(HELD.replace("price", "PRICE"), "y_pred = model.predict(X[30:])", upper), tmp_path)
    assert serving.fields == ("a",)
    for item in of("N17", found):
        assert "'A'" not in item.message or "no column of that name" in item.message


def test_what_is_left_out_of_a_request_is_not_called_needless(tmp_path: Path) -> None:
    _, serving = said(cells(HELD, "y_pred = model.predict(X[30:])"), tmp_path)
    text = show.text(serving)
    assert "not needed" not in text
    assert "left out    day, short, other" in text
    assert "changed no answer of the rows that were tried" in text


def test_a_value_that_is_kept_as_code_is_told(tmp_path: Path) -> None:
    fit = "import statsmodels.api as sm\nmodel = sm.OLS(df['price'][:30], X[:30]).fit()"
    _, serving = said(cells(fit, "y_pred = model.predict(X[30:])"), tmp_path)
    assert serving.as_code == {"model"}
    assert "[kept as code, by cloudpickle]" in show.text(serving)
    (kept,) = serving.to_json()["captured"]
    assert kept["as_code"] is True


@pytest.mark.parametrize(("model", "rows"), [("KNeighborsRegressor(3)", 30), ("DecisionTreeRegressor(max_depth=2)", 0)])
def test_a_value_that_holds_rows_of_training_is_told(model: str, rows: int, tmp_path: Path) -> None:
    fit = f"""from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor
model = make_pipeline({model}).fit(X[:30], df['price'][:30])"""
    _, serving = said(cells(fit, "y_pred = model.predict(X[30:])"), tmp_path)
    (kept,) = serving.to_json()["captured"]
    assert kept["rows_held"] == rows
    assert ("holds 30 rows of the notebook's tables" in show.text(serving)) == bool(rows)


def test_rounding_is_no_trace_of_the_target(tmp_path: Path) -> None:
    """A sum that holds the target, and the target taken off again, differs in its last bit: neither N13 nor F12."""
    feature = "df['t'] = df['price'] + 0.3\nX = pd.DataFrame({'s': (df['a'] + df['other'] * 0.1 + df['t']) - df['t']})"
    found, serving = said(cells(HELD, "y_pred = model.predict(X[30:])", feature), tmp_path)
    assert serving.fields == ("a", "other")
    assert not of("F12", found)


@pytest.mark.parametrize(
    "feature",
    [
        "f, g = lambda v: v + 1, lambda v: v * 2",
        "def make(k):\n    return lambda v: v + k, lambda v: v * k\nf, g = make(3)",
    ],
)
def test_two_lambdas_named_in_one_statement_are_both_served(feature: str, tmp_path: Path) -> None:
    made = f"{feature}\nX = pd.DataFrame({{'s': df['a'].apply(f) + df['other'].apply(g)}})"
    _, serving = said(cells(HELD, "y_pred = model.predict(X[30:])", made), tmp_path)
    assert serving.fields == ("a", "other")
