"""What a running service says of itself when asked: whether it is ready, what it answered, how long that took."""

from __future__ import annotations

import http.client
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

_SECONDS = 3.0
_PREDICT = "/predict"
Health = Literal["ready", "not ready", "no answer"]


@dataclass(frozen=True)
class Probe:
    """The answer. Numbers are None where the service does not tell them; times are seconds."""

    health: Health
    requests: int | None = None
    errors: int | None = None
    p50: float | None = None
    p99: float | None = None


def ask(host: str, port: int, *, key: str | None = None) -> Probe:
    """Ask the service at this address of this machine."""
    headers = {"X-API-Key": key} if key else {}
    ready = _get(host, port, "/readyz", headers)
    if ready is None:
        return Probe("no answer")
    if ready[0] != 200:
        return Probe("not ready")
    found = _get(host, port, "/metrics", headers)
    if found is None or found[0] != 200:
        return Probe("ready")
    return _counted(found[1].decode("utf-8", "replace"))


def _get(host: str, port: int, path: str, headers: dict[str, str]) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _counted(text: str) -> Probe:
    from prometheus_client.parser import text_string_to_metric_families

    requests = errors = 0
    buckets: list[tuple[float, float]] = []
    try:
        for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
            if sample.labels.get("endpoint") != _PREDICT:
                continue
            if sample.name == "nb2prod_requests_total":
                requests += int(sample.value)
                errors += int(sample.value) if sample.labels["status"] >= "500" else 0
            elif sample.name == "nb2prod_request_seconds_bucket":
                buckets.append((float(sample.labels["le"]), sample.value))
    except (ValueError, KeyError):
        return Probe("ready")
    return Probe("ready", requests, errors, quantile(buckets, 0.5), quantile(buckets, 0.99))


def quantile(buckets: Iterable[tuple[float, Any]], share: float) -> float | None:
    """The quantile of a histogram given as (upper edge, count up to it), straight within a bucket, as Prometheus does."""
    edges = sorted(buckets)
    total = edges[-1][1] if edges else 0
    if not total:
        return None
    wanted, below, lower = share * total, 0.0, 0.0
    for edge, count in edges:
        if count >= wanted:
            if math.isinf(edge):
                return lower
            return float(lower + (edge - lower) * (wanted - below) / (count - below))
        below, lower = count, edge
    return lower
