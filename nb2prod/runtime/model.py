"""The notebook's own code as a function of rows: load it, run it, and keep each row's failure to itself.

One row is the definition. Where the proof licensed it (``signature.batching``) rows run together; if that fails, they
run again in smaller parts, so that the answer to a row never depends on its neighbours.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from . import captured, manifest, outputs
from .signature import Signature

_CELL = re.compile(r"\s*# cell (\d+)")
_REMEMBERED = 1_000
_SHRINK = 8
"""By how much a part of a batch that failed together is made smaller."""


class ProjectBroken(Exception):
    """The project folder can't be served; the text names the file."""


@dataclass(frozen=True)
class RowError:
    """Why a row has no prediction: by a rule of the notebook, or because its code failed. Holds no value."""

    row: int
    code: str
    reason: str
    field: str | None = None

    def at(self, row: int) -> RowError:
        """The same error of a row with another number."""
        return RowError(row, self.code, self.reason, self.field)

    def to_json(self) -> dict[str, Any]:
        return {"row": self.row, "field": self.field, "code": self.code, "reason": self.reason}


@dataclass(frozen=True)
class Answer:
    """One value a row, in the rows' order (None where there is an error), and the errors."""

    predictions: list[Any]
    errors: list[RowError] = field(default_factory=list)


Step = Callable[[pd.DataFrame], list[Any]]
Clock = Callable[[str, float], None]
"""Told how long a stage took."""


