"""A notebook with a fallback cell, from the build to the answers: proved, served, and marked where it stands in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from nb2prod.parity.server import Server

LOAD = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("visits.csv")
"""
FEATURES = """
def checked(b):
    if b < 0:
        raise ValueError("a debt")
    return b / 1000

df["age"] = df["age"].fillna(df["age"].median())
df["thousands"] = df["balance"].apply(checked)
X = df[["age", "thousands"]]
"""
TRAIN = """
X_train, X_test, y_train, y_test = train_test_split(X, df["left"], random_state=0)
model = LogisticRegression().fit(X_train, y_train)
"""
RULES = """
# Without the model: who comes seldom leaves.
limit = df["visits"].median()
by_rule = (df["visits"] < limit).astype(int)
"""
CELLS = [
    (LOAD, "data"),
    (RULES, "fallback"),
    (FEATURES, "feature"),
    (TRAIN, "train"),
    ("y_pred = model.predict(X_test)", "predict"),
]


def notebook(folder: Path, last: str | None = None) -> Path:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": np.where(rng.random(300) < 0.1, np.nan, rng.integers(18, 80, 300)),
            "balance": rng.integers(0, 5000, 300),
            "visits": rng.integers(0, 60, 300),
            "unused": rng.random(300),
        }
    )
    table["left"] = (table["visits"] + rng.normal(0, 10, 300) < 20).astype(int)
    table.to_csv(folder / "visits.csv", index=False)
    cells = [nbformat.v4.new_code_cell(s.strip(), metadata={"tags": [tag]}) for s, tag in CELLS]
    if last is not None:
        cells[1].source = last
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "visits.ipynb")
    return folder / "visits.ipynb"


def build(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home = path.parent
    (home / "bentoml").mkdir(exist_ok=True)
    environment = {**os.environ, "NB2PROD_HOME": str(home / "home"), "BENTOML_HOME": str(home / "bentoml")}
    command = [sys.executable, "-m", "nb2prod", "build", str(path), "--json", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.slow
def test_the_answer_by_rule_is_proved_and_stands_in_for_the_model(tmp_path: Path) -> None:
    done = build(notebook(tmp_path), "--serving", "cannot_answer=fallback")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    document = json.loads(done.stdout)
    assert document["path"]["fields"] == ["age", "balance", "visits"], "what the rule needs is asked for too"
    name, _, version = document["bento"].partition(":")
    bento = tmp_path / "bentoml" / "bentos" / name / version
    assert (bento / "src" / "fallback.py").is_file()
    with Server(bento, hash_seed=1) as server:
        rows = [{"age": 30, "balance": 100, "visits": 1}, {"age": None, "balance": -5, "visits": 59}]
        answer = server.client.post("/predict", {"rows": rows}).document
        rules = server.client.post("/fallback", {"rows": rows}).document
    assert rules["predictions"] == [1, 0]
    assert answer["predictions"][1] == 0
    assert answer["errors"] == []
    assert answer["fallbacks"] == [{"row": 1, "reason": "row_failed"}]


@pytest.mark.slow
def test_a_fallback_cell_without_a_value_for_each_row_is_refused_by_name(tmp_path: Path) -> None:
    done = build(notebook(tmp_path, "by_rule = 0"))
    assert done.returncode == 1
    (found,) = [d for d in json.loads(done.stdout)["diagnostics"] if d["severity"] == "error"]
    assert (found["code"], found["cell"]) == ("N15", 2)
    assert "fallback cell" in found["message"]


def test_asking_for_a_fallback_without_such_a_cell_is_told_before_the_run(tmp_path: Path) -> None:
    path = notebook(tmp_path)
    book = nbformat.read(path, 4)
    book.cells.pop(1)
    nbformat.write(book, path)
    done = build(path, "--serving", "cannot_answer=fallback")
    assert done.returncode == 2
    assert "tagged 'fallback'" in json.loads(done.stdout)["error"]["message"]
