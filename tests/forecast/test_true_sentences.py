"""What a warning says is so: of validation parts, of functions that score, of mappings that are made whole numbers."""

import pytest

from nb2prod.forecast import forecast
from tests.forecast.books import CHOOSE, IMPORTS, LOAD, TRAIN, book, usual

SWEEP = (
    "for c in [0.1, 1, 10]:\n    m = LogisticRegression(C=c)\n    m.fit(X_train, y_train)\n    print(m.score({0}, {1}))\n"
    + TRAIN
)
FULL = """X = df.drop(columns="target")
y = df["target"]
X_full, X_test, y_full, y_test = train_test_split(X, y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_full, y_full, random_state=0)"""
REST = """X = df.drop(columns="target")
y = df["target"]
X_train, X_rest, y_train, y_rest = train_test_split(X, y, random_state=0)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, random_state=0)"""


def codes(found):
    return [d.code for d in found.diagnostics if d.severity != "info"]


@pytest.mark.parametrize("choose", [FULL, REST])
@pytest.mark.parametrize(("part", "warned"), [("val", False), ("test", True)])
def test_a_validation_part_is_no_test_set(choose, part, warned):
    found = forecast(usual("", choose=choose, train=SWEEP.format(f"X_{part}", f"y_{part}")))
    assert ("T3" in codes(found)) is warned


def test_a_score_on_training_rows_within_a_function_is_not_the_prediction():
    scoring = """def evaluate(model, seen, rows):
    print(model.predict(seen).mean())
    return model.predict(rows)"""
    cells = [(IMPORTS,), (LOAD,), (CHOOSE,), (scoring,), (TRAIN, "train")]
    assert "T5" not in codes(forecast(book(*cells, ("y_pred = evaluate(model, X_train, X_test)", "predict"))))
    fitted = [(IMPORTS,), (LOAD,), ('X = df.drop(columns="target")',), ('model = LogisticRegression()\nmodel.fit(X, df["target"])', "train")]  # fmt: skip
    assert "T5" in codes(forecast(book(*fitted, ("y_pred = model.predict(X)", "predict"))))


@pytest.mark.parametrize(
    ("code", "says", "remedy"),
    [
        ('df["a"] = df["a"].map({"x": 1, "y": 2})', "becomes missing, without a word", ".fillna(-1)"),
        ('df["a"] = df["a"].map({"x": -1, "y": 2.5})', "becomes missing, without a word", ".fillna(-2)"),
        ('df["a"] = df["a"].map({"x": "one", "y": "two"})', "becomes missing, without a word", '.fillna("other")'),
        ('df["a"] = df["a"].map({"x": True, "y": False})', "becomes missing, without a word", ".fillna(False)"),
        ('df["a"] = df["a"].map({"x": 1, "y": "two"})', "becomes missing, without a word", "a value of the same kind"),
        ('df["a"] = df["a"].map({"x": 1}).astype(int)', "a row that has one fails", "before the conversion"),
        ('df["a"] = df["a"].map({"x": 1}).astype("int64")', "a row that has one fails", "before the conversion"),
        ('df["a"] = df["a"].map({"x": 1})\ndf["a"] = df["a"].astype(np.int32)', "a row that has one fails", "before the conversion"),
        ('df["a"] = df["a"].map({"x": 1})\ndf = df.astype({"a": "float"})', "becomes missing, without a word", ".fillna(-1)"),
        ('df["a"] = df["a"].map({"x": 1}).astype("Int64")', "becomes missing, without a word", ".fillna(-1)"),
        ('df["a"] = df["a"].map({"x": 1}).astype(float)', "becomes missing, without a word", ".fillna(-1)"),
    ],
)  # fmt: skip
def test_a_mapping_says_what_an_unseen_value_does(code, says, remedy):
    (found,) = [d for d in forecast(usual(code)).diagnostics if d.code == "F17"]
    assert says in found.message
    assert remedy in found.hint
    assert ("fillna" in found.hint) is ("fails" not in found.message)


def test_no_format_is_named_that_the_data_may_not_have():
    (found,) = [d for d in forecast(usual('df["d"] = pd.to_datetime(df["d"])')).diagnostics if d.code == "F14"]
    assert "to_datetime(df" not in found.hint
