"""One look at what a release was asked and answered: reads what is new in its request log, judges, and raises or ends alarms."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nb2prod.errors import InputError
from nb2prod.release import alarms
from nb2prod.release.alarms import Alarm
from nb2prod.runtime.options import OptionProblem, Options
from nb2prod.runtime.signature import Signature, SignatureProblem
from nb2prod.watching import binning, request_files
from nb2prod.watching.request_files import LogFile
from nb2prod.watching.series import Series, Unwatched, series_of
from nb2prod.watching.subject import Subject
from nb2prod.watching.tallies import Counted, Tallies, latest_day
from nb2prod.watching.verdict import Thresholds, Verdict, verdicts
from nb2prod.watching.words import counted

_FILES_AT_ONCE = 200


@dataclass(frozen=True)
class Look:
    """What a look found."""

    subject: Subject
    thresholds: Thresholds
    verdicts: tuple[Verdict, ...]
    unwatched: tuple[Unwatched, ...]
    days: tuple[str, ...]
    """Days with rows."""
    rows: int
    new_rows: int
    alarms: tuple[Alarm, ...] = ()
    """Those that nobody acknowledged."""
    acknowledged: tuple[Alarm, ...] = ()
    """Those of this version that somebody acknowledged and that still hold."""
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """The gravest state of all series."""
        states = {item.state for item in self.verdicts}
        return next(word for word in ("drifted", "drifting", "quiet", "waiting") if word in states or word == "waiting")

    @property
    def promise(self) -> str:
        """What an alarm states, in words."""
        return self.thresholds.promise(len(self.verdicts))

    def to_json(self) -> dict[str, Any]:
        """The document of `watch --json`."""
        return {
            "name": self.subject.name,
            "model": self.subject.model,
            "state": self.state,
            "owner": self.subject.owner,
            "runbook": self.subject.runbook,
            "alpha": self.thresholds.alpha,
            "materiality": self.thresholds.materiality,
            "promise": self.promise,
            "rows": self.rows,
            "new_rows": self.new_rows,
            "days": list(self.days),
            "series": [item.to_json() for item in self.verdicts],
            "unwatched": [{"name": item.name, "reason": item.reason} for item in self.unwatched],
            "alarms": [item.to_json() for item in self.alarms],
            "acknowledged": [item.to_json() for item in self.acknowledged],
            "notes": list(self.notes),
        }


def look(subject: Subject, thresholds: Thresholds, *, tell: Callable[[str], None] = lambda _: None) -> Look:
    """Count what is new in the logs of this subject, judge all days, and raise the alarms that are due.

    Raises `InputError` where its reference can't be read, `EnvironmentProblem` where counts can't be kept.
    """
    asked = questions_of(subject)
    questions = asked.watched
    tallies = Tallies(subject.name)
    new = _count_new(subject, questions, tallies, tell)
    by_day = tallies.tallies(subject.model)
    days = tallies.days(subject.model)
    future = {day for day in days if day > latest_day()}
    kept = {
        key: {day: np.asarray(counts) for day, counts in found.items() if day not in future}
        for key, found in by_day.items()
    }
    found = verdicts(questions, kept, thresholds)
    settle_alarms(subject, found)
    return with_alarms(
        Look(
            subject,
            thresholds,
            found,
            asked.unwatched,
            tuple(day.isoformat() for day in days if day not in future),
            sum(count for day, count in days.items() if day not in future),
            new,
            notes=tuple(_notes(subject, days, future, tallies.problems(subject.model))),
        )
    )


def with_alarms(seen: Look) -> Look:
    """The look with the alarms as they are now."""
    every = alarms.all_alarms(seen.subject.name)
    acknowledged = (item for item in every if item.acknowledged and not item.over and item.model == seen.subject.model)
    return replace(
        seen, alarms=tuple(item for item in every if not item.acknowledged), acknowledged=tuple(acknowledged)
    )


def settle_alarms(subject: Subject, found: Sequence[Verdict]) -> None:
    """Raise an alarm for each series that has drifted; end those of series that are quiet again."""
    going = {item.subject for item in alarms.all_alarms(subject.name) if item.model == subject.model and not item.over}
    for item in found:
        if item.state == "drifted":
            alarms.raise_once(subject.name, subject.model, item.name, sentence(item))
        elif item.name in going and item.state == "quiet":
            alarms.end(subject.name, subject.model, item.name)


def sentence(item: Verdict) -> str:
    """What happened to a series, in a sentence."""
    if item.size is None or item.state in ("quiet", "waiting"):
        return f"{item.name} is {item.state}"
    verb = "has drifted" if item.state == "drifted" else "is drifting"
    return (
        f"{item.name} {verb} since {item.since}: total variation {item.size.value:.2f}"
        f" ({item.size.low:.2f} to {item.size.high:.2f})"
    )


@dataclass(frozen=True)
class Questions:
    """What is watched of a subject, what is not, and its signature."""

    signature: Signature
    watched: tuple[Series, ...]
    unwatched: tuple[Unwatched, ...]


def questions_of(subject: Subject) -> Questions:
    """What is watched of this subject; raises `InputError` where its Bento can't be read."""
    source = subject.bento / "src"
    try:
        signature = Signature.load(source / "signature.json")
        reference: Mapping[str, Any] = json.loads((source / "reference.json").read_text(encoding="utf-8"))
        excluded = Options.load(source / "options.json").request_log_exclude
    except (OSError, ValueError, SignatureProblem, OptionProblem) as error:
        raise InputError(
            f"what training showed can't be read from {source}: {error}", "Build the notebook again."
        ) from error
    return Questions(signature, *series_of(signature, reference, excluded))


