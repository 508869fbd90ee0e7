"""What the notebook's functions and classes read of the notebook, as it was when they were used.

A function does not hold what it reads by name: a list that is bound anew later, a helper that is defined again, a default that is filled in its
place are what they were when the rows went through it. So each use is noted with the *state* of the function at that moment: its definition and
those that it calls, and a snapshot of every value that they read.
"""

from __future__ import annotations

import ast
import inspect
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .scoping import global_reads
from .snapshots import fingerprint

MOST_STATES = 300
"""A function whose state differs with each use (it counts its calls, say) is noted so many times."""


@dataclass(frozen=True)
class Held:
    """An expression that is computed as a definition runs, whose value it holds: a default, or an attribute of a class.

    `node`: its preorder index; `method`: the method that it is a default of, in a class.
    """

    node: int
    method: str | None
    parameter: str | None
    attribute: str | None


@dataclass(frozen=True)
class Definition:
    """A statement that defines a function or class: its name, and the globals that it reads when it runs and when it is called."""

    name: str
    defining: tuple[str, ...]
    calling: tuple[str, ...]
    held: tuple[Held, ...]


def definition_of(node: ast.stmt, index: dict[ast.AST, int]) -> Definition | None:
    """What a statement of the notebook defines; `index` numbers the nodes of its tree. None where it can define no function."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        name = node.name
    elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Lambda, ast.Call, ast.IfExp)):
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return None
        name = node.targets[0].id
    else:
        return None
    held = [(one, part) for one, part in _held(node, index) if any(isinstance(n, ast.Name) for n in ast.walk(part))]
    inside = {n for _, part in held for n in ast.walk(part)}
    reads = global_reads(node)
    defining = dict.fromkeys(n.id for n in reads.defining if n not in inside)
    return Definition(
        name, tuple(defining), tuple(dict.fromkeys(n.id for n in reads.calling)), tuple(h for h, _ in held)
    )


def _held(node: ast.stmt, index: dict[ast.AST, int]) -> Iterator[tuple[Held, ast.expr]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _defaults(node, None, index)
    elif isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _defaults(item, item.name, index)
            elif isinstance(item, ast.Assign) and len(item.targets) == 1 and isinstance(item.targets[0], ast.Name):
                yield Held(index[item.value], None, None, item.targets[0].id), item.value
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        yield from _defaults(node.value, None, index)


def _defaults(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, method: str | None, index: dict[ast.AST, int]
) -> Iterator[tuple[Held, ast.expr]]:
    args = node.args
    named = [*args.posonlyargs, *args.args]
    pairs: list[tuple[ast.arg, ast.expr | None]] = list(
        zip(named[len(named) - len(args.defaults) :], args.defaults, strict=True)
    )
    for parameter, default in (*pairs, *zip(args.kwonlyargs, args.kw_defaults, strict=True)):
        if default is not None:
            yield Held(index[default], method, parameter.arg, None), default


@dataclass
class _Made:
    """An object that a definition made: `early`, what the definition read as it ran; `marks`, of a class' attributes then."""

    ref: Any
    k: int
    early: dict[str, Any]
    marks: dict[str, Any]
    states: list[int]


