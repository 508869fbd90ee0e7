"""The new model against the live one on the same rows, of which is known what is true.

Two sets of rows: those that the new notebook's run held out from its training, and the newest rows of production that have a label. The live model may have learned from some of
the former, and the new one from some of the latter: each set speaks for one of them if for any, so that the new one has to hold on both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nb2prod.errors import InputError
from nb2prod.evaluation import comparison, outcomes
from nb2prod.evaluation.comparison import PairedMetric
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.parity import cases
from nb2prod.parity.inprocess import Worker
from nb2prod.release.record import OUTCOMES, ReleaseRecord
from nb2prod.runtime.signature import Signature
from nb2prod.triggers import Terms
from nb2prod.watching.label_store import LabelStore
from nb2prod.watching.logged_rows import of_keys
from nb2prod.watching.replay import answers_of
from nb2prod.watching.subject import Subject

MOST = 2_000
"""Rows of a set at most, the newest."""
HELD_OUT, LABELLED = "{rows}rows that its notebook held out", "the {rows}newest rows with a label"
Outcome = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True)
class Contest:
    """The challenger against the champion on `rows` rows of a set (`on`): a metric of both, the difference with its interval of 95 %, and by how much it may be worse.

    `undecided` where the rows can't tell, and `reason` says why.
    """

    on: str
    outcome: Outcome
    rows: int = 0
    metric: str = ""
    champion: float | None = None
    challenger: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    allowed: float | None = None
    reason: str = ""

    @property
    def short(self) -> str:
        """Both values."""
        if self.champion is None or self.challenger is None:
            return "not compared"
        where = self.on.format(rows=f"{self.rows:,} ")
        return f"{self.metric} {self.challenger:.4g} instead of {self.champion:.4g} on {where}"

    @property
    def sentence(self) -> str:
        """The result in words."""
        if self.champion is None or self.challenger is None:
            return f"not compared on {self.on.format(rows='')}: {self.reason}"
        interval = "" if self.low is None else f" ({self.low:+.3g} to {self.high:+.3g})"
        found = f"{self.short}, {self.difference:+.3g}{interval}"
        told = {
            "passed": "not worse by more than is allowed",
            "failed": "worse than is allowed",
            "undecided": self.reason,
        }
        return f"{found}: {told[self.outcome]}"

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {**asdict(self), "on": self.on.format(rows=""), "sentence": self.sentence, "short": self.short}


def on_held_out(champion: Path, challenger: ReleaseRecord, terms: Terms) -> Contest:
    """On rows that the challenger's run held out, each asked of the champion's Bento (its folder).

    Raises `EnvironmentProblem` and `ServiceFault` where the Bento can't be run.
    """
    try:
        mine = outcomes.from_json(json.loads(challenger.path(OUTCOMES).read_text(encoding="utf-8")))
        known = cases.read(challenger.path("cases.json"))
    except (InputError, OSError, ValueError, TypeError) as error:
        return Contest(HELD_OUT, "undecided", reason=f"what is true of them is not known ({error})")
    if mine.reason is not None or mine.kind == "training":
        return Contest(HELD_OUT, "undecided", reason=mine.reason or "it predicted only rows that it had learned from")
    requests = dict(zip(known.row_ids, known.rows, strict=False))
    kept = [at for at, row in enumerate(mine.row_ids) if row in requests][-MOST:]
    rows = [requests[mine.row_ids[at]] for at in kept]
    part = _taken(mine, kept)
    return _judged(HELD_OUT, replace(part, predictions=_asked(champion, rows)), part, known.prediction, terms)


def on_labelled(who: Subject, challenger: ReleaseRecord, bento: Path, terms: Terms) -> Contest | None:
    """On the newest rows of production with a label, as the champion answered them then; None where fewer than enough have one. Raises as `on_held_out`."""
    store = LabelStore(who.name)
    if not store.path.is_file():
        return None
    signature = Signature.load(who.bento / "src" / "signature.json")
    truths = dict(store.newest(who.model, MOST))
    found = of_keys(who.logs, who.model, signature, truths)
    keys = [key for key in truths if key in found]
    if len(keys) < comparison.FEWEST:
        return None
    champion = Outcomes(
        row_ids=tuple(range(len(keys))),
        keys=tuple(f"{identity}/{position}" for identity, position in keys),
        predictions=tuple(found[key].prediction for key in keys),
        truth=tuple(truths[key] for key in keys),
        classes=_outcomes_classes(challenger),
    )
    answers = _asked(bento, [found[key].row for key in keys])
    return _judged(LABELLED, champion, replace(champion, predictions=answers), signature.prediction.name, terms)


def _outcomes_classes(release: ReleaseRecord) -> tuple[Any, ...] | None:
    try:
        return outcomes.from_json(json.loads(release.path(OUTCOMES).read_text(encoding="utf-8"))).classes
    except (InputError, OSError, ValueError, TypeError):
        return None


def _taken(known: Outcomes, kept: Sequence[int]) -> Outcomes:
    """Those rows alone. Probabilities that only one of the two has would be compared with nothing: both are held to what they answer."""
    return replace(
        known,
        row_ids=tuple(known.row_ids[at] for at in kept),
        keys=tuple(known.keys[at] for at in kept),
        predictions=tuple(known.predictions[at] for at in kept),
        truth=tuple(known.truth[at] for at in kept),
        scores=None,
        scores_from=None,
    )


def _asked(bento: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What the Bento answers to each row; None where it has no answer. It is given those fields that it takes."""
    fields = {column.key for column in Signature.load(bento / "src" / "signature.json").fields}
    if not rows:
        return ()
    with Worker(bento, hash_seed=0) as worker:
        answers = answers_of(worker, [{name: value for name, value in row.items() if name in fields} for row in rows])
    return tuple(item.value if item.kind == "value" else None for item in answers)


def _judged(on: str, champion: Outcomes, challenger: Outcomes, name: str, terms: Terms) -> Contest:
    found = comparison.compare(champion, challenger, name)
    pairs = [pair for pair in found.metrics if terms.metric in (None, pair.name, f"{pair.output}.{pair.name}")]
    if not pairs:
        listed = ", ".join(pair.name for pair in found.metrics)
        missing = f"no {terms.metric} of both; there is {listed}" if listed else found.reason or "no metric of both"
        return Contest(on, "undecided", found.rows, reason=missing)
    return judged_pair(on, pairs[0], found.rows, terms.margin)


def judged_pair(on: str, pair: PairedMetric, rows: int, margin: float) -> Contest:
    """Whether the second of the pair is shown not to be worse than the first by more than the margin, a share of the first's value."""
    allowed = margin * abs(pair.first)
    told = (on, rows, pair.name, pair.first, pair.second, pair.difference, pair.low, pair.high, allowed)
    if pair.verdict == "no difference":
        return _contest("passed", told)
    if rows < comparison.FEWEST:
        return _contest("undecided", told, f"too few rows to tell: {comparison.FEWEST} are needed")
    if pair.low is None or pair.high is None:
        return _contest("undecided", told, "the rows give no interval")
    worst, best = (-pair.low, -pair.high) if pair.larger_is_better else (pair.high, pair.low)
    if worst <= allowed:
        return _contest("passed", told)
    return _contest("failed" if best > allowed else "undecided", told, "too few rows to tell")


def _contest(outcome: Outcome, told: tuple[Any, ...], reason: str = "") -> Contest:
    on, rows, metric, first, second, difference, low, high, allowed = told
    return Contest(
        on,
        outcome,
        rows,
        metric,
        first,
        second,
        difference,
        low,
        high,
        allowed,
        reason if outcome == "undecided" else "",
    )
