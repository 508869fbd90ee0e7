"""Tries the generated modules on the recorded rows, in a clean process of the kernel's own Python.

Run as a script with the project folder on the path; jobs come on its standard input. What depends on the run and decides behaviour is settled
here, by experiment: does the path replay, is each row's answer its own, which columns matter, which filters belong to training, which
fields take null. Imports nothing of nb2prod but the runtime, under the name that it has in a Bento.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# The rehearsal here is the smaller one: the proof over HTTP replays up to REPLAYED rows.
REPLAYED, REHEARSED, SINGLES, PERTURBED, FILTERED, MADE = 5000, 500, 60, 100, 300, 12


@dataclass
class Run:
    """Answers for some rows: features and predictions as plain values, and for rows without one the reason (`None` elsewhere)."""

    features: list[Any]
    predictions: list[Any]
    reasons: list[str | None]
    codes: list[str | None]


@dataclass
class Trial:
    """One project under trial."""

    job: dict[str, Any]
    raw: pd.DataFrame
    predicted: npt.NDArray[np.int64]
    expected: list[Any]
    given: list[Any] | None
    model: Any
    answer: dict[str, Any] = field(default_factory=dict)

    def frame(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> pd.DataFrame:
        """Raw rows as the service gets them: their columns and types, numbered from 0."""
        return self.raw.iloc[list(rows)].reset_index(drop=True)

    def run(self, frame: pd.DataFrame, batching: bool = True, features: bool = True) -> Run:
        """Answer the rows of `frame`; features and prediction come from one pass where no row fails."""
        n = len(frame)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if batching:
                whole = self._pass(frame)
                if whole is not None:
                    return Run(whole[0], whole[1], [None] * n, [None] * n)
            else:
                singles = [self._pass(frame.iloc[i : i + 1].reset_index(drop=True)) for i in range(n)]
                if all(s is not None for s in singles):
                    return Run([s[0][0] for s in singles if s], [s[1][0] for s in singles if s], [None] * n, [None] * n)
            self.model.batching = batching
            answer = self.model.predict(frame)
            made = self.model.features(frame).predictions if features else [None] * n
        reasons: list[str | None] = [None] * n
        codes: list[str | None] = [None] * n
        for error in answer.errors:
            reasons[error.row], codes[error.row] = error.reason, error.code
        return Run(made, answer.predictions, reasons, codes)

    def _pass(self, frame: pd.DataFrame) -> tuple[list[Any], list[Any]] | None:
        """Features and predictions of all rows at once; None where a row is refused or fails."""
        from nb2prod_runtime import captured, outputs

        n = len(frame)
        try:
            with captured.request():
                given = self.features(frame.copy())
                made = outputs.featured(given, n)
                value = self.predict(*given) if isinstance(given, tuple) else self.predict(given)
                return made, outputs.per_row(value, n)
        except Exception:
            return None

    @property
    def features(self) -> Any:
        """The generated function."""
        return sys.modules["features"].features

    @property
    def predict(self) -> Any:
        """The generated function."""
        return sys.modules["predict"].predict


def same(a: Any, b: Any, tolerance: float) -> bool:
    """Equal by type: floats within the relative tolerance, missing equals missing, all else identical."""
    if (isinstance(a, float) and isinstance(b, (int, float))) or (isinstance(b, float) and isinstance(a, (int, float))):
        return a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12 if tolerance >= 1e-9 else 0.0)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k], tolerance) for k in a)
    return type(a) is type(b) and bool(a == b)


def alike(a: Any, b: Any, tolerance: float) -> bool:
    """Equal as features: a number is what counts, not whether pandas held it as ``False``, ``0`` or ``0.0``."""
    if isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
        return same(float(a), float(b), tolerance) if abs(a) <= 2**53 else a == b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(alike(a[k], b[k], tolerance) for k in a)
    return same(a, b, tolerance)


def coverage(frame: pd.DataFrame, limit: int, seed: int = 0) -> list[int]:
    """Positions that hold every missing-value pattern, each column's extremes and its common and rare categories; then evenly drawn ones."""
    n = len(frame)
    if n <= limit:
        return list(range(n))
    chosen: dict[int, None] = {}
    missing = frame.isna()
    for position in missing.drop_duplicates().index[: limit // 4]:
        chosen[int(position)] = None
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        for position in _notable(column):
            chosen.setdefault(int(position))
        if len(chosen) > limit * 3 // 4:
            break
    rest = np.random.default_rng(seed).permutation(n)
    for position in rest:
        if len(chosen) >= limit:
            break
        chosen.setdefault(int(position))
    return sorted(chosen)[:limit] if len(chosen) <= limit else list(chosen)[:limit]


def _notable(column: pd.Series[Any]) -> list[int]:
    seen = column.dropna()
    if seen.empty:
        return []
    at = np.flatnonzero(column.notna().to_numpy())
    if pd.api.types.is_numeric_dtype(seen) or pd.api.types.is_datetime64_any_dtype(seen):
        return [int(at[seen.argmin()]), int(at[seen.argmax()])]
    try:
        counts = seen.value_counts()
    except TypeError:
        return []
    wanted = [*counts.index[:3], *counts.index[-3:]]
    return [int(at[np.flatnonzero((seen == w).to_numpy())[0]]) for w in wanted]


# the experiments ----------------------------------------------------------------------------------------------------------


def settle_filters(trial: Trial) -> None:
    """Which validity rules really belong to training: their verdict changes with the target, or on half of the rows, or refuses a predicted row."""
    rng = np.random.default_rng(1)
    others = np.setdiff1d(np.arange(len(trial.raw)), trial.predicted)
    predicted = trial.predicted[coverage(trial.frame(trial.predicted), FILTERED // 2)]
    extra = rng.permutation(others)[: FILTERED // 2] if len(others) else np.array([], dtype="int64")
    rows = np.concatenate([predicted, extra]).astype("int64")
    frame = trial.frame(rows)
    whole = trial.run(frame, features=False)
    evidence = _Evidence(trial.job.get("rules") or [])
    refused = {
        r for r, c in zip(whole.reasons[: len(predicted)], whole.codes, strict=False) if c == "row_refused" and r
    }
    for verdict in refused:
        evidence.found.setdefault(verdict, "it would refuse rows that the notebook predicted")
    for start in (0, 1):
        half = list(range(start, len(rows), 2))
        part = trial.run(frame.iloc[half].reset_index(drop=True), features=False)
        for position, at in enumerate(half):
            evidence.changed(whole, at, part, position, "a row's fate differs when half of the rows are there")
    some = frame.iloc[: FILTERED // 3]
    twice = trial.run(pd.concat([some, some], ignore_index=True), features=False)
    for at in range(len(some)):
        evidence.changed(whole, at, twice, at + len(some), "a row's fate differs when the same row is there before it")
    for target in trial.answer["target"]:
        for values in (frame[target].to_numpy()[rng.permutation(len(frame))], *_all_of(trial.raw[target], len(frame))):
            other = frame.copy()
            other[target] = values
            changed = trial.run(other, features=False)
            for at in range(len(frame)):
                evidence.changed(whole, at, changed, at, f"a row's fate changes with the target {target!r}")
    trial.answer["training_only"] = evidence.found
    counts: dict[str, int] = {}
    for reason, code in zip(whole.reasons, whole.codes, strict=True):
        if code == "row_refused" and reason:
            counts[reason] = counts.get(reason, 0) + 1
    trial.answer["refused"] = {"rows": len(rows), "by_rule": counts}


def _all_of(column: pd.Series[Any], count: int) -> list[Any]:
    """Each of the column's extremes and rare values for every row: a filter may leave out one that hardly a row has."""
    notable = {str(v): v for v in (column.iloc[at] for at in _notable(column))}
    if column.nunique() <= 20:
        notable |= {str(v): v for v in column.value_counts().index[-5:]}
    return [pd.Series([v] * count, dtype=column.dtype).to_numpy() for v in notable.values()]


@dataclass
class _Evidence:
    """Why rules belong to training, by what a refused row is told. `rules`: their texts in the order in which they run."""

    rules: list[str]
    found: dict[str, str] = field(default_factory=dict)

    def changed(self, a: Run, i: int, b: Run, j: int, why: str) -> None:
        """Note the rule whose verdict on a row differs between two runs: of two that refused it the earlier one, which hid the other."""
        if a.codes[i] == b.codes[j] and a.reasons[i] == b.reasons[j]:
            return
        said = [
            str(run.reasons[at]) for run, at in ((a, i), (b, j)) if run.codes[at] == "row_refused" and run.reasons[at]
        ]
        if said:
            self.found.setdefault(min(said, key=self._order), why)

    def _order(self, reason: str) -> int:
        return next((n for n, rule in enumerate(self.rules) if reason.endswith(rule)), len(self.rules))


def replay(trial: Trial) -> None:
    """Single rows first (they are the definition), then all together: is every answer, and every feature, the notebook's own?"""
    tolerance = trial.job["tolerance"]
    predicted = trial.frame(trial.predicted)
    positions = coverage(predicted, SINGLES)
    alone = trial.run(predicted.iloc[positions].reset_index(drop=True), batching=False)
    singles = _differences(trial, positions, alone, tolerance)
    many = coverage(predicted, REHEARSED)
    frame = predicted.iloc[many].reset_index(drop=True)
    together = trial.run(frame)
    batch = _differences(trial, many, together, tolerance)
    trial.answer["replayed"] = len(many)
    trial.answer["singles"] = len(positions)
    if singles:
        trial.answer["mismatches"] = singles[:20]
        trial.answer["batch_ok"] = not batch
        return
    trial.answer["mismatches"] = []
    row_by_row = "rules.one_row(" in (Path(trial.job["project"]) / "features.py").read_text()
    trial.answer["batching"] = not row_by_row and not batch and _independent(trial, frame, together, tolerance)


def _independent(trial: Trial, frame: pd.DataFrame, whole: Run, tolerance: float) -> bool:
    """Halves and a permutation give each row the same."""
    rng = np.random.default_rng(2)
    parts = [np.arange(0, len(frame), 2), np.arange(1, len(frame), 2), rng.permutation(len(frame))]
    for part in parts:
        if not len(part):
            continue
        got = trial.run(frame.iloc[part].reset_index(drop=True))
        for position, at in enumerate(part):
            if (
                not same(whole.predictions[at], got.predictions[position], tolerance)
                or whole.codes[at] != got.codes[position]
            ):
                return False
            if not alike(whole.features[at], got.features[position], tolerance):
                return False
    return True


def _differences(trial: Trial, positions: Sequence[int], run: Run, tolerance: float) -> list[dict[str, Any]]:
    out = []
    for i, position in enumerate(positions):
        expected = trial.expected[position]
        given = trial.given[position] if trial.given is not None else None
        wrong_feature = given is not None and run.codes[i] is None and not alike(given, run.features[i], tolerance)
        if run.codes[i] is None and same(expected, run.predictions[i], tolerance) and not wrong_feature:
            continue
        out.append(
            {
                "row": int(trial.predicted[position]),
                "expected": expected,
                "actual": run.predictions[i],
                "reason": run.reasons[i],
                "code": run.codes[i],
                "feature": _first_feature(given, run.features[i], tolerance, trial.answer.get("names"))
                if wrong_feature
                else None,
            }
        )
    return out


def _first_feature(expected: Any, actual: Any, tolerance: float, names: list[str] | None) -> dict[str, Any] | None:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in expected:
            if key not in actual or not alike(expected[key], actual[key], tolerance):
                return {"name": key, "expected": expected[key], "actual": actual.get(key)}
    if isinstance(expected, list) and isinstance(actual, list):
        for i, (a, b) in enumerate(zip(expected, actual, strict=False)):
            if not alike(a, b, tolerance):
                return {"name": names[i] if names and i < len(names) else f"#{i}", "expected": a, "actual": b}
    return None


def find_fields(trial: Trial) -> None:
    """A field is a column that changes the features, the answer or the row's survival when permuted, nulled or set constant."""
    predicted = trial.frame(trial.predicted)
    base = predicted.iloc[coverage(predicted, PERTURBED)].reset_index(drop=True)
    before = trial.run(base)
    rng = np.random.default_rng(3)
    columns = list(trial.raw.columns)
    ways = _beside("perturbations")
    # Most columns either matter when permuted or do not matter at all: one run for each, then one look at all the rest together.
    found = {c for c in columns if _matters(trial, base, before, [c], (ways.permuted,), rng)}

    def search(group: list[Any]) -> None:
        if not group or not _matters(trial, base, before, group, (ways.nulled, ways.constant, ways.other), rng):
            return
        if len(group) == 1:
            found.add(group[0])
            return
        middle = len(group) // 2
        search(group[:middle])
        search(group[middle:])

    search([c for c in columns if c not in found])
    trial.answer["fields"] = [c for c in columns if c in found]


def _matters(
    trial: Trial,
    base: pd.DataFrame,
    before: Run,
    group: list[Any],
    changes: Sequence[Callable[..., Any]],
    rng: np.random.Generator,
) -> bool:
    for change in changes:
        changed = base.copy()
        for column in group:
            # The target is never sent: what matters is whether its valid values change anything, not whether code that handles it takes null.
            if change is not _beside("perturbations").nulled or column not in trial.answer["target"]:
                # Valid values of the target are those of rows that the notebook kept.
                seen = base[column] if column in trial.answer["target"] else trial.raw[column]
                changed[column] = change(seen, base[column], rng)
        after = _without(trial.run(changed), trial.answer["target"])
        if not _equal_runs(_without(before, trial.answer["target"]), after, features=trial.job["argument"]):
            if len(group) == 1 and _changes_values(before, after, features=trial.job["argument"]):
                trial.answer.setdefault("by_value", []).append(group[0])
            return True
    return False


def _changes_values(a: Run, b: Run, *, features: bool) -> bool:
    """Whether a row that is answered before and after gets something else: its survival alone is not what the column changes."""
    kept = [i for i, (x, y) in enumerate(zip(a.codes, b.codes, strict=True)) if x is None and y is None]
    return not all(
        same(a.predictions[i], b.predictions[i], 0.0) and (not features or alike(a.features[i], b.features[i], 0.0))
        for i in kept
    )


def _without(run: Run, target: Sequence[Any]) -> Run:
    """The run without the target among its features: a model that is given the whole table, as formulas are, need not read it."""
    named = set(map(str, target))
    if not named or not any(isinstance(made, dict) for made in run.features[:1]):
        return run
    made = [{k: v for k, v in f.items() if k not in named} if isinstance(f, dict) else f for f in run.features]
    return Run(made, run.predictions, run.reasons, run.codes)


def _equal_runs(a: Run, b: Run, *, features: bool) -> bool:
    if a.codes != b.codes or not all(same(x, y, 0.0) for x, y in zip(a.predictions, b.predictions, strict=True)):
        return False
    return not features or all(alike(x, y, 0.0) for x, y in zip(a.features, b.features, strict=True))


def changing(trial: Trial) -> list[Any]:
    """The raw columns that change the answer itself when permuted."""
    kept = trial.frame(trial.predicted)
    base = kept.iloc[coverage(kept, PERTURBED)].reset_index(drop=True)
    before = trial.run(base, features=False)
    rng = np.random.default_rng(4)
    found = []
    for column in trial.raw.columns:
        changed = base.copy()
        changed[column] = _beside("perturbations").permuted(kept[column], base[column], rng)
        after = trial.run(changed, features=False)
        if not all(same(a, b, 0.0) for a, b in zip(before.predictions, after.predictions, strict=True)):
            found.append(column)
    return found


def find_target(trial: Trial) -> None:
    """The raw columns that decide the `y` given to fit, found by comparing values row by row."""
    told = trial.job.get("target") or []
    trial.answer["target"] = [c for c in told if c in trial.raw.columns]
    trial.answer["target_how"] = "told" if told else None
    fit = trial.job.get("fit")
    if told or not fit:
        return
    fields = trial.answer.get("fields", [])
    raw = _load(fit["raw"]) if "raw" in fit else trial.raw
    found: dict[Any, str] = _beside("targets").deciding(raw, np.load(fit["rows"]), _load(fit["y"]), fields)
    # In another table than the one that is served, a column of the name that features are made of is no target here.
    kept = trial.answer.get("by_value", []) if "raw" in fit else []
    trial.answer["target"] = [c for c in trial.raw.columns if c in found and c not in kept]
    trial.answer["target_how"] = next(iter(found.values()), None)


def _load(path: str) -> Any:
    return pickle.loads(Path(path).read_bytes())


def find_nulls(trial: Trial) -> None:
    """Fields that take null although training saw none: the code answers, and the types that training had can hold it."""
    predicted = trial.frame(trial.predicted)
    base = predicted.iloc[coverage(predicted, 5)].reset_index(drop=True)
    passed = []
    for column in trial.answer["fields"]:
        dtype = trial.raw[column].dtype
        if trial.raw[column].isna().any() or (isinstance(dtype, np.dtype) and dtype.kind in "iub"):
            continue
        changed = base.copy()
        changed[column] = _beside("perturbations").nulled(trial.raw[column], base[column], np.random.default_rng(0))
        run = trial.run(changed, batching=bool(trial.answer.get("batching")), features=False)
        if all(c is None and p is not None for c, p in zip(run.codes, run.predictions, strict=True)):
            passed.append(column)
    trial.answer["null_passed"] = passed


def suspect(trial: Trial, project: Path) -> None:
    """The statement that makes a row's features differ between the whole batch and a part of it."""
    from nb2prod_runtime import captured, outputs

    tree = ast.parse((project / "features.py").read_text())
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "features")
    predicted = trial.frame(trial.predicted)
    rows = coverage(predicted, 80)
    whole = predicted.iloc[rows].reset_index(drop=True)
    agree = _beside("suspects").Agreement(outputs.per_row, lambda a, b: alike(a, b, 1e-12))
    for part in (list(range(0, len(rows), 2)), [0], [len(rows) - 1]):
        module = vars(sys.modules["features"])
        found = _beside("suspects").find(function, module, (whole, part), captured.request, agree)
        if found is not None:
            trial.answer["suspect"] = found
            return


# the whole ----------------------------------------------------------------------------------------------------------------


def signature(trial: Trial) -> None:
    """The raw columns as the service must know them, the prediction's and the features' forms, and the parity cases on the wire."""
    from nb2prod_runtime import describe

    fields = trial.answer["fields"]
    target = trial.answer["target"]
    nullable = trial.answer["null_passed"]
    columns, broken = [], []
    for label in trial.raw.columns:
        try:
            columns.append(
                describe.column(
                    trial.raw[label], field=label in fields, target=label in target, nullable=label in nullable
                )
            )
        except describe.Undescribable as problem:
            broken.append({"column": str(label), "field": label in fields, "problem": str(problem)})
    trial.answer["columns"] = columns
    trial.answer["undescribable"] = broken


def cases(trial: Trial) -> None:
    """Request rows for the replay, with what the notebook answered."""
    from nb2prod_runtime import encoding as wire
    from nb2prod_runtime.signature import Signature

    made = Signature.from_json({"schema": 1, "columns": trial.answer["columns"]})
    predicted = trial.frame(trial.predicted)
    positions = coverage(predicted, REPLAYED)
    frame = predicted.iloc[positions].reset_index(drop=True)
    trial.answer["rows"] = wire.encode(frame, made)
    trial.answer["expected"] = [trial.expected[p] for p in positions]
    trial.answer["row_ids"] = [int(trial.predicted[p]) for p in positions]
    trial.answer["given"] = [trial.given[p] for p in positions] if trial.given is not None else None
    phantoms: dict[str, list[Any]] = {}
    for column in made.columns:
        if column.field:
            continue
        seen = trial.raw[column.name].dropna()
        if len(seen):
            ends = [seen.iloc[0], seen.iloc[-1]]
            if pd.api.types.is_numeric_dtype(seen):
                ends = [seen.min(), seen.max()]
            phantoms[column.key] = _encoded(column, trial.raw[column.name], ends)
    trial.answer["phantoms"] = phantoms


def edges(trial: Trial) -> list[dict[str, Any]]:
    """Odd rows, and what the notebook's own statements make of each alone, with the values kept from training."""
    from nb2prod_runtime import encoding as wire
    from nb2prod_runtime.signature import Signature

    columns = trial.answer["columns"]
    made = Signature.from_json({"schema": 1, "columns": columns})
    maker = _beside("edges").Maker(
        trial.raw, trial.predicted, columns, lambda frame: wire.encode(frame, made), _beside("odd_values")
    )
    rows = maker.rows()
    if trial.answer.get("batching"):
        rows += maker.boundary(lambda frame: trial.run(frame, features=False))

    def run(frame: pd.DataFrame) -> Run:
        return trial.run(_idle_as_served(frame, made), batching=False)

    found: list[dict[str, Any]] = _beside("edges").outcomes(rows, run)
    return found


def _idle_as_served(frame: pd.DataFrame, signature: Any) -> pd.DataFrame:
    """The rows with the columns that no request gives as the service fills them: a table passed on whole shows them among the features."""
    from nb2prod_runtime.columns import codec_of

    served = frame.copy()
    for column in signature.columns:
        if not column.field and column.name in served:
            codec = codec_of(column)
            value = None if column.phantom is None else codec.checked(column.phantom)
            served[column.name] = codec.array([value] * len(served))
    return served


def find_makers(trial: Trial) -> None:
    """The statement that makes each named feature."""
    from nb2prod_runtime import captured

    tree = ast.parse((Path(trial.job["project"]) / "features.py").read_text())
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "features")
    predicted = trial.frame(trial.predicted)
    rows = predicted.iloc[coverage(predicted, MADE)].reset_index(drop=True)
    try:
        found = _beside("makers").find(function, vars(sys.modules["features"]), rows, captured.request())
    except Exception:
        found = {}  # some rows only run alone; an explanation is not worth more tries
    trial.answer["makers"] = [found.get(name) for name in trial.answer["names"] or ()]


def _beside(name: str) -> Any:
    """Another part of this script; not on the import path, where its name could be taken for a module of the notebook's."""
    known = f"_nb2prod_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


def _encoded(column: Any, raw: pd.Series[Any], values: list[Any]) -> list[Any]:
    from nb2prod_runtime.columns import codec_of

    made: list[Any] = codec_of(column).encode(pd.Series(values, dtype=raw.dtype))
    return made


def describe_outputs(trial: Trial) -> None:
    """What the prediction and the features are."""
    seen = [v for v in trial.expected if v is not None]
    first = seen[0] if seen else None
    kind = (
        "vector"
        if isinstance(first, list)
        else "object"
        if isinstance(first, dict)
        else "boolean"
        if isinstance(first, bool)
        else ("integer" if isinstance(first, int) else "number" if isinstance(first, float) else "string")
    )
    labels = None
    if kind in ("integer", "string", "boolean"):
        distinct = sorted(set(seen), key=str)
        labels = distinct if len(distinct) <= 50 else None
    raw = trial.job["expected_value"]
    trial.answer["prediction"] = {
        "dtype": str(getattr(raw, "dtype", type(raw).__name__)),
        "kind": kind,
        "labels": labels,
    }


def open_trial(job: dict[str, Any]) -> Trial:
    """Load the rows, what was predicted, and the model."""
    from nb2prod_runtime import outputs
    from nb2prod_runtime.model import Model

    raw = _calls(job) if job.get("calls") else _load(job["raw"])
    predicted = np.load(job["predicted"])
    value = [_load(path) for path in job["outputs"]] if job.get("calls") else _load(job["expected"])
    job["expected_value"] = value
    # For the rows of a y all that counts is what changes it.
    expected = [] if job.get("y") else outputs.per_row(value, len(predicted))
    if job.get("only"):
        at = {int(row): position for position, row in enumerate(predicted)}
        predicted = np.load(job["only"])
        expected = [expected[at[int(row)]] for row in predicted]
    given = None
    names = None
    if job.get("given"):
        argument = _load(job["given"])
        names = [str(c) for c in argument.columns] if hasattr(argument, "columns") else None
        given = outputs.per_row(argument, len(predicted))
    project = Path(job["project"])
    for name in ("features", "predict"):
        sys.modules.pop(name, None)  # an earlier job may have tried an earlier version of them
    trial = Trial(job, raw, predicted, expected, given, Model.load(project))
    trial.answer["names"] = names
    trial.answer["given_kind"] = None if not job.get("given") else "frame" if names else "array"
    return trial


def _calls(job: dict[str, Any]) -> pd.DataFrame:
    """The arguments of a predicting function's calls, a row each."""
    return pd.DataFrame(job["calls"])


def settle_calls(trial: Trial) -> None:
    """Parameters that were given whole numbers take fractions too where the function answers alike for 2 and 2.0, and answers for 2.5."""
    whole = [c for c in trial.raw.columns if trial.raw[c].dtype.kind == "i"]
    for column in whole:
        tried = trial.raw.astype({column: "float64"})
        alike = trial.run(tried, features=False)
        between = trial.run(tried.assign(**{str(column): tried[column] + 0.5}), features=False)
        pairs = zip(trial.expected, alike.predictions, strict=True)
        if all(same(a, b, trial.job["tolerance"]) for a, b in pairs) and not any(between.codes):
            trial.raw = tried
    path = Path(trial.job["raw"])
    path.write_bytes(pickle.dumps(trial.raw, protocol=5))


def _settle(trial: Trial, project: Path) -> None:
    """With the filters settled: does it replay, and what does the service need to know?"""
    replay(trial)
    if trial.answer["mismatches"] or not trial.answer.get("batching"):
        suspect(trial, project)
    if trial.answer["mismatches"]:
        return
    find_fields(trial)
    told = trial.job.get("fields") or []
    trial.answer["fields"] = [c for c in trial.raw.columns if c in trial.answer["fields"] or c in told]
    find_target(trial)
    find_nulls(trial)
    signature(trial)
    describe_outputs(trial)
    if not any(item["field"] for item in trial.answer["undescribable"]):
        cases(trial)
        find_makers(trial)


def main() -> None:
    """Do what comes on standard input, a JSON line each naming the file of the answer, until it ends.

    `try` tries the project of a job's file; `edges` makes the edge cases of the project that was tried last, `accept` tells which
    rows it answers.
    """
    last: list[Trial] = []
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "edges":
                answer: dict[str, Any] = {"edges": edges(last[-1])}
            elif request["op"] == "accept":
                answer = {"accepted": accepted(last[-1], **json.loads(Path(request["job"]).read_text()))}
            else:
                trial = open_trial(json.loads(Path(request["job"]).read_text()))
                last = last if trial.job.get("y") else [trial]
                answer = _answer(trial)
        except Exception as problem:
            answer = {"failed": f"{type(problem).__name__}: {problem}", "traceback": traceback.format_exc()[-3000:]}
        Path(request["answer"]).write_text(json.dumps(answer, default=_json))
        print("done", file=_OUT, flush=True)


def accepted(trial: Trial, signature: dict[str, Any], rows: list[dict[str, Any]]) -> list[bool]:
    """Which of these request rows the project answers, each alone."""
    from nb2prod_runtime.rows import Decoder
    from nb2prod_runtime.signature import Signature

    decoder = Decoder(Signature.from_json(signature))
    verdicts = []
    for row in rows:
        decoded = decoder.check({"rows": [row]})
        run = None if decoded.problems else trial.run(decoded.frame, features=False)
        verdicts.append(run is not None and run.codes[0] is None and run.predictions[0] is not None)
    return verdicts


def _answer(trial: Trial) -> dict[str, Any]:
    job = trial.job
    trial.answer["fields"] = []
    if job.get("y"):
        trial.answer["changing"] = changing(trial)
        return trial.answer
    if job.get("calls"):
        settle_calls(trial)
    find_target(trial)
    if job.get("filters"):
        settle_filters(trial)
    if not trial.answer.get("training_only"):
        _settle(trial, Path(job["project"]))
    return trial.answer


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


_OUT = sys.stdout
if __name__ == "__main__":
    sys.stdout = sys.stderr  # what the notebook's code prints is no answer
    main()
