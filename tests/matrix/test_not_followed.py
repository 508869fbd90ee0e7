"""What is written through memory that is not followed is refused, and never served as if it had not been written (pandas before 3)."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.matrix.environments import ENVIRONMENTS
from tests.matrix.test_builds import Machine, machine_with

pytestmark = [pytest.mark.matrix, pytest.mark.slow]

LOAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.DataFrame({"b": np.arange(40) * 1.5 - 20, "c": [3, 1, 3, 1, 1, 3, 3, 2] * 5, "y": np.arange(40) * 2.0})"""
WRITES = {
    "columns in turn": ("for name, col in df[['b', 'c']].items():\n    pass\nfor name, col in df.items():\n    if name == 'b':\n        col[col < 2] = 2", "N11"),
    "rows by position": ("df['b'].values[:5] = 0", "N14"),
    "rows of an array": ("m = df['b'].to_numpy()\nfor at in np.nditer(m, op_flags=['readwrite']):\n    at[...] = max(float(at), 0)", "N11"),
}  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    environment = next(item for item in ENVIRONMENTS if item.name == "python3.12-pandas2.2")
    return machine_with(environment, tmp_path_factory.mktemp(environment.name))


@pytest.mark.parametrize("name", WRITES)
def test_it_is_refused(machine: Machine, name: str) -> None:
    code, expected = WRITES[name]
    cells = [(LOAD, None), (code, "feature"), ("model = LinearRegression().fit(df[['b', 'c']], df['y'])", "train")]
    cells.append(("pred = model.predict(df[['b', 'c']])", "predict"))
    path = machine.folder / f"{name.replace(' ', '_')}.ipynb"
    made = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for source, tag in cells]
    nbformat.write(new_notebook(cells=made), path)
    done = machine.run("build", str(path), "--kernel", machine.kernel, "--json")
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    (problem, *_) = [item for item in json.loads(done.stdout)["diagnostics"] if item["severity"] == "error"]
    assert problem["code"] == expected
    assert problem["hint"]
    assert "Traceback" not in done.stdout


def test_a_module_of_another_folder_goes_into_the_bento(machine: Machine) -> None:
    library = machine.folder / "lib"
    library.mkdir()
    (library / "elsewhere.py").write_text("def double(series):\n    return series * 2\n")
    notebooks = machine.folder / "notebooks"
    notebooks.mkdir()
    take = "import sys\nsys.path.insert(0, '../lib')\nfrom elsewhere import double"
    cells = [(f"{LOAD}\n{take}", None), ("X = pd.DataFrame({'b': double(df['b']), 'c': df['c']})", "feature")]
    cells += [("model = LinearRegression().fit(X, df['y'])", "train"), ("pred = model.predict(X)", "predict")]
    path = notebooks / "elsewhere_imported.ipynb"
    made = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for source, tag in cells]
    nbformat.write(new_notebook(cells=made), path)
    built = machine.build(path)
    assert built["parity"]["passed"]
    name, _, version = built["bento"].partition(":")
    packed = Path(machine.environment["BENTOML_HOME"]) / "bentos" / name / version / "src" / "elsewhere.py"
    assert packed.read_text() == (library / "elsewhere.py").read_text()
