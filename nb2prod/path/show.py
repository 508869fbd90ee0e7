"""The plan in words, for a terminal."""

from __future__ import annotations

from nb2prod.path.plan import ServingPath

WIDTH = 100


def text(plan: ServingPath) -> str:
    """The plan as lines: raw table and fields, the path, captured values with place and reason, filters with class."""
    columns = plan.signature["columns"]
    fields = [f"{c['name']} ({c['type']}{', may be null' if c['nullable'] else ''})" for c in columns if c["field"]]
    idle = [str(c["name"]) for c in columns if not c["field"] and not c["target"]]
    name = plan.prediction.label or "the last expression"
    parts = [
        f"Plan of {plan.recording.notebook.name}, as recorded",
        f"  raw table   {plan.table.name or 'unnamed'}, {plan.table.rows} rows, {len(plan.predicted)} of them predicted",
        *_wrapped("  fields      ", fields),
        f"  target      {', '.join(plan.target) or 'not found'}",
        *(_wrapped("  left out    ", idle) if idle else []),
        *(["              (other values there changed no answer of the rows that were tried)"] if idle else []),
        f"  prediction  {name}" + (f" (others: {', '.join(plan.prediction.others)})" if plan.prediction.others else ""),
        f"  batching    {'rows may be answered together' if plan.signature['batching'] else 'each row by itself'}",
        "",
        "Serving path",
        *(f"  cell {cell}, line {line}".ljust(20) + source for cell, line, source in plan.composition.lines),
    ]
    parts += ["", "Captured from training"] + [
        f"  {v.name}".ljust(28)
        + f"cell {v.cell}, line {v.line}".ljust(20)
        + f"{_short(v.text, 40)}  ({v.why})"
        + (" [kept as code, by cloudpickle]" if v.name in plan.as_code else "")
        + (f" [{len(v.entries)} by {', '.join(v.keyed)}]" if v.keyed else "")
        for v in plan.captured
    ]
    if plan.filters:
        parts += ["", "Filters"] + [
            f"  {f.id}".ljust(12) + f"{f.klass}: {f.source}  ({f.evidence})" for f in plan.filters
        ]
    return "\n".join(parts)


def suppressed_line(number: int) -> str:
    """How many warnings the notebook's comments took away; nothing where there are none."""
    if not number:
        return ""
    return f"{number} warning{'s' if number > 1 else ''} suppressed by comments in the notebook"


def _wrapped(head: str, words: list[str]) -> list[str]:
    lines, current = [], head
    for i, word in enumerate(words):
        piece = word + (", " if i < len(words) - 1 else "")
        if len(current) + len(piece) > WIDTH and current.strip() != head.strip():
            lines.append(current.rstrip())
            current = " " * len(head)
        current += piece
    return [*lines, current.rstrip()]


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
