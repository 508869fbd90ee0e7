"""What a notebook sets on its libraries is set when it is served."""

from __future__ import annotations

import decimal
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn

from nb2prod.recording.kernel import library_settings
from tests.path.inprocess import serve
from tests.path.test_idioms import equal

LOAD = """import numpy as np
import pandas as pd
df = pd.DataFrame({'a':[22.0,-38.0,None,35.0,-54.0,2.0,27.0,14.0]*5,'b':np.arange(40)*1.5-20,'s':['m','f','f','m','m','m','f','f']*5})"""

OLD = int(pd.__version__.partition(".")[0]) < 3
OPTIONS = {"mode.copy_on_write": False, "future.infer_string": False} if OLD else {}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    with decimal.localcontext(), np.errstate(), sklearn.config_context():
        yield
    _reset()


def _reset() -> None:
    """As a process that nobody has set anything in."""
    for name, value in OPTIONS.items():
        pd.set_option(name, value)


SKLEARN = """
import sklearn
from sklearn.preprocessing import StandardScaler
sklearn.set_config(transform_output="pandas")
f = StandardScaler().fit_transform(df[["a", "b"]])["a"].fillna(0) * 2
"""
NUMPY = """
np.seterr(invalid="raise")
def root(v):
    try:
        return np.sqrt(np.float64(v))
    except FloatingPointError:
        return -1.0
f = pd.Series([root(v) for v in df["b"]])
"""
DECIMAL = """
import decimal
decimal.getcontext().prec = 3
f = pd.Series([float(decimal.Decimal(v) / 3) for v in df["b"]])
"""
COPIES = """
pd.set_option("mode.copy_on_write", True)
s = df["b"]
s[s < 0] = 0
f = df["b"] + s
"""
STRINGS = """
pd.options.future.infer_string = True
text = pd.DataFrame({"s": df["s"].tolist()})
f = df["b"] * (1 + text.select_dtypes("object").shape[1])
"""
CASES = [
    ("sklearn", SKLEARN, {"sklearn": {"transform_output": "pandas"}}),
    ("numpy", NUMPY, {"numpy": {"invalid": "raise"}}),
    ("decimal", DECIMAL, {"decimal": {"prec": 3}}),
    *([("copy on write", COPIES, {"pandas": {"mode.copy_on_write": True}})] if OLD else []),
    *([("strings", STRINGS, {"pandas": {"future.infer_string": True}})] if OLD and pd.__version__ >= "2.1" else []),
]


@pytest.mark.parametrize(("code", "settings"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_setting_is_recorded_and_set_when_served(code: str, settings: dict[str, Any], tmp_path: Path) -> None:
    with decimal.localcontext(), np.errstate(), sklearn.config_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        served = serve([("feature", LOAD + code), ("predict", "pred = f * 1.0")], tmp_path)
    _reset()
    assert json.loads((served.project / "artifacts" / "manifest.json").read_text())["settings"] == settings
    assert all(map(equal, served.answers(served.predicted), served.expected))
    assert all(map(equal, served.one_by_one(), served.expected))


def test_a_setting_is_that_of_the_last_answer(tmp_path: Path) -> None:
    before = "import decimal\ndecimal.getcontext().prec = 3\n"
    after = "\ndecimal.getcontext().prec = 28"
    served = serve(
        [("feature", LOAD + "\n" + before + "f = df['b']"), ("predict", "pred = f * 1.0"), (None, after)], tmp_path
    )
    assert json.loads((served.project / "artifacts" / "manifest.json").read_text())["settings"] == {
        "decimal": {"prec": 3}
    }


def test_nothing_is_recorded_of_what_is_shown_or_left_alone() -> None:
    with pd.option_context("display.max_rows", 3), sklearn.config_context(display="text"):
        assert library_settings.differing() == {}


def test_a_setting_that_this_version_does_not_know_is_left_out() -> None:
    from nb2prod.runtime import library_settings as served

    unknown = {"pandas": {"future.nothing_of_the_kind": True}, "sklearn": {"nothing": 1}, "not_installed": {"a": 1}}
    served.set_for_process(unknown)
    with served.within(unknown):
        assert sklearn.get_config()["transform_output"] == "default"
