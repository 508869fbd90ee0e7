"""The table itself: complete on both sides, harmless in the kernel, and telling about what it can't freeze."""

import ast
import contextlib
import io
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nb2prod.recording import bootstrap
from nb2prod.recording.kernel import frozen as operations
from nb2prod.recording.kernel.frozen import watched
from nb2prod.runtime import frozen
from nb2prod.runtime.frozen import tape
from tests.frozen.replay import Site, training

RUNTIME = Path(frozen.__file__).parents[1]
KERNEL = Path(operations.__file__).parent


def test_every_operation_has_its_twin():
    recorded = {entry.op for entry in operations.TABLE if not entry.receiver_is_state}
    assert recorded | {"StateMismatch"} == set(frozen.__all__)
    assert all(callable(getattr(frozen, op)) and getattr(frozen, op).__doc__ for op in recorded)


def test_what_is_noted_in_the_kernel_is_answered_when_served():
    assert watched.METHODS == tape.METHODS
    assert watched.PROPERTIES == tape.PROPERTIES
    assert watched.FUNCTIONS == tape.FUNCTIONS


def test_the_kernel_side_imports_the_standard_library_only():
    program = f"""
import importlib, sys, types
package = sys.modules["recorder"] = types.ModuleType("recorder")
package.__path__ = [{str(KERNEL.parent)!r}]
for name in {[name for name, _, _ in bootstrap.sources("recorder")]!r}:
    importlib.import_module("recorder." + name)
assert "pandas" not in sys.modules and "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=60)


def test_the_served_side_imports_nothing_of_nb2prod():
    for file in (RUNTIME / "frozen").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.module or "").partition(".")[0] != "nb2prod"
            elif isinstance(node, ast.Import):
                assert not any(name.name.startswith("nb2prod") for name in node.names)


def test_it_works_under_the_name_it_has_in_a_bento(tmp_path):
    shutil.copytree(RUNTIME / "frozen", tmp_path / "nb2prod_runtime" / "frozen")
    (tmp_path / "nb2prod_runtime" / "__init__.py").write_text("")
    states = ("frozen", {"edges": {"dtype": "float64", "values": [0.0, 1.0, 2.0]}, "kind": "array", "codes": "int64"})
    column = ("frozen", {"how": "operations", "op": "cut", "method": "apply", "dtypes": ["int64"], "states": [states],
                         "columns": {"dtype": "str", "values": ["a"]}})  # fmt: skip
    program = (
        "import pandas as pd; from nb2prod_runtime import frozen; rows = pd.DataFrame({'a': [0.5, 1.5]});"
        f"print(frozen.by_column({column!r}, rows, pd.cut, bins=2, labels=False)['a'].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[0, 1]"


class Hostile:
    """An object that fails whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


@pytest.mark.parametrize("name", ["fit_transform", "fillna", "get_dummies", "cut", "transform", "apply", "shift", "x"])
@pytest.mark.parametrize("args", [(), (Hostile(),), (Hostile(), Hostile(), Hostile())])
def test_matching_never_raises(name, args):
    for receiver in (None, Hostile(), pd, 3, pd.DataFrame(), pd.Series(dtype=float)):
        for func in (Hostile(), None, pd.cut, len):
            operations.match(func, receiver, name, args, {"axis": Hostile()})
            operations.explain(func, receiver, name, args, {"method": Hostile()})


NEUTRAL = [
    'df.groupby("klass")["age"].transform(lambda s: (print("noise"), s.fillna(s.mean() + 0 * np.random.random()))[1])',
    'df[["age", "fare"]].apply(lambda c: c.fillna(c.mean()))',
    'sklearn.preprocessing.quantile_transform(df[["fare"]], n_quantiles=5)',
    'pd.qcut(df["age"], 3)',
    'df["deck"].map({"A": 1, "B": 2})',
    'pd.get_dummies(df, columns=["city"])',
]


@pytest.mark.parametrize("source", NEUTRAL)
def test_capturing_leaves_no_trace(source):
    site = Site(source)
    func, receiver, name, args, kwargs = site._parts(site.table)
    random.seed(1)
    np.random.seed(1)
    before, drawn = random.getstate(), np.random.get_state()[1].copy()
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        operations.match(func, receiver, name, args, kwargs).capture(receiver, args, kwargs, site.training)
    assert random.getstate() == before
    assert (np.random.get_state()[1] == drawn).all()
    assert heard.getvalue() == ""
    assert_frame_equal(site.table, training())


def test_a_state_is_not_changed_by_serving():
    site = Site('df.groupby("klass")[["age", "fare"]].transform(lambda s: s.fillna(s.mean()))')
    kept = repr(site.state)
    site.serve(site.table)
    assert repr(site.state) == kept


