"""Says why a notebook has no prediction that can be served."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.path.scopes import bound_names
from nb2prod.recording.kernel.predictions import PREDICTING
from nb2prod.recording.trace import Recording, Tree

SPREADING = frozenset({"pivot", "pivot_table", "crosstab", "unstack"})


def nothing(recording: Recording, wanted: str | None) -> Diagnostic:
    """Why there is no prediction to serve, and what to do."""
    cells = [c for c in recording.notebook.code_cells if "predict" in c.tags]
    cell = cells[-1] if cells else None
    where = (cell.number if cell else None, 1 if cell else None, cell.text_of(1) if cell else "")
    if wanted is not None:
        return Diagnostic(
            "N15",
            "error",
            f"No variable named {wanted!r} holds a value for each row.",
            "Name the variable that holds the predictions, or leave the option out: the last prediction in a predict cell is taken.",
            *where,
        )
    if cell is not None and ".score(" in cell.source:
        return Diagnostic(
            "N15",
            "error",
            "The predict cell only scores the model: there is no prediction to serve.",
            "Add the expression that predicts to the predict cell, for example y_pred = model.predict(X_test).",
            *where,
        )
    entity = _entity(recording)
    if entity is not None:
        return entity
    asked = _asked_inside(recording) or _asked_beside_tables(recording)
    if asked is not None:
        return asked
    return Diagnostic(
        "N5",
        "error",
        "Nothing in the predict cells is a value with one entry for each row of a table.",
        "Tag the cell that computes the predictions for the rows of a table, for example y_pred = model.predict(X_test).",
        *where,
    )


def _asked_inside(recording: Recording) -> Diagnostic | None:
    """A function that the predict cell calls predicts for rows of a table, and keeps the prediction to itself."""
    for step in reversed(recording.steps):
        if not step.frame or not any(
            e["kind"] == "predict" and recording.length_of(e["lineage"]) > 1 for e in step.events
        ):
            continue
        info = recording.frames[step.frame]
        while info.outer:
            info = recording.frames[info.outer]
        caller = recording.by_seq.get(info.parent) if info.parent is not None else None
        tree, node = recording.statement(caller.k if caller is not None else step.k)
        if tree.cell is None or "predict" not in tree.cell.tags:
            continue
        return Diagnostic(
            "N15",
            "error",
            f"{info.name}() predicts, but the prediction never leaves it: the cell has nothing to serve.",
            f"Have {info.name}() return the prediction and keep it in a variable, or predict in the cell itself: y_pred = model.predict(X_test).",
            *tree.place(node),
        )
    return None


def _asked_beside_tables(recording: Recording) -> Diagnostic | None:
    """A predict cell asks a model, but for values that no table holds: typed in, or read without a table's loader."""
    for tree, node in asking(recording):
        text = ast.unparse(node)
        return Diagnostic(
            "N5",
            "error",
            f"{text if len(text) <= 80 else text[:77] + '...'} is asked for values that are no rows of a table that the notebook loads.",
            _scored_elsewhere(recording)
            or "Predict for rows of a table: load them with pandas (pd.read_csv, ...), numpy or scikit-learn, make the features from it, and tag that cell.",
            *tree.place(node),
        )
    return None


def _scored_elsewhere(recording: Recording) -> str | None:
    """What to do where another cell predicts rows of a table: the recorded path is the one of that cell."""
    for step in reversed(recording.by_frame.get(0, [])):
        tree, _ = recording.statement(step.k)
        for event in step.events:
            if event["kind"] != "predict" or tree.cell is None or "predict" in tree.cell.tags:
                continue
            if recording.length_of(event["lineage"]) > 1:
                text = ast.unparse(tree.nodes[event["node"]])
                return (
                    f"Cell {tree.cell.number} predicts rows of a table ({text if len(text) <= 60 else text[:57] + '...'}): tag that cell `predict`, "
                    "and take the tag from this one. The service then takes such values as its field."
                )
    return None


def asking(recording: Recording) -> Iterator[tuple[Tree, ast.Call]]:
    """The calls of predict cells that ask a model, the last cell's first."""
    for tree in reversed(recording.trees):
        if tree.cell is None or "predict" not in tree.cell.tags:
            continue
        for node in ast.walk(tree.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PREDICTING:
                yield tree, node


def _entity(recording: Recording) -> Diagnostic | None:
    """The table that is predicted on has one row for many: a group's, not a raw row's."""
    behind = _behind(recording)
    for step in reversed(recording.by_frame.get(0, [])):
        tree, statement = recording.statement(step.k)
        for event in step.events:
            if event["kind"] not in ("boundary", "reshape") or tree.cell is None:
                continue
            node = tree.nodes[event["node"]]
            text = ast.unparse(node)
            # One that is only shown (`df.groupby("label").describe()`) is not what is predicted on.
            grouped = (
                ".groupby(" in text and event.get("type") == "pandas.DataFrame" and not isinstance(statement, ast.Expr)
            )
            spread = event["kind"] == "boundary" and event["name"] in SPREADING and not isinstance(statement, ast.Expr)
            if not (grouped or spread or event["kind"] == "reshape") or not bound_names(statement) & behind:
                continue
            key = text.split(".groupby(", 1)[1].split(")", 1)[0] if grouped else ""
            what = f"one row for each {key}" if grouped else f"another number of rows ({event['name']})"
            return Diagnostic(
                "N12",
                "error",
                f"The table that is predicted on has {what}: a raw row has no answer of its own.",
                "Save that table, load it in a cell of its own and predict on it: then a request describes one of its rows.",
                *tree.place(node),
            )
    return None


def _behind(recording: Recording) -> set[str]:
    """The variables that what the predict cells ask about is made of."""
    cells = [t.tree for t in recording.trees if t.cell is not None and "predict" in t.cell.tags]
    asked = [
        part
        for cell in cells
        for node in ast.walk(cell)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PREDICTING
        for part in (*node.args, *(k.value for k in node.keywords))
    ]
    found = {name for part in asked or cells for name in _names(part)}
    statements = [s for t in recording.trees for s in t.tree.body]
    while more := {n for s in statements if bound_names(s) & found for n in _names(s)} - found:
        found |= more
    return found


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
