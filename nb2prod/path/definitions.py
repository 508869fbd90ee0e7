"""The functions and classes that are served, each as it was when the rows that count went through it.

Two uses of one function may have read different values, and two functions may have had one name: each that differs is served as a copy of its
own, the first under the name that the notebook gave it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Refused
from nb2prod.path.captures import Occurrence, telling_name
from nb2prod.path.edits import Edit
from nb2prod.path.scopes import Defined, Namespace, inner_definitions
from nb2prod.recording.kernel.scoping import global_reads
from nb2prod.recording.kernel.snapshots import main_names
from nb2prod.recording.states import Part, Seen, seen
from nb2prod.recording.trace import Tree

if TYPE_CHECKING:
    from nb2prod.path.compose import Composer

IMPORTED = ("module", "import")
DEFINED = ("function", "class", "part")


@dataclass(frozen=True)
class Use:
    """One execution that used a function or class: which state of it, and the variables of kept loops that the served code has then."""

    seq: int
    keys: Mapping[str, Any]
    state: int | None = None
    part: int = 0


@dataclass
class Copy:
    """One definition as it is served: its final name, who used it, what is replaced in its text, and lines that follow it."""

    found: Defined
    name: str
    number: int
    uses: list[Use]
    edits: dict[int, Edit] = field(default_factory=dict)
    added: list[Callable[[], str]] = field(default_factory=list)


@dataclass
class _Site:
    tree: Tree
    node: ast.AST
    name: str
    uses: list[Use] = field(default_factory=list)


Look = Callable[[Use, str], Seen | None]


class Definitions:
    """Collects what the served code needs by name, for one composer."""

    def __init__(self, composer: Composer) -> None:
        self.composer, self.recording = composer, composer.recording
        self.namespace = Namespace(composer.recording)
        self._sites: dict[tuple[int, int], _Site] = {}
        self._copies: dict[Any, Copy] = {}
        self._waiting: list[Copy] = []
        self._needed: dict[str, int] = {}
        self._imports: dict[str, str] = {}
        self._settled: set[str] = set()
        self._known: dict[str, Seen] = {}
        self._identities: dict[tuple[int, int], bytes] = {}

    # collecting -----------------------------------------------------------------------------------------------------

    def need(self, name: str, before: int) -> None:
        """A name that the served code reads as the notebook had it in tree `before`: a module, or a definition of which no state is known."""
        self._needed[name] = max(before, self._needed.get(name, 0))

    def use(self, tree: Tree, node: int, name: str, use: Use) -> None:
        """An execution read a function or class at this node."""
        self._sites.setdefault((tree.number, node), _Site(tree, tree.nodes[node], name)).uses.append(use)

    def outside(self, tree: Tree, node: ast.stmt, use: Use, known: Mapping[str, Seen], own: set[str]) -> None:
        """A statement is served as it is written: what it reads of the notebook (`known`) and does not bind itself (`own`) is captured."""
        reads = [n for n in _reads(node) if n.id not in own]
        label = f"the loop in line {tree.line(node)}"
        self._replace(tree, reads, [use], lambda _, name: known.get(name), (label, "outside", None))

    def settle(self) -> None:
        """All uses are known: choose the copy for each, and the name by which it is read."""
        for site in sorted(self._sites.values(), key=lambda s: s.uses[0].seq):
            copy = self._copy(site.uses)
            if copy is None:
                self.need(site.name, site.tree.number)
            elif copy.name != site.name:
                self.composer.edit(site.tree, site.tree.index[site.node], lambda _, c=copy: c.name)  # type: ignore[misc]

    def called(self, name: str, uses: list[Use]) -> str:
        """The final name of a function that is served for these uses of it."""
        copy = self._copy(uses)
        if copy is None:
            self.need(name, len(self.recording.trees))
        return name if copy is None else copy.name

    # resolving ------------------------------------------------------------------------------------------------------

    def resolve(self) -> tuple[list[str], list[Copy]]:
        """Import statements, and the copies in the notebook's order, for all that is needed so far, their own needs included."""
        while self._waiting or self._needed or self._pickled():
            while self._needed:
                self._find(*self._needed.popitem())
            while self._waiting:
                self._settle(self._waiting.pop())
        order = sorted(self._copies.values(), key=lambda c: (c.found.tree.number, c.found.node.lineno, c.number))
        return list(self._imports.values()), order

    def _find(self, name: str, before: int) -> None:
        if name in self._imports or any(c.name == name for c in self._copies.values()):
            return
        found = self.namespace.find(name, before)
        text = found.text if found is not None else self._from_star(name)
        if text is not None:
            self._imports[name] = text
        elif found is not None:
            state = self.now(name).state
            if state is None or self._copy([Use(0, {}, state)]) is None:
                self._add(found.name, found, [Use(0, {})], ("unknown", found.name))

    def _from_star(self, name: str) -> str | None:
        info = self.composer.oracle.globals([name]).get(name, {})
        if info.get("kind") not in IMPORTED or not info.get("module"):
            return None
        return self.namespace.from_star(name, info["module"], info.get("qualname"))

    def now(self, name: str) -> Seen:
        """What a name stands for at the end of the run."""
        if name not in self._known:
            info = self.composer.oracle.globals([name]).get(name)
            self._known[name] = seen(info) if info is not None else Seen("unknown")
        return self._known[name]

    def _pickled(self) -> bool:
        """Ask for the classes and functions that captured values refer to by their names; whether there were any new."""
        before = len(self._copies), len(self._needed)
        for value in self.composer.captures.values:
            if value.name in self._settled:
                continue
            self._settled.add(value.name)
            for _, snapshot in value.entries:
                states: dict[str, int] = self.recording.snapshots.get(snapshot, {}).get("states") or {}
                for name, state in states.items():
                    copy = self._copy([Use(0, {}, state)])
                    if copy is not None and copy.name != name and copy.found.name == name:
                        raise Refused([self._twice(copy, value.name)])
                for name in main_names(str(self.recording.folder / "snapshots" / f"{snapshot}.pkl")) - states.keys():
                    found = self.namespace.find(name)
                    if found is not None and isinstance(found.node, (ast.FunctionDef, ast.ClassDef)):
                        self.need(name, found.tree.number)
        return (len(self._copies), len(self._needed)) != before

    def _twice(self, copy: Copy, value: str) -> Diagnostic:
        return Diagnostic(
            "N7",
            "error",
            f"The value {value!r} holds {copy.found.name!r} as it was then, and the path uses another {copy.found.name!r}, or one that read other values: "
            "a saved value can name one of them only.",
            "Give the two functions or classes names of their own.",
            *copy.found.tree.place(copy.found.node),
        )

    # copies ---------------------------------------------------------------------------------------------------------

    def _part(self, use: Use) -> Part | None:
        return None if use.state is None else self.recording.states[use.state][use.part]

    def _copy(self, uses: list[Use]) -> Copy | None:
        """The copy that serves these uses; None where none of them has a known state."""
        known = [(use, part) for use in uses if (part := self._part(use)) is not None]
        if not known:
            return None
        last = known[-1][1]
        tree, node = self.recording.statement(last.k)
        found = Defined(last.name, tree, node)
        same = [use for use, part in known if part.k == last.k]
        identities = {self._identity(use) for use in same}
        key: Any = (last.k, identities.pop())
        if self.composer.traced(found):
            key = (last.k,)
        elif identities:
            key = (last.k, frozenset((tuple(sorted(u.keys.items(), key=str)), self._identity(u)) for u in same))
        if key in self._copies:
            self._copies[key].uses.extend(same)
            return self._copies[key]
        return self._add(last.name, found, same, key)

    def _add(self, wish: str, found: Defined, uses: list[Use], key: Any) -> Copy:
        taken = {c.name for c in self._copies.values()} | self._imports.keys()
        name, number = wish, 1
        while name in taken or (number > 1 and self.namespace.find(name) is not None):
            number += 1
            name = f"{wish}_{number}"
        copy = self._copies[key] = Copy(found, name, len(self._copies), list(uses))
        self._waiting.append(copy)
        return copy

    def _identity(self, use: Use) -> bytes:
        """A digest of all that a definition and those that it reads are and hold in one state."""
        if use.state is None:
            return b""
        key = (use.state, use.part)
        if key not in self._identities:
            parts, order, out = self.recording.states[use.state], [use.part], []
            for at in order:  # grows as it goes
                part = parts[at]
                groups = (part.defining, part.calling, part.held, part.changed)
                out.append((part.k, [[(name, self._mark(one, order)) for name, one in g.items()] for g in groups]))
            self._identities[key] = sha256(repr(out).encode()).digest()
        return self._identities[key]

    def _mark(self, one: Seen, order: list[int]) -> Any:
        if one.kind == "part" and one.part is not None:
            if one.part not in order:
                order.append(one.part)
            return order.index(one.part)
        if one.state is not None:
            return self._identity(Use(0, {}, one.state))
        return one.kind if one.snapshot is None else self.composer.captures.content(one.snapshot)

    def _settle(self, copy: Copy) -> None:
        """Replace what a copy reads of the notebook by what it was for those who used it."""
        tree, node = copy.found.tree, copy.found.node
        self.composer.taken(tree, node)
        reads = _reads(node)
        traced = self.composer.traced(copy.found)
        if traced:
            kept = [*self.composer.kept_in(copy.found), *inner_definitions(node), *_signature_parts(node)]
            inside = {n for part in kept for n in ast.walk(part)}
            reads = [n for n in reads if n in inside]
        label = copy.found.name
        target = (label, f"copy {copy.number}", None if traced else copy)
        held = self._held(copy, tree, target)
        self._replace(tree, [n for n in reads if n not in held], copy.uses, self._look, target)
        if not traced and copy.name != label:
            for name in (n for n in reads if n.id == label):
                copy.edits[tree.index[name]] = lambda _: copy.name
        self._changed(copy, tree)

    def _look(self, use: Use, name: str) -> Seen | None:
        part = self._part(use)
        if part is None:
            return self.now(name)
        return part.calling.get(name) or part.defining.get(name)

    def _held(self, copy: Copy, tree: Tree, target: tuple[str, str, Copy | None]) -> set[ast.AST]:
        """Write defaults and attributes as the values that they held; returns the nodes that are settled so."""
        done: set[ast.AST] = set()
        parts = [part for use in copy.uses if (part := self._part(use)) is not None]
        for node in parts[-1].held if parts else ():
            expression = tree.nodes[node]
            held = [
                (use, part.held[node])
                for use in copy.uses
                if (part := self._part(use)) is not None and node in part.held
            ]
            kinds = {one.kind for _, one in held}
            if kinds == {"value"}:
                self._capture(tree, expression, held, telling_name(expression), target)
            elif kinds <= set(DEFINED):
                self._name(tree, expression, held, target)
            else:
                continue
            done.update(ast.walk(expression))
        return done

    def _changed(self, copy: Copy, tree: Tree) -> None:
        """Attributes of a class that were set after its definition."""
        parts = [(use, part) for use in copy.uses if (part := self._part(use)) is not None]
        for name, one in parts[-1][1].changed.items() if parts else ():
            if one.snapshot is None:
                continue
            site = (tree, tree.index[copy.found.node], f"attribute {name} {copy.number}")
            reason = f"set on {copy.found.name} after its definition"
            self.composer.captures.add(*site, (name, reason), Occurrence(parts[-1][0].seq, one.snapshot, {}))
            copy.added.append(lambda n=name, s=site: f"{copy.name}.{n} = {self.composer.captures.reference(*s)}")  # type: ignore[misc]
            self.composer.captures.value(*site)

    # replacing ------------------------------------------------------------------------------------------------------

    def _replace(
        self, tree: Tree, reads: Iterable[ast.Name], uses: list[Use], look: Look, target: tuple[str, str, Copy | None]
    ) -> None:
        """Have each name read what it stood for; what was captured where a call read it stays so."""
        edited = self.composer.edits.get(tree.number, {})
        for node in reads:
            if tree.index[node] in edited or (tree.number, tree.index[node]) in self._sites:
                continue
            held = [(use, one) for use in uses if (one := look(use, node.id)) is not None]
            kinds = {one.kind for _, one in held}
            if kinds & set(IMPORTED):
                self.need(node.id, len(self.recording.trees))
            elif kinds & set(DEFINED):
                self._name(tree, node, held, target)
            elif self._is_kept(tree, node, uses, [one for _, one in held]):
                self._capture(tree, node, held, node.id, target)

    def _is_kept(self, tree: Tree, node: ast.Name, uses: list[Use], held: list[Seen]) -> bool:
        """Whether what a name stood for is kept: a plain value; a table that is asked where nothing ran in the recorded run, and of which a request has no rows."""
        kinds = {one.kind for one in held}
        if kinds != {"rows"}:
            return kinds == {"value"} and not all(node.id in use.keys for use in uses)
        ran = (tree.number, tree.index[node]) in self._ran
        return not ran and all(one.snapshot is not None and self.composer.walk.is_beside(one.lineage) for one in held)

    @cached_property
    def _ran(self) -> frozenset[tuple[int, int]]:
        """The places at which a name was read in the recorded run."""
        steps = [one for step in self.recording.steps for one in (step, *step.asides)]
        return frozenset((self.recording.statements[s.k].tree, r.node) for s in steps for r in s.reads)

    def _name(
        self, tree: Tree, node: ast.AST, held: list[tuple[Use, Seen]], target: tuple[str, str, Copy | None]
    ) -> None:
        """A definition reads another: by the name of its copy."""
        inner = [
            Use(use.seq, use.keys, use.state, one.part) if one.part is not None else Use(use.seq, use.keys, one.state)
            for use, one in held
        ]
        copy = self._copy(inner)
        text = node.id if isinstance(node, ast.Name) else ""
        if copy is None:
            self.need(text or ast.unparse(node), len(self.recording.trees))
        elif copy.name != text:
            self._put(tree, node, lambda _, c=copy: c.name, target)  # type: ignore[misc]

    def _capture(
        self, tree: Tree, node: ast.AST, held: list[tuple[Use, Seen]], wish: str, target: tuple[str, str, Copy | None]
    ) -> None:
        captures, kind = self.composer.captures, f"read by {target[1]}"
        for use, one in held:
            if one.snapshot is not None:
                named = (wish, f"a global that {target[0]} reads")
                captures.add(tree, tree.index[node], kind, named, Occurrence(use.seq, one.snapshot, dict(use.keys)))
        if captures.has(tree, tree.index[node], kind):
            self._put(tree, node, lambda _: captures.reference(tree, tree.index[node], kind), target)
            if target[2] is not None:
                captures.value(tree, tree.index[node], kind)  # what it refers to is needed too

    def _put(self, tree: Tree, node: ast.AST, edit: Edit, target: tuple[str, str, Copy | None]) -> None:
        if target[2] is None:
            self.composer.edit(tree, tree.index[node], edit)
        else:
            target[2].edits[tree.index[node]] = edit


def _reads(node: ast.AST) -> list[ast.Name]:
    found = global_reads(node)
    return [*found.defining, *found.calling]


def _signature_parts(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.FunctionDef):
        return []
    args = node.args
    return [*node.decorator_list, *args.defaults, *(d for d in args.kw_defaults if d is not None)]
