"""Captured values on disk: exact, reproducible, verified, and out of reach of user code."""

from __future__ import annotations

import collections
import datetime
import decimal
import hashlib
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

from nb2prod.runtime import artifacts, manifest, plain, tables
from nb2prod.runtime.proxy import Captured, NotRecorded

MIXED = pd.DataFrame(
    {
        "a": [1, 2],
        "b": ["x", np.nan],
        "c": pd.Categorical(["u", None], categories=["u", "v"], ordered=True),
        "d": pd.to_datetime(["2020", None]),
        "e": pd.array([1, None], dtype="Int64"),
        "f": pd.date_range("2020", periods=2, tz="UTC"),
        "g": pd.Series(["text", None], dtype=object),
        "h": pd.Series([1, "mixed"], dtype=object),
        9: [True, False],
    },
    index=pd.Index(["one", "two"], name="key"),
)

PLAIN: dict[str, Any] = {
    "none": None,
    "int": 10**30,
    "float": 0.1,
    "minus zero": -0.0,
    "nan": float("nan"),
    "infinity": float("-inf"),
    "nested": [1, (2, {"x": {1, 2}}), frozenset({"a"})],
    "dict with other keys": {1: 2, "a": [3], (1, "b"): None},
    "dict with a dollar": {"$": 1},
    "order": {"b": 1, "a": 2},
    "counter": collections.Counter("aab"),
    "default": collections.defaultdict(list, {"a": [1]}),
    "half a pair": "\ud800",
    "bytes": b"\x00\xff",
    "date": datetime.date(2020, 1, 2),
    "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
    "timedelta": datetime.timedelta(days=-1, microseconds=1),
    "decimal": decimal.Decimal("1.20"),
    "pattern": re.compile("x+", re.IGNORECASE),
    "slice": slice(1, None),
    "numpy float": np.float64(2),
    "numpy int": np.int8(3),
    "numpy text": np.str_("x"),
    "numpy date": np.datetime64("2020-01-01"),
    "timestamp": pd.Timestamp("2020-01-01 01:02:03.123456789", tz="America/New_York"),
    "pandas timedelta": pd.Timedelta("1h"),
    "not a time": pd.NaT,
    "not available": pd.NA,
    "interval": pd.Interval(0.5, 2.5, closed="left"),
    "dtype": np.dtype("float32"),
    "categories": pd.CategoricalDtype(["x"], ordered=True),
    "type": np.float64,
    "function": np.log1p,
    "array of objects": np.array(["a", 1, None], dtype=object),
    "unique values": pd.Series(["x", "y"]).unique(),
    "array": pd.array([True, None], dtype="boolean"),
    "index": pd.Index(["a", "b"], name="n"),
    "index of objects": pd.Index(["a"], dtype=object),
    "range index": pd.RangeIndex(3),
    "dates": pd.date_range("2020", periods=3),
    "levels": pd.MultiIndex.from_product([["a"], [1, 2]], names=["x", None]),
    "bins": pd.cut([1, 2, 3], 2).categories,
    "series": pd.Series([1.5, 2], index=["a", "b"], name="s"),
    "series of objects": pd.Series(["a", None, np.nan, 3], dtype=object),
    "texts with None": pd.Series(["a", None, "é", ""], dtype=object),
    "texts with NaN": pd.Series(["a", np.nan, "\x00"], dtype=object),
    "texts with both": pd.Series(["a", None, np.nan], dtype=object),
    "nothing but None": pd.Series([None, None], dtype=object),
    "nothing but NaN": pd.Series([np.nan, np.nan], dtype=object),
    "grouped": pd.Series([1.0, 2], index=pd.MultiIndex.from_product([["a"], [1, 2]])),
    "frame": MIXED,
    "empty": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "arrays": {"a": np.array([1.0, np.nan])},
}


