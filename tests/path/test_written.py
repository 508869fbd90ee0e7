"""What a statement writes into a table is served, however few of training's rows it met."""

from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """
import numpy as np
import pandas as pd

df = pd.DataFrame({"a": np.arange(3000) * 1.0, "b": np.arange(3000) * 2.0})
"""


@pytest.mark.parametrize(
    "write",
    [
        "df.loc[df['a'] == 1777, 'b'] = 0.5",
        "x = df['b'].to_numpy().copy()\nx[x == 3554] = 0.5\ndf['b'] = x",
    ],
)
def test_one_row_among_many(write: str, tmp_path: Path) -> None:
    served = serve([("feature", f"{LOAD}\n{write}"), ("predict", "pred = df['b'] + 1")], tmp_path)
    assert served.expected[1777] == 1.5
    assert served.answers(served.predicted) == served.expected


@pytest.mark.parametrize(
    "write",
    [
        "df.loc[df['a'] > 9999, 'b'] = 0.5",
        "df.loc[df['b'].isna(), 'b'] = 0.5",
        "def mended(d):\n    d.loc[d['a'] > 9999, 'b'] = 0.5\n    return d\ndf = mended(df)",
    ],
)
def test_a_rule_that_met_no_row_of_training(write: str, tmp_path: Path) -> None:
    served = serve([("feature", f"{LOAD}\n{write}"), ("predict", "pred = df['b'] + 1")], tmp_path)
    served.raw.loc[0] = [12345.0, float("nan")]
    assert served.answers([0, 1]) == [1.5, 3.0]
