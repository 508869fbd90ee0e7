"""What HAProxy tells of each answer while a canary has a share of the requests: its lines, read.

    <process>:<count> <salt> <share> <draw> <key> <status> <server's ms> <all ms> <retries> <end> <answer, its first bytes in base64>

A request is the canary's by its draw, whoever answered it in the end: one that the canary did not take, and the stable release answered, is an error of the canary's.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

_FIELDS = 11
_NONE = object()
_PREDICTIONS = re.compile(r'"predictions"\s*:\s*\[')


@dataclass(frozen=True)
class AnsweredRequest:
    """One request as HAProxy saw it."""

    number: str
    salt: str
    """The word of the rollout that it belongs to."""
    share: int
    """Of the canary when it came, in ten-thousandths."""
    canary: bool
    key: int | None
    """The hash of its caller's key; None where it had none."""
    status: int
    seconds: float
    asked_again: bool
    """Whether a server did not take it."""
    cut: bool
    """Whether the caller went away."""
    answered: bool
    """Whether it has a prediction for its first row, or null: of an answer of 200 with rows."""
    prediction: Any = None
    """Of the first row."""
    by_rule: bool = False
    """Whether the fallback gave an answer."""

    @property
    def is_error(self) -> bool:
        """No answer, or a fault of the server's."""
        return self.asked_again or (not self.cut and not 0 < self.status < 500)

    @property
    def is_refusal(self) -> bool:
        """A refusal of the request."""
        return 400 <= self.status < 500

    @property
    def is_null(self) -> bool:
        """A first row without a prediction."""
        return self.answered and self.prediction is None


def read(line: str) -> AnsweredRequest | None:
    """The request of a line; None for a line of another form."""
    parts = line.split(" ")
    if len(parts) != _FIELDS:
        return None
    number, salt, share, draw, key, status, server, whole, retries, end, answer = parts
    try:
        taken = int(server) if int(server) >= 0 else int(whole)
        found, prediction, by_rule = _of_answer(answer) if status == "200" else (False, None, False)
        return AnsweredRequest(
            number=number,
            salt=salt,
            share=int(share),
            canary=int(draw) < int(share),
            key=None if key == "-" else int(key),
            status=int(status),
            seconds=max(taken, 0) / 1000,
            asked_again=retries.startswith("+") or int(retries) > 0,
            cut=end.startswith("C"),
            answered=found,
            prediction=prediction,
            by_rule=by_rule,
        )
    except ValueError:
        return None


def after(lines: list[str], last: str) -> list[str]:
    """The lines after the one of this number; all, where it is not among them any more."""
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].partition(" ")[0] == last:
            return lines[at + 1 :]
    return lines


def _of_answer(text: str) -> tuple[bool, Any, bool]:
    """Whether there is a first prediction in the beginning of an answer, which it is, and whether a rule gave any."""
    try:
        body = base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return False, None, False
    try:
        document = json.loads(body)
    except ValueError:  # longer than what was kept of it
        prediction = _first(body)
        return prediction is not _NONE, None if prediction is _NONE else prediction, False
    predictions = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(predictions, list) or not predictions:
        return False, None, False
    return True, predictions[0], bool(document.get("fallbacks"))


def _first(body: str) -> Any:
    """The first of the predictions of an answer whose end is missing; `_NONE` where it is not whole."""
    found = _PREDICTIONS.search(body)
    if found is None:
        return _NONE
    try:
        value, end = json.JSONDecoder().raw_decode(
            body, found.end() + len(body[found.end() :]) - len(body[found.end() :].lstrip())
        )
    except ValueError:
        return _NONE
    return value if body[end:].lstrip()[:1] in (",", "]") else _NONE
