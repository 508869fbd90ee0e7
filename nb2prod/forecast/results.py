"""What a call gives, by the role table: the kind of its result from the kinds that go in."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from nb2prod.forecast import table
from nb2prod.forecast.values import PER_ROW, PLAIN, ROWS, Kind, Site, Value

_PARTS = frozenset({"train", "validation", "test"})
_SPREADING = frozenset({*_PARTS, "predicted", "indexed", "resampled", "scaled", "ordered"})
"""Traits that what is made of a value has too."""
_TAINTS = frozenset({"random", "clock"})
_RECORDS = frozenset({"tolist", "to_list", "iterrows", "itertuples", "to_records", "items", "iteritems"})
_OUTPUTS = ("to_csv", "to_excel", "to_sql", "to_parquet", "to_json", "to_pickle", "to_feather", "to_string", "to_html")
_SHOWS = frozenset({"plot", "hist", "boxplot", "info", "style", "pipe_show", "to_markdown", *_OUTPUTS})


def result(site: Site) -> Value:
    """What the call gives; its rows come from where the rows that go in come from."""
    found = function(site) if site.receiver is None else method(site)
    if not found.carries:
        return found
    # What is looked up in a joined table does not make its rows the ones predicted.
    return from_origins(found, site.inputs[:1] if site.name in ("merge", "join", "map", "merge_asof") else site.inputs)


def from_origins(value: Value, inputs: Iterable[Value]) -> Value:
    """The value, its rows said to come from where those of the inputs do."""
    origins = frozenset[int]().union(*(item.origins for item in inputs if item.carries))
    if value.items is not None:
        value = replace(value, items=tuple(from_origins(item, inputs) for item in value.items))
        origins = origins.union(*(item.origins for item in value.items or ()))
    return replace(value, origins=value.origins | origins)


def method(site: Site) -> Value:
    """The result of `receiver.name(...)`."""
    receiver = site.receiver or PLAIN
    traits = traits_of(site.inputs)
    if receiver.kind in PER_ROW:
        return Value(Kind.ENTRY, traits=traits & _TAINTS)
    if receiver.kind is Kind.AGGREGATE:
        return _of_aggregate(site, traits)
    if receiver.kind is Kind.HANDLE:
        return _of_handle(site, receiver, traits)
    if receiver.kind is Kind.CONTAINER:
        return _of_container(site, receiver, traits)
    if receiver.carries:
        return _of_rows(site, receiver, traits)
    return _of_plain(site, receiver, traits)


def traits_of(inputs: Iterable[Value]) -> frozenset[str]:
    """The traits that spread from what goes in to what comes out."""
    found: set[str] = set()
    for item in inputs:
        found |= item.traits & (_SPREADING | _TAINTS if item.from_rows else _TAINTS | {"set", "predicted"})
    return frozenset(found)


def rows(kind: Kind, traits: frozenset[str], columns: frozenset[str] = frozenset(), path: str = "") -> Value:
    """A new value that carries rows."""
    return Value(kind, traits=traits, columns=columns, path=path)


def by_row(site: Site, position: int | None = 0) -> bool:
    """Whether the call works along each row: `axis=1`."""
    return site.literal("axis", position) in (1, "columns", -1)


def _of_handle(site: Site, receiver: Value, traits: frozenset[str]) -> Value:
    columns = receiver.columns
    if receiver.path == "groupby":
        if site.name in table.WINDOWS:
            return Value(Kind.HANDLE, traits=traits, path="window", columns=columns)
        if site.name in table.GROUP_ROWS:
            return rows(Kind.SERIES, traits, columns)
        if site.name == "get_group":
            return rows(Kind.FRAME, traits)
        return Value(Kind.AGGREGATE, traits=traits & _TAINTS, path=receiver.path, columns=columns)
    if receiver.path == "str" and site.name == "cat" and not site.inputs[1:]:
        return PLAIN
    return rows(Kind.FRAME if site.name == "get_dummies" else Kind.SERIES, traits, columns)


def _of_aggregate(site: Site, traits: frozenset[str]) -> Value:
    if site.name in ("merge", "join") and any(item.carries for item in site.args):
        return rows(Kind.FRAME, traits)
    if site.name in ("to_dict", "tolist", "to_list", "item", "keys"):
        return PLAIN
    return replace(site.receiver or PLAIN, traits=traits & _TAINTS)


def _of_container(site: Site, receiver: Value, traits: frozenset[str]) -> Value:
    if site.name in ("keys", "index", "count"):
        return PLAIN
    if site.name in ("values", "items", "copy"):
        return receiver
    if receiver.path == "bunch" or site.name in ("get", "pop"):
        return rows(Kind.FRAME, traits | (receiver.traits & {"raw"}))
    return rows(Kind.ARRAY, traits)


def _of_rows(site: Site, receiver: Value, traits: frozenset[str]) -> Value:
    name, columns = site.name, receiver.columns
    if name in ("groupby", "rolling", "expanding", "ewm", "resample"):
        path = "groupby" if name in ("groupby", "resample") else "window"
        return Value(Kind.HANDLE, traits=traits, path=path, columns=columns)
    if name in ("agg", "aggregate") and not by_row(site, 1):
        return Value(Kind.VALUE, traits=traits & _TAINTS, columns=columns)
    if name in table.REDUCTIONS:
        if by_row(site) and receiver.kind is not Kind.SERIES:
            return rows(Kind.SERIES, traits, columns)
        return Value(Kind.VALUE, traits=(traits & _TAINTS) | _subset(receiver), columns=columns)
    if name == "to_dict":
        records = site.literal("orient", 0) == "records"
        return Value(Kind.CONTAINER, traits=traits) if records else PLAIN
    if name in _RECORDS:
        return Value(Kind.CONTAINER, traits=traits, path=name, columns=columns)
    return PLAIN if name in _SHOWS else _kept_rows(site, receiver, traits)


def _kept_rows(site: Site, receiver: Value, traits: frozenset[str]) -> Value:
    """What has an entry per row again."""
    name, columns = site.name, receiver.columns
    if name == "pop":
        column = site.literal("item", 0)
        return rows(Kind.SERIES, traits, frozenset({column}) if isinstance(column, str) else frozenset())
    if name == "apply":
        return rows(Kind.SERIES if by_row(site, 1) else receiver.kind, traits, columns)
    if name in ("set_index", "reset_index"):
        traits = traits | {"indexed"} if name == "set_index" else traits - {"indexed"}
        return rows(Kind.FRAME, traits, columns)
    if name == "sort_values":
        traits |= {"ordered"} if _names_time(site) else frozenset()
    if name in ("merge", "join", "to_frame", "melt", "explode", "pivot_table", "pivot", "assign"):
        return rows(Kind.FRAME, traits, columns)
    if name in ("to_numpy", "toarray", "todense", "reshape", "ravel", "flatten", "get_values", "as_matrix"):
        return rows(Kind.ARRAY, traits, columns)
    if receiver.kind is Kind.INDEX:
        same = name in ("difference", "union", "intersection", "sort_values", "drop", "append", "copy", "repeat")
        return rows(Kind.INDEX if same else Kind.SERIES, traits, columns)
    return rows(receiver.kind, traits, columns)


def _subset(receiver: Value) -> frozenset[str]:
    """Statistics remember whether they came from the test rows alone."""
    return frozenset({"of_test"}) if receiver.has("test") and not receiver.has("train") else frozenset()


def _names_time(site: Site) -> bool:
    by = site.literal("by", 0)
    names = [by] if isinstance(by, str) else by if isinstance(by, list) else []
    return any(looks_like_time(str(name)) for name in names)


def looks_like_time(name: str) -> bool:
    """Whether a column's name says that it orders rows in time."""
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return any(word in ("date", "datetime", "time", "timestamp", "day", "dteday", "month", "year") for word in words)


