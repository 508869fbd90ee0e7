"""What the forecast says of one piece of feature, training or predict code, put into the usual notebook.

A row names every error and warning expected, with its line; what is not named must not be said. The rows without
codes matter as much: a false alarm costs trust.
"""

from dataclasses import dataclass, field

import pytest

from nb2prod.forecast import forecast
from tests.forecast.books import CHOOSE, IMPORTS, LOAD, PREDICT, SPLIT, TRAIN, book, usual


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    expected: list = field(default_factory=list)
    """`F6!3` is an error F6 in line 3, `F14?1` a warning."""


def said(notebook, cell):
    found = forecast(notebook).diagnostics
    sign = {"error": "!", "warning": "?"}
    return sorted(f"{d.code}{sign[d.severity]}{d.line}" for d in found if d.severity != "info" and d.cell == cell)


FEATURE = [
    # F1-F5, F7, F10, F13: kept from training, nothing to say
    Case("median fill", 'df["a"] = df["a"].fillna(df["a"].median())'),
    Case("mean in a name", 'm = df["a"].mean()\ndf["a"] = df["a"] - m'),
    Case("clip at a quantile", 'df["a"] = df["a"].clip(upper=df["a"].quantile(0.99))'),
    Case("standardised by hand", 'df["a"] = (df["a"] - df["a"].mean()) / df["a"].std()'),
    Case("mode", 'df["a"] = df["a"].fillna(df["a"].mode()[0])'),
    Case("get_dummies", 'df = pd.get_dummies(df, columns=["a"])'),
    Case("factorize", 'df["a"], labels = pd.factorize(df["a"])'),
    Case("cat codes", 'df["a"] = df["a"].astype("category").cat.codes'),
    Case("qcut", 'df["a"] = pd.qcut(df["a"], 4, labels=False)'),
    Case("cut", 'df["a"] = pd.cut(df["a"], 4, labels=False)'),
    Case("cut with edges", 'df["a"] = pd.cut(df["a"], [0, 1, 2], labels=False)'),
    Case("group mean", 'df["a"] = df.groupby("g")["a"].transform("mean")'),
    Case("group mean merged", 'm = df.groupby("g")["a"].mean().reset_index()\ndf = df.merge(m, on="g")'),
    Case("group mean mapped", 'df["m"] = df["g"].map(df.groupby("g")["a"].mean())'),
    Case("scale()", 'df["a"] = scale(df["a"])'),
    Case("LabelEncoder in a loop", 'for c in ["a", "b"]:\n    df[c] = LabelEncoder().fit_transform(df[c])'),
    Case("value counts to other", 'n = df["a"].value_counts()\ndf["a"] = df["a"].where(df["a"].map(n) > 9, "other")'),
    # F5: rank
    Case("rank", 'df["r"] = df["a"].rank()', ["F5!1"]),
    Case("rank in groups", 'df["r"] = df.groupby("g")["a"].rank(pct=True)', ["F5!1"]),
    Case("rank across columns", 'df["r"] = df[["a", "b"]].rank(axis=1)["a"]'),
    Case("rank off the path", 'top = df["a"].rank()\ntop.head()'),
    Case("a column called rank", 'df["r"] = df["rank"] * 2\ndf["s"] = df.rank_no + 1'),
    # F6: history
    Case("shift", 'df["p"] = df["a"].shift(1)', ["F6!1"]),
    Case("shift in groups", 'df["p"] = df.groupby("g")["a"].shift()', ["F6!1"]),
    Case("shift by attribute in groups", 'df["p"] = df.groupby("g").a.shift()', ["F6!1"]),
    Case("diff", 'df["p"] = df["a"].diff()', ["F6!1"]),
    Case("diff across columns", 'df["p"] = df[["a", "b"]].diff(axis=1)["b"]'),
    Case("pct_change", 'df["p"] = df["a"].pct_change()', ["F6!1"]),
    Case("rolling", 'df["p"] = df["a"].rolling(3).mean()', ["F6!1"]),
    Case("rolling in groups", 'df["p"] = df.groupby("g")["a"].rolling(3).mean().values', ["F6!1"]),
    Case("expanding", 'df["p"] = df["a"].expanding().mean()', ["F6!1"]),
    Case("ewm", 'df["p"] = df["a"].ewm(span=3).mean()', ["F6!1"]),
    Case("cumsum", 'df["p"] = df["a"].cumsum()', ["F6!1"]),
    Case("cumcount", 'df["p"] = df.groupby("g").cumcount()', ["F6!1"]),
    Case("cumsum across columns", 'df["p"] = df[["a", "b"]].cumsum(axis=1)["b"]'),
    Case("ffill", 'df["a"] = df["a"].ffill()', ["F6!1"]),
    Case("whole frame ffill", "df = df.ffill()", ["F6!1"]),
    Case("fillna by method", 'df["a"] = df["a"].fillna(method="ffill")', ["F6!1"]),
    Case("interpolate", 'df["a"] = df["a"].interpolate()', ["F6!1"]),
    Case("numpy diff", 'df["p"] = np.diff(df["a"], prepend=0)', ["F6!1"]),
    Case("numpy cumsum", 'df["p"] = np.cumsum(df["a"])', ["F6!1"]),
    Case("in a function", 'def f(d):\n    d["p"] = d["a"].shift()\n    return d\ndf = f(df)', ["F6!2"]),
    Case("in a loop", 'for c in ["a", "b"]:\n    df[c] = df[c].shift()', ["F6!2"]),
    Case("in a lambda per group", 'df["p"] = df.groupby("g")["a"].transform(lambda s: s / s.sum())'),
    Case("in assign", 'df = df.assign(p=lambda d: d["a"].shift())', ["F6!1"]),
    Case("on several lines", 'df["p"] = (\n    df["a"]\n    .fillna(0)\n    .shift(1)\n)', ["F6!4"]),
    Case("explored only", 'df["a"].rolling(7).mean().plot()'),
    Case("explored in a copy", 'e = df.copy()\ne["p"] = e["a"].shift()\ne.head()'),
    Case("of another table", 'h = pd.read_csv("h.csv")\nh["p"] = h["a"].shift()\ndf = df.merge(h, on="g")'),
    Case("of group totals", 't = df.groupby("g")["a"].sum().cumsum()\ndf["t"] = df["g"].map(t)'),
    Case("shift of a list", 'xs = [1, 2]\nxs.insert(0, 3)\ndf["p"] = df["a"].isin(xs)'),
    Case("str methods", 'df["a"] = df["a"].str.pad(9).str.strip()'),
    # F8
    Case("dropna", "df = df.dropna()"),
    Case("a filter", 'df = df[df["a"] > 0]'),
    Case("duplicates", "df = df.drop_duplicates()"),
    Case("sampled", "df = df.sample(frac=1, random_state=0)"),
    # F9
    Case("the index", 'df["i"] = df.index', ["F9!1"]),
    Case("the index in a sum", 'df["i"] = df.index + 1', ["F9!1"]),
    Case("the index converted", 'df["i"] = df.index.astype(int)', ["F9!1"]),
    Case("a range", 'df["i"] = range(len(df))', ["F9!1"]),
    Case("an arange", 'df["i"] = np.arange(len(df))', ["F9!1"]),
    Case("an arange of shape", 'df["i"] = np.arange(df.shape[0])', ["F9!1"]),
    Case("an index that was set", 'df = df.set_index("when")\ndf["i"] = df.index'),
    Case("the index as an argument", 'df["s"] = pd.Series(df["a"].values, index=df.index)'),
    Case("dropped by index", 'df = df.drop(df[df["a"] > 9].index)'),
    Case("selected by index", 'df["a"] = df.loc[df.index, "a"]'),
    Case("reset", "df = df.reset_index(drop=True)"),
    Case("a column called index", 'df["i"] = df["index"] * 2'),
    # F11
    Case("now", 'df["age"] = pd.Timestamp.now().year - df["year"]', ["F11!1"]),
    Case("today", 'df["age"] = dt.today().year - df["year"]', ["F11!1"]),
    Case("today by module", 'df["age"] = datetime.date.today().year - df["year"]', ["F11!1"]),
    Case("now in a name", 'now = dt.now()\ndf["age"] = now.year - df["year"]', ["F11!1"]),
    Case("now in a function", 'df["age"] = df["year"].apply(lambda y: dt.now().year - y)', ["F11!1"]),
    Case("a date written down", 'now = dt(2024, 1, 1)\ndf["age"] = now.year - df["year"]'),
    Case("timing", 'start = time.time()\ndf["a"] = df["a"] + 1\nprint(time.time() - start)'),
    Case("random column", 'df["n"] = np.random.normal(size=len(df))', ["F11!1"]),
    Case("random fill", 'df["a"] = df["a"].fillna(np.random.randint(5))', ["F11!1"]),
    Case("random per row", 'df["a"] = df["a"].apply(lambda v: v + random.random())', ["F11!1"]),
    Case("random by generator", 'rng = np.random.default_rng()\ndf["n"] = rng.normal(size=len(df))', ["F11!2"]),
    Case("random split", "train = np.random.rand(len(df)) < 0.8\nprint(train.mean())"),
    Case("seeded shuffle", "np.random.seed(0)\nidx = np.random.permutation(len(df))\ndf = df.iloc[idx]"),
    Case("hash", 'df["h"] = df["a"].apply(hash)', ["F11!1"]),
    Case("hash in a lambda", 'df["h"] = df["a"].map(lambda v: hash(v) % 10)', ["F11!1"]),
    Case("a fixed digest", 'df["h"] = df["a"].map(lambda v: zlib.crc32(v.encode()))'),
    Case("network per row", 'df["p"] = df["a"].apply(lambda v: requests.get(v).text)', ["F11!1"]),
    Case("file per row", 'df["p"] = df["a"].apply(lambda v: len(open(f"{v}.txt").read()))', ["N10!1"]),
    # F12: the target
    Case("target in a ratio", 'df["r"] = df["target"] / df["a"]', ["F12!1"]),
    Case("target mapped", 'df["target"] = df["target"].map({"no": 0, "yes": 1})'),
    Case("target shown", 'df.groupby("a")["target"].mean()\nprint(df["target"].value_counts())'),
    Case("target filtered on", 'df = df[df["target"].notna()]\ndf = df.dropna(subset=["target"])'),
    Case(
        "target ratio dropped again",
        'df["r"] = df["target"] / df["a"]\ndf = df[df["r"] < 9]\ndf = df.drop(columns="r")',
    ),
    Case("target means by group", 'df["m"] = df["g"].map(df.groupby("g")["target"].mean())'),
    Case("target correlated", 'corr = df.corr()["target"]\nprint(corr)'),
    # F14
    Case("date without format", 'df["d"] = pd.to_datetime(df["d"])', ["F14?1"]),
    Case("date with format", 'df["d"] = pd.to_datetime(df["d"], format="%d.%m.%Y")'),
    Case("date with unit", 'df["d"] = pd.to_datetime(df["d"], unit="s")'),
    Case("date from columns", 'df["d"] = pd.to_datetime(df[["year", "month", "day"]])'),
    Case("date of a constant", 'start = pd.to_datetime("2020-01-01")\ndf["d"] = df["d"] - start'),
    Case("date suppressed", 'df["d"] = pd.to_datetime(df["d"])  # nb2prod: ignore[F14]'),
    Case("another code suppressed", 'df["d"] = pd.to_datetime(df["d"])  # nb2prod: ignore[F17]', ["F14?1"]),
    Case("an error can't be suppressed", 'df["r"] = df["a"].rank()  # nb2prod: ignore', ["F5!1"]),
    Case("to_numeric coerce", 'df["a"] = pd.to_numeric(df["a"], errors="coerce")', ["F14?1"]),
    Case("to_numeric", 'df["a"] = pd.to_numeric(df["a"])'),
    Case("select_dtypes", 'df = df.select_dtypes("number")', ["F14?1"]),
    Case("select_dtypes for names", 'num = df.select_dtypes("number").columns\ndf[num] = df[num] + 1', ["F14?1"]),
    Case("select_dtypes explored", 'df.select_dtypes("object").nunique()'),
    # F15
    Case("shift from later", 'df["n"] = df["a"].shift(-1)', ["F15!1"]),
    Case("shift by keyword", 'df["n"] = df["a"].shift(periods=-2)', ["F15!1"]),
    Case("centred window", 'df["n"] = df["a"].rolling(3, center=True).mean()', ["F15!1"]),
    Case("bfill", 'df["a"] = df["a"].bfill()', ["F15!1"]),
    Case("fillna bfill", 'df["a"] = df["a"].fillna(method="bfill")', ["F15!1"]),
    # F16
    Case("chained fillna", 'df["a"].fillna(0, inplace=True)', ["F16?1"]),
    Case("chained by attribute", "df.a.replace(1, 2, inplace=True)", ["F16?1"]),
    Case("chained set", 'df["a"][df["a"] > 9] = 9', ["F16?1"]),
    Case("in place on the frame", 'df.fillna({"a": 0}, inplace=True)'),
    Case("loc set", 'df.loc[df["a"] > 9, "a"] = 9'),
    # F17
    Case("map a dict", 'df["a"] = df["a"].map({"x": 1, "y": 2})', ["F17?1"]),
    Case("map a named dict", 'm = {"x": 1}\ndf["a"] = df["a"].map(m)', ["F17?2"]),
    Case("map with a default", 'df["a"] = df["a"].map({"x": 1}).fillna(0)'),
    Case("filled on the next line", 'df["a"] = df["a"].map({"x": 1})\ndf["a"] = df["a"].fillna(0)'),
    Case("map a function", 'df["a"] = df["a"].map(str.lower)'),
    Case("replace a dict", 'df["a"] = df["a"].replace({"x": 1})'),
    # N12
    Case("explode", 'df = df.explode("a")', ["N12!1"]),
    Case("melt", 'df = df.melt(id_vars="g")', ["N12!1"]),
    Case("pivot explored", 'df.pivot_table(index="g", values="a")'),
    Case("numpy stack", 'df["s"] = np.stack([df["a"], df["b"]]).sum(axis=0)'),
    # others
    Case("apply over rows", 'df["s"] = df.apply(lambda r: r["a"] + r["b"], axis=1)'),
    Case("display", "df.head()\ndf.describe()\ndf"),
    Case("plot", 'df["a"].hist()\ndf.plot.scatter("a", "b")'),
    Case("shell and magics", "%matplotlib inline\nfiles = !ls\ndf.shape"),
]


