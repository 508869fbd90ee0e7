"""How fast a Bento of ours answers, beside what one would write by hand.

    python benchmarks/serving.py [--models lr,rf] [--peers fastapi,...] [--seconds 1] [--rounds 7] [--envs DIR] [--json]

The same model and rows behind: ours (built from a notebook by `nb2prod build`), FastAPI by hand, BentoML by hand (plain and
`batchable`), LitServe with batches, MLflow's server; one worker each, `OMP_NUM_THREADS=1`, each peer in an environment of
its own where it installs. Everything is measured in pairs: ours, then the peer, then ours again, in many short turns, so that a
noisy machine disturbs both alike; a ratio is the median over the rounds. Ratios are named MODEL.CONNECTIONS.PEER and stand for
how many times better ours is, except `lr.1.*`, which are times of ours over theirs. Anything but 2xx is counted as bad.

Exit code 1 if a target is missed, 2 if ours can't be built or started.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving_peers import features as notebook
from serving_peers import services
from serving_peers.services import NotInstalled, Running, Service

HERE = Path(__file__).resolve().parent / "serving_peers"

PEERS = ("fastapi", "bentoml", "batchable", "litserve", "mlflow")
CONNECTIONS = (1, 8, 32)
MANY = 256
ROWS = 2048

AT_MOST, AT_LEAST = "at most", "at least"
TARGETS = {
    "lr.1.in_process": (AT_MOST, 1.3),
    "lr.1.fastapi": (AT_MOST, 1.05),
    "lr.32.fastapi": (AT_LEAST, 10),
    "lr.32.bentoml": (AT_LEAST, 10),
    "lr.32.mlflow": (AT_LEAST, 10),
    "lr.32.batchable": (AT_LEAST, 3),
    "lr.32.litserve": (AT_LEAST, 1.5),
    "rf.32.fastapi": (AT_LEAST, 10),
    "rf.32.litserve": (AT_LEAST, 1),
    "lr.256.fastapi": (AT_LEAST, 1.3),
}
READY_SECONDS, HEALTH_MILLISECONDS = 6.0, 200.0


@dataclass
class Results:
    """All that was measured."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`model.service.connections` (or `.rows256`) -> medians over the rounds."""
    ratios: dict[str, float] = field(default_factory=dict)
    start: dict[str, dict[str, float]] = field(default_factory=dict)
    bad: dict[str, dict[str, int]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    floors: dict[str, Any] = field(default_factory=dict)


class Bench:
    """One model's comparison."""

    def __init__(self, kind: str, folder: Path, arguments: argparse.Namespace, results: Results) -> None:
        self.kind, self.folder, self.arguments, self.results = kind, folder, arguments, results
        self.envs = Path(arguments.envs).absolute()
        self.rows = json.loads((folder / "rows.json").read_text())["rows"]

    def run(self, bento: Path) -> None:
        """Measure ours against every peer that installs here."""
        known = services.services(bento)
        with self._started(known["ours"]) as ours:
            self._health(ours)
            if self.kind == "lr":
                self._floors(ours, known["http_floor"])
            for name in self.arguments.peers:
                try:
                    with self._started(known[name]) as peer:
                        self._pairs(ours, peer)
                except NotInstalled as why:
                    self.results.absent[f"{self.kind}.{name}"] = str(why)
                    note(f"{name} is left out: {why}")
            self._remember(ours)

    @contextlib.contextmanager
    def _started(self, service: Service) -> Any:
        python = services.environment(service, self.envs)
        for script in service.prepare:
            subprocess.run([python, str(HERE / script), str(self.folder)], check=True, capture_output=True, cwd=HERE)
        with services.running(service, python, self.folder, self._body(service, self.rows[:1])) as running:
            note(f"{self.kind}: {service.name} started in {running.cold_start:.1f} s")
            self.results.start[f"{self.kind}.{service.name}"] = {"cold_start": running.cold_start}
            self._load(running, 8, seconds=1.0)
            yield running
            self._remember(running)

    def _remember(self, running: Running) -> None:
        self.results.start[f"{self.kind}.{running.service.name}"]["memory"] = running.memory()

    @staticmethod
    def _body(service: Service, rows: list[Any]) -> bytes:
        return json.dumps(service.wrap(rows)).encode()

    def _load(
        self, running: Running, connections: int, *, rows: int = 1, seconds: float | None = None, health: bool = False
    ) -> dict[str, Any]:
        service, bodies = running.service, str(self._bodies(running, rows))
        asked = [str(running.port), service.path, bodies, str(connections), str(seconds or self.arguments.seconds)]
        watch = [service.ready] if health else []
        command = [sys.executable, str(HERE / "load.py"), *asked, *watch]
        return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    def _bodies(self, running: Running, rows: int) -> Path:
        """A file of requests with so many rows each, in the form that this service takes."""
        bodies = self.folder / f"bodies-{running.service.name}-{rows}.json"
        if not bodies.exists():
            parts = [self.rows[at : at + rows] for at in range(0, len(self.rows) - rows + 1, rows)]
            bodies.write_text(json.dumps([self._body(running.service, part).decode() for part in parts[:256]]))
        return bodies

    def _pairs(self, ours: Running, peer: Running) -> None:
        shapes = [(f"{n}", n, 1) for n in CONNECTIONS if self.kind == "lr" or n == CONNECTIONS[-1]]
        if self.kind == "lr":
            shapes.append((f"rows{MANY}", 1, MANY))
        for label, connections, rows in shapes:
            seen: dict[str, list[dict[str, Any]]] = {"ours": [], peer.service.name: []}
            for turn in range(self.arguments.rounds):
                pair = (ours, peer) if turn % 2 == 0 else (peer, ours)
                for one in pair:
                    seen[one.service.name].append(self._load(one, connections, rows=rows))
            for name, measured in seen.items():
                self._keep(f"{self.kind}.{name}.{label}", measured, rows)
            self._ratio(peer.service.name, connections, rows, seen)

    def _keep(self, key: str, measured: list[dict[str, Any]], rows: int) -> None:
        figure = {
            name: statistics.median(m[name] or 0.0 for m in measured) for name in ("requests_per_second", "p50", "p99")
        }
        if rows > 1:
            figure["rows_per_second"] = figure["requests_per_second"] * rows
        held = self.results.figures.setdefault(key, {})
        held.update(figure)
        for item in measured:
            for status, count in item["bad"].items():
                counts = self.results.bad.setdefault(key, {})
                counts[status] = counts.get(status, 0) + count

    def _ratio(self, peer: str, connections: int, rows: int, seen: dict[str, list[dict[str, Any]]]) -> None:
        pairs = list(zip(seen["ours"], seen[peer], strict=True))
        if connections == 1 and rows == 1:
            ratio = statistics.median(a["p50"] / b["p50"] for a, b in pairs)
        else:
            ratio = statistics.median(a["requests_per_second"] / max(b["requests_per_second"], 1e-9) for a, b in pairs)
        self.results.ratios[f"{self.kind}.{rows if rows > 1 else connections}.{peer}"] = ratio

    def _floors(self, ours: Running, floor: Service) -> None:
        """The same code in process, in turns with ours at one connection; and HTTP without a model."""
        seconds = str(4 * self.arguments.seconds * self.arguments.rounds)
        asked = [str(self.folder), str(ours.port), str(self._bodies(ours, 1)), seconds]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(HERE / "in_process.py"), *asked]
        seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout)
        self.results.ratios[f"{self.kind}.1.in_process"] = seen["ours_over"]["1"]
        self.results.floors["in_process_ms"] = {n: v for n, v in seen["p50"].items() if n != "ours"}
        self.results.floors["ours_over_in_process_after_a_pause"] = seen["ours_over"]["1 after a pause"]
        with self._started(floor) as http:
            self.results.floors["http"] = {str(n): self._load(http, n) for n in CONNECTIONS}

    def _health(self, ours: Running) -> None:
        seen = self._load(ours, CONNECTIONS[-1], seconds=3.0, health=True)
        self.results.floors[f"{self.kind}.health_ms_under_load"] = seen["health"]


