"""Tags proposed for a notebook, with a reason for each. Tags that are there already are kept and not looked at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod.forecast import table
from nb2prod.forecast.prediction import Prediction, find, target_columns
from nb2prod.forecast.results import is_literal
from nb2prod.forecast.trace import trace
from nb2prod.forecast.values import Block, Kind, Site, Unit, units
from nb2prod.forecast.walk import Walk, walk_back
from nb2prod.notebook import ROLES, Cell, Notebook

_ORDER = ("parameters", "data", "feature", "train", "predict", "fallback")


@dataclass(frozen=True)
class Proposed:
    """A tag for a cell. `new`: the cell does not have it yet."""

    cell: int
    tag: str
    reason: str
    new: bool


@dataclass(frozen=True)
class Proposal:
    """The tags proposed for a notebook; `existing` are all tags of the cells that have some, by cell number."""

    notebook: str
    tags: tuple[Proposed, ...]
    existing: dict[int, tuple[str, ...]]
    remark: str = ""

    @property
    def changes(self) -> bool:
        """Whether a tag is proposed that is not there yet."""
        return any(item.new for item in self.tags)

    def tags_to_write(self) -> dict[int, tuple[str, ...]]:
        """Cell index (from 0) -> all its tags, for the cells that get a new one."""
        wanted: dict[int, list[str]] = {}
        for item in self.tags:
            if item.new:
                wanted.setdefault(item.cell - 1, list(self.existing.get(item.cell, ()))).append(item.tag)
        return {index: tuple(names) for index, names in wanted.items()}

    def to_json(self) -> dict[str, Any]:
        """The document of `nb2prod suggest --json`."""
        return {"notebook": self.notebook, "tags": [asdict(item) for item in self.tags], "remark": self.remark}

    def text(self) -> str:
        """The proposal for a terminal."""
        if not self.tags:
            return self.remark
        width = max(len(item.tag) for item in self.tags)
        lines = [f"Tags proposed for {self.notebook} (nothing was run)", ""]
        for item in self.tags:
            there = "" if item.new else "   (is there)"
            lines.append(f"  cell {item.cell:<3}  {item.tag:<{width}}   {item.reason}{there}")
        return "\n".join([*lines, *(["", self.remark] if self.remark else [])])


def suggest(notebook: Notebook) -> Proposal:
    """The tags that fit a notebook as `notebook.load` gives it; nothing is run, nothing written."""
    existing = {cell.number: tuple(sorted(cell.tags)) for cell in notebook.cells if cell.tags}
    block = trace(notebook)
    prediction = _prediction(notebook, block)
    reasons: dict[tuple[int, str], str] = {}
    if prediction is None:
        remark = (
            "No cell was found that predicts rows with a fitted model. Add one, for example "
            "y_pred = model.predict(X_test), and tag it 'predict'."
        )
        return Proposal(notebook.name, (), existing, remark)
    for cell, tag, reason in _proposed(notebook, block, prediction):
        reasons.setdefault((cell.number, tag), reason)
    tags = tuple(
        Proposed(number, tag, reason, tag not in notebook.cell(number).tags)
        for (number, tag), reason in sorted(reasons.items(), key=lambda item: (item[0][0], _ORDER.index(item[0][1])))
    )
    return Proposal(notebook.name, tags, existing, _remark(notebook))


def _remark(notebook: Notebook) -> str:
    other = [cell.number for cell in notebook.code_cells if cell.roles]
    return f"Tags that cells {', '.join(map(str, other))} have already are kept." if other else ""


def _proposed(notebook: Notebook, block: Block, prediction: Prediction) -> Iterator[tuple[Cell, str, str]]:
    everything = list(units(block))
    path = walk_back(block, prediction.unit, prediction.value.origins) if not prediction.by_function else Walk()
    yield from _parameters(notebook, everything)
    yield from _features(everything, path, prediction, target_columns(block))
    yield from _training(everything, path, prediction)
    name = f" {prediction.name}" if prediction.name else ""
    method = next((site for site in prediction.unit.sites if site.name in table.PREDICTS), None)
    how = f" with {method.name}()" if method is not None else ""
    yield prediction.unit.cell, "predict", f"makes the prediction{name}{how}"


def _prediction(notebook: Notebook, block: Block) -> Prediction | None:
    """The last cell that predicts: rather other rows than those trained on, rather into a variable."""
    told = frozenset(cell.number for cell in notebook.with_role("predict"))
    if told:
        return find(block, cells=told) or find(block)
    made = [find(block, cells=frozenset({cell.number})) for cell in notebook.code_cells]
    found = [item for item in made if item is not None]
    other_rows = [item for item in found if not _of_training(item)]
    named = [item for item in other_rows if item.name is not None]
    return next((pool[-1] for pool in (named, other_rows, found) if pool), None)


def _of_training(item: Prediction) -> bool:
    return item.value.has("train") and not item.value.has("test")


def _parameters(notebook: Notebook, everything: list[Unit]) -> Iterator[tuple[Cell, str, str]]:
    """A cell before the first rows that sets only plain values, each read further on."""
    for cell in notebook.code_cells:
        own = [unit for unit in everything if unit.cell is cell]
        if any(site.result.carries for unit in own for site in unit.sites):
            return
        names = [name for unit in own for name in _constants(unit)]
        if own and len(names) >= len(own) and all(_constants(unit) for unit in own):
            used = {read.name for unit in everything if unit.cell is not cell for read in unit.reads}
            if used & set(names) and not _is_settings(names):
                yield cell, "parameters", f"sets {_listed(names)}: plain values used further on"
                return


def _constants(unit: Unit) -> list[str]:
    node = unit.node
    if isinstance(node, ast.Assign) and is_literal(node.value) and all(isinstance(t, ast.Name) for t in node.targets):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_literal(node.value):
        return [node.target.id]
    return []


def _is_settings(names: list[str]) -> bool:
    """Plot settings are no parameters."""
    return all(re.search(r"(?i)fig|plot|color|style", name) for name in names)


def _features(
    everything: list[Unit], path: Walk, prediction: Prediction, target: frozenset[str]
) -> Iterator[tuple[Cell, str, str]]:
    sources = {id(unit) for unit in path.sources}
    loading = {id(unit.cell) for unit in path.sources}
    made: dict[int, tuple[Cell, list[str], list[str]]] = {}
    for unit in path.kept:
        if unit is prediction.unit or id(unit) in sources or _predicted(unit) or _only_target(unit, target):
            continue
        _, columns, other = made.setdefault(id(unit.cell), (unit.cell, [], []))
        columns += [repr(name) for name, _ in unit.columns_written if name not in target]
        reason = _what_it_does(unit)
        if reason and not (id(unit.cell) in loading and _only_selects(unit)):
            other.append(reason)
        for site in unit.sites:
            if site.cell is not unit.cell and site.result.carries:
                yield site.cell, "feature", "defines a function that the features are made with"
    for cell, columns, other in made.values():
        if columns:
            yield cell, "feature", f"makes {_listed(columns)}"
        elif other:
            yield cell, "feature", other[0]
    yield from _made_for_the_path(everything, path)


def _predicted(unit: Unit) -> bool:
    return any(value.has("predicted") for value in unit.results.values())


def _only_target(unit: Unit, target: frozenset[str]) -> bool:
    touched = {name for name, _ in unit.columns_written} | unit.columns_dropped
    return bool(touched) and touched <= target and bool(unit.columns_written or "drop" in unit.source.split("=")[0])


def _only_selects(unit: Unit) -> bool:
    names = {site.name for site in unit.sites if isinstance(site.node, ast.Call) and site.result.carries}
    selecting = {"dropna", "query", "drop_duplicates", "sort_values", "reset_index", "copy", "sample", "head", "drop"}
    return names <= selecting and not unit.columns_written


def _what_it_does(unit: Unit) -> str:
    splits = any(site.name in table.SPLITTERS for site in unit.sites)
    if splits or isinstance(unit.node, (ast.For, ast.If, ast.With)) or unit.columns_written:
        return ""
    calls = [site.name for site in unit.sites if isinstance(site.node, ast.Call) and site.result.carries]
    changing = [name for name in calls if name not in ("copy", "sample", "head", "tail", "reset_index", "to_frame")]
    if unit.columns_joined or "merge" in changing:
        return "joins another table"
    if changing == ["drop"]:
        return "chooses the model's columns"
    if changing:
        return f"changes the rows with {_listed([f'{name}()' for name in changing])}"
    if any(site.name == "filter" for site in unit.sites):
        return "chooses rows"
    if unit.columns_read or unit.updates:
        return "chooses the model's columns" if unit.columns_read else "changes the columns"
    return ""


def _made_for_the_path(everything: list[Unit], path: Walk) -> Iterator[tuple[Cell, str, str]]:
    """Cells that fit a transformer, or compute a value from rows, that the path applies."""
    wanted = {read.name: read for read in path.captured}
    for unit in everything:
        if isinstance(unit.node, ast.ClassDef) and _transforms(unit.node):
            yield unit.cell, "feature", f"defines the transformer {unit.node.name}"
        for site in unit.sites:
            receiver = site.receiver
            applied = receiver is not None and any(
                read.value.objects & receiver.objects for read in wanted.values() if read.value.kind is Kind.ESTIMATOR
            )
            if site.name == "fit" and applied and receiver and not _has_target(site):
                yield unit.cell, "feature", f"fits {receiver.path or 'what'} that the path applies"
        computed = [name for name in unit.defines if name in wanted and _is_computed(unit, wanted[name].value.kind)]
        if computed:
            yield unit.cell, "feature", f"computes {_listed(computed)} from the rows"


def _transforms(node: ast.ClassDef) -> bool:
    return any(isinstance(item, ast.FunctionDef) and item.name == "transform" for item in node.body)


def _is_computed(unit: Unit, kind: Kind) -> bool:
    carrying = [read for read in unit.reads if read.value.carries]
    return (
        kind in (Kind.VALUE, Kind.AGGREGATE) and bool(carrying) and not any(r.value.has("predicted") for r in carrying)
    )


def _has_target(site: Site) -> bool:
    return len(site.args) > 1 or "y" in site.keywords


def _training(everything: list[Unit], path: Walk, prediction: Prediction) -> Iterator[tuple[Cell, str, str]]:
    """The cells that fit the model that predicts; failing that, those that fit with a target."""
    models = {
        number
        for unit in [*path.kept, prediction.unit]
        for site in unit.sites
        if site.name in table.PREDICTS and site.receiver is not None
        for number in site.receiver.objects
    }
    fits = [(unit, site) for unit in everything for site in unit.sites if _trains(site)]
    own = [(unit, site) for unit, site in fits if site.result.objects & models or _receives(site, models)]
    for unit, site in own or fits:
        model = site.receiver.path if site.receiver is not None else site.result.path
        yield unit.cell, "train", f"fits the model{f' ({model})' if model else ''}"


def _trains(site: Site) -> bool:
    if site.name == "train" and site.result.kind is Kind.ESTIMATOR:
        return True
    return site.name in ("fit", "fit_predict") and not site.module and any(item.carries for item in site.args)


def _receives(site: Site, models: set[int]) -> bool:
    return site.receiver is not None and bool(site.receiver.objects & models)


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique) if len(unique) <= 4 else f"{', '.join(unique[:3])} and {len(unique) - 3} more"


def roles_proposed(proposal: Proposal) -> dict[int, frozenset[str]]:
    """Cell number -> the tags proposed for it."""
    found: dict[int, set[str]] = {}
    for item in proposal.tags:
        found.setdefault(item.cell, set()).add(item.tag)
    return {number: frozenset(tags & set(ROLES)) for number, tags in found.items()}
