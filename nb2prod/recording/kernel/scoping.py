"""Which global names a piece of code reads: when it is defined, and when what it defines is called.

Python's own rule: a name is looked up in the function around it, then in the functions around that one (a class body is skipped by what stands
in it), then among the notebook's variables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class GlobalReads:
    """The names of globals that code reads, in the order of its text: `defining`, as it is defined; `calling`, as what it defines is called."""

    defining: list[ast.Name] = field(default_factory=list)
    calling: list[ast.Name] = field(default_factory=list)

    def names(self) -> set[str]:
        """Every name that is read."""
        return {name.id for name in (*self.defining, *self.calling)}


@dataclass(frozen=True)
class _Scope:
    """One function or class body: what it binds, what it says to be global, whether it is a class."""

    bound: frozenset[str]
    declared: frozenset[str]
    is_class: bool


def global_reads(node: ast.AST) -> GlobalReads:
    """What `node`, a statement or expression of the notebook itself, reads of the notebook's variables."""
    found = GlobalReads()
    _visit(node, (), False, found)
    return found


def bound_in(node: ast.AST) -> set[str]:
    """What a statement of the notebook binds among the notebook's variables: not what functions in it bind for themselves."""
    return set(_scope([node], (), False).bound)


def _visit(node: ast.AST, scopes: tuple[_Scope, ...], called: bool, found: GlobalReads) -> None:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load) and _is_global(node.id, scopes):
            (found.calling if called else found.defining).append(node)
        return
    if isinstance(node, FUNCTIONS):
        _visit_function(node, scopes, called, found)
    elif isinstance(node, ast.ClassDef):
        for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            _visit(part, scopes, called, found)
        _visit_all(node.body, (*scopes, _scope(node.body, (), True)), called, found)
    elif isinstance(node, COMPREHENSIONS):
        _visit_comprehension(node, scopes, called, found)
    else:
        _visit_all(ast.iter_child_nodes(node), scopes, called, found)


def _visit_all(nodes: object, scopes: tuple[_Scope, ...], called: bool, found: GlobalReads) -> None:
    for node in nodes:  # type: ignore[attr-defined]
        _visit(node, scopes, called, found)


def _visit_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
    scopes: tuple[_Scope, ...],
    called: bool,
    found: GlobalReads,
) -> None:
    args = node.args
    parameters = [*args.posonlyargs, *args.args, *args.kwonlyargs, *(a for a in (args.vararg, args.kwarg) if a)]
    early: list[ast.AST | None] = [*args.defaults, *args.kw_defaults, *(a.annotation for a in parameters)]
    if not isinstance(node, ast.Lambda):
        early = [*node.decorator_list, *early, node.returns]
    _visit_all([part for part in early if part is not None], scopes, called, found)
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    _visit_all(body, (*scopes, _scope(body, tuple(a.arg for a in parameters), False)), True, found)


def _visit_comprehension(node: ast.AST, scopes: tuple[_Scope, ...], called: bool, found: GlobalReads) -> None:
    generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
    _visit(generators[0].iter, scopes, called, found)
    bound = {n.id for g in generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
    inner = (*scopes, _Scope(frozenset(bound), frozenset(), False))
    for number, generator in enumerate(generators):
        _visit_all([*([generator.iter] if number else []), generator.target, *generator.ifs], inner, called, found)
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]
    _visit_all(parts, inner, called, found)


def _is_global(name: str, scopes: tuple[_Scope, ...]) -> bool:
    for depth, scope in enumerate(reversed(scopes)):
        if scope.is_class and depth:
            continue  # what stands in a method does not see the names of the class body
        if name in scope.declared:
            return True
        if name in scope.bound:
            return False
    return True


def _scope(body: list[ast.AST] | list[ast.stmt], parameters: tuple[str, ...], is_class: bool) -> _Scope:
    bound, declared = set(parameters), set()
    for node in _own(body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((a.asname or a.name).split(".")[0] for a in node.names)
        elif isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return _Scope(frozenset(bound - declared), frozenset(declared), is_class)


def _own(body: list[ast.AST] | list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a body that belong to its own scope."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, COMPREHENSIONS):
            # A comprehension's variables are its own; what `:=` binds in it is the function's.
            stack.extend(n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            continue
        stack.extend(ast.iter_child_nodes(node))
