"""Numbers, dates and texts as features."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step

PLAIN = ("fare", "living", "lot", "rooms")


def scale(draft: Draft) -> Step:
    column, made = draft.one(PLAIN), draft.column()
    if draft.maybe():
        first, low, later = draft.statistic(f'§S["{column}"].min()')
        second, high, also = draft.statistic(f'§S["{column}"].max()')
        body = f'§t["{made}"] = (§t["{column}"] - {low}) / ({high} - {low})'
        return Step("scaled by hand", body, _joined(first, second), _joined(later, also))
    first, mean, later = draft.statistic(f'§S["{column}"].mean()')
    return Step("scaled by hand", f'§t["{made}"] = (§t["{column}"] - {mean}) / ⟪§S["{column}"].std()⟫', first, later)


def clip(draft: Draft) -> Step:
    column, made = draft.one(PLAIN), draft.column()
    low, high = f'⟪§S["{column}"].quantile(0.1)⟫', f'⟪§S["{column}"].quantile(0.9)⟫'
    body = draft.one(
        (
            f'§t["{made}"] = §t["{column}"].clip({low}, {high})',
            f'§t["{made}"] = §t["{column}"].clip(upper={high})',
            f'§t["{made}"] = np.where(§t["{column}"] > {high}, {high}, §t["{column}"])',
            f'§t["{made}"] = np.minimum(§t["{column}"], {high})',
        )
    )
    return Step("clipped", body)


def bins(draft: Draft) -> Step:
    column, made = draft.one(("fare", "living", "lot")), draft.column()
    edges = {"fare": "[0, 10, 20, 40]", "living": "[0, 45, 50, 70]", "lot": "[0, 320, 380, 460]"}[column]
    if draft.whole and draft.maybe():
        call = draft.one((f'pd.cut(§t["{column}"], 4', f'pd.qcut(§t["{column}"], 3'))
        cut = "cut" if call.startswith("pd.cut") else "qcut"
        held = f'REF.binned(§t["{column}"], ⟪{call}, retbins=True)[1]⟫, {cut == "qcut"})'
        return Step("bins of the table", f'§t["{made}"] = ⟪{call}, labels=False)┊{held}⟫')
    body = draft.one(
        (
            f'§t["{made}"] = pd.cut(§t["{column}"], {edges}, labels=False).fillna(-1)',
            f'§t["{made}"] = pd.cut(§t["{column}"], {edges}, labels=[1, 2, 3]).astype(float).fillna(0)',
            f'§t["{made}"] = np.digitize(§t["{column}"], {edges})',
        )
    )
    return Step("bins", body)


def arithmetic(draft: Draft) -> Step:
    made = draft.column()
    body = draft.one(
        (
            f'§t["{made}"] = §t["living"] / §t["rooms"]',
            f'§t["{made}"] = np.log1p(§t["lot"] - §t["living"])',
            f'§t["{made}"] = [a * b for a, b in zip(§t["fare"], §t["klass"])]',
            f'§t["{made}"] = §t[["fare", "living"]].sum(axis=1)',
            f'§t["{made}"] = §t["lot"].values * §t["rooms"].values',
            f'§t["{made}"] = (§t["fare"] ** 2).round(1)',
        )
    )
    return Step("arithmetic", body)


def loop_columns(draft: Draft) -> Step:
    columns = draft.some(PLAIN, 1, 3)
    name = draft.name("col")
    forms = (
        (f'§t[{name} + "_log"] = np.log1p(§t[{name}])', "_log"),
        (f'§t[{name} + "_part"] = §t[{name}] / ⟪§S[{name}].max()⟫', "_part"),
        (f"§t[{name}] = §t[{name}] - ⟪§S[{name}].mean()⟫", ""),
        (f'§t[{name} + "_high"] = (§t[{name}] > ⟪§S[{name}].median()⟫).astype(int)', "_high"),
    )
    body, suffix = draft.one(forms)
    if suffix:
        draft.made += [column + suffix for column in columns]
    return Step("loop over columns", f"for {name} in {columns!r}:\n    {body}")


def dates(draft: Draft) -> Step:
    made, when = draft.column(), 'pd.to_datetime(§t["sold"])'
    body = draft.one(
        (
            f'§t["{made}"] = {when}.dt.month',
            f'§t["{made}"] = (pd.Timestamp("2026-01-01") - {when}).dt.days',
            f'§t["{made}"] = (⟪pd.to_datetime(§S["sold"]).max()⟫ - {when}).dt.days',
            f'§t["{made}"] = §t["sold"].str[:4].astype(int)',
            f'§t["{made}"] = ({when}.dt.dayofweek >= 5).astype(int)',
            f'§t["{made}"] = §t["sold"].apply(lambda s: int(s.split("-")[1]))',
        )
    )
    return Step("parts of a date", body)


def texts(draft: Draft) -> Step:
    made = draft.column()
    body = draft.one(
        (
            f'§t["{made}"] = §t["note"].fillna("").str.len()',
            f'§t["{made}"] = §t["note"].str.contains("big", na=False).astype(int)',
            f'§t["{made}"] = §t["note"].fillna("").apply(lambda s: len(s.split()))',
            f'§t["{made}"] = §t["note"].fillna("none").str.split().str.len()',
            f'§t["{made}"] = §t["note"].str.count("e").fillna(0)',
            f'§t["{made}"] = §t["note"].isna().astype(int)',
            f'§t["{made}"] = pd.to_numeric(§t["code"], errors="coerce").fillna(-1)',
            f'§t["{made}"] = §t["code"].replace("unknown", "0").astype(float)',
        )
    )
    return Step("counts of a text", body)


def lookup(draft: Draft) -> Step:
    """Another table, joined by key; unknown keys get nothing."""
    key, made = draft.one(("city", "kind")), draft.column("area")
    name = draft.name("places")
    keys = {"city": ["Oslo", "Rome", "Bonn"], "kind": ["flat", "house"]}[key]
    table = f'{name} = pd.DataFrame({{"{key}": {keys!r}, "{made}": {[3.5, 1.25, 9.0][: len(keys)]!r}}})'
    if draft.in_place or not draft.movable or draft.maybe():
        return Step("lookup", f'§t["{made}"] = §t["{key}"].map({name}.set_index("{key}")["{made}"]).fillna(0)', table)
    body = (
        f'┊REF.relabel(§t, "§t")\n§t = §t.merge({name}, on="{key}", how="left")\n§t["{made}"] = §t["{made}"].fillna(0)'
    )
    return Step("merge", body, table)


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


STEPS = (scale, clip, bins, arithmetic, loop_columns, dates, texts, lookup)
