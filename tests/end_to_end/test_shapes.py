"""Notebooks as people write them: each is run by papermill, planned and replayed, and gives what `expected.toml` says of it.

Here the generated code answers in a clean process of the kernel's Python; `test_examples.py` has the whole way over HTTP.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nb2prod import config, notebook
from nb2prod.bento import project
from nb2prod.errors import Refused
from nb2prod.path import plan
from nb2prod.progress import NoProgress
from nb2prod.recording import record
from tests.notebooks import load

if TYPE_CHECKING:
    from nb2prod.path.plan import ServingPath

EXPECTED = load.expected()
# Built and proved; a column that the fitted model happens not to use is not asked for.
UNUSED_BY_THE_MODEL = {"predicted_inside_a_function": {"PaymentMethod", "SeniorCitizen"}}
# The rest is run with `-m slow`: the whole suite must stay usable on two cores.
QUICK = frozenset(
    "titanic_inline label_encoder_loop everything_in_one_cell models_in_a_loop train_and_test_files written_for_train_and_test"
    " preprocess_called_twice dict_vectorizer houses_chain rare_values_to_other outliers_and_duplicates magics_everywhere"
    " weights_by_hand text_and_numbers_stacked statsmodels_ols group_mean_fill pipeline_with_own_transformer"
    " model_refitted_afterwards rank_feature shift_feature rolling_feature score_only two_raw_tables exploded_genres"
    " predict_by_function predict_function_makes_a_frame one_customer_as_dict predict_is_a_function index_as_feature"
    " target_as_feature random_imputation rows_per_customer cell_raises no_predict_cell"
    " bands_beside_the_table folds_predicted".split()
)


def _cases() -> list[object]:
    return [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in EXPECTED]


def _plain(source: str) -> str:
    """A piece of code whatever its quotes, blanks and brackets around a column's name."""
    return re.sub(r"[\s'\"]", "", source)


def planned(name: str, folder: Path) -> ServingPath:
    """Record and plan one notebook."""
    path = load.write(name, folder)
    staged = folder / "recording" / "project"

    def then(recording: object, kernel: object) -> ServingPath:
        assert recording.problems == (), "the recorder itself failed"
        staged.mkdir()
        project.copy_runtime(staged / project.RUNTIME_PACKAGE)
        return plan.plan(recording, kernel, config.load(path), staged, NoProgress())

    return record.record(notebook.read(path), config.load(path), folder / "recording", NoProgress(), then)


@pytest.mark.parametrize("name", _cases())
def test_shape(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    if expected.outcome == "refused":
        with pytest.raises(Refused) as refusal:
            planned(name, tmp_path)
        found = [d for d in refusal.value.diagnostics if d.severity == "error"]
        assert expected.codes_missing([d.code for d in found]) == ()
        assert all(d.hint for d in found)
        return
    try:
        made = planned(name, tmp_path)
    except Refused:
        if expected.outcome == "either":
            return
        raise
    assert expected.outcome in ("parity", "either")
    if expected.prediction is not None:
        assert made.prediction.label == expected.prediction
    if expected.raw_table is not None:
        assert made.table.name == expected.raw_table
    assert set(expected.target) - set(expected.maybe_target) <= set(made.target)
    for klass, pieces in (("training-only", expected.training_only), ("validity", expected.validity)):
        served = [_plain(f.source) for f in made.filters if f.klass == klass]
        assert [p for p in pieces if not any(_plain(p) in source for source in served)] == [], (klass, served)
    if expected.fields:
        missing = set(expected.fields) - set(made.fields)
        extra = set(made.fields) - set(expected.fields) - set(expected.maybe_fields)
        assert (missing, extra) == (UNUSED_BY_THE_MODEL.get(name, set()), set())
