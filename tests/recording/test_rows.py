"""Which raw rows the result of an operation carries: one small program a case."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.recording.inprocess import run

ALL = [0, 1, 2, 3, 4, 5]
MERGES_IN_ORDER = tuple(int(part) for part in pd.__version__.split(".")[:2]) >= (2, 2)

CASES: list[tuple[str, list[int] | None]] = [
    # columns and arithmetic
    ("r = df['a']", ALL),
    ("r = df.a", ALL),
    ("r = df[['a', 'c']]", ALL),
    ("r = df['a'] + df['c']", ALL),
    ("r = df.a > 2", ALL),
    ("r = -df.c", ALL),
    ("r = ~df.a.isna()", ALL),
    ("r = (df.a > 2) & (df.c < 50)", ALL),
    ("r = 1 / df.c", ALL),
    ("r = df.c ** 2 // 3", ALL),
    ("r = df.assign(e=df.c * 2)", ALL),
    ("r = df.assign(e=lambda t: t.c * 2)", ALL),
    ("r = df.copy()", ALL),
    ("r = df.rename(columns={'a': 'z'})", ALL),
    ("r = df.drop(columns='a')", ALL),
    ("r = df.drop('a', axis=1)", ALL),
    ("r = df.drop(['a', 'b'], axis='columns')", ALL),
    ("r = df.astype({'c': float})", ALL),
    ("r = np.ones(len(df))", ALL),
    ("r = np.zeros((df.shape[0], 1))", ALL),
    ("r = np.full(shape=(len(df.index), 2), fill_value=3.0)", ALL),
    ("r = np.c_[np.ones((df.shape[0], 1)), df[['a', 'c']].values]", ALL),
    ("r = np.ones(6)", None),
    ("r = np.ones(len(df.columns))", None),
    ("r = df[['a', 'c']].sum(axis=1)", ALL),
    ("r = df[['a', 'c']].mean(axis='columns')", ALL),
    ("r = df[['a', 'c']].idxmax(axis=1)", ALL),
    ("r = df[['a', 'c']].isna().any(axis=1)", ALL),
    ("r = df[['a', 'c']].max(1)", ALL),
    ("r = df[['a', 'c']].max(0)", None),
    ("r = df[['a', 'c']].nunique(axis=1)", ALL),
    ("r = df.a.fillna(0)", ALL),
    ("r = df.a.fillna(df.a.mean())", ALL),
    ("r = df.fillna({'a': 0})", ALL),
    ("r = df.b.map({'x': 1})", ALL),
    ("r = df.b.str.upper()", ALL),
    ("r = df.b.str[0]", ALL),
    ("r = df.b.str.len()", ALL),
    ("r = pd.to_datetime(df.d).dt.month", ALL),
    ("r = df.a.apply(lambda v: v)", ALL),
    ("r = df.apply(lambda row: row['c'], axis=1)", ALL),
    ("r = df[['a', 'c']].apply(lambda col: col * 2)", ALL),
    ("r = df.c.where(df.c > 20, 0)", ALL),
    ("r = df.c.mask(df.c > 20)", ALL),
    ("r = df.c.clip(15, 45)", ALL),
    ("r = df.b.isin(['x'])", ALL),
    ("r = df.c.between(20, 40)", ALL),
    ("r = df.replace({'x': 'q'})", ALL),
    ("r = df.isna()", ALL),
    ("r = df.select_dtypes('number')", ALL),
    ("r = df.filter(like='a')", ALL),
    ("r = df.loc[:, ['a']]", ALL),
    ("r = df.iloc[:, 1:]", ALL),
    ("r = df.iloc[:, 0]", ALL),
    ("r = pd.get_dummies(df.b)", ALL),
    ("r = pd.get_dummies(df, columns=['b'])", ALL),
    ("r = pd.cut(df.c, [0, 25, 100])", ALL),
    ("r = df.groupby('b')['c'].transform('mean')", ALL),
    ("r = pd.concat([df[['a']], df[['c']]], axis=1)", ALL),
    ("r = df.pipe(lambda t: t[['a']])", ALL),
    ("r = df.join(df[['c']].rename(columns={'c': 'e'}))", ALL),
    ("r = df.set_index('c')", ALL),
    ("r = df.set_index('c').reset_index()", ALL),
    ("r = df.reset_index(drop=True)", ALL),
    ("r = df.eval('c * 2')", ALL),
    ("r = df.to_dict('records')", ALL),
    ("r = df.b.tolist()", ALL),
    ("r = list(df.b)", ALL),
    ("r = [v * 2 for v in df.c]", ALL),
    ("r = pd.Series([v * 2 for v in df.c])", ALL),
    ("r = pd.DataFrame({'p': df.a, 'q': df.c})", ALL),
    ("r = df.index", ALL),
    # a statistic of each row
    ("r = df[['a', 'c']].sum(axis=1)", ALL),
    ("r = np.mean(df[['a', 'c']], axis=1)", ALL),
    ("r = df.isnull().sum(axis='columns')", ALL),
    # an entry for each row, to be filled or added to
    ("r = np.zeros(len(df))", ALL),
    ("r = np.zeros((df.shape[0], 2))", ALL),
    ("r = np.zeros(len(df))\nfor i in range(3):\n    r += df.c.values / 3", ALL),
    ("r = 0\nfor i in range(3):\n    r += df.c", ALL),
    ("r = np.zeros(6)", None),
    # rows that run across
    ("x = df[['a', 'c']].T\nr = x.T", ALL),
    ("x = df[df.c > 20].values.T\nr = x.T", [2, 3, 4, 5]),
    ("r = df.c.T", ALL),
    ("x = df[['a', 'c']].T\nr = x.loc['c']", ALL),
    # comprehensions over columns and tables
    ("r = pd.concat([df[['a']]] + [pd.get_dummies(df[c], prefix=c) for c in ['b', 'd']], axis=1)", ALL),
    ("r = np.column_stack([df[c].fillna(df[c].mean()) for c in ('a', 'c')])", ALL),
    ("q, r = [t.assign(e=t.c - t.c.mean()) for t in (df[:2], df[2:])]", [2, 3, 4, 5]),
    ("r = {c: df[c] for c in ['a', 'c']}['a']", ALL),
    ("r = [df.c[i] * 2 for i in range(len(df))]", ALL),
    # numpy
    ("r = df.values", ALL),
    ("r = df.b.values", ALL),
    ("r = list(df.b.fillna('k').values)", ALL),
    ("r = df.c.to_numpy()", ALL),
    ("r = np.log1p(df.c)", ALL),
    ("r = np.where(df.c > 20, 1, 0)", ALL),
    ("r = np.array(df[['a', 'c']])", ALL),
    ("r = np.asarray(df.c)[:, None]", ALL),
    ("r = df.c.values.reshape(-1, 1)", ALL),
    ("r = np.column_stack([df.a, df.c])", ALL),
    ("r = np.hstack([df[['a']].values, df[['c']].values])", ALL),
    ("r = np.c_[df.a, df.c]", ALL),
    ("r = df[['a', 'c']].values @ np.array([1.0, 2.0])", ALL),
    ("r = df[['a', 'c']].values[:, 1]", ALL),
    ("x = df[['a', 'c']].values\nr = (x - x.mean(axis=0)) / x.std(axis=0)", ALL),
    ("r = np.select([df.c > 30], [1], 0)", ALL),
    ("r = np.vectorize(lambda v: v + 1)(df.c)", ALL),
    ("import scipy.sparse as sp\nr = sp.csr_matrix(df[['c']].values)", ALL),
    ("import scipy.sparse as sp\nm = sp.csr_matrix(df[['c']].values)\nr = sp.hstack([m, m]).tocsr()", ALL),
    # rows chosen
    ("r = df[df.c > 30]", [3, 4, 5]),
    ("r = df[df['b'] == 'x']", [0, 2]),
    ("r = df.loc[df.c > 30]", [3, 4, 5]),
    ("r = df.loc[df.c > 30, 'a']", [3, 4, 5]),
    ("r = df.loc[df.c > 30, ['a', 'b']]", [3, 4, 5]),
    ("r = df.loc[[4, 1]]", [4, 1]),
    ("r = df.iloc[[4, 1]]", [4, 1]),
    ("r = df.iloc[2:4]", [2, 3]),
    ("r = df[:3]", [0, 1, 2]),
    ("r = df[-2:]", [4, 5]),
    ("r = df.head(2)", [0, 1]),
    ("r = df.tail(2)", [4, 5]),
    ("r = df.query('c > 30')", [3, 4, 5]),
    ("cut = 30\nr = df.query('c > @cut')", [3, 4, 5]),
    ("r = df.dropna()", [0, 1, 4, 5]),
    ("r = df.dropna(subset=['a'])", [0, 1, 3, 4, 5]),
    ("r = df.drop_duplicates('b')", [0, 1, 3, 4]),
    ("r = df.drop(df[df.c > 50].index)", [0, 1, 2, 3, 4]),
    ("r = df.drop([0, 5])", [1, 2, 3, 4]),
    ("r = df.a.dropna()", [0, 1, 3, 4, 5]),
    ("r = df.nlargest(2, 'c')", [5, 4]),
    ("r = df.c[df.c > 30]", [3, 4, 5]),
    ("r = df[df.b.notna() & (df.c > 10)]", [1, 2, 4, 5]),
    ("r = df.values[df.c.values > 30]", [3, 4, 5]),
    ("r = df.values[[5, 0]]", [5, 0]),
    ("r = df.values[1:3]", [1, 2]),
    ("r = df.c.values[::-1]", [5, 4, 3, 2, 1, 0]),
    ("r = df.c.tolist()[2:]", [2, 3, 4, 5]),
    ("r = df.to_dict('records')[:2]", [0, 1]),
    # rows re-ordered
    ("r = df.sort_values('a')", [1, 3, 0, 5, 4, 2]),
    ("r = df.sort_values('c', ascending=False)", [5, 4, 3, 2, 1, 0]),
    ("r = df.sort_values('a', ignore_index=True)", [1, 3, 0, 5, 4, 2]),
    ("r = df.sort_values('a').reset_index(drop=True)", [1, 3, 0, 5, 4, 2]),
    ("r = df.sort_values('a').reset_index(drop=True)[['c']]", [1, 3, 0, 5, 4, 2]),
    ("r = df[df.c > 20].reset_index(drop=True)", [2, 3, 4, 5]),
    ("r = df[df.c > 20].reset_index(drop=True).loc[[0, 3]]", [2, 5]),
    ("r = df[::-1]", [5, 4, 3, 2, 1, 0]),
    ("r = df.sort_index(ascending=False)", [5, 4, 3, 2, 1, 0]),
    # put together
    ("r = pd.concat([df[df.c > 30], df[df.c <= 30]])", [3, 4, 5, 0, 1, 2]),
    ("r = pd.concat([df[df.c > 30], df[df.c <= 30]], ignore_index=True)", [3, 4, 5, 0, 1, 2]),
    ("r = pd.concat([df[:2], df[4:]])[['a']]", [0, 1, 4, 5]),
    ("x = pd.concat([df[:2], df[4:]])\nr = x[x.c > 10]", [1, 4, 5]),
    ("x = pd.concat([df[:3].reset_index(drop=True), df[3:].reset_index(drop=True)])\nr = x[x.c > 10]", [1, 2, 3, 4, 5]),
    ("x = pd.concat([df[:3].reset_index(drop=True), df[3:].reset_index(drop=True)])\nr = x.dropna()", [0, 1, 4, 5]),
    ("x = pd.concat([df[:3], df[3:]])\nr = x[:len(df[:3])]", [0, 1, 2]),
    ("r = np.concatenate([df.c.values[:2], df.c.values[4:]])", [0, 1, 4, 5]),
    ("r = np.vstack([df[['a', 'c']].values[3:], df[['a', 'c']].values[:1]])", [3, 4, 5, 0]),
    ("t = pd.DataFrame({'b': ['x', 'y'], 'w': [1, 2]})\nr = df.merge(t, on='b', how='left')", ALL),
    # Before pandas 2.2 an inner merge puts the rows of one key together.
    (
        "t = pd.DataFrame({'b': ['y', 'x'], 'w': [1, 2]})\nr = df.merge(t, on='b')",
        [0, 1, 2, 5] if MERGES_IN_ORDER else [0, 2, 1, 5],
    ),
    ("t = pd.DataFrame({'b': ['y', 'x'], 'w': [1, 2]})\nr = pd.merge(df, t, how='left')[['w']]", ALL),
    ("t = pd.DataFrame({'w': [1, 2]}, index=['y', 'x'])\nr = df.join(t, on='b')", ALL),
    ("t = pd.DataFrame({'b': ['x', 'x'], 'w': [1, 2]})\nr = df.merge(t, on='b')", [0, 0, 2, 2]),
    # changed in place
    ("df['e'] = df.c * 2\nr = df", ALL),
    ("df.loc[df.c > 20, 'a'] = 0\nr = df", ALL),
    ("df.columns = ['p', 'q', 'r', 's']\nr = df", ALL),
    ("df.drop('a', axis=1, inplace=True)\nr = df", ALL),
    ("df.dropna(inplace=True)\nr = df", [0, 1, 4, 5]),
    ("df.drop(df[df.c > 50].index, inplace=True)\nr = df", [0, 1, 2, 3, 4]),
    ("df.sort_values('a', inplace=True)\nr = df", [1, 3, 0, 5, 4, 2]),
    ("df.reset_index(drop=True, inplace=True)\nr = df", ALL),
    ("df.dropna(inplace=True)\ndf.reset_index(drop=True, inplace=True)\nr = df[df.c > 10]", [1, 4, 5]),
    ("df.insert(0, 'e', 1)\nr = df", ALL),
    ("e = df.pop('c')\nr = e", ALL),
    ("for c in ['a', 'c']:\n    df[c] = df[c] * 2\nr = df", ALL),
    # functions
    ("def f(t):\n    t = t.copy()\n    t['e'] = t.c\n    return t\nr = f(df)", ALL),
    ("def f(t):\n    return t[t.c > 30]\nr = f(df)", [3, 4, 5]),
    ("def f(t):\n    return t[['a']], t.c\nr, y = f(df[df.c > 30])", [3, 4, 5]),
    ("def f(t):\n    t['e'] = 1\nf(df)\nr = df", ALL),
    ("parts = [df[df.c > 30], df[df.c <= 30]]\nr = pd.concat(parts)", [3, 4, 5, 0, 1, 2]),
    ("parts = {'u': df[df.c > 30]}\nr = parts['u']", [3, 4, 5]),
    # rows become something else
    ("r = df.c.mean()", None),
    ("r = df.mean(numeric_only=True)", None),
    ("r = df.describe()", None),
    ("r = df.columns", None),
    ("r = df.dtypes", None),
    ("r = df.isna().sum()", None),
    ("r = df.b.unique()", None),
    ("r = df.b.value_counts()", None),
    ("r = df.c.value_counts()", None),
    ("r = df.groupby('b').c.mean()", None),
    ("r = df.groupby('b').agg({'c': 'sum'}).reset_index()", None),
    ("r = df.shape", None),
    ("r = len(df)", None),
    ("r = df.corr(numeric_only=True)", None),
    ("r = df.pivot_table(index='b', values='c')", None),
    ("r = np.mean(df.c)", None),
    ("r = np.unique(df.c)", None),
    ("r = sorted(df.c)", None),
    ("r = np.argsort(df.c.values)", None),
    ("r = set(df.b)", None),
    ("r = [c for c in df.columns if c > 'a']", None),
    ("r = {c: df[c].isna().sum() for c in df.columns}", None),
    ("r = df.a.isna().any()", None),
    ("r = df.c.quantile([0.1, 0.9])", None),
    ("r = 'a' in df.columns", None),
]


@pytest.mark.parametrize(("program", "rows"), CASES, ids=[case[0].replace("\n", "; ") for case in CASES])
def test_rows(program: str, rows: list[int] | None, tmp_path: Path) -> None:
    assert run(program, tmp_path).rows("r") == rows


SPLITS: list[tuple[str, str]] = [
    (
        "from sklearn.model_selection import train_test_split\nr, s = train_test_split(df, test_size=2, random_state=0)",
        "df",
    ),
    (
        "from sklearn.model_selection import train_test_split\nr, s, y, z = train_test_split(df[['a', 'c']], df.b, test_size=2, random_state=0)",
        "df",
    ),
    (
        "from sklearn.model_selection import train_test_split\nr, s = train_test_split(df.values, test_size=2, random_state=0)",
        "df.values",
    ),
    (
        "from sklearn.model_selection import train_test_split\nr, s = train_test_split(df.c.tolist(), test_size=2, random_state=0)",
        "df.c.tolist()",
    ),
    ("from sklearn.utils import shuffle\nr = shuffle(df, random_state=0)", "df"),
    ("r = df.sample(frac=0.5, random_state=0)", "df"),
    ("r = df.sample(4, random_state=1).reset_index(drop=True)", "df"),
    ("np.random.seed(0)\nr = df.iloc[np.random.permutation(6)[:4]]", "df"),
    ("rng = np.random.default_rng(0)\nr = df.values[rng.permutation(6)]", "df.values"),
]


@pytest.mark.parametrize("program", [case[0] for case in SPLITS])
def test_split_rows_are_the_rows_that_hold_their_values(program: str, tmp_path: Path) -> None:
    ran = run(program, tmp_path)
    rows, value = ran.rows("r"), ran.names["r"]
    tens = (
        value["c"].tolist()
        if hasattr(value, "columns")
        else [v[2] for v in value]
        if getattr(value, "ndim", 0) == 2
        else list(value)
    )
    assert rows == [int(v) // 10 - 1 for v in tens]


def test_a_split_draws_no_more_random_numbers_than_without_the_recorder(tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import train_test_split

    program = "from sklearn.model_selection import train_test_split\nnp.random.seed(5)\nr, s = train_test_split(df)\nx = np.random.rand()"
    ran = run(program, tmp_path)
    np.random.seed(5)
    plain = train_test_split(pd.DataFrame({"c": [10, 20, 30, 40, 50, 60]}))[0]
    assert ran.names["r"]["c"].tolist() == plain["c"].tolist()
    assert ran.names["x"] == np.random.rand()


def test_the_recorder_keeps_no_object_alive(tmp_path: Path) -> None:
    import gc
    import weakref

    ran = run("r = df[['a']]\nr2 = r.fillna(0)", tmp_path)
    gone = weakref.ref(ran.names["r2"])
    del ran.names["r2"]
    gc.collect()
    assert gone() is None


def test_reductions_are_boundaries_with_their_place(tmp_path: Path) -> None:
    ran = run("df['a'] = df['a'].fillna(df['a'].mean())", tmp_path)
    assert [e["name"] for e in ran.events("boundary")] == ["mean"]


def test_a_condition_on_rows_is_a_filter_and_a_position_is_a_choice(tmp_path: Path) -> None:
    ran = run("x = df[df.c > 20]\ny = df.iloc[:3]\nz = df.sort_values('c', ascending=False)", tmp_path)
    assert [e["kind"] for e in [*ran.events("filter"), *ran.events("select"), *ran.events("order")]] == [
        "filter",
        "select",
        "order",
    ]


def test_events_of_a_comprehension_say_which_element_they_belong_to(tmp_path: Path) -> None:
    ran = run("r = [df[c].fillna(df[c].mean()) for c in ['a', 'c']]", tmp_path)
    assert [(e["name"], e["keys"]) for e in ran.events("boundary")] == [("mean", {"c": "a"}), ("mean", {"c": "c"})]


def test_a_generator_given_to_a_call_is_followed_as_a_list_is(tmp_path: Path) -> None:
    ran = run("r = pd.concat((df[c].fillna(df[c].mean()) for c in ['a', 'c']), axis=1)", tmp_path)
    assert [(e["name"], e["keys"]) for e in ran.events("boundary")] == [("mean", {"c": "a"}), ("mean", {"c": "c"})]
    assert ran.rows("r") == ALL


def test_elements_made_of_single_rows_are_not_followed(tmp_path: Path) -> None:
    ran = run("r = [df.c[i] * 2 for i in range(len(df))]\ns = [str(v) for v in df.c]", tmp_path)
    assert [e["name"] for e in ran.events("boundary")] == ["len"]


def test_a_function_asked_for_each_row_is_one_of_plain_values(tmp_path: Path) -> None:
    program = "def doubled(v):\n    return v * 2\nr = [doubled(v) for v in df.c]\ns = [doubled(df[c]) for c in ['c']]"
    ran = run(program, tmp_path)
    assert ran.rows("r") == ALL
    assert len(ran.recorder.frames) == 1


def test_an_assignment_by_mask_keeps_what_it_read_though_no_row_changed(tmp_path: Path) -> None:
    program = "guess = {1: 5.0, 2: 6.0}\nfor k in (1, 2):\n    df.loc[df.a.isna() & (df.c == k * 30), 'a'] = guess[k]"
    ran = run(program, tmp_path)
    reads = [r for s in ran.recorder.steps for r in s["reads"] if r["name"] == "guess"]
    assert [r["snapshot"] is not None for r in reads] == [True, True]


def test_a_function_that_goes_through_groups_and_gives_back_some_rows_is_one_choice_of_rows(tmp_path: Path) -> None:
    program = """
