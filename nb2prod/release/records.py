"""The folder of all release records: writing one, finding one, listing them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nb2prod import home, room
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.evaluation import stress
from nb2prod.evaluation.evaluation import Evaluation
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.outcomes import from_json as outcomes_of
from nb2prod.parity import documents
from nb2prod.parity import report as reports
from nb2prod.parity.cases import Cases, tolerance_of
from nb2prod.parity.cases import read as read_cases
from nb2prod.parity.report import ParityReport
from nb2prod.release import card_page, record, source
from nb2prod.release.gates import decisions
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running import ledger
from nb2prod.runtime.equality import DEFAULT_TOLERANCE, Tolerance

_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")
_LATEST = "latest"


@dataclass(frozen=True)
class Contents:
    """What a record holds beside record.json and the report."""

    report: ParityReport
    cases: Cases
    plan: Mapping[str, Any]
    card: str
    """The model card, in Markdown."""
    executed: str
    """The executed notebook's JSON text."""
    notebook: Path | None = None
    """Where the notebook's file lies on this machine, to tell later whether it has changed."""
    metrics: Evaluation | None = None
    outcomes: Outcomes | None = None
    """What the metrics are computed from, to compare releases row by row."""


def write(item: ReleaseRecord, contents: Contents) -> ReleaseRecord:
    """Write the record with its files (parity.ipynb is run and rendered here) and return it with its folder.

    A record of the same Bento is replaced: same content, newer proof. Raises `EnvironmentProblem` where
    the disk refuses or the report can't be rendered; nothing half-written is left, the old record stays.
    """
    target = folder_of(item.name, item.version)
    item = replace(item, parity=contents.report.summary(), folder=target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-", ignore_cleanup_errors=True) as scratch:
            made = Path(scratch) / "record"
            made.mkdir()
            _fill(made, item, contents)
            _put(made, target, Path(scratch))
    except OSError as error:
        with contextlib.suppress(OSError):
            target.parent.rmdir()
        raise EnvironmentProblem(
            f"the release record of {item.bento} can't be written to {target}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return item


def write_refused(name: str, report: ParityReport, cases: Cases) -> Path:
    """Keep the report of a proof that failed, for people to read: `refused/<name>/` under `NB2PROD_HOME`.

    Returns the folder (parity.json, parity.ipynb, parity.html, parity.xml, cases.json); one a name, the last.
    Raises `EnvironmentProblem` as `write` does.
    """
    target = home.home() / "refused" / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-", ignore_cleanup_errors=True) as scratch:
            made = Path(scratch) / "report"
            made.mkdir()
            _write_json(made / "cases.json", cases.to_json())
            documents.write(report, made)
            _put(made, target, Path(scratch))
    except OSError as error:
        raise EnvironmentProblem(
            f"the report of the failed proof can't be written to {target}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return target


def proved_again(item: ReleaseRecord, report: ParityReport) -> ReleaseRecord:
    """The record with the report of another proof in the place of its own; raises `EnvironmentProblem` as `write` does."""
    from nb2prod.bento import card, store

    contents = Contents(
        report,
        read_cases(item.path("cases.json")),
        json.loads(item.path("plan.json").read_text(encoding="utf-8")),
        card.proved_again(item.path("README.md").read_text(encoding="utf-8"), report.to_json()),
        item.path("executed.ipynb").read_text(encoding="utf-8"),
        source.origin(item.folder or Path()),
        item.metrics(),
        _outcomes(item),
    )
    stressed = (item.folder or Path()) / stress.FILE
    kept = stressed.read_bytes() if stressed.is_file() else None
    made = write(item, contents)
    if kept is not None and made.folder is not None:
        (made.folder / stress.FILE).write_bytes(kept)
    with contextlib.suppress(InputError):  # it may have been removed from the store
        store.replace_card(store.find(item.bento), contents.card)
    return made


def _outcomes(item: ReleaseRecord) -> Outcomes | None:
    """What its metrics are computed from; None where it was built without, or imported without its rows."""
    path = (item.folder or Path()) / record.OUTCOMES
    return outcomes_of(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def proved_before(name: str, version: str) -> bool:
    """Whether there is a record of exactly this content that was proved in whole."""
    with contextlib.suppress(InputError):
        before = record.read(folder_of(name, version))
        return bool(before.parity.get("passed")) and not before.sampled
    return False


def find(name_or_tag: str) -> ReleaseRecord:
    """The record of `name:version` (or a version's unique beginning), of the alias `name:live` or `name:previous`, what an
    environment has (`name:production`), or the newest of `name`.

    Raises `InputError`, with what there is, where none or several match, or the record can't be read.
    """
    name, _, wanted = name_or_tag.partition(":")
    versions = _versions(name)
    if not versions:
        names = sorted({item.name for item in records()})
        there = f"There are: {', '.join(names)}." if names else "Build one with `nb2prod build NOTEBOOK`."
        raise InputError(f"there is no release of {name!r} in {home.releases()}", there)
    if wanted in ("", _LATEST):
        return max((record.read(path) for path in versions), key=_age)
    if wanted in ledger.ALIASES:
        wanted = ledger.aliased(name, wanted)
    elif wanted:
        wanted = decisions.environments(name).get(wanted, wanted)
    exact = [path for path in versions if path.name == wanted]
    matches = exact or [path for path in versions if path.name.startswith(wanted)]
    if len(matches) == 1:
        return record.read(matches[0])
    listed = ", ".join(path.name for path in matches or versions)
    problem = f"{len(matches)} releases of {name!r} begin with" if matches else f"{name!r} has no release"
    raise InputError(f"{problem} {wanted!r}", f"Releases: {listed}.")


def records() -> tuple[ReleaseRecord, ...]:
    """All records that can be read, by name, the newest first of each."""
    root = home.releases()
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return tuple(item for name in names for item in sorted(_readable(name), key=_age, reverse=True))


def folder_of(name: str, version: str) -> Path:
    """Where the record of this Bento lies, or would; `InputError` for what can't be a name or version."""
    for what in (name, version):
        if not _NAME.fullmatch(what):
            raise InputError(
                f"{what!r} is not a Bento's name or version", "Write it as in flight_delay:0123456789abcdef"
            )
    return home.releases() / name / version


def adopt(made: Path, name: str, version: str) -> bool:
    """Take in a record that was made elsewhere, from this folder; False where there is one of that release already."""
    target = folder_of(name, version)
    if (target / record.FILE).is_file():
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-", ignore_cleanup_errors=True) as scratch:
            copied = Path(scratch) / "record"
            shutil.copytree(made, copied)
            _put(copied, target, Path(scratch))
    except OSError as error:
        raise EnvironmentProblem(
            f"the release record of {name}:{version} can't be written to {target}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return True


def tolerance(item: ReleaseRecord, known: Cases) -> Tolerance:
    """Up to which difference numbers are equal for this release: what it was proved with."""
    before = reports.read(item.path(documents.JSON))
    stated = before.tolerance if before.tolerance != DEFAULT_TOLERANCE else None
    return tolerance_of(known, stated, {name: value for name, value in before.loosened.items() if name})


def remove(item: ReleaseRecord) -> None:
    """Remove the record; harmless where it is gone."""
    target = folder_of(item.name, item.version)
    with contextlib.suppress(OSError):
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".removing-", ignore_cleanup_errors=True) as scratch:
            target.rename(Path(scratch) / "record")
        target.parent.rmdir()  # fails, as it should, while there are other versions


def _fill(folder: Path, item: ReleaseRecord, contents: Contents) -> None:
    _write_json(folder / "plan.json", contents.plan)
    _write_json(folder / "cases.json", contents.cases.to_json())
    _write_text(folder / "README.md", contents.card)
    _write_text(folder / card_page.FILE, card_page.html_of(contents.card))
    _write_text(folder / "executed.ipynb", contents.executed)
    if contents.notebook is not None:
        _write_json(folder / source.ORIGIN, {"notebook": str(contents.notebook.absolute())})
    if contents.metrics is not None:
        _write_json(folder / record.METRICS, contents.metrics.to_json())
    if contents.outcomes is not None:
        _write_json(folder / record.OUTCOMES, contents.outcomes.to_json())
    documents.write(contents.report, folder)
    _write_json(folder / record.FILE, item.to_json())


def _put(made: Path, target: Path, scratch: Path) -> None:
    """Move the finished folder to its place, one process at a time."""
    with (home.make(home.home()) / "records.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _replace(made, target, scratch)


def _replace(made: Path, target: Path, scratch: Path) -> None:
    """Move the finished folder to its place; what is there gives way, and comes back if that fails."""
    made.chmod(0o755)
    try:
        made.rename(target)
        return
    except OSError:
        if not target.exists():
            raise
    old = scratch / "old"
    target.rename(old)
    try:
        made.rename(target)
    except OSError:
        with contextlib.suppress(OSError):  # another build of the same put its own there meanwhile
            old.rename(target)
        if not (target / record.FILE).is_file():
            raise


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    _write_text(path, json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _versions(name: str) -> list[Path]:
    root = home.releases() / name
    if not _NAME.fullmatch(name) or not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if (path / record.FILE).is_file() and not path.name.startswith("."))


def _readable(name: str) -> Iterator[ReleaseRecord]:
    for path in _versions(name):
        with contextlib.suppress(InputError):
            yield record.read(path)


def _age(item: ReleaseRecord) -> tuple[str, str]:
    return item.created, item.version
