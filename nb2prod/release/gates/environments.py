"""Environments: names that a release moves through, one after the other, each with gates of its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from nb2prod.errors import InputError, Nb2ProdError
from nb2prod.release import records
from nb2prod.release.gates import check as checks
from nb2prod.release.gates import decisions
from nb2prod.release.gates.check import GateReport
from nb2prod.release.record import ReleaseRecord

USUAL = ("dev", "staging", "production")
"""Where `nb2prod.toml` names none."""


class NotPromoted(Nb2ProdError):
    """A gate was not passed, or the environment before was left out; what the environment had, it still has."""

    exit_code = 1
    kind = "not promoted"


@dataclass(frozen=True)
class Promotion:
    """A release that an environment has now, and what it had before."""

    release: str
    environment: str
    before: str | None
    report: GateReport
    override: str = ""


def promote(bento: str, to: str, *, override: str | None = None) -> Promotion:
    """Let the environment `to` have a release: `name:version`, or of a name alone what the environment before has.

    A release passes through each environment but the first, which has every release from its build on. `override` says why it is let in although a
    gate is not passed; that is recorded, with who did it. Raises `NotPromoted` where a gate or an environment stands before it, `InputError`.
    """
    if override is not None and not override.strip():
        raise InputError("an override says why", 'For example: --override-gate "hotfix, agreed with Ada"')
    release, order = _wanted(bento, to)
    _check_way(release, to, order)
    held = decisions.environments(release.name).get(to)
    before: ReleaseRecord | None = None
    if held is not None:
        with suppress(InputError):  # its record may have been removed since
            before = records.find(f"{release.name}:{held}")
    report = checks.check(release, before, to)
    why = (override or "").strip() if not report.passed else ""
    let_in = report.passed or bool(why)
    decisions.record(release.name, release.version, to, report.to_json(), let_in=let_in, override=why)
    if not let_in:
        raise NotPromoted(
            f"{release.bento} does not pass the gates of {to}: {words(report)}",
            f'Let it in all the same, which is recorded: nb2prod promote {release.bento} --to {to} --override-gate "why"',
        )
    return Promotion(release.bento, to, None if held is None else f"{release.name}:{held}", report, why)


def words(report: GateReport) -> str:
    """The gates that were not passed, in a line."""
    told = []
    for item in report.stopped:
        found = "" if item.value is None else f", found {item.value:.4g}"
        note = f" ({item.note})" if item.note else ""
        told.append(f"{item.gate} {item.wanted}{found}{note}")
    return "; ".join(told)


def _wanted(bento: str, to: str) -> tuple[ReleaseRecord, tuple[str, ...]]:
    name, _, version = bento.partition(":")
    order = tuple(checks.stated(records.find(bento)).environments) or USUAL
    if to not in order:
        raise InputError(f"{name} has no environment {to!r}", f"It moves through: {', '.join(order)}.")
    if version or order.index(to) == 0:
        return records.find(bento), order
    previous = order[order.index(to) - 1]
    held = decisions.environments(name).get(previous)
    if held is not None:
        return records.find(f"{name}:{held}"), order
    if order.index(to) > 1:
        raise NotPromoted(f"{previous} has no release of {name}", f"First: nb2prod promote {name} --to {previous}")
    return records.find(name), order


def _check_way(release: ReleaseRecord, to: str, order: tuple[str, ...]) -> None:
    at = order.index(to)
    if at < 2:
        return
    previous = order[at - 1]
    passed = any(
        item.let_in and item.purpose == previous and item.version == release.version
        for item in decisions.decisions(release.name)
    )
    if not passed:
        raise NotPromoted(
            f"{release.bento} was never in {previous}", f"First: nb2prod promote {release.bento} --to {previous}"
        )
