"""Functions as the notebook wrote them: what is saved of a run holds none of the recorder's hooks."""

from __future__ import annotations

import ast
import copy
import types

from .numbering import HOOK
from .sites import Tables

FILE = "notebook"
"""The file that such a function's code names: the kernel's own name for a cell differs from run to run."""


def original(function: types.FunctionType, tables: Tables) -> types.FunctionType | None:
    """The function compiled from the notebook's own text, with the same globals, closure and defaults; None if it has no hooks."""
    hooked = function.__code__
    if HOOK not in hooked.co_names:
        return None
    node = next((tables.functions[c] for c in hooked.co_consts if _marks(c, hooked.co_name, tables)), None)
    if node is None:
        return None
    code = _code(node, hooked.co_freevars, hooked.co_name)
    cells = dict(zip(hooked.co_freevars, function.__closure__ or (), strict=True))
    if code is None or not set(code.co_freevars) <= set(cells):
        return None
    closure = tuple(cells[name] for name in code.co_freevars)
    made = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__, made.__qualname__ = function.__kwdefaults__, function.__qualname__
    made.__module__ = function.__module__
    made.__dict__.update(function.__dict__)
    return made


def _marks(constant: object, name: str, tables: Tables) -> bool:
    """Whether a constant of hooked code is the mark of a function of this name."""
    if not isinstance(constant, str) or constant not in tables.functions:
        return False
    return getattr(tables.functions[constant], "name", "<lambda>") == name


def _code(node: ast.Lambda | ast.FunctionDef, free: tuple[str, ...], name: str) -> types.CodeType | None:
    """The code of a function that takes the names `free` from around it."""
    inner = copy.deepcopy(node)
    inner.args.defaults = [ast.Constant(None) for _ in inner.args.defaults]
    inner.args.kw_defaults = [None if d is None else ast.Constant(None) for d in inner.args.kw_defaults]
    if isinstance(inner, ast.FunctionDef):
        inner.decorator_list = []
    last: ast.stmt = inner if isinstance(inner, ast.FunctionDef) else ast.Expr(value=inner)
    given: list[ast.stmt] = [ast.Assign(targets=[ast.Name(n, ast.Store())], value=ast.Constant(None)) for n in free]
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    around = ast.FunctionDef(name="around", args=nothing, body=[*given, last], decorator_list=[])
    module = compile(ast.fix_missing_locations(ast.Module(body=[around], type_ignores=[])), FILE, "exec")
    outer = next(c for c in module.co_consts if isinstance(c, types.CodeType))
    return next((c for c in outer.co_consts if isinstance(c, types.CodeType) and c.co_name == name), None)
