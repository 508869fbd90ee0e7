"""Gates that ask the report of a release's stress test, which `nb2prod stress` keeps with it."""

from __future__ import annotations

import json

from nb2prod.criteria import Criterion
from nb2prod.errors import InputError
from nb2prod.evaluation import stress
from nb2prod.evaluation.stress import StressReport
from nb2prod.release.gates.result import GateResult, judged, undecided
from nb2prod.release.record import ReleaseRecord

UNANSWERED, LOADED, NEWEST = "stress.unanswered", "stress.p99_ms", "newest."


def under_stress(item: Criterion, release: ReleaseRecord) -> GateResult:
    """What the report says of this gate; undecided where there is none, or where it could not tell."""
    try:
        found = stress.from_json(json.loads(release.path(stress.FILE).read_text(encoding="utf-8")))
    except InputError:
        return undecided(item, f"it was not put under stress: nb2prod stress {release.bento}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return undecided(item, f"{stress.FILE} can't be read ({error}): nb2prod stress {release.bento} makes it anew")
    if item.name == UNANSWERED:
        return judged(item, found.unanswered, note=f"the worst of {len(found.effects)} alterations")
    if item.name == LOADED:
        many = max(found.load, key=lambda load: load.callers)
        return judged(
            item, many.p99_ms, note=f"{many.callers} callers at a time, {many.requests:,} requests of one row"
        )
    return _newest(item, found)


def _newest(item: Criterion, found: StressReport) -> GateResult:
    wanted, age = item.name.removeprefix(NEWEST), found.ageing
    if age.newest is None:
        return undecided(item, age.reason or "the newest rows have no metric")
    if age.metric != wanted:
        return GateResult(item.name, item.wanted, "failed", note=f"the newest rows have {age.metric}, not {wanted}")
    return judged(item, age.newest, age.low, age.high, f"the newest {age.rows:,} rows by {age.time}")
