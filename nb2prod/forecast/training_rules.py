"""T1-T7 and P1-P3: what training and prediction do that makes their numbers mean less than they seem to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import table
from nb2prod.forecast.context import Context, at, at_site, named
from nb2prod.forecast.values import Block, Compound, Kind, Site, Unit, Value, units


def check(context: Context) -> Iterator[Diagnostic]:
    """Every diagnostic of the training and predict cells."""
    yield from _before_the_split(context)
    yield from _scored_over_and_over(context.block)
    yield from _no_random_state(context)
    yield from _same_rows(context)
    yield from _statistics_of_test(context)
    yield from _time_ordered(context)
    yield from _fits_in_predict(context)
    yield from _features_only_in_predict(context)
    yield from _undeclared_order(context)


def _splits(context: Context) -> list[Site]:
    return [site for _, site in context.sites() if site.name in table.SPLITTERS]


def _given(site: Site) -> Value | None:
    return next((item for item in (*site.args, *site.keywords.values()) if item.carries), None)


def _before_the_split(context: Context) -> Iterator[Diagnostic]:
    """T1, T2."""
    splits = [item for site in _splits(context) for item in site.args]
    scaled = any(item.has("scaled") for item in splits)
    resampled = any(item.has("resampled") for item in splits)
    for _, site in context.sites():
        given, estimator = _given(site), site.receiver
        if given is None or given.has("train") or given.has("validation") or given.has("test"):
            continue
        if (
            scaled
            and estimator is not None
            and site.name in ("fit", "fit_transform")
            and estimator.path in table.LEAKY_FITS
        ):
            yield at_site(
                site,
                "T1",
                "warning",
                f"{estimator.path} is fitted on all rows, before they are split: it has seen the test rows, "
                "so the score on them is too good.",
                "Split first, fit on the training part only, then transform both parts.",
            )
        drawn = site.name == "resample" and site.module.startswith("sklearn")
        if resampled and (drawn or site.name == "fit_resample"):
            yield at_site(
                site,
                "T2",
                "warning",
                "The rows are resampled before they are split: copies of one row land in both parts, "
                "so the score is too good.",
                "Split first, and resample the training part only.",
            )


def _scored_over_and_over(block: Block) -> Iterator[Diagnostic]:
    """T3: a setting chosen by the score on the test set."""
    for item in block:
        if not isinstance(item, Compound):
            continue
        node = item.header.node
        inside = [site for inner in item.blocks for unit in units(inner) for site in unit.sites]
        if isinstance(node, ast.For) and _is_sweep(node.iter) and any(site.name in table.FITS for site in inside):
            scored = next((site for site in inside if _scores_test(site)), None)
            if scored is not None:
                yield at_site(
                    scored,
                    "T3",
                    "warning",
                    "Each setting in this loop is scored on the test set: the best of many scores is luck in part.",
                    "Choose the setting by cross-validation on the training part (GridSearchCV), "
                    "and score once on the test set.",
                )
                continue
        for inner in item.blocks:
            yield from _scored_over_and_over(inner)


def _is_sweep(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in ("range", "arange", "linspace", "logspace", "ParameterGrid", "product")
    numbers = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return len(numbers) > 1 and all(isinstance(n, ast.Constant) and isinstance(n.value, (int, float)) for n in numbers)


def _scores_test(site: Site) -> bool:
    if site.name == "score" and not site.module:
        return bool(site.args) and site.args[0].has("test")
    return site.module.startswith("sklearn.metrics") and any(item.has("test") for item in site.args)


def _no_random_state(context: Context) -> Iterator[Diagnostic]:
    """T4."""
    if any(site.name == "seed" and "random" in site.module for _, site in context.sites()):
        return
    on_path = {id(unit) for unit in context.path.kept}
    for unit, site in context.sites():
        if not unit.cell.roles and id(unit) not in on_path:
            continue
        model = site.name in table.RANDOM_MODELS and site.module.startswith(table.ESTIMATOR_MODULES)
        split = site.name in table.SPLITTERS and site.literal("shuffle") is not False
        if not (model or split) or {"random_state", "seed", "**"} & set(site.keywords):
            continue
        what = "The split" if split else site.name
        yield at_site(
            site,
            "T4",
            "warning",
            f"{what} has no random_state: each run of the notebook gives another {'split' if split else 'model'}.",
            f"Add random_state=0 to {site.name}(...).",
        )


def _same_rows(context: Context) -> Iterator[Diagnostic]:
    """T5: predicted on the rows that it was fitted to."""
    if context.prediction is None:
        return
    asked = [s for s in context.prediction.unit.sites if s.name in table.PREDICTS and s.args]
    # A function may look at its fitted rows before it predicts others: which of several calls is the prediction is not known here.
    if not asked or any(s.args[0].objects != asked[0].args[0].objects for s in asked):
        return
    predicted = asked[0]
    if predicted.receiver is None or not predicted.args[0].objects:
        return
    for _, site in context.sites():
        if site.name != "fit" or not site.args or site.receiver is None:
            continue
        same_model = site.receiver.objects & predicted.receiver.objects
        if same_model and site.args[0].objects == predicted.args[0].objects:
            yield at_site(
                predicted,
                "T5",
                "warning",
                f"The model predicts the rows that it was fitted to ({named(predicted)}): "
                "how well it does on them says nothing about new rows.",
                "Keep rows apart for the test: train_test_split(X, y, random_state=0).",
            )
            return


def _statistics_of_test(context: Context) -> Iterator[Diagnostic]:
    """T6."""
    other_rows = _predicted_only(context)
    for unit, site in context.path_sites:
        given = _given(site)
        fits = site.name in ("fit_transform", "fit") and not site.module and given is not None
        if fits and given is not None and given.has("test") and not given.has("train"):
            yield at_site(
                site,
                "T6",
                "warning",
                f"{site.name}() on {_argument(site)} learns from the test rows; the model knows "
                "training's values. What the test rows gave is kept and served.",
                f"Use what was fitted on the training rows: transform() instead of {site.name}() for the test rows.",
            )
        elif _is_statistic(site) and unit.flows and _of_test(site, other_rows):
            yield at_site(
                site,
                "T6",
                "warning",
                f"{site.name}() of {named(site)} is a statistic of the test rows, used on the test rows; the model "
                "knows training's. What the test rows gave is kept and served.",
                "Compute it on the training rows and use that for both.",
            )


def _predicted_only(context: Context) -> frozenset[int]:
    """The tables that the predicted rows come from and the fitted ones do not: a test file of its own."""
    if context.prediction is None or not context.prediction.value.origins:
        return frozenset()
    fitted = [site.args[0] for _, site in context.sites() if site.name == "fit" and not site.module and site.args]
    trained = frozenset[int]().union(*(item.origins for item in fitted))
    return context.prediction.value.origins - trained if trained else frozenset()


def _of_test(site: Site, other_rows: frozenset[int]) -> bool:
    if site.result.carries:
        return False
    rows = [item for item in site.inputs if item.carries]
    return site.result.has("of_test") or any(item.origins and item.origins <= other_rows for item in rows)


def _is_statistic(site: Site) -> bool:
    return site.name in ("mean", "median", "mode", "std", "min", "max", "quantile", "nanmean", "nanmedian", "var")


def _argument(site: Site) -> str:
    node = site.argument("X", 0)
    return ast.unparse(node) if node is not None else "the test rows"


def _time_ordered(context: Context) -> Iterator[Diagnostic]:
    """T7."""
    for site in _splits(context):
        if site.literal("shuffle") is False or not any(item.has("ordered") for item in site.args):
            continue
        yield at_site(
            site,
            "T7",
            "warning",
            "The rows are sorted by time and then split at random: the model is tested on days that lie between "
            "those it has seen.",
            "Test on the latest rows: train_test_split(..., shuffle=False).",
        )


def _fits_in_predict(context: Context) -> Iterator[Diagnostic]:
    """P1."""
    model = _model_objects(context)
    for unit, site in context.sites():
        # A function's lines belong to the cell that they stand in, whoever calls it.
        tags = site.cell.tags & unit.cell.tags
        if "predict" not in tags or tags & {"train", "feature"} or site.name not in table.FITS or site.module:
            continue
        given = _given(site)
        if given is None or (site.receiver and site.receiver.objects & model) or given.has("test"):
            continue
        yield at_site(
            site,
            "P1",
            "warning",
            f"{site.name}() in a predict cell: serving never fits, so only what was learnt in this run is kept.",
            "Move the line to a cell tagged 'train' or 'feature', or give this cell that tag too.",
        )


def _model_objects(context: Context) -> frozenset[int]:
    if context.prediction is None:
        return frozenset()
    sites = [site for site in context.prediction.unit.sites if site.name in table.PREDICTS and site.receiver]
    return frozenset[int]().union(*(site.receiver.objects for site in sites if site.receiver))


def _features_only_in_predict(context: Context) -> Iterator[Diagnostic]:
    """P2."""
    elsewhere = {name for unit in context.units if "predict" not in unit.cell.tags for name, _ in unit.columns_written}
    for unit in context.path.kept:
        tags = unit.cell.tags
        if "predict" not in tags or "feature" in tags or context.prediction is None:
            continue
        new = [name for name, _ in unit.columns_written if name not in elsewhere and not _of_result(unit)]
        if new and unit is not context.prediction.unit:
            yield at(
                unit.cell,
                unit.line,
                "P2",
                "warning",
                f"The column {new[0]!r} is made only in the predict cell: training never computed it this way.",
                "Make it in a cell tagged 'feature' that training and prediction both go through.",
            )


def _of_result(unit: Unit) -> bool:
    return any(value.has("predicted") for value in unit.results.values()) or any(
        read.value.has("predicted") for read in unit.reads
    )


def _undeclared_order(context: Context) -> Iterator[Diagnostic]:
    """P3: the order of a set is another one in each process."""
    for unit in context.path.kept:
        for read in unit.reads:
            if read.value.has("set") and read.value.kind is Kind.VALUE and _selects_columns(unit, read.name):
                yield at(
                    unit.cell,
                    unit.line,
                    "P3",
                    "warning",
                    f"The columns in {read.name!r} come from a set, which has another order in each run.",
                    f"Sort them once:\n    {read.name} = sorted({read.name})",
                )


def _selects_columns(unit: Unit, name: str) -> bool:
    for node in ast.walk(unit.node):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            inner = node.slice
            called = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "list" and inner.args
            candidate = inner.args[0] if called and isinstance(inner, ast.Call) else inner
            if isinstance(candidate, ast.Name) and candidate.id == name:
                return True
    return False
