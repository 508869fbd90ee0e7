"""Which installed packages the served code needs, read from source and artifacts."""

import json
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from nb2prod.bento import imports, project
from nb2prod.environments import interpreter
from nb2prod.runtime import artifacts


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import numpy as np, os.path", {"numpy", "os"}),
        ("from sklearn.impute import SimpleImputer", {"sklearn"}),
        ("def f():\n    import lightgbm\n", {"lightgbm"}),
        ("try:\n    import xgboost\nexcept ImportError:\n    pass\n", {"xgboost"}),
        ("from . import captured\nfrom .rules import x\n", set()),
    ],
)
def test_every_absolute_import_counts_wherever_it_stands(source, names):
    assert imports.of_source(source) == names


def written(folder: Path, features: str) -> Path:
    predict = "def predict(X):\n    return X\n"
    return project.write(
        folder,
        project.ProjectFiles(features=features, predict=predict, signature={}, reference={}, examples={}),
    )


def test_a_project_needs_what_its_code_and_its_runtime_import_but_not_the_standard_library_or_itself(tmp_path):
    folder = written(tmp_path, "import math\nimport scipy.stats\nfrom nb2prod_runtime import captured\n")
    found = imports.of_project(folder)
    assert {"scipy", "numpy", "pandas", "bentoml"} <= found
    assert not {"math", "nb2prod_runtime", "features", "predict"} & found


def test_readers_of_artifact_formats_are_not_needed_without_such_an_artifact(tmp_path):
    found = imports.of_project(written(tmp_path, "X = 1\n"))
    assert not {"skops", "xgboost", "lightgbm", "cloudpickle"} & found


def test_what_scores_tables_and_writes_the_request_log_is_needed_by_every_bento(tmp_path):
    assert "pyarrow" in imports.of_project(written(tmp_path, "X = 1\n"))


def test_a_file_that_python_can_not_import_needs_nothing(tmp_path):
    folder = written(tmp_path, "X = 1\n")
    (folder / "template.py").write_text("import {{ name }}\n")
    (folder / "old.py").write_bytes(b"import lightgbm\n# caf\xe9\n")
    assert "lightgbm" not in imports.of_project(folder)


def test_a_frozen_operation_brings_the_library_that_it_computes_with(tmp_path):
    plain = imports.of_project(written(tmp_path / "a", "from nb2prod_runtime import frozen\n"))
    calling = imports.of_project(written(tmp_path / "b", "from nb2prod_runtime import frozen\nfrozen.boxcox(1, 2)\n"))
    assert calling - plain == {"scipy"}


def saved(folder: Path, value, name: str = "value"):
    file = artifacts.save(value, name, folder)
    entry = {"name": name, "file": file.file, "format": file.format, "sha256": file.sha256}
    artifacts.write_manifest(folder, [{**entry, "cell": 1, "line": 1, "reason": "", "key": None}])
    return file.format


def test_an_estimator_needs_its_library_and_the_reader_of_its_file(tmp_path):
    model = LinearRegression().fit(np.eye(3), [1, 2, 3])
    assert saved(tmp_path, model) == "skops"
    assert {"skops", "sklearn", "numpy"} <= imports.of_artifacts(tmp_path)


def test_plain_values_need_nothing(tmp_path):
    assert saved(tmp_path, {"a": 1.5}) == "json"
    assert imports.of_artifacts(tmp_path) == set()


def test_a_function_written_by_name_needs_its_library(tmp_path):
    assert saved(tmp_path, {"how": np.log1p}) == "json"
    assert imports.of_artifacts(tmp_path) == {"numpy"}


def test_keyed_artifacts_count_entry_by_entry(tmp_path):
    (tmp_path / "manifest.json").write_text(
        json.dumps(
            {"artifacts": [{"name": "x", "keyed": ["c"], "entries": [{"file": "x.parquet", "format": "parquet"}]}]}
        )
    )
    assert imports.of_artifacts(tmp_path) == {"pandas", "pyarrow"}


def pickled(folder: Path, data: bytes) -> frozenset[str]:
    (folder / "x.pkl").write_bytes(data)
    (folder / "manifest.json").write_text(
        json.dumps({"artifacts": [{"name": "x", "file": "x.pkl", "format": "cloudpickle"}]})
    )
    return imports.of_artifacts(folder)


def test_a_pickle_tells_the_modules_of_its_classes(tmp_path):
    frames = [pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), LinearRegression()]
    assert {"pandas", "sklearn", "cloudpickle"} <= pickled(tmp_path, cloudpickle.dumps(frames))


def test_a_function_pickled_by_value_tells_the_modules_that_it_uses(tmp_path):
    import msgspec as used

    def function(x):
        return used.json.encode(x)

    cloudpickle.register_pickle_by_value(__import__("sys").modules[__name__])
    assert "msgspec" in pickled(tmp_path, cloudpickle.dumps(function))


def test_strings_in_a_pickle_are_not_modules(tmp_path):
    assert pickled(tmp_path, cloudpickle.dumps({"column": "requests", "other": ["torch", "requests"]})) == {
        "cloudpickle"
    }


def test_local_modules_are_followed_and_win_over_installed_packages(tmp_path):
    (tmp_path / "helpers.py").write_text("import cleaning.rules\nimport json\n")
    (tmp_path / "cleaning").mkdir()
    (tmp_path / "cleaning" / "__init__.py").write_text("")
    (tmp_path / "cleaning" / "rules.py").write_text("import pandas\nimport helpers\n")
    (tmp_path / "json.py").write_text("")
    (tmp_path / "unused.py").write_text("")

    assert imports.local_modules({"helpers", "numpy", "json"}, (tmp_path,), interpreter.own()) == (
        tmp_path / "cleaning",
        tmp_path / "helpers.py",
    )


def test_a_folder_of_modules_needs_no_init_and_gives_way_to_installed_packages(tmp_path):
    for name in ("scripts", "pandas", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "scripts" / "clean.py").write_text("import helpers\n")
    (tmp_path / "pandas" / "clean.py").write_text("")
    (tmp_path / "data" / "table.csv").write_text("")
    (tmp_path / "helpers.py").write_text("")

    assert imports.local_modules({"scripts", "pandas", "data"}, (tmp_path,), interpreter.own()) == (
        tmp_path / "helpers.py",
        tmp_path / "scripts",
    )
