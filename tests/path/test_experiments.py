"""The parts of an experiment: the fewest changes that make a difference, a column's values, and what a model does not read."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2prod.path.trial.column_values import Literals, of_column
from nb2prod.path.trial.experiment import Asked, changed, smallest
from nb2prod.path.trial.project import Run
from nb2prod.path.trial.recombination import mixed
from tests.path.inprocess import plan

RNG = np.random.default_rng(0)


@given(st.integers(1, 40), st.lists(st.sets(st.integers(0, 39), min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_fewest_changes_still_make_the_difference_and_none_can_be_spared(
    count: int, causes: list[set[int]]
) -> None:
    """A difference shows where all changes of one of its causes are there, however many others are."""
    causes = [{cause % count for cause in each} for each in causes]

    def differs(parts: list[int]) -> bool:
        return any(each <= set(parts) for each in causes)

    found = smallest(range(count), differs)
    assert differs(found)
    assert not any(differs([part for part in found if part != spared]) for spared in found)


@given(st.integers(1, 16), st.randoms(use_true_random=False))
def test_changes_that_undo_each_other_are_borne(count: int, random: object) -> None:
    """Whatever the differences are, what is left differs, and no single change of it can go."""
    verdicts: dict[frozenset[int], bool] = {frozenset(range(count)): True}

    def differs(parts: list[int]) -> bool:
        return verdicts.setdefault(frozenset(parts), bool(parts) and random.random() < 0.3)  # type: ignore[attr-defined]

    found = smallest(range(count), differs)
    assert differs(found)
    assert not any(differs([part for part in found if part != spared]) for spared in found if len(found) > 1)


COLUMNS = [
    ("floats with a gap", pd.Series([1.5, None, 8.0] * 30), {1.5, 8.0}, True),
    ("integers", pd.Series(np.arange(500)), {0, 499}, False),
    ("small integers", pd.Series([0, 255], dtype="uint8"), {0, 255}, False),
    ("texts with a rare one", pd.Series(["a"] * 300 + ["b"] * 200 + ["rare"]), {"a", "b", "rare"}, False),
    ("categories", pd.Series(["a", "b"] * 9, dtype="category"), {"a", "b"}, False),
    ("booleans", pd.Series([True] * 9), {True}, False),
    ("dates", pd.Series(pd.date_range("2024-01-01", periods=90)), {pd.Timestamp("2024-01-01"), pd.Timestamp("2024-03-30")}, False),
    ("nullable integers", pd.Series([1, None, 3], dtype="Int64"), {1, 3}, True),
    ("lists", pd.Series([[1], [2]]), set(), False),
    ("nothing", pd.Series([None, None], dtype="object"), set(), True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "raw", "held", "gap"), COLUMNS, ids=[column[0] for column in COLUMNS])
def test_a_columns_values(name: str, raw: pd.Series, held: set[object], gap: bool) -> None:
    """Its own ones, rare ones and extremes among them, keep the column's type; a gap is tried where the column has one."""
    del name
    tried = of_column(raw, Literals(("CNG",), (18.0, 300.0)))
    assert tried.series.dtype == raw.dtype
    own = tried.series[tried.own]
    assert own.isna().any() == gap
    assert held <= set(own.dropna()) if held else True
    drawn, mine = tried.drawn(7, RNG, own_only=True)
    assert len(drawn) == 7
    assert mine.all()


def test_what_the_code_compares_with_is_tried() -> None:
    literals = Literals(("CNG",), (18.0, 300.0))
    assert {"CNG", ""} <= set(of_column(pd.Series(["oil", "gas"]), literals).series)
    assert {17, 18, 19, 300} <= set(of_column(pd.Series([40, 50]), literals).series)
    assert 300 not in set(of_column(pd.Series([40, 50], dtype="uint8"), literals).series)
    assert len(of_column(pd.Series([40, 50]), literals, made=False).series) == 2


def test_rows_with_other_values_keep_their_types() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["x", "y", "x"]), 3: [1.5, None, 2.5]})
    made = changed(frame, {1: ([0, 2], pd.Categorical(["y", "y"], categories=["x", "y"])), 2: ([1], np.array([7.0]))})
    assert (made.dtypes == frame.dtypes).all()
    assert made["b"].tolist() == ["y", "y", "y"]
    assert made[3].tolist() == [1.5, 7.0, 2.5]
    assert frame["b"].tolist() == ["x", "y", "x"]


@pytest.mark.slow
def test_a_thousand_columns_are_looked_at_in_half_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sparse columns, of which the model uses few and takes all; the seconds are the processor's, for other tests run beside this one."""
    from nb2prod.path.trial import process

    taken = []

    def timed(trial: object, find: object = process.find_fields) -> None:
        started = time.process_time()
        find(trial)  # type: ignore[operator]
        taken.append(time.process_time() - started)

    monkeypatch.setattr(process, "find_fields", timed)
    load = """import numpy as np
import pandas as pd
from sklearn.ensemble import AdaBoostClassifier
rng = np.random.default_rng(0)
values = (rng.random((1500, 1000)) < 0.003).astype(int)
df = pd.DataFrame({**{f"c{k}": values[:, k] for k in range(1000)}, "y": rng.integers(0, 3, 1500)})"""
    train = 'model = AdaBoostClassifier(n_estimators=50, random_state=0).fit(X[:1000], df["y"][:1000])'
    cells = [
        ("data", load),
        ("feature", 'X = df.drop(columns="y")'),
        ("train", train),
        ("predict", "p = model.predict(X[1000:])"),
    ]
    assert len(plan(cells, tmp_path).fields) == 1000
    assert max(taken) < 30


class Code:
    """A served path that fails on a missing `age`, on a `kind` that nobody had and on houses of 1990."""

    def ask(self, frame: pd.DataFrame) -> Asked:
        fails = (frame["age"].isna() | ~frame["kind"].isin(["flat", "house"])) | (
            (frame["kind"] == "house") & (frame["year"] == 1990)
        )
        codes = ["row_failed" if one else None for one in fails]
        return Asked(frame, Run([None] * len(frame), [0.0] * len(frame), [None] * len(frame), codes))


def test_what_the_code_fails_on_by_itself_is_not_put_together_with_other_values() -> None:
    frame = pd.DataFrame(
        {"age": [20.0, None, 40.0] * 8, "kind": ["flat", "house"] * 12, "year": [1990, 2000, 2010, 1990] * 6}
    )
    values = [of_column(frame[name], Literals(("Oslo", "Rome", "flat"))) for name in frame]
    steady = frame[frame["age"].notna() & (frame["kind"] == "flat")].reset_index(drop=True)
    made = mixed(Code(), Code().ask(steady), values, {0, 1, 2}, 200, np.random.default_rng(1))  # type: ignore[arg-type]
    assert not made["age"].isna().any()
    assert set(made["kind"]) == {"flat", "house"}
    failing = [code for code in Code().ask(made).run.codes if code]
    assert 0 < len(failing) < 60  # what only goes wrong together stays
    assert len(set(made["year"])) > 4
