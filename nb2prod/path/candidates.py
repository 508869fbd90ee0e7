"""Everything that may be the prediction: what the statements bind or show, and model answers inside expressions."""

from __future__ import annotations

import ast
from typing import Any

from nb2prod.path.candidate import Candidate, in_predict_cell, narrow, same_rows, steps_of
from nb2prod.path.changed_predictions import Changes
from nb2prod.path.choice_nodes import subtrees
from nb2prod.recording.trace import Recording, Step, Tree

# What a last expression does to a prediction only to show it: the prediction is what it shows.
SHOWING = frozenset(
    "round head tail tolist to_list to_numpy to_frame copy flatten ravel squeeze sort_index transpose".split()
)


SHOWING_CALLS = frozenset(
    "round list np.round np.around numpy.round pd.Series pandas.Series pd.DataFrame pandas.DataFrame np.array display".split()
)


def find_candidates(recording: Recording, steps: list[Step], *, mixed: bool = False) -> list[Candidate]:
    """Everything that could be the prediction, in order: what the statements bind or show, and model answers inside expressions.

    With `mixed`, also what is made of a prediction and of other rows: whoever names it knows that it is the answer.
    """
    search = _Search(recording, steps, mixed=mixed)
    for step in steps:
        search.step(step)
    return search.found


class _Search:
    """Goes through the steps of a predict cell in order, and keeps what may be the prediction."""

    def __init__(self, recording: Recording, steps: list[Step], *, mixed: bool) -> None:
        self.recording, self.mixed = recording, mixed
        self.given = _given(recording, steps)
        self.found: list[Candidate] = []
        self._by_token: dict[int, Candidate] = {}
        self._changes = Changes(recording, self._by_token, mixed=mixed)
        self._tables: set[int] = set()
        """Tokens of tables of what was given and what was answered."""
        self._answers: dict[str, Candidate] = {}

    def step(self, step: Step) -> None:
        """What one statement adds."""
        tree, _ = self.recording.statement(step.k)
        for event in step.events:
            if event["kind"] in ("bound", "shown"):
                self._value(step, event)
        if not any(c.steps[-1] is step for c in self.found):
            self.found.extend(_inside(self.recording, step, tree))
        self.found.extend(self._changes.by(step, self.found))

    def _value(self, step: Step, event: dict[str, Any]) -> None:
        """A value that the statement binds or shows."""
        tree, statement = self.recording.statement(step.k)
        previous = self._made_of(step, event)
        if previous is None:
            return
        if event["kind"] == "shown" and previous and _only_shows(statement, {p.name for p in previous}):
            return
        # Rows chosen from a prediction (its first ten, those of one class) are a look at it, not post-processing.
        if previous and not all(same_rows(self.recording, p.lineage, event["lineage"]) for p in previous):
            return
        candidate = Candidate(
            [*steps_of(previous), step],
            event.get("name"),
            _value_node(tree, statement),
            event["output"],
            event["lineage"],
            event["token"],
            bool(event.get("predicted")) or (self.mixed and bool(previous)),
            altered=bool(event.get("altered")),
        )
        beside = _mixed(tree, step, previous, self.given) or any(r.token in self._tables for r in step.reads)
        if beside and not self.mixed and not narrow(self.recording, candidate):
            self._tables.add(event["token"])
            return
        self.found.append(candidate)
        if event["token"] is not None:
            self._by_token[event["token"]] = candidate
        elif event.get("name"):
            self._answers[event["name"]] = candidate

    def _made_of(self, step: Step, event: dict[str, Any]) -> list[Candidate] | None:
        """The candidates that a value is made of; None where it is none itself."""
        if not event.get("predicted") and any(c.predicted for c in self.found):
            return (self._read_by(step) or None) if self.mixed else None
        known = self._by_token.get(event["token"])
        if known is not None and known.lineage == event["lineage"] and event["kind"] == "shown":
            return None
        previous = _sources(step, self._by_token, None if self.mixed else self.given)
        if previous is None:
            return None
        return previous + [self._answers[r.name] for r in step.reads if r.kind == "value" and r.name in self._answers]

    def _read_by(self, step: Step) -> list[Candidate]:
        """The predictions that a statement reads beside other rows, by their variables or by the columns that they stand in."""
        tree, statement = self.recording.statement(step.k)
        known = [c for r in step.reads if (c := self._by_token.get(r.token or -1)) is not None and c.predicted]
        return [*known, *self._changes.named(tree, getattr(statement, "value", None) or statement, step)]


def _only_shows(statement: ast.stmt, names: set[str | None]) -> bool:
    """Whether an expression statement shows a named prediction, rounded or as a list, and computes nothing from it."""
    if not isinstance(statement, ast.Expr):
        return False
    node = statement.value
    while True:
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=inner)) if attr in SHOWING and not (
                isinstance(inner, ast.Name) and ast.unparse(node.func) in SHOWING_CALLS
            ):
                node = inner
            case ast.Call(args=[first, *_]) if ast.unparse(node.func) in SHOWING_CALLS:
                node = first
            case ast.Name(id=name):
                return name in names
            case _:
                return False


def _value_node(tree: Tree, statement: ast.stmt) -> int | None:
    value = getattr(statement, "value", None)
    return tree.index[value] if value is not None else None


