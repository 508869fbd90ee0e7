"""The expected serving path, what is kept, filters, fields and target."""

from dataclasses import dataclass

import pytest

from nb2prod.config import Options
from nb2prod.forecast import forecast
from tests.forecast.books import IMPORTS, LOAD, PREDICT, SPLIT, TRAIN, book, usual


def lines(result):
    return [f"{step.cell}.{step.line}" for step in result.path]


@dataclass(frozen=True)
class Case:
    name: str
    feature: str
    kept: list
    """Lines of the feature cell on the path."""


CASES = [
    Case("one line", 'df["a"] = 1', [1]),
    Case("exploration is off", 'df.head()\nx = df["a"].mean()\nprint(x)\ndf["a"] = 2', [4]),
    Case("a copy explored is off", 'e = df.copy()\ne["b"] = 1\ne.plot()\ndf["a"] = 2', [4]),
    Case("a chain of names", 'b = df.dropna()\nc = b.copy()\nc["x"] = 1\ndf = c', [1, 2, 3, 4]),
    Case("what is rebound is off", "d2 = df.dropna()\nd2 = df.fillna(0)\ndf = d2", [2, 3]),
    Case("an alias changed", 'd2 = df\nd2["x"] = 1', [1, 2]),
    Case("a statistic is kept, not run", 'm = df["a"].mean()\ndf["a"] = df["a"] - m', [2]),
    Case("a mask is run", 'm = df["a"] > 0\ndf["b"] = m.astype(int)', [1, 2]),
    Case("a series on the way", 's = df["a"]\ns = s + 1\ndf["b"] = s', [1, 2, 3]),
    Case("a loop", 'for c in ["a", "b"]:\n    df[c] = 1', [1, 2]),
    Case("a loop of which one line counts", 'for c in ["a"]:\n    print(c)\n    df[c] = 1', [1, 3]),
    Case("a loop that only prints", "for c in df.columns:\n    print(df[c].mean())", []),
    Case("a loop that builds on itself", 'for c in ["a"]:\n    s = df[c] + 1\n    df[c] = s', [1, 2, 3]),
    Case("a branch", 'if len(df) > 9:\n    df["a"] = 1\nelse:\n    df["a"] = 2', [1, 2, 4]),
    Case("with", 'with pd.option_context("mode.copy_on_write", True):\n    df["a"] = 1', [1, 2]),
    Case("try", 'try:\n    df["a"] = 1\nexcept ValueError:\n    df["a"] = 2', [1, 2, 4]),
    Case("a function", 'def f(d):\n    return d + 1\ndf["a"] = f(df["a"])', [3]),
    Case("a function in place", 'def f(d):\n    d["x"] = 1\nf(df)', [3]),
    Case("both frames in a loop", 'te = pd.read_csv("t.csv")\nfor d in [df, te]:\n    d["x"] = 1', [2, 3]),
    Case(
        "a list of frames",
        'parts = []\nfor g, part in df.groupby("g"):\n    parts.append(part)\ndf = pd.concat(parts)',
        [1, 2, 3, 4],
    ),
    Case("a lookup is kept", 't = df.groupby("g")["a"].mean()\ndf["m"] = df["g"].map(t)', [2]),
    Case("another table is kept", 'h = pd.read_csv("h.csv")\nh = h.dropna()\ndf = df.merge(h, on="g")', [3]),
    Case("its own dummies joined", 'd = pd.get_dummies(df["g"])\ndf = df.join(d)', [1, 2]),
    Case("tuple", 'a, b = df["a"], df["b"]\ndf["c"] = a', [1, 2]),
    Case("timed", '%time df["a"] = 1', [1]),
    Case("timed cell", '%%time\ndf["a"] = 1', [2]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lines_of_the_feature_cell_on_the_path(case):
    result = forecast(usual(case.feature))
    assert [step.line for step in result.path if step.cell == 3] == case.kept
    assert [line for line in lines(result) if not line.startswith("3.")] == ["2.1", "4.1", "4.3", "6.1"]


def test_the_last_prediction_is_chosen_with_its_post_processing():
    predict = "a = model.predict(X_train)\np = model.predict_proba(X_test)[:, 1]\ny = (p > 0.5).astype(int)\nprint(y.mean())\ny[:5]"
    result = forecast(usual("df", predict=predict))
    assert (result.prediction.name, result.prediction.line) == ("y", 3)
    assert lines(result)[-2:] == ["6.2", "6.3"]


def test_another_prediction_may_be_told():
    predict = "first = model.predict(X_test)\nsecond = model.predict(X_test) + 1"
    result = forecast(usual("df", predict=predict), Options(prediction="first"))
    assert (result.prediction.name, result.prediction.line) == ("first", 1)


def test_a_prediction_in_a_function():
    cells = [
        (IMPORTS,),
        (LOAD,),
        (f'X = df.drop(columns="target")\ny = df["target"]\n{SPLIT}', "feature"),
        (TRAIN, "train"),
        ("def answer(rows):\n    return model.predict(rows)\ny_pred = answer(X_test)", "predict"),
    ]
    result = forecast(book(*cells))
    assert result.prediction.name == "y_pred"
    assert "model" in [item.name for item in result.captured]


def test_a_prediction_by_a_function_of_plain_values():
    predict = "def price(size):\n    return model.predict([[size, 1]])[0]\nprice(3)"
    result = forecast(usual("df['a'] = 1", predict=predict))
    assert result.prediction.name == "price"
    assert result.path == ()
    (note,) = (d for d in result.diagnostics if d.code == "N15")
    assert note.severity == "info"
    assert not result.refused


def kept(feature, **cells):
    return {item.name: item for item in forecast(usual(feature, **cells)).captured}


def test_captured_values_have_a_place_and_a_reason():
    found = kept(
        'limit = 3\nm = df["a"].mean()\ndf["a"] = (df["a"] - m).clip(upper=limit)\ndf["b"] = df["b"].fillna(df["b"].median())'
    )
    assert (found["m"].cell, found["m"].line, found["m"].rule) == (3, 3, "F2")
    assert found["limit"].reason == "set in cell 3"
    assert (found["b_median"].line, found["b_median"].expression) == (4, "df['b'].median()")
    assert found["model"].reason == "the fitted model"


def test_a_scaler_is_kept_once():
    choose = f'X = df.drop(columns="target")\ny = df["target"]\ns = StandardScaler()\nX = s.fit_transform(X)\n{SPLIT}'
    assert list(kept("df", choose=choose)) == ["s", "model"]


def test_loop_names_and_code_are_not_captured():
    found = kept('def f(v):\n    return v\nfor c in ["a", "b"]:\n    df[c] = f(df[c])')
    assert set(found) == {"model"}


@dataclass(frozen=True)
class FilterCase:
    source: str
    kind: str
    told: str | None = None


FILTERS = [
    FilterCase('df = df[df["a"] > 0]', "validity"),
    FilterCase("df = df.dropna()", "validity"),
    FilterCase('df = df.query("a > 0")', "validity"),
    FilterCase('df.dropna(subset=["a"], inplace=True)', "validity"),
    FilterCase('df = df.dropna(subset=["target"])', "training-only"),
    FilterCase('df = df[df["target"] > 0]', "training-only"),
    FilterCase("df = df[df.target.notna()]", "training-only"),
    FilterCase("df = df.drop_duplicates()", "training-only"),
    FilterCase('df = df[df["a"] < df["a"].quantile(0.99)]', "training-only"),
    FilterCase('df = df[df["a"] > 0]', "training-only", "training-only"),
    FilterCase("df = df.drop_duplicates()", "validity", "validity"),
]


@pytest.mark.parametrize("case", FILTERS, ids=lambda case: f"{case.source} {case.told}")
def test_filters_and_their_class(case):
    options = Options(filters={"3.1": case.told} if case.told else {})
    (found,) = forecast(usual(case.source), options).filters
    assert (found.cell, found.line, found.kind) == (3, 1, case.kind)


def test_a_filter_in_a_cell_tagged_train_is_for_training_only():
    cells = [(IMPORTS,), (LOAD,), ('df = df[df["a"] > 0]', "train")]
    cells += [(f'X = df.drop(columns="target")\ny = df["target"]\n{SPLIT}',), (TRAIN, "train"), (PREDICT, "predict")]
    (found,) = forecast(book(*cells)).filters
    assert found.kind == "training-only"


def test_fields_are_the_columns_read_before_they_are_made():
    feature = (
        'df["r"] = df["a"] / df.b\ndf["r"] = df["r"].fillna(0)\ndf["c"] = df["c"].str.lower()\n'
        'df = df.rename(columns={"old": "new"})\ndf["n"] = df["new"] + 1\ndf["target"] = df["target"] > 0'
    )
    assert forecast(usual(feature)).fields == ("a", "b", "c", "old")


def test_the_target_is_traced_to_its_raw_column():
    feature = 'df["late"] = (df["delay"] > 15).astype(int)'
    choose = f'X = df.drop(columns=["late", "delay"])\ny = df["late"]\n{SPLIT}'
    assert forecast(usual(feature, choose=choose)).target == ("delay",)


def test_the_raw_table_is_where_the_predicted_rows_are_loaded():
    place = forecast(usual("df['a'] = 1")).raw_table
    assert (place.name, place.cell, place.line) == ("df", 2, 1)


def test_a_notebook_that_does_not_parse_everywhere_is_still_forecast():
    cells = [
        (IMPORTS,),
        (LOAD,),
        ("this is no python",),
        (f'X = df.drop(columns="target")\ny = df["target"]\n{SPLIT}',),
    ]
    result = forecast(book(*cells, (TRAIN, "train"), (PREDICT, "predict")))
    assert result.prediction.name == "y_pred"
    assert not result.refused


def test_another_language_is_only_said_so():
    result = forecast(book(("y <- predict(m)", "predict"), language="r"))
    assert [d.code for d in result.diagnostics] == ["N8"]


def test_the_text_says_forecast_and_shows_every_part():
    text = forecast(usual('df = df[df["a"] > 0]\ndf["b"] = df["b"].fillna(df["b"].median())')).text()
    for part in (
        "Forecast for book.ipynb",
        "nothing was run",
        "Serving path",
        "Kept from training",
        "Filters",
        "raw table",
    ):
        assert part in text


def test_the_document_has_every_part():
    document = forecast(usual("df['a'] = 1")).to_json()
    assert document["forecast"] is True
    assert {
        "sections",
        "prediction",
        "raw_table",
        "fields",
        "target",
        "path",
        "captured",
        "filters",
        "diagnostics",
    } <= set(document)
    assert document["sections"]["predict"] == [6]


def test_two_hundred_cells_take_less_than_a_second():
    import time

    cells = [(IMPORTS,), (LOAD,)]
    cells += [(f'df["c{n}"] = df["a"].fillna(df["a"].median()) + {n}\ndf.head()', "feature") for n in range(200)]
    cells += [(f'X = df.drop(columns="target")\ny = df["target"]\n{SPLIT}',), (TRAIN, "train"), (PREDICT, "predict")]
    notebook = book(*cells)
    start = time.perf_counter()
    assert len(forecast(notebook).path) == 204
    assert time.perf_counter() - start < 1


def test_functions_that_call_each_other_many_times_end():
    import time

    helpers = "\n".join(
        f"def f{n}(d):\n" + "".join(f"    d = f{m}(d)\n" for m in range(n)) + "    return d" for n in range(40)
    )
    start = time.process_time()
    result = forecast(usual(f"{helpers}\ndef loop(d):\n    return loop(d)\ndf = f39(df)\ndf = loop(df)"))
    assert result.prediction is not None
    assert time.process_time() - start < 2
