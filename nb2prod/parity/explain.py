"""Where a mismatch seems to begin: the first feature that differs, and the statement that computes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nb2prod.parity.bench import Bench
from nb2prod.parity.equality import Tolerance, difference
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.report import Cause, FeatureDifference, Mismatch
from nb2prod.parity.service import Answer, Features, Service
from nb2prod.parity.tally import disagreement

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


def explained(bench: Bench, service: Service, mismatches: Sequence[Mismatch], code: str) -> list[Mismatch]:
    """The same mismatches, the first few with their cause. `code` is the text of features.py, if known."""
    found: list[Mismatch] = []
    for number, mismatch in enumerate(mismatches):
        cause = None
        if number < MOST and mismatch.cause is None and mismatch.row is not None and mismatch.kind != "edges":
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
    names = _names(bench, computed, len(recorded[0]))
    return tuple(
        _column(
            name, [(recorded[p][i], row[i]) for p, row in zip(positions, computed.values, strict=True)], bench.tolerance
        )
        for i, name in enumerate(names)
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
    company = bench.company.get((mismatch.case, row), (row,))
    neighbours = len(company) > 1 or mismatch.kind == "partition"
    if neighbours and (cause := _of_neighbours(bench, service, row, company, code)) is not None:
        return cause
    recorded = bench.cases.feature_values
    computed = service.features(bench.rows([row]))
    if recorded is None or computed is None or len(recorded[row]) != len(computed.values[0]):
        return None
    names = _names(bench, computed, len(recorded[row]))
    for name, expected, actual in zip(names, recorded[row], computed.values[0], strict=True):
        if difference(expected, actual, bench.tolerance) is not None:
            text = f"the feature {name} is {_show(actual)} where the notebook had {_show(expected)}"
            return _with_line(text, name, expected, actual, code)
    count = len(names)
    return Cause(
        f"all {count} features equal the notebook's: the difference begins in the prediction, "
        "in predict.py or in the model that it uses"
    )


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
        names = _names(bench, apart, len(apart.values[0]))
        place = list(company).index(row)
        for name, one, other in zip(names, apart.values[0], together.values[place], strict=True):
            if difference(one, other, bench.tolerance) is not None:
                more = f"{text}, by the feature {name} ({_show(one)} alone, {_show(other)} among them)"
                return _with_line(more, name, one, other, code)
    return Cause(text, rule="N14")


def _among(bench: Bench, service: Service, row: int, company: Sequence[int]) -> Answer:
    # Alone in its request, a row of a failed replay is held against the answer that it had there.
    if len(company) == 1:
        return bench.reference[row]
    return service.predict(bench.rows(company))[list(company).index(row)]


def _with_line(text: str, feature: str, expected: Any, actual: Any, code: str) -> Cause:
    line = line_of(code, feature)
    if line is None:
        return Cause(text, feature, expected, actual)
    return Cause(text, feature, expected, actual, line.cell, line.source, line.rule)


def _names(bench: Bench, computed: Features, count: int) -> Sequence[str]:
    for names in (bench.cases.feature_names, computed.names, bench.signature.features.names):
        if names is not None and len(names) == count:
            return names
    return [f"feature {position}" for position in range(count)]


def _column(name: str, pairs: Sequence[tuple[Any, Any]], tolerance: Tolerance) -> FeatureDifference:
    found = [item for one, other in pairs if (item := difference(one, other, tolerance)) is not None]
    sizes = [item.size for item in found if item.size is not None]
    largest = max(sizes) if sizes and len(sizes) == len(found) else None
    return FeatureDifference(name, len(pairs), len(found), 0.0 if not found else largest)


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
