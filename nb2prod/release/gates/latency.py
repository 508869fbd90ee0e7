"""How long a release takes to answer one row: its Bento served as a proof does, asked row by row by one caller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from nb2prod.errors import EnvironmentProblem
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.server import Server

REQUESTS = 400
_FIRST = 20
"""The first requests, which are not counted: they fill caches."""


def seconds(bento: Path, known: Cases) -> npt.NDArray[np.float64]:
    """Seconds of each of `REQUESTS` requests of one row to the Bento in this folder; raises `EnvironmentProblem` where it can't be asked."""
    try:
        with Server(bento, hash_seed=0) as server:
            return asked(server.client, known)
    except ServiceFault as error:
        raise EnvironmentProblem(f"the release can't be asked: {error.message}", "Try it: nb2prod serve.") from error


def percentile(taken: npt.NDArray[np.float64], share: float) -> tuple[float, float, float]:
    """This percentile and the interval of 95 % that order statistics give for it, whatever the distribution."""
    ordered = np.sort(taken)
    low, high = stats.binom.ppf([0.025, 0.975], len(ordered), share).astype(int)
    top = len(ordered) - 1
    return float(np.quantile(ordered, share)), float(ordered[min(low, top)]), float(ordered[min(high, top)])


def asked(client: Client, known: Cases) -> npt.NDArray[np.float64]:
    """The same of a running service."""
    rows = [known.rows[at % len(known.rows)] for at in range(REQUESTS + _FIRST)]
    found = [client.post("/predict", {"rows": [row]}).seconds for row in rows]
    return np.asarray(found[_FIRST:])
