"""What the expected path reads and keeps, and the filters on it: names, places and reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.forecast import table
from nb2prod.forecast.context import Context
from nb2prod.forecast.outcome import Captured, Filter
from nb2prod.forecast.results import by_row
from nb2prod.forecast.values import PER_ROW, Kind, Read, Site, Unit

_TRIVIAL = frozenset({"columns", "shape", "size", "dtypes", "dtype", "name", "names", "ndim", "empty", "feature_names"})
_FITTING = frozenset({"fit_transform", "fit_predict"})
_NO_STATE = frozenset({"print", "display", "info", "isinstance", "type", "range", "keys", "hasattr", "set", "dict"})


def captured(context: Context) -> tuple[Captured, ...]:
    """The values that serving keeps: names that the path reads, then what it computes from rows on the spot."""
    found: dict[tuple[str, str], Captured] = {}
    aside = {id(read) for unit in context.path.kept if context.about_target(unit) for read in unit.reads}
    fitted = {number for _, site in context.path_sites if site.name in _FITTING for number in _objects(site)}
    for read in context.path.captured:
        if id(read) in aside or (read.value.objects & fitted and read.value.kind is Kind.ESTIMATOR):
            continue
        found.setdefault((read.name, ""), _of_read(read, context))
    for unit, site in context.path_sites:
        rule = frozen_rule(site)
        if rule is None:
            continue
        name = _telling_name(site)
        text = "" if site.name in _FITTING and _is_named(site) else ast.unparse(site.node)
        source = site.cell.text_of(site.line).strip()
        item = Captured(name, site.cell.number, site.line, table.REASONS[rule], source, rule, text)
        if not _is_bound(unit, site):
            found.setdefault((name, f"{site.cell.number}.{site.line}.{text}"), item)
    return tuple(sorted(found.values(), key=lambda item: (item.cell, item.line)))


def _objects(site: Site) -> frozenset[int]:
    return site.receiver.objects if site.receiver is not None else frozenset()


def _is_named(site: Site) -> bool:
    node = site.node
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)


def frozen_rule(site: Site) -> str | None:
    """The rule by which training's state is kept for this call; None if it works row by row."""
    inputs = [item for item in site.inputs if item.carries]
    if not inputs or any(item.kind in PER_ROW for item in site.inputs) or site.name in _NO_STATE:
        return None
    if site.name in ("fit_transform", "fit_predict", "fit"):
        return "F1" if not site.module and site.name != "fit" else None
    if site.name == "get_dummies" or (site.name in ("factorize", "codes") and site.name not in _TRIVIAL):
        return "F4"
    if site.name in ("qcut", "cut"):
        bins = site.literal("bins" if site.name == "cut" else "q", 1)
        return "F5" if site.name == "qcut" or isinstance(bins, int) else None
    if site.name in table.SCALER_FUNCTIONS and site.module.startswith("sklearn.preprocessing"):
        return "F10"
    receiver = site.receiver
    if receiver is not None and receiver.kind is Kind.HANDLE and receiver.path == "groupby":
        return "F7" if site.name == "transform" or site.result.kind is Kind.AGGREGATE else None
    if site.name == "dropna" and by_row(site, 0):
        return "F8"
    if site.result.carries or site.result.kind in PER_ROW or site.name in _TRIVIAL:
        return None
    return "F2" if site.result.kind is Kind.VALUE and _is_state(site) else None


def _is_state(site: Site) -> bool:
    """A statistic; not a plot, a print or a fit."""
    if site.module and site.module.split(".")[0] not in ("numpy", "builtins", "pandas"):
        return False
    return site.name in table.REDUCTIONS | table.NUMPY_REDUCTIONS | {"len", "sum", "min", "max", "agg", "aggregate"}


def _is_bound(unit: Unit, site: Site) -> bool:
    """`mean = df.Age.mean()` within a function is read by name."""
    return isinstance(unit.node, ast.Assign) and unit.node.value is site.node and not site.result.carries


def _of_read(read: Read, context: Context) -> Captured:
    value = read.value
    reason, rule = "a value of the notebook", ""
    if read.lookup:
        reason, rule = "another table, used as a lookup", "F13"
    elif value.kind is Kind.AGGREGATE:
        reason, rule = "a table by group, used as a lookup", "F13"
    elif value.kind is Kind.ESTIMATOR:
        predicts = any(_predicts_with(unit, read.name) for unit in context.path.kept)
        reason, rule = ("the fitted model", "") if predicts else ("fitted in training, only applied when serving", "F1")
    else:
        makers = [unit for unit in context.units if any(read.name in flow.names for flow in unit.flows)]
        maker = makers[-1] if makers else None
        if maker is not None and any(_from_rows(unit, context) for unit in makers):
            reason, rule = f"computed from the rows in cell {maker.cell.number}", "F2"
        elif maker is not None:
            reason = f"set in cell {maker.cell.number}"
    return Captured(read.name, read.cell.number, read.line, reason, read.cell.text_of(read.line).strip(), rule)


def _predicts_with(unit: Unit, name: str) -> bool:
    held = [read.value for read in unit.reads if read.name == name]
    return any(
        site.name in table.PREDICTS and site.receiver is not None and site.receiver.objects & value.objects
        for site in unit.sites
        for value in held
    )


