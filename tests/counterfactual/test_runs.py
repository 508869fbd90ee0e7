"""What a notebook that is run again with other values says: held against the notebook's own arithmetic, done by hand here on the changed row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tests.counterfactual.inprocess import PREDICT, cells, find, table

AREA = "df['area'] = np.where(df['kind'] == 'flat', df['living'], df['lot'])\nX = df[['area', 'fare']]"


def model_of(features: pd.DataFrame) -> LinearRegression:
    return LinearRegression().fit(features[:80].to_numpy(), table()["price"][:80])


def area(row: dict) -> list[float]:
    return [row["living"] if row["kind"] == "flat" else row["lot"], row["fare"]]


def expected(rows, features, of_row):
    model = model_of(features)
    return [model.predict(np.array([of_row(row.request)], dtype=float))[0] for row in rows]


def test_a_branch_that_no_predicted_row_takes_is_asked_of_the_notebook(tmp_path):
    rows, runs = find(cells(AREA), tmp_path)
    df = table()
    features = pd.DataFrame({"area": np.where(df["kind"] == "flat", df["living"], df["lot"]), "fare": df["fare"]})
    assert [row.expected for row in rows] == pytest.approx(expected(rows, features, area), rel=1e-9)
    houses = [row for row in rows if row.request["kind"] == "house"]
    assert len(houses) >= 4
    assert len({row.request["lot"] for row in houses}) >= 4
    assert runs.done == 1
    assert runs.held == 0


def test_a_median_of_all_rows_is_held_at_its_first_value(tmp_path):
    feature = "df['fare'] = df['fare'] - df['fare'].mean()\ndf['age'] = df['age'].fillna(df['age'].median())\nX = df[['age', 'fare']]"
    rows, runs = find(cells(feature), tmp_path)
    df = table()
    age, fare = df["age"].median(), df["fare"].mean()
    features = pd.DataFrame({"age": df["age"].fillna(age), "fare": df["fare"] - fare})

    def of_row(row):
        return [age if row["age"] is None else row["age"], row["fare"] - fare]

    assert [row.expected for row in rows] == pytest.approx(expected(rows, features, of_row), rel=1e-9)
    assert any(row.request["age"] is None for row in rows)
    assert runs.held >= 1
    assert runs.done == 1


def test_a_scaler_that_was_fitted_to_all_rows_keeps_its_first_state(tmp_path):
    feature = (
        "from sklearn.preprocessing import StandardScaler\nX = StandardScaler().fit_transform(df[['living', 'fare']])"
    )
    rows, runs = find(cells(feature), tmp_path)
    both = table()[["living", "fare"]]
    mean, spread = both.mean().to_numpy(), both.std(ddof=0).to_numpy()
    features = (both - mean) / spread

    def of_row(row):
        return list((np.array([row["living"], row["fare"]]) - mean) / spread)

    assert [row.expected for row in rows] == pytest.approx(expected(rows, features, of_row), rel=1e-9)
    assert runs.held >= 1


def test_rows_that_were_trained_on_are_predicted_by_the_first_runs_model(tmp_path):
    whole = cells(AREA, "model = LinearRegression().fit(X, df['price'])", "y_pred = model.predict(X)")
    rows, runs = find(whole, tmp_path)
    df = table()
    features = np.column_stack([np.where(df["kind"] == "flat", df["living"], df["lot"]), df["fare"]])
    model = LinearRegression().fit(features, df["price"])
    assert [row.expected for row in rows] == pytest.approx(
        [model.predict([area(row.request)])[0] for row in rows], rel=1e-9
    )
    assert len(rows) == 60
    assert runs.held >= 1


def test_a_row_that_a_rule_leaves_out_must_be_refused(tmp_path):
    rows, runs = find(cells("df = df[df['port'] != 'C']\nX = df[['living', 'fare']]"), tmp_path)
    left = [row for row in rows if row.outcome == "raises"]
    assert left
    assert {row.request["port"] for row in left} == {"C"}
    assert all(row.request["port"] != "C" for row in rows if row.outcome == "value")
    assert left[0].expected == "left out by the filter at cell 2, line 1"
    assert runs.done == 2


def test_a_model_of_all_rows_that_lacks_a_row_which_was_left_out_stands_in_no_way(tmp_path):
    made = cells("df = df[df['port'] != 'C']\nX = df[['living', 'fare']]")
    rows, runs = find([*made, ("", "of_all = LinearRegression().fit(X, df['price'])")], tmp_path)
    assert {row.outcome for row in rows} == {"value", "raises"}
    assert runs.whys == []


@pytest.mark.parametrize(
    "rule",
    [
        "df = df[df['living'] * df['price'] > 5300]",  # looks at the target
        "df = df[df['fare'] <= df['fare'].quantile(0.99)]",  # and at a statistic
        "df = df.drop_duplicates(['living', 'lot', 'age', 'fare'])",  # and at other rows
    ],
    ids=["target", "statistic", "repetition"],
)
def test_a_filter_of_training_says_nothing_of_a_request(tmp_path, rule):
    rows, _ = find(cells(f"{rule}\nX = df[['living', 'fare']]", predict="y_pred = model.predict(X[80:])"), tmp_path)
    assert all(row.outcome == "value" for row in rows)


def test_a_rule_that_holds_predicted_rows_against_a_statistic_of_trainings_must_refuse(tmp_path):
    predict = (
        "rest = df[40:]\nrest = rest[rest['fare'] <= df[:40]['fare'].quantile(0.8)]\n"
        "y_pred = model.predict(rest[['living', 'fare']])"
    )
    train = "model = LinearRegression().fit(X[:40], df['price'][:40])"
    rows, _ = find(cells("X = df[['living', 'fare']]", train, predict), tmp_path)
    limit = table()["fare"][:40].quantile(0.8)
    left = [row for row in rows if row.outcome == "raises"]
    assert left
    assert all((row.request["fare"] > limit) == (row.outcome == "raises") for row in rows)


def test_training_only_by_its_tag_or_by_the_users_word(tmp_path):
    feature = "df = df[df['port'] != 'C']\nX = df[['living', 'fare']]"
    for number, (tag, options) in enumerate([("train", {}), ("feature", {"filters": {"2.1": "training-only"}})]):
        made = cells(feature)
        made[1] = (tag, feature)
        folder = tmp_path / str(number)
        folder.mkdir()
        rows, _ = find(made, folder, options=options)
        assert rows
        assert all(row.outcome == "value" for row in rows)


def test_one_value_that_the_notebook_fails_on_does_not_lose_the_others(tmp_path):
    feature = "df['p'] = df['port'].map({'A': 1, 'B': 2, 'C': 3})\nX = df[['living', 'fare', 'p']]"
    late = "df['port'][80:].map({'A': 1, 'B': 2}).astype(int)\ny_pred = model.predict(X[80:])"
    rows, runs = find(cells(feature, predict=late), tmp_path)
    assert rows
    assert all(row.request["port"] != "C" for row in rows)
    assert runs.done > 1
    assert "NaN" in runs.whys[0]


def test_changes_whose_rows_a_filter_loses_before_a_split_are_left_aside(tmp_path):
    """One row less is another split, and another fit: without the changes that lose theirs, the others tell in one more run."""
    feature = "df = df[df['port'] != 'C'].reset_index(drop=True)\nX = df[['living', 'fare']]"
    split = "from sklearn.model_selection import train_test_split\nA, B, a, b = train_test_split(X, df['price'], random_state=0)\n"
    rows, runs = find(
        cells(feature, f"{split}model = LinearRegression().fit(A, a)", "y_pred = model.predict(B)"), tmp_path
    )
    assert set(runs.whys) == {"a model was fitted to other rows or features than in the first run"}
    # Twice all, and twice all but those.
    assert (runs.done, len(runs.whys)) == (4, 2)
    assert len(rows) >= 12
    assert all(row.request["port"] != "C" for row in rows)


def test_a_notebook_of_chance_is_said_to_tell_nothing(tmp_path):
    feature = "import random\ndf['x'] = [random.random() for _ in range(len(df))]\nX = df[['living', 'x']]"
    made = runs_of(feature, tmp_path)
    assert made.rows == ()
    assert "a model was fitted to other rows or features than in the first run" in made.missing
    assert made.runs == 7


def test_where_the_batch_changes_a_row_the_run_tells_nothing(tmp_path):
    """A group's mean is each row's own only as long as no other row of the group changes."""
    feature = "df['m'] = df.groupby('klass')['fare'].transform('mean')\nX = df[['living', 'm']]"
    made = runs_of(feature, tmp_path)
    assert made.rows == ()
    assert made.missing


def runs_of(feature, folder):
    from tests.counterfactual.inprocess import _inside, runs

    made = runs(cells(feature), folder)
    with _inside(folder):
        return made.find()


def test_a_notebook_that_is_too_slow_is_not_run_again(tmp_path):
    rows, runs = find(cells(AREA), tmp_path, seconds=200.0, limit=120.0)
    assert rows == []
    assert runs.done == 0


def test_an_answer_that_depends_on_the_other_changed_rows_is_not_confirmed(tmp_path):
    """Of the test rows alone, a count in a table of its own: nothing else shows that it is no row's own."""
    predict = "t = X[80:].copy()\nt['fare'] = t['fare'] + 100 * (t['area'] > 290).sum()\ny_pred = model.predict(t)"
    made = cells(AREA, predict=predict.replace("(t['area'] > 290).sum()", "len(t.index[t['area'] > 290])"))
    rows, runs = find(made, tmp_path)
    assert rows == [] or runs.confirm(rows) is not None


