"""Does watching keep its promise, how soon does it find a shift, and how much log can it read?

    python benchmarks/watching.py [--deployments 300] [--days 365] [--shifts 100] [--rows 10000000] [--nannyml 10] [--processes 2] [--json]

1. False alarms: simulated deployments of 20 fields whose rows come as training's did (a reference of 5,000 rows, 200 rows a day, a look a day), by the
   same evidence, family and size as `nb2prod watch`, at alpha 1 %. Beside it what a chi-squared test of each day at 5 % would have raised, and
   NannyML's defaults on --nannyml deployments (nannyml_defaults.py; left out, with the reason, where it can't be installed).
2. Days until a shift of total variation .25 and .1 is found, of 200 rows a day, from the first day or after 100 quiet ones.
3. The flights of example_notebooks/data: January is the reference, days follow in their order, and shuffled.
   The US census' employment in Massachusetts, which NannyML's wheel brings: 2015 is the reference, 2,000 rows a day of the years after it.
4. A log of --rows rows in Parquet files by day: seconds and memory of the first look, seconds of a second one that has nothing to read.

Prints a line a figure with its goal. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import nannyml_defaults  # noqa: E402 - found beside this file
from nb2prod.evidence.counts import CountEvidence  # noqa: E402
from nb2prod.evidence.families import rejected  # noqa: E402
from nb2prod.evidence.sizes import total_variation  # noqa: E402
from nb2prod.watching.verdict import Thresholds  # noqa: E402

FIELDS, BINS, REFERENCE, A_DAY = 20, 10, 5_000, 200
THRESHOLDS = Thresholds()
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A measured number with its goal (`met` is None where there is none)."""

    name: str
    value: float
    goal: str = ""
    met: bool | None = None


class Family:
    """The fields of one deployment, watched together."""

    def __init__(self, references: Sequence[Floats]) -> None:
        self.references = references
        self.evidence = [CountEvidence(counts) for counts in references]
        self.days: list[list[Floats]] = [[] for _ in references]

    def look(self, counts: Sequence[Floats]) -> list[int]:
        """The fields that have drifted after this day."""
        found = []
        for item, seen, days in zip(self.evidence, counts, self.days, strict=True):
            item.add(seen)
            days.append(seen)
        for at, told in enumerate(rejected([item.evidence for item in self.evidence], THRESHOLDS.alpha)):
            if told:
                since = np.sum(self.days[at][self.evidence[at].likeliest - 1 :], axis=0)
                if total_variation(self.references[at], since).low > THRESHOLDS.materiality:
                    found.append(at)
        return found


def false_alarms(task: tuple[int, int]) -> tuple[bool, bool]:
    """Whether a deployment on which nothing changes ever raised an alarm: by us, and by a test of each day."""
    from scipy import stats

    seed, days = task
    rng = np.random.default_rng(seed)
    shares = [rng.dirichlet(np.full(BINS, 2.0)) for _ in range(FIELDS)]
    references = [rng.multinomial(REFERENCE, share).astype("float64") for share in shares]
    family = Family(references)
    ours = tested = False
    for _ in range(days):
        counts = [rng.multinomial(A_DAY, share).astype("float64") for share in shares]
        ours |= bool(family.look(counts))
        if not tested:
            for reference, seen in zip(references, counts, strict=True):
                table = np.vstack([reference, seen])[:, (reference + seen) > 0]
                tested |= bool(stats.chi2_contingency(table).pvalue < 0.05)
    return ours, tested


