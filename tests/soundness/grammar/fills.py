"""What people do about missing values."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step

REDUCTIONS = ("median()", "mean()", "mode()[0]", "quantile(0.25)")


def fill_statistic(draft: Draft) -> Step:
    column = draft.one(draft.gaps)
    draft.numeric.append(column)
    before, value, later = draft.statistic(f'§S["{column}"].{draft.one(REDUCTIONS)}')
    body = draft.one(
        (
            f'§t["{column}"] = §t["{column}"].fillna({value})',
            f'§t.loc[§t["{column}"].isna(), "{column}"] = {value}',
            f'§t["{column}"] = np.where(§t["{column}"].isnull(), {value}, §t["{column}"])',
            f'§t["{column}"] = §t["{column}"].apply(lambda v: {value} if pd.isna(v) else v)',
        )
    )
    return Step("fill with a statistic", body, before, later)


def fill_group(draft: Draft) -> Step:
    column, key = draft.one(draft.gaps), draft.one(("klass", "kind", "city"))
    draft.numeric.append(column)
    means = f'⟪§S.groupby("{key}")["{column}"].mean()⟫'
    values = f'§t["{key}"].map({means})'
    if draft.whole and draft.maybe():
        values = f'⟪§t.groupby("{key}")["{column}"].transform("mean")┊{values}⟫'
    return Step("fill by group", f'§t["{column}"] = §t["{column}"].fillna({values}).fillna(-1)')


def fill_by_rule(draft: Draft) -> Step:
    """A missing value is made of other columns, which matter only then."""
    column = draft.one(draft.gaps)
    draft.numeric.append(column)
    body = draft.one(
        (
            f'§t["{column}"] = §t["{column}"].fillna(§t["klass"] * 10)',
            f'§t["{column}"] = §t["{column}"].combine_first(§t["lot"])',
            f'§t["{column}"] = np.where(§t["{column}"].isna(), §t["rooms"] * 7.0, §t["{column}"])',
            f'§t["{column}"] = §t["{column}"].fillna(§t["kind"].map({{"house": 55.0, "flat": 33.0}})).fillna(0)',
        )
    )
    return Step("fill from other columns", body)


def fill_by_table(draft: Draft) -> Step:
    """A list, a dict or a default argument that a function of the row looks into, bound to something else later."""
    column = draft.one(draft.gaps)
    draft.numeric.append(column)
    name, helper = draft.name("table"), draft.name("impute")
    form = draft.one(("list", "dict", "default"))
    value = {"list": "[38.0, 30.0, 25.0]", "dict": "{1: 38.0, 2: 30.0, 3: 25.0}", "default": "[41.0, 33.0, 21.0]"}[form]
    look = f'{name}[int(r["klass"])]' if form == "dict" else f'{name}[int(r["klass"]) - 1]'
    signature = f"r, {name}={value}" if form == "default" else "r"
    head = "" if form == "default" else f"{name} = {value}\n"
    before = (
        f"{head}def {helper}({signature}):\n"
        f'    if pd.isnull(r["{column}"]):\n        return {look}\n    return r["{column}"]'
    )
    changes = {
        "list": (f"{name} = [1.0, 2.0, 3.0]", f"{name}[0] = 99.0", f"{name}.reverse()", ""),
        "dict": (f"{name} = {{1: 0.0, 2: 0.0, 3: 0.0}}", f"{name}[1] = 99.0", f"{name}.update({{2: 1.0}})", ""),
        "default": (f"def {helper}(r):\n    return 0.0", f"{helper}.__defaults__[0][0] = 99.0", ""),
    }
    body = f'§t["{column}"] = §t[["{column}", "klass"]].apply({helper}, axis=1)'
    return Step("fill by a function of the row", body, before, draft.one(changes[form][::-1]))


def fill_if_missing(draft: Draft) -> Step:
    column = draft.one(draft.gaps)
    draft.numeric.append(column)
    if draft.style == "plain" and draft.maybe():
        return Step(
            "branch on missing values",
            f'if ⟪§t["{column}"].isna().any()⟫:\n    §t["{column}"] = §t["{column}"].fillna(⟪§S["{column}"].mean()⟫)',
        )
    made = draft.column("gone")
    return Step(
        "missing as a feature",
        f'§t["{made}"] = §t["{column}"].isna().astype(int)\n§t["{column}"] = §t["{column}"].fillna(0)',
    )


STEPS = (fill_statistic, fill_by_rule, fill_by_table, fill_if_missing, fill_group)
