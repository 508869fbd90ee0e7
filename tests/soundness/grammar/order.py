"""Which rows there are, in what order, under what names. For drafts in which rows are movable."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step


def drop_missing(draft: Draft) -> Step:
    columns = draft.some(("age", "income", "grade"), 1, 2)
    draft.numeric += [c for c in columns if c in draft.gaps and c not in draft.numeric]
    if draft.whole and draft.maybe():
        columns.append("price")
    body = draft.one(
        (
            f"§t = §t.dropna(subset={columns!r})",
            f'§t = §t[§t["{columns[0]}"].notna()]',
            f'§t = §t.drop(§t[§t["{columns[0]}"].isna()].index)',
        )
    )
    if not body.endswith("])") or "subset" not in body:
        draft.numeric = [c for c in draft.numeric if c not in columns[1:] or c not in draft.gaps]
    return Step("rows without gaps", body)


def drop_rows(draft: Draft) -> Step:
    forms = [
        '§t = §t[§t["fare"] < 34]',
        '§t = §t.query("lot > 301")',
        '§t = §t[(§t["rooms"] > 0) & (§t["flag"] == "N")]',
        '§t = §t[§t["fare"] <= ⟪§S["fare"].quantile(0.95)⟫]',
        '§t = §t.loc[§t["city"] != "Bonn"]',
    ]
    if draft.whole and draft.layout == "whole":
        forms += ['§t = §t[§t["price"] < 750]', '§t = §t[§t["price"].between(100, 800) & (§t["fare"] < 36)]']
    return Step("filter", draft.one(forms))


def renumber(draft: Draft) -> Step:
    return Step("rows numbered anew", '┊REF.relabel(§t, "§t")\n§t = §t.reset_index(drop=True)')


def shuffle(draft: Draft) -> Step:
    if draft.layout != "whole":
        return renumber(draft)
    body = draft.one(("§t = §t.sample(frac=1, random_state=3)", '§t = §t.sort_values("id", ascending=False)'))
    return Step("another order", body)


STEPS = (drop_rows, drop_missing, renumber, shuffle)
