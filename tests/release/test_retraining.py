"""From an alarm to a proposal and to a staged rollout: a notebook whose world changes, its service, its callers, its labels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nb2prod.parity import ports
from nb2prod.release import attempts

pytestmark = [pytest.mark.slow, pytest.mark.proxy]

CELLS = (
    ("parameters", "seed = 0"),
    (
        None,
        (
            "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\nfrom sklearn.model_selection import train_test_split\n"
            "df = pd.read_csv('houses.csv')"
        ),
    ),
    ("feature", "X = df[['area', 'rooms']].assign(per_room=df.area / df.rooms)"),
    (
        "train",
        (
            "X_train, X_test, y_train, y_test = train_test_split(X, df.price, test_size=0.3, random_state=seed)\n"
            "model = LinearRegression().fit(X_train, y_train)"
        ),
    ),
    ("predict", "y_pred = model.predict(X_test)"),
)
STATED = """owner = "Ada"
serving = { request_log = 1 }
counterfactual_limit = 0

[houses.retrain]
when = ["drifted", "loss > 30"]
cooldown = "1s"
"""


def houses(rows, rng, *, larger=0.0, rate=2.0):
    area = rng.normal(100 + larger, 20, rows).round(1)
    rooms = rng.integers(1, 6, rows)
    return pd.DataFrame({"area": area, "rooms": rooms, "price": rate * area + 10 * rooms + rng.normal(0, 10, rows)})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The folder of the notebook, and `nb2prod(...)` in a home of its own, which gives the JSON document."""
    folder = tmp_path_factory.mktemp("retraining")
    home = str(folder / "home")
    environment = {**os.environ, "NB2PROD_HOME": home, "BENTOML_HOME": str(folder / "bentoml")}
    rng = np.random.default_rng(1)
    houses(600, rng).to_csv(folder / "houses.csv", index=False)
    cells = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for tag, source in CELLS]
    nbformat.write(new_notebook(cells=cells), folder / "houses.ipynb")
    (folder / "nb2prod.toml").write_text(STATED)

    def nb2prod(*arguments, code=0):
        command = [sys.executable, "-m", "nb2prod", *arguments, "--json"]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout)

    made = SimpleNamespace(folder=folder, home=home, nb2prod=nb2prod, rng=rng, environment=environment)
    made.first = nb2prod("build", "houses.ipynb")["bento"]
    port = ports.free()
    try:
        nb2prod("deploy", "houses", "--proxy", "--port", str(port))
        made.url = f"http://127.0.0.1:{port}"
        yield made
    finally:
        nb2prod("stop", "houses")


