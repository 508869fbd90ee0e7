"""A project made by hand becomes a real Bento, and is served where neither nb2prod nor Jupyter can be imported."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from nb2prod.bento import digest, imports, package, project, staging, store
from nb2prod.environments import interpreter
from nb2prod.environments.served import OWN
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.isolation import hidden_from
from nb2prod.parity.server import Server
from nb2prod.path.trial import examples, reference
from nb2prod.runtime import artifacts
from nb2prod.runtime.describe import columns

FEATURES = '''\
"""Feature code of ships.ipynb: rows of the raw table -> what the model is given."""

import pandas as pd

import helpers
from nb2prod_runtime import captured


def features(rows):
    # cell 2
    df = rows
    # cell 3
    df["age"] = df["age"].fillna(captured.age_median)
    df["fare"] = helpers.scaled(df["fare"], captured.fare_scale)
    # cell 4
    X = df[captured.columns]
    return X
'''
PREDICT = '''\
"""Prediction code of ships.ipynb."""

from nb2prod_runtime import captured


def predict(X):
    # cell 6
    y_pred = captured.model.predict(X)
    return y_pred
'''
HELPERS = "def scaled(values, scale):\n    return values / scale\n"


def table():
    random = np.random.default_rng(1)
    rows = 200
    age = np.where(random.random(rows) < 0.2, np.nan, random.normal(30, 10, rows).round())
    fare = random.exponential(30, rows).round(2)
    return pd.DataFrame({"age": age, "fare": fare, "survived": (fare + random.normal(0, 10, rows) > 30).astype(int)})


def trained(frame):
    median, scale = float(frame["age"].median()), 10.0
    inputs = pd.DataFrame({"age": frame["age"].fillna(median), "fare": frame["fare"] / scale})
    model = LogisticRegression().fit(inputs, frame["survived"])
    return {"age_median": median, "fare_scale": scale, "columns": ["age", "fare"], "model": model}, model.predict(
        inputs
    )


def signature(frame):
    return {
        "schema": 1,
        "model": {"name": "ships"},
        "notebook": "ships.ipynb",
        "raw_table": "df",
        "row_kind": "frame",
        "columns": columns(frame, fields={"age", "fare"}, targets={"survived"}),
        "prediction": {"name": "y_pred", "dtype": "int64", "kind": "integer", "labels": [0, 1]},
        "features": {"kind": "frame", "names": ["age", "fare"]},
        "batching": True,
        "owner": "ships@example.org",
        "runbook": None,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The Bento's folder in a store of its own, the raw rows, and the predictions of the 'notebook'."""
    root = tmp_path_factory.mktemp("serve")
    frame = table()
    values, predictions = trained(frame)
    folder, beside = root / "project", root / "beside"
    beside.mkdir()
    (beside / "helpers.py").write_text(HELPERS)
    entries = []
    for name, value in values.items():
        file = artifacts.save(value, name, folder / "artifacts", module_names={})
        entry = {"name": name, "file": file.file, "format": file.format, "sha256": file.sha256}
        entries.append({**entry, "cell": 3, "line": 1, "reason": "read by the prediction", "key": None})
    artifacts.write_manifest(folder / "artifacts", entries)
    documents = {"signature": signature(frame), "reference": reference.describe(frame[["age", "fare"]], predictions)}
    project.write(
        folder,
        project.ProjectFiles(
            features=FEATURES,
            predict=PREDICT,
            examples=examples.make(documents["signature"], documents["reference"], frame),
            modules=imports.local_modules(imports.of_source(FEATURES), (beside,), interpreter.own()),
            **documents,
        ),
    )
    staged = staging.stage(folder, staging.Request("ships"), environment=interpreter.own(), store=root / "stage")
    assert store.promote(staged.folder, readme="# ships\n", store=root / "bentos") == staged.tag
    return store.folder("ships", root / "bentos"), frame, predictions


@pytest.fixture(scope="module")
def server(made):
    with Server(made[0], hash_seed=7) as running:
        yield running


def call(server, path, document=None):
    reply = server.client.get(path) if document is None else server.client.post(path, document)
    return reply.status, reply.document


def rows_of(frame):
    return json.loads(frame[["age", "fare"]].to_json(orient="records"))


def test_neither_nb2prod_nor_jupyter_nor_papermill_can_be_imported_there(made):
    assert {"nb2prod", "papermill", "jupyterlab", "nbformat"} <= hidden_from(made[0], OWN)


def test_it_answers_as_the_notebook_did(server, made):
    _, frame, predictions = made
    status, answer = call(server, "/predict", {"rows": rows_of(frame)})
    assert status == 200
    assert answer["predictions"] == predictions.tolist()
    assert answer["errors"] == []
    assert answer["model"] == f"ships:{made[0].name}"


def test_its_features_are_the_notebooks(server, made):
    status, answer = call(server, "/features", {"rows": [{"age": None, "fare": 20.0}]})
    assert status == 200
    assert "2.0" in json.dumps(answer)


def test_it_answers_its_own_examples(server, made):
    rows = json.loads((package.source(made[0]) / "examples.json").read_text())["rows"]
    status, answer = call(server, "/predict", {"rows": rows})
    assert (status, answer["errors"], len(answer["predictions"])) == (200, [], 3)


def test_a_malformed_row_is_refused_by_name(server):
    status, answer = call(server, "/predict", {"rows": [{"age": "30", "fare": 1.0}]})
    assert status == 422
    assert answer["error"]["details"][0]["field"] == "age"


def test_the_signature_has_the_owner(server):
    status, answer = call(server, "/signature")
    assert status == 200
    assert answer["owner"] == "ships@example.org"


def test_building_it_elsewhere_gives_the_same_version(made, tmp_path):
    copy = tmp_path / "again"
    source = package.source(made[0])
    for path in project.content(source):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes((source / path).read_bytes())
    requirements = (made[0] / "env" / "python" / "requirements.txt").read_text().split()
    assert digest.digest(copy, requirements) == made[0].name


def test_a_changed_artifact_does_not_start(made, tmp_path):
    broken = shutil.copytree(made[0], tmp_path / "broken")
    file = next((broken / "src" / "artifacts").glob("age_median*"))
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(ServiceFault, match="age_median"), Server(broken, hash_seed=7, timeout=60):
        pass


@pytest.mark.slow
def test_an_environment_of_nothing_but_its_pins_serves_it(made, tmp_path):
    """What a container installs, without a container; the wheels are those that this environment was made from."""
    requirements = made[0] / "env" / "python" / "requirements.txt"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [*uv, "pip", "install", "--offline", "-q", "--no-deps", "--python", python, "-r", requirements]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"uv's cache lacks wheels of this environment: {done.stderr.splitlines()[-1:]}")
    code = (
        "import sys, json, pathlib; sys.path.insert(0, sys.argv[1]); from bentoml import Service; import service\n"
        "from nb2prod_runtime.model import Model; from nb2prod_runtime.rows import Decoder\n"
        "project = pathlib.Path(sys.argv[1]); model = Model.load(project)\n"
        "rows = {'rows': json.loads((project / 'examples.json').read_text())['rows']}\n"
        "print(json.dumps(model.predict(Decoder(model.signature).check(rows).frame).predictions))\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"}
    source = package.source(made[0])
    done = subprocess.run(
        [python, "-c", code, source], capture_output=True, text=True, check=False, cwd=tmp_path, env=environ
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout.splitlines()[-1])) == 3
