"""Classes that people write to prepare a table. For drafts that may bind its name anew."""

from __future__ import annotations

from tests.soundness.grammar.draft import Draft, Step


def prepared(draft: Draft) -> Step:
    """A class that remembers statistics of training, and perhaps looks at something outside of itself."""
    column = draft.one(draft.gaps)
    draft.numeric.append(column)
    made, name, outside = draft.column(), draft.name("Prepared"), draft.name("weight")
    source = "df" if draft.whole else "train"
    before = (
        f"{outside} = {{'flat': 1.0, 'house': 4.0}}\nclass {name}:\n    def fit(self, t):\n"
        f'        self.middle = t["{column}"].median()\n        self.known = set(t["city"])\n        return self\n'
        "    def transform(self, t):\n        t = t.copy()\n"
        f'        t["{column}"] = t["{column}"].fillna(self.middle)\n'
        f'        t["{made}"] = t["kind"].map({outside}).fillna(0) + t["city"].isin(self.known)\n        return t\n'
        f"{name.lower()} = {name}()\n{name.lower()}.fit(⟪{source}⟫)"
    )
    later = draft.one(("", f"{outside} = {{}}", f"{outside}['house'] = 0.0", f"{name.lower()}.middle = -5.0"))
    return Step("class that prepares", f"§t = {name.lower()}.transform(§t)", before, later)


STEPS = (prepared,)