def test_the_confirming_run_agrees_with_what_is_the_rows_own(tmp_path):
    from tests.counterfactual.inprocess import _inside

    rows, runs = find(cells(AREA), tmp_path)
    houses = [row for row in rows if row.request["kind"] == "house"]
    with _inside(tmp_path):
        assert runs.confirm(houses) == list(range(len(houses)))


def test_categories_that_only_the_training_file_has_are_tried(tmp_path):
    table()[80:].drop(columns="price").to_csv(tmp_path / "t.csv", index=False)
    made = [
        ("data", "import numpy as np, pandas as pd\nfrom sklearn.linear_model import LinearRegression"),
        ("data", "train = pd.read_csv('d.csv')[:80]\ntest = pd.read_csv('t.csv')"),
        ("feature", "A = pd.get_dummies(train[['port', 'fare']])"),
        ("feature", "B = pd.get_dummies(test[['port', 'fare']]).reindex(columns=A.columns, fill_value=0)"),
        ("train", "model = LinearRegression().fit(A.astype(float), train['price'])"),
        ("predict", "y_pred = model.predict(B.astype(float))"),
    ]
    rows, _ = find(made, tmp_path)
    df = table()
    train = pd.get_dummies(df[:80][["port", "fare"]]).astype(float)
    model = LinearRegression().fit(train, df["price"][:80])
    ports = [row for row in rows if row.request["port"] == "C"]
    assert ports
    for row in ports:
        made_row = [row.request["fare"], *(float(row.request["port"] == name) for name in "ABC")]
        assert row.expected == pytest.approx(model.predict([made_row])[0], rel=1e-9)


def test_a_single_predicted_row_is_changed_with_no_other_to_hold_it_against(tmp_path):
    rows, runs = find(cells(AREA, predict="y_pred = model.predict(X.iloc[[100]])"), tmp_path)
    assert {row.row_id for row in rows} == {100}
    assert runs.done == 3
    df = table()
    features = pd.DataFrame({"area": np.where(df["kind"] == "flat", df["living"], df["lot"]), "fare": df["fare"]})
    assert [row.expected for row in rows] == pytest.approx(expected(rows, features, area), rel=1e-9)


def test_predict_is_the_last_of_several(tmp_path):
    rows, _ = find(cells(AREA, predict=f"p = model.predict(X[70:])\n{PREDICT}\ny_pred = np.round(y_pred, 1)"), tmp_path)
    assert rows
    assert all(row.expected == round(row.expected, 1) for row in rows)
