"""Features whose value depends on which branch a row takes; hardly a row takes some of them."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step

TESTS = (
    ("kind", '§t["kind"] == "flat"'),
    ("kind", '§t["kind"] != "house"'),
    ("make", '§t["make"] != "Bugatti"'),
    ("city", '§t["city"].isin(["Oslo", "Rome"])'),
    ("flag", '§t["flag"] == "N"'),
    ("age", '§t["age"].notna()'),
    ("code", '§t["code"] != "unknown"'),
)
"""True of all rows that are predicted."""


def where(draft: Draft) -> Step:
    made = draft.column()
    _, test = draft.one(TESTS)
    usual, rare = draft.one((("living", "lot"), ("fare", "rooms"), ("klass", "lot")))
    body = draft.one(
        (
            f'§t["{made}"] = np.where({test}, §t["{usual}"], §t["{rare}"])',
            f'§t["{made}"] = §t["{usual}"].where({test}, §t["{rare}"])',
            f'§t["{made}"] = §t["{usual}"].mask(~({test}), §t["{rare}"])',
            f'§t["{made}"] = np.select([{test}], [§t["{usual}"]], default=§t["{rare}"])',
            f'§t["{made}"] = §t["{usual}"]\n§t.loc[~({test}), "{made}"] = §t["{rare}"]',
            f'§t["{made}"] = ({test}).astype(int)',
            f'§t["{made}"] = (~({test}) & (§t["{rare}"] > ⟪§S["{rare}"].median()⟫)).astype(int)',
        )
    )
    return Step("branch on a category", body)


def extremes(draft: Draft) -> Step:
    """The larger of two columns, of which one is always larger: the other matters only together with it."""
    made = draft.column()
    body = draft.one(
        (
            f'§t["{made}"] = np.maximum(§t["living"], §t["lot"])',
            f'§t["{made}"] = §t[["living", "lot"]].min(axis=1)',
            f'§t["{made}"] = §t[["fare", "lot", "living"]].max(axis=1)',
            f'§t["{made}"] = ((§t["fare"] > 100) | (§t["lot"] < 100)).astype(int)',
        )
    )
    return Step("the larger of two", body)


def by_row(draft: Draft) -> Step:
    """A function of the row, with branches of its own; perhaps defined again later."""
    made, helper = draft.column(), draft.name("area")
    bodies = (
        f'def {helper}(r):\n    if r["kind"] == "house":\n        return r["lot"]\n    return r["living"]',
        f'def {helper}(r):\n    if r["make"] == "Bugatti" and r["klass"] > 1:\n        return r["lot"] * 2\n    return r["fare"]',
        f'def {helper}(r):\n    try:\n        return float(r["code"])\n    except ValueError:\n        return r["lot"] / 10',
        f'def {helper}(r):\n    size = {{"flat": "living", "house": "lot"}}[r["kind"]]\n    return r[size] + r["rooms"]',
        f'def {helper}(r):\n    if r["flag"] == "Y":\n        return r["lot"] if r["klass"] == 1 else r["living"]\n    return 0.0',
    )
    if draft.maybe():
        value = draft.one(
            (
                'r["lot"] if r["kind"] == "house" else r["living"]',
                'r["rooms"] if r["city"] == "Bonn" or r["flag"] == "Y" else r["fare"]',
                'r["age"] if r["age"] == r["age"] else r["klass"] * 9.0',
            )
        )
        return Step("lambda of the row", f'§t["{made}"] = §t.apply(lambda r: {value}, axis=1)')
    later = draft.one(("", f"def {helper}(r):\n    return -1.0"))
    apply = draft.one(
        (f'§t["{made}"] = §t.apply({helper}, axis=1)', f'§t["{made}"] = [{helper}(r) for _, r in §t.iterrows()]')
    )
    return Step("function of the row", apply, draft.one(bodies), later)


def by_value(draft: Draft) -> Step:
    """A function of one value, which reads a global and perhaps calls another."""
    made, limit, helper = draft.column(), draft.name("limit"), draft.name("level")
    inner = draft.name("scaled")
    forms = (
        (
            f"{limit} = 20\ndef {helper}(v):\n    return 1 if v > {limit} else 0",
            f'§t["{made}"] = §t["fare"].apply({helper})',
            ("", f"{limit} = 5"),
        ),
        (
            f"{limit} = 2.0\ndef {inner}(v):\n    return v * {limit}\ndef {helper}(v):\n    return {inner}(v) if v > 330 else v",
            f'§t["{made}"] = §t["lot"].map({helper})',
            ("", f"def {inner}(v):\n    return 0.0", f"{limit} = 0.5"),
        ),
        (
            f'def {inner}(m):\n    return lambda v: v / m\n{helper} = {inner}(⟪§S["lot"].max()⟫)',
            f'§t["{made}"] = §t["lot"].apply({helper})',
            ("", f"{helper} = {inner}(3.0)"),
        ),
        (
            f'{limit} = {{"Oslo": 1.0, "Rome": 2.0, "Bonn": 3.0}}',
            f'§t["{made}"] = §t["city"].apply(lambda v: {limit}[v] if v in {limit} else 0.0)',
            ("", f'{limit}["Rome"] = 9.0', f"{limit} = {{}}"),
        ),
        (
            f'def {helper}(v, top=⟪§S["fare"].quantile(0.9)⟫):\n    return min(v, top)',
            f'§t["{made}"] = §t["fare"].apply({helper})',
            ("", f"def {helper}(v, top=1.0):\n    return min(v, top)"),
        ),
    )
    before, body, later = draft.one(forms)
    return Step("function of a value", body, before, draft.one(later))


def chained(draft: Draft) -> Step:
    """A table made of another, column by column."""
    if not draft.movable:
        return where(draft)
    made = draft.column()
    body = draft.one(
        (
            f'§t = §t.assign({made}=lambda d: np.where(d["kind"] == "flat", d["living"], d["lot"]))',
            f'§t = §t.assign({made}=lambda d: d["fare"].where(d["make"] != "Bugatti", d["rooms"]))',
            f'§t = §t.pipe(lambda d: d.assign({made}=d["living"] * d["rooms"]))',
        )
    )
    return Step("assigned", body)


STEPS = (where, extremes, by_row, by_value, chained)
