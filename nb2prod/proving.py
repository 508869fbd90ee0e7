"""A release proved again, by the cases that its build recorded: the notebook is not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2prod.errors import InputError
from nb2prod.progress import NoProgress, Progress

if TYPE_CHECKING:
    from nb2prod.parity.cases import Cases
    from nb2prod.parity.report import ParityReport
    from nb2prod.parity.target import Target
    from nb2prod.release.record import ReleaseRecord
    from nb2prod.runtime.equality import Tolerance


@dataclass(frozen=True)
class Wish:
    """How to prove. `key` and `headers` go with each request to a URL; `release` is whose cases are asked (the target's own)."""

    release: str | None = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tolerance: float | None = None
    """Relative difference of floats that counts as equal; None for what the release was proved with."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    """The same for single outputs."""
    seed: int = 0

    @property
    def loosened(self) -> bool:
        """Whether another tolerance than the release's is asked for."""
        return self.tolerance is not None or bool(self.tolerances)


def prove(target: str, wish: Wish = Wish(), progress: Progress | None = None) -> ParityReport:
    """Prove that the target answers as its notebook did: name, name:version, a Bento's folder, a URL or a container.

    A release of which only a sample was proved is a whole one once its own Bento passes: its record gets this report.
    Raises `InputError` for a target or release that there is not, `EnvironmentProblem` where the service does not answer.
    """
    from nb2prod.parity import cases, prover
    from nb2prod.release import records

    progress = progress or NoProgress()
    proved = find(target, wish)
    record = records.find(wish.release or _own(proved, target))
    known = cases.read(record.path("cases.json"))
    progress.stage(f"proving {proved.name} by the cases of {record.name}:{record.version}")
    report = prover.prove(proved, known, tolerance=_tolerance(wish, record, known), progress=progress, seed=wish.seed)
    if (
        report.passed
        and record.sampled
        and proved.folder is not None
        and proved.bento == record.bento
        and not wish.loosened
    ):
        progress.message(f"{record.bento} is proved in whole now, and can be deployed")
        records.proved_again(record, report)
    return report


def find(text: str, wish: Wish = Wish()) -> Target:
    """What is to be proved, by its name, folder, URL or container; raises `InputError` where there is no such thing."""
    from nb2prod.bento import store
    from nb2prod.parity import target

    if "://" in text:
        return target.of_url(text, headers={**wish.headers, **({"X-API-Key": wish.key} if wish.key else {})})
    if Path(text).is_dir():
        _check_no_headers(text, wish)
        return target.of_folder(Path(text))
    try:
        found = store.find(text)
    except InputError:
        from nb2prod.release.images import engine

        address = engine.of_container(text)
        if address is None:
            raise
        return find(address, wish)
    _check_no_headers(text, wish)
    return target.of_folder(found.folder, found.tag)


def _own(proved: Target, text: str) -> str:
    """The release that the target itself says that it serves."""
    from nb2prod.parity.target import model_of

    bento = model_of(proved)
    if bento is None:
        raise InputError(
            f"{text} does not say which Bento it serves, so its cases can't be found",
            "Name the release: --release NAME:VERSION (`nb2prod list` shows them).",
        )
    return bento


def _tolerance(wish: Wish, record: ReleaseRecord, known: Cases) -> Tolerance:
    from nb2prod.parity.cases import tolerance_of
    from nb2prod.release import records

    if not wish.loosened:
        return records.tolerance(record, known)
    return tolerance_of(known, wish.tolerance, dict(wish.tolerances))


def _check_no_headers(text: str, wish: Wish) -> None:
    if wish.headers:
        raise InputError("--header is for a URL", f"{text} is served by the proof itself, without keys.")
