"""An attempt to train a model again: data looked at, notebook run and built, gates, contest, logged requests, and then a proposal or a staged rollout.

Each step is recorded with its numbers before the next begins. An attempt whose process was killed is taken up at the step that it had not finished; there is one at a time
for a name.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nb2prod import config, home
from nb2prod.bento import store
from nb2prod.config import Options
from nb2prod.errors import Cancelled, EnvironmentProblem, InputError, Nb2ProdError, Refused
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import attempts, differences, records, source
from nb2prod.release.attempts import Attempt, State, Step
from nb2prod.release.gates import check
from nb2prod.release.gates.environments import words
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running.ledger import placed
from nb2prod.retraining import contest, due
from nb2prod.retraining.contest import Contest
from nb2prod.retraining.due import Due, Seen
from nb2prod.runtime.signature import Signature
from nb2prod.triggers import PROPOSE, Terms, terms
from nb2prod.watching import replay, subject

SHADOW_ROWS = 2_000


@dataclass(frozen=True)
class Wish:
    """`parameters` of the notebook besides those that are stated; with `if_due` nothing is done where nothing is due."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    if_due: bool = False


@dataclass(frozen=True)
class Result:
    """What came of it: without an attempt nothing was due, and `due` says why."""

    due: Due
    attempt: Attempt | None = None
    steps: tuple[Step, ...] = ()

    @property
    def came_to_nothing(self) -> bool:
        """Whether an attempt was made that somebody should look at."""
        return self.attempt is not None and self.attempt.state in ("stopped", "failed")

    def to_json(self) -> dict[str, Any]:
        """The document of `retrain --json`."""
        return {
            "due": self.due.to_json(),
            "attempt": None if self.attempt is None else self.attempt.to_json(),
            "steps": [item.to_json() for item in self.steps],
        }


class _Ended(Exception):
    """The attempt ends here, in this state, for this reason."""

    def __init__(self, state: State, detail: str) -> None:
        super().__init__(detail)
        self.state: State = state
        self.detail = detail


def retrain(name: str, wish: Wish = Wish(), progress: Progress | None = None) -> Result:
    """Train the model of this deployment again, if it is due or somebody wants it.

    Raises `InputError` where nothing is live under that name, its notebook is not on this machine, or `nb2prod.toml` can't be read; `EnvironmentProblem` where another attempt is going on;
    `Cancelled` on an interrupt, which ends the attempt. Whatever else fails is an attempt that failed, and its record says why.
    """
    progress = progress or NoProgress()
    who = subject.find(name)
    placement = placed(who.name)
    if placement is None or placement.live is None:
        raise InputError(
            f"nothing is live under {who.name}: whoever asks for it gets its newest release, a new one at once",
            f"Deploy it first: nb2prod deploy {who.name}",
        )
    notebook = _notebook(who.model, who.release)
    stated = terms(config.load(notebook).retrain)
    with _alone(who.name):
        progress.stage("looking at the live release")
        seen = due.see(who, progress.message)
        found = due.find(seen, stated, dt.datetime.now(dt.UTC))
        left = _left(who.name, who.model)
        if left is None and wish.if_due and not found.now:
            return Result(found)
        why = found.why or "somebody asked for it"
        attempt = left or attempts.begin(who.name, who.model, why, by_hand=not wish.if_due)
        parameters = {**stated.values(dt.datetime.now(dt.UTC).date()), **wish.parameters}
        options = config.load(notebook, {"parameters": parameters})
        ended = _Run(attempt, seen, stated, notebook, options, progress).end()
    return Result(found, ended, attempts.steps(ended))


def _notebook(model: str, release: ReleaseRecord | None) -> Path:
    found = None if release is None or release.folder is None else source.origin(release.folder)
    if found is None or not found.is_file():
        gone = "" if found is None else f": {found} is gone"
        raise InputError(
            f"the notebook of {model} is not on this machine{gone}",
            "Retrain where the notebook is, or build it here once: nb2prod build NOTEBOOK",
        )
    return found


