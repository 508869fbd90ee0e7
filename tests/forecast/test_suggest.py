"""Proposed tags: the right cells, a reason each, and nothing else in the file changed."""

import json

from nb2prod.forecast import suggest
from nb2prod.forecast.accuracy import score
from nb2prod.notebook_tags import with_tags
from tests.forecast.books import CHOOSE, IMPORTS, LOAD, PREDICT, SPLIT, TRAIN, book


def proposed(*cells):
    proposal = suggest(book(*cells))
    return {(item.cell, item.tag) for item in proposal.tags}


def test_the_usual_notebook():
    found = proposed(
        (IMPORTS,), (LOAD,), ("df.head()",), ('df["a"] = df["a"].fillna(0)',), (CHOOSE,), (TRAIN,), (PREDICT,)
    )
    assert found == {(4, "feature"), (5, "feature"), (6, "train"), (7, "predict")}


def test_one_cell_does_it_all():
    found = proposed((IMPORTS,), (f'{LOAD}\ndf["a"] = 1\n{CHOOSE}\n{TRAIN}\n{PREDICT}',))
    assert found == {(2, "feature"), (2, "train"), (2, "predict")}


def test_parameters_are_plain_values_used_further_on():
    cells = [(IMPORTS,), ("seed = 3\nshare = 0.2",), (LOAD,)]
    split = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=share, random_state=seed)"
    choose = f'X = df.drop(columns="target")\ny = df["target"]\n{split}'
    assert (2, "parameters") in proposed(*cells, (choose,), (TRAIN,), (PREDICT,))


def test_plot_settings_are_no_parameters():
    assert (2, "parameters") not in proposed(
        (IMPORTS,), ("figsize = (8, 4)",), (LOAD,), (f"{CHOOSE}\nprint(figsize)",), (TRAIN,), (PREDICT,)
    )


def test_helpers_and_transformers_are_features():
    helper = "def clean(d):\n    d = d.dropna()\n    d['r'] = d['a'] / 2\n    return d"
    own = "class Ratio:\n    def fit(self, X, y=None):\n        return self\n    def transform(self, X):\n        return X"
    found = proposed((IMPORTS,), (LOAD,), (helper,), (own,), ("df = clean(df)",), (CHOOSE,), (TRAIN,), (PREDICT,))
    assert {(3, "feature"), (4, "feature"), (5, "feature")} <= found


def test_a_scaler_fitted_on_its_own_is_a_feature():
    found = proposed(
        (IMPORTS,),
        (LOAD,),
        (CHOOSE,),
        ("s = StandardScaler()\ns.fit(X_train)",),
        ("X_train = s.transform(X_train)\nX_test = s.transform(X_test)",),
        (TRAIN,),
        (PREDICT,),
    )
    assert {(4, "feature"), (5, "feature"), (6, "train")} <= found


def test_the_model_that_predicts_is_the_one_trained():
    other = "other = LinearRegression()\nother.fit(X_train, y_train)"
    found = proposed((IMPORTS,), (LOAD,), (CHOOSE,), (other,), (TRAIN,), (PREDICT,))
    assert (4, "train") not in found
    assert (5, "train") in found


def test_rows_held_back_are_preferred_to_those_trained_on():
    found = proposed((IMPORTS,), (LOAD,), (CHOOSE,), (TRAIN,), (PREDICT,), ("y_train_pred = model.predict(X_train)",))
    assert [cell for cell, tag in found if tag == "predict"] == [5]


def test_existing_tags_are_kept_and_marked():
    proposal = suggest(book((IMPORTS,), (LOAD,), (CHOOSE, "mine"), (TRAIN, "train"), (PREDICT,)))
    assert proposal.tags_to_write() == {2: ("mine", "feature"), 4: ("predict",)}
    assert next(item for item in proposal.tags if item.tag == "train").new is False


def test_every_tag_has_a_reason():
    proposal = suggest(book((IMPORTS,), (LOAD,), ('df["a"] = 1\ndf["b"] = 2',), (CHOOSE,), (TRAIN,), (PREDICT,)))
    assert all(item.reason for item in proposal.tags)
    assert next(item.reason for item in proposal.tags if item.cell == 3) == "makes 'a', 'b'"


def test_nothing_to_predict_is_said():
    proposal = suggest(book((IMPORTS,), (LOAD,), ("df.head()",)))
    assert proposal.tags == ()
    assert "model.predict(X_test)" in proposal.text()


def test_accuracy_counts_what_the_author_tagged():
    right = book((IMPORTS,), (LOAD,), (CHOOSE, "feature"), (TRAIN, "train"), (PREDICT, "predict"))
    assert all(item.precision == item.recall == 1.0 for item in score(right).values())
    wrong = book((IMPORTS, "feature"), (LOAD,), (CHOOSE,), (TRAIN, "train"), (PREDICT, "predict"))
    assert (score(wrong)["feature"].precision, score(wrong)["feature"].recall) == (0.0, 0.0)


def test_what_is_proposed_can_be_written():
    cells = [(IMPORTS,), (LOAD,), (f'X = df.drop(columns="target")\ny = df["target"]\n{SPLIT}',), (TRAIN,), (PREDICT,)]
    text = json.dumps(
        {"cells": [{"cell_type": "code", "metadata": {}, "source": c[0]} for c in cells], "nbformat": 4}, indent=1
    )
    written = json.loads(with_tags(text, suggest(book(*cells)).tags_to_write()))
    assert [cell["metadata"].get("tags") for cell in written["cells"]] == [
        None,
        None,
        ["feature"],
        ["train"],
        ["predict"],
    ]
