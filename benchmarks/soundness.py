"""Are there services that answer otherwise than their notebook? Draws notebooks, builds their services, and holds each against the notebook itself.

    python benchmarks/soundness.py [--programs 2000] [--seed 0] [--only N] [--jobs 2] [--keep-going] [--json]

A notebook is drawn from a grammar of what people write (`tests/soundness/grammar`), with branches, categories and missing values that the rows which
it predicts lack. It is recorded, planned and generated in process; then some of its predicted rows are given other values and the notebook is
run again, plainly, without nb2prod: what it predicts for them is what the service must answer. Statistics and fits of the whole table are
held at their first values there, by marks that the grammar writes.

Prints what came of the programs: served, refused (by code), wrong, and how many rows were asked. A wrong one is shrunk to the smallest notebook that
is still wrong, and printed; so is one on which nb2prod fails. `--only N` does the N-th program alone. Exit code 1 if one is wrong or fails.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import multiprocessing
import os
import platform
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PACKAGES = ("nb2prod", "pandas", "numpy", "scikit-learn", "hypothesis")
SHOWN = 12


@dataclass(frozen=True)
class Outcome:
    """What came of the program of a number; `kinds` are the constructs of a wrong one, `text` what a reader is shown of it."""

    number: int
    outcome: str
    codes: tuple[str, ...]
    rows: dict[str, int]
    failing: bool
    kinds: tuple[str, ...]
    text: str
    seconds: float


def begin() -> None:
    """Prepare a worker."""
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")


def do(number: int, seed: int, shrink: bool) -> Outcome:
    """Judge one program, and where it is wrong find a small one that is wrong too."""
    from tests.soundness import search, verdict

    started = time.perf_counter()
    program = search.program(seed, number)
    judged = verdict.judge(program)
    text = judged.words
    if judged.failing:
        small = search.shrunk(seed, number) if shrink else None
        program, told = small or (program, judged)
        text = f"{search.listing(program)}\n{told.words}\n{verdict.problems(told.wrong)}"
    return Outcome(
        number,
        judged.outcome,
        judged.codes,
        judged.asked,
        judged.failing,
        program.kinds,
        text,
        time.perf_counter() - started,
    )


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", type=int, action="append", help="the number of a program; may be given more than once"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--refusals", action="store_true", help="print what each refusal says, too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    numbers = options.only or list(range(options.programs))
    started = time.perf_counter()
    outcomes: list[Outcome] = []
    with (
        concurrent.futures.ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), begin) as pool,
    ):
        waiting = [pool.submit(do, number, options.seed, not options.no_shrink) for number in numbers]
        for done in concurrent.futures.as_completed(waiting):
            outcomes.append(done.result())
            _show(outcomes[-1], options)
    document = _summary(outcomes, options.seed, time.perf_counter() - started)
    print(json.dumps(document, indent=1) if options.json else _text(document))
    return 1 if document["wrong"] or document["failed"] else 0


def _show(outcome: Outcome, options: argparse.Namespace) -> None:
    stream = sys.stderr if options.json else sys.stdout
    told = outcome.failing or outcome.outcome == "invalid" or (options.refusals and outcome.outcome == "refused")
    if told or options.only:
        head = (
            f"-- program {outcome.number}: {'wrong' if outcome.failing else outcome.outcome} {' '.join(outcome.codes)}"
        )
        print(
            f"{head} ({'; '.join(outcome.kinds)}; {outcome.seconds:.1f} s)\n{outcome.text}\n", file=stream, flush=True
        )


def _summary(outcomes: list[Outcome], seed: int, seconds: float) -> dict[str, object]:
    import importlib.metadata

    by = collections.Counter(outcome.outcome for outcome in outcomes)
    codes = collections.Counter(code for outcome in outcomes for code in sorted(set(outcome.codes)))
    rows: collections.Counter[str] = collections.Counter()
    for outcome in outcomes:
        rows.update(outcome.rows)
    wrong = sorted(outcome.number for outcome in outcomes if outcome.failing and outcome.outcome == "served")
    return {
        "programs": len(outcomes),
        "seed": seed,
        "served": by["served"],
        "refused": by["refused"],
        "refused_by_code": dict(codes.most_common()),
        "wrong": len(wrong),
        "wrong_programs": wrong,
        "failed": by["crashed"],
        "not_run": by["invalid"],
        "rows": dict(rows.most_common()),
        "seconds": round(seconds, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _text(document: dict[str, object]) -> str:
    return "\n".join(f"{name.replace('_', ' '):>16}  {_one_line(value)}" for name, value in document.items())


def _one_line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "-"
    return ", ".join(map(str, value)) or "-" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main())