def round_trip(value: Any, folder: Path) -> tuple[Any, artifacts.ArtifactFile]:
    saved = artifacts.save(value, "value", folder, module_names={})
    entry = {"name": "value", "file": saved.file, "format": saved.format, "sha256": saved.sha256, "key": None}
    artifacts.write_manifest(folder, [entry])
    return artifacts.load(folder)["value"], saved


@pytest.mark.parametrize("name", PLAIN)
def test_plain_data_is_saved_as_json_and_comes_back_exactly(name: str, tmp_path: Path) -> None:
    value = PLAIN[name]
    back, saved = round_trip(value, tmp_path)
    assert saved.format == "json"
    assert saved.notes == ()
    assert type(back) is type(value)
    # The text holds values and types of all members, so equal texts mean equal values.
    assert plain.dumps(back) == plain.dumps(value)


@pytest.mark.parametrize(
    "name", [name for name, value in PLAIN.items() if isinstance(value, pd.DataFrame | pd.Series | pd.Index)]
)
def test_tables_come_back_from_parquet_exactly(name: str) -> None:
    value = PLAIN[name]
    assert plain.dumps(tables.loads(tables.dumps(value))) == plain.dumps(value)


def test_large_tables_and_arrays_have_formats_of_their_own(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(2000.0), "b": ["x"] * 2000})
    back, saved = round_trip(frame, tmp_path)
    assert saved.format == "parquet"
    pd.testing.assert_frame_equal(back, frame)
    back, saved = round_trip(np.arange(6).reshape(2, 3), tmp_path)
    assert saved.format == "npy"
    assert back.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_scikit_learn_goes_by_skops_and_the_same_object_gives_the_same_bytes(tmp_path: Path) -> None:
    given = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 3, 2, 5]})
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(given, [0, 1, 0, 1])
    back, saved = round_trip(model, tmp_path)
    assert saved.format == "skops"
    assert back.predict_proba(given).tolist() == model.predict_proba(given).tolist()
    assert artifacts.save(back, "again", tmp_path, module_names={}).sha256 == saved.sha256


def test_a_file_from_another_process_has_the_same_bytes(tmp_path: Path) -> None:
    code = """
        import sys, pathlib
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import LabelEncoder
        from nb2prod.runtime import artifacts
        folder = pathlib.Path(sys.argv[1])
        model = LogisticRegression().fit([[1.0], [2], [3]], [0, 1, 1])
        for name, value in {"m": model, "e": LabelEncoder().fit(["b", "a"]), "s": set("abcdef")}.items():
            print(artifacts.save(value, name, folder).sha256)
    """
    digests = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
            capture_output=True, check=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


NOTEBOOK = """
import sys, pathlib, json
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from nb2prod.runtime import artifacts


class Centre(BaseEstimator, TransformerMixin):
    def __init__(self, by=1.0):
        self.by = by

    def fit(self, X, y=None):
        self.mean_ = np.asarray(X).mean(axis=0)
        return self

    def transform(self, X):
        return (np.asarray(X) - self.mean_) * self.by


def double(X):
    return X * 2


class Box:
    def __init__(self, value):
        self.value = value


half = lambda X: X / 2
folder = pathlib.Path(sys.argv[1])
data = [[1.0], [2], [3]]
values = {
    "model": make_pipeline(Centre(), FunctionTransformer(double), LogisticRegression()).fit(data, [0, 1, 1]),
    "inline": FunctionTransformer(half).fit(data),
    "function": double,
    "box": Box([1, 2]),
}
entries = []
for name, value in values.items():
    saved = artifacts.save(value, name, folder)
    entries.append({"name": name, "file": saved.file, "format": saved.format, "sha256": saved.sha256, "key": None})
artifacts.write_manifest(folder, entries)
assert Centre.__module__ == "__main__" and double.__module__ == "__main__"
print(json.dumps([entry["format"] for entry in entries]))
"""

FEATURES = NOTEBOOK[NOTEBOOK.index("class Centre") : NOTEBOOK.index("folder =")]