class Definitions:
    """Notes which object each definition made, and its states.

    `definitions`: by the statement's number; `names`: the notebook's variables; `classify`: says what a value is, with a snapshot of a plain one.
    """

    def __init__(
        self, definitions: dict[int, Definition], names: dict[str, Any], classify: Callable[[Any], dict[str, Any]]
    ) -> None:
        self.definitions, self.names, self.classify = definitions, names, classify
        self.states: list[list[dict[str, Any]]] = []
        self._made: dict[int, _Made] = {}
        self._busy: set[int] = set()

    def made(self, k: int) -> None:
        """The definition `k` has run."""
        definition = self.definitions[k]
        value = self.names.get(definition.name)
        if not isinstance(value, (types.FunctionType, type)) and not callable(value):
            return
        if self._known(value) is not None or getattr(value, "__module__", None) != "__main__":
            return  # another name of a function, or one of a library's
        try:
            ref = weakref.ref(value)
        except TypeError:
            return
        early = {n: self._reference(self.names[n], [], {}) for n in definition.defining if n in self.names}
        self._made[id(value)] = _Made(ref, k, early, _marks(value), [])

    def state(self, value: Any) -> int | None:
        """The number of the state that a function or class has now; None of one that no definition of the notebook made."""
        known = self._known(value)
        if known is None or id(value) in self._busy:
            return None
        if len(known.states) >= MOST_STATES:
            return known.states[-1]
        self._busy.add(id(value))
        try:
            parts: list[dict[str, Any]] = []
            self._part(value, known, parts, {})
        finally:
            self._busy.discard(id(value))
        if known.states and self.states[known.states[-1]] == parts:
            return known.states[-1]
        self.states.append(parts)
        known.states.append(len(self.states) - 1)
        return known.states[-1]

    def reads(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """What these variables of the notebook are now."""
        found = {}
        for name in names:
            if name in self.names:
                value = self.names[name]
                number = self.state(value)
                found[name] = self.classify(value) if number is None else {"kind": "function", "state": number}
        return found

    def _known(self, value: Any) -> _Made | None:
        known = self._made.get(id(value))
        return known if known is not None and known.ref() is value else None

    def _part(self, value: Any, known: _Made, parts: list[dict[str, Any]], at: dict[int, int]) -> int:
        """Add what one definition reads to `parts`, and those that it reads after it; `at`: where each stands, by identity."""
        number = at[id(value)] = len(parts)
        definition = self.definitions[known.k]
        part: dict[str, Any] = {"k": known.k, "name": definition.name}
        parts.append(part)
        part["defining"] = known.early
        part["calling"] = {n: self._reference(self.names[n], parts, at) for n in definition.calling if n in self.names}
        part["held"] = {
            str(h.node): self._reference(found[0], parts, at)
            for h in definition.held
            if (found := _held_value(value, h)) is not None
        }
        fixed = {h.attribute for h in definition.held}
        changed = {n: v for n, v in _marks(value).items() if known.marks.get(n) != v and n not in fixed}
        part["set"] = {n: self._reference(vars(value)[n], parts, at) for n in changed}
        return number

    def _reference(self, value: Any, parts: list[dict[str, Any]], at: dict[int, int]) -> dict[str, Any]:
        known = self._known(value)
        if known is None:
            return self.classify(value)
        if id(value) in at:
            return {"kind": "part", "part": at[id(value)]}
        if not parts:  # read as a definition runs: a decorator, a base
            return {"kind": "function", "state": self.state(value)}
        return {"kind": "part", "part": self._part(value, known, parts, at)}


def _marks(value: Any) -> dict[str, Any]:
    """A mark of each plain attribute of a class; of what is no class, none."""
    if not isinstance(value, type):
        return {}
    plain = (bool, int, float, str, list, dict, tuple, set, type(None))
    found = {n: v for n, v in vars(value).items() if not (n.startswith("__") and n.endswith("__"))}
    return {n: fingerprint(v) for n, v in found.items() if isinstance(v, plain) or hasattr(v, "shape")}


def _held_value(value: Any, held: Held) -> tuple[Any] | None:
    """What a definition's object holds of an expression, in a tuple of one; None where it does not tell."""
    if held.attribute is not None:
        return (vars(value)[held.attribute],) if held.attribute in vars(value) else None
    function = vars(value).get(held.method) if held.method is not None else value
    function = getattr(function, "__func__", getattr(function, "fget", function))
    function = inspect.unwrap(function) if callable(function) else None
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    given = function.__defaults__ or ()  # type: ignore[union-attr]
    positional = code.co_varnames[: code.co_argcount]
    values = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    values.update(function.__kwdefaults__ or {})  # type: ignore[union-attr]
    return (values[held.parameter],) if held.parameter in values else None
