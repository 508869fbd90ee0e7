"""Captured values: what the serving path reads that is not rows, as it was when the chosen execution read it."""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from nb2prod.recording.trace import Recording, Step, Tree

RESERVED = frozenset({"use", "request", "frozen", "rules", "captured", "rows", "features", "predict"})


@dataclass(frozen=True)
class Occurrence:
    """One execution that read the value: which snapshot, and the plain variables that tell it from the others."""

    seq: int
    snapshot: int
    keys: dict[str, Any]


@dataclass(frozen=True)
class CapturedValue:
    """One captured value of the plan. `keyed`: names whose values choose among `entries`; empty for a single value; ('#',) by order."""

    name: str
    cell: int | None
    line: int | None
    reason: str
    type: str
    text: str
    keyed: tuple[str, ...]
    entries: tuple[tuple[tuple[Any, ...], int], ...]
    rows_held: int = 0
    """How many rows of the notebook's tables it holds as they were."""

    @property
    def why(self) -> str:
        """The reason, and whether rows of the notebook go into the Bento with it."""
        return self.reason + (f"; holds {self.rows_held} rows of the notebook's tables" if self.rows_held else "")

    @property
    def snapshot(self) -> int:
        """The snapshot of a single value."""
        return self.entries[0][1]

    def to_json(self) -> dict[str, Any]:
        """The value as `build --json` and the release record list it."""
        return {
            "name": self.name,
            "cell": self.cell,
            "line": self.line,
            "reason": self.reason,
            "type": self.type,
            "value": self.text,
            "keyed": list(self.keyed),
            "count": len(self.entries),
            "rows_held": self.rows_held,
        }


@dataclass
class _Pending:
    tree: Tree
    node: ast.AST
    wish: str
    reason: str
    occurrences: list[Occurrence] = field(default_factory=list)


class Captures:
    """Collects captured values by site and names them."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._sites: dict[tuple[int, int, str], _Pending] = {}
        self._named: dict[tuple[int, int, str], CapturedValue] = {}
        self._contents: dict[int, bytes] = {}
        self._taken: dict[str, tuple[Any, ...]] = {}

    def add(self, tree: Tree, node: int, kind: str, named: tuple[str, str], occurrence: Occurrence) -> None:
        """Note an execution that read a value at this site; `named`: the name wished for it, and the reason it is kept."""
        site = (tree.number, node, kind)
        pending = self._sites.setdefault(site, _Pending(tree, tree.nodes[node], *named))
        pending.occurrences.append(occurrence)

    def reading(self, tree: Tree, node: int, kind: str) -> Callable[[object], str]:
        """The edit that puts the captured value in the place of the expression that it was."""
        return lambda _: self.reference(tree, node, kind)

    def reference(self, tree: Tree, node: int, kind: str) -> str:
        """The expression that stands for the site in the generated code."""
        value = self.value(tree, node, kind)
        if not value.keyed:
            return f"captured.{value.name}"
        if value.keyed == ("#",):
            return f"captured.{value.name}.next()"
        return f"captured.{value.name}[{', '.join(value.keyed)}]"

    def beside(self, other: tuple[CapturedValue, ...]) -> None:
        """Leave these names to another module of the same Bento; the same value may share its name."""
        for value in other:
            entries = tuple((k, self.content(s)) for k, s in value.entries)
            self._taken[value.name] = (value.keyed, entries)

    def has(self, tree: Tree, node: int, kind: str) -> bool:
        """Tell whether a value was noted at this site."""
        return (tree.number, node, kind) in self._sites

    def value(self, tree: Tree, node: int, kind: str) -> CapturedValue:
        """The captured value of a site, named when first asked for."""
        site = (tree.number, node, kind)
        if site not in self._named:
            self._named[site] = self._make(self._sites[site])
        return self._named[site]

    def fixed(self, name: str, snapshot: int, reason: str, cell: int | None, line: int | None) -> CapturedValue:
        """A value that no site reads, such as a table's empty form or a global of a function kept whole."""
        key = (-1, snapshot, name)
        if key not in self._named:
            info = self.recording.snapshots.get(snapshot, {})
            final = self._free(name, ((), snapshot))
            self._named[key] = CapturedValue(
                final, cell, line, reason, info.get("type", ""), info.get("text", ""), (), (((), snapshot),)
            )
        return self._named[key]

    @property
    def values(self) -> tuple[CapturedValue, ...]:
        """All values asked for so far, each name once."""
        return tuple({v.name: v for v in self._named.values()}.values())

    def _make(self, pending: _Pending) -> CapturedValue:
        groups: dict[bytes, int] = {}
        marks = [self.content(o.snapshot) for o in pending.occurrences]
        for mark, occurrence in zip(marks, pending.occurrences, strict=True):
            groups.setdefault(mark, occurrence.snapshot)
        keyed: tuple[str, ...] = ()
        entries: tuple[tuple[tuple[Any, ...], int], ...]
        if len(groups) == 1:
            entries = (((), pending.occurrences[0].snapshot),)
        else:
            keyed, entries = self._keyed(pending, marks, groups)
        info = dict(self.recording.snapshots.get(entries[0][1], {}))
        if info.get("text", "").startswith("('frozen'"):
            info.update(type="state of a frozen operation", text="what the operation kept of training")
        cell = pending.tree.cell.number if pending.tree.cell is not None else None
        identity: tuple[Any, ...] = (keyed, tuple((k, self.content(s)) for k, s in entries))
        if keyed == ("#",):  # each place that takes them in order counts for itself
            identity = (*identity, pending.tree.number, pending.tree.index[pending.node])
        name = self._free(pending.wish, identity)
        return CapturedValue(
            name,
            cell,
            pending.tree.line(pending.node),
            pending.reason,
            info.get("type", ""),
            info.get("text", ""),
            keyed,
            entries,
            max(self.recording.snapshots.get(number, {}).get("rows_held") or 0 for _, number in entries),
        )

    def _keyed(
        self, pending: _Pending, marks: list[bytes], groups: dict[bytes, int]
    ) -> tuple[tuple[str, ...], tuple[tuple[tuple[Any, ...], int], ...]]:
        shared = set.intersection(*(set(o.keys) for o in pending.occurrences))
        for size in (1, 2, 3):
            for names in combinations(sorted(shared), size):
                table: dict[tuple[Any, ...], bytes] = {}
                if all(
                    table.setdefault(tuple(o.keys[n] for n in names), m) == m
                    for o, m in zip(pending.occurrences, marks, strict=True)
                ):
                    return names, tuple((key, groups[m]) for key, m in table.items())
        ordered = sorted(zip(pending.occurrences, marks, strict=True), key=lambda pair: pair[0].seq)
        return ("#",), tuple(((i,), groups[m]) for i, (_, m) in enumerate(ordered))

    def content(self, snapshot: int) -> bytes:
        """A digest of what a snapshot holds."""
        if snapshot not in self._contents:
            self._contents[snapshot] = self.recording.content(snapshot)
        return self._contents[snapshot]

    def _free(self, wish: str, identity: tuple[Any, ...]) -> str:
        base = re.sub(r"\W+", "_", wish).strip("_").lower() or "value"
        if base[0].isdigit():
            base = f"value_{base}"
        if base in RESERVED or base.startswith("__"):
            base += "_value"
        name, number = base, 1
        while name in self._taken and self._taken[name] != identity:
            number += 1
            name = f"{base}_{number}"
        self._taken[name] = identity
        return name


