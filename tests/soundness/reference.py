"""The notebook run plainly, again and again, on tables of which predicted rows were changed: what it says of them itself.

No part of nb2prod has a hand in it. What the first run took from many rows is held in later ones, as marked in the template.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.soundness import template
from tests.soundness.grammar.program import Program
from tests.soundness.service import as_main


class Held:
    """What reference code asks for under the name `REF`. The first run records, `again` begins one that gives the same."""

    def __init__(self) -> None:
        self._values: dict[int, list[Any]] = {}
        self._asked: dict[int, int] = {}
        self._first = True
        self._split: tuple[list[int], list[int]] | None = None
        self._rows: list[int] | None = None
        self.found: dict[int, Any] = {}

    def again(self) -> None:
        """Begin the notebook once more."""
        self._first, self._asked, self._rows, self.found = False, {}, None, {}

    def held(self, site: int, value: Callable[[], Any]) -> Any:
        """What the expression at this site gave in the first run, the n-th time that it is asked."""
        turn = self._asked.get(site, 0)
        self._asked[site] = turn + 1
        known = self._values.setdefault(site, [])
        if self._first:
            known.append(copy.deepcopy(value()))
        # An expression in a function that is called for some rows alone may be asked more often now.
        return copy.deepcopy(known[min(turn, len(known) - 1)]) if known else value()

    def relabel(self, frame: pd.DataFrame, name: str) -> None:
        """The rows of this table are about to be numbered from 0."""
        if name != "train":
            self._rows = [self._row(label) for label in frame.index]

    def joined(self, train: pd.DataFrame, test: pd.DataFrame) -> None:
        """The rows of `test`, which are the ones that count, stand behind those of `train` now."""
        self._rows = [-1] * len(train) + list(range(len(test)))

    def split(self, features: Any, target: pd.Series[Any]) -> tuple[Any, Any, Any, Any]:
        """`train_test_split(X, y, test_size=0.25, random_state=1)`, whose rows stay on the side on which they were."""
        from sklearn.model_selection import train_test_split

        rows = [self._row(label) for label in target.index]
        if self._split is None:
            sides = train_test_split(np.arange(len(rows)), test_size=0.25, random_state=1)
            self._split = [rows[at] for at in sides[0]], [rows[at] for at in sides[1]]
        place = {row: at for at, row in enumerate(rows)}
        first, second = ([place[row] for row in side if row in place] for side in self._split)
        take = features.iloc if isinstance(features, pd.DataFrame) else features
        return take[first], take[second], target.iloc[first], target.iloc[second]

    def columns(self, dummies: pd.DataFrame, known: Any) -> pd.DataFrame:
        """Dummies with the columns that there were."""
        made = dummies.reindex(columns=known)
        absent = [name for name in known if name not in dummies.columns]
        return made.fillna(dict.fromkeys(absent, False)).astype(dict.fromkeys(absent, bool))

    def codes(self, values: pd.Series[Any], known: Sequence[Any]) -> Any:
        """Positions among the values that there were; -1 for others."""
        return np.asarray(pd.Index(known).get_indexer(pd.Index(values)))

    def binned(self, values: pd.Series[Any], edges: npt.NDArray[Any], lowest: bool) -> Any:
        """Numbers of the bins that there were."""
        return pd.cut(values, edges, labels=False, include_lowest=lowest)

    def answers(self, values: Any, index: pd.Index[Any]) -> None:
        """The prediction, and the labels of its rows."""
        rows = [self._row(label) for label in index]
        self.found = dict(zip(rows, np.asarray(values).tolist(), strict=True))

    def _row(self, label: Any) -> int:
        return int(label if self._rows is None else self._rows[int(label)])


class Reference:
    """The reference program of one notebook, run in `folder`, where it reads its files."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.folder = folder
        sites = template.Sites()
        self._cells = [_compiled(template.reference(text, sites)) for _, text in program.cells]
        self._held = Held()
        self._ran = False

    def run(self) -> dict[int, Any]:
        """Prediction by row of the raw table. Raises whatever the notebook raises."""
        if self._ran:
            self._held.again()
        self._ran = True
        with as_main() as main, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            vars(main)["REF"] = self._held
            for cell in self._cells:
                exec(cell, vars(main))
        return self._held.found


def _compiled(source: str) -> CodeType:
    return compile(ast.parse(source), "<reference>", "exec")
