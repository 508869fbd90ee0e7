"""Releases that a test makes in a moment, and servers that stand in for them."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nb2prod.parity import cases, documents
from nb2prod.parity.report import KindResult, ParityReport
from nb2prod.release import deployments, record, records
from nb2prod.release.running import places, servers
from nb2prod.release.running.ledger import Ledger

STANDIN = (sys.executable, str(Path(__file__).with_name("standin.py")))
# Tests that run beside each other must not take a port that another's deployment is about to listen at again.
FIRST_PORT = places.FIRST_PORT + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BENTO_YAML = "name: {name}\nversion: {version}\ncreation_time: '2026-01-01T00:00:00+00:00'\nlabels:\n  nb2prod: '1'\n"


def make_report(**changes):
    form = {
        "passed": True,
        "notebook": "flights.ipynb",
        "prediction": "y_pred",
        "target": "flights:aa11",
        "bento": "flights:aa11",
        "created": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "seed": 0,
        "hash_seeds": (1, 2, 3),
        "batching": ("on", "off"),
        "batching_licensed": True,
        "tolerance": 1e-9,
        "loosened": {},
        "kinds": (KindResult("replay", "passed", 1, 1),),
    }
    return ParityReport(**{**form, **changes})


@pytest.fixture
def releases(tmp_path, monkeypatch):
    """`make(version, **behaviour)` makes a release of `flights` whose server stands in for a Bento's; all servers end with the test."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setattr(servers, "program", lambda bento: STANDIN)
    monkeypatch.setattr(places, "FIRST_PORT", FIRST_PORT)
    monkeypatch.setattr(documents, "write", lambda report, folder: documents.write_json(report, folder / "parity.json"))

    def make(version, *, name="flights", owner="Ada", **behaviour):
        bento = tmp_path / "bentoml" / "bentos" / name / version
        (bento / "src").mkdir(parents=True)
        (bento / "bento.yaml").write_text(BENTO_YAML.format(name=name, version=version))
        (bento / "behaviour.json").write_text(json.dumps(behaviour))
        (bento / "src" / "examples.json").write_text(json.dumps({"schema": 1, "rows": [{"a": 1}, {"a": 2}]}))
        known = cases.Cases("flights.ipynb", "y_pred", ({"a": 3}, {"a": 4}), (6.0, 8.0), (7, 8))
        item = record.ReleaseRecord(
            name=name,
            version=version,
            created=f"2026-01-01T00:00:{len(records.records()):02d}+00:00",
            notebook="flights.ipynb",
            notebook_hash="sha256:1",
            owner=owner,
        )
        contents = records.Contents(make_report(), known, {"path": []}, "# Card", '{"cells": []}')
        return records.write(item, contents)

    yield SimpleNamespace(make=make, home=tmp_path / "home", store=tmp_path / "bentoml" / "bentos")
    for item in Ledger().placements():
        deployments.stop(item.name)


@pytest.fixture
def load():
    """`load(port)` asks the deployment at this port without a pause while it is entered, and counts what is lost."""
    return Load


class Load:
    """Callers of a deployment: each of some threads asks, waits for the answer and asks again."""

    def __init__(self, port, threads=3, rows=({"a": 5},)):
        self.port = port
        self.body = json.dumps({"rows": rows})
        self.done = 0
        self.lost = []
        self.answers = []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        connection = None
        while not self._ends.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("POST", "/predict", self.body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    self.done += 1
                    self.answers.append(json.loads(text)["model"].partition(":")[2])
                else:
                    self.lost.append((answer.status, text))
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection = None
                time.sleep(0.02)
            time.sleep(0.002)


KILLED = """
import os, signal, sys
from nb2prod.cli import main
from nb2prod.release.running import kept, ledger, places, proxy, rollout, servers
from nb2prod.release.stages import book, steps

servers.program = lambda bento: {standin!r}
places.FIRST_PORT = {port}
target, when = {target!r}, {when!r}


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def wrapped(owner, name, before):
    inner = getattr(owner, name)

    def around(*args, **kwargs):
        if before:
            kill()
        result = inner(*args, **kwargs)
        kill()
        return result

    setattr(owner, name, around)


if target == "step":
    inner = rollout.Change._save

    def save(self, *events):
        inner(self, *events)
        if any(event.what == when for event in events):
            kill()

    rollout.Change._save = save
else:
    owner, name = {{"start": (kept.Kept, "start"), "exchange": (kept.Kept, "exchange"), "point": (rollout, "point"),
                   "remove": (rollout.Change, "_remove"), "decide": (book, "change"), "point back": (steps, "point"),
                   "drain": (steps, "drain"), "share": (steps, "apply_share"), "write": (proxy, "write")}}[target]
    wrapped(owner, name, when == "before")
sys.exit(main({arguments!r}))
"""


@pytest.fixture
def killed():
    """`killed(target, when, *arguments)` runs the command line and kills it, as `kill -9` does, at that point."""

    def run(target, when, *arguments):
        script = KILLED.format(standin=STANDIN, port=FIRST_PORT, target=target, when=when, arguments=list(arguments))
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd="/"
        )
        assert done.returncode == -9, done.stderr
        return done

    return run
