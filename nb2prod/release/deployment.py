"""What is known of a running release: the one form in which command line, sidebar and widget show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

State = Literal["starting", "serving", "degraded", "draining", "stopped", "failed", "gone"]
"""`starting`: not ready yet. `serving`: answers. `degraded`: lives, but something is wrong; `notes` say what.
`draining`: ends once its last requests are answered. `stopped`: on request. `failed`: given up, as it never
became ready or kept crashing. `gone`: its processes are dead, and nobody asked for that."""
STATES: tuple[State, ...] = get_args(State)

Kind = Literal["process", "container"]

_ENOUGH = 30
"""Requests that percentiles are shown of; those of fewer say nothing."""


@dataclass(frozen=True)
class Event:
    """Something that was done to a deployment, or found."""

    at: str
    """ISO 8601, UTC."""
    what: str
    """`deploy`, `ready`, `proved`, `switched`, `live`, `stopped`, `failed`, `interrupted` and so on."""
    version: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class RolloutView:
    """A staged rollout under way, as all faces show it."""

    version: str
    """The canary."""
    stable: str
    stage: str
    """As it is spoken of: `shadow`, `10 %`."""
    share: float
    """Of the requests, from 0 to 1."""
    stages: tuple[str, ...]
    began: str
    """ISO 8601, UTC; so is `since`, when the stage began."""
    since: str
    paused: bool
    evidence: float
    """Of harm; 1 is none, and at `needed` the canary is withdrawn."""
    needed: float
    leading: str
    """The question that speaks most against the canary; empty before the first answer."""
    requests: int
    """That the canary has answered in this stage."""
    wanted: int | None
    """So many, until harm would have been seen; None where that can't be told yet."""
    rates: Mapping[str, tuple[float, float]]
    """Of this stage, by kind of event: (of the canary's requests, of the stable release's)."""
    awaited: str
    """What the next stage waits for, in words."""
    problem: str = ""
    """Why the last look failed, or that nobody looks; empty where all is well."""

    @property
    def sentence(self) -> str:
        """How it goes, in a sentence."""
        held = "paused by hand" if self.paused else f"waits for {self.awaited}" if self.awaited else "goes on"
        told = f"{self.version} is a canary ({self.stage} of {', '.join(self.stages)}) and {held}"
        if self.requests:
            told += f"; evidence of harm {self.evidence:.3g} of {self.needed:,.0f}"
        return f"{told}; {self.problem}" if self.problem else told


@dataclass(frozen=True)
class Deployment:
    """A running release, as found a moment ago.

    `version` is the one that the alias `live` names, `previous` the one that a rollback returns to. Numbers
    of requests and times are those of the live version since it started; None where it does not tell.
    """

    name: str
    release: str
    """Name of the Bento; the deployment is called the same unless told otherwise."""
    version: str | None
    state: State
    url: str
    host: str
    port: int
    kind: Kind = "process"
    previous: str | None = None
    pid: int | None = None
    """The process that keeps it running."""
    started: str | None = None
    """When the live version's server started; ISO 8601, UTC."""
    uptime: float | None = None
    """Seconds since then."""
    health: Literal["ready", "not ready", "no answer"] = "no answer"
    requests: int | None = None
    errors: int | None = None
    """Requests answered with a status of 500 and above."""
    p50: float | None = None
    """Seconds; of `/predict`, from the service's own histogram."""
    p99: float | None = None
    crashes: int = 0
    """How often its server or a worker of it died and was started again."""
    proxied: bool = False
    """Whether HAProxy stands before it, so that a new version takes over without a gap."""
    gap: float | None = None
    """Seconds without an answer at the last change of version; 0.0 through HAProxy, None before the first."""
    parity: Mapping[str, Any] | None = None
    """The proof's summary; None where the release record is gone."""
    owner: str | None = None
    runbook: str | None = None
    overdue_alarms: int = 0
    """Alarms that nobody acknowledged within the time that is stated for it."""
    notebook: str | None = None
    notebook_changed: bool | None = None
    """Whether the notebook's file differs from what was built; None where the file is not at hand."""
    rollout: RolloutView | None = None
    """Of a version that gets its callers in stages."""
    notes: tuple[str, ...] = ()
    """What its owner should know, in sentences: the most important first."""
    events: tuple[Event, ...] = field(default=(), repr=False)
    """The last ones, the newest last."""

    @property
    def has_percentiles(self) -> bool:
        """Whether it has answered enough requests for `p50` and `p99` to be shown."""
        return (self.requests or 0) >= _ENOUGH

    @property
    def bento(self) -> str | None:
        """`name:version` of the live release."""
        return None if self.version is None else f"{self.release}:{self.version}"

    def to_json(self) -> dict[str, Any]:
        """The document of `status --json`."""
        rollout = None if self.rollout is None else {**asdict(self.rollout), "sentence": self.rollout.sentence}
        return {**asdict(self), "bento": self.bento, "rollout": rollout, "notes": list(self.notes)}