def prepare(kind: str, folder: Path) -> Path:
    """Data, the hand-written peers' model, the notebook, and ours built of it; the Bento's folder."""
    import nbformat

    table = notebook.customers(4000, seed=1)
    table.to_csv(folder / "customers.csv", index=False)
    rows = notebook.customers(ROWS, seed=2)[list(notebook.FIELDS)]
    (folder / "rows.json").write_text(json.dumps({"rows": json.loads(rows.to_json(orient="records"))}))
    subprocess.run([sys.executable, str(HERE / "train.py"), str(folder), kind], check=True, cwd=HERE)
    cells = []
    for source, tags in notebook.CELLS:
        text = source.replace("{model}", notebook.MODELS[kind]).strip()
        cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": list(tags)}))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"churn_{kind}.ipynb")
    env = {**os.environ, "NB2PROD_HOME": str(folder / "home"), "BENTOML_HOME": str(folder / "bentoml")}
    (folder / "bentoml").mkdir()
    build = [sys.executable, "-m", "nb2prod", "build", str(folder / f"churn_{kind}.ipynb"), "--json"]
    done = subprocess.run(build, capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        note(done.stdout[-3000:] + done.stderr[-2000:])
        raise SystemExit(2)
    name, _, version = json.loads(done.stdout)["bento"].partition(":")
    return folder / "bentoml" / "bentos" / name / version


def verdicts(results: Results) -> list[tuple[str, str, float, float | None, bool]]:
    """Each target: name, kind, limit, measured (None where the peer is absent), met."""
    out = []
    for name, (kind, limit) in TARGETS.items():
        value = results.ratios.get(name)
        met = value is not None and (value <= limit if kind == AT_MOST else value >= limit)
        out.append((name, kind, float(limit), value, met))
    ready = max((item["cold_start"] for key, item in results.start.items() if key.endswith(".ours")), default=None)
    out.append(("ready_seconds", AT_MOST, READY_SECONDS, ready, ready is not None and ready <= READY_SECONDS))
    health = max((v for k, v in results.floors.items() if k.endswith("health_ms_under_load")), default=None)
    out.append(
        ("health_ms_under_load", AT_MOST, HEALTH_MILLISECONDS, health, bool(health and health <= HEALTH_MILLISECONDS))
    )
    bad = sum(sum(counts.values()) for key, counts in results.bad.items() if ".ours." in key)
    out.append(("non_2xx_of_ours", AT_MOST, 0.0, float(bad), bad == 0))
    return out


def machine(arguments: argparse.Namespace) -> dict[str, Any]:
    """Where and with what it was measured."""
    names = ("nb2prod", "bentoml", "pandas", "numpy", "scikit-learn", "msgspec", "uvicorn")
    peers = {}
    for name, service in services.services(Path()).items():
        python = Path(arguments.envs).absolute() / name / "bin" / "python"
        if service.packages and python.exists():
            wanted = [package.partition("[")[0] for package in service.packages]
            peers[name] = services.versions(python, [*wanted, *services.SHARED])
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in names},
        "peers": peers,
    }


