"""The request log: what was asked and answered, sampled, on disk by day, bounded, and never in a request's way."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest

from nb2prod.runtime import request_log
from nb2prod.runtime.app import App
from nb2prod.runtime.options import OptionProblem
from tests.runtime import projects
from tests.runtime.asgi import JSON, ask
from tests.runtime.test_app import fresh_metrics, served

DAY = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc).timestamp()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "_LOOK", 0.05)
    monkeypatch.setattr(request_log, "_FLUSH_SECONDS", 0.1)


def asked(app: App, *bodies: list[dict[str, Any]], seconds: float = 0.6) -> list[int]:
    async def story() -> list[int]:
        task = asyncio.create_task(app.background())
        statuses = []
        for rows in bodies:
            body = json.dumps({"rows": rows}).encode()
            statuses.append((await ask(app, "POST", "/predict", body, {**JSON, "X-Request-ID": "one"})).status)
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return statuses

    return asyncio.run(story())


def kept(data: Path) -> list[dict[str, Any]]:
    folder = data / "houses" / "requests"
    return pyarrow.dataset.dataset(folder, format="parquet").to_table().to_pylist() if folder.is_dir() else []


def clocked(tmp_path: Path, options: dict[str, Any], clock: Any = lambda: DAY) -> App:
    app = App(projects.write(tmp_path / "project", options=options), version="v1", clock=clock, metrics=fresh_metrics)
    app.load()
    return app


def test_it_is_off_unless_asked_for(tmp_path: Path, data: Path) -> None:
    asked(served(tmp_path), [projects.row()])
    assert not data.exists()


def test_a_request_is_kept_with_features_answer_version_latency_and_id(tmp_path: Path, data: Path) -> None:
    app = clocked(tmp_path, {"request_log": 1.0})
    asked(app, [projects.row(), projects.row(Fare=-1.0)])
    good, bad = kept(data)
    assert [file.parent.name for file in (data / "houses" / "requests").glob("*/*.parquet")] == ["2026-03-01"]
    assert good["row.Age"] == 22.0
    assert good["row.Big"] == 2**53 + 1
    assert good["row.When"] == "2013-01-01T05:00:00"
    assert json.loads(good["features"])["Age"] == 22.0
    assert good["prediction"] in (0, 1)
    assert (good["model"], good["request_id"], good["row"]) == ("houses:v1", "one", 0)
    assert 0 < good["seconds"] < 5
    assert (bad["row"], bad["prediction"], bad["error"]) == (1, None, "row_failed")


def test_excluded_fields_are_in_no_file(tmp_path: Path, data: Path) -> None:
    app = clocked(tmp_path, {"request_log": 1.0, "request_log_exclude": ["Sex", "Age"]})
    asked(app, [projects.row(Sex="a secret", Age=77.125)])
    (row,) = kept(data)
    assert "row.Sex" not in row
    assert row["features"] is None
    for file in data.rglob("*.parquet"):
        assert b"a secret" not in file.read_bytes()


def test_an_excluded_field_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionProblem, match="did you mean 'Sex'"):
        clocked(tmp_path, {"request_log": 1.0, "request_log_exclude": ["Sexe"]})


def test_it_keeps_the_share_that_was_asked_for(tmp_path: Path, data: Path) -> None:
    app = clocked(tmp_path, {"request_log": 0.25})
    app.request_log._draw = iter([at / 40 for at in range(40)]).__next__
    asked(app, *([projects.row(Fare=float(at))] for at in range(40)))
    assert sorted(row["row.Fare"] for row in kept(data)) == [float(at) for at in range(10)]


def test_it_stays_within_its_size_and_the_oldest_day_goes_first(tmp_path: Path, data: Path) -> None:
    now = [DAY]
    app = clocked(tmp_path, {"request_log": 1.0, "request_log_bytes": 20_000}, lambda: now[0])
    for day in range(6):
        now[0] = DAY + day * 86_400
        asked(app, [projects.row(Fare=float(day))], seconds=0.4)
    files = list(data.rglob("*.parquet"))
    assert sum(file.stat().st_size for file in files) <= 20_000
    days = sorted({file.parent.name for file in files})
    assert days[-1] == "2026-03-06"
    assert "2026-03-01" not in days


def test_what_is_older_than_its_days_goes(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [DAY]
    app = clocked(tmp_path, {"request_log": 1.0, "request_log_days": 30}, lambda: now[0])
    for day in (0, 20, 40):
        now[0] = DAY + day * 86_400
        monkeypatch.setattr(request_log.time, "time", lambda: now[0] + 86_400 * 10_000)  # files look as old as they are
        asked(app, [projects.row()], seconds=0.4)
    assert sorted({file.parent.name for file in data.rglob("*.parquet")}) == ["2026-03-21", "2026-04-10"]


def test_who_asked_is_kept_by_the_digest_of_the_key_alone(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    monkeypatch.setenv("NB2PROD_API_KEYS", f"ada:{digest}")
    app = clocked(tmp_path, {"request_log": 1.0})

    async def story() -> None:
        task = asyncio.create_task(app.background())
        body = json.dumps({"rows": [projects.row()]}).encode()
        assert (await ask(app, "POST", "/predict", body, {**JSON, "X-API-Key": "secret"})).status == 200
        await asyncio.sleep(0.4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    (row,) = kept(data)
    assert row["caller"] == digest[:12]


@pytest.mark.parametrize("keys", [True, False])
def test_what_looks_after_the_service_is_no_request_of_a_caller(
    keys: bool, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB2PROD_PROBE_KEY", hashlib.sha256(b"looks after it").hexdigest())
    if keys:
        monkeypatch.setenv("NB2PROD_API_KEYS", f"ada:{hashlib.sha256(b'secret').hexdigest()}")
    app = clocked(tmp_path, {"request_log": 1.0})

    async def story() -> None:
        task = asyncio.create_task(app.background())
        body = json.dumps({"rows": [projects.row()]}).encode()
        for key in ("looks after it", "secret"):
            headers = {**JSON, "X-API-Key": key, "X-Request-ID": key.split()[0]}
            assert (await ask(app, "POST", "/predict", body, headers)).status == 200
        await asyncio.sleep(0.4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert [row["request_id"] for row in kept(data)] == ["secret"]


def test_a_clock_that_jumps_back_and_forth_loses_nothing(tmp_path: Path, data: Path) -> None:
    now = [DAY]
    app = clocked(tmp_path, {"request_log": 1.0}, lambda: now[0])
    for jump in (0.0, 86_400.0 * 400, -86_400.0 * 800):
        now[0] += jump
        assert asked(app, [projects.row()], seconds=0.4) == [200]
    assert sorted(f"{row['time']:%Y}" for row in kept(data)) == ["2025", "2026", "2027"]


def test_where_the_disk_refuses_rows_are_dropped_and_counted(tmp_path: Path, data: Path) -> None:
    data.mkdir(parents=True)
    (data / "houses").write_text("no folder")
    app = clocked(tmp_path, {"request_log": 1.0, "jobs": False})
    assert asked(app, [projects.row()], [projects.row()]) == [200, 200]
    text = app.metrics.text().decode()
    assert "nb2prod_request_log_dropped_total 2.0" in text
    assert "nb2prod_request_log_rows_total 0.0" in text


def test_more_than_can_be_held_is_dropped_and_counted(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "_HELD_ROWS", 3)
    app = clocked(tmp_path, {"request_log": 1.0})
    asked(app, [projects.row()] * 2, [projects.row()] * 2)
    assert len(kept(data)) == 2
    assert "nb2prod_request_log_dropped_total 2.0" in app.metrics.text().decode()
