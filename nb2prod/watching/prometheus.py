"""Gauges of a look for Prometheus, by the textfile collector, and the rules that raise its alarms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml  # type: ignore[import-untyped]

from nb2prod.watching.look import Look
from nb2prod.watching.subject import Subject

_STATES = {"waiting": 0, "quiet": 0, "drifting": 1, "drifted": 2}
_STALE_SECONDS = 2 * 86_400


def gauges(seen: Look) -> str:
    """The gauges, in the text form. One series a watched series; no label has values that a caller chooses."""
    own = {"deployment": seen.subject.name, "model": seen.subject.model}
    each = [({**own, "series": item.name}, item) for item in seen.verdicts]
    lines = [
        *_gauge("state", "0 quiet, 1 drifting, 2 drifted", [(told, _STATES[item.state]) for told, item in each]),
        *_gauge("evidence", "Evidence of a change; 1 is none", [(told, item.evidence) for told, item in each]),
        *_gauge("total_variation", "Size of the change", [(told, item.size.value) for told, item in each if item.size]),
        *_gauge("total_variation_low", "Its lower end", [(told, item.size.low) for told, item in each if item.size]),
        *_gauge("rows", "Rows of the request log that were counted", [(own, seen.rows)]),
        *_gauge("open_alarms", "Alarms that nobody acknowledged", [(own, len(seen.alarms))]),
    ]
    return "\n".join(lines) + "\n"


def rules(subject: Subject) -> str:
    """The PrometheusRule manifest of the Prometheus operator for this deployment's gauges."""
    chosen = f'{{deployment="{subject.name}"}}'
    about = {"owner": subject.owner or "nobody", **({"runbook_url": subject.runbook} if subject.runbook else {})}
    found = [
        _rule(
            "Drifted",
            f"nb2prod_watch_state{chosen} == 2",
            "{{ $labels.series }} of {{ $labels.model }} has drifted",
            about,
        ),
        _rule(
            "AlarmOpen",
            f"nb2prod_watch_open_alarms{chosen} > 0",
            "Alarms of {{ $labels.model }} that nobody acknowledged",
            about,
        ),
        _rule(
            "NotWatched",
            f'absent(nb2prod_watch_rows{chosen}) or time() - node_textfile_mtime_seconds{{file=~".*nb2prod.*"}} > {_STALE_SECONDS}',
            f"Nobody has watched {subject.name} for two days",
            about,
        ),
    ]
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": f"nb2prod-{subject.name}".replace("_", "-").replace(".", "-"),
            "labels": {"app": "nb2prod"},
        },
        "spec": {"groups": [{"name": f"nb2prod-{subject.name}", "rules": found}]},
    }
    return str(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True))


def _rule(name: str, expression: str, summary: str, about: dict[str, str]) -> dict[str, Any]:
    return {
        "alert": f"Nb2prod{name}",
        "expr": expression,
        "for": "5m",
        "labels": {"severity": "warning"},
        "annotations": {"summary": summary, **about},
    }


def _gauge(name: str, about: str, values: Iterable[tuple[dict[str, str], float]]) -> list[str]:
    full = f"nb2prod_watch_{name}"
    return [
        f"# HELP {full} {about}",
        f"# TYPE {full} gauge",
        *[f"{full}{_labels(told)} {float(n):g}" for told, n in values],
    ]


def _labels(told: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in told.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
