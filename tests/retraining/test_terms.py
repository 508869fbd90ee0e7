"""What `retrain` in nb2prod.toml may say."""

import datetime as dt

import pytest

from nb2prod import config
from nb2prod.errors import InputError
from nb2prod.triggers import Terms, Trigger, terms


def test_everything_that_can_be_stated():
    found = terms(
        {
            "when": ["drifted", "loss > 0.05", "age > 30d", "new_labels >= 1000"],
            "cooldown": "12h",
            "max_attempts": 2,
            "parameters": {"until": "{today}", "year": 2013},
            "margin": 0.01,
            "metric": "roc_auc",
            "then": "shadow,1,100",
        }
    )
    assert [(item.kind, item.bound) for item in found.when] == [
        ("drifted", 0.0),
        ("loss", 0.05),
        ("age", 30 * 86_400.0),
        ("new_labels", 1000.0),
    ]
    assert (found.cooldown, found.max_attempts, found.margin) == (43_200.0, 2, 0.01)
    assert (found.metric, found.then) == ("roc_auc", "shadow,1,100")
    assert found.values(dt.date(2026, 3, 1)) == {"until": "2026-03-01", "year": 2013}
    assert terms({}) == Terms()


def test_a_bound_that_is_reached():
    assert Trigger("new_labels >= 1000", "new_labels", 1000).met(1000)
    assert not Trigger("loss > 0.5", "loss", 0.5).met(0.5)


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"wen": ["drifted"]}, "unknown 'wen'"),
        ({"when": ["drift"]}, "has 'drift'"),
        ({"when": ["loss > high"]}, "has 'loss > high'"),
        ({"when": ["age > 30"]}, "30 is no duration"),
        ({"when": 3}, "when is 3"),
        ({"cooldown": 7}, "cooldown is 7"),
        ({"max_attempts": 0}, "max_attempts is 0"),
        ({"margin": 1}, "margin is 1"),
        ({"parameters": ["a"]}, "parameters is"),
        ({"then": ""}, "then is ''"),
        ({"metric": 3}, "metric is 3"),
    ],
)
def test_what_can_not_be_stated_is_named(table, word):
    with pytest.raises(InputError, match="retrain") as caught:
        terms(table)
    assert word in caught.value.message


def test_it_stands_in_the_notebook_s_table(tmp_path):
    notebook = tmp_path / "houses.ipynb"
    notebook.write_text("{}")
    (tmp_path / "nb2prod.toml").write_text('[houses.retrain]\nwhen = ["age > 7d"]\n')
    assert terms(config.load(notebook).retrain).when[0].bound == 7 * 86_400
    (tmp_path / "nb2prod.toml").write_text('[houses.retrain]\nwhen = ["old"]\n')
    with pytest.raises(InputError, match="'old'"):
        config.load(notebook)
