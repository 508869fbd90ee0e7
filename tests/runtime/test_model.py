"""The notebook's code as a function of rows: each row's failure is its own."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from nb2prod.runtime import outputs
from nb2prod.runtime.model import Model, ProjectBroken
from nb2prod.runtime.rows import Decoder
from tests.runtime import projects

RULES = """
from nb2prod_runtime import captured, rules
calls = []

def features(rows):
    # cell 3
    calls.append(len(rows))
    df = rows
    df = rules.validity("cell 3, line 2: df[df['Fare'] >= 0]", df, df[df["Fare"] >= 0])
    df["Age"] = df["Age"].fillna(captured.age_median)
    if (df["Fare"] == 666).any():
        raise KeyError("a secret value")
    df["Sex_code"] = df["Sex"].map(captured.codes).fillna(0)
    df["Fare_log"] = np_log1p(df["Fare"])
    return df[["Age", "Sex_code", "Fare_log"]], len(df)

from numpy import log1p as np_log1p
"""
PREDICT = """
from nb2prod_runtime import captured

def predict(X, n):
    # cell 7
    assert len(X) == n
    return captured.model.predict(X)
"""


def loaded(folder: Path, rows: list[dict[str, Any]], **kwargs: Any) -> tuple[Model, pd.DataFrame]:
    model = Model.load(projects.write(folder, **kwargs))
    return model, Decoder(model.signature).check({"rows": rows}).frame


def test_one_bad_row_never_harms_its_neighbours(tmp_path: Path) -> None:
    rows = [projects.row(Fare=float(at)) for at in range(20)]
    rows[7]["Fare"] = 666.0
    rows[3]["Fare"] = -1.0
    rows[12]["Fare"] = -2.0
    model, frame = loaded(tmp_path, rows, features=RULES, predict=PREDICT)
    answer = model.predict(frame)
    assert [error.row for error in answer.errors] == [3, 7, 12]
    assert [error.code for error in answer.errors] == ["row_refused", "row_failed", "row_refused"]
    assert "cell 3, line 2" in answer.errors[0].reason
    assert answer.errors[1].reason == "the notebook's code failed on this row: KeyError in cell 3"
    alone = [model.predict(frame.iloc[[at]].reset_index(drop=True)).predictions[0] for at in range(20)]
    assert answer.predictions == alone
    assert sum(value is None for value in alone) == 3


def test_without_a_licence_rows_run_one_by_one(tmp_path: Path) -> None:
    model, frame = loaded(tmp_path, [projects.row()] * 3, features=RULES, predict=PREDICT, batching=False)
    sys.modules["features"].calls.clear()
    assert len(model.predict(frame).predictions) == 3
    assert sys.modules["features"].calls == [1, 1, 1]
    model.batching = True
    model.predict(frame)
    assert sys.modules["features"].calls[3:] == [3]


@pytest.mark.parametrize(("bad", "most"), [((), 1), ((200,), 30), (range(256), 260), (range(0, 256, 16), 256)])
def test_rows_that_fail_cost_few_runs_of_the_others(bad: Sequence[int], most: int, tmp_path: Path) -> None:
    rows = [projects.row(Fare=666.0 if at in bad else float(at)) for at in range(256)]
    model, frame = loaded(tmp_path, rows, features=RULES, predict=PREDICT)
    sys.modules["features"].calls.clear()
    answer = model.predict(frame)
    assert [error.row for error in answer.errors] == list(bad)
    assert [at for at, value in enumerate(answer.predictions) if value is None] == list(bad)
    assert len(sys.modules["features"].calls) <= most


def test_a_row_that_failed_is_not_run_again_and_again(tmp_path: Path) -> None:
    """A request may hold one row that fails ten thousand times: it must be answered all the same."""
    rows = [projects.row(Fare=666.0 if at % 2 else float(at)) for at in range(256)]
    model, frame = loaded(tmp_path, rows, features=RULES, predict=PREDICT)
    sys.modules["features"].calls.clear()
    answer = model.predict(frame)
    assert [error.row for error in answer.errors] == list(range(1, 256, 2))
    assert {error.reason for error in answer.errors} == {answer.errors[0].reason}
    assert len(sys.modules["features"].calls) < 20
    sys.modules["features"].calls.clear()
    again = model.predict(frame)
    assert (again.predictions, again.errors) == (answer.predictions, answer.errors)
    assert len(sys.modules["features"].calls) <= 4


def test_the_table_given_stays_as_it_was(tmp_path: Path) -> None:
    model, frame = loaded(tmp_path, [projects.row(Age=None)] * 2)
    before = frame.copy()
    model.predict(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_features_are_named(tmp_path: Path) -> None:
    model, frame = loaded(tmp_path, [projects.row(Age=None)])
    assert model.features(frame).predictions == [
        {"Age": 30.0, "Sex_code": 0, "Fare_log": pytest.approx(np.log1p(7.25))}
    ]


def test_code_that_gives_another_number_of_values_fails_by_row(tmp_path: Path) -> None:
    predict = "import numpy as np\n\ndef predict(X):\n    return np.ones(len(X) + 1)\n"
    model, frame = loaded(tmp_path, [projects.row()], predict=predict)
    answer = model.predict(frame)
    assert answer.predictions == [None]
    assert "gave 2 values for 1 rows" in answer.errors[0].reason


@pytest.mark.parametrize("file", ["features.py", "predict.py"])
def test_generated_code_that_is_missing_or_can_not_be_imported_is_named(file: str, tmp_path: Path) -> None:
    project = projects.write(tmp_path)
    (project / file).write_text("import no_such_module\n")
    with pytest.raises(ProjectBroken, match=file):
        Model.load(project)
    (project / file).unlink()
    with pytest.raises(ProjectBroken, match=f"{file} is missing"):
        Model.load(project)


OUTPUTS = [
    ("ints", np.array([1, 2]), [1, 2]),
    ("floats", np.array([1.5, np.nan]), [1.5, None]),
    ("infinity", np.array([np.inf, -np.inf]), ["Infinity", "-Infinity"]),
    ("booleans", np.array([True, False]), [True, False]),
    ("float32", np.array([0.5, 1], dtype="float32"), [0.5, 1.0]),
    ("texts", np.array(["a", "b"]), ["a", "b"]),
    ("objects", np.array(["a", None], dtype=object), ["a", None]),
    ("vectors", np.array([[0.5, 0.5], [1, 0]]), [[0.5, 0.5], [1.0, 0.0]]),
    ("vectors with gaps", np.array([[0.5, np.nan], [1, 0]]), [[0.5, None], [1.0, 0.0]]),
    ("one column", np.array([[1], [2]]), [[1], [2]]),
    ("dates", np.array(["2020-01-01", "NaT"], dtype="datetime64[s]"), ["2020-01-01T00:00:00", None]),
    ("series", pd.Series([1, 2], index=[5, 6]), [1, 2]),
    ("text series", pd.Series(["a", np.nan]), ["a", None]),
    ("masked", pd.Series([1, None], dtype="Int64"), [1, None]),
    ("category", pd.Series(pd.Categorical(["a", None])), ["a", None]),
    ("moments", pd.Series(pd.to_datetime(["2020-01-01", None])), ["2020-01-01T00:00:00", None]),
    ("frame", pd.DataFrame({"a": [1, 2], "b": ["x", None]}), [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
    ("list", [np.int64(1), np.float64(2.5)], [1, 2.5]),
    ("dicts", [{"a": np.int64(1)}, {"a": None}], [{"a": 1}, {"a": None}]),
    ("days", [datetime.date(2020, 1, 1), None], ["2020-01-01", None]),
    ("sparse", scipy.sparse.csr_matrix([[1, 0], [0, 2]]), [[1, 0], [0, 2]]),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in OUTPUTS], ids=[case[0] for case in OUTPUTS])
def test_outputs_become_plain_values_one_a_row(value: Any, expected: list[Any]) -> None:
    made = outputs.per_row(value, 2)
    assert made == expected
    assert [type(item) for item in made] == [type(item) for item in expected]
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"), [("yes", "yes"), (np.float64(1.5), 1.5), ({"a": 1}, {"a": 1}), ([1], 1), ([1, 2], [1, 2])]
)
def test_a_prediction_of_one_row_may_be_a_single_value(value: Any, expected: Any) -> None:
    assert outputs.per_row(value, 1) == [expected]


def test_another_number_of_values_is_an_error() -> None:
    with pytest.raises(outputs.NotOnePerRow):
        outputs.per_row(np.arange(3), 2)


def test_the_worker_answers_over_a_pipe(tmp_path: Path) -> None:
    project = projects.write(tmp_path)
    requests = [
        {"op": "predict", "rows": [projects.row(), projects.row(Fare=-1.0)]},
        {"op": "features", "rows": [projects.row(Age=None)]},
        {"op": "predict", "rows": []},
        {"op": "predict", "rows": [projects.row()], "phantoms": {"Survived": 1, "Id": 5}},
        {"op": "predict", "rows": [projects.row()], "phantoms": {"Id": "x"}},
        {"op": "predict", "rows": [{"Age": "x"}]},
        {"op": "sing"},
        {"op": "quit"},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod_runtime.worker", str(project)],
        input="\n".join(map(json.dumps, requests)), cwd=project, text=True, capture_output=True, check=True,
    )  # fmt: skip
    ready, first, features, empty, other, phantom, malformed, unknown = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": True}
    assert first["predictions"][0] in (0, 1)
    assert first["predictions"][1] is None
    assert first["errors"][0]["row"] == 1
    assert features["features"][0]["Age"] == 30.0
    assert empty == {"predictions": [], "errors": []}
    assert other["predictions"] == first["predictions"][:1]
    assert "phantom" in phantom["problem"]
    assert {detail["field"] for detail in malformed["details"]} == set(projects.FIELDS)
    assert "unknown op" in unknown["problem"]


def test_a_boosters_data_set_gives_its_features_and_not_its_label() -> None:
    xgboost = pytest.importorskip("xgboost")
    data = xgboost.DMatrix(pd.DataFrame({"a": [1.0, np.nan], "b": [0.0, 3.0]}), label=[7, 8])
    assert outputs.per_row(data, 2) == [{"a": 1.0, "b": 0.0}, {"a": None, "b": 3.0}]
