"""F1-F17 and N12 on the expected path: what can't be served, and what deserves a warning."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import call_rules, chance_rules
from nb2prod.forecast.context import Context, at, at_site, expression, written
from nb2prod.forecast.values import ROWS, Kind, Site, Unit


def check(context: Context) -> Iterator[Diagnostic]:
    """Every diagnostic of the path."""
    for unit, site in context.path_sites:
        for rule in call_rules.RULES:
            yield from rule(unit, site, context)
    yield from _index_as_feature(context)
    yield from _columns_by_type(context)
    yield from chance_rules.check(context)
    yield from _target_in_features(context)
    yield from _chained_in_place(context)


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


def _index_as_feature(context: Context) -> Iterator[Diagnostic]:
    """F9: a column made of the index, or of the row's position."""
    for unit in context.path.kept:
        if context.about_target(unit) or not unit.columns_written or not isinstance(unit.node, ast.Assign):
            continue
        found = next((node for node in _value_nodes(unit.node.value) if _is_position(node, unit)), None)
        if found is None:
            continue
        column = written(unit) or "the column"
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
                f"Leave {column!r} out of the model's columns, for example:\n    X = X.drop(columns={column!r})",
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
                    f"Assign the result:\n    {text} = {text}.{site.name}({arguments})",
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
                f"Use one step:\n    {frame}.loc[{ast.unparse(target.slice)}, {column}] = {ast.unparse(node_.value)}",
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
