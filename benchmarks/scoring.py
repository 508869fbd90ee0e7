"""Rows a second of `nb2prod score`, beside the same pandas code in one process, and how much memory it takes.

    python benchmarks/scoring.py BENTO TABLE [--rows 1000000] [--workers 1 2] [--json]

BENTO is a built Bento (name, name:version or folder), TABLE a CSV or Parquet file with all columns of its raw table. Its rows are drawn again, with replacement, until
there are so many, in one Parquet file. `in process` is a script that reads that file by batches with pandas, calls the Bento's own `features` and `predict`, and writes the predictions: no check
of types, no errors row by row. Each is a process of its own, start included; memory is the most that its processes had together. The last run has a tenth of the rows, to see whether memory grows.
Exit code 1 if a goal is missed: 0.9 of the rows a second a core, 1.8 times as many with two workers, a quarter more memory at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nb2prod.cli.serve import resolve
from nb2prod.environments import served

BY_HAND = """
import sys
from pathlib import Path
src, table, out = sys.argv[1:]
sys.path.insert(0, src)
import pandas as pd, pyarrow as pa, pyarrow.parquet as pq
from nb2prod_runtime import captured
captured.use(Path(src) / "artifacts")
from features import features
from predict import predict
writer = None
with captured.request():
    for batch in pq.ParquetFile(table).iter_batches(65536):
        given = features(batch.to_pandas())
        made = pa.table({"prediction": predict(*given) if isinstance(given, tuple) else predict(given)})
        writer = writer or pq.ParquetWriter(out, made.schema)
        writer.write_table(made)
writer.close()
"""
_EACH = 500_000
GOAL_A_CORE, GOAL_OF_TWO, GOAL_MEMORY = 0.9, 1.8, 1.25


@dataclass(frozen=True)
class Run:
    """One run: `rows` in `seconds`, and the most memory in MiB."""

    what: str
    rows: int
    seconds: float
    memory: float

    @property
    def pace(self) -> float:
        return self.rows / self.seconds


def drawn(table: Path, rows: int, target: Path) -> Path:
    """A Parquet file of so many rows of this table, drawn with replacement."""
    known = pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table)
    for name in known.columns:
        if (
            known[name].dtype.kind not in "biuf"
            and known[name].astype(str).str.fullmatch(r"\d{4}-\d\d-\d\d[T ].*").all()
        ):
            known[name] = pd.to_datetime(known[name])
    source = pa.Table.from_pandas(known, preserve_index=False)
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(target, source.schema) as writer:
        for start in range(0, rows, _EACH):
            writer.write_table(source.take(pa.array(rng.integers(0, len(known), min(_EACH, rows - start)))))
    return target


def measured(what: str, rows: int, command: list[str]) -> Run:
    """Run the command to its end."""
    began = time.perf_counter()
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(0.1)
    if process.returncode:
        sys.exit(f"{what} failed with status {process.returncode}")
    return Run(what, rows, round(time.perf_counter() - began, 2), round(most, 1))


def memory(root: int) -> float:
    """MiB that the process and all below it have to themselves or share, as the kernel divides them (PSS)."""
    found, waiting = 0, [root]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        try:
            lines = (folder / "smaps_rollup").read_text().splitlines()
            found += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            waiting += [
                int(pid) for task in (folder / "task").iterdir() for pid in (task / "children").read_text().split()
            ]
        except (OSError, StopIteration):
            continue
    return found / 1024


def runs(bento: Path, table: Path, rows: int, workers: Iterable[int], folder: Path) -> list[Run]:
    """All runs, the smaller table's last."""
    whole = drawn(table, rows, folder / "whole.parquet")
    python = str(served.of_bento(bento).python)
    made = [
        measured(
            "in process", rows, [python, "-c", BY_HAND, str(bento / "src"), str(whole), str(folder / "by_hand.parquet")]
        )
    ]
    counts = list(workers)
    made += [_scored(bento, whole, rows, count, folder / f"out_{count}") for count in counts]
    tenth = drawn(table, rows // 10, folder / "tenth.parquet")
    return [*made, _scored(bento, tenth, rows // 10, counts[-1], folder / "out_tenth")]


def _scored(bento: Path, table: Path, rows: int, workers: int, out: Path) -> Run:
    command = ["score", str(bento), "--in", str(table), "--out", str(out), "--workers", str(workers)]
    return measured(f"{workers} workers", rows, [sys.executable, "-m", "nb2prod", *command])


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bento")
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nb2prod-scoring-") as folder:
        by_hand, *scored, tenth = runs(
            resolve(options.bento), options.table, options.rows, options.workers, Path(folder)
        )
    one, last = scored[0], scored[-1]
    found = {
        "a core": (one.pace / options.workers[0] / by_hand.pace, GOAL_A_CORE, True),
        f"{last.what} to {one.what}": (last.pace / one.pace, GOAL_OF_TWO, True),
        "memory, ten times the rows": (last.memory / tenth.memory, GOAL_MEMORY, False),
    }
    met = {what: value >= goal if more else value <= goal for what, (value, goal, more) in found.items()}
    if options.json:
        print(json.dumps({"runs": [asdict(run) for run in (by_hand, *scored, tenth)], "found": found, "met": met}))
    else:
        for run in (by_hand, *scored, tenth):
            print(
                f"{run.what:12} {run.rows:>12,} rows {run.seconds:>9.2f} s {run.pace:>12,.0f} rows/s {run.memory:>9.1f} MiB"
            )
        for what, (value, goal, _) in found.items():
            print(f"{what}: {value:.2f} (goal {goal:g}{'' if met[what] else ', missed'})")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
