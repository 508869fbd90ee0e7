"""F11: random numbers and the present time in features."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import table
from nb2prod.forecast.context import Context, at_site, expression
from nb2prod.forecast.values import PER_ROW, Read, Site


def check(context: Context) -> Iterator[Diagnostic]:
    """F11: a random number or the present time goes into a feature."""
    for unit, site in context.path_sites:
        per_row = any(item.kind in PER_ROW for item in site.inputs)
        if not unit.columns_written and not per_row and not site.result.has("clock"):
            continue
        if site.result.has("clock") and site.name in table.CLOCKS and site.module:
            yield _clock(site)
        elif site.result.has("random") and _draws(site):
            yield _drawn(site)
    for read in context.path.captured:
        if read.value.has("clock"):
            made = _made_by(read.name, "clock", context)
            if made is not None:
                yield _clock(made)
        if read.value.has("random") and _put_into_rows(read, context):
            made = _made_by(read.name, "random", context)
            if made is not None:
                yield _drawn(made)


def _drawn(site: Site) -> Diagnostic:
    return at_site(
        site,
        "F11",
        "error",
        f"{expression(site)} draws a random number for a feature: served, a row would get another one.",
        "Use a fixed value of training instead, for example the column's median.",
    )


def _put_into_rows(read: Read, context: Context) -> bool:
    """Whether a drawn value becomes part of the rows; as an index or a mask it only chooses some."""
    unit = next((unit for unit in context.path.kept if any(item is read for item in unit.reads)), None)
    if unit is None or not (unit.columns_written or unit.updates):
        return False
    choosing = {
        id(node)
        for outer in ast.walk(unit.node)
        if isinstance(outer, (ast.Subscript, ast.Compare))
        for node in ast.walk(outer)
    }
    names = [node for node in ast.walk(unit.node) if isinstance(node, ast.Name) and node.id == read.name]
    return any(id(node) not in choosing for node in names)


def _draws(site: Site) -> bool:
    """A draw that ends in a value; one that is compared makes a mask that splits the rows."""
    source = site.module.startswith(table.RANDOM_MODULES) or (site.receiver is not None and site.receiver.path == "rng")
    return source and not isinstance(site.parent, ast.Compare)


def _clock(site: Site) -> Diagnostic:
    return at_site(
        site,
        "F11",
        "error",
        f"{expression(site)} is the moment of the run: a feature made of it would stand still or differ when serving.",
        "Write the date down, best in the cell tagged 'parameters', or make it a column of the table:\n"
        '    today = pd.Timestamp("2024-01-31")',
    )


def _made_by(name: str, trait: str, context: Context) -> Site | None:
    for unit in reversed(context.units):
        if name in unit.defines:
            return next(
                (site for site in unit.sites if site.result.has(trait) and isinstance(site.node, ast.Call)), None
            )
    return None
