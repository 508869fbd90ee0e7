"""How long `nb2prod build` takes, stage by stage, beside plain papermill on the same notebook.

    python benchmarks/build_time.py [NOTEBOOK] [--runs 3] [--json]

Both run as processes of their own, in turns, the order swapped each time, with an empty NB2PROD_HOME and BentoML store
for each build. Numbers are medians. `nb2prod check` and `nb2prod --help` are timed as a user waits for them. One JSON
document with `--json`. Exit code 1 if a goal is missed, 2 if a command failed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLIGHTS = ROOT / "example_notebooks" / "flight_delay.ipynb"
PACKAGES = ("nb2prod", "papermill", "bentoml", "pandas", "numpy", "scikit-learn", "ipykernel", "skops")
PROOF_STAGES = ("prove", "release")  # the release record holds the executed and rendered report of the proof
QUICK_RUNS = 5

PAPERMILL = """
import json, sys, time
begin = time.perf_counter()
import papermill
imported = time.perf_counter()
papermill.execute_notebook(sys.argv[1], sys.argv[2], cwd=sys.argv[3], progress_bar=False)
print(json.dumps({"import": imported - begin, "execute": time.perf_counter() - imported}))
"""


@dataclass(frozen=True)
class Goal:
    """A time that must not be passed."""

    what: str
    limit: float
    seconds: float

    @property
    def met(self) -> bool:
        return self.seconds <= self.limit


@dataclass
class Times:
    """What the runs took, in seconds."""

    papermill: list[float] = field(default_factory=list)
    papermill_parts: list[dict[str, float]] = field(default_factory=list)
    build: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)
    check: list[float] = field(default_factory=list)
    help: list[float] = field(default_factory=list)


class CommandFailed(Exception):
    """A timed command gave another exit code than 0."""


def nb2prod() -> list[str]:
    """The installed command, of the Python that runs this."""
    return [str(Path(sysconfig.get_path("scripts")) / "nb2prod")]


def timed(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[float, str]:
    """Seconds that the command took as a process, and its standard output."""
    begin = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise CommandFailed(f"{' '.join(command[:3])} … gave exit code {done.returncode}:\n{tail}")
    return seconds, done.stdout


def last_json(text: str) -> dict[str, Any]:
    """The JSON document that ends the output."""
    document = json.loads(text[text.index("{") :])
    if not isinstance(document, dict):
        raise CommandFailed("the command's output is not a JSON object")
    return document


def run_papermill(notebook: Path, times: Times) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / notebook.name)
        seconds, text = timed([sys.executable, "-c", PAPERMILL, str(notebook), output, str(notebook.parent)])
    times.papermill.append(seconds)
    times.papermill_parts.append(last_json(text))


def run_build(notebook: Path, times: Times) -> None:
    with tempfile.TemporaryDirectory() as folder:
        homes = {"NB2PROD_HOME": f"{folder}/nb2prod", "BENTOML_HOME": f"{folder}/bentoml"}
        for home in homes.values():
            Path(home).mkdir()
        seconds, text = timed([*nb2prod(), "build", str(notebook), "--json"], homes)
    times.build.append(seconds)
    stages = last_json(text)["seconds"]
    times.stages.append({name: seconds for name, seconds in stages.items() if name != "total"})


def measure(notebook: Path, runs: int, tell: Callable[[str], None]) -> Times:
    """Papermill and build in turns, then the quick commands."""
    times = Times()
    for number in range(runs):
        pair = (run_papermill, run_build) if number % 2 == 0 else (run_build, run_papermill)
        for run in pair:
            run(notebook, times)
        tell(f"run {number + 1} of {runs}: papermill {times.papermill[-1]:.1f} s, build {times.build[-1]:.1f} s")
    for _ in range(QUICK_RUNS):
        times.check.append(timed([*nb2prod(), "check", str(notebook)])[0])
        times.help.append(timed([*nb2prod(), "--help"])[0])
    return times


def stage_medians(stages: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each stage, in the order in which the build reports them."""
    return {name: statistics.median(run.get(name, 0.0) for run in stages) for name in stages[0]}


