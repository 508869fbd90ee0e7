"""Takes labels from the service and from files, finds the logged rows that they belong to, and judges the answers by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nb2prod.runtime.signature import Signature
from nb2prod.watching import label_files
from nb2prod.watching.label_store import LabelStore, Match
from nb2prod.watching.look import Look, look, questions_of, with_alarms
from nb2prod.watching.realised import Labels, Realised, realised
from nb2prod.watching.subject import Subject
from nb2prod.watching.tallies import Tallies, latest_day
from nb2prod.watching.verdict import Thresholds

_AT_ONCE = 10_000


@dataclass(frozen=True)
class LabelTable:
    """A table of labels in a file: its column `label`, and by which `keys` rows are known (none: request_id and row)."""

    path: Path
    label: str = "label"
    keys: tuple[str, ...] = ()


def there_are(subject: Subject) -> bool:
    """Whether any label was ever told of this name."""
    return LabelStore(subject.name).path.is_file() or bool(_told(subject))


def judged(
    subject: Subject,
    thresholds: Thresholds,
    table: LabelTable | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Realised:
    """Take what labels are new, from `table` too, and hold the answers against all of them.

    Counts of the log are those of the last look. Raises `InputError` for a table that can't be used.
    """
    store = LabelStore(subject.name)
    questions = questions_of(subject)
    if table is not None:
        taken = _take(store, table, subject, questions.signature)
        tell(f"{taken:,} labels taken from {table.path.name}")
    for file in _told(subject):
        store.add_file(file)
    missing = store.unmatched()
    if missing:
        _match(store, list(label_files.found(missing, subject, questions.signature)))
    tallies = Tallies(subject.name)
    series = next((item for item in questions.watched if item.column == "prediction"), None)
    last = latest_day()
    by_day = {} if series is None else tallies.tallies(subject.model).get(series.key, {})
    labels = Labels(
        [item for item in store.labelled(subject.model) if item.day <= last],
        store.counts(),
        sum(rows for day, rows in tallies.days(subject.model).items() if day <= last),
        questions.signature.prediction.name,
        None if series is None else (series, {day: counts for day, counts in by_day.items() if day <= last}),
    )
    return realised(subject, thresholds, labels)


def look_with_labels(
    subject: Subject, thresholds: Thresholds, tell: Callable[[str], None] = lambda _: None
) -> tuple[Look, Realised | None]:
    """A look, and what labels say where there are any; the look's alarms are those of both. Raises as `look` and `judged` do."""
    seen = look(subject, thresholds, tell=tell)
    if not there_are(subject):
        return seen, None
    known = judged(subject, thresholds)
    return with_alarms(seen), known


def _told(subject: Subject) -> list[Path]:
    """The files of `POST /labels`, which lie beside the request log."""
    return sorted(path for log in subject.logs for path in (log.parent / "labels").glob("*.jsonl"))


def _take(store: LabelStore, table: LabelTable, subject: Subject, signature: Signature) -> int:
    content = label_files.read(table.path)
    if not table.keys:
        return store.add((key, label_files.plain(value)) for key, value in label_files.by_id(content, table.label))
    found = list(label_files.by_key(content, table.keys, table.label, subject, signature))
    count = store.add((match.key, value) for match, value in found)
    _match(store, [match for match, _ in found])
    return count


def _match(store: LabelStore, found: Sequence[Match]) -> None:
    for start in range(0, len(found), _AT_ONCE):
        store.match(found[start : start + _AT_ONCE])
