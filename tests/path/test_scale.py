"""A prediction on another scale than the target's is known as that, from the run's values alone."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nb2prod.path.trial import scale

RNG = np.random.default_rng(3)
PRICES = np.round(RNG.lognormal(11, 0.6, 200), 2)
RAW = pd.DataFrame({"area": RNG.normal(size=200), "price": PRICES})
FITTED, PREDICTED = np.arange(150), np.arange(150, 200)


def asked(tmp_path, *, y, answers):
    (tmp_path / "y.pkl").write_bytes(pickle.dumps(y))
    np.save(tmp_path / "rows.npy", FITTED)
    fit = {"y": str(tmp_path / "y.pkl"), "rows": str(tmp_path / "rows.npy")}
    return scale.of_prediction(
        SimpleNamespace(
            raw=RAW, predicted=PREDICTED, expected=list(answers), job={"fit": fit}, answer={"target": ["price"]}
        )
    )


@pytest.mark.parametrize(
    ("function", "words", "inverse"),
    [
        (np.log, "natural logarithm", "exp(x)"),
        (np.log1p, "natural logarithm of 1 more (log1p)", "expm1(x)"),
        (np.log10, "logarithm to base 10", "10 ** x"),
        (np.sqrt, "square root", "x ** 2"),
        (lambda values: (values - 60_000) / 9_000, "", ""),
    ],
    ids=["log", "log1p", "log10", "sqrt", "standardised"],
)
def test_a_prediction_that_nobody_took_back(function, words, inverse, tmp_path):
    noise = RNG.normal(0, 0.01, 50)
    found = asked(tmp_path, y=pd.Series(function(PRICES[FITTED])), answers=function(PRICES[PREDICTED]) + noise)
    assert found == {"column": "price", "function": words, "inverse": inverse}


def test_one_that_was_taken_back_is_on_the_targets_own_scale(tmp_path):
    assert asked(tmp_path, y=np.log1p(PRICES[FITTED]), answers=PRICES[PREDICTED] * 1.1) is None


def test_a_target_as_it_is_needs_no_words(tmp_path):
    assert asked(tmp_path, y=PRICES[FITTED], answers=PRICES[PREDICTED]) is None


def test_what_is_no_number_is_left_alone(tmp_path):
    assert asked(tmp_path, y=np.array(["dear"] * 150), answers=["dear"] * 50) is None
    assert asked(tmp_path, y=np.log(PRICES[FITTED]), answers=[[0.1, 0.9]] * 50) is None