def trimmed(t):
    out = pd.DataFrame()
    for key, part in t.groupby('b'):
        out = pd.concat([out, part[part.c > part.c.mean()]], ignore_index=True)
    return out
r = trimmed(df)
"""
    ran = run(program, tmp_path)
    assert ran.rows("r") == [2, 5]
    assert [(e["name"], "table" in e) for e in ran.events("filter")] == [("trimmed", True)]


def test_a_function_that_changes_what_it_goes_through_is_no_choice_of_rows(tmp_path: Path) -> None:
    program = """
def scaled(t):
    out = pd.DataFrame()
    for key, part in t.groupby('b'):
        out = pd.concat([out, part.assign(c=part.c / part.c.mean())], ignore_index=True)
    return out
r = scaled(df)
"""
    assert not any("table" in e for e in run(program, tmp_path).events("filter"))


def test_a_statistic_of_each_row_is_no_boundary(tmp_path: Path) -> None:
    program = (
        "df['r'] = df[['a', 'c']].sum(axis=1)\ns = np.mean(df[['a', 'c']], axis=1)\nt = df[['a', 'c']].sum(axis=0)"
    )
    assert [e["name"] for e in run(program, tmp_path).events("boundary")] == ["sum"]


def test_what_boosters_and_formulas_are_fitted_to_is_known(tmp_path: Path) -> None:
    program = """