@pytest.mark.parametrize("case", FEATURE, ids=lambda case: case.name)
def test_feature_code(case):
    notebook = usual(case.source)
    assert said(notebook, 3) == sorted(case.expected)
    assert {d.cell for d in forecast(notebook).diagnostics if d.severity != "info"} <= {3}


@dataclass(frozen=True)
class Elsewhere:
    name: str
    expected: list
    """`T1?4.2` is a warning T1 in cell 4, line 2."""
    feature: str = "df['a'] = df['a'] + 1"
    choose: str = CHOOSE
    train: str = TRAIN
    predict: str = PREDICT
    load: str = LOAD


Xy = 'X = df.drop(columns="target")\ny = df["target"]\n'
ELSEWHERE = [
    Elsewhere("usual", []),
    # T1
    Elsewhere("scaled before the split", ["T1?4.3"], choose=f"{Xy}X = StandardScaler().fit_transform(X)\n{SPLIT}"),
    Elsewhere(
        "fitted, then transformed",
        ["T1?4.4"],
        choose=f"{Xy}s = StandardScaler()\ns.fit(X)\nX = s.transform(X)\n{SPLIT}",
    ),
    Elsewhere("labels encoded before the split", [], choose=f"{Xy}y = LabelEncoder().fit_transform(y)\n{SPLIT}"),
    Elsewhere(
        "scaled after the split",
        [],
        choose=f"{CHOOSE}\ns = StandardScaler()\nX_train = s.fit_transform(X_train)\nX_test = s.transform(X_test)",
    ),
    Elsewhere(
        "a pipeline",
        [],
        train="model = make_pipeline(StandardScaler(), LogisticRegression())\nmodel.fit(X_train, y_train)",
    ),
    Elsewhere("scaled to look at", [], choose=f"{Xy}Z = StandardScaler().fit_transform(X)\nprint(Z[:3])\n{SPLIT}"),
    # T2
    Elsewhere(
        "resampled before the split",
        ["T2?4.4"],
        choose=f"{Xy}from imblearn.over_sampling import SMOTE\nX, y = SMOTE(random_state=0).fit_resample(X, y)\n{SPLIT}",
    ),
    Elsewhere(
        "resampled after the split",
        [],
        choose=f"{CHOOSE}\nfrom imblearn.over_sampling import SMOTE\nX_train, y_train = SMOTE(random_state=0).fit_resample(X_train, y_train)",
    ),
    # T3
    Elsewhere(
        "settings scored on the test set",
        ["T3?5.4"],
        train="for c in [0.1, 1, 10]:\n    m = LogisticRegression(C=c)\n    m.fit(X_train, y_train)\n    print(m.score(X_test, y_test))\n"
        + TRAIN,
    ),
    Elsewhere(
        "settings scored on the training set",
        [],
        train="for c in [0.1, 1, 10]:\n    m = LogisticRegression(C=c)\n    m.fit(X_train, y_train)\n    print(m.score(X_train, y_train))\n"
        + TRAIN,
    ),
    # T4
    Elsewhere(
        "split without a seed", ["T4?4.3"], choose=f"{Xy}X_train, X_test, y_train, y_test = train_test_split(X, y)"
    ),
    Elsewhere(
        "forest without a seed", ["T4?5.1"], train="model = RandomForestClassifier()\nmodel.fit(X_train, y_train)"
    ),
    Elsewhere(
        "forest with a seed", [], train="model = RandomForestClassifier(random_state=1)\nmodel.fit(X_train, y_train)"
    ),
    Elsewhere(
        "seeded once",
        [],
        load=f"np.random.seed(0)\n{LOAD}",
        train="model = RandomForestClassifier()\nmodel.fit(X_train, y_train)",
    ),
    Elsewhere(
        "not shuffled", [], choose=f"{Xy}X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)"
    ),
    # T5
    Elsewhere(
        "predicts what it was fitted to",
        ["T5?6.1"],
        train="model = LogisticRegression()\nmodel.fit(X, y)",
        predict="y_pred = model.predict(X)",
    ),
    # T6
    Elsewhere("fitted again on test", ["T6?4.4"], choose=f"{CHOOSE}\nX_test = StandardScaler().fit_transform(X_test)"),
    Elsewhere("filled with test's mean", ["T6?4.4"], choose=f"{CHOOSE}\nX_test = X_test.fillna(X_test.mean())"),
    Elsewhere("filled with training's mean", [], choose=f"{CHOOSE}\nX_test = X_test.fillna(X_train.mean())"),
    # T7
    Elsewhere("sorted by date, split at random", ["T7?4.3"], load=f'{LOAD}\ndf = df.sort_values("date")'),
    Elsewhere("sorted by size", [], load=f'{LOAD}\ndf = df.sort_values("size")'),
    # P1, P2, P3
    Elsewhere(
        "fits in predict",
        ["P1?6.1"],
        predict="s = SimpleImputer().fit(X_train)\ny_pred = model.predict(s.transform(X_test))",
    ),
    Elsewhere(
        "fits the model in predict",
        [],
        train="model = LogisticRegression()",
        predict=f"model.fit(X_train, y_train)\n{PREDICT}",
    ),
    Elsewhere("a feature only in predict", ["P2?6.1"], predict=f'X_test["r"] = X_test["a"] / 2\n{PREDICT}'),
    Elsewhere("a result column in predict", [], predict=f'{PREDICT}\nX_test["pred"] = y_pred'),
    Elsewhere(
        "columns from a set",
        ["P3?4.2"],
        choose=f'cols = list(set(df.columns) - {{"target"}})\nX = df[cols]\ny = df["target"]\n{SPLIT}',
    ),
    Elsewhere(
        "columns from a sorted set",
        [],
        choose=f'cols = sorted(set(df.columns) - {{"target"}})\nX = df[cols]\ny = df["target"]\n{SPLIT}',
    ),
    Elsewhere(
        "a training function called in predict",
        [],
        train="def train(X, y):\n    s = SimpleImputer()\n    s.fit(X)\n    m = LogisticRegression()\n    m.fit(s.transform(X), y)\n    return s, m",
        predict="s, model = train(X_train, y_train)\ny_pred = model.predict(s.transform(X_test))",
    ),
    # N5, N12, N15, N16
    Elsewhere("only scored", ["N15!6.1"], predict="model.score(X_test, y_test)"),
    Elsewhere("scored and predicted", [], predict="model.score(X_test, y_test)\ny_pred = model.predict(X_test)"),
    Elsewhere("typed in", ["N5!6.1"], predict="model.predict([[1, 2, 3]])"),
    Elsewhere(
        "rows for each group",
        ["N12!4.1"],
        choose='t = df.groupby("customer").agg({"a": "mean", "target": "max"})\nX = t.drop(columns="target")\ny = t["target"]\n'
        + SPLIT,
    ),
    Elsewhere("a password", ["N16?2.1"], load='db_password = "hunter2hunter2"\n' + LOAD),
    Elsewhere(
        "a key in a call", ["N16?2.2"], load=LOAD + '\nrequests.get("https://x.org", api_key="0123456789abcdef")'
    ),
    Elsewhere("a password in an address", ["N16?2.1"], load='url = "postgres://me:s3cretpw@db/x"\n' + LOAD),
    Elsewhere("no secret", [], load='token_column = "text"\npassword = "<your password>"\nkey = "a"\n' + LOAD),
    # the prediction
    Elsewhere(
        "into probabilities", [], predict="p = model.predict_proba(X_test)[:, 1]\ny_pred = (p > 0.5).astype(int)"
    ),
    Elsewhere("a bare expression", [], predict="model.predict(X_test)"),
    Elsewhere(
        "evaluated",
        [],
        predict=f"{PREDICT}\nprint(accuracy_score(y_test, y_pred))\nwrong = y_pred != y_test\nwrong.mean()",
    ),
]


