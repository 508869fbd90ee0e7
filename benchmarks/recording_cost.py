"""What the recorder costs: time and memory of a recorded run beside plain papermill, on the examples and on a million rows.

    python benchmarks/recording_cost.py [--runs 3] [--rows 1000000] [--json]

The recorded run alone, without the plan's replays. Each run is a process of its own, in turns, the order swapped each time; time is
that of the notebook's execution, memory the largest size of its kernel. Numbers are medians. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("flight_delay", "breast_cancer", "diabetes_progression")
GOAL = 1.5

PLAIN = """
import json, resource, sys, time
import papermill
begin = time.perf_counter()
papermill.execute_notebook(sys.argv[1], sys.argv[2] + "/out.ipynb", cwd=sys.argv[3], progress_bar=False)
"""
RECORDED = """
import json, pathlib, resource, sys, time
import papermill
from nb2prod import notebook
from nb2prod.config import Options
from nb2prod.progress import NoProgress
from nb2prod.recording import engine, record
begin = time.perf_counter()
record.record(notebook.read(pathlib.Path(sys.argv[1])), Options(), pathlib.Path(sys.argv[2]), NoProgress(), lambda *_: None)
"""
REPORT = """
seconds = time.perf_counter() - begin
print(json.dumps({"seconds": seconds, "mebibytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}))
"""

MILLION = """
rng = np.random.default_rng(0)
shops = pd.DataFrame({"shop": range(200), "area": rng.normal(size=200)})
# %% data
df = pd.DataFrame({"shop": rng.integers(0, 200, ROWS), "price": rng.lognormal(2, 1, ROWS), "weight": rng.normal(5, 2, ROWS)})
df["kind"] = rng.choice(["a", "b", "c", None], ROWS)
df["sold"] = rng.poisson(3, ROWS)
df.loc[::50, "weight"] = None
# %% feature
df = df.drop_duplicates()
df = df[df["price"] < df["price"].quantile(0.999)]
df["weight"] = df["weight"].fillna(df["weight"].median())
df["log_price"] = np.log1p(df["price"])
df["kind"] = df["kind"].fillna("none")
df = df.merge(shops, on="shop", how="left")
df["shop_price"] = df.groupby("shop")["price"].transform("mean")
df["dear"] = (df["price"] > df["shop_price"]).astype(int)
for column in ["weight", "log_price", "area"]:
    df[column] = (df[column] - df[column].mean()) / df[column].std()
X = pd.get_dummies(df[["weight", "log_price", "area", "dear", "kind"]], columns=["kind"])
y = df["sold"]
# %% train
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
model = LinearRegression().fit(X_train, y_train)
# %% predict
y_pred = model.predict(X_test)
"""
HEAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
"""


@dataclass
class Cost:
    """What the runs of one notebook took: seconds and mebibytes, plain and recorded."""

    notebook: str
    plain: list[dict[str, float]] = field(default_factory=list)
    recorded: list[dict[str, float]] = field(default_factory=list)

    def median(self, which: str, what: str) -> float:
        return statistics.median(run[what] for run in getattr(self, which))

    def ratio(self, what: str) -> float:
        return self.median("recorded", what) / self.median("plain", what)


def generated(folder: Path, rows: int) -> Path:
    """A notebook that makes its own table of many rows."""
    first, *rest = MILLION.split("# %% ")
    cells = [new_code_cell(f"{HEAD}ROWS = {rows}\n{first}".strip())]
    for text in rest:
        tag, _, source = text.partition("\n")
        cells.append(new_code_cell(source.strip(), metadata={"tags": [tag]}))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "many_rows.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={**metadata, "language_info": {"name": "python"}}), path)
    return path


def run(script: str, notebook: Path) -> dict[str, float]:
    """One run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", script + REPORT, str(notebook), folder, str(notebook.parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{notebook.name} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(notebook: Path, runs: int) -> Cost:
    """Plain and recorded runs in turns."""
    cost = Cost(notebook.name)
    for number in range(runs):
        pair = [(PLAIN, cost.plain), (RECORDED, cost.recorded)]
        for script, results in pair if number % 2 == 0 else reversed(pair):
            results.append(run(script, notebook))
    return cost


def line(cost: Cost) -> str:
    """One row of the table."""
    cells = [cost.median(w, what) for what in ("seconds", "mebibytes") for w in ("plain", "recorded")]
    ratios = cost.ratio("seconds"), cost.ratio("mebibytes")
    return (
        f"{cost.notebook:26}{cells[0]:>8.2f} s{cells[1]:>9.2f} s{ratios[0]:>7.2f}"
        f"{cells[2]:>9.0f} MiB{cells[3]:>7.0f} MiB{ratios[1]:>7.2f}"
    )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        notebooks = [p for n in EXAMPLES if (p := ROOT / "example_notebooks" / f"{n}.ipynb").exists()]
        notebooks.append(generated(Path(folder), options.rows))
        costs = [measure(notebook, options.runs) for notebook in notebooks]
    worst = max(max(c.ratio("seconds"), c.ratio("mebibytes")) for c in costs)
    if options.json:
        print(json.dumps({"goal": GOAL, "worst": worst, "costs": [asdict(c) for c in costs]}))
        return int(worst > GOAL)
    print(f"{platform.machine()}, Python {platform.python_version()}; medians of {options.runs} runs")
    print(f"{'':26}{'plain':>10}{'recorded':>11}{'ratio':>7}{'plain':>13}{'recorded':>11}{'ratio':>7}")
    for cost in costs:
        print(line(cost))
    print(f"\n{'met' if worst <= GOAL else 'MISSED'}  largest ratio {worst:.2f} (goal {GOAL})")
    return int(worst > GOAL)


if __name__ == "__main__":
    sys.exit(main())
