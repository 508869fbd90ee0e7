"""A whole notebook, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.soundness import tables
from tests.soundness.grammar import branches, classes, encodings, fills, matrix, models, numbers, order
from tests.soundness.grammar.draft import Draft, Step

STEPS = (*branches.STEPS, *fills.STEPS, *encodings.STEPS, *numbers.STEPS)
MOVING = (*STEPS, *classes.STEPS, *order.STEPS)
IMPORTS = """import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor"""
ONE_FILE = 'df = pd.read_csv("data.csv")'
TWO_FILES = 'train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")'
RANDOM = (
    "⟪X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)"
    "┊X_train, X_test, y_train, y_test = REF.split(X, y)⟫"
)

# What `train_test_split` chooses of all rows; Hypothesis would rather that nothing is drawn beside it.
RANDOM_TEST = np.random.RandomState(1).permutation(tables.ROWS)[: tables.ROWS // 4]


@dataclass(frozen=True)
class Program:
    """A notebook as a template, and the tables that it reads.

    `kinds` names the constructs in it; `cells` are tag and template of each; `two_files` says whether it reads train and test apart.
    `individual`: what the rows of a table hold changes what becomes of the others, so that each row is to be changed alone.
    """

    kinds: tuple[str, ...]
    cells: tuple[tuple[str | None, str], ...]
    salt: int
    two_files: bool
    predicted: tuple[int, ...]
    individual: bool

    @property
    def data(self) -> tables.Data:
        """The rows of its files."""
        return tables.make(self.salt, np.array(self.predicted))


@st.composite
def programs(draw: Any) -> Program:
    """Any notebook of the grammar."""
    layout = draw(st.sampled_from(("whole", "split", "files", "concat")))
    styles = ("plain", "function") if layout in ("whole", "concat") else ("twice", "function", "loop")
    draft = Draft(draw, layout, draw(st.sampled_from(styles)))
    split = draw(st.sampled_from(("position", "random"))) if layout in ("whole", "split") else "position"
    steps = [draft.one(MOVING if draft.movable else STEPS)(draft) for _ in range(draw(st.integers(1, 5)))]
    draft.kinds += [step.kind for step in steps]
    labelled = draft.maybe()
    logged = not labelled and draft.maybe()
    cells = [
        (None, IMPORTS),
        ("data", TWO_FILES if layout in ("files", "concat") else ONE_FILE),
        *_features(draft, steps, split),
        ("train", ""),
        ("predict", ""),
    ]
    one_table = draft.whole
    made = matrix.of_one_table(draft) if one_table else matrix.of_two_tables(draft)
    cells[-3] = ("feature", f"{cells[-3][1]}\n{made.lines}")
    target = _target(draft, classes=labelled, logged=logged)
    scaling = matrix.scaled(draft, made)
    train = [_split(draft, split, target, made.frame), scaling, models.fitted(draft, made, classes=labelled)]
    lines, name = models.predicted(draft, classes=labelled, logged=logged)
    cells[-2] = ("train", "\n".join(filter(None, train)))
    cells[-1] = ("predict", f"{lines}\n┊REF.answers({name}, {_index(draft)})")
    later = [*(step.later for step in steps), *draft.later]
    after = "\n".join(filter(None, (_resolved(text, draft, "") for text in later)))
    if after:
        draft.kinds.append("bound anew later")
        cells.append((None, after))
    predicted = _predicted(split)
    return Program(
        (f"{layout}, {draft.style}, {split}", *draft.kinds),
        tuple(cells),
        draw(st.integers(0, 30)),
        layout in ("files", "concat"),
        tuple(int(row) for row in predicted),
        draft.individual,
    )


def _predicted(split: str) -> Any:
    return RANDOM_TEST if split == "random" else np.arange(tables.TRAINED, tables.ROWS)


def _source(draft: Draft) -> str:
    """The table that statistics with names are taken of."""
    return "df" if draft.whole else "train"


def _resolved(text: str, draft: Draft, table: str, source: str | None = None) -> str:
    return text.replace("§S", source or _source(draft)).replace("§t", table)


def _features(draft: Draft, steps: list[Step], split: str) -> list[tuple[str | None, str]]:
    """The cells between loading and the model, the last of which is a feature cell."""
    lines: list[str] = []
    if draft.layout == "split":
        parts = (
            "train, test = train_test_split(df, test_size=0.25, random_state=1)\ntrain, test = train.copy(), test.copy()"
            if split == "random"
            else "train, test = df[:48].copy(), df[48:].copy()"
        )
        lines.append(parts)
    if draft.layout == "concat":
        lines.append("df = pd.concat([train, test], ignore_index=True)\n┊REF.joined(train, test)")
    helpers = [_resolved(step.before, draft, "") for step in steps if step.before]
    bodies = [step.body for step in steps]
    if draft.style == "plain":
        for step in steps:
            lines += [_resolved(step.before, draft, "df"), _resolved(step.body, draft, "df")]
    elif draft.style == "twice":
        for step in steps:
            lines.append(_resolved(step.before, draft, ""))
            lines += [_resolved(step.body, draft, table) for table in ("train", "test")]
    elif draft.style == "loop":
        inner = "\n".join(_resolved(body, draft, "t") for body in bodies)
        lines += [*helpers, f"for t in [train, test]:\n{_indented(inner)}"]
    else:
        own = draft.whole or draft.maybe()
        inner = "\n".join(_resolved(body, draft, "t", "t" if own else None) for body in bodies)
        function = f"def prepare(t):\n    t = t.copy()\n{_indented(inner)}\n    return t"
        called = ("df",) if draft.whole else ("train", "test")
        lines += [*helpers, function, *(f"{table} = prepare({table})" for table in called)]
    return [("feature", "\n".join(line for line in lines if line))]


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _target(draft: Draft, *, classes: bool, logged: bool) -> str:
    table = "train" if draft.layout in ("split", "files") else "df"
    column = f'{table}["label"]' if classes else f'{table}["price"]'
    draft.kinds.append("classes" if classes else "logarithm" if logged else "numbers")
    return f"np.log1p({column})" if logged else column


def _split(draft: Draft, split: str, target: str, frame: bool) -> str:
    if not draft.whole:
        return f"y_train = {target}"
    if draft.layout == "concat":
        return f"X_train, X_test = X[:len(train)], X[len(train):]\ny_train = {target}[:len(train)]"
    if split == "random":
        return f"y = {target}\n{RANDOM}"
    return f"y = {target}\nX_train, X_test, y_train, y_test = X[:48], X[48:], y[:48], y[48:]"


def _index(draft: Draft) -> str:
    if draft.layout == "concat":
        return "df.index[len(train):]"
    return "y_test.index" if draft.whole else "test.index"
