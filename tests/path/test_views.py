"""What is written into one value shows in the others that lie in the same memory, and is served so.

With pandas before 3 a column is a view of its table; arrays of numpy have views everywhere.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from nb2prod.recording.kernel.views import share_memory
from tests.path.inprocess import serve
from tests.path.test_idioms import equal

LOAD = """import numpy as np
import pandas as pd
df = pd.DataFrame({'a':[22.0,-38.0,None,35.0,-54.0,2.0,27.0,14.0]*5,'b':np.arange(40)*1.5-20,'c':[3,1,3,1,1,3,3,2]*5,'s':['m','f','f','m','m','m','f','f']*5})"""

# One program a paragraph; `f` is what the model would be given.
VIEWS = r"""
# chained assignment
df["a"][df["b"] < 0] = 5
f = df["a"].fillna(0) + df["b"]

# chained assignment of text
df["s"][df["s"] == "m"] = "x"
f = (df["s"] == "x") * df["b"]

# chained assignment with loc
df["b"].loc[df["b"] < 0] = 0
f = df["b"]

# a missing value filled in its place
df["a"].fillna(7, inplace=True)
f = df["a"] + df["b"]

# clipped in its place
df["b"].clip(lower=0, inplace=True)
f = df["b"]

# a column under a name of its own, the table used
s = df["b"]
s[s < 0] = 0
f = df["b"] * 2

# a column under a name of its own, itself used
s = df["b"]
s[s < 0] = 0
f = s * 2

# no row of training is written
s = df["b"]
s[s < -1000] = 0
f = df["b"] * 2

# an array under a table
num = df[["b", "c"]].astype(float)
v = num.values
v[:, 0] *= 2
f = num["b"] + num["c"] + v[:, 0]

# the array of a column
v = df["b"].to_numpy()
v[v < 0] = 0
f = df["b"] + df["c"]

# added to in its place
col = df["b"]
col += 10
f = df["b"] + df["c"]

# added to in its place, itself used
col = df["b"]
col += 10
f = col + df["c"]

# a column by its position
part = df.iloc[:, 1]
part[:] = 3.0
f = df["b"] + df["c"]

# a new column of a table leaves a view of another column alone
s = df["b"]
df["d"] = df["b"] - df["b"].mean()
s[s < 0] = 0
f = df["b"] + df["d"]

# a column that is replaced is no view any more
s = df["b"]
df["b"] = df["b"] * 2
s[s < 0] = 0
f = df["b"] + s

# a part is a copy
part = df[["b", "c"]]
part.loc[part["b"] < 0, "b"] = 0
f = part["b"] + df["b"]

# in a function
def cap(t):
    s = t["b"]
    s[s < 0] = 0
    return t
df = cap(df)
f = df["b"] + df["c"]

# by a function that gets the column
def cap(s):
    s[s < 0] = 0
cap(df["b"])
f = df["b"] + df["c"]

# in a loop
for name in ["b", "c"]:
    s = df[name]
    s[s < 2] = 2
f = df["b"] + df["c"]

# a column of an array
m = df[["b", "c"]].to_numpy(dtype=float)
w = m[:, 0]
w *= 3
f = pd.Series(m[:, 0] + m[:, 1])

# an array turned across
m = df[["b", "c"]].to_numpy(dtype=float)
w = m.T
w[0] += 3
f = pd.Series(m[:, 0] + m[:, 1])

# an array in one row
m = df[["b", "c"]].to_numpy(dtype=float)
w = m.ravel()
w[w < 0] = 0
f = pd.Series(m[:, 0] + m[:, 1])

# the array of a column without a name
df["b"].values[df["b"].values < 0] = 0
f = df["b"] + df["c"]

# a function of numpy that writes
m = df[["b", "c"]].to_numpy(dtype=float)
np.clip(m, 0, 10, out=m)
f = pd.Series(m[:, 0] + m[:, 1])

# what was read before the write
m = df[["b", "c"]].to_numpy(dtype=float)
before = m[:, 0] * 2
w = m[:, 0]
w[w < 0] = 0
f = pd.Series(before + m[:, 0])
"""
CASES = [text.strip().split("\n", 1) for text in VIEWS.strip().split("\n\n")]


@pytest.mark.parametrize("code", [code for _, code in CASES], ids=[name.removeprefix("# ") for name, _ in CASES])
def test_what_is_written_through_a_view_is_served(code: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' own, of chained assignments
        try:
            served = serve([("feature", f"{LOAD}\n{code}"), ("predict", "pred = f * 1.0")], tmp_path)
        except ValueError as refused:
            if "read-only" not in str(refused):
                raise
            pytest.skip("this pandas gives no view that could be written")
        answers, alone = served.answers(served.predicted), served.one_by_one()
    assert all(map(equal, answers, served.expected))
    assert all(map(equal, alone, served.expected))


def test_values_share_memory_or_do_not() -> None:
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    grid = np.arange(12.0).reshape(4, 3)
    table = pd.DataFrame(grid, copy=False)
    assert share_memory(grid, grid[:, 1])
    assert not share_memory(grid[:, 0], grid[:, 1])
    assert share_memory(table, grid)
    assert not share_memory(table.copy(), grid)
    column = pd.Series(pd.array([1, 2, None], dtype="Int64"))
    assert share_memory(column, column.iloc[1:])
    assert not share_memory(column, column + 1)
    words = pd.Series(["a", "b", "a"], dtype="category")
    assert share_memory(words, words.iloc[:2])
