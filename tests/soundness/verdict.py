"""A service held against the notebook that it was made of, on rows that were changed."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nb2prod.errors import Refused
from nb2prod.runtime.equality import Measure, Tolerance, difference
from tests.soundness import changes, template
from tests.soundness.changes import Change
from tests.soundness.grammar.program import Program
from tests.soundness.reference import Reference
from tests.soundness.service import Answered, Service, build


@dataclass(frozen=True)
class Said:
    """What the notebook says of a row: a prediction, or `gone` (it leaves the row out) or `raises`."""

    value: Any
    none: str | None = None


@dataclass(frozen=True)
class Wrong:
    """A row on which the service and the notebook differ."""

    change: Change
    row: int
    expected: Said
    actual: Answered

    @property
    def words(self) -> str:
        """Both answers, in a line."""
        expected = self.expected.value if self.expected.none is None else f"nothing ({self.expected.none})"
        actual = self.actual.value if self.actual.why is None else f"nothing ({self.actual.why}: {self.actual.words})"
        return f"row {self.row} with {self.change.words}: the notebook has {expected!r}, the service {actual!r}"


@dataclass
class Verdict:
    """What came of one program.

    `outcome`: `served`, `refused` (with the `codes` of its errors), `crashed` (with `words`), or `invalid`: the notebook fails by itself.
    `asked` counts the rows by what became of them.
    """

    outcome: str
    codes: tuple[str, ...] = ()
    words: str = ""
    wrong: list[Wrong] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def differences(self) -> set[str]:
        """The ways in which rows were answered otherwise than by the notebook."""
        return set(self.asked) & {"wrong", "unanswered", "another prediction"}

    @property
    def failing(self) -> bool:
        """Whether this must not be: the service answers otherwise than the notebook, or nb2prod failed."""
        return self.outcome == "crashed" or bool(self.differences)

    def count(self, what: str) -> None:
        """One row more."""
        self.asked[what] = self.asked.get(what, 0) + 1


def judge(program: Program) -> Verdict:
    """Build the program's service and hold it against the notebook."""
    with tempfile.TemporaryDirectory() as name, _within(Path(name)) as folder:
        _write(program, program.data.single, folder)
        reference = Reference(program, folder)
        try:
            base = reference.run()
        except Exception:  # noqa: BLE001 - whatever a notebook raises
            return Verdict("invalid", words=traceback.format_exc(limit=-2))
        cells = [(tag, template.notebook(text)) for tag, text in program.cells]
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                service = build(cells, folder)
        except Refused as refused:
            errors = [d for d in refused.diagnostics if d.severity == "error"]
            return Verdict(
                "refused", tuple(d.code for d in errors), "\n".join(f"{d.message} [{d.source.strip()}]" for d in errors)
            )
        except Exception:  # noqa: BLE001 - whatever nb2prod fails on is to be seen
            return Verdict("crashed", words=traceback.format_exc(limit=-6))
        return _held(program, service, _Notebook(program, reference, base, folder, frozenset(service.planned.fields)))


def _write(program: Program, single: pd.DataFrame, folder: Path) -> None:
    if program.two_files:
        program.data.train.to_csv(folder / "train.csv", index=False)
        rows = single.iloc[len(program.data.train) :].drop(columns=["price", "label"])
        rows.to_csv(folder / "test.csv", index=False)
    else:
        single.to_csv(folder / "data.csv", index=False)


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


