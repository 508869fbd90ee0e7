"""/metrics over all workers, whatever state their files are in."""

import os
import subprocess
import sys

from nb2prod.runtime import worker_metrics

COUNTS = """
import sys
from prometheus_client import Counter, Histogram
Counter("rows", "Rows").inc(float(sys.argv[1]))
Histogram("seconds", "Time", buckets=(1, 10)).observe(float(sys.argv[1]))
"""


def test_the_counts_of_all_workers_are_added_up_and_an_empty_file_takes_none_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for count in ("2", "5"):
        subprocess.run([sys.executable, "-c", COUNTS, count], env=os.environ, check=True)
    (tmp_path / "counter_1.db").touch()
    text = worker_metrics.generate().decode()
    assert "rows_total 7.0" in text
    lines = [line for line in text.splitlines() if line.startswith("seconds")]
    assert lines == [
        'seconds_bucket{le="1.0"} 0.0', 'seconds_bucket{le="10.0"} 2.0', 'seconds_bucket{le="+Inf"} 2.0',
        "seconds_count 2.0", "seconds_sum 7.0",
    ]  # fmt: skip
