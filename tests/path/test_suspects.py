"""The statement that looks at other rows is named, not one whose difference is made good later."""

from __future__ import annotations

import ast
import contextlib

import numpy as np
import pandas as pd
import pytest

from nb2prod.path.trial import suspects
from nb2prod.runtime.outputs import per_row

ROWS = pd.DataFrame({"a": [3.0, 1.0, 2.0, 5.0], "b": ["x", "y", "x", "z"]})
CASES = [
    ("a statistic", ["m = rows['a'] - rows['a'].mean()", "return m"], 0, "m"),
    # The order of the groups differs, and nothing comes of it.
    ("a harmless order before it", ["seen = rows['b'].drop_duplicates().tolist()", "codes = rows['a'].rank()", "return codes"], 1, "codes"),
    ("harmless ranks, then a share", ["r = rows['a'].rank()", "big = r > 0", "s = rows['a'] / rows['a'].sum()", "return s * big"], 2, "s"),
    ("a column of a frame", ["rows['c'] = rows['a'] * 2", "rows['d'] = rows['a'].cumsum()", "return rows"], 1, "rows"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "statement", "variable"), CASES, ids=[c[0] for c in CASES])
def test_the_statement_is_named(name: str, body: list[str], statement: int, variable: str) -> None:
    del name
    found = find(body)
    assert found is not None
    assert (found["statement"], found["name"]) == (statement, variable)


def test_one_that_fails_on_a_part_says_how() -> None:
    found = find(["bins = pd.qcut(rows['a'], 4)", "return bins"], part=[0])
    assert found is not None
    assert found["statement"] == 0


def test_rowwise_code_has_none() -> None:
    assert find(["c = rows['a'].apply(np.sqrt)", "return c"]) is None


def find(body: list[str], part: list[int] | None = None) -> dict[str, object] | None:
    """Look for the suspect in a function of these statements."""
    text = "def features(rows):\n" + "".join(f"    {line}\n" for line in body)
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    agree = suspects.Agreement(per_row, lambda a, b: a == b)
    names = {"pd": pd, "np": np}
    return suspects.find(function, names, (ROWS, part or [0, 2]), contextlib.nullcontext, agree)
