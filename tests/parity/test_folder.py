"""The proof against real Bentos with the real runtime: a right one passes, altered ones are caught and explained."""

import json
import shutil

import pytest

from nb2prod.bento import digest, package, pins, project
from nb2prod.counterfactual.cases import Changed, Found
from nb2prod.environments import interpreter
from nb2prod.errors import InputError
from nb2prod.parity import prover, target
from nb2prod.parity.cases import Edge
from nb2prod.parity.faults import ServiceFault
from nb2prod.runtime import artifacts

FEATURES = '''"""Feature code of small.ipynb: rows of the raw table -> what the model is given."""
import pandas as pd
from nb2prod_runtime import captured


def features(rows):
    # cell 2
    df = rows
    df = df[df["count"] > -2]
    # cell 4
    df["age"] = df["age"].fillna(captured.age_median)
    df["port"] = df["port"].fillna("S")
    df["fare_each"] = df["fare"] / checked(df["count"] + 1)
    df["sex_female"] = (df["sex"] == "female").astype(float)
    # cell 5
    for name in captured.ports:
        df["port_" + name] = (df["port"] == name).astype(float)
    df["member"] = df["member"].astype(float)
    return df[captured.names]


def checked(counts):
    # cell 3
    if (counts == 0).any():
        raise ZeroDivisionError
    return counts
'''
PREDICT = """from nb2prod_runtime import captured


def predict(X):
    # cell 7
    y_pred = sum(weight * X[name] for name, weight in captured.weights.items()) + 0.5
    return y_pred.to_numpy()
"""


@pytest.fixture(scope="module")
def right(small, tmp_path_factory):
    """The Bento that answers as the small notebook did, with its environment's real pins."""
    folder = tmp_path_factory.mktemp("right")
    made = folder / "project"
    weights = dict(zip(small.feature_names, (0.031, -0.17, 1.9, 0.4, -0.3, 0.08), strict=True))
    values = {"age_median": small.median, "ports": ["C", "Q"], "names": list(small.feature_names), "weights": weights}
    entries = []
    for name, value in values.items():
        saved = artifacts.save(value, name, made / "artifacts")
        entry = {"name": name, "file": saved.file, "format": saved.format, "sha256": saved.sha256}
        entries.append({**entry, "cell": 4, "line": 1, "reason": "", "key": None})
    artifacts.write_manifest(made / "artifacts", entries)
    row = small.make_rows(1)[0]
    signature = {**small.signature, "model": {"name": "small"}}
    project.write(made, project.ProjectFiles(FEATURES, PREDICT, signature, {}, {"rows": [row]}))
    pinned = pins.resolve({"bentoml", "pandas", "numpy", "msgspec", "starlette"}, interpreter.own()).requirements
    spec = package.BentoSpec("small", digest.digest(made, pinned), "3.11", pinned)
    return package.build(made, spec, folder / "stage")


def altered(right, tmp_path, file, old, new):
    bento = tmp_path / "altered"
    shutil.copytree(right, bento)
    text = (bento / "src" / file).read_text()
    assert old in text
    (bento / "src" / file).write_text(text.replace(old, new))
    return bento


def failed(report):
    return {item.kind for item in report.kinds if item.status == "failed"}