def print_table(results: Results, where: dict[str, Any]) -> None:
    """For people."""
    print(f"{where['platform']}, {where['cores']} cores, Python {where['python']}")
    print(", ".join(f"{name} {version}" for name, version in where["packages"].items()))
    for name, found in where["peers"].items():
        print(f"  {name}: " + ", ".join(f"{package} {version}" for package, version in found.items()))
    print(f"\n{'model.service.connections':32}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'rows/s':>10}  not 2xx")
    for key, item in results.figures.items():
        rows = f"{item['rows_per_second']:.0f}" if "rows_per_second" in item else ""
        bad = ", ".join(f"{status}: {count}" for status, count in results.bad.get(key, {}).items()) or "0"
        figures = f"{item['requests_per_second']:>12.1f}{item['p50']:>10.2f}{item['p99']:>10.2f}{rows:>10}"
        print(f"{key:32}{figures}  {bad}")
    print(f"\n{'service':32}{'first prediction s':>20}{'memory MB':>12}")
    for key, item in results.start.items():
        print(f"{key:32}{item['cold_start']:>20.1f}{item.get('memory', 0):>12.0f}")
    if "in_process_ms" in results.floors:
        inside = ", ".join(f"{name}: {value:.2f}" for name, value in results.floors["in_process_ms"].items())
        print(f"\nin process, ms by rows: {inside}")
        woken = results.floors["ours_over_in_process_after_a_pause"]
        print(f"ours at 1 connection over the same code in process that slept 1 ms before each row: {woken:.2f}")
        for count, item in results.floors["http"].items():
            print(f"HTTP floor at {count}: {item['requests_per_second']:.0f} requests/s, p50 {item['p50']:.2f} ms")
    print(f"\n{'target':32}{'':10}{'limit':>8}{'measured':>10}")
    for name, kind, limit, value, met in verdicts(results):
        shown = "absent" if value is None else f"{value:.2f}"
        print(f"{name:32}{kind:10}{limit:>8g}{shown:>10}  {'met' if met else 'MISSED'}")
    for name, why in results.absent.items():
        print(f"left out: {name}: {why}")


def note(text: str) -> None:
    """Progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=lambda text: text.split(","), default=["lr", "rf"])
    parser.add_argument("--peers", type=lambda text: [p for p in text.split(",") if p], default=list(PEERS))
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of each measurement")
    parser.add_argument(
        "--envs", default=str(Path(tempfile.gettempdir()) / "nb2prod-bench"), help="peers' environments"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = Results()
    for kind in arguments.models:
        with tempfile.TemporaryDirectory(prefix="nb2prod-serving-") as scratch:
            bento = prepare(kind, Path(scratch))
            Bench(kind, Path(scratch), arguments, results).run(bento)
    where = machine(arguments)
    judged = verdicts(results)
    if arguments.json:
        document = {
            "machine": where,
            "ratios": results.ratios,
            "figures": results.figures,
            "start": results.start,
            "floors": results.floors,
            "bad": results.bad,
            "absent": results.absent,
            "targets": [dict(zip(("name", "kind", "limit", "value", "met"), row, strict=True)) for row in judged],
        }
        print(json.dumps(document, indent=1))
    else:
        print_table(results, where)
    return 0 if all(met for *_, met in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
