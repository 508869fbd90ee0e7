"""`DeployStatus("flight_delay")`: how a deployment does, with what can be done about it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ipywidgets as widgets

from nb2prod.errors import Nb2ProdError
from nb2prod.release import deployments
from nb2prod.release.deployment import Deployment
from nb2prod.widgets import markup
from nb2prod.widgets.live import LiveBox

_KEPT = 60
"""Looks that the course of a number is drawn from."""


class DeployStatus(LiveBox):
    """State, health, uptime, requests, times and errors of a deployment, looked at every `interval` seconds.

    The buttons restart it, roll it back or stop it; a click is answered when the kernel is free.
    """

    def __init__(self, name: str, *, interval: float = 1.0) -> None:
        self.name = name
        self.what = name
        self._answer = widgets.HTML()
        self._buttons = widgets.HBox(
            [
                _button("Roll back", lambda: deployments.rollback(name), self),
                _button("Restart", lambda: deployments.restart(name), self),
                _button("Stop", lambda: deployments.stop(name), self),
            ]
        )
        self._looks: deque[Look] = deque(maxlen=_KEPT)
        super().__init__(interval=interval, children=(self._buttons, self._answer))

    def look(self) -> str:
        """The deployment as it is now."""
        try:
            found = deployments.status(self.name)
        except Nb2ProdError:
            # Nothing can be done to a deployment that does not exist.
            self._buttons.layout.display = "none"
            raise
        self._buttons.layout.display = None
        self._buttons.children[0].disabled = found.previous is None
        self._buttons.children[2].disabled = found.state == "stopped"
        if self._looks and self._looks[-1].version != found.version:
            self._looks.clear()
        self._looks.append(Look(time.monotonic(), found.version, found.requests, found.errors, found.p50, found.p99))
        return text_of(found, tuple(self._looks))

    def say(self, text: str) -> None:
        """Below the buttons: what came of the last click."""
        self._answer.value = markup.sentences([text] if text else [])


@dataclass(frozen=True)
class Look:
    """What was measured at one look. `at` and the times of requests are in seconds; counts are of the version since it started."""

    at: float
    version: str | None
    requests: int | None
    errors: int | None
    p50: float | None
    p99: float | None


def text_of(found: Deployment, looks: tuple[Look, ...] = ()) -> str:
    """A deployment as HTML, with the course of its numbers over `looks`, the oldest first."""
    notes = list(found.notes)
    if found.notebook_changed and not any("notebook" in note for note in notes):
        notes.append("The notebook has changed since this release.")
    answers = found.state in ("serving", "degraded")
    rows = [
        ("release", found.bento),
        ("health", found.health if answers else None),
        ("up", markup.duration(found.uptime)),
        ("owner", found.owner),
    ]
    where = f"<div>{markup.link(found.url)}</div>" if answers else ""
    numbers = _numbers(found, looks) if answers else ""
    return markup.heading(found.name, found.state) + where + markup.facts(rows) + numbers + markup.sentences(notes)


def _numbers(found: Deployment, looks: tuple[Look, ...]) -> str:
    rates = _rates([(look.at, look.requests) for look in looks])
    last = rates[-1] if rates else None
    rows: list[tuple[str, str | None, list[float | None]]] = [
        ("requests", None if found.requests is None else f"{found.requests:,}", []),
        ("requests/s", None if last is None else f"{last:.1f}", rates),
        ("errors", None if found.errors is None else f"{found.errors:,}", _rates([(k.at, k.errors) for k in looks])),
    ]
    if found.has_percentiles:
        rows += [
            ("p50", markup.milliseconds(found.p50), [look.p50 for look in looks]),
            ("p99", markup.milliseconds(found.p99), [look.p99 for look in looks]),
        ]
    return markup.measures(rows)


def _rates(counts: list[tuple[float, int | None]]) -> list[float | None]:
    """Of each look what came since the one before, a second; None where that can't be told."""
    found: list[float | None] = []
    for (before, old), (now, new) in pairwise(counts):
        known = old is not None and new is not None and new >= old and now > before
        found.append((new - old) / (now - before) if known and old is not None and new is not None else None)
    return found


def _button(label: str, work: Callable[[], Deployment], box: DeployStatus) -> Any:
    button = widgets.Button(description=label)

    def clicked(_: Any) -> None:
        box.say(f"{label} …")
        try:
            work()
            box.say("")
        except Nb2ProdError as error:
            box.say(str(error))
        box.refresh()

    button.on_click(clicked)
    return button