def test_a_bento_that_answers_as_the_notebook_passes_all_kinds(small, right):
    row = small.make_rows(1)[0]
    edges = (
        Edge({**row, "age": None}, "value", small.predict({**row, "age": None}), "age missing"),
        Edge({**row, "count": -1}, "raises", "ZeroDivisionError", "a count of -1"),
        Edge({**row, "age": "22"}, "refused", "age: expected a number", "age as text"),
        Edge({**row, "fare": 7}, "value", small.predict({**row, "fare": 7}), "an integer for a float"),
    )
    young = {**row, "age": 3.0, "port": "Q"}
    changed = Changed(7, "port = 'Q'", young, "value", small.predict(young), small.features(young))
    known = small.make_cases(edges=edges, counterfactual=Found((changed,)))
    before = {path: path.read_bytes() for path in right.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    said = []

    class Told:
        stage = cell = None

        def message(self, text):
            said.append(text)

    report = prover.prove(target.of_folder(right), known, progress=Told())
    assert report.mismatches == ()
    assert report.passed
    assert {item.kind: item.status for item in report.kinds} == dict.fromkeys(
        ("replay", "partition", "edges", "counterfactual", "wire", "target-free"), "passed"
    )
    assert report.bento == f"small:{right.name}"
    assert len(set(report.hash_seeds)) == 3
    assert report.batching == ("on", "off")
    # The form of a request is one server's matter; what the code makes of it both are asked.
    assert (report.kind("edges").refused, report.kind("edges").failed) == (1, 2)
    assert any(text.startswith("replay: 400 rows") for text in said)
    assert {path: path.read_bytes() for path in before} == before


MUTANTS = [
    ("features.py", "captured.age_median", 'df["age"].median()', {"replay", "partition", "wire"}, "age", 4),
    ("features.py", 'df["fare"] / checked', 'df["fare"].rank() / checked', {"replay", "partition", "wire"}, "fare_each", 4),
    # The target has its phantom's value while serving, 0, as it had in all recorded rows: HTTP alone can't tell.
    ("predict.py", "+ 0.5", "+ 0.5 + rows_survived()", {"target-free"}, None, None),
    # What the wire does to a right answer.
    ("nb2prod_runtime/answering.py", "kind: answer.predictions,",
     "kind: [round(v, 3) if isinstance(v, float) else v for v in answer.predictions],",
     {"replay", "wire"}, None, None),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "kinds", "feature", "cell"), MUTANTS, ids=["median", "rank", "phantom", "wire"]
)
def test_an_altered_bento_is_caught(small, right, tmp_path, file, old, new, kinds, feature, cell):
    bento = altered(right, tmp_path, file, old, new)
    if file == "predict.py":
        # A leak of the target, by way of the frame that features.py was given.
        code = (bento / "src" / "features.py").read_text()
        code = code.replace(
            "    df = rows\n", "    df = rows\n    global survived\n    survived = rows['survived'].iloc[0]\n", 1
        )
        (bento / "src" / "features.py").write_text(code)
        text = (bento / "src" / "predict.py").read_text()
        helper = "\n\ndef rows_survived():\n    import features\n    return features.survived * 1e-3\n"
        (bento / "src" / "predict.py").write_text(text + helper)
    report = prover.prove(target.of_folder(bento, "altered:1"), small.make_cases(200))
    assert not report.passed
    assert kinds <= failed(report)
    if feature is not None:
        cause = next(item.cause for item in report.mismatches if item.cause is not None and item.cause.feature)
        assert (cause.feature, cause.cell) == (feature, cell)
        assert new.split("(")[0] in cause.source
    if kinds == {"target-free"}:
        assert failed(report) == kinds
        assert "survived with another value" in {item.case for item in report.mismatches}


@pytest.mark.slow
def test_a_bento_that_needs_what_it_does_not_pin_is_caught(small, right, tmp_path):
    bento = altered(right, tmp_path, "features.py", "import pandas as pd\n", "import pandas as pd\nimport papermill\n")
    with pytest.raises(ServiceFault, match="papermill"):
        prover.prove(target.of_folder(bento), small.make_cases(30))


@pytest.mark.slow
def test_a_service_that_asks_for_a_key_can_be_proved(small, right, tmp_path):
    bento = tmp_path / "keyed"
    shutil.copytree(right, bento)
    (tmp_path / "keys").write_text(f"ada:{'0' * 64}\n")
    (bento / "src" / "options.json").write_text(json.dumps({"api_keys_file": str(tmp_path / "keys"), "max_rows": 100}))
    report = prover.prove(target.of_folder(bento), small.make_cases(130))
    assert [str(item) for item in report.mismatches] == []
    assert report.passed


def test_a_folder_that_is_no_bento_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a Bento made by nb2prod"):
        target.of_folder(tmp_path)
