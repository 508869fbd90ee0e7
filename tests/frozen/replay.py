"""Record one call on the training table, then serve it on other rows, as recorder and generated code do."""

import ast
import pickle
from typing import Any

import numpy as np
import pandas as pd
import scipy
import sklearn
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from nb2prod.recording.kernel import frozen as operations
from nb2prod.runtime import frozen, plain

ROWS = 30


def training() -> pd.DataFrame:
    """30 rows with missing values, rare and unicode categories, booleans, categoricals and dates."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "city": rng.choice(["Rome", "Zürich", "東京", "O'Hara"], ROWS),
            "deck": rng.choice(["A", "B", "C"], ROWS),
            "klass": rng.integers(1, 4, ROWS),
            "age": rng.normal(40, 12, ROWS).round(1),
            "fare": rng.gamma(2.0, 15.0, ROWS),
            "small": rng.normal(0, 1, ROWS).astype("float32"),
            "count": rng.integers(0, 50, ROWS),
            "flag": rng.random(ROWS) > 0.5,
            "size": pd.Categorical(rng.choice(["S", "M"], ROWS), categories=["S", "M", "L"], ordered=True),
            "when": pd.Timestamp("2024-01-28 10:00") + pd.to_timedelta(rng.integers(0, 200, ROWS), unit="h"),
            "text": rng.choice(["a b", "c", "d e f"], ROWS),
            "tags": rng.choice(["x|y", "y", "z"], ROWS),
            "day": [f"{day:02d}/03/2024" for day in rng.integers(1, 29, ROWS)],
            "number": rng.choice(["1", "2", "30"], ROWS),
            "maybe": rng.choice(["1.5", "2", "n/a"], ROWS),
            "nullable": pd.array(rng.integers(0, 9, ROWS), dtype="Int64"),
            "many": [f"id{k}" for k in rng.integers(0, 12, ROWS)],
        }
    )
    frame["mixed"] = pd.Series([1, "one", 2.5, None] * 8, dtype=object)[:ROWS]
    frame["legacy"] = frame["city"].astype(object)
    frame.loc[[2, 9, 17], "age"] = np.nan
    frame.loc[[4, 20], "city"] = None
    frame.loc[[5, 6], "legacy"] = None
    frame.loc[11, "city"] = "only once"
    frame.loc[[3, 8], "deck"] = None
    frame.loc[[1, 12], "size"] = None
    frame.loc[[0, 13], "when"] = pd.NaT
    frame.loc[[10, 14], "nullable"] = pd.NA
    frame.loc[[7, 21], "text"] = None
    frame.loc[[15], "tags"] = None
    frame["empty"] = np.where(np.arange(ROWS) < 25, np.nan, 1.0)
    frame["all_gone"] = np.nan
    return frame


class PandasRefuses(Exception):
    """The notebook's own call fails on this table: there is nothing to serve."""


