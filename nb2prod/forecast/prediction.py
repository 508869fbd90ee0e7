"""Which statement of the predict cells makes the prediction, and which columns the model is fitted to."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from nb2prod.forecast import table
from nb2prod.forecast.values import Block, Kind, Site, Unit, Value, units


@dataclass(frozen=True)
class Prediction:
    """The statement, the name that it gives the prediction (None for a bare expression), and its value."""

    unit: Unit
    name: str | None
    value: Value
    by_function: bool = False
    """The notebook predicts by a function of plain values: no rows are behind it."""


def find(block: Block, wanted: str | None = None, cells: frozenset[int] | None = None) -> Prediction | None:
    """The prediction that a build would serve: the last one in a predict cell, or the variable `wanted`.

    `cells` says which cells (by number) count as predict cells; by default those tagged so.
    """
    inside = [unit for unit in units(block) if _counts(unit, cells)]
    if wanted is not None:
        holding = [unit for unit in inside if wanted in unit.results]
        holding = holding or [unit for unit in units(block) if wanted in unit.results]
        return Prediction(holding[-1], wanted, holding[-1].results[wanted]) if holding else None
    candidates = [item for unit in inside for item in _candidates(unit)]
    made = [item for item in candidates if item.value.has("predicted") and item.value.carries and _is_made(item)]
    plain = [item for item in made if item.value.kind is not Kind.FRAME]
    named = [item for item in plain if item.name is not None]
    for pool in (named, plain, made):
        if pool:
            return _rewritten(pool[-1], inside)
    functions = [item for item in candidates if item.value.has("by_function")]
    if functions:
        last = functions[-1]
        return Prediction(last.unit, last.name or last.value.path, last.value, by_function=True)
    if cells is not None or scores_only(block):
        return None
    other = [item for item in candidates if item.value.carries and item.name is not None and not _selects(item)]
    return other[-1] if other else None


def others(block: Block, chosen: Prediction) -> tuple[Prediction, ...]:
    """The predictions by a model that other predict cells than the chosen one's bind to a name, in order."""
    units_there = [unit for unit in units(block) if _counts(unit, None) and unit.cell is not chosen.unit.cell]
    found = [item for unit in units_there for item in _candidates(unit) if item.name not in (None, chosen.name)]
    return tuple(item for item in found if item.value.has("predicted") and item.value.carries and _is_made(item))


def _rewritten(item: Prediction, inside: list[Unit]) -> Prediction:
    """A prediction that stands in a column, as later statements have made it there: of such columns and nothing else of rows."""
    if item.name not in {name for name, _ in item.unit.columns_written}:
        return item
    known = {item.name}
    for unit in inside[inside.index(item.unit) + 1 :]:
        read = {name for name, _ in unit.columns_read}
        tables = {read.name for read in unit.reads if read.value.carries}
        if len(unit.columns_written) == 1 and read and read <= known and len(tables) == 1:
            name = unit.columns_written[0][0]
            known.add(name)
            item = Prediction(unit, name, item.value)
    return item


def folds_only(block: Block) -> Site | None:
    """The `cross_val_predict` in a predict cell that has no other prediction beside it."""
    return next((site for site in reversed(_predict_sites(block)) if site.name == "cross_val_predict"), None)


def _predict_sites(block: Block) -> list[Site]:
    return [site for unit in units(block) if "predict" in unit.cell.tags for site in unit.sites]


def _counts(unit: Unit, cells: frozenset[int] | None) -> bool:
    return "predict" in unit.cell.tags if cells is None else unit.cell.number in cells


def scores_only(block: Block) -> Site | None:
    """The `.score()` in a predict cell that has no prediction beside it."""
    sites = _predict_sites(block)
    if any(site.name in table.PREDICTS for site in sites):
        return None
    return next((site for site in sites if site.name in ("score", "evaluate") and not site.module), None)


def _candidates(unit: Unit) -> Iterable[Prediction]:
    for name, value in unit.results.items():
        if name in unit.defines and not isinstance(unit.node, (ast.For, ast.FunctionDef, ast.ClassDef)):
            yield Prediction(unit, name, value)
    if unit.shown is not None:
        yield Prediction(unit, None, unit.shown)
    predicting = [site for site in unit.sites if site.name in table.PREDICTS and site.result.carries]
    if predicting and unit.columns_written:
        yield Prediction(unit, unit.columns_written[0][0], predicting[-1].result)


def _is_made(item: Prediction) -> bool:
    """Made here or post-processed, as opposed to compared with the truth or merely shown."""
    if any(site.name in table.PREDICTS | {"fit_predict"} for site in item.unit.sites):
        return True
    if item.name is None:
        return False
    carrying = [read.value for read in item.unit.reads if read.value.carries]
    return bool(carrying) and all(value.has("predicted") for value in carrying)


def _selects(item: Prediction) -> bool:
    return item.value.kind is Kind.CONTAINER or item.value.has("raw")


def target_columns(block: Block, told: tuple[str, ...] = ()) -> frozenset[str]:
    """The columns that the notebook fits a model to, with those that they were made of and that are dropped."""
    if told:
        return frozenset(told)
    found: set[str] = set()
    dropped: set[str] = set()
    for unit in units(block):
        dropped |= unit.columns_dropped
        for site in unit.sites:
            target = _fitted_to(site)
            if target is not None and target.carries and len(target.columns) <= 3:
                found |= target.columns
    for unit in reversed(list(units(block))):
        written = {name for name, _ in unit.columns_written}
        read = {name for name, _ in unit.columns_read}
        if written and written <= found and len(read) == 1 and read <= dropped:
            found |= read
    return frozenset(found)


def _fitted_to(site: Site) -> Value | None:
    if site.name in ("fit", "fit_transform", "fit_predict", "fit_resample") and not site.module:
        return site.keywords.get("y") or (site.args[1] if len(site.args) > 1 else None)
    if site.name in ("DMatrix", "QuantileDMatrix", "Dataset", "Pool"):
        return site.keywords.get("label") or (site.args[1] if len(site.args) > 1 else None)
    if site.module.startswith("statsmodels") and site.name in ("OLS", "Logit", "GLM", "Probit", "WLS", "Poisson"):
        return site.keywords.get("endog") or (site.args[0] if site.args else None)
    if site.name in ("cross_val_score", "cross_validate"):
        return site.keywords.get("y") or (site.args[2] if len(site.args) > 2 else None)
    return None
