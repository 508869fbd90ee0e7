"""Who is watched: a deployment, or a model that `nb2prod serve` served, with its release and its request logs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nb2prod import config, home
from nb2prod.bento import store
from nb2prod.errors import InputError
from nb2prod.release import ownership, records
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running import places
from nb2prod.release.running.ledger import Ledger, Placement
from nb2prod.runtime.options import OptionProblem, Options
from nb2prod.watching.verdict import Thresholds


@dataclass(frozen=True)
class Subject:
    """A release at work.

    `name` is the deployment's, or the model's; `model` is `name:version` as the log has it; `bento` its folder; `logs` the folders of its request
    logs, each with a folder a day.
    """

    name: str
    model: str
    bento: Path
    logs: tuple[Path, ...]
    owner: str | None = None
    runbook: str | None = None
    release: ReleaseRecord | None = None

    @property
    def log_hint(self) -> str:
        """What to do where the log has no rows."""
        if self._keeps_a_log:
            return (
                "the request log has no rows yet: the service writes what it is asked within half a minute"
                if any(folder.is_dir() for folder in self.logs)
                else "there is no request log yet: the service writes it within half a minute of its first request"
            )
        return (
            "there is no request log: build with `--serving request_log=1` (or `serving = { request_log = 1 }` in "
            "nb2prod.toml), or name the log's folder with --log"
        )

    @property
    def _keeps_a_log(self) -> bool:
        with suppress(OSError, ValueError, OptionProblem):
            return Options.load(self.bento / "src" / "options.json").request_log > 0
        return False


def find(name_or_tag: str, logs: Sequence[Path] = ()) -> Subject:
    """The deployment of this name (its live version, or `name:version`), or else the release.

    `logs` name other folders than the deployment's own, as of replicas elsewhere. Raises `InputError` where there is neither.
    """
    name, _, version = name_or_tag.partition(":")
    for folder in logs:
        if not folder.is_dir():
            raise InputError(
                f"--log {folder}: there is no such folder", "Name the folder that holds a folder for each day."
            )
    placement = Ledger().placement(name)
    if placement is not None and (version or placement.live):
        return _deployed(placement, version, logs)
    release = records.find(name_or_tag)
    found = store.find(release.bento).folder
    own = (home.serving() / release.name / "requests",)
    held = ownership.holding(release.name, release)
    return Subject(release.name, release.bento, found, tuple(logs) or own, held.owner, held.runbook, release)


def _deployed(placement: Placement, version: str, logs: Sequence[Path]) -> Subject:
    release: ReleaseRecord | None = None
    with suppress(InputError):
        release = records.find(f"{placement.release}:{version or placement.live}")
    wanted = release.version if release is not None else str(version or placement.live)
    own = places.bento(placement.name, wanted)
    model = f"{placement.release}:{wanted}"
    folder = own if own.is_dir() else store.find(model).folder
    log = places.folder(placement.name) / "data" / placement.release / "requests"
    held = ownership.holding(placement.release, release, placement.name)
    return Subject(placement.name, model, folder, tuple(logs) or (log,), held.owner, held.runbook, release)


def thresholds(subject: Subject, *, alpha: float | None = None, materiality: float | None = None) -> Thresholds:
    """What counts as an alarm: as asked, else as `nb2prod.toml` said when the release was built, else the defaults.

    Raises `InputError` for numbers that can't be.
    """
    given = {key: value for key, value in (("alpha", alpha), ("materiality", materiality)) if value is not None}
    asked = config.watch_table(given, "the command line")
    stated = {} if subject.release is None else dict(subject.release.watch)
    stated.pop("acknowledge_hours", None)  # how alarms are seen to, not when they are raised
    return Thresholds(**{**stated, **asked})
