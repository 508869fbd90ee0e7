"""How often does NannyML, as it is installed, alert where nothing changes? Part of benchmarks/watching.py, in an environment of its own.

    python benchmarks/nannyml_defaults.py [--deployments 10] [--days 365] [--environment FOLDER]

`environment` makes it with uv (pinned below), `figures` simulates deployments of 20 fields in it: a reference of 5,000 rows, 200 rows a day from the same
distributions, a chunk a day, `UnivariateDriftCalculator` with its defaults. Where it can't be made, the reason is told instead. NannyML's report of its use is switched off.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PINS = ("nannyml==0.13.1", "lightgbm==4.5.0", "statsmodels==0.15.0", "pandas==3.1.1", "numpy==2.4.6", "scikit-learn==1.9.1")  # fmt: skip
FIELDS, REFERENCE, A_DAY = 20, 5_000, 200
_SECONDS = 600.0

_SIMULATION = """
import json, sys, warnings
import numpy as np
import pandas as pd
warnings.filterwarnings("ignore")
import nannyml
deployments, days, fields, reference, a_day = map(int, sys.argv[1:])
names = [f"f{at}" for at in range(fields)]
alerted, days_alerted = 0, 0
for seed in range(deployments):
    rng = np.random.default_rng(seed)
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, chunk_size=a_day)
    calculator.fit(pd.DataFrame(rng.normal(size=(reference, fields)), columns=names))
    found = calculator.calculate(pd.DataFrame(rng.normal(size=(days * a_day, fields)), columns=names))
    table = found.filter(period="analysis").to_df()
    alerts = table.loc[:, [column for column in table.columns if column[-1] == "alert"]].to_numpy(dtype=bool)
    alerted += bool(alerts.any())
    days_alerted += int(alerts.any(axis=1).sum())
print(json.dumps({"alerted": alerted, "days": days_alerted, "version": nannyml.__version__}))
"""

_EMPLOYMENT = """
import sys
import nannyml
reference, later, _ = nannyml.load_us_census_ma_employment_data()
for table, path in zip((reference, later), sys.argv[1:]):
    table.drop(columns=["id", "year", "predicted_probability", "employed"], errors="ignore").to_csv(path, index=False)
"""


@dataclass(frozen=True)
class Found:
    """Of `deployments` on which nothing changes, how many alerted at all, and on which share of days."""

    deployments: int
    alerted: int
    share_of_days: float
    version: str


class LeftOut(Exception):
    """Why NannyML can't be asked, in words."""


@contextlib.contextmanager
def environment(kept: Path | None = None) -> Iterator[Path]:
    """The Python of an environment with NannyML, made with uv; `kept` is used again, a temporary one goes. Raises `LeftOut`."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory(prefix="nb2prod-nannyml-") as folder:
        place = kept or Path(folder) / "environment"
        python = place / "bin" / "python"
        if not python.is_file():
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)])
            _run([uv, "pip", "install", "--quiet", "--python", str(python), *PINS])
        yield python


def figures(python: Path, deployments: int, days: int) -> Found:
    """Simulate with this Python; raises `LeftOut`."""
    numbers = map(str, (deployments, days, FIELDS, REFERENCE, A_DAY))
    told = json.loads(_run([str(python), "-c", _SIMULATION, *numbers]).splitlines()[-1])
    return Found(deployments, told["alerted"], told["days"] / (deployments * days), told["version"])


def employment(python: Path, folder: Path) -> tuple[Path, Path]:
    """The US census' employment in Massachusetts, which comes with NannyML: 2015 and the years after it, as CSV; raises `LeftOut`."""
    paths = folder / "reference.csv", folder / "later.csv"
    _run([str(python), "-c", _EMPLOYMENT, *map(str, paths)])
    return paths


def _run(command: list[str]) -> str:
    environ = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
    try:
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        last = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise LeftOut(f"NannyML is left out: {last[-1] if last else type(error).__name__}") from error
    return done.stdout


def main() -> int:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deployments", type=int, default=10)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument(
        "--environment", type=Path, metavar="FOLDER", help="keep the environment here, and use it again"
    )
    asked = parser.parse_args()
    try:
        with environment(asked.environment) as python:
            print(sentence(figures(python, asked.deployments, asked.days)))
    except LeftOut as reason:
        print(reason)
    return 0


def sentence(found: Found) -> str:
    """The result in words."""
    return (
        f"NannyML {found.version} by its defaults, a chunk a day: {found.alerted} of {found.deployments} deployments on which nothing changes"
        f" alerted, on {found.share_of_days:.1%} of days"
    )


if __name__ == "__main__":
    sys.exit(main())