import lightgbm as lgb, xgboost as xgb
import statsmodels.formula.api as smf
lgb.train({"verbose": -1, "min_data_in_leaf": 1}, lgb.Dataset(df[["c"]], label=df.c), num_boost_round=1)
xgb.train({}, xgb.DMatrix(df[["c"]], label=df.c), num_boost_round=1)
smf.ols("c ~ a", data=df).fit()
"""
    ran = run(program, tmp_path)
    assert [list(ran.recorder.snapshots.load(fit["y"])) for fit in ran.recorder.fits] == [[10, 20, 30, 40, 50, 60]] * 3


def test_a_variable_that_holds_the_number_of_rows_is_known_for_what_it_is(tmp_path: Path) -> None:
    program = "t = pd.concat([df] * 3, ignore_index=True)\nm = len(t)\nr = np.ones((m, 1))\ns = np.ones((7, 1))"
    ran = run(program, tmp_path)
    assert ran.rows("r") == ALL * 3
    assert ran.rows("s") is None
    assert len(ran.events("count")) == 1


def test_splits_are_gone_through_round_by_round(tmp_path: Path) -> None:
    program = """
from sklearn.model_selection import KFold
total = np.zeros(len(df))
for fold, (a, b) in enumerate(KFold(3).split(df)):
    total += df.c * fold
"""
    ran = run(program, tmp_path)
    assert [(e["name"], e["type"]) for e in ran.events("boundary")] == [("split", "generator")]
