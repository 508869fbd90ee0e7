"""Loops and branches around what the walk keeps: their headers, and which loops are served as loops."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from nb2prod.path.choice_nodes import subtrees
from nb2prod.recording.trace import Step, Tree

if TYPE_CHECKING:
    from nb2prod.path.walk import Walk


class KeptLoops:
    """Keeps headers, and every execution of what is served in a loop or function."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.recording = walk, walk.recording

    def keep_headers(self, step: Step) -> None:
        """The loops and branches that a kept step stands in are kept with what their headers read."""
        tree, node = self.recording.statement(step.k)
        current: ast.AST = node
        while current in tree.parents:
            current = tree.parents[current]
            if isinstance(current, (ast.FunctionDef, ast.Lambda, ast.Module)):
                break
            if not isinstance(current, (ast.If, ast.While, ast.For, ast.With)):
                continue
            header = self._header(step, tree, current)
            if header is not None and header.seq not in self.walk.kept:
                self.walk.kept[header.seq] = header
                self.walk.waiting.extend((header, r) for r in self.walk.needed_reads(header))
                self.walk.keep_calls(header, None)

    def _header(self, step: Step, tree: Tree, node: ast.AST) -> Step | None:
        best = None
        for other in self.recording.by_frame.get(step.frame, ()):
            if other.seq >= step.seq:
                break
            if (
                other.kind in ("header", "step")
                and self.recording.statements[other.k].tree == tree.number
                and tree.nodes[self.recording.statements[other.k].node] is node
            ):
                best = other
        return best

    def close(self) -> bool:
        """Loops and functions are served as code: every execution of a kept statement in a kept loop or call must be satisfied."""
        before = len(self.walk.kept)
        static = {(s.k, s.frame) for s in self.walk.kept.values() if s.kind != "iteration"}
        loops = self.served
        functions: dict[int, set[int]] = defaultdict(set)
        for frame in self.walk.frames:
            functions[self.recording.frames[frame].k] |= {s.k for s in self.walk.kept.values() if s.frame == frame}
        for step in self.recording.steps:
            if step.seq in self.walk.kept or step.kind == "iteration":
                continue
            inside = (step.k, step.frame) in static and any((p.k, p.instance) in loops for p in step.loops)
            called = step.frame in self.walk.frames and step.k in functions[self.recording.frames[step.frame].k]
            if inside or called:
                self.walk.keep_alone(step)
        return len(self.walk.kept) > before or bool(self.walk.waiting)

    @property
    def served(self) -> set[tuple[int, int]]:
        """The running loops (statement, instance) that are served as loops: more than one of their iterations matters, or they run over rows."""
        seen: dict[tuple[int, int], set[int]] = defaultdict(set)
        for step in self.walk.kept.values():
            for place in step.loops:
                if step.kind != "header" or step.k != place.k:
                    seen[place.k, place.instance].add(place.iteration)
        binding = {
            (p.k, p.instance) for s in self.walk.kept.values() if s.kind == "iteration" for p in s.loops if p.k == s.k
        }
        return {key for key, iterations in seen.items() if len(iterations) > 1} | binding | self._deciding()

    def _deciding(self) -> set[tuple[int, int]]:
        """Running loops that go on, or in which a branch is taken, by what is computed while serving: a request may go round them another number of times."""
        if not self.walk.served.live:
            return set()
        found = set()
        for step in self.walk.kept.values():
            tree, node = self.recording.statement(step.k)
            live = {n for number, n in self.walk.served.live if number == tree.number}
            current: ast.AST | None = node
            while current is not None and live:
                test = current.iter if isinstance(current, ast.For) else getattr(current, "test", None)
                if isinstance(current, (ast.For, ast.While, ast.If)) and live & subtrees(tree, [tree.index[test]]):  # type: ignore[index]
                    found |= {(p.k, p.instance) for p in step.loops}
                current = tree.parents.get(current)
        return found