def days_to_find(task: tuple[int, float, int]) -> int:
    """Days after its beginning until a shift of one of the fields is found; 99 where it is not within 60."""
    seed, size, quiet = task
    rng = np.random.default_rng(seed)
    share = np.full(BINS, 1 / BINS)
    moved = share.copy()
    moved[: BINS // 2] *= 1 + 2 * size
    moved[BINS // 2 :] *= 1 - 2 * size
    family = Family([rng.multinomial(REFERENCE, share).astype("float64") for _ in range(FIELDS)])
    for _ in range(quiet):
        family.look([rng.multinomial(A_DAY, share).astype("float64") for _ in range(FIELDS)])
    for day in range(1, 61):
        counts = [rng.multinomial(A_DAY, moved if at == 0 else share).astype("float64") for at in range(FIELDS)]
        if 0 in family.look(counts):
            return day
    return 99


def simulated(deployments: int, days: int, shifts: int, pool: ProcessPoolExecutor) -> list[Figure]:
    """The first two parts."""
    found = list(pool.map(false_alarms, [(seed, days) for seed in range(deployments)]))
    ours, tested = (sum(pair[at] for pair in found) for at in (0, 1))
    most = math.ceil(8 * deployments / 300)
    figures = [
        Figure(
            f"deployments of {deployments} with a false alarm in {days} days", ours, f"at most {most}", ours <= most
        ),
        Figure("the same by a chi-squared test of each field and day at 5 %", tested),
    ]
    for size, goal in ((0.25, 2), (0.1, 15)):
        for quiet in (0, 100):
            each = list(pool.map(days_to_find, [(1000 + seed, size, quiet) for seed in range(shifts)]))
            median = float(np.median(each))
            name = (
                f"days to find a shift of {size:g} after {quiet} quiet days: median (90 %: {np.quantile(each, 0.9):g})"
            )
            figures.append(Figure(name, median, f"at most {goal}", median <= goal))
    return figures


def flights() -> list[Figure]:
    """The third part: real rows, in their order and shuffled."""
    import pandas as pd

    table = pd.read_csv(ROOT / "example_notebooks" / "data" / "flights.csv.gz")
    fields = ["dep_delay", "arr_delay", "air_time", "distance", "sched_dep_time", "flight"]
    first, rest = table[table["month"] == 1], table[table["month"] > 1]
    # Shuffled with the reference: nothing then tells a day from training.
    mixed = table.sample(frac=1, random_state=0)
    figures = []
    for word, known, later in (
        ("in their order", first, rest),
        ("shuffled", mixed.iloc[: len(first)], mixed.iloc[len(first) :]),
    ):
        edges = {name: np.unique(np.nanquantile(known[name], np.arange(1, 10) / 10)) for name in fields}
        family = Family([_counts(known[name], edges[name]) for name in fields])
        drifted: set[int] = set()
        by_day = ["month", "day"] if word == "in their order" else np.arange(len(later)) // A_DAY
        for _, day in later.groupby(by_day):
            drifted |= set(family.look([_counts(day[name], edges[name]) for name in fields]))
        goal = {"goal": "0", "met": not drifted} if word == "shuffled" else {}
        names = ", ".join(fields[at] for at in sorted(drifted)) or "none"
        figures.append(
            Figure(f"flights {word}: fields of {len(fields)} that have drifted ({names})", len(drifted), **goal)
        )
    return figures


def employment(python: Path) -> list[Figure]:
    """Real drift that comes in a wheel: which fields have drifted by the last day, and after how many days the first."""
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="nb2prod-employment-") as folder:
        known, later = map(pd.read_csv, nannyml_defaults.employment(python, Path(folder)))
    bins = {name: _bins(known[name]) for name in known.columns}
    family = Family([_in_bins(known[name], bins[name]) for name in known.columns])
    first, drifted = 0, set()
    for day, start in enumerate(range(0, len(later), 10 * A_DAY), start=1):
        rows = later.iloc[start : start + 10 * A_DAY]
        found = set(family.look([_in_bins(rows[name], bins[name]) for name in known.columns]))
        first = first or (day if found else 0)
        drifted |= found
    names = ", ".join(known.columns[at] for at in sorted(drifted)) or "none"
    return [
        Figure(f"employment: fields of {len(known.columns)} that have drifted ({names})", len(drifted)),
        Figure("employment: days of 2,000 rows until the first of them (0: never)", first),
    ]


def _bins(values: Any) -> tuple[Any, Floats]:
    """The most frequent values of a column of few, or the inner edges of ranges; the other one is empty."""
    if values.nunique() <= FIELDS + BINS:
        return values.value_counts().index[: BINS - 1], np.array([])
    return [], np.unique(np.nanquantile(values, np.arange(1, BINS) / BINS))


def _in_bins(values: Any, bins: tuple[Any, Floats]) -> Floats:
    frequent, edges = bins
    if not len(frequent):
        return _counts(values, edges)
    return np.array([*(float((values == one).sum()) for one in frequent), float((~values.isin(frequent)).sum())])


def _counts(values: Any, edges: Floats) -> Floats:
    known = values.dropna().to_numpy(dtype="float64")
    return np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1).astype("float64")


