"""The expected serving path: from the prediction back through what carries rows, and only through that."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from nb2prod.forecast.values import Block, Compound, Flow, Kind, Read, Site, Unit, units

_CODE = frozenset({Kind.MODULE, Kind.FUNCTION, Kind.CLASS})


@dataclass
class Walk:
    """What the walk back found."""

    kept: list[Unit] = field(default_factory=list)
    """Statements on the path, in the notebook's order."""
    captured: list[Read] = field(default_factory=list)
    """Reads of what carries no rows."""
    sources: list[Unit] = field(default_factory=list)
    """Statements where rows come from nowhere: they load a table."""
    sites: list[tuple[Unit, Site]] = field(default_factory=list)
    """The calls that count: those of the path's statements, without the sides that the path does not need."""


def walk_back(block: Block, prediction: Unit, origins: frozenset[int] = frozenset()) -> Walk:
    """The path of what this statement computes. `origins` are the loads that its rows come from, where known:
    what happens to other tables' rows alone is no part of it.
    """
    walker = _Walker(prediction, origins)
    walker.walk(block, set())
    order = {id(unit): number for number, unit in enumerate(units(block))}
    kept = sorted(walker.kept.values(), key=lambda unit: order[id(unit)])
    found = Walk(kept)
    bound = {name for unit in kept for flow in unit.flows for name in flow.names}
    for unit in kept:
        found.sites += [(unit, site) for site in unit.sites if not _aside(site, walker.unneeded(unit))]
        if id(unit) in walker.sources:
            found.sources.append(unit)
        for read in walker.reads.get(id(unit), ()):
            if (
                read.value.kind in _CODE
                or (read.value.from_rows and not read.lookup)
                or _is_loop_name(read, kept, bound)
            ):
                continue
            found.captured.append(read)
    return found


def _aside(site: Site, unneeded: list[ast.expr]) -> bool:
    return any(site.node is node for expression in unneeded for node in ast.walk(expression))


def _is_loop_name(read: Read, kept: list[Unit], bound: set[str]) -> bool:
    """A loop's own variable is no captured value: the loop is kept."""
    if read.name not in bound:
        return False
    return any(isinstance(unit.node, (ast.For, ast.AsyncFor)) and read.name in unit.defines for unit in kept) or any(
        read.name in unit.defines and unit.cell is read.cell and unit.line == read.line for unit in kept
    )


class _Walker:
    def __init__(self, prediction: Unit, origins: frozenset[int]) -> None:
        self.prediction = prediction
        self.origins = origins
        self.kept: dict[int, Unit] = {}
        self.reads: dict[int, list[Read]] = {}
        self.sources: set[int] = set()
        self.flows: dict[int, list[Flow]] = {}

    def unneeded(self, unit: Unit) -> list[ast.expr]:
        """The sides of `a, b = x, y` in this unit that the path does without."""
        needed = self.flows.get(id(unit), unit.flows)
        return [flow.expression for flow in unit.flows if flow.expression is not None and flow not in needed]

    def walk(self, block: Block, needed: set[str]) -> set[str]:
        """The names needed before the block, given those needed after it."""
        for item in reversed(block):
            needed = self._unit(item, needed) if isinstance(item, Unit) else self._compound(item, needed)
        return needed

    def _unit(self, unit: Unit, needed: set[str]) -> set[str]:
        if unit is self.prediction:
            return needed | self._keep(unit, list(unit.reads), source=False)
        hits = [flow for flow in unit.flows if needed.intersection(flow.names)]
        other = self.origins and unit.changed_origins and not unit.changed_origins & self.origins
        if other:
            # `train["x"] = 1` changes a member of [train, test], not the one that is predicted.
            hits = [flow for flow in hits if flow.strong]
        if not hits:
            return needed
        self.flows.setdefault(id(unit), []).extend(hits)
        for flow in hits:
            if flow.strong:
                needed = needed - set(flow.names)
        reads = [read for flow in hits for read in flow.reads]
        weak = any(not flow.strong for flow in hits)
        return needed | self._keep(unit, reads, source=not weak)

    def _keep(self, unit: Unit, reads: list[Read], *, source: bool) -> set[str]:
        self.kept[id(unit)] = unit
        known = self.reads.setdefault(id(unit), [])
        known.extend(read for read in reads if read not in known)
        carrying = {read.name for read in reads if read.value.carries and not read.lookup and self._concerns(read)}
        if source and not carrying:
            self.sources.add(id(unit))
        return carrying

    def _concerns(self, read: Read) -> bool:
        origins = read.value.origins
        return not self.origins or not origins or bool(origins & self.origins)

    def _compound(self, item: Compound, needed: set[str]) -> set[str]:
        before = len(self.kept)
        known = set(self.kept)
        after = set(needed)
        result: set[str] = set() if item.exhaustive else set(after)
        for _ in range(3 if item.loop else 1):
            start = after | result if item.loop else after
            for inner in item.blocks:
                result |= self.walk(inner, set(start))
        if len(self.kept) == before and not self._inside(item, known):
            return result
        header = item.header
        names = {name for flow in header.flows for name in flow.names}
        reads = header.reads
        return (result - names) | self._keep(header, reads, source=False)

    def _inside(self, item: Compound, known: set[int]) -> bool:
        """Whether a statement inside was on the path already (the outer loop is gone through again)."""
        return any(id(unit) in known for inner in item.blocks for unit in units(inner))
