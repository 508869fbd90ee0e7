"""A release that was served, without a build: its Bento's documents, its record, and a request log."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nb2prod import home
from nb2prod.path.trial import reference
from nb2prod.release import record
from nb2prod.runtime import describe
from nb2prod.runtime.request_log_schema import SCHEMA, SCHEMA_KEY

NAME, VERSION = "visits", "aa11"
MODEL = f"{NAME}:{VERSION}"
FIRST = dt.date(2026, 3, 1)
BENTO_YAML = f"name: {NAME}\nversion: {VERSION}\ncreation_time: '2026-01-01T00:00:00+00:00'\nlabels:\n  nb2prod: '1'\n"


def table(rows, rng, *, older=0.0, lost=0.02, towns=("a", "b", "c"), shares=(0.5, 0.3, 0.2)):
    """Rows of the raw table: numbers, texts with gaps, a whole number, and what is predicted of them."""
    age = rng.normal(40 + older, 10, rows)
    town = np.where(rng.random(rows) < lost, None, rng.choice(towns, rows, p=shares))
    return pd.DataFrame(
        {
            "age": age,
            "town": town,
            "visits": rng.poisson(3, rows),
            "when": pd.Timestamp("2026-03-01") + pd.to_timedelta(rng.integers(0, 99, rows), unit="h"),
            "constant": np.ones(rows),
            "p": (age + rng.normal(0, 5, rows) > 45).astype("int64"),
        }
    )


def release(training, *, watch=None, options=None, owner="Ada", runbook="https://example.org/run"):
    """Write the Bento's documents and its record; returns the Bento's folder."""
    fields = [name for name in training.columns if name != "p"]
    bento = Path(home.home()).parent / "bentoml" / "bentos" / NAME / VERSION
    source = bento / "src"
    source.mkdir(parents=True, exist_ok=True)
    (bento / "bento.yaml").write_text(BENTO_YAML)
    signature = {
        "schema": 1,
        "model": {"name": NAME},
        "columns": describe.columns(training, fields=fields, targets=["p"]),
        "prediction": {"name": "p", "dtype": "int64", "kind": "integer", "labels": [0, 1]},
    }
    (source / "signature.json").write_text(json.dumps(signature))
    described = reference.describe(training[fields], training["p"], prediction_name="p")
    (source / "reference.json").write_text(json.dumps(described))
    (source / "options.json").write_text(json.dumps(options or {}))
    folder = home.releases() / NAME / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    item = record.ReleaseRecord(
        NAME,
        VERSION,
        "2026-01-01T00:00:00+00:00",
        "visits.ipynb",
        "sha256:1",
        owner=owner,
        runbook=runbook,
        watch=watch or {},
    )
    (folder / record.FILE).write_text(json.dumps(item.to_json()))
    return bento


def log_folder():
    return home.serving() / NAME / "requests"


def log(rows, day=0, *, file="0001", errors=0, model=MODEL, folder=None):
    """A file of the request log with these rows on a day counted from `FIRST`."""
    date = FIRST + dt.timedelta(days=day)
    moment = dt.datetime(date.year, date.month, date.day, 12, tzinfo=dt.UTC)
    count = len(rows)
    columns = {
        "time": pa.array([moment] * count, pa.timestamp("us", "UTC")),
        "request_id": pa.array([f"{date}-{file}-{at}" for at in range(count)]),
        "model": pa.array([model] * count),
        "caller": pa.array([None] * count, pa.string()),
        "row": pa.array([0] * count, pa.int32()),
        "seconds": pa.array([0.01] * count),
    }
    for name in rows.columns:
        if name != "p":
            values = rows[name]
            plain = values.astype(str) if name == "when" else values
            columns[f"row.{name}"] = pa.Array.from_pandas(plain)
    columns["features"] = pa.array([None] * count, pa.string())
    columns["prediction"] = pa.array(rows["p"])
    columns["error"] = pa.array(["row_failed"] * errors + [None] * (count - errors), pa.string())
    columns["fallback"] = pa.array([None] * count, pa.string())
    made = pa.table(columns).replace_schema_metadata({SCHEMA_KEY: str(SCHEMA).encode()})
    path = (folder or log_folder()) / date.isoformat() / f"{file}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(made, path)
    return path
