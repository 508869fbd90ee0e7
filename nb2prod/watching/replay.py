"""Logged rows asked again: does what answers them now answer as was answered then?

Three things can be asked: the Bento of the version that answered, over HTTP; the notebook's own lines with their captured values, in the served environment
without HTTP; another release. Answers are compared by the one rule of equality, with the tolerance that the release was proved with. So are features, where the
log holds them and the same version is asked: a wrong feature need not change the answer of the rows at hand. The first feature of a row that differs is named
with the statement that makes it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from nb2prod.bento import store
from nb2prod.errors import InputError
from nb2prod.evidence.families import upper_bound
from nb2prod.parity import cases, explain
from nb2prod.parity.cases import Cases
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.server import Server
from nb2prod.parity.service import BATCH, Answer, Features, Service
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import records
from nb2prod.runtime.equality import Difference, Tolerance, difference, feature_difference
from nb2prod.runtime.signature import Signature, SignatureProblem
from nb2prod.watching.left_out import LeftOut, left_out
from nb2prod.watching.logged_rows import LoggedRow, Sample, sample
from nb2prod.watching.subject import Subject

SAMPLE = 10_000
LEVEL = 0.95
_SHOWN = 20
"""Differences that are told one by one, with their cause."""
How = Literal["bento", "own lines", "release"]


@dataclass(frozen=True)
class ChangedFeature:
    """The first feature that differs, and the statement that makes it."""

    feature: str
    logged: Any
    computed: Any
    cell: int | None = None
    line: int | None = None
    source: str = ""


@dataclass(frozen=True)
class Differing:
    """A logged row with another answer now."""

    request_id: str
    row: int
    time: str
    logged: Any
    """What was answered then: the prediction, or the code of the error."""
    now: Any
    reason: str
    cause: ChangedFeature | None = None


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Of `total` logged rows `asked` were asked again and compared, `skipped` (by reason) were not. `differing` have another answer, `features_differing` other
    features; `bound` is the largest share of rows that differ in either that this leaves possible with 95 %. `features` counts in how many rows a feature was
    the first to differ.
    """

    model: str
    against: str
    how: How
    total: int
    asked: int
    differing: int
    features_differing: int
    bound: float
    seconds: float
    skipped: Mapping[str, int] = field(default_factory=dict)
    features: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Differing, ...] = ()
    failing: int = 0
    """Rows that had an answer, and get none now."""
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differed."""
        return not self.differing and not self.features_differing

    @property
    def sentence(self) -> str:
        """The result in words."""
        if not self.asked:
            return f"no logged row of {self.model} could be asked again"
        if not self.differing and self.features_differing:
            return f"{self.features_differing:,} of {self.asked:,} rows have other features by {self.against}, though no answer differs"
        share = f"below {_in_words(self.bound)} with {LEVEL:.0%}"
        if not self.differing:
            return f"none of {self.asked:,} rows is answered otherwise by {self.against}: their share is {share}"
        return f"{self.differing:,} of {self.asked:,} rows are answered otherwise by {self.against}: their share is {share}"

    def to_json(self) -> dict[str, Any]:
        """The document of `replay --json`."""
        return {**asdict(self), "sentence": self.sentence}


class Asked(Protocol):
    """What answers rows."""

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer]: ...

    def features(self, rows: Sequence[Mapping[str, Any]]) -> Features | None: ...


@dataclass(frozen=True)
class Wish:
    """How to replay: on or after `since`, at most `most` rows drawn with `seed`, by `how`; `against` names another release."""

    how: How = "bento"
    against: str | None = None
    since: dt.date | None = None
    most: int = SAMPLE
    seed: int = 0


def replay(subject: Subject, wish: Wish = Wish(), progress: Progress | None = None) -> Replay:
    """Ask logged rows of the subject again.

    Raises `InputError` where there is nothing to ask or nobody to ask it, `EnvironmentProblem` where what should answer does not start.
    """
    progress = progress or NoProgress()
    started = time.monotonic()
    signature = _signature(subject.bento)
    progress.stage("reading the log")
    drawn = sample(subject.logs, subject.model, signature, wish.most, since=wish.since, seed=wish.seed)
    if not drawn.total:
        raise InputError(f"the request log has no row that {subject.model} answered", subject.log_hint)
    bento, name = (subject.bento, subject.model) if wish.against is None else _other(wish.against)
    rows, skipped, notes, unsaid = _replayable(drawn, signature, bento, subject.bento)
    known, tolerance = _known(subject)
    progress.stage(f"asking {name} {len(rows):,} logged rows")
    with _answering("release" if wish.against else wish.how, bento, progress) as asked:
        requests = [item.row for item in rows]
        if unsaid is None:
            answers = answers_of(asked, requests)
        else:
            settled = unsaid.settled(requests, partial(answers_of, asked), _Same(tolerance, signature))
            open_rows = settled.count(None)
            if open_rows:
                skipped[f"whose answer depends on {unsaid.names}, which the log leaves out"] += open_rows
            rows = [item for item, answer in zip(rows, settled, strict=True) if answer is not None]
            answers = [answer for answer in settled if answer is not None]
        computed = _features(asked, rows) if wish.against is None else [None] * len(rows)
    explainer = _Explainer(known, signature, bento)
    asked_again = zip(rows, answers, computed, strict=True)
    found = list(
        _differing(asked_again, explainer, lambda item, answer: _difference(item, answer, signature, tolerance))
    )
    return Replay(
        subject.model,
        name,
        "release" if wish.against else wish.how,
        drawn.total,
        len(rows),
        sum(bool(item.why) for item in found),
        sum(item.cause is not None for item in found),
        upper_bound(len(found), len(rows), LEVEL),
        round(time.monotonic() - started, 2),
        dict(skipped),
        dict(Counter(item.cause.feature for item in found if item.cause is not None).most_common()),
        tuple(item.told for item in sorted(found, key=lambda item: not item.why)[:_SHOWN]),
        failing=sum(item.is_lost for item in found),
        notes=(*notes, *(f"not read: {file}" for file in drawn.unreadable[:3])),
    )


@dataclass(frozen=True)
class _Found:
    """A row that differs: in its answer (`why`), in a feature (`cause`), or both."""

    item: LoggedRow
    answer: Answer
    why: str
    cause: ChangedFeature | None

    @property
    def is_lost(self) -> bool:
        return self.item.error is None and self.answer.kind != "value"

    @property
    def told(self) -> Differing:
        now = self.answer.value if self.answer.kind == "value" else self.answer.reason
        then = self.item.error or self.item.prediction
        moment = self.item.time.isoformat(timespec="seconds")
        why = self.why or "the same answer, by other features"
        return Differing(self.item.request_id, self.item.position, moment, then, now, why, self.cause)


def _differing(
    asked_again: Iterable[tuple[LoggedRow, Answer, tuple[Sequence[str] | None, Sequence[Any]] | None]],
    explainer: _Explainer,
    difference: Callable[[LoggedRow, Answer], str],
) -> Iterator[_Found]:
    """The rows whose answer or whose features are not what the log has."""
    for item, answer, features in asked_again:
        why = difference(item, answer)
        cause = None if features is None else explainer.cause(item.features, *features)
        if why or cause is not None:
            yield _Found(item, answer, why, cause)


def _in_words(bound: float) -> str:
    """A share in the words of its size: 3 in 10,000."""
    if bound >= 0.01:
        return f"{bound:.1%}"
    for scale in (1_000, 10_000, 100_000, 1_000_000):
        if bound * scale >= 1:
            return f"{bound * scale:.2g} in {scale:,}"
    return f"{bound:.1e}"


def _signature(bento: Path) -> Signature:
    try:
        return Signature.load(bento / "src" / "signature.json")
    except SignatureProblem as problem:
        raise InputError(f"{bento} is no Bento that can be asked: {problem}", "Build the notebook again.") from problem


def _other(name_or_tag: str) -> tuple[Path, str]:
    release = records.find(name_or_tag)
    return store.find(release.bento).folder, release.bento


def _known(subject: Subject) -> tuple[Cases | None, Tolerance]:
    """The cases and the tolerance that the release was proved with; defaults where its record is gone."""
    if subject.release is not None:
        with suppress(InputError):
            known = cases.read(subject.release.path("cases.json"))
            return known, records.tolerance(subject.release, known)
    return None, Tolerance()


@dataclass(frozen=True)
class _Same:
    """Whether two answers are one, by the rule of equality."""

    tolerance: Tolerance
    signature: Signature

    def __call__(self, one: Answer, other: Answer) -> bool:
        if one.kind != "value" or other.kind != "value":
            return one.kind == other.kind
        name, kind = self.signature.prediction.name, self.signature.prediction.kind
        return difference(one.value, other.value, self.tolerance, output=name, kind=kind) is None


def _replayable(
    drawn: Sample, signature: Signature, bento: Path, own: Path
) -> tuple[list[LoggedRow], Counter[str], list[str], LeftOut | None]:
    """Rows that `bento` can be asked, why the others can't, what to know of it, and what the log of `own` leaves out."""
    asked = _signature(bento)
    there = {name for item in drawn.rows[:1] for name in item.row}
    wanted = {column.key for column in asked.fields}
    unsaid = left_out(sorted(wanted - there), signature, own)
    wanted &= there
    skipped: Counter[str] = Counter()
    rows = []
    for item in drawn.rows:
        if item.fallback is not None:
            skipped[f"answered by rule ({item.fallback})"] += 1
        else:
            rows.append(
                item if there == wanted else LoggedRow(**{**vars(item), "row": {k: item.row[k] for k in wanted}})
            )
    notes = []
    if unsaid is not None:
        notes.append(unsaid.note)
    elif rows and all(item.features is None for item in rows):
        notes.append("the log holds no features: where an answer differs, the feature at fault can't be told")
    return rows, skipped, notes, unsaid


