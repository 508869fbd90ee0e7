"""F1-F17 and N12 on the expected path: what can't be served, and what deserves a warning."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import table
from nb2prod.forecast.context import Context, at, at_site, expression, named
from nb2prod.forecast.results import by_row
from nb2prod.forecast.values import PER_ROW, ROWS, Kind, Read, Site, Unit

_ALONE = "A request's row comes alone"


def check(context: Context) -> Iterator[Diagnostic]:
    """Every diagnostic of the path."""
    for unit, site in context.path_sites:
        for rule in _SITE_RULES:
            yield from rule(unit, site, context)
    yield from _index_as_feature(context)
    yield from _columns_by_type(context)
    yield from _random_or_clock(context)
    yield from _target_in_features(context)
    yield from _chained_in_place(context)


def _history(unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    """F6, F15: the rows before or after."""
    name = _history_name(site)
    if not name:
        return
    what = f"{name}() on {named(site)}"
    if _looks_ahead(site, name):
        yield at_site(
            site,
            "F15",
            "error",
            f"{what} takes its value from later rows: a request can't know the future.",
            "Leave this feature out, or use only what is known when the prediction is asked for.",
        )
    elif name in ("ffill", "pad", "interpolate", "fillna"):
        column = named(site)
        yield at_site(
            site,
            "F6",
            "error",
            f"{what} fills a gap from the rows around it. {_ALONE}, so there is nothing to fill from.",
            f"Fill with a value of training instead, for example: {column} = {column}.fillna({column}.median())",
        )
    else:
        suffix = "of the rows so far" if name.startswith("cum") or name == "expanding" else "of the rows before it"
        column = _written(unit) or f"{name}_value"
        yield at_site(
            site,
            "F6",
            "error",
            f"{what} makes each row's value {suffix}. {_ALONE}, so there is nothing to compute it from.",
            f"Have the history come with the row: make {column!r} a column of the table that is loaded "
            "(compute it where that table is made), or leave this feature out.",
        )


def _history_name(site: Site) -> str:
    if site.module.split(".")[0] == "numpy":
        first = site.args[0] if site.args else None
        one_sided = first is not None and first.kind in (Kind.SERIES, Kind.INDEX, Kind.CONTAINER)
        across = first is not None and first.carries and site.literal("axis") == 0
        return site.name if site.name in table.NUMPY_HISTORY and (one_sided or across) else ""
    receiver = site.receiver
    if receiver is None or not receiver.carries or site.module or not isinstance(site.node, ast.Call):
        return ""
    if receiver.kind is Kind.HANDLE and receiver.path not in ("groupby", "window"):
        return ""
    if receiver.kind is Kind.CONTAINER or (receiver.kind is Kind.ARRAY and site.name not in ("cumsum", "cumprod")):
        return ""
    if site.name == "fillna" and site.literal("method") in ("ffill", "pad", "bfill", "backfill"):
        return "fillna"
    if site.name not in table.HISTORY or (receiver.kind is Kind.FRAME and by_row(site, None)):
        return ""
    return site.name


def _looks_ahead(site: Site, name: str) -> bool:
    if name in table.FUTURE or site.literal("method") in ("bfill", "backfill"):
        return True
    if name == "rolling":
        return site.literal("center") is True
    periods = site.literal("periods", 0) if name in ("shift", "diff", "pct_change") else None
    return isinstance(periods, int) and periods < 0


def _rank(unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    receiver = site.receiver
    if site.name != "rank" or receiver is None or not receiver.carries or by_row(site, 0):
        return
    if receiver.kind is Kind.HANDLE and receiver.path not in ("groupby", "window"):
        return
    source, column = named(site), _written(unit) or "feature"
    remedy = (
        f"Compare with training's values instead: edges = np.quantile({source}.dropna(), np.linspace(0, 1, 101)), then "
        f"df[{column!r}] = np.searchsorted(edges, {source}). Or leave this feature out."
        if receiver.kind is not Kind.HANDLE
        else "Keep a table of training's values for each group and compare with it, or leave this feature out."
    )
    yield at_site(
        site,
        "F5",
        "error",
        f"rank() on {source} compares each row with all the others. {_ALONE}: its rank would always be 1.",
        remedy,
    )


def _reshape(_unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    receiver = site.receiver
    rows = receiver if receiver is not None else next(iter(site.args), None)
    if site.name not in table.RESHAPES or rows is None or rows.kind not in (Kind.FRAME, Kind.SERIES):
        return
    if site.module and not site.module.startswith("pandas"):
        return
    several = site.name in ("explode", "melt", "stack", "wide_to_long")
    what = "several rows of one" if several else "one row of several"
    yield at_site(
        site,
        "N12",
        "error",
        f"{site.name}() on {named(site)} makes {what}: a request's row would not get one answer.",
        "Bring the table into the shape that is predicted on (one row for each answer) before it is loaded, "
        "and load that.",
    )


def _guessed_types(_unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    """F14."""
    if site.name == "to_datetime" and site.module == "pandas" and site.args and site.args[0].from_rows:
        told = {"format", "unit"} & set(site.keywords)
        if told or site.args[0].kind is Kind.FRAME or (len(site.args) > 3):
            return
        yield at_site(
            site,
            "F14",
            "warning",
            f"to_datetime() guesses the format of {named(site)} from the rows it gets: one row alone may be read "
            "otherwise than in training (is 03/04 in March or in April?).",
            f'State the format, for example: pd.to_datetime({named(site)}, format="%Y-%m-%d")',
        )
    coerces = site.name == "to_numeric" and site.module == "pandas" and site.literal("errors", 1) == "coerce"
    if coerces:
        yield at_site(
            site,
            "F14",
            "warning",
            f'to_numeric(errors="coerce") turns whatever is no number in {named(site)} into a missing value, '
            "without a word, in requests too.",
            'Clean the text first, so that what is left can be converted without errors="coerce"; or, where missing is '
            "meant, say so with a comment: # nb2prod: ignore[F14]",
        )


def _columns_by_type(context: Context) -> Iterator[Diagnostic]:
    """F14: columns chosen by their types, on the path or for it."""
    read = {item.name for item in context.path.captured}
    for unit in context.units:
        if unit not in context.path.kept and not read & unit.defines:
            continue
        for site in unit.sites:
            if site.name == "select_dtypes" and site.receiver is not None and site.receiver.carries:
                yield at_site(
                    site,
                    "F14",
                    "warning",
                    f"{expression(site)} chooses columns by the types that they happen to have in this table.",
                    "Name the columns in a list, so that what the model gets is written down.",
                )


def _mapping_without_default(unit: Unit, site: Site, context: Context) -> Iterator[Diagnostic]:
    """F17."""
    receiver = site.receiver
    if site.name != "map" or receiver is None or receiver.kind not in (Kind.SERIES, Kind.INDEX) or not site.args:
        return
    mapping = site.args[0].node
    if not isinstance(mapping, ast.Dict) or _filled_later(unit, context) or _chained_fill(site):
        return
    if receiver.columns and receiver.columns <= context.target:
        return
    yield at_site(
        site,
        "F17",
        "warning",
        f"map() on {named(site)} has {len(mapping.keys)} values; any other becomes missing, without a word.",
        f"Say what an unseen value gets, for example: {expression(site)}.fillna(-1)",
    )


def _chained_fill(site: Site) -> bool:
    return isinstance(site.parent, ast.Attribute) and site.parent.attr in ("fillna", "where", "combine_first")


def _filled_later(unit: Unit, context: Context) -> bool:
    """Whether the column that the statement writes is filled in it, or further on along the path."""
    if any(site.name == "fillna" for site in unit.sites):
        return True
    written = {name for name, _ in unit.columns_written}
    after = context.path.kept[context.path.kept.index(unit) + 1 :] if unit in context.path.kept else []
    for later in after:
        fills = any(site.name == "fillna" for site in later.sites)
        if fills and written & {name for name, _ in later.columns_read}:
            return True
    return False


def _hash(_unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    """F11: `hash()` of a text is another number in every process; network and files row by row."""
    if site.module == "builtins" and site.name == "hash" and any(item.from_rows for item in site.args):
        yield at_site(
            site,
            "F11",
            "error",
            "hash() of a text gives another number in every Python process: the served feature would differ.",
            "Use a fixed digest instead, for example: zlib.crc32(str(value).encode())",
        )
    if site.name in ("open", "read_text", "read_csv") and any(item.kind in PER_ROW for item in site.inputs):
        yield at_site(
            site,
            "N10",
            "error",
            f"{expression(site)} reads a file for each row: the service does not have these files.",
            "Read them where the table is made, and make what they hold a column of it.",
        )
    if site.module.startswith(table.NETWORK_MODULES) and any(item.from_rows for item in site.inputs):
        yield at_site(
            site,
            "F11",
            "error",
            f"{expression(site)} asks the network for each row: what it answers when serving may differ.",
            "Fetch the values where the table is made, and make them a column of it.",
        )


_SITE_RULES: tuple[Callable[[Unit, Site, Context], Iterator[Diagnostic]], ...] = (
    _history,
    _rank,
    _reshape,
    _guessed_types,
    _mapping_without_default,
    _hash,
)


def _index_as_feature(context: Context) -> Iterator[Diagnostic]:
    """F9: a column made of the index, or of the row's position."""
    for unit in context.path.kept:
        if context.about_target(unit) or not unit.columns_written or not isinstance(unit.node, ast.Assign):
            continue
        found = next((node for node in _value_nodes(unit.node.value) if _is_position(node, unit)), None)
        if found is None:
            continue
        column = _written(unit) or "the column"
        text = ast.unparse(found)
        yield at(
            unit.cell,
            unit.line,
            "F9",
            "error",
            f"{text} makes the row's place in the table the feature {column!r}: in a request every row is number 0.",
            "If the index means something (an id, a date), make it a column right where the table is loaded: "
            f"df = df.reset_index(). Otherwise leave {column!r} out.",
        )