def _left(name: str, champion: str) -> Attempt | None:
    """An attempt whose process ended before it did; one for a release that is not live any more is over."""
    found = attempts.attempts(name)
    if not found or found[-1].state != "running":
        return None
    if found[-1].champion == champion:
        return found[-1]
    attempts.end(found[-1], "stopped", f"{champion} went live meanwhile")
    return None


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """The right to train this model: freed by the system however the process ends. Raises `EnvironmentProblem` where another one has it."""
    path = home.make(home.home() / "retraining") / f"{name}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise EnvironmentProblem(
                f"{name} is being trained again already, by process {file.read().strip() or 'unknown'}",
                f"nb2prod retrain {name} --show tells how far it is.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@dataclass
class _Run:
    """The steps of one attempt; those that are recorded already are not done again."""

    attempt: Attempt
    seen: Seen
    terms: Terms
    notebook: Path
    options: Options
    progress: Progress

    def end(self) -> Attempt:
        """Do what is left; returns the attempt as it ended."""
        self.progress.message(self.attempt.why)
        try:
            return self._steps()
        except _Ended as reason:
            return attempts.end(self.attempt, reason.state, reason.detail)
        except Refused as refused:
            return attempts.end(self.attempt, "failed", f"the notebook can't be served: {refused.message}")
        except (Cancelled, KeyboardInterrupt):
            attempts.end(self.attempt, "stopped", "interrupted")
            raise
        except Nb2ProdError as problem:
            return attempts.end(self.attempt, "failed", problem.message)

    def _steps(self) -> Attempt:
        known = {item.name: item for item in attempts.steps(self.attempt)}
        for name, step in (("data", self._data), ("build", self._build)):
            if name not in known:
                self.progress.stage(name)
                step()
        challenger = self._challenger()
        compared = True
        later: tuple[tuple[str, Callable[[ReleaseRecord], bool]], ...] = (
            ("gates", self._gates),
            ("contest", self._contest),
            ("serving path", self._path),
            ("shadow", self._shadow),
        )
        for name, judge in later:
            if name in known:
                compared = compared and bool(known[name].numbers["clear"])
                continue
            self.progress.stage(name)
            compared = judge(challenger) and compared
        return self._decide(challenger, clear=compared)

    # -- the steps --

    def _data(self) -> None:
        broken = self.seen.broken
        if broken:
            raise _Ended(
                "stopped",
                f"watching calls its data broken ({', '.join(broken)}), and nobody learns from those: mend them, or if the world is so now, "
                f'nb2prod watch {self.attempt.name} --ack "why"',
            )
        self._done(
            "data", f"watching says {self.seen.look.state}, and nothing is broken", {"rows": self.seen.look.rows}
        )

    def _build(self) -> None:
        from nb2prod import pipeline

        made = pipeline.build(self.notebook, self.options, self.progress)
        if made.bento is None:
            raise _Ended("failed", f"the service does not give the notebook's answers: {made.record}")
        name, _, version = made.bento.partition(":")
        if name != self.attempt.champion.partition(":")[0]:
            raise _Ended("failed", f"the notebook makes {name} now, and {self.attempt.champion} is live")
        if made.bento == self.attempt.champion:
            raise _Ended("unchanged", "the notebook makes the same release again: its data have not changed")
        attempts.add_step(
            self.attempt,
            "build",
            f"{made.bento} is built and proved",
            {"parameters": dict(self.options.parameters)},
            version,
        )
        self.progress.message(f"{made.bento} is built and proved")

    def _gates(self, challenger: ReleaseRecord) -> bool:
        report = check.check(challenger, self.seen.subject.release)
        if not report.passed:
            raise _Ended("stopped", f"{challenger.bento} does not pass its gates: {words(report)}")
        told = f"{len(report.results)} gates are passed" if report.results else "no gates are stated"
        return self._done("gates", told, {"clear": True, "report": report.to_json()})

    def _contest(self, challenger: ReleaseRecord) -> bool:
        folder = store.find(challenger.bento).folder
        found = [contest.on_held_out(self.seen.subject.bento, challenger, self.terms)]
        labelled = contest.on_labelled(self.seen.subject, challenger, folder, self.terms)
        found += [] if labelled is None else [labelled]
        lost = [item for item in found if item.outcome == "failed"]
        if lost:
            raise _Ended("stopped", f"{challenger.bento} is worse: {'; '.join(item.sentence for item in lost)}")
        return self._done("contest", _told(found), _numbers(found))

    def _path(self, challenger: ReleaseRecord) -> bool:
        """Code that answers may only be changed by a person."""
        champion = self.seen.subject.release
        found = None if champion is None else differences.compare(champion, challenger)
        code = None if found is None else found.code
        if code is None:
            return self._done(
                "serving path", "the live release's code is gone, so that it can't be compared", {"clear": False}
            )
        contract = self._contract_changes(challenger)
        if code or contract:
            changed = ", ".join([*code, *contract])
            return self._done(
                "serving path", f"the serving path has changed: {changed}", {"clear": False, "code": dict(code)}
            )
        return self._done("serving path", "the same code, the same fields", {"clear": True})

    def _contract_changes(self, challenger: ReleaseRecord) -> list[str]:
        """What a caller would notice: fields and the prediction, but for the values that training happened to have."""
        folders = (self.seen.subject.bento, store.find(challenger.bento).folder)
        old, new = (Signature.load(folder / "src" / "signature.json") for folder in folders)
        fields = [{item.key: (item.type, item.nullable) for item in signature.fields} for signature in (old, new)]
        changed = [
            f"field {name}"
            for name in sorted(fields[0].keys() | fields[1].keys())
            if fields[0].get(name) != fields[1].get(name)
        ]
        kinds = [(item.prediction.name, item.prediction.kind) for item in (old, new)]
        return [*changed, *(["the prediction"] if kinds[0] != kinds[1] else [])]

    def _shadow(self, challenger: ReleaseRecord) -> bool:
        wish = replay.Wish(against=challenger.bento, most=SHADOW_ROWS)
        try:
            found = replay.replay(self.seen.subject, wish)
        except InputError as nothing:
            return self._done("shadow", f"no logged request was asked: {nothing.message}", {"clear": True, "asked": 0})
        if found.failing:
            raise _Ended(
                "stopped",
                f"{challenger.bento} has no answer to {found.failing:,} of {found.asked:,} logged rows that were answered",
            )
        numbers = {"clear": True, "asked": found.asked, "differing": found.differing}
        return self._done("shadow", found.sentence, numbers)

    def _decide(self, challenger: ReleaseRecord, *, clear: bool) -> Attempt:
        told = {item.name: item for item in attempts.steps(self.attempt)}
        summary = "; ".join(
            [*(item["short"] for item in told["contest"].numbers["contests"]), told["serving path"].detail]
        )
        if self.terms.then == PROPOSE or not clear:
            return attempts.end(self.attempt, "proposed", summary)
        from nb2prod.release.deployments import Wish as Deploy
        from nb2prod.release.stages.plan import parse_stages
        from nb2prod.rollouts import begin

        staged = begin.StagedWish(parse_stages(self.terms.then))
        begin.begin(challenger.bento, Deploy(name=self.attempt.name), staged, progress=self.progress)
        return attempts.end(self.attempt, "rolling out", summary)

    # -- what they share --

    def _challenger(self) -> ReleaseRecord:
        found = next(item for item in attempts.attempts(self.attempt.name) if item.id == self.attempt.id)
        assert found.challenger is not None
        try:
            return records.find(found.challenger)
        except InputError as gone:
            raise _Ended("failed", f"{found.challenger} was built, and is gone: {gone.message}") from gone

    def _done(self, name: str, detail: str, numbers: dict[str, Any]) -> bool:
        attempts.add_step(self.attempt, name, detail, numbers)
        self.progress.message(detail)
        return bool(numbers.get("clear", True))


def _told(found: list[Contest]) -> str:
    return "; ".join(item.sentence for item in found)


def _numbers(found: list[Contest]) -> dict[str, Any]:
    return {"clear": all(item.outcome == "passed" for item in found), "contests": [item.to_json() for item in found]}
