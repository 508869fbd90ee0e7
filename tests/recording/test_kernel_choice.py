"""On which kernel a notebook is run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nb2prod import notebook
from nb2prod.config import Options
from nb2prod.errors import EnvironmentProblem
from nb2prod.progress import NoProgress
from nb2prod.recording import record

GONE = {"kernelspec": {"name": "conda-env-of-someone", "display_name": "theirs", "language": "python"}}


def run(folder: Path, metadata: dict[str, object], options: Options) -> int:
    """Record a notebook with one predict cell; give the number of its steps."""
    path = folder / "book.ipynb"
    source = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\ndf['b'] = df.a + 1"
    cell = new_code_cell(source, metadata={"tags": ["predict"]})
    nbformat.write(new_notebook(cells=[cell], metadata=metadata), path)
    read = notebook.read(path)
    return record.record(read, options, folder / "recording", NoProgress(), lambda made, _kernel: len(made.steps))


def test_a_notebook_that_names_no_kernel_runs_on_python3(tmp_path: Path) -> None:
    assert run(tmp_path, {}, Options()) == 2


def test_an_option_chooses_another_kernel_than_the_notebook_names(tmp_path: Path) -> None:
    assert run(tmp_path, GONE, Options(kernel="python3")) == 2


def test_a_missing_kernel_is_named_with_the_way_around_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        run(tmp_path, GONE, Options())
    assert "'conda-env-of-someone'" in str(problem.value)
    assert "--kernel python3" in str(problem.value.hint)


def test_a_kernel_that_does_not_start_is_named_with_its_last_words(tmp_path, monkeypatch) -> None:
    spec = tmp_path / "jupyter" / "kernels" / "dies"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-c", "import sys; sys.exit('no room for this kernel')", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Dies", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with pytest.raises(EnvironmentProblem, match="'dies' does not start: ") as problem:
        run(tmp_path, {}, Options(kernel="dies"))
    assert "no room for this kernel" in str(problem.value.hint)
