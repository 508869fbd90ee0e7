"""Models, and what is made of their answers."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft
from tests.soundness.grammar.matrix import Matrix

REGRESSORS = (
    "LinearRegression()",
    "Ridge(alpha=0.5)",
    "DecisionTreeRegressor(max_depth=5, random_state=0)",
    "KNeighborsRegressor(3)",
)
CLASSIFIERS = (
    "LogisticRegression(max_iter=50)",
    "DecisionTreeClassifier(max_depth=4, random_state=0)",
    "GaussianNB()",
)


def pipelines(draft: Draft, model: str) -> tuple[str, str]:
    """Lines ahead of the model, and the model with a step before it."""
    form = draft.one(("none", "class", "function", "scaler"))
    if form == "none":
        return "", model
    draft.kinds.append(f"pipeline, {form}")
    if form == "scaler":
        return "", f"make_pipeline(StandardScaler(), {model})"
    name, table = draft.name("Shift"), draft.name("factor")
    if form == "function":
        later = draft.one(("", f"{table} = 7.0", f"def {name.lower()}(X):\n    return X"))
        draft.later.append(later)
        before = f"{table} = 2.0\ndef {name.lower()}(X):\n    return np.asarray(X, dtype=float) * {table}"
        return before, f"make_pipeline(FunctionTransformer({name.lower()}), {model})"
    later = draft.one(("", f"{table} = [0.0, 0.0]", f"{table}[0] = 50.0"))
    draft.later.append(later)
    before = (
        f"{table} = [0.5, 300.0]\n"
        f"class {name}(BaseEstimator, TransformerMixin):\n"
        "    def fit(self, X, y=None):\n        self.low_ = np.asarray(X, dtype=float).min(axis=0)\n        return self\n"
        "    def transform(self, X):\n        values = np.asarray(X, dtype=float) - self.low_\n"
        f"        return np.where(values > {table}[1], values * {table}[0], values)"
    )
    return before, f"make_pipeline({name}(), {model})"


def fitted(draft: Draft, given: Matrix, *, classes: bool) -> str:
    """Lines that fit `model`, perhaps beside others."""
    kinds = CLASSIFIERS if classes else REGRESSORS
    if given.models is not None:
        draft.kinds.append("models, one")
        return f"model = {given.models[classes]}\nmodel.fit(X_train, y_train)"
    if given.first:
        draft.kinds.append("models, one")
        model = f"make_pipeline({given.first}, {draft.one(kinds[:2])})"
        return f"model = {model}\nmodel.fit(X_train, y_train)"
    before, model = pipelines(draft, draft.one(kinds))
    form = draft.one(("one", "loop", "dict", "refit"))
    draft.kinds.append(f"models, {form}")
    lines = [before] if before else []
    if form == "one":
        lines.append(f"model = {model}\nmodel.fit(X_train, y_train)")
    elif form == "refit":
        lines.append(f"model = {model}.fit(X_train, y_train)")
        draft.later.append(f"model = {kinds[0]}.fit(X_train[:30], y_train[:30])")
    elif form == "loop":
        lines.append(
            f"models = [{kinds[1]}, {model}]\nfor candidate in models:\n    candidate.fit(X_train, y_train)\n"
            "    print(candidate.score(X_train, y_train))\nmodel = candidate"
        )
    else:
        lines.append(
            f'models = {{"first": {kinds[1]}, "second": {model}}}\nfor name, m in models.items():\n    m.fit(X_train, y_train)\n'
            'best = "second"\nmodel = models[best]'
        )
    return "\n".join(lines)


def predicted(draft: Draft, *, classes: bool, logged: bool) -> tuple[str, str]:
    """Lines of the prediction, and the name of what came of it."""
    if classes:
        return _classified(draft)
    if not draft.whole and draft.maybe():
        return _with_columns(draft, logged=logged)
    first = "y_pred = model.predict(X_test)"
    if logged:
        form = draft.one(("y_pred = np.expm1(model.predict(X_test))", f"{first}\ny_pred = np.expm1(y_pred)"))
        draft.kinds.append("expm1")
        return form, "y_pred"
    limit = draft.name("limit")
    forms = (
        (first, "y_pred", ""),
        (f"{first}\ny_pred = np.clip(y_pred, 0, 700)", "y_pred", ""),
        (f'{first}\nanswer = np.where(y_pred > 500, "dear", "cheap")', "answer", ""),
        (f"{limit} = 480.0\n{first}\nanswer = y_pred > {limit}", "answer", f"{limit} = 0.0"),
        (f"{limit} = np.median(model.predict(X_train))\nanswer = (model.predict(X_test) > {limit}).astype(int)", "answer", ""),
        (f"{first}\ny_pred = y_pred.round(1)", "y_pred", ""),
        (f"def priced(p, rate=1.5):\n    return p * rate if p > 300 else p\n{first}\nanswer = [priced(p) for p in y_pred]", "answer", "def priced(p):\n    return 0.0"),
    )  # fmt: skip
    lines, name, later = draft.one(forms)
    draft.kinds.append(f"answer {forms.index((lines, name, later))}")
    if later and draft.maybe():
        draft.later.append(later)
    return lines, name


def _with_columns(draft: Draft, *, logged: bool) -> tuple[str, str]:
    """Answers to which the rows' own columns belong."""
    first = f"y_pred = {'np.expm1(model.predict(X_test))' if logged else 'model.predict(X_test)'}"
    forms = (
        (f'{first}\ntest["answer"] = y_pred', 'test["answer"]'),
        (f'{first}\nanswer = y_pred * test["rooms"].values', "answer"),
        (f'{first}\nanswer = np.where(test["kind"] == "house", y_pred * 1.2, y_pred)', "answer"),
        (f'{first}\ntest["answer"] = y_pred\ntest.loc[test["flag"] == "Y", "answer"] = 0.0', 'test["answer"]'),
    )
    lines, name = draft.one(forms)
    draft.kinds.append(f"answer with columns {forms.index((lines, name))}")
    return lines, name


def _classified(draft: Draft) -> tuple[str, str]:
    limit = draft.name("limit")
    forms = (
        ("y_pred = model.predict(X_test)", "y_pred", ""),
        ("y_prob = model.predict_proba(X_test)[:, 1]", "y_prob", ""),
        (f"{limit} = 0.3\ny_prob = model.predict_proba(X_test)[:, 1]\nanswer = (y_prob > {limit}).astype(int)", "answer", f"{limit} = 0.9"),
        ('y_prob = model.predict_proba(X_test)\nanswer = np.where(y_prob[:, 0] >= 0.4, "high", "low")', "answer", ""),
        ('y_pred = model.predict(X_test)\nanswer = pd.Series(y_pred).map({"high": 1, "low": 0}).values', "answer", ""),
        ("y_prob = model.predict_proba(X_test)\nanswer = model.classes_[y_prob.argmax(axis=1)]", "answer", ""),
    )  # fmt: skip
    lines, name, later = draft.one(forms)
    draft.kinds.append(f"class {forms.index((lines, name, later))}")
    if later and draft.maybe():
        draft.later.append(later)
    return lines, name
