"""The static forecast: what a build of a notebook would serve and what stands in its way; runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic, ordered
from nb2prod.forecast import captures, notebook_rules, path_rules, training_rules
from nb2prod.forecast.context import Context
from nb2prod.forecast.outcome import Captured, Filter, Forecast, Place, Step
from nb2prod.forecast.prediction import Prediction, find, target_columns
from nb2prod.forecast.suggestion import Proposal, suggest
from nb2prod.forecast.trace import trace
from nb2prod.forecast.values import Kind, Unit
from nb2prod.forecast.walk import Walk, walk_back
from nb2prod.notebook import ROLES, Notebook, problems

__all__ = ["Captured", "Filter", "Forecast", "Place", "Proposal", "Step", "forecast", "suggest"]


def forecast(notebook: Notebook, options: Options | None = None) -> Forecast:
    """The forecast for a notebook as `notebook.load` gives it; every problem is in its diagnostics."""
    options = options or Options()
    found = list(problems(notebook))
    block = trace(notebook) if notebook.language == "python" else []
    prediction = find(block, options.prediction)
    path = (
        walk_back(block, prediction.unit, prediction.value.origins)
        if prediction and not prediction.by_function
        else Walk()
    )
    context = Context(notebook, block, prediction, path, target_columns(block, options.target))
    context = Context(notebook, block, prediction, path, context.target | _made_from(context))
    for rules in (path_rules, training_rules, notebook_rules) if notebook.language == "python" else ():
        found += rules.check(context)
    held = captures.captured(context)
    found += _captured_notes(held, notebook)
    kept, suppressed = _sift(found, notebook)
    return Forecast(
        notebook=notebook.name,
        sections=_sections(notebook),
        prediction=_place(prediction),
        raw_table=_raw_table(context, options),
        fields=options.fields or _fields(context),
        target=options.target or _raw_target(context),
        path=tuple(_step(unit, context) for unit in path.kept),
        captured=held,
        filters=tuple(dict.fromkeys(captures.filters(context, dict(options.filters)))),
        diagnostics=ordered(kept),
        suppressed=ordered(suppressed),
    )


def _sift(found: Iterable[Diagnostic], notebook: Notebook) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Kept, and suppressed by a comment; errors can't be."""
    kept: list[Diagnostic] = []
    suppressed: list[Diagnostic] = []
    for item in found:
        cell = notebook.cell(item.cell) if item.cell else None
        ignored = item.severity != "error" and cell is not None and cell.ignores(item.code, item.line)
        (suppressed if ignored else kept).append(item)
    return kept, suppressed


def _sections(notebook: Notebook) -> dict[str, tuple[int, ...]]:
    sections = {role: tuple(cell.number for cell in notebook.with_role(role)) for role in ROLES}
    context = tuple(cell.number for cell in notebook.code_cells if not cell.roles and cell.source.strip())
    return {**sections, "untagged": context}


def _place(prediction: Prediction | None) -> Place | None:
    if prediction is None:
        return None
    unit = prediction.unit
    return Place(prediction.name or "(the cell's last expression)", unit.cell.number, unit.line)


def _raw_table(context: Context, options: Options) -> Place | None:
    if options.raw_table is not None:
        made = [unit for unit in context.units if options.raw_table in unit.defines]
        if made:
            return Place(options.raw_table, made[0].cell.number, made[0].line)
    sources = context.path.sources
    if len(sources) > 1 and _ends_in_tail(context):
        # Train and test were put together and are taken apart again: the rows after train's are test's.
        sources = sources[-1:]
    for unit in sources:
        for name, value in unit.results.items():
            if value.kind is Kind.CONTAINER and value.path == "bunch":
                following = [u for u in context.path.kept if u is not unit and any(r.name == name for r in u.reads)]
                inner = [n for u in following[:1] for n in u.defines]
                if inner:
                    return Place(inner[0], following[0].cell.number, following[0].line)
            return Place(name, unit.cell.number, unit.line)
    return None


def _ends_in_tail(context: Context) -> bool:
    """Whether the path goes on with `data[n:]`."""
    for unit in context.path.kept:
        for node in ast.walk(unit.node):
            part = node.slice if isinstance(node, ast.Subscript) else None
            part = part.elts[0] if isinstance(part, ast.Tuple) and part.elts else part
            if isinstance(part, ast.Slice) and part.lower is not None and part.upper is None:
                return True
    return False


def _fields(context: Context) -> tuple[str, ...]:
    """Columns that the path reads before it makes them."""
    made: set[str] = set()
    seen: set[str] = set()
    renamed: dict[str, str] = {}
    dummies = False
    fields: dict[str, None] = {}
    for unit in context.path.kept:
        renamed.update(unit.columns_renamed)
        if any(site.name == "assign" for site in unit.sites):
            # One call makes columns and reads them again.
            made |= {name for name, _ in unit.columns_written}
        dummies = dummies or any(site.name == "get_dummies" for site in unit.sites)
        for name, _ in unit.columns_read if not context.about_target(unit) else ():
            encoded = dummies and any(name.startswith(f"{column}_") for column in seen | made)
            if name not in made and not encoded:
                fields[renamed.get(name, name)] = None
            seen.add(name)
        made |= {name for name, _ in (*unit.columns_written, *unit.columns_joined)}
    return tuple(name for name in fields if name not in context.target)


def _raw_target(context: Context) -> tuple[str, ...]:
    """The target as far as it is columns of the raw table: without what the notebook makes of them."""
    renamed = {new: old for unit in context.units for new, old in unit.columns_renamed.items()}
    made: set[str] = set()
    for unit in context.units:
        read = {name for name, _ in unit.columns_read}
        made |= {name for name, _ in unit.columns_written if name not in read}
    raw = {renamed.get(name, name) for name in context.target if name not in made}
    return tuple(sorted(raw or context.target))


def _made_from(context: Context) -> set[str]:
    """Raw columns that the target alone is made of."""
    found: set[str] = set()
    for unit in context.units:
        read = {name for name, _ in unit.columns_read}
        if context.about_target(unit) and read - context.target:
            others = (u for u in context.path.kept if u is not unit and not context.about_target(u) and not _drops(u))
            if not any(read & {name for name, _ in other.columns_read} for other in others):
                found |= read
    return found


def _drops(unit: Unit) -> bool:
    """A statement that only filters rows or drops columns makes no feature of the columns that it names."""
    return any(site.name in ("dropna", "filter", "query", "drop") for site in unit.sites) and not unit.columns_written


def _step(unit: Unit, context: Context) -> Step:
    node = unit.node
    header = isinstance(node, (ast.For, ast.If, ast.With, ast.While, ast.Try))
    source = unit.source.rstrip() if header else unit.source
    return Step(unit.cell.number, unit.line, unit.end_line, source, context.about_target(unit))


def _captured_notes(held: Iterable[Captured], notebook: Notebook) -> Iterable[Diagnostic]:
    """What depends on the batch and has a frozen equivalent: information, for those who read JSON."""
    for item in held:
        if item.rule:
            cell = notebook.cell(item.cell)
            source = cell.text_of(item.line).strip()
            yield Diagnostic(item.rule, "info", f"{item.name}: {item.reason}.", "", item.cell, item.line, source)
