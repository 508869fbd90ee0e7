"""N codes that can be told without running: the prediction, its rows, secrets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import table
from nb2prod.forecast.context import Context, at, at_site, expression
from nb2prod.forecast.prediction import Prediction, folds_only, others, scores_only
from nb2prod.forecast.values import Kind, Site
from nb2prod.notebook import Cell

_SECRET_NAME = re.compile(
    r"(?i)(^|_)(password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credentials?)$"
)
_SECRET_TEXT = re.compile(r"^(AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|sk-[\w-]{20,}|xox[abpr]-[\w-]{10,}|AIza[\w-]{35})$")
_IN_URL = re.compile(r"\w+://[^\s:/@]+:([^\s:/@]{4,})@")
_PLACEHOLDER = re.compile(
    r"(?i)^(<.*>|\*+|x+|\.+|your.*|change.?me|none|null|todo|example.*|password|secret|.*\.(txt|json))$"
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Every diagnostic of the notebook as a whole."""
    if context.notebook.with_role("predict"):
        yield from _prediction(context)
    yield from _aggregated(context)
    yield from _secrets(context)


def _prediction(context: Context) -> Iterator[Diagnostic]:
    if context.prediction is None:
        yield from _no_prediction(context)
        return
    yield from _several(context, context.prediction)
    if context.prediction.by_function:
        features = [cell.number for cell in context.notebook.with_role("feature")]
        if features:
            unit = context.prediction.unit
            cells = f"cell{'s' if len(features) > 1 else ''} {', '.join(map(str, features))}"
            yield at(
                unit.cell,
                unit.line,
                "N15",
                "info",
                f"The notebook predicts by the function {context.prediction.value.path}(): its parameters are the "
                f"request, and the feature code in {cells} lies off the path.",
                "To serve rows of the table instead, predict on them:\n    y_pred = model.predict(X_test)",
            )


def _several(context: Context, served: Prediction) -> Iterator[Diagnostic]:
    path = {id(unit) for unit in context.path.kept}
    left = [item for item in others(context.block, served) if id(item.unit) not in path]
    cells = {item.name or "": item.unit.cell.number for item in left}
    if cells:
        yield several_predictions(served.name, served.unit.cell, served.unit.line, cells)


def several_predictions(served: str | None, cell: Cell, line: int, left: Mapping[str, int]) -> Diagnostic:
    """N18: which of several predict cells is served. `left` are the names of the other predictions with their cells."""
    name = f"{served!r}" if served else "its last expression"
    listed = ", ".join(f"{other!r} (cell {number})" for other, number in left.items())
    first = next(iter(left))
    return Diagnostic(
        "N18",
        "warning",
        f"Several cells tagged 'predict' make predictions. Served is {name} of this cell, the last; not served: {listed}.",
        f"If that is what you want, take the tag off the other cell. To serve another:\n    nb2prod build --prediction {first}",
        cell.number,
        line,
        cell.text_of(line).strip(),
    )


def _no_prediction(context: Context) -> Iterator[Diagnostic]:
    folds = folds_only(context.block)
    if folds is not None:
        yield at_site(
            folds,
            "P1",
            "error",
            "cross_val_predict fits a model for each part of the rows and keeps none of them: nothing is left that could "
            "answer a new row.",
            "Fit the model in the cell tagged `train` and predict with it:\n    model.fit(X, y)\n    y_pred = model.predict(X)",
        )
        return
    score = scores_only(context.block)
    if score is not None:
        receiver = ast.unparse(score.node.func.value) if _is_method(score) else "model"  # type: ignore[attr-defined]
        rows = ast.unparse(score.node.args[0]) if _has_args(score) else "X_test"  # type: ignore[attr-defined]
        yield at_site(
            score,
            "N15",
            "error",
            f"The predict cell only scores the model: {expression(score)} gives one number, "
            "not a prediction for each row.",
            f"Add a line that predicts:\n    y_pred = {receiver}.predict({rows})",
        )
        return
    cell = context.notebook.with_role("predict")[-1]
    typed = _typed_in(context)
    if typed is not None:
        yield at_site(
            typed,
            "N5",
            "error",
            f"{expression(typed)} predicts values typed in, no rows of a table: nothing tells how a request "
            "becomes them.",
            "Predict rows that went through the feature cells, for example:\n    y_pred = model.predict(X_test)",
        )
        return
    if not any(item.problem for item in context.notebook.code_cells):
        yield Diagnostic(
            "N15",
            "warning",
            "No prediction was recognised in the cell tagged 'predict'; the build's recorded run may find it.",
            "End the cell with the prediction in a variable:\n    y_pred = model.predict(X_test)\n"
            "Or name the variable: nb2prod build --prediction NAME",
            cell.number,
        )