def telling_name(node: ast.AST) -> str:
    """A name for the value of an expression: ``df["Age"].median()`` is ``age_median``, ``len(train)`` is ``train_len``."""
    words = _words(node)
    kept: list[str] = []
    for word in words:
        if word and (not kept or kept[-1] != word):
            kept.append(word)
    if len(kept) > 2 and kept[0] in ("df", "data", "train", "test", "x", "dataset"):
        kept = kept[1:]
    return "_".join(kept[-4:]) or "value"


def _words(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Constant):
        return [str(node.value)] if isinstance(node.value, str) and len(node.value) <= 30 else []
    if isinstance(node, ast.Attribute):
        return [*_words(node.value), node.attr]
    if isinstance(node, ast.Subscript):
        return [*_words(node.value), *_words(node.slice)]
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            inner = _words(node.func.value)
            extra = [] if len(inner) > 1 else [w for a in node.args[:1] for w in _words(a)][:2]
            if inner in (["np"], ["pd"], ["numpy"], ["pandas"]):
                return [*extra, node.func.attr]
            return [*inner, node.func.attr, *(extra if node.func.attr in ("quantile", "groupby") else [])]
        return [*[w for a in node.args[:1] for w in _words(a)], *_words(node.func)]
    if isinstance(node, ast.Compare):
        return [*_words(node.left), "check"]
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return _words(node.left if isinstance(node, ast.BinOp) else node.operand)
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
        return [*_words(node.generators[0].iter), "list"]
    return []


def keys_of(recording: Recording, step: Step, kept_loops: set[tuple[int, int]]) -> dict[str, Any]:
    """The plain variables that tell this execution from others, as the served code will have them."""
    keys: dict[str, Any] = {}
    if step.frame:
        keys.update(recording.frames[step.frame].keys)
    for place in step.loops:
        if (place.k, place.instance) in kept_loops:
            keys.update(place.keys)
    return {k: v for k, v in keys.items() if not isinstance(v, float) or not math.isnan(v)}


def grouped(steps: list[Step]) -> dict[int, list[Step]]:
    """Steps by statement."""
    out: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        out[step.k].append(step)
    return out