@pytest.mark.parametrize("case", ELSEWHERE, ids=lambda case: case.name)
def test_training_and_prediction(case):
    notebook = usual(case.feature, choose=case.choose, train=case.train, predict=case.predict, load=case.load)
    sign = {"error": "!", "warning": "?"}
    found = forecast(notebook).diagnostics
    shown = [f"{d.code}{sign[d.severity]}{d.cell}.{d.line}" for d in found if d.severity != "info"]
    assert sorted(shown) == sorted(case.expected)


def test_a_message_names_the_line_the_reason_and_a_remedy():
    (found,) = (d for d in forecast(usual('x = 1\ndf["p"] = df["a"].shift(1)')).diagnostics if d.severity == "error")
    assert (found.cell, found.line, found.source) == (3, 2, 'df["p"] = df["a"].shift(1)')
    assert "df['a']" in found.message
    assert "'p'" in found.hint


def test_suppressed_warnings_are_counted():
    result = forecast(usual('df["d"] = pd.to_datetime(df["d"])  # nb2prod: ignore[F14]'))
    assert [d.code for d in result.suppressed] == ["F14"]
    assert "1 suppressed" in result.verdict()


def test_a_line_in_a_function_is_named_where_it_stands():
    notebook = book(
        (IMPORTS,),
        (LOAD,),
        ('def prepare(d):\n    d["p"] = d["a"].rank()\n    return d',),
        ("df = prepare(df)", "feature"),
        (CHOOSE,),
        (TRAIN, "train"),
        (PREDICT, "predict"),
    )
    (found,) = (d for d in forecast(notebook).diagnostics if d.severity == "error")
    assert (found.code, found.cell, found.line) == ("F5", 3, 2)