class _Notebook:
    """Runs the notebook on changed rows, many at once where that is the same."""

    def __init__(
        self, program: Program, reference: Reference, base: dict[int, Any], folder: Path, fields: frozenset[str]
    ) -> None:
        self.program, self.reference, self.base, self.folder = program, reference, base, folder
        self.fields = fields
        self.single = program.data.single
        self.shift = len(program.data.train) if program.two_files else 0
        numbers = [value for value in base.values() if isinstance(value, float)]
        self.tolerance = Tolerance(measured={"": Measure(spread=float(np.ptp(numbers)) if numbers else 0.0)})

    def table(self, changed: dict[int, Change]) -> pd.DataFrame:
        """The rows as the service's raw table has them, with these changed."""
        table = changes.read(self.program.data.test if self.shift else self.single)
        return changes.applied(table, changed)

    def say(self, changed: dict[int, Change]) -> dict[int, Said | None]:
        """What it says of changed rows; None where no run tells."""
        said = self._run(changed)
        if said is None and len(changed) > 1:
            rows = list(changed)
            halves = (rows[: len(rows) // 2], rows[len(rows) // 2 :])
            return {row: one for half in halves for row, one in self.say({row: changed[row] for row in half}).items()}
        return dict(said or dict.fromkeys(changed))

    def _run(self, changed: dict[int, Change]) -> dict[int, Said] | None:
        _write(
            self.program, changes.applied(self.single, {row + self.shift: c for row, c in changed.items()}), self.folder
        )
        try:
            found = self.reference.run()
        except Exception:  # noqa: BLE001 - whatever a notebook raises
            return {row: Said(None, "raises") for row in changed} if len(changed) == 1 else None
        untouched = [row for row in self.base if row not in changed]
        if not all(row in found and self.equal(found[row], self.base[row]) for row in untouched):
            return None
        return {row: Said(found[row]) if row in found else Said(None, "gone") for row in changed}

    def ignores(self, case: Wrong) -> bool:
        """Whether a request can't hold the change, and is answered as without it: no feature comes of the column, whose odd values the notebook fails on."""
        changed = {name for name, _ in case.change.given}
        untouched = case.actual.why is None and self.equal(case.actual.value, self.base[case.row])
        return untouched and not changed & self.fields

    def equal(self, a: Any, b: Any) -> bool:
        """By the one rule of the service and the proof."""
        return difference(_json(a), _json(b), self.tolerance) is None


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def _held(program: Program, service: Service, notebook: _Notebook) -> Verdict:
    verdict = Verdict("served")
    given = dict(zip(service.planned.cases["row_ids"], service.planned.cases["expected"], strict=True))
    if set(given) != set(notebook.base) or not all(notebook.equal(given[row], notebook.base[row]) for row in given):
        return Verdict("served", words="another prediction was chosen", asked={"another prediction": 1})
    kept, apart = _parts(program, notebook)
    for part in (*kept, *apart):
        said = notebook.say(part)
        table = notebook.table(part)
        answers = service.ask([service.request(table, row) for row in part])
        for (row, change), answer in zip(part.items(), answers, strict=True):
            _compare(verdict, notebook, Wrong(change, row, said[row] or Said(None, "untold"), answer))
    return verdict


def _parts(program: Program, notebook: _Notebook) -> tuple[list[dict[int, Change]], list[dict[int, Change]]]:
    """The changes, laid on predicted rows: many at once where no column changes its type by them, the others alone."""
    rows = sorted(notebook.base)
    table = changes.read(notebook.single)
    together: list[Change] = []
    apart: list[Change] = []
    for change in changes.drawn(program):
        same = all(changes.fits(table[name], value) for name, value in change.given)
        (together if same and not program.individual else apart).append(change)
    size = max(1, len(rows) * 2 // 3)
    many = [together[at : at + size] for at in range(0, len(together), size)]
    return [dict(zip(rows, part, strict=False)) for part in many], [
        {rows[at % len(rows)]: change} for at, change in enumerate(apart[: 12 if program.individual else 4])
    ]


def _compare(verdict: Verdict, notebook: _Notebook, case: Wrong) -> None:
    expected, actual = case.expected, case.actual
    if expected.none == "untold":
        verdict.count("untold")
    elif actual.why == "refused":
        verdict.count("refused by type")
    elif expected.none is not None and actual.why is not None:
        verdict.count("no answer")
    elif expected.none is None and actual.why is None and notebook.equal(expected.value, actual.value):
        verdict.count("equal")
    elif expected.none == "raises" and notebook.ignores(case):
        verdict.count("not asked for")
    else:
        verdict.count("unanswered" if actual.why is not None else "wrong")
        verdict.wrong.append(case)


def problems(wrong: Sequence[Wrong]) -> str:
    """The first differences, a line each."""
    return "\n".join(case.words for case in wrong[:6])
