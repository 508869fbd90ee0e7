"""What can go wrong while a notebook is recorded and planned: a clear word, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
LOAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)[::-1] ** 2, "y": np.arange(60.0) * 3 + 1})"""
FIT = 'X = df[["a", "b"]]\nmodel = LinearRegression().fit(X, df["y"])'
PREDICT = "pred = model.predict(X)"


@dataclass(frozen=True)
class Fault:
    """A notebook (cells with a tag), the exit code of its build, and what is said."""

    name: str
    cells: list[tuple[str, str | None]]
    code: int
    says: tuple[str, ...]
    kernel: str = "python3"
    options: str = ""
    flags: list[str] = field(default_factory=list)


FAULTS = [
    Fault(
        "a cell raises",
        [(LOAD, None), ('df["c"] = df["missing"]', "feature"), (FIT, "train"), (PREDICT, "predict")],
        1,
        ("N4", "cell 2", "KeyError", "'missing'"),
    ),
    Fault(
        "the kernel dies",
        [(LOAD, None), ("import os\nos._exit(3)", "feature"), (PREDICT, "predict")],
        1,
        ("N9", "cell 2", "killed the kernel"),
    ),
    Fault(
        "the kernel is not installed",
        [(LOAD, None), (FIT, "train"), (PREDICT, "predict")],
        2,
        ("'no-such-kernel'", "ipykernel install"),
        "no-such-kernel",
    ),
    Fault(
        "no rows behind the prediction",
        [(LOAD, None), (FIT, "train"), ("pred = model.coef_.sum()", "predict")],
        1,
        ("N5", "cell 3"),
    ),
    Fault(
        "a captured object can't be saved",
        [
            (LOAD, None),
            (
                "import threading\nclass Scale:\n    def __init__(self):\n        self.lock = threading.Lock()\n    def __call__(self, s):\n        return s * 2",
                None,
            ),
            ('scale = Scale()\ndf["a"] = scale(df["a"])', "feature"),
            (FIT, "train"),
            (PREDICT, "predict"),
        ],
        1,
        ("N7", "cell 3", "'scale'", "can't be saved"),
    ),
    Fault(
        "an unknown option",
        [(LOAD, None), (FIT, "train"), (PREDICT, "predict")],
        2,
        ("raw_tabel", "raw_table"),
        options='raw_tabel = "df"\n',
    ),
    Fault(
        "a target that is no column",
        [(LOAD, None), (FIT, "train"), (PREDICT, "predict")],
        1,
        ("'price' is not a column of the raw table",),
        flags=["--target", "price"],
    ),
    Fault(
        "a prediction that is no variable",
        [(LOAD, None), (FIT, "train"), (PREDICT, "predict")],
        1,
        ("N15", "'forecast'"),
        flags=["--prediction", "forecast"],
    ),
    Fault(
        "a cell that takes too long",
        # The first cell: on a busy machine the imports of another take longer than the limit too.
        [("import time\ntime.sleep(60)", None), (LOAD, None), (FIT, "train"), (PREDICT, "predict")],
        1,
        ("N9", "cell 1", "did not end within 3 s"),
        flags=["--timeout", "3"],
    ),
    Fault(
        "the target is a feature",
        [
            (LOAD, None),
            ('X = df[["a", "y"]]\nmodel = LinearRegression().fit(X, df["y"])', "train"),
            (PREDICT, "predict"),
        ],
        1,
        ("N13", "'y'"),
    ),
]


def save(folder: Path, cells: list[tuple[str, str | None]], kernel: str = "python3") -> Path:
    """Write a notebook of these cells."""
    made = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for source, tag in cells]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    path = folder / "book.ipynb"
    nbformat.write(new_notebook(cells=made, metadata=metadata), path)
    return path


def environment(folder: Path) -> dict[str, str]:
    """Homes of the test's own."""
    (folder / "bentoml").mkdir(exist_ok=True)
    return {**os.environ, "NB2PROD_HOME": str(folder / "home"), "BENTOML_HOME": str(folder / "bentoml")}


