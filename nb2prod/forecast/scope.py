"""The names of a notebook while the forecast walks through it: bindings, aliases, and what was read."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from nb2prod.forecast.values import PLAIN, Kind, Read, Unit, Value
from nb2prod.notebook import Cell

_BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython"}


class Scope:
    """Globals of the notebook, the locals of the functions being walked through, and the unit they belong to."""

    def __init__(self) -> None:
        self.names: dict[str, Value] = {}
        self.locals: list[dict[str, Value]] = []
        self.unit: Unit | None = None
        self.cell: Cell | None = None
        self.declared_global: set[str] = set()
        self.star_imports: list[str] = []
        self._objects = 0

    def fresh(self, value: Value) -> Value:
        """The value as an object of its own: a change in place of another one does not reach it."""
        self._objects += 1
        return replace(value, objects=frozenset({self._objects}))

    def bind(self, name: str, value: Value) -> None:
        """Give the name this value, in the innermost scope."""
        if not value.objects:
            value = self.fresh(value)
        if self.locals and name not in self.declared_global:
            self.locals[-1][name] = value
            return
        self.names[name] = value
        if self.unit is not None:
            self.unit.results[name] = value

    def look_up(self, name: str, node: ast.AST) -> Value:
        """What the name holds; reading a global is noted on the unit."""
        for scope in reversed(self.locals):
            if name in scope:
                return scope[name]
        if name not in self.names and name in _BUILTINS:
            return Value(Kind.FUNCTION, path=f"builtins.{name}")
        if name not in self.names and self.star_imports:
            return Value(Kind.FUNCTION, path=f"{self.star_imports[-1]}.{name}")
        value = self.names.get(name, PLAIN)
        if self.unit is not None and self.cell is not None:
            read = Read(name, value, getattr(node, "lineno", self.unit.line), self.cell)
            self.unit.reads.append(read)
        return value

    def changed(self, value: Value) -> tuple[str, ...]:
        """The value is changed in place: note it, and return the global names that it reaches."""
        names = tuple(name for name, held in self.names.items() if held.objects & value.objects)
        if self.unit is not None:
            self.unit.updates.update(names)
            self.unit.changed_origins |= value.origins
        return names

    def retype(self, value: Value, new: Value) -> None:
        """Every name that holds this object now holds something of another kind (a list that got rows)."""
        for scope in (self.names, *self.locals):
            for name, held in scope.items():
                if held.objects & value.objects:
                    scope[name] = replace(new, objects=held.objects)
                    if scope is self.names and self.unit is not None:
                        self.unit.results[name] = scope[name]

    @contextmanager
    def function(self, parameters: dict[str, Value], home: Cell | None, *, nested: bool) -> Iterator[None]:
        """Within a function's body; a lambda or a comprehension (`nested`) sees the locals around it."""
        saved = self.locals, self.cell, self.declared_global
        own = {name: value if value.objects else self.fresh(value) for name, value in parameters.items()}
        self.locals = [*self.locals, own] if nested else [own]
        self.cell, self.declared_global = home or self.cell, set()
        try:
            yield
        finally:
            self.locals, self.cell, self.declared_global = saved
