"""Is an altered service found from its request log alone? Every mutant of the prover's run answers rows, and `replay` holds its log against the right service.

    python benchmarks/replay_mutants.py [--home FOLDER] [--only TEXT] [--minutes N] [--rows 300] [--json]

The mutants are those of prover_mutants.py (family `services`), built as there; with --home its folder is used again, and a long run can be done in parts. A mutant is served
with a request log that keeps everything, and asked rows that the notebook predicted (together and one by one), the proof's edges, and the rows with other values. Then the
log is replayed by the notebook's own lines. A row that the mutant refuses with 422 is in no log: what differs in these alone can't be found, nor what the log's own types
take away. Which mutants these are is stated in `UNSEEN`, with the reason; all others must be found, and the unaltered services must show no difference.

Prints a line a mutant. Exit code 1 where one that a log can show was not found, or an unaltered service differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import prover_mutants  # noqa: E402 - found beside this file
from benchmarks.prover_mutants import EXAMPLES, SHAPES, Mutant  # noqa: E402
from nb2prod.parity.cases import Cases  # noqa: E402

BATCH, ALONE = 100, 30
UNSEEN = {
    "flight_delay: the delay must be known": "it refuses rows with 422, which are in no log",
    "flight_delay: labels as floats": "the log holds predictions in the signature's type",
}

# Runs in a process of its own: the Bento's modules are named like those of every other.
_DRIVER = """
import asyncio, json, sys
from dataclasses import replace
from pathlib import Path
source, asked, version = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), sys.argv[3]
sys.path[:0] = [str(source), sys.argv[4]]
from nb2prod_runtime import request_log
from nb2prod_runtime.app import App
from nb2prod_runtime.options import Options
from tests.runtime.asgi import JSON, ask
request_log._LOOK = 0.05
app = App(source, version=version, options=replace(Options.load(source / "options.json"), request_log=1.0, request_log_exclude=()))
app.load()
async def story():
    task = asyncio.create_task(app.background())
    for number, rows in enumerate(asked):
        await ask(app, "POST", "/predict", json.dumps({"rows": rows}).encode(), {**JSON, "X-Request-ID": f"r{number}"})
        if number % 20 == 0:
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
asyncio.run(story())
"""


@dataclass(frozen=True)
class Outcome:
    """What replay made of a mutant's log: rows that it asked again, answers and features that differ, and the first difference in words."""

    mutant: str
    kind: str
    asked: int
    differing: int
    features_differing: int
    words: str
    seconds: float

    @property
    def found(self) -> bool:
        """Whether the log gave it away."""
        return bool(self.differing or self.features_differing)


def requests(cases: Cases, rows: int) -> list[list[dict[str, Any]]]:
    """What callers ask: the notebook's rows together and one by one, then odd ones one by one."""
    some = [dict(row) for row in cases.rows[:rows]]
    odd = [edge.row for edge in cases.edges]
    if cases.counterfactual is not None:
        odd += [changed.request for changed in cases.counterfactual.rows]
    alone = [*some[:ALONE], *map(dict, odd)]
    return [*(some[start : start + BATCH] for start in range(0, len(some), BATCH)), *([row] for row in alone)]


def replayed(mutant: Mutant, home: Path, rows: int) -> Outcome:
    """Serve the mutant, ask it, and replay its log."""
    from nb2prod.errors import Nb2ProdError
    from nb2prod.release import records
    from nb2prod.watching.replay import Wish, replay
    from nb2prod.watching.subject import Subject

    bento, cases = prover_mutants.built(home, mutant.notebook)
    tag = (home / f"{mutant.notebook}.txt").read_text(encoding="utf-8")
    name, started = f"{mutant.notebook}: {mutant.name}", time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="nb2prod-replay-") as folder:
        scratch = Path(folder)
        copy = prover_mutants.altered(mutant, home, scratch)
        (scratch / "asked.json").write_text(json.dumps(requests(cases, rows)), encoding="utf-8")
        command = [
            sys.executable,
            "-c",
            _DRIVER,
            str(copy / "src"),
            str(scratch / "asked.json"),
            tag.partition(":")[2],
            str(ROOT),
        ]
        environment = {**os.environ, "NB2PROD_DATA": str(scratch / "data")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            return Outcome(name, mutant.kind, 0, 1, 0, f"it did not start: {last}", time.perf_counter() - started)
        (log,) = (scratch / "data").glob("*/requests")
        try:
            found = replay(Subject(mutant.notebook, tag, bento, (log,), release=records.find(tag)), Wish("own lines"))
        except Nb2ProdError as error:
            return Outcome(name, mutant.kind, 0, 0, 0, str(error), time.perf_counter() - started)
    words = "" if found.same else _words(found.differences[0])
    return Outcome(
        name, mutant.kind, found.asked, found.differing, found.features_differing, words, time.perf_counter() - started
    )


def _words(item: Any) -> str:
    cause = (
        "" if item.cause is None else f"; {item.cause.feature}: {item.cause.logged!r} then, {item.cause.computed!r} now"
    )
    return f"{item.logged!r} then, {item.now!r} now{cause}"


def main() -> int:
    """Run, print, and say whether all were found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose notebook, name or kind holds this")
    parser.add_argument("--home", type=Path, help="keep what is built and found here, and go on with it")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin nothing new after so many minutes")
    parser.add_argument("--rows", type=int, default=300, help="rows of the notebook that a mutant is asked")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nb2prod-mutants-") as folder:
        home = (options.home or Path(folder)).absolute()
        home.mkdir(parents=True, exist_ok=True)
        os.environ["NB2PROD_HOME"], os.environ["BENTOML_HOME"] = str(home / "home"), str(home / "bentoml")
        prover_mutants.build_all(home, "services")
        found = _all(home, options)
    right = [item for item in found if item.kind == "right"]
    mutants = [item for item in found if item.kind != "right"]
    lost = [item.mutant for item in mutants if not item.found and item.mutant not in UNSEEN]
    if options.json:
        print(json.dumps({"outcomes": [asdict(item) for item in found], "not found": lost}, indent=1))
    else:
        print(
            f"\n{len(mutants)} mutants, {sum(item.found for item in mutants)} found from their log; not found: {', '.join(lost) or 'none'}"
        )
        for name, why in UNSEEN.items():
            print(f"no log shows: {name} ({why})")
        print(f"unaltered services without a difference: {sum(not item.found for item in right)} of {len(right)}")
    return 1 if lost or any(item.found for item in right) else 0


def _all(home: Path, options: argparse.Namespace) -> list[Outcome]:
    results = home / "replay.json"
    done = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    until = time.monotonic() + options.minutes * 60
    right = [Mutant(name, "right", "nothing altered", lambda _: None) for name in (*EXAMPLES, *SHAPES)]
    for mutant in (*right, *prover_mutants.mutants(home)):
        key = f"{mutant.notebook}: {mutant.name}"
        wanted = mutant.family == "services" and options.only in f"{key} {mutant.kind}"
        if not wanted or key in done or time.monotonic() > until:
            continue
        outcome = replayed(mutant, home, options.rows)
        done[key] = asdict(outcome)
        results.write_text(json.dumps(done), encoding="utf-8")
        word = (
            f"{outcome.differing} answers, {outcome.features_differing} features of {outcome.asked}"
            if outcome.found
            else "no difference"
        )
        prover_mutants.say(f"{outcome.kind:15} {key:62} {word:40} {outcome.words[:110]}")
    return [Outcome(**item) for key, item in done.items() if options.only in f"{key} {item['kind']}"]


if __name__ == "__main__":
    sys.exit(main())