@contextmanager
def _answering(how: How, bento: Path, progress: Progress) -> Iterator[Asked]:
    if how == "own lines":
        with Worker(bento, hash_seed=0) as worker:
            yield worker
        return
    with Server(bento, hash_seed=0) as server:
        yield Service(server.client, progress.message)


def answers_of(asked: Asked, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """What a running service, or the Bento's code without HTTP, answers to these rows, in parts of a size that it takes."""
    if isinstance(asked, Service):
        return asked.predict_batches(rows)
    answers: list[Answer] = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        made = asked.predict(part)
        # One malformed row refuses its request.
        answers += made if all(a.kind != "refused" for a in made) else [a for row in part for a in asked.predict([row])]
    return answers


def _difference(item: LoggedRow, answer: Answer, signature: Signature, tolerance: Tolerance) -> str:
    """Why the answer is another one; empty where it is the same."""
    if item.error is not None:
        return "" if answer.kind in ("error", "refused") else f"then {item.error}, now an answer"
    if answer.kind != "value":
        return f"then an answer, now none: {answer.reason}"
    output = signature.prediction.name
    found: Difference | None = difference(
        item.prediction, answer.value, tolerance, output=output, kind=signature.prediction.kind
    )
    if found is None:
        return ""
    return f"{found.place} {found.reason}".strip()


class _Explainer:
    """Knows which features a row had, and what makes them."""

    def __init__(self, known: Cases | None, signature: Signature, bento: Path) -> None:
        self._known = known
        self._names = (known.feature_names if known else None) or signature.features.names
        self._tolerance = known.feature_tolerance(Tolerance()) if known else Tolerance()
        self._code = explain.read_code(bento)

    def cause(self, logged: Any, names: Sequence[str] | None, computed: Sequence[Any]) -> ChangedFeature | None:
        """The first feature that differs; None where none does, or they can not be compared."""
        told = names or self._names
        values = [logged.get(name) for name in told or ()] if isinstance(logged, Mapping) else logged
        values = values if isinstance(values, list) else [values]
        if len(values) != len(computed):
            return None
        for at, (one, other) in enumerate(zip(values, computed, strict=True)):
            if self._known is not None and at in self._known.unread:
                continue
            if feature_difference(one, other, self._tolerance.at(f"[{at}]")) is not None:
                return self._located(told[at] if told else f"feature {at}", at, one, other)
        return None

    def _located(self, name: str, at: int, one: Any, other: Any) -> ChangedFeature:
        made = self._known.made_by[at] if self._known is not None and at < len(self._known.made_by) else None
        if made is not None:
            return ChangedFeature(name, one, other, made.cell, made.line, made.source)
        line = explain.line_of(self._code, name)
        return (
            ChangedFeature(name, one, other)
            if line is None
            else ChangedFeature(name, one, other, line.cell, None, line.source)
        )


def _features(asked: Asked, rows: Sequence[LoggedRow]) -> list[tuple[Sequence[str] | None, Sequence[Any]] | None]:
    """The features of each row that the log holds some of, with their names; None for the others, and where none are computed."""
    wanted = [at for at, item in enumerate(rows) if item.features is not None]
    found: list[tuple[Sequence[str] | None, Sequence[Any]] | None] = [None] * len(rows)
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        together = asked.features([rows[at].row for at in part])
        for place, at in enumerate(part):
            made = together or asked.features([rows[at].row])
            if made is not None:
                found[at] = made.names, made.values[place if together is not None else 0]
    return found
