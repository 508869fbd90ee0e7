"""What the run shows beside its outcome: statistics of the test rows, with training's value."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from nb2prod import config, notebook
from nb2prod.afterwards import compare
from nb2prod.bento import project
from nb2prod.path import plan
from nb2prod.progress import NoProgress
from nb2prod.recording import record

CELLS = [
    (
        None,
        """import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.DataFrame({"a": [None if i % 5 == 1 else float(i) for i in range(40)], "y": range(40)})
train, test = df.iloc[:30], df.iloc[30:]
X_train, X_test = train[["a"]], test[["a"]]""",
    ),
    (
        "feature",
        """X_train = X_train.fillna(X_train["a"].mean())
X_test = X_test.fillna(X_test["a"].mean())""",
    ),
    ("train", "model = LinearRegression().fit(X_train, train['y'])"),
    ("predict", "pred = model.predict(X_test)"),
]


def test_a_statistic_of_the_test_rows_is_said_with_trainings_value(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    cells = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for tag, source in CELLS]
    nbformat.write(new_notebook(cells=cells), path)
    staged = tmp_path / "recording" / "project"

    def then(recording: object, kernel: object) -> plan.ServingPath:
        staged.mkdir()
        project.copy_runtime(staged / project.RUNTIME_PACKAGE)
        return plan.plan(recording, kernel, config.load(path), staged, NoProgress())

    read = notebook.read(path)
    made = record.record(read, config.load(path), tmp_path / "recording", NoProgress(), then)
    found = [d for d in made.diagnostics if d.code == "T6"]
    assert [(d.cell, d.line) for d in found] == [(2, 2)]
    test, train = ([i for i in rows if i % 5 != 1] for rows in (range(30, 40), range(30)))
    assert f"({sum(test) / len(test)})" in found[0].message
    assert f"training's is {sum(train) / len(train)}" in found[0].message
    said = compare(read, config.load(path), made).diagnostics
    # The run's word replaces the forecast's on the same line.
    assert [d.message for d in said if d.code == "T6"] == [found[0].message]