def test_every_remedy_is_there():
    """No error or warning without a word on what to do."""
    for case in FEATURE:
        for item in forecast(usual(case.source)).diagnostics:
            assert item.severity == "info" or item.hint, case.name


@pytest.mark.parametrize(
    ("mapping", "other"),
    [
        ('{"a": "north", "b": "south"}', '"other"'),
        ('{"a": "north", "b": "other"}', '"unknown"'),
        ('{"a": 1, "b": 2}', "-1"),
        ('{"a": -4, "b": 2.5}', "-5"),
        ('{"a": True, "b": False}', "False"),
    ],
)
def test_a_mapping_is_mended_with_a_value_of_its_own_kind(mapping, other):
    source = f'df["m"] = df["a"].map({mapping})'
    (item,) = [d for d in forecast(usual(source)).diagnostics if d.code == "F17"]
    assert item.hint.endswith(f".fillna({other})")
    mended = f'df["m"] = {item.hint.splitlines()[-1].strip()}'
    assert not [d for d in forecast(usual(mended)).diagnostics if d.code == "F17"]


SECOND = "scores = model.predict_proba(X_test)[:, 1]"


@pytest.mark.parametrize(
    ("predict", "warned"),
    [
        ((SECOND, PREDICT), True),
        ((PREDICT, "labels = pd.Series(y_pred).map({0: 'no', 1: 'yes'})"), False),
        ((SECOND, "label = scores > 0.5"), False),
        ((PREDICT, "print(accuracy_score(y_test, y_pred))"), False),
        ((PREDICT,), False),
    ],
    ids=["two predictions", "labels of the first", "a threshold", "a score of the first", "one cell"],
)
def test_several_predict_cells(predict, warned):
    cells = [(IMPORTS,), (LOAD,), (CHOOSE,), (TRAIN, "train"), *((source, "predict") for source in predict)]
    found = [item for item in forecast(book(*cells)).diagnostics if item.code == "N18"]
    assert bool(found) == warned
    if warned:
        (item,) = found
        assert "'y_pred' of this cell" in item.message
        assert "'scores' (cell 5)" in item.message
        assert "--prediction scores" in item.hint
        assert item.cell == 6