def _is_method(site: Site) -> bool:
    return isinstance(site.node, ast.Call) and isinstance(site.node.func, ast.Attribute)


def _has_args(site: Site) -> bool:
    return isinstance(site.node, ast.Call) and bool(site.node.args)


def _typed_in(context: Context) -> Site | None:
    for unit, site in context.sites():
        if "predict" in unit.cell.tags and site.name in table.PREDICTS and site.args and not site.module:
            node = site.argument("X", 0)
            if isinstance(node, (ast.List, ast.Tuple)) and site.args[0].kind is Kind.VALUE:
                return site
    return None


def _aggregated(context: Context) -> Iterator[Diagnostic]:
    """N12: the table that is predicted on has a row for each group of raw rows."""
    wanted = [read for unit in context.path.sources for read in unit.reads if read.value.kind is Kind.AGGREGATE]
    predicted = [
        item
        for unit, site in context.sites()
        if "predict" in unit.cell.tags and site.name in table.PREDICTS
        for item in site.args
        if item.kind is Kind.AGGREGATE
    ]
    if not wanted and not predicted:
        return
    site = next((site for _, site in context.sites() if _groups(site)), None)
    if site is not None:
        key = _group_key(site)
        yield at_site(
            site,
            "N12",
            "error",
            f"{expression(site)} makes one row of several, and the model predicts on that: "
            f"what is predicted is one {key}, not one row of the table that is loaded.",
            f"Aggregate where the table is made, and load a table with one row for each {key}.",
        )


def _groups(site: Site) -> bool:
    receiver = site.receiver
    return site.result.kind is Kind.AGGREGATE and receiver is not None and receiver.kind is Kind.HANDLE


def _group_key(site: Site) -> str:
    for node in ast.walk(site.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "groupby":
            by = next((item.value for item in node.keywords if item.arg == "by"), node.args[0] if node.args else None)
            if isinstance(by, ast.Constant):
                return f"{by.value!r}"
            if by is not None:
                return f"group of {ast.unparse(by)}"
    return "group"


def _secrets(context: Context) -> Iterator[Diagnostic]:
    """N16."""
    for unit in context.units:
        for name, node in _literals(unit.node):
            value = node.value
            if not isinstance(value, str) or len(value) < 6 or _PLACEHOLDER.match(value) or " " in value.strip():
                continue
            by_name = bool(name and _SECRET_NAME.search(name))
            if by_name or _SECRET_TEXT.match(value) or _IN_URL.search(value):
                yield Diagnostic(
                    "N16",
                    "warning",
                    f"{name or 'A text'} looks like a secret. It would go into the Bento and the release record.",
                    f'Read it from the environment instead, and have this one replaced:\n    os.environ["{_plain_name(name)}"]',
                    unit.cell.number,
                    node.lineno,
                    "",
                )


def _plain_name(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").upper() or "SECRET"


def _literals(node: ast.stmt) -> Iterator[tuple[str, ast.Constant]]:
    """The statement's literals with the name that they are given to."""
    named: set[ast.Constant] = set()
    for item in ast.walk(node):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(item, ast.Assign):
            pairs = [(ast.unparse(target), item.value) for target in item.targets]
        elif isinstance(item, ast.keyword) and item.arg:
            pairs = [(item.arg, item.value)]
        elif isinstance(item, ast.Dict):
            keys = zip(item.keys, item.values, strict=True)
            pairs = [(str(k.value), v) for k, v in keys if isinstance(k, ast.Constant)]
        for name, value in pairs:
            if isinstance(value, ast.Constant) and value not in named:
                named.add(value)
                yield name, value
    for item in ast.walk(node):
        if isinstance(item, ast.Constant) and item not in named:
            yield "", item
