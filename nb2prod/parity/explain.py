"""Where a mismatch seems to begin: the first feature that differs, and the statement that computes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from nb2prod.parity import counterfactual
from nb2prod.parity.bench import Bench
from nb2prod.parity.edges import BESIDE
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.kinds import FEATURES
from nb2prod.parity.report import Cause, FeatureDifference, Mismatch
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.tally import disagreement
from nb2prod.runtime.equality import Difference

MOST = 5
"""Mismatches of one kind that are looked into: each costs a few requests."""
_TABLE_ROWS = 200
_CELL = re.compile(r"\s*# cell (\d+)")
_RULES = (
    ("F6", r"\.(shift|diff|pct_change|rolling|expanding|ewm|cum\w+|ffill|bfill|interpolate|cumcount)\("),
    ("F5", r"\b(qcut|cut|rank)\("),
    ("F4", r"(get_dummies|factorize|cat\.codes|\.unique)\b"),
    ("F7", r"\bgroupby\("),
    ("F10", r"\b(scale|minmax_scale|robust_scale|quantile_transform|power_transform)\("),
    ("F1", r"\.(fit|fit_transform|fit_predict|partial_fit|transform)\("),
    ("F13", r"\.(merge|join|map)\("),
    ("F14", r"\b(to_datetime|to_numeric)\("),
    ("F3", r"\.(fillna|clip|where)\("),
    ("F2", r"\.(mean|median|std|var|min|max|sum|quantile|mode|nunique|value_counts|corr)\("),
)


@dataclass(frozen=True)
class Line:
    """A line of the generated code, with the notebook's cell that it comes from."""

    cell: int | None
    source: str

    @property
    def rule(self) -> str | None:
        """Code of the first rule that fits what the line does."""
        return next((code for code, pattern in _RULES if re.search(pattern, self.source)), None)


class Differing(NamedTuple):
    """A feature with two values."""

    name: str
    expected: Any
    actual: Any


def explained(bench: Bench, service: Service, mismatches: Sequence[Mismatch], code: str) -> list[Mismatch]:
    """The same mismatches, the first few with their cause. `code` is the text of features.py, if known."""
    found: list[Mismatch] = []
    for number, mismatch in enumerate(mismatches):
        cause = None
        if number < MOST and mismatch.cause is None and mismatch.row is not None:
            try:
                cause = _cause(bench, service, mismatch, mismatch.row, code)
            except ServiceFault:
                cause = None  # the mismatch stands without its explanation
        found.append(replace(mismatch, cause=cause) if cause is not None else mismatch)
    return found


def feature_table(bench: Bench, service: Service) -> tuple[FeatureDifference, ...]:
    """Each feature of the service held against the recording's; empty where either has none to show."""
    recorded = bench.cases.feature_values
    if recorded is None:
        return ()
    positions = bench.choose(_TABLE_ROWS)
    computed = service.features(bench.rows(positions))
    if computed is None or len(computed.values[0]) != len(recorded[0]):
        return ()
    names = bench.feature_names(len(recorded[0]))
    return tuple(
        _column(
            name,
            [
                bench.feature_difference(i, recorded[p][i], row[i])
                for p, row in zip(positions, computed.values, strict=True)
            ],
        )
        for i, name in enumerate(names)
        if i not in bench.cases.unread
    )


