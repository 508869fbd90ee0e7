"""Says which line of the notebook makes the replay differ, why, and what to write instead."""

from __future__ import annotations

import ast
import re
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast.table import RANDOM_FUNCTIONS
from nb2prod.path.composition import Composition
from nb2prod.path.served_checks import random_values
from nb2prod.path.walk import Walk
from nb2prod.recording.trace import Recording, Tree


def mismatch_diagnostics(recording: Recording, walk: Walk, answer: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """Every statement on the path that is known to depend on the batch; else the suspect that the trial named; else the difference itself."""
    found = _depending(recording, walk)
    if found:
        return tuple(found)
    suspect = answer.get("suspect")
    unsteady = answer.get("unsteady")
    first = answer["mismatches"][0] if answer["mismatches"] else {}
    if suspect is not None and "raised" not in suspect and first.get("reason") is not None:
        suspect = None  # the row fails, and not because of what differs between batches
    if suspect is not None:
        place = _place_of(recording, walk, suspect["source"])
        special = _special(recording, walk, place)
        if special is not None:
            return (special,)
        if unsteady is not None:
            return (_unsteady(unsteady, place),)
        why = (
            f"it raised {suspect['raised']} for some rows alone"
            if "raised" in suspect
            else f"{suspect.get('name')!r} differs for a row when other rows are missing"
        )
        return (
            Diagnostic(
                "N14",
                "error",
                f"This line can't be served row by row: {why}.",
                "Compute what it needs from all rows in a train cell, keep it in a variable, and use the variable here.",
                *place,
            ),
        )
    drawn = random_values(recording, walk)
    if drawn:
        return tuple(dict.fromkeys(drawn))
    if unsteady is not None:
        return (_unsteady(unsteady, (None, None, "")),)
    return (_difference(first, answer),)


def _depending(recording: Recording, walk: Walk) -> list[Diagnostic]:
    out: dict[tuple[int | None, int, str], Diagnostic] = {}
    for step in sorted(walk.kept.values(), key=lambda s: s.seq):
        tree, _ = recording.statement(step.k)
        covered = walk.covered(step)
        for event in step.events:
            if event["kind"] != "depends" or event["node"] in covered:
                continue
            line = _line_of(tree, event["node"])
            cell = tree.cell.number if tree.cell else None
            key = (cell, line, event["why"])
            out.setdefault(
                key,
                Diagnostic(
                    event["rule"],
                    "error",
                    event["why"],
                    event["remedy"],
                    cell,
                    line,
                    tree.cell.text_of(line) if tree.cell else "",
                ),
            )
    return list(out.values())


def _line_of(tree: Tree, index: int) -> int:
    """The line where the expression's last word stands: in a chain over several lines, the method's own."""
    node = tree.nodes[index]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return (node.func.end_lineno or node.lineno) + tree.offset
    return tree.line(node)


def _place_of(recording: Recording, walk: Walk, source: str) -> tuple[int | None, int | None, str]:
    """The notebook's line that a generated statement came from: the kept statement with the most words in common."""
    words = set(ast.unparse(ast.parse(source)).split()) if source else set()
    best: tuple[float, int | None, int, str] = (0.0, None, 0, "")
    for step in walk.kept.values():
        tree, node = recording.statement(step.k)
        if step.kind == "iteration" or tree.cell is None:
            continue
        own = set(ast.unparse(node).split())
        score = len(words & own) / max(len(words | own), 1)
        if score > best[0]:
            best = (score, tree.cell.number, tree.line(node), tree.cell.text_of(tree.line(node)))
    return best[1], best[2] or None, best[3]


def statement_of(
    recording: Recording, walk: Walk, composition: Composition, source: str | None
) -> dict[str, Any] | None:
    """The notebook's statement that a generated one came from, with the rule that it is served by, if any."""
    cell, line, text = _place_of(recording, walk, source) if source else (None, None, "")
    if cell is None or line is None:
        return None
    rules = [use.rule for use in composition.frozen if (use.cell, use.line) == (cell, line)]
    return {"cell": cell, "line": line, "source": text, "rule": next(iter(rules), None)}


def _special(recording: Recording, walk: Walk, place: tuple[int | None, int | None, str]) -> Diagnostic | None:
    """Random numbers and the index have rules of their own."""
    for step in walk.kept.values():
        tree, node = recording.statement(step.k)
        if tree.cell is None or (tree.cell.number, tree.line(node)) != place[:2]:
            continue
        names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        if names & RANDOM_FUNCTIONS and ("random" in names or "rng" in ast.unparse(node)):
            return Diagnostic(
                "F11",
                "error",
                "A random number is a feature here: no service can draw the number that training drew.",
                "Leave the random feature out, or derive it from the row itself.",
                *place,
            )
        if "index" in names or "reset_index" in names or "arange" in names:
            return Diagnostic(
                "F9",
                "error",
                "The position of a row is used as a feature: a request's row has no position among training's.",
                "Use a column of the row instead of its index.",
                *place,
            )
    return None


def _unsteady(found: dict[str, Any], place: tuple[int | None, int | None, str]) -> Diagnostic:
    return Diagnostic(
        "F11",
        "error",
        f"Asked twice for raw row {found['row']}, the path answers {found['first']!r} and then {found['second']!r}: more than rounding.",
        "Draw nothing at random on the way to a prediction. Where a model that works on several threads is torn between two answers, n_jobs=1 "
        "settles which.",
        *place,
    )


def _difference(first: dict[str, Any], answer: dict[str, Any]) -> Diagnostic:
    feature = first.get("feature")
    what = (
        f"feature {feature['name']!r} is {feature['actual']!r} instead of {feature['expected']!r}"
        if feature
        else (
            f"the answer is {first['actual']!r} instead of {first['expected']!r}"
            if first.get("reason") is None
            else f"the row fails: {first['reason']}"
        )
    )
    failed = re.search(r" in cell (\d+)", first.get("reason") or "")
    looked = "what this cell does" if failed else "all that the notebook does"
    return Diagnostic(
        "N11",
        "error",
        f"The serving path does not give the notebook's own answers: for raw row {first['row']}, {what} "
        f"({len(answer['mismatches'])} of the tried rows differ).",
        f"nb2prod could not follow {looked} with the rows. Write the step with whole columns, or as a function that takes the table and returns "
        "it; look for a table that is changed through another name, and for what depends on something outside the notebook.",
        int(failed[1]) if failed else None,
    )


def unsaved_diagnostic(recording: Recording, composition: Composition, name: str, reason: str) -> Diagnostic:
    """A captured value that no format can hold."""
    base = name.split("__", maxsplit=1)[0]
    value = next((v for v in composition.captured if v.name == base), None)
    cell = value.cell if value else None
    line = value.line if value else None
    source = recording.notebook.cell(cell).text_of(line) if cell else ""
    return Diagnostic(
        "N7",
        "error",
        f"The service needs the value {base!r} ({value.type if value else 'unknown'}) from training, and it can't be saved: {reason}",
        "Keep what you need of it in plain values (numbers, lists, tables, fitted estimators) before this line.",
        cell,
        line,
        source,
    )
