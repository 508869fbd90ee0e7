"""Plain values that are the answer for one row: ``model.predict(home)[0]``, and what is made of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .lineage import Lineage

if TYPE_CHECKING:
    from .frames import Step
    from .recorder import Recorder
    from .sites import Site, Statement

PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class Answer:
    """One such value: the row that it answers, whether a model was asked, and whether it is another value than the model gave."""

    value: Any
    lineage: Lineage
    predicted: bool
    altered: bool


class Answers:
    """Knows the answers by their identity; kept alive, so that it is never another's."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._known: dict[int, Answer] = {}

    def of(self, value: Any) -> Answer | None:
        """The answer that a value is, if it is one."""
        known = self._known.get(id(value))
        return known if known is not None and known.value is value else None

    def made(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> None:
        """A plain value made of one row, of a prediction for one, or of such an answer: it answers that row."""
        if not scalar(result) or not self.recorder.in_predict_cell():
            return
        for value in values.values():
            known = self.of(value) or self._of_row(value)
            if known is None:
                continue
            answer = Answer(result, known.lineage, known.predicted, known.altered or alters(value, result))
            if followed(result):
                self._known[id(result)] = answer
            step.touched = step.carries = True
            step.events.append({"kind": "derived", "node": site.node, "token": None, **self._told(answer)})
            return

    def bound(self, step: Step, statement: Statement, space: dict[str, Any], value: Any) -> None:
        """A statement of a predict cell binds or shows the answer for one row, or a plain value that it made of it."""
        made = [e for e in step.events if e["kind"] == "derived" and e["token"] is None]
        for name in statement.binds if len(statement.binds) == 1 else ():
            answer = self.of(space.get(name))
            if answer is not None:
                told = self._told(answer)
            elif made and scalar(space.get(name)):
                told = {**made[-1], "output": self.recorder.snapshots.take(space[name]), "altered": True}
            else:
                continue
            step.events.append({**told, "kind": "bound", "node": statement.node, "name": name, "token": None})
        answer = self.of(value)
        if answer is not None and made:
            step.events.append({"kind": "shown", "node": statement.node, "token": None, **self._told(answer)})

    def _of_row(self, value: Any) -> Answer | None:
        recorder = self.recorder
        lineage = recorder.lineage_of(value)
        token = recorder.rows.token(value) if lineage is not None else None
        if lineage is None or lineage.n != 1 or not (lineage.single or token in recorder.predictions.tokens):
            return None
        return Answer(value, lineage, token in recorder.predictions.tokens, token in recorder.predictions.altered)

    def _told(self, answer: Answer) -> dict[str, Any]:
        self.recorder.lineages[answer.lineage.serial] = answer.lineage
        return {
            "output": self.recorder.snapshots.take(answer.value),
            "lineage": answer.lineage.serial,
            "predicted": answer.predicted,
            "altered": answer.altered,
        }


def scalar(value: Any) -> bool:
    """Whether a value is a single number, text, yes or no."""
    np = sys.modules.get("numpy")
    return isinstance(value, PLAIN) or (np is not None and isinstance(value, np.generic))


def followed(value: Any) -> bool:
    """Whether a single value is an object of its own."""
    np = sys.modules.get("numpy")
    generic = np is not None and isinstance(value, np.generic) and not isinstance(value, np.bool_)
    return generic or type(value) is float


def alters(before: Any, after: Any) -> bool:
    """Whether an operation gave another value than it was given; one that is rounded to be shown is the same."""
    np = sys.modules["numpy"]
    try:
        a, b = np.asarray(before).ravel(), np.asarray(after).ravel()
        if len(a) != len(b) or (a.dtype.kind == "b") != (b.dtype.kind == "b"):
            return True
        if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
            return not bool((a == b).all())
        tried = (a, *(np.round(a, digits) for digits in range(8)))
        return not any(np.array_equal(one, b, equal_nan=True) for one in tried)
    except Exception:  # values that can't be compared are not the same
        return True
