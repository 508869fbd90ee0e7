"""Which release may be put to work: it is proved whole, somebody answers for it, it passes its gates."""

from __future__ import annotations

from nb2prod.progress import Progress
from nb2prod.release import attempts, ownership, records
from nb2prod.release.gates import decisions
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running.ledger import Ledger, event
from nb2prod.release.running.rollout import NotDeployed


def release_to_deploy(bento: str, deployment: str | None, owner: str | None, *, without_owner: bool) -> ReleaseRecord:
    """The release (name, its newest; or name:version). Raises `InputError` where there is none, `NotDeployed` where it is not proved whole, nobody answers for it, or a name alone means one that retraining stopped."""
    release = records.find(bento)
    lost = None if ":" in bento else attempts.stopped(release.bento)
    if lost:
        raise NotDeployed(
            f"{release.bento}, the newest of {release.name}, was trained again and stopped: {lost}",
            f"Name the one that you want: nb2prod deploy {release.bento}, or another of `nb2prod list`.",
        )
    known = owner or ownership.holding(release.name, release, deployment).owner
    if not known and not without_owner:
        raise NotDeployed(
            f"{release.bento} has no owner: nobody would answer for it",
            f"Name one: nb2prod deploy {release.name} --owner WHO; or deploy it --without-owner.",
        )
    if release.sampled:
        raise NotDeployed(
            f"of {release.bento} only a sample was proved (build --quick)",
            f"Prove the whole first: nb2prod parity {release.bento}",
        )
    return release


def pass_gates(ledger: Ledger, name: str, release: ReleaseRecord, override: str | None, progress: Progress) -> None:
    """Hold the release against its gates before the deployment `name` gets it. `override` says why it shall be deployed though it does not pass.

    Raises `NotDeployed` where it does not pass, and nobody says why it shall be deployed all the same.
    """
    from nb2prod.release.gates import check, environments

    report = check.check(release, check.live(name, release.name))
    if not report.results:
        return
    progress.stage("gates")
    why = "" if report.passed else (override or "").strip()
    let_in = report.passed or bool(why)
    made = decisions.record(
        release.name, release.version, decisions.DEPLOY, report.to_json(), let_in=let_in, override=why
    )
    if not let_in:
        raise NotDeployed(
            f"{release.bento} does not pass its gates: {environments.words(report)}",
            f'See all: nb2prod gate {release.bento}. Deploy it all the same, which is recorded: --override-gate "why"',
        )
    if why:
        detail = f"{environments.words(report)}: {why} ({made.who})"
        ledger.note(name, event("gate overridden", release.version, detail))
        progress.message(f"overridden: {detail}")