def _of_plain(site: Site, receiver: Value, traits: frozenset[str]) -> Value:
    name = site.name
    given = [item for item in (*site.args, *site.keywords.values()) if item.carries]
    estimator = receiver.kind is Kind.ESTIMATOR
    if receiver.path == "rng" and name in table.RANDOM_FUNCTIONS:
        chosen = given[0] if given and given[0].kind is Kind.INDEX else None
        return chosen or Value(Kind.VALUE, traits=frozenset({"random"}))
    if name == "fit_resample":
        part = rows(Kind.FRAME, traits | {"resampled"})
        return Value(Kind.CONTAINER, items=(part, part), traits=part.traits)
    if name in ("fit_transform", "transform", "inverse_transform") and given:
        learnt = traits - {"predicted"} if name != "inverse_transform" else traits
        return rows(Kind.ARRAY, learnt | {"scaled"}, given[0].columns)
    if name in table.PREDICTS or name == "fit_predict":
        kind = Kind.ARRAY if given else Kind.ENTRY if any(item.kind in PER_ROW for item in site.args) else Kind.VALUE
        return Value(kind, traits=traits | {"predicted"})
    if name in ("fit", "partial_fit"):
        return replace(receiver, kind=Kind.ESTIMATOR)
    if name in table.SCORES or name in ("split", "get_params", "get_feature_names_out", "get_score"):
        return Value(Kind.VALUE, traits=traits & _TAINTS)
    if estimator:
        return rows(Kind.ARRAY, traits) if given and name != "set_params" else receiver
    if name in table.IN_PLACE or name in ("format", "join", "update", "plot", "scatter", "hist", "bar"):
        return PLAIN
    if given:
        return rows(Kind.ARRAY, traits)
    if any(item.kind in PER_ROW for item in site.args):
        return Value(Kind.ENTRY, traits=traits & _TAINTS)
    return Value(Kind.VALUE, traits=(traits | receiver.traits) & (_TAINTS | {"set", "of_test", "predicted"}))


