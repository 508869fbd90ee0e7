"""The rule-based answer: what the notebook's cells tagged `fallback` give for a row, as a module of its own.

It is planned, tried and proved as the prediction is: walked back to the same raw table, replayed on the rows that the notebook predicted,
and its fields become fields of a request. Filters on its way are the identity: the rules answer where the model does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Refused
from nb2prod.path import prediction as predictions
from nb2prod.path.blame import mismatch_diagnostics
from nb2prod.path.composition import TRAINING_ONLY, Classes, Composition
from nb2prod.path.prediction import Prediction
from nb2prod.recording.trace import Table

if TYPE_CHECKING:
    from nb2prod.path.plan import Planner

TAG = "fallback"


@dataclass(frozen=True)
class Fallback:
    """The rules as they are served. `source` is `fallback.py`; `expected` what the notebook answered, by row of the raw table."""

    name: str
    source: str
    composition: Composition
    fields: tuple[str, ...]
    batching: bool
    expected: dict[int, Any]

    def to_json(self) -> dict[str, Any]:
        """As the signature has it."""
        return {"name": self.name, "batching": self.batching}


def plan(planner: Planner, table: Table, predicted: npt.NDArray[np.int64]) -> Fallback | None:
    """Plan and try the rules of the fallback cells; None where there are none. Raises `Refused` where they can't be served."""
    cells = [cell for cell in planner.recording.notebook.code_cells if TAG in cell.tags]
    if not cells:
        return None
    chosen = _chosen(planner, table, predicted)
    if chosen is None:
        cell = cells[-1]
        raise Refused(
            [
                Diagnostic(
                    "N15",
                    "error",
                    "The fallback cell gives no value for each of the rows that the notebook predicts.",
                    'Compute one for each row of the same table, for example: by_rule = (df["dep_delay"] > 15).astype(int)',
                    cell.number,
                    1,
                    cell.text_of(1),
                )
            ]
        )
    prediction, rows = chosen
    walk, composition = planner.compose(prediction, table, rows, Classes({}, {}, TRAINING_ONLY))
    planner.staging.stage(composition)
    planner.staging.draft(table)
    only = planner.recording.folder / "only.npy"
    np.save(only, predicted)
    job = planner.trials.job(prediction, table, rows)
    answer = planner.trials.run({**job, "only": str(only), "fit": None, "fields": []})
    if answer["mismatches"] or answer["unsteady"]:
        raise Refused(mismatch_diagnostics(planner.recording, walk, answer))
    return Fallback(
        prediction.name or "fallback",
        _module(composition, planner.recording.notebook.name),
        composition,
        tuple(map(str, answer["fields"])),
        bool(answer.get("batching")),
        # Without them a column can't be carried by a request, which the plan of the prediction tells.
        dict(zip(answer.get("row_ids", ()), answer.get("expected", ()), strict=True)),
    )


def _chosen(
    planner: Planner, table: Table, predicted: npt.NDArray[np.int64]
) -> tuple[Prediction, npt.NDArray[np.int64]] | None:
    """The last value of a fallback cell that has an entry for every predicted row."""
    found = None
    for prediction in predictions.bound_in(planner.recording, TAG):
        rows = planner.recording.rows_of(prediction.lineage, table.number)
        whole = rows is not None and bool((rows >= 0).all()) and len(np.unique(rows)) == len(rows)
        if rows is not None and whole and np.isin(predicted, rows).all():
            found = prediction, rows
    return found


def _module(composition: Composition, notebook: str) -> str:
    """One module of the two that were composed: what they need, the notebook's own definitions, and `fallback`."""
    features = _without_docstring(composition.features)
    predict = _without_docstring(composition.predict)
    lines = features.splitlines()
    head = [line for line in lines if line.startswith(("import ", "from "))]
    body = "\n".join(line for line in lines if line not in head).strip("\n")
    more = predict.splitlines()
    taken = [line for line in more if line.startswith(("import ", "from "))]
    head += [line for line in taken if line not in head and not line.startswith("from features import ")]
    aliases = re.findall(
        r"(\w+) as (notebook_\w+)", "\n".join(t for t in taken if t.startswith("from features import "))
    )
    answer = "\n".join(line for line in more if line not in taken).strip("\n")
    body = re.sub(r"^def features\(", "def _rows(", body, flags=re.MULTILINE)
    answer = re.sub(r"^def predict\(", "def _answer(", answer, flags=re.MULTILINE)
    body = re.sub(
        r'"""Rows of `(.*)` -> what the model is given\."""', r'"""Rows of `\1` -> what the rules look at."""', body
    )
    answer = answer.replace(
        '"""What `features` returns -> the prediction, one for each row."""',
        '"""What the rules look at -> their answers."""',
    )
    named = "".join(f"{alias} = {name}\n" for name, alias in aliases) + "\n\n" * bool(aliases)
    docstring = f'"""Fallback of {notebook}: rows of the raw table -> the rule-based answer, where the model can\'t give one."""'
    return (
        f"{docstring}\n\n" + "\n".join(_merged(head)) + f"\n\n\n{body}\n\n\n{named}{answer}\n\n\n"
        "def fallback(rows):\n"
        '    """Rows of the raw table -> the answer by rule, one for each."""\n'
        "    given = _rows(rows)\n"
        "    return _answer(*given) if isinstance(given, tuple) else _answer(given)\n"
    )


def _without_docstring(text: str) -> str:
    return text.split("\n", 1)[1] if text.startswith('"""') else text


def _merged(head: list[str]) -> list[str]:
    """One import line of the runtime."""
    ours = "from nb2prod_runtime import "
    names = sorted({name for line in head if line.startswith(ours) for name in line.removeprefix(ours).split(", ")})
    rest = [line for line in head if not line.startswith(ours)]
    return [*rest, *([""] if rest and names else []), *([ours + ", ".join(names)] if names else [])]
