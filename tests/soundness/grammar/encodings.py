"""Categories as numbers."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step


def map_literal(draft: Draft) -> Step:
    made, table = draft.column(), draft.name("codes")
    column, literal = draft.one(
        (
            ("kind", '{"flat": 0, "house": 1}'),
            ("city", '{"Oslo": 3, "Rome": 1, "Bonn": 7}'),
            ("grade", '{"a": 3.0, "b": 2.0, "c": 1.0}'),
            ("flag", '{"N": 0, "Y": 5}'),
        )
    )
    end = ".fillna(-1)"
    if draft.maybe():
        return Step("map by a literal", f'§t["{made}"] = §t["{column}"].map({literal}){end}')
    change = draft.one(("", f"{table} = {{}}", f'{table}["{literal[2:].split(chr(34))[0]}"] = 99'))
    return Step("map by a dict", f'§t["{made}"] = §t["{column}"].map({table}){end}', f"{table} = {literal}", change)


def map_counts(draft: Draft) -> Step:
    made, column = draft.column(), draft.one(("make", "city", "grade"))
    before, counts, later = draft.statistic(f'§S["{column}"].value_counts()')
    return Step("map by counts", f'§t["{made}"] = §t["{column}"].map({counts}).fillna(0)', before, later)


def map_target(draft: Draft) -> Step:
    """The mean of the target for each category, of training's rows."""
    if draft.whole:
        return map_counts(draft)
    made, column = draft.column(), draft.one(("make", "city", "klass"))
    if draft.maybe():
        table, name = draft.name("means"), draft.name("value")
        lines = (
            f'{table} = {{}}\nfor {name} in train["{column}"].unique():\n'
            f'    {table}[{name}] = train[train["{column}"] == {name}]["price"].mean()'
        )
        change = draft.one(("", f"{table} = {{}}", f"{table}.clear()"))
        return Step("map by a dict of training", f'§t["{made}"] = §t["{column}"].map({table}).fillna(0)', lines, change)
    before, means, later = draft.statistic(f'train.groupby("{column}")["price"].mean()')
    return Step("map by the target's mean", f'§t["{made}"] = §t["{column}"].map({means}).fillna(0)', before, later)


def rare_together(draft: Draft) -> Step:
    column, made = draft.one(("make", "city")), draft.name("group")
    draft.text.append(made)
    before, top, later = draft.statistic(f'§S["{column}"].value_counts().nlargest(2).index.tolist()')
    body = draft.one(
        (
            f'§t["{made}"] = np.where(§t["{column}"].isin({top}), §t["{column}"], "other")',
            f'§t["{made}"] = §t["{column}"].where(§t["{column}"].isin({top}), "other")',
            f'§t["{made}"] = §t["{column}"].apply(lambda v: v if v in {top} else "other")',
        )
    )
    return Step("rare categories together", body, before, later)


def codes(draft: Draft) -> Step:
    """Codes of the categories that the table happens to hold."""
    made, column = draft.column(), draft.one(("kind", "make", "city", "grade"))
    own = "§t"
    forms = (
        f'⟪§t["{column}"].astype("category").cat.codes┊REF.codes({own}["{column}"], ⟪sorted({own}["{column}"].dropna().unique())⟫)⟫',
        f'⟪pd.factorize(§t["{column}"])[0]┊REF.codes({own}["{column}"], ⟪list({own}["{column}"].dropna().unique())⟫)⟫',
        f'⟪pd.Categorical(§t["{column}"]).codes┊REF.codes({own}["{column}"], ⟪sorted({own}["{column}"].dropna().unique())⟫)⟫',
    )
    draft.individual = draft.individual or not draft.whole
    return Step("codes of the categories", f'§t["{made}"] = {draft.one(forms)}')


def label_encoder(draft: Draft) -> Step:
    made, column, name = draft.column(), draft.one(("kind", "make", "city")), draft.name("encoder")
    if draft.whole and draft.style == "plain":
        before = f"{name} = LabelEncoder()"
        body = (
            f'⟪§t["{made}"] = {name}.fit_transform(§t["{column}"])'
            f'┊{name} = ⟪LabelEncoder().fit(§t["{column}"])⟫; §t["{made}"] = {name}.transform(§t["{column}"])⟫'
        )
        later = draft.one(("", f'{name}.fit(["x", "y"])', f'{name} = LabelEncoder().fit(df["grade"].astype(str))'))
        return Step("label encoder", body, before, later)
    source = "df" if draft.whole else "train"
    before = f'{name} = ⟪LabelEncoder().fit({source}["{column}"])⟫'
    return Step("label encoder", f'§t["{made}"] = {name}.transform(§t["{column}"])', before, "")


def one_by_one(draft: Draft) -> Step:
    """A column for each category, in a loop."""
    column = draft.one(("kind", "city", "make"))
    values = {"kind": ("flat", "house"), "city": ("Bonn", "Oslo", "Rome"), "make": ("Audi", "Bugatti", "Fiat")}[column]
    if draft.maybe():
        name = draft.name("value")
        draft.made += [f"is_{v}" for v in values]
        return Step(
            "a column for each category",
            f'for {name} in {list(values)!r}:\n    §t["is_" + {name}] = (§t["{column}"] == {name}).astype(int)',
        )
    draft.made += [f"is_{v}" for v in values]
    return Step(
        "a column for each category",
        "\n".join(f'§t["is_{v}"] = (§t["{column}"] == "{v}").astype(int)' for v in values),
    )


STEPS = (map_literal, map_counts, map_target, rare_together, codes, label_encoder, one_by_one)
