"""The in-process floor: the same code on rows from a DataFrame, no HTTP. ``python in_process.py FOLDER`` prints JSON."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
from features import features, frame_of

kept = joblib.load(Path(sys.argv[1]) / "model.joblib")
rows = json.loads((Path(sys.argv[1]) / "rows.json").read_text())["rows"]


def timed(count: int, times: int, pause: float = 0.0) -> dict[str, float]:
    """Milliseconds for so many rows at once, from the rows' DataFrame on; each after a pause of so many seconds."""
    took = []
    for turn in range(times + 20):
        start = (turn * count) % (len(rows) - count + 1)
        frame = frame_of(rows[start : start + count])
        if pause:
            time.sleep(pause)
        begin = time.perf_counter()
        kept["model"].predict(features(frame, kept["medians"]))
        took.append((time.perf_counter() - begin) * 1000)
    took = sorted(took[20:])
    return {"p50": statistics.median(took), "p99": took[int(len(took) * 0.99)]}


# A service sleeps until it is asked: what being woken costs on this machine is shown beside the loop that never sleeps.
print(json.dumps({"1": timed(1, 200), "256": timed(256, 60), "1 after a pause": timed(1, 200, 0.001)}))
