"""`DeployStatus("flight_delay")`: how a deployment does, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from nb2prod.errors import Nb2ProdError
from nb2prod.release import deployments
from nb2prod.release.deployment import Deployment
from nb2prod.widgets import markup
from nb2prod.widgets.live import LiveBox

_ENOUGH = 30
"""Requests that percentiles are told of; those of fewer say nothing."""


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
        return text_of(found)

    def say(self, text: str) -> None:
        """Below the buttons: what came of the last click."""
        self._answer.value = markup.sentences([text] if text else [])


def text_of(found: Deployment) -> str:
    """A deployment as HTML."""
    notes = list(found.notes)
    if found.notebook_changed and not any("notebook" in note for note in notes):
        notes.append("The notebook has changed since this release.")
    has_enough = (found.requests or 0) >= _ENOUGH
    rows = [
        ("release", found.bento),
        ("address", found.url if found.state != "stopped" else None),
        ("health", found.health if found.state != "stopped" else None),
        ("up", markup.duration(found.uptime)),
        ("requests", found.requests),
        ("p50", markup.milliseconds(found.p50) if has_enough else None),
        ("p99", markup.milliseconds(found.p99) if has_enough else None),
        ("errors", found.errors),
        ("owner", found.owner),
    ]
    return markup.heading(found.name, found.state) + markup.facts(rows) + markup.sentences(notes)


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