def _sources(step: Step, by_token: dict[int, Candidate], given: set[int] | None) -> list[Candidate] | None:
    """The earlier predictions that a statement works on; None if it mixes them with other rows (a table of results, a residual).

    What the model was given is no other: ``np.where(X_test["age"] < 18, 0, p)`` is a rule of the notebook.
    """
    reads = [r for r in step.reads if r.kind == "rows"]
    known = [by_token[r.token] for r in reads if r.token in by_token]
    predicted = [c for c in known if c.predicted]
    if any(e["kind"] == "predict" for e in step.events):
        return predicted
    if predicted:
        others = {r.token for r in reads} - {c.token for c in predicted}
        return known if given is None or others <= given else None
    if known and len(known) < len(reads):
        return None
    return known


def _mixed(tree: Tree, step: Step, sources: list[Candidate], given: set[int]) -> bool:
    """Whether a statement works on predictions and on other rows beside them."""
    asked = [e for e in step.events if e["kind"] == "predict"]
    if asked:
        own = set().union(*(_row_reads(step, tree, e["node"]) for e in asked)) | given
        return any(r.kind == "rows" and r.token not in own for r in step.reads)
    tokens = {c.token for c in sources if c.predicted}
    return bool(tokens) and any(r.kind == "rows" and r.token not in tokens for r in step.reads)


def _given(recording: Recording, steps: list[Step]) -> set[int]:
    """Tokens of what the model is given as a whole, and of what the steps make of that alone."""
    found: set[int] = set()
    for step in steps:
        tree, _ = recording.statement(step.k)
        for event in step.events:
            if event["kind"] == "predict" and event.get("argument") is not None:
                argument = tree.nodes[event["argument"]]
                if not any(_chooses(node) for node in ast.walk(argument)):
                    found |= _row_reads(step, tree, event["argument"])
    for step in steps:
        reads = {r.token for r in step.reads if r.kind == "rows"}
        if reads and reads <= found and not any(e["kind"] == "predict" for e in step.events):
            found |= {e["token"] for e in step.events if e["kind"] == "bound" and e["token"] is not None}
    return found


def _chooses(node: ast.AST) -> bool:
    """Whether an expression takes some columns of a table, which may hold more than the model is given: the target."""
    match node:
        case ast.Subscript() | ast.Attribute(attr="drop" | "filter" | "select_dtypes" | "pop" | "get" | "reindex"):
            return True
    return False


def _inside(recording: Recording, step: Step, tree: Tree) -> list[Candidate]:
    """A model's answer inside a larger expression (``accuracy_score(y, model.predict(X))``): the widest part that is still it."""
    out = []
    asked = [e for e in step.events if e["kind"] == "predict"]
    derived = {e["node"]: e for e in step.events if e["kind"] == "derived"}
    for event in asked:
        own = _row_reads(step, tree, event["node"])
        best, node = event, tree.nodes[event["node"]]
        while node in tree.parents:
            node = tree.parents[node]
            wider = derived.get(tree.index[node])
            if wider is None:
                if isinstance(node, ast.stmt):
                    break
                continue
            if (
                not same_rows(recording, wider["lineage"], event["lineage"])
                or _row_reads(step, tree, wider["node"]) - own
            ):
                break
            best = wider
        output, lineage = best["output"], best["lineage"]
        column = _written_to(tree, tree.nodes[best["node"]])
        altered = bool(best.get("altered"))
        out.append(Candidate([step], None, best["node"], output, lineage, best.get("token"), True, column, altered))
    return out


def _written_to(tree: Tree, node: ast.AST) -> str | None:
    """The column that ``df["Predicted"] = node`` writes, or the variable of one row's answer."""
    match tree.parents.get(node):
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))], value=value) if value is node:
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
            return name
    return None


def _row_reads(step: Step, tree: Tree, node: int) -> set[int]:
    inside = subtrees(tree, [node])
    return {r.token for r in step.reads if r.kind == "rows" and r.node in inside and r.token is not None}


def asked(recording: Recording, best: Candidate) -> tuple[Step, dict[str, Any]] | None:
    """The model's call that makes the prediction; of several models that are averaged, the first, where all are given one variable."""
    asked = [(s, e) for s in best.steps for e in s.events if e["kind"] == "predict"]
    if len(asked) < 2:
        return asked[0] if asked else None
    given = set()
    for step, event in asked:
        tree, _ = recording.statement(step.k)
        argument = tree.nodes[event["argument"]] if event["argument"] is not None else None
        given.add((argument.id, event["lineage"]) if isinstance(argument, ast.Name) and step.frame == 0 else None)
    return asked[0] if len(given) == 1 and None not in given else None


def gathering(recording: Recording, steps: list[Step]) -> list[Step]:
    """The steps in which the answers of several models came into the list, dict, array or table that these steps work on."""
    if any(e["kind"] == "predict" for s in steps for e in s.events):
        return []
    known = {s.seq for s in steps}
    cells = [s for s in recording.by_frame.get(0, []) if in_predict_cell(recording, s) and s.seq < steps[-1].seq]
    asked = {s.seq: {e["token"] for e in s.events if e["kind"] == "predict"} for s in cells}
    answers: set[int] = set().union(*asked.values())
    filled: set[int] = set().union(*(s.updates for s in cells if asked[s.seq]))
    tokens = {t for s in steps for r in s.reads for t in r.carried}
    found: list[Step] = []
    for step in reversed(cells):
        made = {t for b in step.binds for t in b.carried} & tokens
        gathered = {t for r in step.reads if r.kind == "container" for t in r.tokens}
        asks = asked[step.seq] and (asked[step.seq] | step.updates) & tokens
        if step.seq not in known and (asks or made & filled or (made and (asked[step.seq] or gathered & answers))):
            found.append(step)
            tokens |= gathered | step.updates
    return found