def left_behind(folder: Path) -> list[Path]:
    """Files of a build that should not be there any more."""
    return [p for p in (folder / "home").rglob("*") if p.is_file()] + list(
        (folder / "bentoml" / "bentos").rglob("bento.yaml")
    )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(fault: Fault, tmp_path: Path) -> None:
    path = save(tmp_path, fault.cells, fault.kernel)
    if fault.options:
        (tmp_path / "nb2prod.toml").write_text(fault.options)
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "build", str(path), *fault.flags],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == fault.code, done.stderr[-2000:]
    words = " ".join((done.stdout + done.stderr).split())
    for expected in fault.says:
        assert expected in words
    assert "Traceback" not in words
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("kilobytes", [4, 64, 250], ids=["at once", "while recording", "while trying the path"])
def test_a_full_disk_is_said_and_nothing_is_left(kilobytes: int, tmp_path: Path) -> None:
    limit = (kilobytes * 1024, kilobytes * 1024)
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "build", str(ROOT / "example_notebooks" / "breast_cancer.ipynb")],
        env=environment(tmp_path),
        # No file may grow beyond it: to whoever writes, the disk is full.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "the build can't be written to" in done.stderr
    assert "Free some room there" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert left_behind(tmp_path) == []


def test_an_interrupt_leaves_no_kernel_and_no_file(tmp_path: Path) -> None:
    marker = tmp_path / "running"
    path = save(
        tmp_path,
        [
            (LOAD, None),
            (f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(120)", "feature"),
            (PREDICT, "predict"),
        ],
    )
    build = subprocess.Popen(
        [sys.executable, "-m", "nb2prod", "build", str(path)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not (marker.exists() and marker.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    kernel = int(marker.read_text())
    try:
        build.send_signal(signal.SIGINT)
        _, said = build.communicate(timeout=60)
    finally:
        build.kill()
    assert build.returncode == 130
    assert "Traceback" not in said
    assert left_behind(tmp_path) == []
    deadline = time.monotonic() + 15
    while _alive(kernel) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(kernel)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_old_notebook_format_is_upgraded_in_memory_and_builds(tmp_path: Path) -> None:
    path = save(tmp_path, [(LOAD, None), (FIT, "train"), (PREDICT, "predict")])
    old = nbformat.convert(nbformat.read(path, as_version=4), 3)
    text = nbformat.writes(old, version=3)
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "build", str(path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert path.read_text() == text


def test_seeded_output_is_the_same_with_and_without_the_recorder(tmp_path: Path) -> None:
    """Bit for bit: the recorder draws no random number and adds nothing to a cell's output."""
    import papermill as pm

    from nb2prod import config, notebook
    from nb2prod.progress import NoProgress
    from nb2prod.recording import record
    from tests.notebooks import load

    for name in ("magics_everywhere", "stratified_shuffle", "chained_inplace"):
        folder = tmp_path / name
        path = load.write(name, folder)
        plain = pm.execute_notebook(str(path), None, progress_bar=False, cwd=str(folder))
        record.record(notebook.read(path), config.load(path), folder / "recording", NoProgress(), lambda *_: None)
        watched = nbformat.read(folder / "recording" / "executed.ipynb", as_version=4)
        assert [_stable(c) for c in watched.cells] == [_stable(c) for c in plain.cells]


def _stable(cell: nbformat.NotebookNode) -> tuple[object, ...]:
    """A cell without times: its number and its outputs, less lines that tell how long something took and kernels' file names."""
    out: list[tuple[str, str]] = []
    for item in cell.get("outputs", []):
        text = "".join(item.get("text", "")) + str(item.get("data", {}).get("text/plain", ""))
        kind = f"{item['output_type']} {item.get('name', '')}"
        if out and item["output_type"] == "stream" and out[-1][0] == kind:
            text = out.pop()[1] + text  # a slow machine sends one print in two messages
        out.append((kind, text))
    return cell.get("execution_count"), tuple((kind, _timeless(text)) for kind, text in out)


def _timeless(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if "time" not in x.lower() and "ipykernel" not in x and "0x" not in x)