def big_log(rows: int) -> list[Figure]:
    """The fourth part, in a process of its own, so that its memory is that of the look."""
    with tempfile.TemporaryDirectory(prefix="nb2prod-watching-") as folder:
        environment = {**os.environ, "NB2PROD_HOME": f"{folder}/home", "BENTOML_HOME": f"{folder}/bentoml"}
        run = lambda part: subprocess.run(  # noqa: E731
            [sys.executable, __file__, "--part", part, "--rows", str(rows)],
            env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        run("write")
        first, second = json.loads(run("look")), json.loads(run("look"))
    assert first["rows"] == rows
    assert second["new"] == 0
    return [
        Figure(f"seconds of a first look at {rows:,} rows of 20 fields", first["seconds"]),
        Figure("MB of memory at most", first["memory"], "at most 1000", first["memory"] <= 1000),
        Figure("seconds of a second look", second["seconds"], "at most 20", second["seconds"] <= 20),
    ]


def part(name: str, rows: int) -> None:
    """A part of `big_log`: `write` the log, or `look` at it."""
    import pandas as pd

    from nb2prod.watching.look import look
    from nb2prod.watching.subject import find, thresholds
    from tests.watching import served

    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"f{at}": rng.normal(size=20_000) for at in range(FIELDS)})
    table["p"] = (table["f0"] > 0).astype("int64")
    if name == "write":
        served.release(table.iloc[:REFERENCE])
        for at in range(-(-rows // 20_000)):
            count = min(20_000, rows - at * 20_000)
            served.log(table.sample(count, replace=True, random_state=at), at % 365 - 365, file=f"{at:06d}")
        return
    started = time.perf_counter()
    seen = look(subject := find(served.NAME), thresholds(subject))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "rows": seen.rows,
                "new": seen.new_rows,
                "seconds": round(time.perf_counter() - started, 1),
                "memory": round(memory),
            }
        )
    )


def main() -> int:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deployments", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--shifts", type=int, default=100)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument(
        "--nannyml", type=int, default=10, metavar="N", help="deployments that NannyML watches; 0: none"
    )
    parser.add_argument(
        "--environment", type=Path, metavar="FOLDER", help="keep NannyML's environment here, and use it again"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=("write", "look"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        part(asked.part, asked.rows)
        return 0
    figures: list[Figure] = []

    def told(found: Sequence[Figure]) -> None:
        for item in found:
            figures.append(item)
            word = {True: "met", False: "MISSED", None: ""}[item.met]
            if not asked.json:
                print(f"{item.name}: {item.value:g}" + (f"  ({item.goal}: {word})" if item.goal else ""), flush=True)

    with ProcessPoolExecutor(asked.processes) as pool:
        told(simulated(asked.deployments, asked.days, asked.shifts, pool))
    other = "NannyML was not asked"
    with contextlib.ExitStack() as stack:
        try:
            if asked.nannyml:
                python = stack.enter_context(nannyml_defaults.environment(asked.environment))
                other = nannyml_defaults.sentence(nannyml_defaults.figures(python, asked.nannyml, asked.days))
                told(employment(python))
        except nannyml_defaults.LeftOut as reason:
            other = str(reason)
    if not asked.json:
        print(other, flush=True)
    told(flights())
    told(big_log(asked.rows))
    if asked.json:
        print(
            json.dumps(
                {
                    "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                    "figures": [asdict(item) for item in figures],
                    "nannyml": other,
                }
            )
        )
    return 0 if all(item.met is not False for item in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
