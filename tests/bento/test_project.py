"""The project folder: what is in it, and what is refused."""

import json
import os
import sys
import types

import pytest

from nb2prod.bento import project
from nb2prod.errors import EnvironmentProblem, InputError


def files(**changes):
    given = {
        "features": "def features(rows):\n    return rows\n",
        "predict": "def predict(X):\n    return X\n",
        "signature": {"schema": 1, "columns": []},
        "reference": {"schema": 1},
        "examples": {"schema": 1, "rows": []},
    }
    return project.ProjectFiles(**{**given, **changes})


def test_holds_the_generated_files_the_runtime_and_the_artifacts_that_were_there(tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "manifest.json").write_text("{}")

    project.write(tmp_path, files())

    top = {path.name for path in tmp_path.iterdir()}
    assert top == {
        "service.py",
        "features.py",
        "predict.py",
        "signature.json",
        "reference.json",
        "examples.json",
        "options.json",
        "nb2prod_runtime",
        "artifacts",
    }
    assert (tmp_path / "artifacts" / "manifest.json").read_text() == "{}"
    assert json.loads((tmp_path / "signature.json").read_text()) == {"schema": 1, "columns": []}


def test_the_runtime_comes_without_caches_and_tests(tmp_path):
    project.write(tmp_path, files())

    runtime = tmp_path / "nb2prod_runtime"
    names = {path.name for path in runtime.rglob("*")}
    assert "artifacts.py" in names
    assert "__pycache__" not in names
    assert "tests" not in names


def test_writing_again_leaves_no_file_of_an_older_runtime(tmp_path):
    project.write(tmp_path, files())
    stale = tmp_path / "nb2prod_runtime" / "gone.py"
    stale.write_text("")

    project.write(tmp_path, files())

    assert not stale.exists()


def test_modules_of_the_notebooks_folder_come_along(tmp_path):
    beside = tmp_path / "beside"
    (beside / "cleaning" / "__pycache__").mkdir(parents=True)
    (beside / "cleaning" / "__init__.py").write_text("from cleaning import rules\n")
    (beside / "cleaning" / "rules.py").write_text("LIMIT = 3\n")
    (beside / "cleaning" / "__pycache__" / "rules.cpython-311.pyc").write_bytes(b"x")
    (beside / "helpers.py").write_text("def f(x):\n    return x\n")
    target = tmp_path / "project"

    project.write(target, files(modules=(beside / "cleaning", beside / "helpers.py")))

    assert (target / "helpers.py").read_text() == "def f(x):\n    return x\n"
    assert (target / "cleaning" / "rules.py").is_file()
    assert not (target / "cleaning" / "__pycache__").exists()


@pytest.mark.parametrize("name", ["features.py", "service.py", "artifacts"])
def test_a_module_with_a_name_that_the_bento_needs_is_refused_by_name(tmp_path, name):
    with pytest.raises(InputError, match=name) as caught:
        project.write(tmp_path / "project", files(modules=(tmp_path / name,)))
    assert "Rename" in caught.value.hint
    assert not (tmp_path / "project").exists()


def test_generated_code_that_is_not_python_is_an_error_and_not_a_broken_bento(tmp_path):
    with pytest.raises(InputError, match=r"features\.py is not valid Python"):
        project.write(tmp_path, files(features="def features(:\n"))


def test_a_document_with_nan_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"reference\.json"):
        project.write(tmp_path, files(reference={"mean": float("nan")}))


@pytest.mark.parametrize(("given", "option", "seen"), [(None, None, "1"), (None, 2, "2"), ("4", 2, "4")])
def test_the_service_takes_one_thread_before_any_library_starts_more_unless_told(
    monkeypatch, tmp_path, given, option, seen
):
    """Measured: beside busy neighbours a prediction of 250 rows took 1.3 s with two threads, 0.09 s with one."""
    stand_in = types.ModuleType("nb2prod_runtime.service")
    stand_in.build_service = lambda _: os.environ["OMP_NUM_THREADS"]
    monkeypatch.setitem(sys.modules, "nb2prod_runtime", types.ModuleType("nb2prod_runtime"))
    monkeypatch.setitem(sys.modules, "nb2prod_runtime.service", stand_in)
    monkeypatch.setenv("OMP_NUM_THREADS", given or "")
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    (tmp_path / "options.json").write_text(json.dumps({"threads": option} if option else {}))
    namespace = {"__file__": str(tmp_path / "service.py")}
    exec(compile(project.SERVICE, "service.py", "exec"), namespace)
    assert namespace["Service"] == seen


def test_a_folder_that_cannot_be_written_is_an_error_of_the_environment(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EnvironmentProblem, match="can't be written"):
        project.write(blocked / "project", files())