def _value_nodes(node: ast.expr) -> Iterator[ast.expr]:
    """The expression's parts that its value is made of: not the masks and keys in subscripts, nor arguments."""
    yield node
    if isinstance(node, ast.BinOp):
        yield from _value_nodes(node.left)
        yield from _value_nodes(node.right)
    elif isinstance(node, ast.Attribute) and node.attr == "values":
        yield from _value_nodes(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PLAIN_METHODS:
        yield from _value_nodes(node.func.value)


_PLAIN_METHODS = frozenset({"astype", "to_numpy", "to_series", "copy", "tolist", "to_list"})


def _is_position(node: ast.expr, unit: Unit) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "index":
        site = next((site for site in unit.sites if site.node is node), None)
        return site is not None and site.receiver is not None and _plain_index(site)
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in ("range", "arange"):
        return False
    inner = [site for site in unit.sites if site.name in ("len", "shape") and _within(site.node, node)]
    return any(item.carries for site in inner for item in site.inputs)


def _plain_index(site: Site) -> bool:
    receiver = site.receiver
    return receiver is not None and receiver.kind in ROWS and not receiver.has("indexed")


def _within(node: ast.AST, outer: ast.AST) -> bool:
    return any(item is node for item in ast.walk(outer))


def _random_or_clock(context: Context) -> Iterator[Diagnostic]:
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


def _target_in_features(context: Context) -> Iterator[Diagnostic]:
    """F12: a column made of the target row by row reaches the model."""
    for column, unit in context.made_of_target.items():
        after = context.path.kept[context.path.kept.index(unit) + 1 :]
        if _reaches_model(column, after, context):
            target = ", ".join(sorted({name for name, _ in unit.columns_read} & context.target)) or "the target"
            yield at(
                unit.cell,
                unit.line,
                "F12",
                "error",
                f"The feature {column!r} is made of {target}, which is what the model predicts: "
                "a request does not have it.",
                f"Leave {column!r} out of the model's columns, for example: X = X.drop(columns={column!r})",
            )


def _reaches_model(column: str, after: list[Unit], context: Context) -> bool:
    """Only where the columns are told: by a list that has it, or by dropping the target and not this one."""
    reached = False
    for unit in after:
        if column in unit.columns_dropped:
            return False
        if unit.columns_dropped & context.target:
            reached = True
        for node in ast.walk(unit.node):
            chosen = node.slice if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) else None
            if isinstance(chosen, ast.List) and not unit.columns_written:
                names = {item.value for item in chosen.elts if isinstance(item, ast.Constant)}
                if column not in names:
                    return False
                reached = True
            elif isinstance(chosen, ast.Name) and not unit.columns_written:
                return False
    return reached


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
        "Write the date down, best in the cell tagged 'parameters', for example: "
        'today = pd.Timestamp("2024-01-31"); or make it a column of the table.',
    )


