"""The release of a proved Bento: its record, its card, and the metrics of the rows that the notebook predicted."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.notebook import Notebook
from nb2prod.pipeline.ingredients import Ingredients, service_options

if TYPE_CHECKING:
    from nb2prod.bento.pins import Pins
    from nb2prod.evaluation.evaluation import Evaluation
    from nb2prod.evaluation.outcomes import Outcomes
    from nb2prod.parity.cases import Cases
    from nb2prod.parity.report import ParityReport
    from nb2prod.path.plan import ServingPath


@dataclass(frozen=True)
class MeasuredRows:
    """What was true of the predicted rows, and the metrics that follow from it."""

    outcomes: Outcomes
    metrics: Evaluation


def measured_rows(packed: Ingredients) -> MeasuredRows:
    """Measure what was found of the predicted rows; to be asked after the edge cases."""
    from nb2prod.evaluation import evaluation, outcomes

    asked = packed.serving.outcomes
    known = packed.tries.outcomes() if asked.reason is None else {"reason": asked.reason}
    measured = outcomes.from_json(known)
    return MeasuredRows(measured, evaluation.evaluate(measured, packed.serving.signature["prediction"]["name"]))


@dataclass(frozen=True)
class BuiltBento:
    """A packaged Bento with all that its release says of it."""

    notebook: Notebook
    options: Options
    serving: ServingPath
    bento: Path
    pins: Pins
    warnings: tuple[Diagnostic, ...]
    plan: dict[str, Any]
    stage: Path
    evaluated: MeasuredRows

    @property
    def formats(self) -> dict[str, str]:
        """The file format of each captured value."""
        return {a["name"]: a.get("format") or a["entries"][0]["format"] for a in self.serving.artifacts}


def release(built: BuiltBento, report: ParityReport, cases: Cases) -> tuple[str | None, Path | None]:
    """Promote the Bento and write its record; a failed proof leaves only its report."""
    from nb2prod import __version__
    from nb2prod.bento import store
    from nb2prod.release import record, records, source

    notebook, options, serving, bento = built.notebook, built.options, built.serving, built.bento
    if not report.passed:
        return None, records.write_refused(bento.parent.name, report, cases)
    card = _card(built, report)
    item = record.ReleaseRecord(
        name=bento.parent.name,
        version=bento.name,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        notebook=notebook.name,
        notebook_hash=source.notebook_hash(notebook.text),
        data_hash=source.file_hash(serving.table.path),
        parameters=dict(options.parameters),
        git=source.git_state(notebook.path),
        python=serving.recording.python,
        pins=built.pins.requirements,
        owner=options.owner,
        runbook=options.runbook,
        watch=options.watch,
        gates=options.gates,
        environments=options.environments,
        recording=_recording_digest(serving),
        nb2prod=__version__,
        captured=tuple(
            record.CapturedValue(v.name, v.cell, v.line, v.why, built.formats.get(v.name, "")) for v in serving.captured
        ),
    )
    executed = (built.stage / "recording" / "executed.ipynb").read_text(encoding="utf-8")
    proved = report.sample and records.proved_before(item.name, item.version)
    if proved:  # a sample takes nothing away from the whole proof of the same content
        return store.promote(bento, readme=card), records.folder_of(item.name, item.version)
    known = built.evaluated
    contents = records.Contents(report, cases, built.plan, card, executed, notebook.path, known.metrics, known.outcomes)
    written = records.write(item, contents)
    tag = store.promote(bento, readme=card)
    return tag, written.folder


def _card(built: BuiltBento, report: ParityReport) -> str:
    import json

    from nb2prod.bento import card
    from nb2prod.release import source

    notebook, options, serving, bento = built.notebook, built.options, built.serving, built.bento
    return card.render(
        card.Card(
            name=bento.parent.name,
            version=bento.name,
            notebook=notebook.name,
            signature=serving.signature,
            owner=options.owner,
            runbook=options.runbook,
            notebook_sha256=source.notebook_hash(notebook.text),
            rows=serving.table.rows,
            predicted_rows=len(serving.predicted),
            parameters=dict(options.parameters),
            metrics=built.evaluated.metrics,
            captured=tuple(
                card.CapturedValue(v.name, v.cell or 0, v.line or 0, v.why, built.formats.get(v.name, ""))
                for v in serving.captured
            ),
            filters=tuple(card.Filter(f.cell or 0, f.line or 0, f.source, f.klass) for f in serving.filters),
            diagnostics=built.warnings,
            parity=report.to_json(),
            serving=service_options(notebook, options),
            examples=json.loads((bento / "src" / "examples.json").read_text(encoding="utf-8")),
            python_version=built.pins.python_version,
            requirements=built.pins.requirements,
        )
    )


def _recording_digest(serving: ServingPath) -> str:
    """What the run decided, without where it ran: the path's statements and the artifacts' digests."""
    total = hashlib.sha256()
    total.update(serving.composition.features.encode() + serving.composition.predict.encode())
    total.update(serving.fallback.source.encode() if serving.fallback else b"")
    for artifact in serving.artifacts:
        for entry in artifact.get("entries", [artifact]):
            total.update(entry["sha256"].encode())
    return total.hexdigest()