NAMES = {
    'pd.get_dummies(df["city"])': "city_dummies",
    'pd.get_dummies(df, columns=["city"])': "dummies",
    'pd.qcut(df["fare"], 4)': "fare_quantile_bins",
    'df.groupby("klass")["age"].transform("mean")': "klass_age_mean",
    'df.groupby(["klass", "deck"])["age"].transform(lambda s: s.fillna(s.mean()))': "klass_deck_age_by_group",
    'sklearn.preprocessing.StandardScaler().fit_transform(df[["fare"]])': "standard_scaler",
    'df["tags"].str.get_dummies()': "tags_dummies",
    'df["city"].astype("category")': "city_categories",
}


@pytest.mark.parametrize(("source", "name"), NAMES.items())
def test_a_state_has_a_telling_name(source, name):
    site = Site(source)
    assert site.operation.name == name


WHY = {
    'df["age"].shift()': "F6",
    'df["age"].shift(-1)': "F15",
    'df["age"].diff(periods=-2)': "F15",
    'df["age"].rolling(3)': "F6",
    'df["age"].rolling(3, center=True)': "F15",
    'df["age"].expanding()': "F6",
    'df["age"].cumsum()': "F6",
    'df["age"].ffill()': "F6",
    'df["age"].bfill()': "F15",
    'df["age"].interpolate()': "F6",
    'df["age"].rank()': "F5",
    'df.groupby("klass").cumcount()': "F6",
    'df.groupby("klass")["age"].transform("rank")': "F5",
    'df.groupby("klass")["age"].transform("shift", -1)': "F15",
    'df.groupby("klass")["age"].shift(1)': "F6",
    'np.cumsum(df["fare"])': "F6",
    'np.argsort(df["fare"])': "F5",
    'scipy.stats.rankdata(df["fare"])': "F5",
    'df["city"].duplicated()': "F8",
    'df["text"].explode()': "N12",
    'np.cumsum(df[["age", "fare"]].to_numpy(), axis=0)': "F6",
    'np.diff(df["fare"])': "F6",
    'df[["age"]].rank(axis=0)': "F5",
    'df.groupby("klass").head(1)': "F8",
    'sklearn.preprocessing.normalize(df[["fare"]], axis=0)': "F10",
    'sklearn.manifold.TSNE(perplexity=3).fit_transform(df[["fare", "count"]])': "F1",
    'sklearn.cluster.DBSCAN().fit_predict(df[["fare", "count"]])': "F1",
}


@pytest.mark.parametrize(("source", "rule"), WHY.items())
def test_a_call_without_row_wise_form_is_explained(source, rule):
    site = Site(source)
    assert site.operation is None
    found, why, remedy = site.explained
    assert found == rule
    assert why.startswith("`")
    assert why.endswith(".")
    assert remedy.endswith(".")


HARMLESS = """
    df["when"].dt.normalize()
    df["text"].str.pad(4)
    df["when"].dt.time
    df.head()
    df.filter(like="a")
    df.sample(3)
    df.reset_index()
    df[["age", "fare"]].rank(axis=1)
    df[["age", "fare"]].diff(axis=1)
    df[["age", "fare"]].cumsum(axis="columns")
    np.argsort(df[["age", "fare"]].to_numpy())
    np.argsort(df[["age", "fare"]].to_numpy(), axis=1)
    np.diff(df[["age", "fare"]].to_numpy())
    np.cumsum(df[["age", "fare"]].to_numpy(), axis=1)
    np.stack([df["age"], df["fare"]])
    sklearn.preprocessing.normalize(df[["fare", "count"]])
    df["city"].index.isin([1])
"""


@pytest.mark.parametrize("source", [line.strip() for line in HARMLESS.strip().splitlines()])
def test_a_method_of_that_name_elsewhere_is_not_held_against_a_call(source):
    if source.endswith(")"):
        assert Site(source).explained is None
    else:
        receiver = eval(source.rpartition(".")[0], {"df": training()})
        assert operations.explain(None, receiver, source.rpartition(".")[2], (), {}) is None


def test_a_call_that_can_be_frozen_is_not_explained_away():
    for source in (
        'sklearn.preprocessing.StandardScaler().fit_transform(df[["fare"]])',
        'df["age"].fillna(0)',
        'df.groupby("klass")["age"].transform("mean")',
        'sklearn.cluster.KMeans(2).fit_predict(df[["fare"]])',
    ):
        assert Site(source).explained is None


def test_every_reason_is_a_sentence_with_a_remedy():
    for name, (rule, why, remedy) in operations.BATCH_DEPENDENT.items():
        assert rule[0] in "FNTP", name
        assert why[0].islower(), name
        assert not why.endswith("."), name
        assert remedy.endswith("."), name


def test_what_the_recorder_itself_asks_is_not_noted():
    """The notebook's function runs under the recorder's hooks, which look at every value that passes."""
    hooks = {"__name__": "nb2prod.hooks"}
    exec("def look(value):\n    len(value), value.size, value.max()\n    return value", hooks)
    site = Site('df.groupby("klass")["age"].transform(lambda s: look(s).fillna(look(s).mean()))', look=hooks["look"])
    assert all([name for name, _ in column] == ["mean"] for group in site.state[1]["tapes"] for column in group)
    site.check([0, 2, 9])