def function(site: Site) -> Value:
    """The result of `module.name(...)`, of a class being made, or of a builtin."""
    traits = traits_of(site.inputs)
    given = [item for item in site.inputs if item.carries]
    dotted = f"{site.module}.{site.name}"
    root = site.module.split(".", 1)[0]
    if site.name in table.SPLITTERS:
        return _split(site)
    tainted = _tainted(site, dotted)
    if tainted:
        return Value(Kind.VALUE, traits=frozenset({tainted}))
    if site.name in ("default_rng", "RandomState", "Random") and site.module.startswith(table.RANDOM_MODULES):
        return Value(Kind.VALUE, path="rng")
    raw = _loaded(site, dotted, given)
    if raw is not None:
        return raw
    if root == "builtins":
        return _builtin(site, given, traits)
    return _of_library(site, given, traits)


def _of_library(site: Site, given: list[Value], traits: frozenset[str]) -> Value:
    """The result of a function or class of pandas, numpy, scikit-learn or another library."""
    dotted, root = f"{site.module}.{site.name}", site.module.split(".", 1)[0]
    if site.name == "resample" and given:
        return rows(given[0].kind, traits | {"resampled"}, given[0].columns)
    if site.name in table.ROW_CLASSES:
        return _held(site, given, traits)
    if _is_estimator(site):
        return Value(Kind.ESTIMATOR, path=site.name)
    if dotted.startswith(table.VALUE_MODULES) or site.name in table.VALUE_FUNCTIONS:
        return Value(Kind.VALUE, traits=traits & _TAINTS)
    if root == "numpy" and site.name in table.NUMPY_REDUCTIONS and not by_row(site, 1):
        subset = frozenset().union(*(_subset(item) for item in given)) if given else frozenset()
        columns = given[0].columns if given else frozenset[str]()
        return Value(Kind.ENTRY if _per_row(site) else Kind.VALUE, traits=(traits & _TAINTS) | subset, columns=columns)
    if site.name == "factorize" and given:
        return Value(Kind.CONTAINER, items=(rows(Kind.ARRAY, traits), PLAIN), traits=traits)
    if given:
        kind = Kind.FRAME if site.name in ("concat", "merge", "get_dummies", "melt", "merge_asof") else Kind.ARRAY
        aggregates = site.name == "merge" and not any(item.kind in ROWS for item in site.inputs)
        columns = given[0].columns if len(given) == 1 else frozenset[str]()
        return rows(Kind.AGGREGATE if aggregates else kind, traits, columns)
    if any(item.kind is Kind.AGGREGATE for item in site.inputs):
        return Value(Kind.AGGREGATE)
    return Value(Kind.ENTRY if _per_row(site) else Kind.VALUE, traits=traits & (_TAINTS | {"set", "predicted"}))


def _per_row(site: Site) -> bool:
    return any(item.kind in PER_ROW for item in site.inputs)


