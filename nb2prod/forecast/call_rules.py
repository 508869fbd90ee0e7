"""F5, F6, F11, F14, F15, F17, N10 and N12: what one call on the path says of itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from nb2prod.diagnostics import Diagnostic
from nb2prod.forecast import table
from nb2prod.forecast.context import Context, at_site, expression, named, written
from nb2prod.forecast.results import by_row
from nb2prod.forecast.values import PER_ROW, Kind, Site, Unit

_ALONE = "A request's row comes alone"


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
            f"Fill with a value of training instead:\n    {column} = {column}.fillna({column}.median())",
        )
    else:
        suffix = "of the rows so far" if name.startswith("cum") or name == "expanding" else "of the rows before it"
        column = written(unit) or f"{name}_value"
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


def _assigned_to(unit: Unit) -> str:
    """What the statement assigns, as its author wrote it."""
    if isinstance(unit.node, ast.Assign):
        return ast.unparse(unit.node.targets[0])
    return written(unit) or "feature"


def _rank(unit: Unit, site: Site, _context: Context) -> Iterator[Diagnostic]:
    receiver = site.receiver
    if site.name != "rank" or receiver is None or not receiver.carries or by_row(site, 0):
        return
    if receiver.kind is Kind.HANDLE and receiver.path not in ("groupby", "window"):
        return
    source = named(site)
    remedy = (
        f"Compare with training's values instead:\n    edges = np.quantile({source}.dropna(), np.linspace(0, 1, 101))\n"
        f"    {_assigned_to(unit)} = np.searchsorted(edges, {source})\nOr leave this feature out."
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
            'State the format that your data have, such as format="%Y-%m-%d" for 2024-12-31 or format="%d.%m.%Y" for 31.12.2024.',
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
    count = f"map() on {named(site)} has {len(mapping.keys)} value{'' if len(mapping.keys) == 1 else 's'}"
    if _made_whole(unit, site, context):
        text = f"{count}; any other becomes missing, which astype() can't make a whole number of: a row that has one fails."
        hint = "Where such a row should have an answer, say before the conversion what an unseen value gets."
        yield at_site(site, "F17", "warning", text, hint)
        return
    yield at_site(
        site, "F17", "warning", f"{count}; any other becomes missing, without a word.", _default(site, mapping)
    )


def _default(site: Site, mapping: ast.Dict) -> str:
    """What to write: a value beside those of the mapping, where these are all of one kind."""
    other = _another(mapping)
    if other is None:
        return "Say what an unseen value gets, by .fillna(...) with a value of the same kind as the others."
    return f"Say what an unseen value gets, of the same kind as the others:\n    {expression(site)}.fillna({other})"


def _another(mapping: ast.Dict) -> str | None:
    """A value beside those of the mapping and of their kind, as source; None where they are of several kinds or not written out."""
    try:
        values = list(ast.literal_eval(mapping).values())
    except (ValueError, TypeError):
        return None
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return '"other"' if "other" not in values else '"unknown"'
    if kinds == {bool}:
        return "False"
    return str(min([0, *values]) - 1) if kinds and kinds <= {int, float} else None


def _made_whole(unit: Unit, site: Site, context: Context) -> bool:
    """Whether what the mapping gives is made an integer, in the same statement or further on along the path."""
    names = {name for name, _ in unit.columns_written}
    after = context.path.kept[context.path.kept.index(unit) + 1 :] if unit in context.path.kept else []
    later = [
        s
        for u in after
        for s in u.sites
        if names & {name for name, _ in u.columns_read} or (s.receiver is not None and s.receiver.kind is Kind.FRAME)
    ]
    chained = [s for s in unit.sites if s.name == "astype" and any(node is site.node for node in ast.walk(s.node))]
    return any(s.name == "astype" and _is_whole(s.argument("dtype", 0)) for s in (*chained, *later))


def _is_whole(dtype: ast.expr | None) -> bool:
    """`int`, `"int64"`, `np.uint8`: NumPy's integers, which hold no missing value (pandas' own, as `"Int64"`, do)."""
    text = ast.unparse(dtype).strip("'\"").rpartition(".")[2] if dtype is not None else ""
    return re.fullmatch(r"u?int\d*", text) is not None


def _chained_fill(site: Site) -> bool:
    return isinstance(site.parent, ast.Attribute) and site.parent.attr in ("fillna", "where", "combine_first")


def _filled_later(unit: Unit, context: Context) -> bool:
    """Whether the column that the statement writes is filled in it, or further on along the path."""
    if any(site.name == "fillna" for site in unit.sites):
        return True
    names = {name for name, _ in unit.columns_written}
    after = context.path.kept[context.path.kept.index(unit) + 1 :] if unit in context.path.kept else []
    for later in after:
        fills = any(site.name == "fillna" for site in later.sites)
        if fills and names & {name for name, _ in later.columns_read}:
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
            "Use a fixed digest instead:\n    zlib.crc32(str(value).encode())",
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


RULES: tuple[Callable[[Unit, Site, Context], Iterator[Diagnostic]], ...] = (
    _history,
    _rank,
    _reshape,
    _guessed_types,
    _mapping_without_default,
    _hash,
)
"""Each is given every call on the path."""