def goals(times: Times) -> tuple[Goal, ...]:
    """What the build promises on the flights, from medians."""
    proofs = [sum(seconds for name, seconds in run.items() if name in PROOF_STAGES) for run in times.stages]
    above = [build - proof - plain for build, proof, plain in zip(times.build, proofs, times.papermill, strict=True)]
    return (
        Goal("build up to its proof, above plain papermill", 10.0, statistics.median(above)),
        Goal("proof and its report", 30.0, statistics.median(proofs)),
        Goal("nb2prod check", 1.0, statistics.median(times.check)),
        Goal("nb2prod --help", 0.3, statistics.median(times.help)),
    )


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
    ]
    facts = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": f"{os.cpu_count()} x {names[0] if names else platform.processor() or 'unknown'}",
        "python": platform.python_version(),
    }
    if hasattr(os, "getloadavg"):
        facts["load before"] = f"{os.getloadavg()[0]:.2f}"
    return facts


def versions() -> dict[str, str]:
    """The versions that matter here, of those installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def table(times: Times) -> str:
    """The medians as text, stages beside papermill's parts."""
    lines = [f"{'':24}{'nb2prod build':>16}{'plain papermill':>18}"]
    stages, parts = stage_medians(times.stages), stage_medians(times.papermill_parts)
    beside = {"record": parts["execute"]}
    for name, seconds in stages.items():
        other = f"{beside[name]:>16.2f} s" if name in beside else ""
        lines.append(f"{name:24}{seconds:>14.2f} s{other}")
    rest = statistics.median(times.build) - sum(stages.values())
    lines.append(
        f"{'start and imports':24}{rest:>14.2f} s{statistics.median(times.papermill) - parts['execute']:>16.2f} s"
    )
    lines.append(
        f"{'whole process':24}{statistics.median(times.build):>14.2f} s{statistics.median(times.papermill):>16.2f} s"
    )
    return "\n".join(lines)


def show(notebook: Path, facts: dict[str, str], times: Times) -> None:
    print(f"{notebook.name}, medians of {len(times.build)} runs")
    print("; ".join(f"{name}: {value}" for name, value in facts.items()))
    print("; ".join(f"{name} {version}" for name, version in versions().items()))
    print()
    print(table(times))
    print()
    for goal in goals(times):
        print(
            f"{'met   ' if goal.met else 'MISSED'}  {goal.what}: {goal.seconds:.2f} s (goal: at most {goal.limit:g} s)"
        )


def document(notebook: Path, facts: dict[str, str], times: Times) -> dict[str, Any]:
    """The same as data, every run's numbers with it."""
    return {
        "notebook": notebook.name,
        "machine": facts,
        "versions": versions(),
        "median": {
            "papermill": statistics.median(times.papermill),
            "build": statistics.median(times.build),
            "stages": stage_medians(times.stages),
        },
        "goals": [{**asdict(goal), "met": goal.met} for goal in goals(times)],
        "runs": asdict(times),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Seconds of nb2prod build, by stage, beside plain papermill's.")
    parser.add_argument("notebook", nargs="?", type=Path, default=FLIGHTS, help="default: the flight-delay example")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs: at least 1")
    if not given.notebook.is_file():
        parser.error(f"{given.notebook}: no such notebook")
    return given


def main() -> int:
    given = arguments()
    facts = machine()
    try:
        times = measure(given.notebook.resolve(), given.runs, lambda text: print(text, file=sys.stderr))
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(document(given.notebook, facts, times), indent=2))
    else:
        show(given.notebook, facts, times)
    return 0 if all(goal.met for goal in goals(times)) else 1


if __name__ == "__main__":
    sys.exit(main())