def _split(site: Site) -> Value:
    """Two parts of each argument: of training's rows the second is for validation, of the test's the first."""
    parts: list[Value] = []
    for item in site.args:
        first = "validation" if item.has("test") else "train"
        second = "validation" if item.has("train") else "test"
        for subset in (first, second):
            traits = (item.traits - _PARTS) | {subset}
            kind = item.kind if item.carries else Kind.ARRAY
            parts.append(Value(kind, traits=traits, columns=item.columns))
    return Value(Kind.CONTAINER, items=tuple(parts), path="split")


def _tainted(site: Site, dotted: str) -> str:
    if site.name in table.CLOCKS and site.module in table.CLOCK_OWNERS:
        return "clock"
    if site.name in ("default_rng", "RandomState", "Random", "Generator"):
        return ""
    if site.name in table.RANDOM_FUNCTIONS and site.module.startswith(table.RANDOM_MODULES):
        return "random"
    return "clock" if dotted in ("datetime.datetime.now", "datetime.date.today") else ""


def _loaded(site: Site, dotted: str, given: list[Value]) -> Value | None:
    """A table that comes from outside."""
    raw = frozenset({"raw"})
    if given:
        return None
    indexed = frozenset({"indexed"}) if "index_col" in site.keywords else frozenset[str]()
    if site.name.startswith("read_") and site.module.split(".")[0] in ("pandas", "polars", "geopandas", "dask"):
        return rows(Kind.FRAME, raw | indexed)
    if dotted.startswith("sklearn.datasets."):
        if site.literal("return_X_y") is True:
            return Value(Kind.CONTAINER, items=(rows(Kind.FRAME, raw), rows(Kind.SERIES, raw)))
        if site.name.startswith("make_"):
            return Value(Kind.CONTAINER, items=(rows(Kind.ARRAY, raw), rows(Kind.ARRAY, raw)))
        return Value(Kind.CONTAINER, traits=raw, path="bunch")
    if site.name in ("load_dataset", "genfromtxt", "loadtxt", "load_data", "load_csv"):
        return rows(Kind.FRAME, raw)
    return None


def _held(site: Site, given: list[Value], traits: frozenset[str]) -> Value:
    if given:
        kind = {"DataFrame": Kind.FRAME, "Series": Kind.SERIES}.get(site.name, Kind.ARRAY)
        columns = given[0].columns if len(given) == 1 else frozenset[str]()
        return rows(kind, traits, columns)
    if any(item.kind is Kind.AGGREGATE for item in site.inputs):
        return Value(Kind.AGGREGATE)
    if _per_row(site):
        return Value(Kind.ENTRY)
    made = site.name == "DataFrame" and "scores" not in traits
    return rows(Kind.FRAME, frozenset({"raw", "made"})) if made and site.inputs else PLAIN


def _is_estimator(site: Site) -> bool:
    if not site.module.startswith(table.ESTIMATOR_MODULES):
        return False
    makers = ("make_pipeline", "make_column_transformer", "make_union", "clone", "train", "ols", "logit", "glm")
    return site.name[:1].isupper() or site.name in makers


def _builtin(site: Site, given: list[Value], traits: frozenset[str]) -> Value:
    name = site.name
    first = site.args[0] if site.args else PLAIN
    if name == "set":
        return Value(Kind.VALUE, traits=frozenset({"set"}))
    if _per_row(site):
        return Value(Kind.ENTRY, traits=traits & _TAINTS)
    if name in ("sorted", "len", "sum", "min", "max", "any", "all", "range", "dict") or name in table.VALUE_FUNCTIONS:
        return Value(Kind.VALUE, traits=(traits & _TAINTS) | (_subset(first) if first.carries else frozenset()))
    if name in ("list", "tuple") and first.kind is Kind.FRAME:
        return PLAIN
    if name in ("list", "tuple", "zip", "enumerate", "map", "filter", "reversed", "iter") and given:
        return Value(Kind.CONTAINER, traits=traits, items=first.items if name in ("list", "tuple") else None, path=name)
    if given and name in ("abs", "round", "pow"):
        return rows(given[0].kind, traits, given[0].columns)
    return Value(Kind.VALUE, traits=traits & (_TAINTS | {"set", "predicted"}))


def is_literal(node: ast.AST | None) -> bool:
    """Whether the expression is a literal."""
    if not isinstance(node, ast.expr):
        return False
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True
