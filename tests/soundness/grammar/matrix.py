"""From the tables to what a model is given: columns chosen, dummies, scalers."""

from __future__ import annotations

from dataclasses import dataclass

from tests.soundness.grammar.draft import Draft


@dataclass(frozen=True)
class Matrix:
    """Template lines for `X_train`, `X_test`, or of `X` alone where the rows are split afterwards."""

    lines: str
    frame: bool = True
    first: str = ""
    """What a pipeline is to begin with; then the matrix holds more than numbers."""
    models: tuple[str, str] | None = None
    """A regressor and a classifier, where only these take it."""


def chosen(draft: Draft) -> list[str]:
    """The numeric columns that the model is given: all that were made, and some of the table's own."""
    filled = [c for c in draft.numeric if c in draft.gaps]
    own = draft.some([c for c in draft.numeric if c not in filled] or ["fare"], 1, 2)
    return list(dict.fromkeys([*draft.made, *filled, *own]))


def of_one_table(draft: Draft) -> Matrix:
    """`X` of the whole table."""
    columns = chosen(draft)
    form = draft.one(("columns", "dummies", "values", "drop", "numbers"))
    if form == "columns":
        draft.kinds.append("chosen columns")
        return Matrix(f"X = df[{columns!r}]")
    if form == "values":
        draft.kinds.append("array")
        return Matrix(f"X = df[{columns!r}].values", frame=False)
    if form == "numbers":
        draft.kinds.append("all numeric columns")
        return Matrix(
            'X = df.select_dtypes(["number", "bool"]).drop(columns=["price", "id"], errors="ignore").fillna(-1)'
        )
    text = draft.some(draft.text, 1, 2)
    options = draft.one(("", ", drop_first=True", ", dtype=int"))
    draft.kinds.append(f"dummies of the whole{options}")
    if form == "drop":
        picked = f"df[{columns + text!r}]"
        call = f"pd.get_dummies({picked}, columns={text!r}{options})"
        return Matrix(f"X = ⟪{call}┊REF.columns({call}, ⟪{call}.columns⟫)⟫")
    parts = [
        f'⟪pd.get_dummies(df["{c}"], prefix="{c}"{options})'
        f'┊REF.columns(pd.get_dummies(df["{c}"], prefix="{c}"{options}), ⟪pd.get_dummies(df["{c}"], prefix="{c}"{options}).columns⟫)⟫'
        for c in text
    ]
    return Matrix(f"X = pd.concat([df[{columns!r}], {', '.join(parts)}], axis=1)")


def of_two_tables(draft: Draft) -> Matrix:
    """`X_train` and `X_test` of `train` and `test`."""
    columns = chosen(draft)
    form = draft.one(
        ("columns", "reindex", "align", "loop", "together", "values", "transformer", "categories", "words")
    )
    if form == "columns":
        draft.kinds.append("chosen columns")
        return Matrix(f"features = {columns!r}\nX_train, X_test = train[features], test[features]")
    if form == "values":
        draft.kinds.append("array")
        return Matrix(f"X_train = train[{columns!r}].to_numpy()\nX_test = test[{columns!r}].to_numpy()", frame=False)
    if form == "words":
        return _words(draft)
    text = draft.some(draft.text, 1, 2)
    both = columns + text
    if form == "transformer":
        return _transformer(draft, both, text)
    if form == "categories":
        return _categories(draft, both, text)
    draft.kinds.append(f"dummies apart, {form}" if form != "together" else "dummies together")
    apart = f"X_train = pd.get_dummies(train[{both!r}])\nX_test = pd.get_dummies(test[{both!r}])"
    if form == "reindex":
        return Matrix(f"{apart}\nX_test = X_test.reindex(columns=X_train.columns, fill_value=0)")
    if form == "align":
        return Matrix(f'{apart}\nX_train, X_test = X_train.align(X_test, join="left", axis=1, fill_value=0)')
    if form == "loop":
        name = draft.name("col")
        return Matrix(
            f"{apart}\nfor {name} in X_train.columns:\n    if {name} not in X_test.columns:\n        X_test[{name}] = 0\n"
            "X_test = X_test[X_train.columns]"
        )
    call = f"pd.get_dummies(pd.concat([train[{both!r}], test[{both!r}]]))"
    return Matrix(
        f"both = ⟪{call}┊REF.columns({call}, ⟪{call}.columns⟫)⟫\nX_train, X_test = both[:len(train)], both[len(train):]"
    )


def _transformer(draft: Draft, columns: list[str], text: list[str]) -> Matrix:
    """A table as it is, of which a pipeline makes numbers."""
    unknown = draft.one(('handle_unknown="ignore"', 'handle_unknown="ignore", drop="first"'))
    gaps = [c for c in draft.gaps if c not in columns]
    draft.kinds.append("column transformer")
    parts = [f'("text", OneHotEncoder({unknown}), {text!r})']
    if gaps:
        parts.append(f'("gaps", SimpleImputer(strategy="{draft.one(("median", "mean"))}"), {gaps!r})')
    first = f'ColumnTransformer([{", ".join(parts)}], remainder="passthrough")'
    chosen = f"features = {columns + gaps!r}\nX_train, X_test = train[features], test[features]"
    return Matrix(chosen, first=first)


def _categories(draft: Draft, columns: list[str], text: list[str]) -> Matrix:
    """Categories that each table makes of its own values, for a model that knows its training's."""
    draft.kinds.append("categories apart")
    name = draft.name("col")
    lines = (
        f"X_train, X_test = train[{columns!r}].copy(), test[{columns!r}].copy()\nfor {name} in {text!r}:\n"
        f'    X_train[{name}] = X_train[{name}].astype("category")\n    X_test[{name}] = X_test[{name}].astype("category")'
    )
    options = "(n_estimators=8, min_child_samples=2, verbose=-1, random_state=0)"
    return Matrix(lines, frame=False, models=(f"LGBMRegressor{options}", f"LGBMClassifier{options}"))


def _words(draft: Draft) -> Matrix:
    """The words of a text."""
    kind = draft.one(("CountVectorizer()", "TfidfVectorizer()", "CountVectorizer(binary=True, min_df=2)"))
    draft.kinds.append("words of a text")
    lines = (
        f'words = {kind}\nX_train = words.fit_transform(train["note"].fillna(""))\n'
        'X_test = words.transform(test["note"].fillna(""))'
    )
    return Matrix(lines, frame=False, models=("Ridge(alpha=0.5)", "MultinomialNB()"))


def scaled(draft: Draft, made: Matrix) -> str:
    """Lines that scale `X_train` and `X_test`, or none."""
    if made.first or made.models:
        return ""
    form = draft.one(("none", "train", "frame", "test"))
    if form == "none":
        return ""
    kind = draft.one(("StandardScaler", "MinMaxScaler"))
    draft.kinds.append(f"scaler, {form}")
    fit = f"scaler = {kind}()\nX_train = scaler.fit_transform(X_train)"
    if form == "test":
        return (
            f"{fit}\n⟪X_test = scaler.fit_transform(X_test)"
            "┊scaler = ⟪type(scaler)().fit(X_test)⟫; X_test = scaler.transform(X_test)⟫"
        )
    if form == "frame" and made.frame:
        return (
            f"scaler = {kind}().fit(X_train)\n"
            "X_test = pd.DataFrame(scaler.transform(X_test), columns=X_test.columns, index=X_test.index)\n"
            "X_train = pd.DataFrame(scaler.transform(X_train), columns=X_train.columns, index=X_train.index)"
        )
    return f"{fit}\nX_test = scaler.transform(X_test)"