def _count_new(subject: Subject, questions: Sequence[Series], tallies: Tallies, tell: Callable[[str], None]) -> int:
    there = request_files.files(subject.logs)
    unread = tallies.unread(subject.model, [item.name for item in there])
    new = [item for item in there if item.name in unread]
    columns = list(dict.fromkeys(item.column for item in questions))
    rows = 0
    for start in range(0, len(new), _FILES_AT_ONCE):
        part = [_counted(item, subject.model, columns, questions) for item in new[start : start + _FILES_AT_ONCE]]
        tallies.add(subject.model, part)
        rows += sum(item.rows for item in part if item.day <= latest_day())
        if len(new) > _FILES_AT_ONCE:
            tell(f"{min(start + _FILES_AT_ONCE, len(new)):,} of {len(new):,} files of the log, {rows:,} rows")
    return rows


def _counted(file: LogFile, model: str, columns: Sequence[str], questions: Sequence[Series]) -> Counted:
    rows = 0
    total: dict[str, binning.Counts] = {}
    try:
        for batch in request_files.batches(file, model, columns):
            rows += len(batch)
            for key, counts in binning.counts(batch, questions).items():
                total[key] = total[key] + counts if key in total else counts
    except request_files.Unreadable as error:
        return Counted(file.name, file.day, 0, {}, str(error))
    return Counted(file.name, file.day, rows, total)


def _notes(
    subject: Subject, days: Mapping[dt.date, int], future: set[dt.date], problems: Sequence[tuple[str, str]]
) -> list[str]:
    notes = []
    if not days:
        notes.append(subject.log_hint)
    notes += [
        f"{counted(days[day], 'row')} of {day} not counted: that day has not come; a clock of the service is wrong"
        for day in sorted(future)
    ]
    if problems:
        name, why = problems[0]
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        notes.append(f"the file {name} of the log could not be read ({why}){more}")
    seen = sorted(set(days) - future)
    gaps = sum((after - before).days - 1 for before, after in itertools.pairwise(seen))
    if gaps:
        notes.append(f"{counted(gaps, 'day')} between {seen[0]} and {seen[-1]} without rows")
    return notes