def _made_by(name: str, trait: str, context: Context) -> Site | None:
    for unit in reversed(context.units):
        if name in unit.defines:
            return next(
                (site for site in unit.sites if site.result.has(trait) and isinstance(site.node, ast.Call)), None
            )
    return None


def _chained_in_place(context: Context) -> Iterator[Diagnostic]:
    """F16: on pandas 3 a column taken from a frame is a copy."""
    names = {name for unit in context.path.kept for flow in unit.flows for name in flow.names}
    for unit in context.units:
        for site in unit.sites:
            node = site.node
            if site.literal("inplace") is not True or not isinstance(node, ast.Call):
                continue
            base = node.func.value if isinstance(node.func, ast.Attribute) else None
            if isinstance(base, (ast.Subscript, ast.Attribute)) and _is_column_of(base, site, names):
                text = ast.unparse(base)
                arguments = ", ".join(
                    ast.unparse(item) for item in [*node.args, *(k for k in node.keywords if k.arg != "inplace")]
                )
                yield at_site(
                    site,
                    "F16",
                    "warning",
                    f"On pandas 3 this line changes nothing: {text} is a copy, and inplace=True changes that copy.",
                    f"Assign the result: {text} = {text}.{site.name}({arguments})",
                )
        node_ = unit.node
        if isinstance(node_, ast.Assign) and _is_chained_store(node_.targets[0], unit, names):
            target = node_.targets[0]
            assert isinstance(target, ast.Subscript)
            assert isinstance(target.value, ast.Subscript)
            frame, column = ast.unparse(target.value.value), ast.unparse(target.value.slice)
            yield at(
                unit.cell,
                unit.line,
                "F16",
                "warning",
                f"On pandas 3 this line changes nothing: {ast.unparse(target.value)} is a copy.",
                f"Use one step: {frame}.loc[{ast.unparse(target.slice)}, {column}] = {ast.unparse(node_.value)}",
            )


def _is_column_of(base: ast.Subscript | ast.Attribute, site: Site, names: set[str]) -> bool:
    root = base.value
    if not isinstance(root, ast.Name) or root.id not in names:
        return False
    return site.receiver is not None and site.receiver.kind is Kind.SERIES


def _is_chained_store(target: ast.expr, unit: Unit, names: set[str]) -> bool:
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Subscript):
        return False
    root = target.value.value
    if not isinstance(root, ast.Name) or root.id not in names:
        return False
    return any(read.name == root.id and read.value.kind is Kind.FRAME for read in unit.reads)


def _written(unit: Unit) -> str:
    return unit.columns_written[0][0] if unit.columns_written else ""