class Model:
    """The serving path of one project folder."""

    def __init__(self, signature: Signature, features: Any, predict: Any, fallback: Any = None) -> None:
        self.signature = signature
        self.clock: Clock = _unheard
        self.batching = signature.batching
        """Whether rows run together; may be turned off."""
        self._features = features
        self._predict = predict
        self._fallback = fallback
        self._refusal: type[Exception] = _refusal()
        self._failed: dict[bytes, tuple[str, str]] = {}
        """Rows that failed alone lately, by a digest of their values: a row fails alike whenever it comes."""

    @classmethod
    def load(cls, project: Path) -> Model:
        """Verify the artifacts, import ``features.py`` and ``predict.py`` of the folder, load every captured value.

        Raises:
            manifest.ArtifactCorrupt: a captured value is not what was built.
            SignatureProblem: ``signature.json`` can't be used.
            ProjectBroken: the generated code can't be imported.
        """
        project = project.resolve()
        signature = Signature.load(project / "signature.json")
        manifest.verify(project / "artifacts")
        captured.use(project / "artifacts")
        captured._set()  # noqa: SLF001 - as below; the modules' own lines run under these settings too
        features = _imported(project, "features")
        predict = _imported(project, "predict")
        fallback = _imported(project, "fallback").fallback if has_fallback(project) else None
        captured._load_all()  # noqa: SLF001 - a public name would be taken from the notebook's values
        return cls(signature, features.features, predict.predict, fallback)

    def predict(self, frame: pd.DataFrame) -> Answer:
        """Predictions for rows of the raw table."""
        return self._answered(frame, self._predicted, together=self.batching)

    def features(self, frame: pd.DataFrame) -> Answer:
        """What the model is given for rows of the raw table: a list or an object a row."""
        return self._answered(frame, self._featured, together=self.batching)

    def fallback(self, frame: pd.DataFrame) -> Answer:
        """The rule-based answer of the notebook's fallback cell for rows of the raw table."""
        return self._answered(frame, self._ruled, together=self.batching and self.signature.fallback_batching)

    # -- one run of the serving path --

    def _predicted(self, frame: pd.DataFrame) -> list[Any]:
        started = time.perf_counter()
        with captured.request():
            given = self._features(self._raw(frame))
            featured = time.perf_counter()
            made = self._predict(*given) if isinstance(given, tuple) else self._predict(given)
        answers = outputs.per_row(made, len(frame))
        self.clock("features", featured - started)
        self.clock("predict", time.perf_counter() - featured)
        return answers

    def _featured(self, frame: pd.DataFrame) -> list[Any]:
        with captured.request():
            given = self._features(self._raw(frame))
        return outputs.featured(given, len(frame))

    def _ruled(self, frame: pd.DataFrame) -> list[Any]:
        with captured.request():
            made = self._fallback(self._raw(frame))
        return outputs.per_row(made, len(frame))

    def _raw(self, frame: pd.DataFrame) -> Any:
        kind = self.signature.row_kind
        if kind == "array":
            return frame.to_numpy()
        if kind == "series":
            return frame.iloc[:, 0].copy()
        if kind == "records":
            return frame.to_dict("records")
        return frame.copy(deep=False)

    # -- rows and their errors --

    def _answered(self, frame: pd.DataFrame, step: Step, *, together: bool) -> Answer:
        answer = Answer([None] * len(frame))
        if together:
            self._run(frame, range(len(frame)), step, answer)
        else:
            for position in range(len(frame)):
                self._run(frame, range(position, position + 1), step, answer)
        answer.errors.sort(key=lambda error: error.row)
        return answer

    def _run(self, frame: pd.DataFrame, positions: Sequence[int], step: Step, answer: Answer) -> None:
        """Answer the rows at ``positions``: all at once, and where that fails in parts that shrink and grow again.

        Rows that all fail cost hardly more than a run each, one among many a few runs.
        """
        at, size = 0, len(positions)
        digests: dict[int, bytes] = {}
        while at < len(positions):
            part, errors = positions[at : at + size], len(answer.errors)
            done = self._ran(frame, part, step, answer)
            at += len(part) if done else 0
            if done and len(answer.errors) == errors:
                size *= 2
                continue
            if not done:
                size = max(1, size // _SHRINK)
            if self._failed and not digests:
                digests = dict(zip(positions[at:], _digests(step, frame.iloc[list(positions[at:])]), strict=True))
            positions, at = self._unknown(positions[at:], digests, answer), 0

    def _ran(self, frame: pd.DataFrame, positions: Sequence[int], step: Step, answer: Answer) -> bool:
        """Run these rows together; whether each has its value or its error now."""
        part = frame if len(positions) == len(frame) else frame.iloc[list(positions)].reset_index(drop=True)
        try:
            for position, value in zip(positions, step(part), strict=True):
                answer.predictions[position] = value
            return True
        except self._refusal as refused:
            others = self._refused(refused, positions, answer)
            if len(others) < len(positions):
                self._run(frame, others, step, answer)
                return True
            reason, code = str(refused), "row_refused"
        except Exception as error:  # the notebook's code may raise anything; it is told to the caller by its place
            reason, code = _place(error), "row_failed"
        if len(positions) > 1:
            return False
        answer.errors.append(RowError(positions[0], code, reason))
        if code == "row_failed":
            if len(self._failed) >= _REMEMBERED:
                self._failed.clear()
            self._failed[_digests(step, part)[0]] = code, reason
        return True

    def _unknown(self, positions: Sequence[int], digests: dict[int, bytes], answer: Answer) -> Sequence[int]:
        """Note the rows that are known to fail; the others' positions."""
        left = []
        for position in positions:
            found = self._failed.get(digests.get(position, b""))
            if found is None:
                left.append(position)
            else:
                answer.errors.append(RowError(position, *found))
        return left

    def _refused(self, refused: Any, positions: Sequence[int], answer: Answer) -> list[int]:
        """Note the rows that a rule refused; the others' positions."""
        held = {int(position) for position in refused.positions}
        for position in held:
            if 0 <= position < len(positions):
                answer.errors.append(RowError(positions[position], "row_refused", str(refused.message)))
        return [position for at, position in enumerate(positions) if at not in held]


def _digests(step: Step, frame: pd.DataFrame) -> list[bytes]:
    """A digest of each row's values, and of what was to be done with it."""
    texts = (repr((step.__name__, row)) for row in frame.itertuples(index=False, name=None))
    return [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]


def has_fallback(project: Path) -> bool:
    """Whether this project has rule-based answers."""
    return (project / "fallback.py").is_file()


def _unheard(stage: str, seconds: float) -> None:
    """Nobody asks how long a stage took."""


def _refusal() -> type[Exception]:
    """``rules.RowsRefused``; a project that has no rules module of the runtime has no rules either."""
    try:
        module = importlib.import_module(".rules", __package__)
    except ModuleNotFoundError:
        return _NoRefusal
    found: type[Exception] = module.RowsRefused
    return found


class _NoRefusal(Exception):
    """Never raised."""


def _imported(project: Path, name: str) -> Any:
    """The generated module of that name in this folder, imported anew if another folder's was imported before."""
    file = project / f"{name}.py"
    if not file.is_file():
        raise ProjectBroken(f"{file.name} is missing in {project.name}")
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) != str(file):
        del sys.modules[name]
    if str(project) in sys.path:
        sys.path.remove(str(project))
    sys.path.insert(0, str(project))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except Exception as error:  # the generated module runs the notebook's own imports
        raise ProjectBroken(f"{name}.py can't be imported: {type(error).__name__}: {error}") from error


def _place(error: Exception) -> str:
    """The kind of error and the notebook's cell; not its text, which may hold values."""
    kind = type(error).__name__
    if isinstance(error, outputs.NotOnePerRow):
        return str(error)
    for step in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(step.filename)
        if path.name in ("features.py", "predict.py", "fallback.py") and step.lineno is not None:
            cell = _cell_at(path, step.lineno)
            where = f"cell {cell}" if cell else f"{path.name}, line {step.lineno}"
            return f"the notebook's code failed on this row: {kind} in {where}"
    return f"the notebook's code failed on this row: {kind}"


def _cell_at(path: Path, line: int) -> int | None:
    """The notebook's cell that a line of the generated module comes from."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[:line]
    except OSError:
        return None
    for text in reversed(lines):
        mark = _CELL.match(text)
        if mark:
            return int(mark[1])
    return None
