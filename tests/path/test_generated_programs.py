"""Programs made of what people write: the served path on any rows gives what the notebook had at those rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2prod.runtime.outputs import per_row
from tests.path.inprocess import serve

LOAD = """import numpy as np
import pandas as pd
rng = np.random.default_rng(5)
sizes = rng.normal(10, 3, 40).round(2)
sizes[::7] = np.nan
raw = pd.DataFrame({
    "a": sizes, "b": rng.choice(["x", "y", "z"], 40), "c": rng.integers(0, 50, 40),
    "d": pd.date_range("2024-01-01", periods=40, freq="31h").astype(str), "e": rng.exponential(2, 40),
})
places = pd.DataFrame({"b": ["x", "y", "z"], "area": [3.5, 1.25, 9.0]})
df = raw.copy()
"""
# Each makes or changes columns, or moves rows; none of them loses a column that another reads.
STATEMENTS = (
    "df['a'] = df['a'].fillna(df['a'].mean())",
    "df = df.fillna({'a': df['a'].median()})",
    "df['a'] = df['a'].fillna(df.groupby('b')['a'].transform('mean'))",
    "df['n1'] = (df['c'] - df['c'].mean()) / df['c'].std()",
    "df['n1'] = np.log1p(df['e'])",
    "df['n2'] = df['e'].clip(df['e'].quantile(0.1), df['e'].quantile(0.9))",
    "df['n2'] = np.where(df['c'] > df['c'].median(), 1, 0)",
    "df['n3'] = df['b'].map(df['b'].value_counts())",
    "df['n3'] = df['b'].map({'x': 1, 'y': 2, 'z': 3})",
    "df['n3'] = df['b'].astype('category').cat.codes",
    "df['n3'] = pd.factorize(df['b'])[0]",
    "df['n4'] = pd.to_datetime(df['d']).dt.month",
    "df['n4'] = df['d'].str[5:7].astype(int)",
    "df['n5'] = pd.cut(df['c'], 4, labels=False)",
    "df['n5'] = pd.qcut(df['e'], 3, labels=False)",
    "df['n6'] = df.groupby('b')['e'].transform('max') - df['e']",
    "df['n6'] = df['c'].apply(lambda v: v % 7)",
    "df['n6'] = df.apply(lambda row: row['c'] * 2 if row['b'] == 'x' else row['e'], axis=1)",
    "df['n6'] = [len(s) + i for s, i in zip(df['d'], df['c'])]",
    "df = pd.concat([df, pd.get_dummies(df['b'], prefix='is', dtype=int)], axis=1)\ndf = df.loc[:, ~df.columns.duplicated()]",
    "df = df.drop(columns='area', errors='ignore').merge(places, on='b', how='left')",
    "df = df.sort_values(['e', 'c'])",
    "df = df.sample(frac=1, random_state=3)",
    "df = df.reset_index(drop=True)",
    "df = df.assign(n7=lambda t: t['c'] ** 2)",
    "df['n7'] = df['c'].values[:, None].sum(axis=1)",
    "df.loc[df['c'] > 25, 'n7'] = 1",
    "for col in ['c', 'e']:\n    df[col + '_scaled'] = df[col] / df[col].max()",
    "for col in df.select_dtypes('number').columns:\n    df[col] = df[col].astype(float)",
    "def ratio(table):\n    most = table['e'].max()\n    return table['e'] / most\ndf['n8'] = ratio(df)",
    "df = df[df['c'] >= 0]",
    "df = df.query('e >= 0')",
    "mean_e = df['e'].mean()\ndf['n8'] = df['e'] > mean_e",
    "df.insert(0, 'first', 1) if 'first' not in df.columns else None",
    "df = df.rename(columns={'n1': 'm1'})",
    "df['n9'] = df['b'].str.upper().str.len() + df['c'].round(-1)",
)
LAST = "X = df.select_dtypes(['number', 'bool']).fillna(-1).astype(float)\ntest = X.iloc[10:]"
PREDICT = "pred = test.sum(axis=1)"


def equal(left: float, right: float) -> bool:
    """The sum over columns in another memory layout may differ in its last bits."""
    return bool(np.isclose(left, right, rtol=1e-9, atol=1e-12, equal_nan=True))


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    program=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=7),
    one_cell=st.booleans(),
    data=st.data(),
)
def test_served_rows_equal_recorded_rows(program: list[str], one_cell: bool, data: st.DataObject) -> None:
    body = "\n".join([*program, LAST])
    cells = [("feature", f"{LOAD}{body}")] if one_cell else [(None, LOAD), ("feature", body)]
    with tempfile.TemporaryDirectory() as folder:
        served = serve([*cells, ("predict", PREDICT)], Path(folder))
        recorded = dict(zip(served.predicted, served.expected, strict=True))
        assert len(recorded) == 30
        rows = data.draw(st.lists(st.sampled_from(served.predicted), min_size=1, max_size=12, unique=True))
        answers = served.answers(rows)
    wrong = [(r, recorded[r], a) for r, a in zip(rows, answers, strict=True) if not equal(recorded[r], a)]
    assert wrong == [], f"\n{body}\n---\n{served.features}"
    assert per_row(answers, len(rows)) == answers
