"""Calls of the notebook's own functions: which are followed, what each was given, what it made."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Any

from .arguments import arguments
from .frames import Frame, Step
from .lineage import SCALARS, Kinds, length
from .numbering import HOOK
from .operation import Operation
from .predictions import PREDICTING
from .sites import Site

if TYPE_CHECKING:
    from .recorder import Recorder

MOST_ASKING = 400
COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"})
INNER_FRAMES = COMPREHENSIONS | {"<lambda>"}
PLAIN = (str, int, float, bool, type(None))
PLAIN_CALLS = 200
STARRED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class FollowedCalls:
    """Opens a frame for each call whose body is followed, and says afterwards which expression called it."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.quiet: dict[int, int] = {}
        self._asking: dict[types.CodeType, int] = {}
        self._by_name = False
        """Whether the function that is about to run is followed only since it may ask a table by its name."""

    def follows(self, python: Any) -> bool:
        self._by_name = False
        caller = python.f_back
        top = self.run.stack[-1]
        # Called for each row by a comprehension over rows, it is a function of plain values. From Python 3.12 on a comprehension has no frame.
        plain = not self._following_elements(top.step)
        while caller is not None and caller.f_code.co_name in INNER_FRAMES:
            caller = caller.f_back
        if caller is not None and not plain and HOOK in caller.f_code.co_names:
            if top.number == 0 and caller.f_code.co_name == "<module>" and top.step is not None:
                return True
            if top.python == id(caller) and top.step is not None:
                return True
        if top.step is None:
            return False
        code = python.f_code
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = python.f_locals.get(name)
            if value is not None and length(value) != 1 and self.run.rows.of(value) is not None:
                return True
        return self.asks_a_table(code, python)

    def asks_a_table(self, code: types.CodeType, python: Any) -> bool:
        """Whether a function that is called for each row may ask a table by its name (``df["a"].mean()``): of the first calls some are followed."""
        calls = self._asking.get(code, 0)
        if calls >= MOST_ASKING:
            return False
        self._asking[code] = calls + 1
        local = python.f_locals
        values = [self.run.ns.get(name) for name in code.co_names] + [local.get(name) for name in code.co_freevars]
        self._by_name = any(
            not isinstance(v, SCALARS) and length(v) > 1 and self.run.rows.of(v) is not None for v in values
        )
        return self._by_name

    def _following_elements(self, step: Step | None) -> bool:
        """Tell whether the comprehension that began last has its elements followed."""
        begun = list(step.elements.values())[-1:] if step is not None else []
        return not begun or begun[0].followed

    def open(self, k: int, python: Any) -> None:
        parent = self.run.stack[-1].step
        if parent is not None:
            parent.called = True
        frame = Frame(len(self.run.frames) + 1, k, id(python), parent)
        frame.code = python.f_code
        code = python.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        keys, tokens, other = {}, {}, False
        for name in names:
            value = python.f_locals.get(name)
            if isinstance(value, PLAIN):
                keys[name] = value
                continue
            other = True
            if Kinds.series(value) and isinstance(value.name, (str, int)):
                keys[f"{name}.name"] = value.name  # a function given to `frame.apply` is called once for each column
            if (token := self.run.rows.token(value) if value is not None else None) is not None:
                tokens[name] = token
        self.run.frames.append(
            {
                "frame": frame.number,
                "k": k,
                "parent": parent.seq if parent else None,
                "node": None,
                "keys": keys,
                "rows": tokens,
                "asks": self._by_name,
                "loops": self.run.places(self.run.stack[-1]),
                "outer": self.run.stack[-1].number,
                "name": code.co_name,
            }
        )
        self.quiet[k] = self.quiet.get(k, 0) + 1
        outer = self.run.stack[-1]
        outer.asked = outer.asked and outer.plain
        own = bool(keys) and not other and not code.co_flags & STARRED and self._may_predict(k)
        frame.plain = self.quiet[k] <= PLAIN_CALLS and (outer.plain or (outer.number == 0 and own))
        self.run.stack.append(frame)

    def plain_call(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> bool:
        """Inside a call with plain values: note that a model answered. Outside: note the call, if one did. True if nothing more is to be seen."""
        if step.frame.plain:
            step.frame.asked = step.frame.asked or site.name in PREDICTING
            return True
        if not (step.frame.number == 0 and step.frame.asked and site.call is not None and site.call.func is not None):
            return False
        step.frame.asked = False
        func = values.get(site.call.func)
        made = next((f for f in reversed(self.run.frames) if f["parent"] == step.seq and f["outer"] == 0), None)
        if not isinstance(func, types.FunctionType) or made is None or made["name"] != func.__name__:
            return False
        args, kwargs = arguments(site.call, values)
        bound = inspect.signature(func).bind(*args, **kwargs)
        bound.apply_defaults()
        step.touched = step.carries = True
        made["node"] = site.node
        step.events.append(
            {
                "kind": "called",
                "node": site.node,
                "name": func.__name__,
                "arguments": dict(bound.arguments),
                "frame": made["frame"],
                "state": self.run.definitions.state(func),
                "output": self.run.snapshots.keep(result),
            }
        )
        return True

    def made_by(self, step: Step, site: Site) -> set[int]:
        """The calls of the notebook's own functions that this expression made, theirs included."""
        called: set[int] = set()
        for info in reversed(self.run.frames):
            if info["parent"] == step.seq and info["node"] == site.node:
                called.add(info["frame"])
            elif info["parent"] is not None and info["parent"] < step.seq:
                break
        for info in self.run.frames[min(called, default=0) :]:
            if info["outer"] in called:
                called.add(info["frame"])
        return called

    def attribute(self, step: Step, site: Site, op: Operation) -> None:
        """Say which call of this statement a just finished frame belongs to: the innermost one that has ended since."""
        if site.kind != "call":
            return
        for info in reversed(self.run.frames):
            if info["parent"] != step.seq:
                break
            if info["node"] is None:
                info["node"] = site.node

    def _may_predict(self, k: int) -> bool:
        """Whether a function may make the prediction: it is called in a predict cell, or was defined in one."""
        defined = self.run.trees[self.run.tables.statements[k].tree]
        return self.run.in_predict_cell() or "predict" in self.run.roles.get(defined, [])
