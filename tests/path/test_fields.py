"""A field is a column that can change what an accepted row gets, whichever rows the notebook happened to predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.path.inprocess import plan, refusals

# Flats, and houses among the rows of training alone; only there does a living area not tell the size.
FLATS = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(120)
df = pd.DataFrame({"kind": np.where((i < 80) & (i % 3 == 0), "house", "flat"), "living": 40.0 + i % 17, "lot": 300.0 + 7 * (i % 23),
    "age": np.where((i < 80) & (i % 5 == 0), np.nan, 20.0 + i % 31), "fuel": np.where(i == 7, "CNG", np.where(i % 2 == 0, "oil", "gas")),
    "year": 1990 + i % 30, "id": [f"n{k}" for k in i], "fare": 5.0 + 3 * (i % 11), "price": 100.0 + 13 * (i % 37)})"""
TRAIN = 'model = LinearRegression().fit(X[:80], df["price"][:80])'
PREDICT = "y_pred = model.predict(X[80:])"


@dataclass(frozen=True)
class Case:
    """Feature code on the flats, and the fields that come of it."""

    name: str
    feature: str
    fields: str
    train: str = TRAIN
    predict: str = PREDICT


CASES = [
    Case(
        "a branch that no predicted row takes",
        'df["area"] = np.where(df["kind"] == "flat", df["living"], df["lot"])\nX = df[["area", "fare"]]',
        "fare kind living lot",
    ),
    Case("a gap that training alone has", 'df["age"] = df["age"].fillna(df["year"])\nX = df[["age", "fare"]]', "age fare year"),
    Case(
        "one row of training differs",
        'df["cng"] = (df["fuel"] == "CNG").astype(int)\nX = df[["cng", "fare"]]',
        "fare fuel",
    ),
    Case(
        "one row of training differs, in dummies",
        'd = pd.get_dummies(df[["fuel"]], drop_first=True)\nX = pd.concat([df[["fare"]], d[["fuel_gas"]]], axis=1)',
        "fare fuel",
    ),
    Case("one predicted row", 'X = df[["living", "lot", "fare"]]', "fare living lot", predict="y_pred = model.predict(X.iloc[[1]])"),
    Case(
        "a value of two columns that no row of the table has",
        'both = (df["kind"] == "house") & (df["fuel"] == "CNG")\ndf["x"] = np.where(both, df["lot"], df["living"])\nX = df[["x", "fare"]]',
        "fare fuel kind living lot",
    ),
    Case(
        "a branch that no row of the table takes",
        'df["x"] = np.where(df["year"] > 2050, df["lot"], df["living"])\nX = df[["x", "fare"]]',
        "fare living lot year",
    ),
    Case(
        "a text that no row of the table has",
        'df["x"] = np.where(df["id"].str.contains("Dr."), df["lot"], df["living"])\nX = df[["x", "fare"]]',
        "fare id living lot",
    ),
    Case("a rule that no row of the table breaks", 'df = df[df["year"] > 1900]\nX = df[["living", "fare"]]', "fare living year"),
    Case(
        "no rows with gaps in anything: only what has gaps tells",
        'df = df.dropna()\nX = df[["living", "fare"]]',
        "age fare living",
        train='model = LinearRegression().fit(X[:60], df["price"][:60])',
        predict="y_pred = model.predict(X[60:])",
    ),
    Case(
        "columns that a transformer drops",
        'X = df[["living", "fare", "id", "year", "kind"]]',
        "fare kind living",
        train="""from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
each = ColumnTransformer([("n", StandardScaler(), ["living", "fare"]), ("k", OneHotEncoder(handle_unknown="ignore"), ["kind"])])
model = make_pipeline(each, LinearRegression()).fit(X[:80], df["price"][:80])""",
    ),
    Case(
        "columns that a formula does not name",
        "train, test = df.iloc[:80], df.iloc[80:]",
        "fuel living",
        train='import statsmodels.formula.api as smf\nmodel = smf.ols("price ~ living + C(fuel)", data=train).fit()',
        predict="y_pred = model.predict(test)",
    ),
    Case(
        "a column that the model takes and hardly uses",
        'X = df[["living", "lot", "fare"]]',
        "fare living lot",
        train="from sklearn.tree import DecisionTreeRegressor\nmodel = DecisionTreeRegressor(max_depth=1).fit(X[:80], df['price'][:80])",
    ),
    Case(
        "a table beside the features, for a rule on the answer",
        'X = df[["living", "fare", "year", "lot"]]',
        "fare living year",
        train="""from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
each = ColumnTransformer([("n", "passthrough", ["living", "fare"])])
model = make_pipeline(each, LinearRegression()).fit(X[:80], df["price"][:80])""",
        predict='X_test = X[80:]\np = model.predict(X_test)\ny_pred = np.where(X_test["year"] < 1995, 0.0, p)',
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_fields(case: Case, tmp_path: Path) -> None:
    cells = [("data", FLATS), ("feature", case.feature), ("train", case.train), ("predict", case.predict)]
    made = plan(cells, tmp_path)
    assert sorted(made.fields) == case.fields.split()
    assert made.target == ("price",)


TWO_FILES = f"""{FLATS}
import io
train = pd.read_csv(io.StringIO(df[:80].to_csv(index=False)))
test = pd.read_csv(io.StringIO(df[80:].drop(columns=["price", "id"]).to_csv(index=False)))
"""


def test_what_only_the_file_of_training_holds_is_evidence(tmp_path: Path) -> None:
    feature = """
for t in [train, test]:
    t["area"] = np.where(t["kind"] == "flat", t["living"], t["lot"])
    t["age"] = t["age"].fillna(t["year"])
    t["cng"] = (t["fuel"] == "CNG").astype(int)
columns = ["area", "age", "cng"]
"""
    cells = [
        ("data", TWO_FILES),
        ("feature", feature),
        ("train", 'model = LinearRegression().fit(train[columns], train["price"])'),
        ("predict", "y_pred = model.predict(test[columns])"),
    ]
    made = plan(cells, tmp_path)
    assert made.table.name == "test"
    assert sorted(made.fields) == "age fuel kind living lot year".split()


@pytest.mark.parametrize(
    ("other", "feature", "warned"),
    [
        ('np.where(i % 9 == 0, "unknown", "7")', '(t["code"] != "unknown").astype(int)', True),
        ("np.where(i % 9 == 0, np.nan, 7.0)", 't["code"].isna().astype(int)', True),
        ('np.where(i % 9 == 0, "unknown", "7")', 't["living"]', False),
    ],
    ids=["a text where requests have numbers", "a gap where requests have integers", "read by nothing"],
)
def test_what_only_another_files_type_can_hold_is_evidence(
    tmp_path: Path, other: str, feature: str, warned: bool
) -> None:
    load = TWO_FILES + f'i = np.arange(80)\ntrain["code"] = {other}\ntest["code"] = np.arange(40)\n'
    load += "\n".join(f"{name} = pd.read_csv(io.StringIO({name}.to_csv(index=False)))" for name in ("train", "test"))
    cells = [
        ("data", load),
        ("feature", f'for t in [train, test]:\n    t["known"] = {feature}\ncolumns = ["known", "fare"]'),
        ("train", 'model = LinearRegression().fit(train[columns], train["price"])'),
        ("predict", "y_pred = model.predict(test[columns])"),
    ]
    made = plan(cells, tmp_path)
    assert sorted(made.fields) == (["code", "fare"] if warned else ["fare", "living"])
    assert [note.code for note in made.diagnostics if "'code'" in note.message] == (["F14"] if warned else [])


def test_a_field_that_also_decides_the_target_is_no_target(tmp_path: Path) -> None:
    """Which rows there are, a feature, and the unit of the price are all told by one column."""
    load = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(240)
PACKS = ["1/2 bushel", "bushel", "bushel baskets"] + [f"{n} inch bins" for n in range(60)]
df = pd.DataFrame({"pack": [PACKS[k % 3 if k % 4 == 0 else k % 63] for k in i], "low": 100.0 + i % 37,
    "high": 110.0 + (i * 7) % 53, "month": 1 + i % 12})"""
    feature = """df = df[df["pack"].str.contains("bushel")]
y = (df["low"] + df["high"]) / 2
y = y.where(~df["pack"].str.contains("1/2"), y * 2)
X = pd.get_dummies(df[["month", "pack"]])"""
    train = "model = LinearRegression().fit(X[:40], y[:40])"
    made = plan(
        [("data", load), ("feature", feature), ("train", train), ("predict", "y_pred = model.predict(X[40:])")],
        tmp_path,
    )
    assert (sorted(made.fields), sorted(made.target)) == (["month", "pack"], ["high", "low"])
    assert [one.klass for one in made.filters] == ["validity"]


RULES = [
    ("both lack something", "df = df.dropna()", "validity"),
    ("a range of both", 'df = df[(df["price"] > 0) & (df["living"] < 200)]', "validity"),
    ("the target alone", 'df = df[df["price"] > 0]', "training-only"),
    ("the target by its name", 'df = df.dropna(subset=["price"])', "training-only"),
    ("the target held against a feature", 'df = df[df["price"] / df["living"] < 13]', "training-only"),
    ("the target among all", 'df = df[df["price"] < df["price"].quantile(0.9)].dropna()', "training-only"),
]


@pytest.mark.parametrize(("name", "rule", "klass"), RULES, ids=[rule[0] for rule in RULES])
def test_what_a_rule_asks_of_the_features_holds_for_a_request(name: str, rule: str, klass: str, tmp_path: Path) -> None:
    """The first 60 of the rows that the rule leaves are trained on; a flat of 999 is beyond what any rule of a range keeps."""
    del name
    load = FLATS.replace('"living": 40.0 + i % 17', '"living": np.where(i % 13 == 5, 999.0, 40.0 + i % 17)').replace(
        '"price": 100.0 + 13 * (i % 37)', '"price": np.where(i % 11 == 3, np.nan, 100.0 + 13 * (i % 37))'
    )
    cells = [
        ("data", load),
        ("feature", f'{rule}\nX = df[["living", "age", "fare"]]'),
        (
            "train",
            """from sklearn.tree import DecisionTreeRegressor
model = DecisionTreeRegressor(max_depth=3).fit(X[:50], df["price"].fillna(0)[:50])""",
        ),
        ("predict", "y_pred = model.predict(X[50:])"),
    ]
    made = plan(cells, tmp_path)
    assert made.filters[0].klass == klass
    row = {"living": 50.0, "age": 30.0, "fare": 8.0}
    odd = [row, {**row, "age": None}, {**row, "living": 999.0}]
    refused = [reason is not None for reason in refusals(made, tmp_path, odd)]
    assert refused == (
        [False, False, False] if klass != "validity" else [False, "dropna" in rule, "dropna" not in rule]
    )


def test_rows_that_a_later_choice_leaves_out_have_passed_the_rule(tmp_path: Path) -> None:
    """A split by labels refuses every row that stands where training's did: that hides no verdict of what comes before."""
    feature = """df = df[df["kind"].isin(["flat", "loft"]) & (df["price"] > 110)]
X = df[["living", "fare"]]
k = X.index < 80"""
    made = plan(
        [
            ("data", FLATS),
            ("feature", feature),
            ("train", 'model = LinearRegression().fit(X[k], df["price"][k])'),
            ("predict", "y_pred = model.predict(X[~k])"),
        ],
        tmp_path,
    )
    assert [one.klass for one in made.filters] == ["validity", "training-only"]
    row = {"kind": "flat", "living": 50.0, "fare": 8.0}
    refused = refusals(made, tmp_path, [row, {**row, "kind": "house"}, {**row, "kind": "castle"}])
    assert [reason is not None for reason in refused] == [False, True, True]


@pytest.mark.parametrize(
    ("split", "klass"),
    [
        ('train, test = df[:80], df[80:]\ntest = test[test["living"] <= train["living"].quantile(0.95)]', "validity"),
        ('df = df[df["living"] <= df["living"].quantile(0.95)]\ntrain, test = df[:80], df[80:]', "training-only"),
    ],
    ids=["of the rows that are predicted", "of all rows"],
)
def test_a_comparison_with_a_statistic_is_training_s_where_training_rows_go_into_it(
    split: str, klass: str, tmp_path: Path
) -> None:
    load = FLATS.replace('"living": 40.0 + i % 17', '"living": np.where(i % 29 == 5, 999.0, 40.0 + i % 17)')
    cells = [
        ("data", load),
        ("feature", split),
        ("train", 'model = LinearRegression().fit(train[["living", "fare"]], train["price"])'),
        ("predict", 'y_pred = model.predict(test[["living", "fare"]])'),
    ]
    made = plan(cells, tmp_path)
    assert [one.klass for one in made.filters] == [klass]
    refused = refusals(made, tmp_path, [{"living": 50.0, "fare": 8.0}, {"living": 999.0, "fare": 8.0}])
    assert [reason is not None for reason in refused] == [False, klass == "validity"]
