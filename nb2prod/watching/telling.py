"""Tells alarms to others: a webhook, a command. Each is told of an alarm once; what fails is tried again at the next look."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from nb2prod.errors import InputError
from nb2prod.release import alarms
from nb2prod.release.alarms import Alarm
from nb2prod.watching.look import Look

SECONDS = 5.0
"""A webhook that has not answered by then hangs."""
_PAUSES = (0.5, 2.0)
_COMMAND_SECONDS = 60.0


class _Failed(Exception):
    """Why somebody could not be told."""


def tell(seen: Look, *, webhook: str | None, command: str | None) -> list[str]:
    """Tell the alarms that were not told yet; returns what went wrong, in sentences. Raises `InputError` for what can't be told anything."""
    problems = []
    if webhook:
        if urllib.parse.urlsplit(webhook).scheme not in ("http", "https"):
            raise InputError(
                "the webhook is no address of http or https", "For example: --webhook https://example.org/hook"
            )
        problems += _told(seen, f"webhook:{_digest(webhook)}", lambda document: _post(webhook, document))
    if command:
        problems += _told(seen, f"command:{_digest(command)}", lambda document: _run(command, document))
    return problems


def document(item: Alarm, seen: Look) -> dict[str, Any]:
    """What is told of an alarm."""
    verdict = next((found.to_json() for found in seen.verdicts if found.name == item.subject), None)
    return {
        "alarm": item.id,
        "name": item.name,
        "model": item.model,
        "subject": item.subject,
        "raised": item.raised,
        "text": item.text,
        "owner": seen.subject.owner,
        "runbook": seen.subject.runbook,
        "promise": seen.promise,
        "series": verdict,
    }


def _told(seen: Look, target: str, send: Callable[[dict[str, Any]], None]) -> list[str]:
    for item in alarms.undelivered(seen.subject.name, target):
        try:
            send(document(item, seen))
        except _Failed as failure:
            # The others would meet the same.
            return [f"{target.partition(':')[0]}: {failure}; tried again at the next look"]
        alarms.delivered(item, target)
    return []


def _post(address: str, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "nb2prod", "Idempotency-Key": str(content["alarm"])}
    why = ""
    for pause in (*_PAUSES, None):
        request = urllib.request.Request(address, data=body, headers=headers, method="POST")  # noqa: S310 (checked)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            why = f"it answered {error.code}"
            if 400 <= error.code < 500 and error.code not in (408, 429):
                break
        except (OSError, ValueError) as error:
            why = str(getattr(error, "reason", error)) or type(error).__name__
        if pause is not None:
            time.sleep(pause)
    raise _Failed(why)


def _run(command: str, content: dict[str, Any]) -> None:
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words, input=json.dumps(content), text=True, capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise _Failed(str(error)) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise _Failed(f"it ended with {done.returncode}{': ' + last if last else ''}")


def _digest(text: str) -> str:
    """A webhook's address is a secret: it is not kept."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
