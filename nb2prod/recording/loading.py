"""Reads the trace that the recorder left."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from nb2prod.notebook import Cell, CompiledSource, Notebook, compiled_sources
from nb2prod.recording import states
from nb2prod.recording.kernel.numbering import digest
from nb2prod.recording.trace import Bind, FrameInfo, Place, Read, Recording, StatementInfo, Step, Table, Tree
from nb2prod.recording.training import Training


def load(folder: Path, notebook: Notebook, executed: list[tuple[str, Cell | None]]) -> Recording:
    """Read the trace that the recorder left in `folder`.

    `executed`: the source of each executed code cell, in order, with the notebook's cell (None for papermill's injected parameters).
    """
    raw = json.loads((folder / "trace.json").read_text())
    statements = tuple(StatementInfo(*s) for s in raw["statements"])
    return Recording(
        folder=folder,
        notebook=notebook,
        steps=tuple(_step(s, statements) for s in sorted(raw["steps"], key=lambda s: s["seq"])),
        frames={f["frame"]: _frame(f) for f in raw["frames"]},
        tables=tuple(_table(t) for t in raw["tables"]),
        trees=tuple(_trees(raw["trees"], executed)),
        statements=statements,
        snapshots={int(k): v for k, v in raw["snapshots"].items()},
        fits=tuple(raw["fits"]),
        trainings=tuple(Training(tuple(t["rows"]), tuple(t["beside"])) for t in raw["trainings"]),
        problems=tuple(raw["problems"]),
        python=raw["python"],
        executable=raw["executable"],
        settings=raw["settings"],
        states=states.numbered(raw["states"]),
        _lineages={int(k): v for k, v in raw["lineages"].items()},
    )


def _places(raw: list[dict[str, Any]]) -> tuple[Place, ...]:
    return tuple(Place(p["k"], p["instance"], p["iteration"], p["keys"]) for p in raw)


def _step(raw: dict[str, Any], statements: tuple[StatementInfo, ...]) -> Step:
    own = statements[raw["k"]].tree
    elsewhere = {item.get("tree", own) for item in (*raw["reads"], *raw["events"])}
    step = Step(
        seq=raw["seq"],
        k=raw["k"],
        frame=raw["frame"],
        kind=raw["kind"],
        loops=_places(raw["loops"]),
        reads=tuple(_read(r) for r in raw["reads"] if r.get("tree", own) == own),
        binds=tuple(_bind(b) for b in raw["binds"]),
        updates=frozenset(raw["updates"]),
        events=tuple(e for e in raw["events"] if e.get("tree", own) == own),
        result=tuple(raw["result"][:2]) if raw.get("result") else None,
        names={name: states.seen(found) for name, found in raw.get("names", {}).items()},
    )
    asides = [a for tree in sorted(elsewhere - {own}) for a in _asides(step, tree, raw, statements)]
    return replace(step, asides=tuple(asides)) if asides else step


def _asides(step: Step, tree: int, raw: dict[str, Any], statements: tuple[StatementInfo, ...]) -> list[Step]:
    """What a step did in lambdas of another cell, a step for each of the statements that they stand in."""
    starts = sorted((s.node, k) for k, s in enumerate(statements) if s.tree == tree)

    def statement(item: dict[str, Any]) -> int | None:
        return max(((node, k) for node, k in starts if node <= item["node"]), default=(0, None))[1]

    reads, events = defaultdict(list), defaultdict(list)
    for item in raw["reads"]:
        if item.get("tree") == tree:
            reads[statement(item)].append(_read(item))
    for item in raw["events"]:
        if item.get("tree") == tree:
            events[statement(item)].append(item)
    return [
        replace(
            step,
            k=k,
            kind="step",
            reads=tuple(reads[k]),
            events=tuple(events[k]),
            binds=(),
            updates=frozenset(),
            result=None,
        )
        for k in sorted(k for k in {*reads, *events} if k is not None)
    ]


def _read(raw: dict[str, Any]) -> Read:
    return Read(
        raw["node"],
        raw["name"],
        raw["kind"],
        raw.get("token"),
        raw.get("lineage"),
        tuple(raw.get("tokens") or ()),
        raw.get("snapshot"),
        raw.get("module"),
        raw.get("qualname"),
        raw.get("state"),
        raw.get("asked", False),
    )


def _bind(raw: list[Any]) -> Bind:
    padded = [*raw, None, None, None][:4]
    return Bind(padded[0], padded[1], padded[2], tuple(padded[3] or ()))


def _frame(raw: dict[str, Any]) -> FrameInfo:
    return FrameInfo(
        raw["frame"],
        raw["k"],
        raw["parent"],
        raw["node"],
        raw["keys"],
        raw["rows"],
        _places(raw["loops"]),
        raw["outer"],
        raw["name"],
        raw["asks"],
    )


def _table(raw: dict[str, Any]) -> Table:
    named = raw.get("renamed") is not None
    path = Path(raw["path"] + ".named" if named else raw["path"])
    columns = tuple(raw["renamed"] if named else raw["columns"])
    return Table(raw["table"], path, raw["rows"], columns, raw["form"], raw["name"], raw.get("target"), named)


def compiled_trees(cell: Cell) -> list[tuple[CompiledSource, ast.Module]]:
    """Every tree that the kernel compiles when it runs the cell: its own, and what ``%time`` and its like run inside it."""
    out: list[tuple[CompiledSource, ast.Module]] = []
    waiting = list(compiled_sources(cell))
    while waiting:
        code = waiting.pop(0)
        try:
            tree = ast.parse(code.text)
        except SyntaxError:
            continue
        out.append((code, tree))
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant(), ast.Constant(value=str(text))]
                ):
                    waiting.append(CompiledSource(text, code.offset + node.lineno - 1))
    return out


def _trees(digests: list[str], executed: list[tuple[str, Cell | None]]) -> list[Tree]:
    """Match each compiled tree to the cell it came from: by its digest, equal cells in order."""
    waiting: dict[str, list[tuple[Cell | None, CompiledSource, ast.Module]]] = defaultdict(list)
    for source, cell in executed:
        for code, tree in compiled_trees(cell if cell is not None else Cell(0, -1, None, "code", source)):
            waiting[digest(tree)].append((cell, code, tree))
    out = []
    for number, mark in enumerate(digests):
        known = waiting.get(mark)
        if not known:
            out.append(Tree(number, None, "", 0, ast.Module(body=[], type_ignores=[])))
            continue
        cell, code, tree = known.pop(0) if len(known) > 1 else known[0]
        out.append(Tree(number, cell, code.text, code.offset, tree))
    return out
