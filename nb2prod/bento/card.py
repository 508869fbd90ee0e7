"""The model card: the README.md of a release and of its Bento, for a person who did not write the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nb2prod.bento import card_metrics
from nb2prod.bento.markdown import code, escape, table
from nb2prod.diagnostics import Diagnostic, ordered
from nb2prod.evaluation.evaluation import Evaluation
from nb2prod.runtime import proof
from nb2prod.runtime.options import Options

_PROOF = "## Parity"


@dataclass(frozen=True)
class CapturedValue:
    """A value of the notebook that the service carries: where it was read and why."""

    name: str
    cell: int | None
    line: int | None
    reason: str
    format: str = ""


@dataclass(frozen=True)
class Filter:
    """A line of the notebook that drops rows, and what serving makes of it: `validity` or `training-only`."""

    cell: int
    line: int
    source: str
    kind: str


@dataclass(frozen=True)
class Card:
    """All that the card tells.

    `signature` and `examples` are the documents of those names, `serving` the options of the service; `parity` is the document of parity.json,
    or its summary as `build --json` has it, or None before the proof.
    """

    name: str
    version: str
    notebook: str
    signature: Mapping[str, Any]
    owner: str | None = None
    runbook: str | None = None
    notebook_sha256: str = ""
    rows: int | None = None
    predicted_rows: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Evaluation | None = None
    captured: tuple[CapturedValue, ...] = ()
    filters: tuple[Filter, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    parity: Mapping[str, Any] | None = None
    serving: Options = field(default_factory=Options)
    examples: Mapping[str, Any] = field(default_factory=dict)
    python_version: str = ""
    requirements: tuple[str, ...] = ()


def render(card: Card) -> str:
    """The card as Markdown; everything that comes from the notebook is escaped."""
    metrics = "" if card.metrics is None else card_metrics.render(card.metrics)
    parts = [_head(card), _ask(card), _fields(card), _data(card), metrics, _captured(card), _filters(card)]
    parts += [_serving(card), _warnings(card), _parity(card.parity), _environment(card)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Card) -> str:
    owner = escape(card.owner) if card.owner else "nobody yet (set `owner` in nb2prod.toml)"
    runbook = _link(card.runbook) if card.runbook else "none yet (set `runbook` in nb2prod.toml)"
    digest = f" (sha256 {code(card.notebook_sha256.removeprefix('sha256:')[:16])})" if card.notebook_sha256 else ""
    rows = [
        ("Owner", owner),
        ("Runbook", runbook),
        ("Notebook", f"{code(card.notebook)}{digest}"),
        ("Prediction", _prediction(card.signature.get("prediction") or {})),
    ]
    if card.parameters:
        given = ", ".join(code(f"{key} = {value!r}") for key, value in card.parameters.items())
        rows.append(("Parameters", given))
    title = f"# {escape(card.name)} {code(card.version)}"
    return f"{title}\n\n{table(('', ''), rows)}"


def _link(address: str) -> str:
    if re.fullmatch(r"https?://[^\s<>()|]+", address):
        return f"<{address}>"
    return escape(address)


def _prediction(prediction: Mapping[str, Any]) -> str:
    text = f"{code(prediction.get('name', ''))}, {escape(prediction.get('kind', ''))}"
    labels = prediction.get("labels")
    if labels:
        return f"{text}: {_some(labels)}"
    return f"{text}. {_scale(prediction['scale'])}" if prediction.get("scale") else text


def _scale(scale: Mapping[str, Any]) -> str:
    """That the answer is no value of the target itself, and what makes one of it."""
    column = code(scale["column"])
    if scale.get("function"):
        return f"**It is the {escape(scale['function'])} of {column}**, as the model was fitted to: {column} itself is {code(scale['inverse'])} of it"
    return f"**It is not {column} itself** but on the scale that the notebook brought {column} to before it fitted the model"


def _ask(card: Card) -> str:
    rows = card.examples.get("rows") or []
    if not rows:
        return ""
    body = json.dumps({"rows": rows[:1]}, ensure_ascii=False)
    # A code block can't be left from within: its fence is longer than any run of backticks in it.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    quoted = body.replace("'", "'\\''")
    command = f"curl -s localhost:3000/predict -H 'content-type: application/json' -d '{quoted}'"
    return f"## Ask it\n\nA made row, not one of training's:\n\n{fence}sh\n{command}\n{fence}"


def _fields(card: Card) -> str:
    columns = card.signature.get("columns", [])
    rows = [_field(column) for column in columns if column.get("field")]
    left = [column for column in columns if not column.get("field")]
    text = "## Fields of a request\n\nRanges and categories are those seen in training; they inform and do not forbid. A text field tells its categories where training had at most 50, and only those that five rows or more had."
    text += "\n\n" + table(("field", "type", "null", "seen in training"), rows)
    if left:
        targets = [column["name"] for column in left if column.get("target")]
        unused = [column["name"] for column in left if not column.get("target")]
        if targets:
            text += f"\n\nThe target, not part of a request: {_codes(targets)}."
        if unused:
            text += f"\n\nRaw columns in which other values changed no answer of the rows that were tried, not part of a request: {_codes(unused)}."
    return text


def _field(column: Mapping[str, Any]) -> tuple[str, ...]:
    seen = ""
    if column.get("categories"):
        rarer = column.get("rarer") or 0
        seen = _some(column["categories"]) + (f" and {rarer} rarer" if rarer else "")
    elif column.get("minimum") is not None:
        seen = f"{escape(column['minimum'])} to {escape(column.get('maximum'))}"
    kind = f"{escape(column['type'])} ({code(column['dtype'])})"
    return code(column["name"]), kind, "yes" if column.get("nullable") else "no", seen


def _some(values: Sequence[object], most: int = 12) -> str:
    told = ", ".join(code(value) for value in values[:most])
    return told if len(values) <= most else f"{told} and {len(values) - most} more"


def _codes(names: Iterable[object]) -> str:
    return ", ".join(code(name) for name in names)


def _data(card: Card) -> str:
    facts = [f"Raw table: {code(card.signature.get('raw_table', ''))}"]
    if card.rows is not None:
        facts[0] += f", {card.rows:,} rows"
    if card.predicted_rows is not None:
        facts.append(f"Rows that the notebook predicted: {card.predicted_rows:,}")
    return "## Data\n\n" + "\n".join(f"- {fact}" for fact in facts)


def _captured(card: Card) -> str:
    if not card.captured:
        return ""
    rows = [
        (code(item.name), _place(item.cell, item.line), escape(item.reason), escape(item.format))
        for item in card.captured
    ]
    text = "## Values captured from the run\n\nThe service computes with these; a new build takes new ones."
    return text + "\n\n" + table(("value", "cell", "why", "kept as"), rows)


def _place(cell: int | None, line: int | None) -> str:
    if cell is None:
        return ""
    return str(cell) if line is None else f"{cell}, line {line}"


def _filters(card: Card) -> str:
    if not card.filters:
        return ""
    meaning = {
        "validity": "a request's row that it drops is refused",
        "training-only": "left out when serving",
    }
    rows = [
        (_place(item.cell, item.line), code(item.source), f"{escape(item.kind)}: {meaning.get(item.kind, '')}")
        for item in card.filters
    ]
    return "## Lines that drop rows\n\n" + table(("cell", "line of the notebook", "serving"), rows)


def _serving(card: Card) -> str:
    rows = [
        (code(name), code(json.dumps(value, default=list)), "set" if changed else "default", escape(about))
        for name, value, about, changed in card.serving.explained()
    ]
    text = "## How it is served\n\nSet in the table `serving` of nb2prod.toml, and part of this version."
    return text + "\n\n" + table(("option", "value", "", "what it decides"), rows)


def _warnings(card: Card) -> str:
    told = [item for item in ordered(card.diagnostics) if item.severity != "info"]
    if not told:
        return ""
    lines = []
    for item in told:
        place = f" {item.place}" if item.place else ""
        hint = f" *{escape(item.hint)}*" if item.hint else ""
        lines.append(f"- **{item.code}**{place}: {escape(item.message)}{hint}")
    return "## Warnings\n\n" + "\n".join(lines)


def proved_again(card: str, parity: Mapping[str, Any]) -> str:
    """A card that was rendered before, with the outcome of another proof."""
    before, _, after = card.partition(_PROOF)
    _, heading, rest = after.partition("\n## ")
    return f"{before.rstrip()}\n\n{_parity(parity)}\n{heading and chr(10)}{heading.strip(chr(10))}{rest}"


def _parity(parity: Mapping[str, Any] | None) -> str:
    if parity is None:
        return f"{_PROOF}\n\nNot proved yet."
    verdict = "passed" if parity.get("passed") else "**failed**"
    text = f"{_PROOF}\n\n{proof.mark(parity)}\n\nThe built service was asked over HTTP, and its answers compared with the run's: {verdict}."
    if parity.get("sample"):
        text += "\n\n**Only a sample was asked** (`build --quick`): not to be deployed before `nb2prod parity` has proved the whole."
    kinds = parity.get("kinds")
    if kinds:
        head = ("case", "outcome", "rows", "differences", "note")
        rows = [tuple(escape(item.get(name, "")) for name in ("kind", "status", *head[2:])) for item in kinds]
        text += "\n\n" + table(head, rows)
    elif parity.get("cases"):
        text += "\n\n" + table(
            ("case", "rows compared"), [(escape(name), escape(rows)) for name, rows in parity["cases"].items()]
        )
    notes = parity.get("notes") or ()
    return text + ("\n\n" + "\n".join(f"- {escape(note)}" for note in notes) if notes else "")


def _environment(card: Card) -> str:
    if not card.requirements:
        return ""
    return (
        f"## Environment\n\nPython {escape(card.python_version)} and {len(card.requirements)} pinned packages"
        " (`env/python/requirements.txt` in the Bento)."
    )