def _maker(name: str, context: Context) -> Unit | None:
    made = [unit for unit in context.units if name in unit.defines]
    return made[-1] if made else None


def _from_rows(unit: Unit, context: Context, depth: int = 3) -> bool:
    """Whether what the statement gives was computed from rows, by itself or by the ones before it."""
    if any(read.value.carries for read in unit.reads):
        return True
    makers = [_maker(read.name, context) for read in unit.reads if read.value.kind is Kind.VALUE]
    return depth > 0 and any(maker and maker is not unit and _from_rows(maker, context, depth - 1) for maker in makers)


def _telling_name(site: Site) -> str:
    column = next(iter(site.receiver.columns if site.receiver else ()), "") if _one_column(site) else ""
    if not column and site.args:
        column = next(iter(site.args[0].columns), "") if len(site.args[0].columns) == 1 else ""
    if site.name in _FITTING and _is_named(site):
        return ast.unparse(site.node.func.value)  # type: ignore[attr-defined]
    word = {"get_dummies": "dummies", "fit_transform": "fitted", "codes": "categories"}.get(site.name, site.name)
    if site.name == "fit_transform" and site.receiver is not None and site.receiver.path:
        word = re.sub(r"(?<!^)(?=[A-Z])", "_", site.receiver.path).lower()
    return re.sub(r"\W+", "_", f"{column}_{word}".strip("_").lower())


def _one_column(site: Site) -> bool:
    return site.receiver is not None and len(site.receiver.columns) == 1


def filters(context: Context, told: dict[str, str]) -> Iterator[Filter]:
    """The lines on the path that drop rows. `told` settles the class of some, by `"cell.line"`."""
    for unit in context.path.kept:
        for line, condition, kind, reason in _filters_of(unit, context):
            settled = told.get(f"{unit.cell.number}.{line}")
            outcome = (kind, reason) if settled is None else (settled, "as the options say")
            yield Filter(unit.cell.number, line, condition, *outcome)


def _filters_of(unit: Unit, context: Context) -> list[tuple[int, str, str, str]]:
    found: list[tuple[int, str, str, str]] = []
    called: list[tuple[str, str]] = []
    for site in (site for other, site in context.path.sites if other is unit):
        condition = _condition(site)
        own = any(node is site.node for node in ast.walk(unit.node))
        # A column that is set takes the rows that are there: what was dropped on the way to it loses none.
        if condition is None or (own and unit.columns_written):
            continue
        kind = _class_of(site, unit, context)
        if own:
            found.append((site.line, condition, *kind))
        else:
            called.append(kind)
    if called:
        # Within a function: the line that calls it is the one that loses rows.
        kind = next((item for item in called if item[0] == "training-only"), called[0])
        found.append((unit.line, ast.unparse(unit.node).splitlines()[0], *kind))
    return found


def _condition(site: Site) -> str | None:
    receiver = site.receiver
    if receiver is None or not receiver.carries or receiver.kind is Kind.INDEX:
        return None
    if site.name == "filter" and isinstance(site.node, ast.Subscript):
        if site.result.kind not in (Kind.FRAME, Kind.SERIES):
            return None
        if site.args and site.args[0].kind is Kind.INDEX:
            return None
        return ast.unparse(site.node.slice)
    if site.name in ("dropna", "drop_duplicates") and not by_row(site, 0 if site.name == "dropna" else None):
        return _without_receiver(site.node)
    return _without_receiver(site.node) if site.name == "query" else None


def _without_receiver(node: ast.expr) -> str:
    """`df.dropna(subset=["a"])` as `dropna(subset=['a'])`: what stands before the dot is the path itself."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return ast.unparse(ast.Call(ast.Name(node.func.attr), node.args, node.keywords))
    return ast.unparse(node)


def _class_of(site: Site, unit: Unit, context: Context) -> tuple[str, str]:
    tags = site.cell.tags
    if "train" in tags and "feature" not in tags:
        return "training-only", "the cell is tagged 'train'"
    if site.name == "drop_duplicates":
        return "training-only", "depends on the other rows"
    named = {node.value for node in ast.walk(site.node) if isinstance(node, ast.Constant)}
    attributes = {node.attr for node in ast.walk(site.node) if isinstance(node, ast.Attribute)}
    words = {word for text in named if isinstance(text, str) for word in re.findall(r"\w+", text)}
    mentioned = words | attributes | {text for text in named if isinstance(text, str)}
    if context.target & mentioned:
        return "training-only", "looks at the target, which a request does not have"
    if context.made_of_target.keys() & mentioned:
        return "training-only", "looks at what is made of the target"
    inner = [other for _, other in context.path.sites if any(other.node is node for node in ast.walk(site.node))]
    if site.cell is not unit.cell or not any(site.node is node for node in ast.walk(unit.node)):
        # Within a function: the statistics computed above the filter are what it compares with.
        inner += [other for other in unit.sites if other.cell is site.cell and other.line < site.line]
    if any(frozen_rule(other) for other in inner if other is not site):
        return "training-only", "depends on the other rows"
    return "validity", "a request's row that fails it is refused by name"