def ask(world, rows):
    """The labels' table of these rows, each of which is asked."""
    labels = []
    for start in range(0, len(rows), 50):
        part = rows.iloc[start : start + 50]
        body = json.dumps({"rows": part[["area", "rooms"]].to_dict("records")}).encode()
        request = urllib.request.Request(f"{world.url}/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            name = json.load(answer)["request_id"]
        labels += [(name, at, price) for at, price in enumerate(part["price"])]
    return pd.DataFrame(labels, columns=["request_id", "row", "label"])


def wait_for_log(world, rows):
    deadline = time.monotonic() + 120
    while world.nb2prod("watch", "houses")["rows"] < rows:
        assert time.monotonic() < deadline, "the request log was not written"
        time.sleep(1)


def test_from_an_alarm_to_a_proposal(world, monkeypatch):
    assert world.nb2prod("retrain", "houses", "--if-due")["attempt"] is None
    callers = houses(600, world.rng, larger=60, rate=2.6)
    ask(world, callers).to_csv(world.folder / "truth.csv", index=False)
    wait_for_log(world, 600)
    assert world.nb2prod("labels", "houses", "truth.csv")["labelled"] == 600
    assert world.nb2prod("watch", "houses", "--check", code=1)["state"] == "drifted"
    # Its data are still the old ones: the same release comes of it.
    found = world.nb2prod("retrain", "houses", "--if-due")
    assert found["attempt"]["state"] == "unchanged"
    newer = pd.concat([pd.read_csv(world.folder / "houses.csv"), houses(900, world.rng, larger=60, rate=2.6)])
    newer.to_csv(world.folder / "houses.csv", index=False)
    time.sleep(1.1)  # the cooldown
    found = world.nb2prod("retrain", "houses", "--if-due")
    assert "drifted (area, prediction y_pred)" in found["attempt"]["why"]
    assert found["attempt"]["state"] == "proposed"
    steps = {item["name"]: item for item in found["steps"]}
    assert list(steps) == ["data", "build", "gates", "contest", "serving path", "shadow"]
    assert [item["outcome"] for item in steps["contest"]["numbers"]["contests"]] == ["passed", "passed"]
    assert [item["rows"] for item in steps["contest"]["numbers"]["contests"]] == [450, 600]
    assert steps["serving path"]["numbers"]["clear"] is True
    assert steps["shadow"]["numbers"]["asked"] == 600
    (item,) = world.nb2prod("status", "houses")["deployments"]
    assert item["bento"] == world.first
    assert any("is proposed in its place" in note for note in item["notes"])
    assert "waits for its owner" in world.nb2prod("retrain", "houses", "--if-due")["due"]["waits"]
    monkeypatch.setenv("NB2PROD_HOME", world.home)
    assert attempts.proposal("houses") is not None
    assert world.nb2prod("retrain", "houses", "--dismiss", "after the holidays")["attempt"]["state"] == "dismissed"


def test_an_attempt_that_was_killed_is_taken_up_where_it_stopped_and_rolls_out_in_stages(world, monkeypatch):
    """The release is built already: nothing runs the notebook again."""
    monkeypatch.setenv("NB2PROD_HOME", world.home)
    built = next(item for item in attempts.attempts("houses") if item.version is not None)
    cut = attempts.begin("houses", world.first, "drifted", by_hand=False)
    attempts.add_step(cut, "data", "nothing is broken", {})
    attempts.add_step(cut, "build", "built and proved", {}, built.version)
    (world.folder / "nb2prod.toml").write_text(f'{STATED}then = "50,100"\n')
    (world.folder / "houses.csv").rename(world.folder / "gone.csv")
    found = world.nb2prod("retrain", "houses", "--if-due")
    assert (found["attempt"]["id"], found["attempt"]["state"]) == (cut.id, "rolling out")
    assert world.nb2prod("rollout", "houses")["rollout"]["version"] == built.version
    world.nb2prod("rollout", "houses", "--abort", "--why", "enough seen")
    # A notebook that fails is an attempt that failed, and says why; and nothing is changed.
    time.sleep(1.1)
    failed = world.nb2prod("retrain", "houses", code=1)
    assert failed["attempt"]["state"] == "failed"
    assert "houses.csv" in failed["attempt"]["detail"]
    (item,) = world.nb2prod("status", "houses")["deployments"]
    assert (item["bento"], item["state"]) == (world.first, "serving")


def test_two_at_once(world):
    """The second is told who is at it."""
    (world.folder / "houses.csv").unlink(missing_ok=True)
    (world.folder / "nb2prod.toml").write_text(STATED)
    slow = "import time\ntime.sleep(60)"
    book = nbformat.read(world.folder / "houses.ipynb", as_version=4)
    book.cells.insert(1, new_code_cell(slow))
    nbformat.write(book, world.folder / "houses.ipynb")
    command = [sys.executable, "-m", "nb2prod", "retrain", "houses"]
    with subprocess.Popen(
        command, env=world.environment, cwd=world.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as first:
        assert first.stderr is not None
        for line in first.stderr:
            if line.startswith("data: done"):
                break
        refused = world.nb2prod("retrain", "houses", code=2)["error"]
        assert f"by process {first.pid}" in refused["message"]
        first.send_signal(2)
        first.communicate(timeout=60)
    assert first.returncode == 130
    assert world.nb2prod("retrain", "houses", "--show")["attempts"][-1]["detail"] == "interrupted"
