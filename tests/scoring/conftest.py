"""A Bento's folder without a build, scored by this process unless a test wants processes."""

import contextlib

import numpy as np
import pandas as pd
import pytest

from nb2prod.runtime.batch.scoring import Scorer
from nb2prod.scoring import job
from tests.runtime import projects

YAML = """\
name: houses
version: {version}
creation_time: '2026-01-01T00:00:00.000000+00:00'
labels: {{nb2prod: '1'}}
"""


def bento_at(folder, version="abc", **project):
    projects.write(folder / "src", **project)
    (folder / "bento.yaml").write_text(YAML.format(version=version))
    return folder


@pytest.fixture(scope="session")
def bento(tmp_path_factory):
    return bento_at(tmp_path_factory.mktemp("scored") / "houses" / "abc")


def houses(count, seed=0):
    """Rows that the project's code answers; 1 in 100 has a negative fare, on which it fails."""
    rng = np.random.default_rng(seed)
    fares = rng.uniform(1, 90, count)
    fares[::100] *= -1
    return pd.DataFrame(
        {
            "Id": np.arange(count) + 1000 * seed,
            "Age": np.where(rng.random(count) < 0.2, np.nan, rng.uniform(1, 80, count)),
            "Sex": rng.choice(["male", "female"], count),
            "Fare": fares,
            "Big": 2**53 + rng.integers(0, 9, count),
            "When": pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 999, count), unit="h"),
        }
    )


@pytest.fixture
def in_process(monkeypatch, bento):
    """Tables are answered by this process; what was asked is noted."""
    scorer = Scorer.load(bento / "src")
    asked = []

    class Workers(contextlib.nullcontext):
        def __init__(self, folder, count):
            super().__init__(self)
            self.count = count

        def score(self, table):
            asked.append(table.num_rows)
            return scorer.score(table)

    monkeypatch.setattr(job, "Workers", Workers)
    return asked
