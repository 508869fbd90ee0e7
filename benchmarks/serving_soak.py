"""A service under load for minutes: its memory must stay flat and every answer be a good one.

    python benchmarks/serving_soak.py BENTO_FOLDER [--minutes 10] [--connections 16] [--json]

Asks the Bento's own examples over and over, a job now and then, and looks at the workers' memory every few seconds. The first fifth
of the time is warming up; after it memory may grow by 5 % or 10 MB, whichever is more. Exit code 1 if it grows more, or if any
answer is not 2xx.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from serving_peers import services

LOAD = Path(__file__).resolve().parent / "serving_peers" / "load.py"
STEP = 5.0


def main() -> int:
    """Load it, watch it, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bento", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    bento = arguments.bento.absolute()
    rows = json.loads((bento / "src" / "examples.json").read_text())["rows"]
    with tempfile.TemporaryDirectory(prefix="nb2prod-soak-") as scratch:
        folder = Path(scratch)
        (folder / "bentoml").mkdir()
        bodies = [json.dumps({"rows": rows[:count]}) for count in range(1, len(rows) + 1)]
        (folder / "bodies.json").write_text(json.dumps(bodies))
        seen = watched(bento, folder, arguments, bodies[0].encode())
    if arguments.json:
        print(json.dumps(seen, indent=1))
    else:
        print(f"{seen['requests']} requests in {arguments.minutes:g} minutes, {seen['requests_per_second']:.0f}/s")
        print(f"p50 {seen['p50']:.1f} ms, p99 {seen['p99']:.1f} ms, not 2xx: {seen['bad'] or 0}, jobs: {seen['jobs']}")
        print(
            f"memory MB: {seen['first']:.0f} after warming up, {seen['last']:.0f} at the end, most {seen['most']:.0f}"
        )
        print("flat" if seen["flat"] else "NOT flat")
    return 0 if seen["flat"] and not seen["bad"] else 1


def watched(bento: Path, folder: Path, arguments: argparse.Namespace, body: bytes) -> dict[str, Any]:
    """What was seen."""
    seconds = arguments.minutes * 60
    known = services.services(bento)["ours"]
    with services.running(known, Path(sys.executable), folder, body) as running:
        asked = [str(running.port), known.path, str(folder / "bodies.json"), str(arguments.connections), str(seconds)]
        load = subprocess.Popen([sys.executable, str(LOAD), *asked], stdout=subprocess.PIPE, text=True)
        begin, memory, jobs = time.monotonic(), [], 0
        while load.poll() is None:
            time.sleep(min(STEP, seconds / 20))
            memory.append((time.monotonic() - begin, running.memory()))
            jobs += job(running.port, body)
        said = json.loads(load.communicate()[0])
    steady = [held for at, held in memory if seconds / 5 <= at <= seconds]
    first, last = steady[0], sum(steady[-3:]) / len(steady[-3:])
    return {
        "requests": said["good"],
        "requests_per_second": said["requests_per_second"],
        "p50": said["p50"],
        "p99": said["p99"],
        "bad": said["bad"],
        "jobs": jobs,
        "first": first,
        "last": last,
        "most": max(steady),
        "flat": last - first <= max(10.0, 0.05 * first),
        "memory": [[round(at, 1), round(held, 1)] for at, held in memory],
    }


def job(port: int, body: bytes) -> int:
    """Put a job in; 1 if it was taken."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/jobs", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status == 202)


if __name__ == "__main__":
    sys.exit(main())
