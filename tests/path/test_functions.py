"""Functions of the notebook that the path calls, in the ways people call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """import pandas as pd
df = pd.DataFrame({'balance': [1.0, 2.0, -3.0, 4.0] * 5, 'k': ['a', 'b', 'c', 'd'] * 5})"""
CHECKED = "floor = 0.5\ndef checked(b):\n    if b < 0:\n        return floor\n    return b * 2"
BY_KIND = "def by_kind(b, k):\n    if k == 'a':\n        return 0\n    return b * 2"
OF_ROW = "def of_row(row):\n    if row['k'] == 'a':\n        return 0\n    return row['balance'] * 2"
NESTED = "def inner(b):\n    return b * 3\ndef outer(frame):\n    return [inner(v) for v in frame['balance']]"
CALLS = [
    (CHECKED, "df['t'] = [checked(b) for b in df['balance']]"),
    (CHECKED, "df['t'] = df['balance'].apply(checked)"),
    (CHECKED, "df['t'] = df['balance'].apply(lambda v: checked(v))"),
    (CHECKED, "df['t'] = df['balance'].map(checked)"),
    (CHECKED, "df['t'] = list(map(checked, df['balance']))"),
    (CHECKED, "df['t'] = pd.Series([checked(b) for b in df['balance'].values])"),
    (BY_KIND, "df['t'] = [by_kind(b, k) for b, k in zip(df['balance'], df['k'])]"),
    (BY_KIND, "df['t'] = df.apply(lambda row: by_kind(row['balance'], row['k']), axis=1)"),
    (OF_ROW, "df['t'] = [of_row(row) for _, row in df.iterrows()]"),
    (OF_ROW, "df['t'] = df.apply(of_row, axis=1)"),
    (NESTED, "df['t'] = outer(df)"),
]


@pytest.mark.parametrize("one_cell", [False, True])
@pytest.mark.parametrize(("definition", "call"), CALLS, ids=[c[1] for c in CALLS])
def test_a_function_called_for_each_row_is_served_whole(
    definition: str, call: str, one_cell: bool, tmp_path: Path
) -> None:
    if one_cell:
        cells = [("feature", f"{LOAD}\n{definition}\n{call}")]
    else:
        cells = [(None, LOAD), (None, definition), ("feature", call)]
    served = serve([*cells, ("predict", "pred = df['t'] + 1")], tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == served.expected