def test_objects_of_the_notebook_s_own_classes_load_from_the_generated_module(tmp_path: Path) -> None:
    """Saved in one process where they live in ``__main__``, loaded in another that only has ``features``."""
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}", "PATH": "/usr/bin:/bin"}
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    command = [sys.executable, str(tmp_path / "notebook.py"), str(tmp_path / "artifacts")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["skops", "skops", "json", "skops"]
    head = "import numpy as np\nfrom sklearn.base import BaseEstimator, TransformerMixin\n\n"
    (tmp_path / "features.py").write_text(head + FEATURES)
    code = """
        import pathlib, sys
        from nb2prod.runtime import artifacts
        loaded = artifacts.load(pathlib.Path(sys.argv[1]))
        import features
        assert loaded["function"] is features.double
        assert type(loaded["box"]) is features.Box
        print(loaded["model"].predict([[1.0], [3]]).tolist(), loaded["inline"].transform(8), loaded["box"].value)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "artifacts")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 1] 4.0 [1, 2]\n", done.stderr


def test_what_only_code_can_hold_is_pickled_and_noted(tmp_path: Path) -> None:
    back, saved = round_trip({"scaler": StandardScaler().fit([[1.0], [3.0]])}, tmp_path)
    assert saved.format == "cloudpickle"
    assert "saved as code" in saved.notes[0]
    assert back["scaler"].mean_.tolist() == [2.0]


def test_a_value_that_can_not_be_saved_is_named_with_its_type(tmp_path: Path) -> None:
    with pytest.raises(artifacts.CannotSave) as caught:
        artifacts.save((item for item in "ab"), "numbers", tmp_path, module_names={})
    assert caught.value.name == "numbers"
    assert caught.value.type == "builtins.generator"
    assert caught.value.reason
    assert list(tmp_path.iterdir()) == []


def test_types_off_the_trusted_list_fail_the_audit(tmp_path: Path) -> None:
    import skops.io

    from nb2prod.runtime import estimators

    data = skops.io.dumps(json.JSONEncoder())
    with pytest.raises(estimators.NotSuitable, match=r"json\.encoder"):
        estimators.load_skops(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    items = []
    for key in ("Sex", "Port"):
        saved = artifacts.save(LabelEncoder().fit([key, "x"]), f"encoder.{key}", tmp_path)
        items.append({"key": [key], "file": saved.file, "format": saved.format, "sha256": saved.sha256})
    pairs = []
    for key in (("a", 1), ("b", 2)):
        saved = artifacts.save(list(key), f"pair.{key[1]}", tmp_path)
        pairs.append({"key": list(key), "file": saved.file, "format": saved.format, "sha256": saved.sha256})
    steps = []
    for position in range(2):
        saved = artifacts.save(position * 10, f"step.{position}", tmp_path)
        steps.append({"key": [position], "file": saved.file, "format": saved.format, "sha256": saved.sha256})
    values = {
        "table": {"a": [1]},
        "names": ["a", "b"],
        "frame": MIXED,
        "array": np.arange(3),
        "model": LogisticRegression(),
    }
    entries: list[dict[str, Any]] = [
        {"name": "encoder", "keyed": ["c"], "entries": items},
        {"name": "pair", "keyed": ["c", "k"], "entries": pairs},
        {"name": "step", "keyed": ["#"], "entries": steps},
    ]
    for name, value in values.items():
        saved = artifacts.save(value, name, tmp_path)
        entries.append({"name": name, "file": saved.file, "format": saved.format, "sha256": saved.sha256, "key": None})
    artifacts.write_manifest(tmp_path, entries)
    return tmp_path


def test_keyed_values_are_found_by_key_and_a_missing_one_is_named(folder: Path) -> None:
    captured = Captured(folder)
    assert captured.encoder["Sex"].classes_.tolist() == ["Sex", "x"]
    assert captured.pair["b", 2] == ["b", 2]
    assert list(captured.encoder) == ["Sex", "Port"]
    with pytest.raises(NotRecorded, match=r"never ran the line of 'encoder' for c='Age'"):
        _ = captured.encoder["Age"]
    with pytest.raises(KeyError, match="c='b', k=9"):
        _ = captured.pair["b", 9]
    with pytest.raises(NotRecorded, match="no value 'other'"):
        _ = captured.other
    with pytest.raises(TypeError):
        captured.encoder["x"] = 1


def test_values_in_order_start_again_with_each_request(folder: Path) -> None:
    captured = Captured(folder)
    for _ in range(2):
        with captured.request():
            assert [captured.step.next(), captured.step.next()] == [0, 10]
            with pytest.raises(NotRecorded, match="only 2 times"):
                captured.step.next()
    with pytest.raises(RuntimeError):
        captured.step.next()


def test_code_that_changes_a_value_does_not_reach_the_next_request(folder: Path) -> None:
    captured = Captured(folder)
    captured.table["a"].append(2)
    captured.table["b"] = 1
    captured.names.append("c")
    captured.pair["a", 1].clear()
    captured.array[0] = 9
    frame = captured.frame
    frame.loc["one", "a"] = 9
    frame["new"] = 1
    assert captured.table == {"a": [1]}
    assert captured.names == ["a", "b"]
    assert captured.pair["a", 1] == ["a", 1]
    assert captured.array.tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(captured.frame, MIXED)
    assert captured.model is captured.model


def test_what_is_only_looked_up_is_not_copied(tmp_path: Path) -> None:
    values = {
        "flat": {"a": 1.5},
        "counted": {"a": np.float64(1.5)},
        "nested": {"a": [1]},
        "growing": collections.defaultdict(int, a=1),
    }
    entries = []
    for name, value in values.items():
        saved = artifacts.save(value, name, tmp_path)
        entry = {"name": name, "file": saved.file, "format": saved.format, "sha256": saved.sha256, "key": None}
        entries.append({**entry, "only_looked_up": True})
    artifacts.write_manifest(tmp_path, entries)
    captured = Captured(tmp_path)
    assert captured.flat is captured.flat
    assert captured.counted is captured.counted
    assert captured.flat == {"a": 1.5}
    assert captured.nested is not captured.nested
    assert captured.growing["unseen"] == 0
    assert captured.growing == {"a": 1}


@pytest.mark.parametrize("file", ["names.json", "encoder.Port.skops"])
def test_a_changed_byte_and_a_missing_file_are_named(folder: Path, file: str) -> None:
    manifest.verify(folder)
    data = bytearray((folder / file).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / file).write_bytes(data)
    with pytest.raises(manifest.ArtifactCorrupt, match=re.escape(file)) as caught:
        manifest.verify(folder)
    assert "other bytes" in str(caught.value)
    (folder / file).unlink()
    with pytest.raises(manifest.ArtifactCorrupt, match="is missing"):
        artifacts.load(folder)


def test_a_manifest_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(manifest.ArtifactCorrupt, match=r"manifest\.json"):
        manifest.verify(tmp_path)
    (tmp_path / "manifest.json").write_text('{"schema": 99, "artifacts": []}')
    with pytest.raises(manifest.ArtifactCorrupt, match="schema 99"):
        manifest.verify(tmp_path)


def test_a_right_digest_does_not_make_a_wrong_file_loadable(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{")
    digest = hashlib.sha256(b"{").hexdigest()
    artifacts.write_manifest(tmp_path, [{"name": "x", "file": "x.json", "format": "json", "sha256": digest}])
    with pytest.raises(manifest.ArtifactCorrupt, match="can't be loaded"):
        artifacts.load(tmp_path)


@pytest.mark.parametrize("name", ["use", "request"])
def test_names_that_captured_answers_to_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=name):
        artifacts.write_manifest(tmp_path, [{"name": name}])


def test_names_by_reference_can_not_reach_outside_the_known_modules() -> None:
    for reference in ("os:system", "builtins:eval", "subprocess:run", "builtins:__import__"):
        with pytest.raises(ValueError, match="may not be loaded"):
            plain.loads(json.dumps({"$": "ref", "v": reference}).encode())