def line_of(code: str, feature: str) -> Line | None:
    """The statement of features.py that computes this feature, as far as its text tells.

    Sought in this order: the last assignment to a column of that name; any statement that has the name;
    one with a text that the feature's name begins with (`sex` for `sex_male`).
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    best: tuple[int, int, int, ast.stmt] | None = None
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            fit, length = _fit(statement, feature)
            key = (fit, length, statement.lineno)
            if fit and (best is None or key >= best[:3]):
                best = (*key, statement)
    if best is None:
        return None
    lines = code.splitlines()
    statement = best[3]
    marks = [match for text in lines[: statement.lineno] if (match := _CELL.match(text))]
    first = lines[statement.lineno - 1].strip()
    return Line(int(marks[-1][1]) if marks else None, first)


def _fit(statement: ast.stmt, feature: str) -> tuple[int, int]:
    """How well a statement fits (0 not at all), and by how long a text."""
    if isinstance(statement, ast.Assign) and any(_is_column(target, feature) for target in statement.targets):
        return 3, len(feature)
    if isinstance(statement, ast.AugAssign) and _is_column(statement.target, feature):
        return 3, len(feature)
    texts = [
        node.value for node in ast.walk(statement) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    if feature in texts:
        return 2, len(feature)
    starts = [len(text) for text in texts if text and re.match(re.escape(text) + r"[_\-=.\s]", feature)]
    return (1, max(starts)) if starts else (0, 0)


def _is_column(target: ast.expr, feature: str) -> bool:
    if not isinstance(target, ast.Subscript):
        return isinstance(target, ast.Attribute) and target.attr == feature
    key = target.slice
    last = key.elts[-1] if isinstance(key, ast.Tuple) and key.elts else key
    return isinstance(last, ast.Constant) and last.value == feature


def _cause(bench: Bench, service: Service, mismatch: Mismatch, row: int, code: str) -> Cause | None:
    if mismatch.case == FEATURES:
        return _of_feature(bench, mismatch.output, mismatch.expected, mismatch.actual, code)
    if mismatch.kind == "edges" and not mismatch.case.startswith(BESIDE):
        edge = bench.cases.edges[row]
        return _of_features(bench, service, edge.row, edge.features, code)
    if mismatch.kind == counterfactual.KIND:
        found = bench.cases.counterfactual
        changed = found.rows[row] if found is not None else None
        features = counterfactual.features_of(changed) if changed is not None else None
        return None if changed is None else _of_features(bench, service, changed.request, features, code)
    company = bench.company.get((mismatch.case, row), (row,))
    neighbours = len(company) > 1 or mismatch.kind == "partition"
    if neighbours and (cause := _of_neighbours(bench, service, row, company, code)) is not None:
        return cause
    recorded = bench.cases.feature_values
    return _of_features(bench, service, bench.cases.rows[row], None if recorded is None else recorded[row], code)


def _of_features(
    bench: Bench, service: Service, request: Mapping[str, Any], recorded: Sequence[Any] | None, code: str
) -> Cause | None:
    """The first feature of this row that differs from what is recorded, or that none does."""
    computed = service.features([request])
    if recorded is None or computed is None or len(recorded) != len(computed.values[0]):
        return None
    names = bench.feature_names(len(recorded))
    for at, (name, expected, actual) in enumerate(zip(names, recorded, computed.values[0], strict=True)):
        if bench.feature_difference(at, expected, actual) is not None:
            return _of_feature(bench, name, expected, actual, code)
    return Cause(
        f"all {len(names)} features equal the notebook's: the difference begins in the prediction, "
        "in predict.py or in the model that it uses"
    )


def _of_feature(bench: Bench, name: str, expected: Any, actual: Any, code: str) -> Cause:
    text = f"the feature {name} is {_show(actual)} where the notebook had {_show(expected)}"
    return _with_line(bench, text, Differing(name, expected, actual), code)


def _of_neighbours(bench: Bench, service: Service, row: int, company: Sequence[int], code: str) -> Cause | None:
    """The cause if the row's answer alone and among its neighbours differ."""
    rows = bench.rows([row])
    (alone,) = service.predict(rows)
    among = _among(bench, service, row, company)
    if disagreement(alone, among, bench.tolerance) is None:
        return None
    apart, together = service.features(rows), service.features(bench.rows(company))
    text = "its answer alone and among the rows of that request differ: it depends on its neighbours"
    if apart is not None and together is not None and len(apart.values[0]) == len(together.values[0]):
        names = bench.feature_names(len(apart.values[0]))
        place = list(company).index(row)
        for at, (name, one, other) in enumerate(zip(names, apart.values[0], together.values[place], strict=True)):
            if bench.feature_difference(at, one, other) is not None:
                more = f"{text}, by the feature {name} ({_show(one)} alone, {_show(other)} among them)"
                return _with_line(bench, more, Differing(name, one, other), code)
    return Cause(text, rule="N14")


def _among(bench: Bench, service: Service, row: int, company: Sequence[int]) -> Answer:
    # Alone in its request, a row of a failed replay is held against the answer that it had there.
    if len(company) == 1:
        return bench.reference[row]
    return service.predict(bench.rows(company))[list(company).index(row)]


def _with_line(bench: Bench, text: str, feature: Differing, code: str) -> Cause:
    """The cause with the statement that makes the feature: as the plan found it, else as the code's text tells."""
    made = dict(zip(bench.feature_names(len(bench.cases.made_by)), bench.cases.made_by, strict=True)).get(feature.name)
    if made is not None:
        rule = made.rule or Line(made.cell, made.source).rule
        return Cause(text, *feature, cell=made.cell, line=made.line, source=made.source, rule=rule)
    line = line_of(code, feature.name)
    if line is None:
        return Cause(text, *feature)
    return Cause(text, *feature, cell=line.cell, source=line.source, rule=line.rule)


def _column(name: str, compared: Sequence[Difference | None]) -> FeatureDifference:
    found = [item for item in compared if item is not None]
    sizes = [item.size for item in found if item.size is not None]
    largest = max(sizes) if sizes and len(sizes) == len(found) else None
    return FeatureDifference(name, len(compared), len(found), 0.0 if not found else largest)


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_code(folder: Path | None) -> str:
    """The text of the Bento's features.py; an empty one where there is none to read."""
    if folder is None:
        return ""
    try:
        return (folder / "src" / "features.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
