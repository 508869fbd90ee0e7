"""A release asked in its built image, as it will run: the container proved, and its latency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import cases, prover, target
from nb2prod.parity.client import Client
from nb2prod.parity.report import ParityReport
from nb2prod.release import records
from nb2prod.release.gates import latency
from nb2prod.release.images import containerize, engine
from nb2prod.release.record import ReleaseRecord


@dataclass(frozen=True)
class Image:
    """How the image is run: the engine's name (None: the first that answers), and options of its `run`."""

    engine: str | None = None
    run_options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The proof of the running container, and the seconds of each request of one row."""

    report: ParityReport
    seconds: npt.NDArray[np.float64]


def ask(release: ReleaseRecord, image: Image) -> Found:
    """Run the image of this release, prove the container and measure it; it is gone afterwards.

    Raises `EnvironmentProblem` where no engine answers, there is no such image, or its container can't be asked.
    """
    chosen = engine.find(image.engine, to_run=True)
    if chosen.image(release.bento) is None:
        raise EnvironmentProblem(
            f"{chosen.name} has no image {release.bento}", f"Make it: nb2prod containerize {release.bento}"
        )
    known = cases.read(release.path("cases.json"))
    with containerize.running(chosen, release.bento, image.run_options) as (url, key):
        headers = {"X-API-Key": key}
        where = target.of_url(url, headers=headers, bento=release.bento)
        report = prover.prove(where, known, tolerance=records.tolerance(release, known))
        client = Client(url, headers=headers)
        try:
            return Found(report, latency.asked(client, known))
        finally:
            client.close()
