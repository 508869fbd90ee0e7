"""Which value of the notebook is the prediction (design rule: the last one in a predict cell, with its post-processing)."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from nb2prod.errors import Refused
from nb2prod.path import calls
from nb2prod.path.calls import PredictingFunction
from nb2prod.path.no_prediction import nothing
from nb2prod.recording.trace import Recording, Step, Tree

# What a last expression does to a prediction only to show it: the prediction is what it shows.
SHOWING = frozenset(
    "round head tail tolist to_list to_numpy to_frame copy flatten ravel squeeze sort_index transpose".split()
)
SHOWING_CALLS = frozenset(
    "round list np.round np.around numpy.round pd.Series pandas.Series pd.DataFrame pandas.DataFrame np.array display".split()
)


@dataclass(frozen=True)
class Prediction:
    """The chosen prediction.

    `steps`: the top-level steps of the predict cells that make it, in order (the model's answer, then post-processing).
    `name`: the variable it is bound to (or ``df["pred"]``, changed in its place), None for a bare expression. `node`: the expression that is the answer (in the last step's tree).
    `snapshot`, `lineage`: its recorded value and the rows it answers.
    `event`: the step and event of the model's call, where one call in these steps makes it.
    `function`: the function of plain values that makes it, where no rows of a table do.
    """

    steps: tuple[Step, ...]
    name: str | None
    node: int | None
    snapshot: int
    lineage: int
    event: tuple[Step, dict[str, Any]] | None
    others: tuple[str, ...] = ()
    function: PredictingFunction | None = None
    column: str | None = None
    """The column that an expression without a name is written to."""

    @property
    def label(self) -> str | None:
        """What the notebook calls it: the variable, or the column it is written to."""
        return self.column or self.name


@dataclass
class _Candidate:
    steps: list[Step]
    name: str | None
    node: int | None
    snapshot: int
    lineage: int
    token: int | None
    predicted: bool
    column: str | None = None
    altered: bool = False
    """Whether it is another value than the model gave."""


def choose(recording: Recording, wanted: str | None) -> Prediction:
    """Choose the prediction; `wanted` names a variable instead. Raises `Refused` (N15) where there is none."""
    steps = [s for s in recording.by_frame.get(0, []) if _in_predict_cell(recording, s)]
    if wanted is not None:
        steps = list(recording.by_frame.get(0, []))
    found = _candidates(recording, steps, mixed=wanted is not None)
    model = [c for c in found if c.predicted]
    pool = model or [c for c in found if _narrow(recording, c) and not _row_itself(recording, c)]
    if wanted is not None:
        pool = [c for c in found if wanted in (c.name, c.column)]
    function = calls.find(recording, wanted)
    if function is not None and not (pool if wanted is not None else model):
        return _by_calls(function)
    if not pool:
        raise Refused([nothing(recording, wanted)])
    # One row beside a whole table is a look at the model: the table's rows prove more, where they answer alike.
    best = next((c for c in reversed(pool) if recording.length_of(c.lineage) > 1), pool[-1])
    best = pool[-1] if _adds_a_step(recording, pool[-1], best) else best
    others = tuple(
        dict.fromkeys(c.name for c in pool[:-1] if c.name and c.name != best.name and c not in _chain(best, pool))
    )
    if function is not None:
        others = (*others, function.name)
    return _prediction(recording, best, others)


def made_of_columns(recording: Recording, chosen: Prediction) -> str | None:
    """The last value that the predict cells make of the chosen prediction and of other columns of its rows (``y_pred * test["rooms"]``), by name.

    Whether it is the answer or a residual (``y_test - y_pred``), only a plan of it tells: the one is made without the target.
    """
    steps = [s for s in recording.by_frame.get(0, []) if _in_predict_cell(recording, s)]
    found = [
        c.name or c.column
        for c in _candidates(recording, steps, mixed=True)
        if chosen.function is None
        and chosen.steps[-1] in c.steps[:-1]
        and recording.length_of(c.lineage) > 1
        and _same_rows(recording, c.lineage, chosen.lineage)
        and _narrow(recording, c)
    ]
    return found[-1] if found else None


def _adds_a_step(recording: Recording, one: _Candidate, table: _Candidate) -> bool:
    """Whether the answer for one row has a step (``np.expm1``) that the answers for the table's rows, of the same model's same method, lack."""

    def asked(candidate: _Candidate) -> set[tuple[str, str]]:
        return {(e["model"], e["name"]) for s in candidate.steps for e in s.events if e["kind"] == "predict"}

    same_rows = set(recording.tables_of(one.lineage)) == set(recording.tables_of(table.lineage))
    return one is not table and one.altered and not table.altered and same_rows and asked(one) == asked(table)


def _row_itself(recording: Recording, candidate: _Candidate) -> bool:
    """Whether a value is one row (its features, say), and no answer for it."""
    text = recording.snapshots[candidate.snapshot]["text"]
    return recording.is_single(candidate.lineage) and ("of shape" in text or text.startswith(("[", "{")))


def _by_calls(function: PredictingFunction) -> Prediction:
    last = function.calls[-1]
    steps = tuple({c.step.seq: c.step for c in function.calls}.values())
    return Prediction(steps, function.name, None, last.output, -1, None, (), function)


def bound_in(recording: Recording, tag: str) -> list[Prediction]:
    """What the cells of this tag bind or show with one entry for each row, in order; no model has to be asked for it."""
    steps = []
    for step in recording.by_frame.get(0, []):
        cell = recording.trees[recording.statements[step.k].tree].cell
        if cell is not None and tag in cell.tags:
            steps.append(step)
    return [_prediction(recording, c, ()) for c in _candidates(recording, steps) if _narrow(recording, c)]


def _in_predict_cell(recording: Recording, step: Step) -> bool:
    cell = recording.trees[recording.statements[step.k].tree].cell
    return cell is not None and "predict" in cell.tags


def _candidates(recording: Recording, steps: list[Step], *, mixed: bool = False) -> list[_Candidate]:
    """Everything that could be the prediction, in order: what the statements bind or show, and model answers inside expressions.

    With `mixed`, also what is made of a prediction and of other rows: whoever names it knows that it is the answer.
    """
    out: list[_Candidate] = []
    by_token: dict[int, _Candidate] = {}
    changed = _Changes(recording, by_token)
    given = _given(recording, steps)
    tables: set[int] = set()
    answers: dict[str, _Candidate] = {}
    for step in steps:
        tree, statement = recording.statement(step.k)
        made = [e for e in step.events if e["kind"] in ("bound", "shown")]
        for event in made:
            if not event.get("predicted") and any(c.predicted for c in out):
                continue
            if (
                event["token"] in by_token
                and by_token[event["token"]].lineage == event["lineage"]
                and event["kind"] == "shown"
            ):
                continue
            previous = _sources(step, by_token, None if mixed else given)
            if previous is None:
                continue
            previous += [answers[r.name] for r in step.reads if r.kind == "value" and r.name in answers]
            if event["kind"] == "shown" and previous and _only_shows(statement, {p.name for p in previous}):
                continue
            # Rows chosen from a prediction (its first ten, those of one class) are a look at it, not post-processing.
            if previous and not all(_same_rows(recording, p.lineage, event["lineage"]) for p in previous):
                continue
            candidate = _Candidate(
                [*_steps_of(previous), step],
                event.get("name"),
                _value_node(tree, statement),
                event["output"],
                event["lineage"],
                event["token"],
                bool(event.get("predicted")),
                altered=bool(event.get("altered")),
            )
            beside = _mixed(tree, step, previous, given) or any(r.token in tables for r in step.reads)
            if beside and not mixed and not _narrow(recording, candidate):
                tables.add(event["token"])
                continue  # a table of what was given and what was answered
            out.append(candidate)
            if event["token"] is not None:
                by_token[event["token"]] = candidate
            elif event.get("name"):
                answers[event["name"]] = candidate
        if not any(c.steps[-1] is step for c in out):
            out.extend(_inside(recording, step, tree))
        out.extend(changed.by(step, out))
    return out


class _Changes:
    """What later statements make of a prediction in its place: ``p[p < 0] = 0``, ``df["pred"] = np.exp(df["pred"])``."""

    def __init__(self, recording: Recording, by_token: dict[int, _Candidate]) -> None:
        self.recording = recording
        self.by_token = by_token
        self.by_column: dict[tuple[int, str], _Candidate] = {}
        self._mixed: set[int] = set()

    def by(self, step: Step, found: list[_Candidate]) -> list[_Candidate]:
        """The candidates that this step gives so; `found` are all before, those of this step included."""
        out = [c for e in step.events if e["kind"] == "changed" and (c := self._in_place(step, e)) is not None]
        event = step.event("written")
        if event is not None:
            tree, statement = self.recording.statement(step.k)
            assert isinstance(statement, ast.Assign)  # nothing else writes a column by its name
            own = next((c for c in reversed(found) if c.steps[-1] is step and c.column == event["column"]), None)
            if _some_rows(statement):
                copied, column = own, own or self._mended(step, event)
            else:
                copied = own or self._copied(statement, step, event)
                column = copied or self._column(tree, statement, step, event)
            if column is None and not copied and not any(c.predicted for c in found):
                # Rules or weights by hand, applied to a column: `df["pred"] = df["x"].apply(decide)`.
                node = tree.index[statement.value]
                output, lineage = event["output"], event["lineage"]
                out.append(_Candidate([step], None, node, output, lineage, None, False, event["column"]))
            if column is not None:
                self.by_column[event["token"], event["column"]] = column
                out += [] if copied else [column]
        return out

    def _copied(self, statement: ast.Assign, step: Step, event: dict[str, Any]) -> _Candidate | None:
        """``df["pred"] = p``: nothing new, but what is made of the column later is made of the prediction."""
        if not isinstance(statement.value, ast.Name):
            return None
        name = statement.value.id
        of = next(
            (c for r in step.reads if r.name == name and (c := self.by_token.get(r.token or -1)) is not None), None
        )
        if of is None or not _same_rows(self.recording, of.lineage, event["lineage"]):
            return None
        return _Candidate([*of.steps, step], None, None, event["output"], of.lineage, None, True, event["column"])

    def _in_place(self, step: Step, event: dict[str, Any]) -> _Candidate | None:
        token = event["token"]
        before = self.by_token.get(token)
        if before is None or before.name is None or token in self._mixed or step.seq <= before.steps[-1].seq:
            return None
        after = before.steps[-1].seq
        changing = [s for s in self.recording.steps if after < s.seq <= step.seq and token in s.updates]
        now = _Candidate([*before.steps, step], before.name, None, event["output"], event["lineage"], token, True)
        read = {r.token for s in changing for r in s.reads if r.kind == "rows"}
        if not _narrow(self.recording, now) and read - set(self.by_token):
            # A table of results got a column of something else beside the prediction; what was before is the answer.
            self._mixed.add(token)
            return None
        if not _same_rows(self.recording, before.lineage, event["lineage"]):
            return None
        self.by_token[token] = now
        return now

    def _mended(self, step: Step, event: dict[str, Any]) -> _Candidate | None:
        """Some rows of a column that holds predictions; the answer is the column as it is then."""
        before = self.by_column.get((event["token"], event["column"]))
        if before is None:
            return None
        name = f"{event['name']}[{event['column']!r}]"
        steps = [*before.steps, step]
        return _Candidate(steps, name, None, event["output"], before.lineage, None, True, event["column"])

    def _column(self, tree: Tree, statement: ast.Assign, step: Step, event: dict[str, Any]) -> _Candidate | None:
        """A column made of columns that hold predictions, and of nothing else that has rows."""
        if any(r.token not in (None, event["token"]) for r in step.reads):
            return None
        asked = _columns_read(statement.value, event["name"])
        sources = [self.by_column.get((event["token"], name)) for name in asked or ()]
        known = [c for c in sources if c is not None]
        if not known or len(known) < len(sources):
            return None
        return _Candidate(
            [*_steps_of(known), step],
            None,
            tree.index[statement.value],
            event["output"],
            known[-1].lineage,
            None,
            True,
            event["column"],
        )


def _steps_of(candidates: list[_Candidate]) -> list[Step]:
    """The steps that make these, in the order in which they ran."""
    return sorted({s.seq: s for c in candidates for s in c.steps}.values(), key=lambda s: s.seq)


def _some_rows(statement: ast.Assign) -> bool:
    """``df.loc[some, "x"] = ...``: the other rows keep what they had."""
    target = statement.targets[0]
    return isinstance(target, ast.Subscript) and not isinstance(target.value, ast.Name)


def _columns_read(value: ast.expr, table: str) -> set[str] | None:
    """The columns of a table that an expression reads; None where it reads the table in any other way."""
    found: set[str] = set()
    named = 0
    for node in ast.walk(value):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(column))) if name == table:
                found.add(column)
                named += 1
            case ast.Attribute(value=ast.Name(id=name), attr=column) if name == table:
                found.add(column)
                named += 1
    mentions = sum(isinstance(node, ast.Name) and node.id == table for node in ast.walk(value))
    return found if found and named == mentions else None


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


def _same_rows(recording: Recording, a: int, b: int) -> bool:
    if a == b:
        return True
    if recording.length_of(a) != recording.length_of(b):
        return False
    for table in recording.tables_of(a):
        left, right = recording.rows_of(a, table), recording.rows_of(b, table)
        if left is not None and right is not None:
            return bool((left == right).all())
    return False


def _sources(step: Step, by_token: dict[int, _Candidate], given: set[int] | None) -> list[_Candidate] | None:
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


def _mixed(tree: Tree, step: Step, sources: list[_Candidate], given: set[int]) -> bool:
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


def _inside(recording: Recording, step: Step, tree: Tree) -> list[_Candidate]:
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
                not _same_rows(recording, wider["lineage"], event["lineage"])
                or _row_reads(step, tree, wider["node"]) - own
            ):
                break
            best = wider
        output, lineage = best["output"], best["lineage"]
        column = _written_to(tree, tree.nodes[best["node"]])
        altered = bool(best.get("altered"))
        out.append(_Candidate([step], None, best["node"], output, lineage, best.get("token"), True, column, altered))
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
    inside = {tree.index[n] for n in ast.walk(tree.nodes[node]) if n in tree.index}
    return {r.token for r in step.reads if r.kind == "rows" and r.node in inside and r.token is not None}


def _narrow(recording: Recording, candidate: _Candidate) -> bool:
    """Without a model's call, only a vector can be taken for the prediction."""
    shape = recording.snapshots[candidate.snapshot]["text"]
    return "of shape" not in shape or shape.endswith(",)") or shape.rstrip(")").endswith(", 1")


def _chain(best: _Candidate, pool: list[_Candidate]) -> list[_Candidate]:
    return [c for c in pool if c.steps[-1] in best.steps]


def _asked(recording: Recording, best: _Candidate) -> tuple[Step, dict[str, Any]] | None:
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


def _gathering(recording: Recording, steps: list[Step]) -> list[Step]:
    """The steps in which the answers of several models came into the list, dict, array or table that these steps work on."""
    if any(e["kind"] == "predict" for s in steps for e in s.events):
        return []
    known = {s.seq for s in steps}
    cells = [s for s in recording.by_frame.get(0, []) if _in_predict_cell(recording, s) and s.seq < steps[-1].seq]
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


def _prediction(recording: Recording, best: _Candidate, others: tuple[str, ...]) -> Prediction:
    best.steps = sorted([*_gathering(recording, best.steps), *best.steps], key=lambda s: s.seq)
    return Prediction(
        tuple(best.steps),
        best.name,
        best.node,
        best.snapshot,
        best.lineage,
        _asked(recording, best),
        others,
        column=best.column,
    )
