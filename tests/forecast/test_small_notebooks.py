"""The forecast on the project's small notebooks: no error where they are proved to serve, the code where refused."""

import importlib.util
from pathlib import Path

import pytest

from nb2prod.forecast import forecast
from nb2prod.forecast.accuracy import COUNTED, Score, score
from nb2prod.notebook import load

FOLDER = Path(__file__).parents[1] / "notebooks"

# Only a run tells: a cell that raises, an object that can't be saved, keys that repeat, two tables that fit.
ONLY_A_RUN_TELLS = {"N4", "N6", "N7", "N9", "N11", "N14"}


def _loader():
    spec = importlib.util.spec_from_file_location("small_notebooks", FOLDER / "load.py")
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BOOKS = _loader()
EXPECTED = BOOKS.expected()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("books")


def written(name, folder):
    import nbformat

    path = folder / f"{name}.ipynb"
    source = (BOOKS.SOURCES / f"{name}.py").read_text(encoding="utf-8")
    nbformat.write(BOOKS.to_notebook(source), path)
    return load(path)


NOT_FORESEEN = {
    "predict_function_makes_a_frame": "the function's answer is only printed",
    "one_customer_as_dict": "one row becomes a dict on the way to the model",
}
"""Predictions that only the run sees."""


@pytest.mark.parametrize("name", [name for name, item in EXPECTED.items() if item.outcome == "parity"])
def test_no_error_is_forecast_where_a_build_succeeds(name, folder):
    result = forecast(written(name, folder))
    assert [d for d in result.diagnostics if d.severity == "error"] == []
    if name in NOT_FORESEEN:
        assert result.prediction is None, "the forecast has learnt it: take the name from the list"
        return
    assert result.prediction is not None
    assert result.prediction.name == EXPECTED[name].prediction or EXPECTED[name].prediction is None


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, item in EXPECTED.items()
        if item.outcome == "refused"
        and item.codes
        and not {c for code in item.codes for c in code.split("|")} & ONLY_A_RUN_TELLS
    ],
)
def test_the_refusal_is_forecast(name, folder):
    if name == "merged_one_to_many":
        pytest.skip("whether a key repeats is in the data")
    codes = {d.code for d in forecast(written(name, folder)).diagnostics if d.severity == "error"}
    for expected in EXPECTED[name].codes:
        assert codes & set(expected.split("|")), f"{expected} is not among {codes}"


@pytest.mark.parametrize("name", [name for name, item in EXPECTED.items() if item.warnings])
def test_the_warnings_are_forecast(name, folder):
    codes = {d.code for d in forecast(written(name, folder)).diagnostics}
    assert set(EXPECTED[name].warnings) <= codes


def test_tags_are_proposed_where_the_authors_put_them(folder):
    """Over all notebooks that can be served: at least 85 of 100 proposals right, 85 of 100 tags found."""
    total = dict.fromkeys(COUNTED, Score())
    for name, item in EXPECTED.items():
        if item.outcome == "parity":
            scores = score(written(name, folder))
            total = {tag: total[tag] + scores[tag] for tag in COUNTED}
    for tag in COUNTED:
        assert total[tag].precision >= 0.85, tag
        assert total[tag].recall >= 0.85, tag