class Site:
    """One expression whose outermost call is recorded on the training table."""

    def __init__(self, source: str, table: pd.DataFrame | None = None, **names: Any) -> None:
        self.source = source
        self.call = ast.parse(source, mode="eval").body
        assert isinstance(self.call, ast.Call)
        self.names = {"pd": pd, "np": np, "sklearn": sklearn, "scipy": scipy, **names}
        self.table = training() if table is None else table
        func, receiver, name, args, kwargs = self._parts(self.table)
        try:
            self.training = func(*args, **kwargs)
        except (ValueError, TypeError, IndexError) as error:
            raise PandasRefuses(source) from error
        self.operation = operations.match(func, receiver, name, args, kwargs)
        self.explained = operations.explain(func, receiver, name, args, kwargs)
        if self.operation is not None:
            state = self.operation.capture(receiver, args, kwargs, self.training)
            self.state = pickle.loads(pickle.dumps(state))
            if isinstance(state, tuple) and state[1].get("how") != "estimators":
                self.state = plain.loads(plain.dumps(state))

    def _value(self, node: ast.AST, rows: pd.DataFrame) -> Any:
        code = compile(ast.Expression(node), self.source, "eval")
        return eval(code, {**self.names, "df": rows})

    def _parts(self, rows: pd.DataFrame) -> tuple[Any, Any, str, tuple[Any, ...], dict[str, Any]]:
        args = tuple(self._value(a, rows) for a in self.call.args)
        kwargs = {k.arg: self._value(k.value, rows) for k in self.call.keywords}
        if isinstance(self.call.func, ast.Attribute):
            receiver = self._value(self.call.func.value, rows)
            name = self.call.func.attr
            return getattr(receiver, name), receiver, name, args, kwargs
        func = self._value(self.call.func, rows)
        return func, None, ast.unparse(self.call.func), args, kwargs

    def serve(self, rows: pd.DataFrame) -> Any:
        """What the generated code computes for these rows."""
        assert self.operation is not None, f"no operation for {self.source}"
        _, receiver, _, args, kwargs = self._parts(rows)
        if self.operation.receiver_is_state:
            return getattr(self.state, self.operation.op)(args[0])
        function = getattr(frozen, self.operation.op)
        if receiver is None or type(receiver).__name__ == "module":
            return function(self.state, *args, **kwargs)
        return function(self.state, receiver, *args, **kwargs)

    def check(self, positions: list[int]) -> None:
        """Served rows equal training's at the same positions."""
        rows = self.table.iloc[positions].reset_index(drop=True)
        assert_same(self.serve(rows), at(self.training, positions, len(self.table)), f"{self.source} at {positions}")


def at(result: Any, positions: list[int], length: int) -> Any:
    """The result's rows at these positions; what has no row for each row of the table stays whole."""
    if isinstance(result, tuple):
        return tuple(at(part, positions, length) for part in result)
    if isinstance(result, pd.DataFrame | pd.Series):
        return result.iloc[positions].reset_index(drop=True) if len(result) == length else result
    if hasattr(result, "shape") and result.shape and result.shape[0] == length:
        return result[positions]
    if hasattr(result, "take") and np.ndim(result) and len(result) == length:
        return result.take(positions)
    return result


def assert_same(actual: Any, expected: Any, where: str) -> None:
    """Equal in type, dtype, labels and to the bit."""
    assert type(actual) is type(expected), f"{where}: {type(actual)} is not {type(expected)}"
    if isinstance(expected, tuple):
        assert len(actual) == len(expected), where
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other, where)
    elif isinstance(expected, pd.DataFrame):
        assert_frame_equal(actual, expected, check_exact=True, check_index_type=False, obj=where)
    elif isinstance(expected, pd.Series):
        assert_series_equal(actual, expected, check_exact=True, check_index_type=False, obj=where)
    elif isinstance(expected, pd.Index):
        assert_index_equal(actual, expected, obj=where)
    elif isinstance(expected, pd.api.extensions.ExtensionArray):
        assert_series_equal(pd.Series(actual), pd.Series(expected), check_exact=True, obj=where)
    elif hasattr(expected, "toarray"):
        np.testing.assert_array_equal(actual.toarray(), expected.toarray(), err_msg=where)
    elif isinstance(expected, np.ndarray):
        assert actual.dtype == expected.dtype, f"{where}: {actual.dtype} is not {expected.dtype}"
        np.testing.assert_array_equal(actual, expected, err_msg=where)
    else:
        assert actual == expected or (actual != actual and expected != expected), where


def partitions() -> list[list[int]]:
    """All rows, each row alone, random halves, a permutation, a repetition."""
    rng = np.random.default_rng(3)
    whole = list(range(ROWS))
    halves = [sorted(rng.permutation(ROWS)[: ROWS // 2].tolist()) for _ in range(4)]
    return [whole, *([k] for k in whole), *halves, rng.permutation(ROWS).tolist(), [5, 5, 2, 5]]
