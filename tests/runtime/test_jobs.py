"""Jobs: kept on disk, answered when nothing else waits, and by somebody else if their worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nb2prod.runtime.app import App
from nb2prod.runtime.jobs import Full, Jobs, Unwritable
from tests.runtime import projects
from tests.runtime.asgi import JSON, Reply, ask
from tests.runtime.test_app import ANSWER, SLOW, envelope, served


@contextlib.contextmanager
def working(app: App) -> Iterator[None]:
    """With the worker's background work beside what the block asks."""
    task = asyncio.get_running_loop().create_task(app.background())
    try:
        yield
    finally:
        task.cancel()


async def post(app: App, path: str, document: Any) -> Reply:
    return await ask(app, "POST", path, json.dumps(document).encode(), JSON)


async def ended(app: App, identity: str, seconds: float = 10) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        document = (await ask(app, "GET", f"/jobs/{identity}")).document
        if document["state"] in ("done", "failed"):
            return document
        assert time.monotonic() < deadline, document
        await asyncio.sleep(0.05)


def test_a_job_gets_the_answer_that_predict_gives(tmp_path: Path) -> None:
    app = served(tmp_path)
    rows = {"rows": [projects.row(), projects.row(Fare=-1.0), projects.row(Age=None)]}

    async def story() -> None:
        with working(app):
            taken = await post(app, "/jobs", rows)
            assert taken.status == 202
            assert taken.document["state"] == "queued"
            assert taken.headers["location"] == f"/jobs/{taken.document['id']}"
            done = await ended(app, taken.document["id"])
        direct = (await post(app, "/predict", rows)).document
        assert done["state"] == "done"
        assert {**done["answer"], "request_id": ""} == {**direct, "request_id": ""}

    asyncio.run(story())


def test_malformed_rows_are_refused_when_a_job_is_put_in(tmp_path: Path) -> None:
    app = served(tmp_path)
    reply = asyncio.run(post(app, "/jobs", {"rows": [projects.row(Age="x")]}))
    assert envelope(reply, 422, "malformed_rows")["details"][0]["field"] == "Age"
    envelope(asyncio.run(ask(app, "GET", "/jobs/nothing")), 404, "not_found")
    envelope(asyncio.run(ask(app, "DELETE", "/jobs/nothing")), 404, "not_found")
    envelope(asyncio.run(ask(app, "PUT", "/jobs/nothing")), 405, "method_not_allowed")


def test_without_jobs_there_is_no_such_path(tmp_path: Path) -> None:
    app = served(tmp_path, options={"jobs": False})
    envelope(asyncio.run(post(app, "/jobs", {"rows": []})), 404, "not_found")
    assert "/jobs" not in asyncio.run(ask(app, "GET", "/docs.json")).document["paths"]


def test_jobs_never_keep_predict_waiting_for_more_than_a_part(tmp_path: Path) -> None:
    app = served(tmp_path, features=SLOW, predict=ANSWER)

    async def story() -> tuple[float, bool]:
        with working(app):
            long = await post(app, "/jobs", {"rows": [projects.row()] * 200})
            await asyncio.sleep(1.5)
            begun = time.monotonic()
            assert (await post(app, "/predict", {"rows": [projects.row()]})).status == 200
            took = time.monotonic() - begun
            state = (await ask(app, "GET", f"/jobs/{long.document['id']}")).document["state"]
            return took, state == "running"

    took, still = asyncio.run(story())
    assert still
    assert took < 3, "the whole job takes thirty seconds"


def test_a_deleted_job_ends_while_at_work(tmp_path: Path) -> None:
    app = served(tmp_path, features=SLOW, predict=ANSWER)

    async def story() -> None:
        with working(app):
            long = await post(app, "/jobs", {"rows": [projects.row()] * 500})
            await asyncio.sleep(0.5)
            deleted = await ask(app, "DELETE", f"/jobs/{long.document['id']}")
            assert deleted.document["state"] == "deleted"
            envelope(await ask(app, "GET", f"/jobs/{long.document['id']}"), 404, "not_found")
            short = await post(app, "/jobs", {"rows": [projects.row()]})
            assert (await ended(app, short.document["id"]))["state"] == "done"

    asyncio.run(story())


def test_over_the_budget_a_request_becomes_a_job_where_that_was_decided(tmp_path: Path) -> None:
    app = served(tmp_path, features=SLOW, predict=ANSWER, options={"latency_budget": 0.3, "cannot_answer": "queue"})

    async def story() -> None:
        with working(app):
            taken = await post(app, "/predict", {"rows": [projects.row(Age=at + 0.5) for at in range(12)]})
            assert taken.status == 202
            done = await ended(app, taken.document["id"], 30)
            assert done["answer"]["predictions"] == [at + 0.5 for at in range(12)]

    asyncio.run(story())


def test_too_many_jobs_are_429(tmp_path: Path) -> None:
    app = served(tmp_path, options={"max_jobs": 1})

    async def story() -> list[Reply]:
        return [await post(app, "/jobs", {"rows": [projects.row()]}) for _ in range(2)]

    first, second = asyncio.run(story())
    assert first.status == 202
    envelope(second, 429, "too_many_requests")
    assert second.headers["retry-after"] == "10"


def test_where_the_disk_refuses_a_job_is_503_and_predict_goes_on(tmp_path: Path, data: Path) -> None:
    data.write_text("a file where the folder should be")
    app = served(tmp_path)
    envelope(asyncio.run(post(app, "/jobs", {"rows": [projects.row()]})), 503, "unavailable")
    assert asyncio.run(post(app, "/predict", {"rows": [projects.row()]})).status == 200


# the queue itself ---------------------------------------------------------------------------------------------------------


def queue(folder: Path, **changes: Any) -> Jobs:
    return Jobs(folder, **{"most": 100, "hours": 1.0, **changes})


def test_a_queue_outlives_its_process_and_keeps_the_order(tmp_path: Path) -> None:
    first = queue(tmp_path / "q")
    names = [first.submit(str(at).encode(), 1).id for at in range(3)]
    second = queue(tmp_path / "q")
    assert second.claim() == (names[0], b"0")
    second.finish(names[0], b'{"a":1}')
    assert first.get(names[0]).answer == b'{"a":1}'
    assert first.claim() == (names[1], b"1")
    assert second.claim() == (names[2], b"2")
    assert second.waiting() == 2


def test_two_workers_never_take_the_same_job(tmp_path: Path) -> None:
    one, other = queue(tmp_path), queue(tmp_path)
    one.submit(b"x", 1)
    assert one.claim() is not None
    assert other.claim() is None


KILLED = """
import sys, time
from pathlib import Path
from nb2prod.runtime.jobs import Jobs
print(Jobs(Path(sys.argv[1]), most=10, hours=1.0).claim()[0], flush=True)
time.sleep(600)
"""


def test_what_a_killed_worker_held_is_taken_by_another_at_once(tmp_path: Path) -> None:
    mine = queue(tmp_path)
    name = mine.submit(b"x", 1).id
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == name
    assert mine.claim() is None, "its worker lives"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert mine.claim() == (name, b"x")


def test_a_job_that_ends_its_workers_is_given_up(tmp_path: Path) -> None:
    name = queue(tmp_path).submit(b"x", 1).id
    for _ in range(3):
        worker = queue(tmp_path)
        assert worker.claim() == (name, b"x")
        os.close(worker._lock)
    last = queue(tmp_path)
    assert last.claim() is None
    assert last.get(name).state == "failed"
    assert b"given up" in last.get(name).answer


def test_a_clock_that_jumps_takes_no_job_from_its_worker_and_loses_none_that_waits(tmp_path: Path) -> None:
    now = [1_000_000.0]
    mine, other = (queue(tmp_path, clock=lambda: now[0]) for _ in range(2))
    names = [mine.submit(b"x", 1).id, mine.submit(b"y", 1).id]
    assert mine.claim() == (names[0], b"x")
    for jump in (+86_400 * 365, -86_400 * 900):
        now[0] += jump
        assert mine.get(names[1]).state in ("queued", "running")
        other.claim()
        assert mine.is_ours(names[0])
    mine.finish(names[0], b"{}")
    assert mine.get(names[0]).state == "done"


def test_finished_jobs_go_when_they_are_old_or_too_many(tmp_path: Path) -> None:
    now = [0.0]
    mine = queue(tmp_path, most=2, clock=lambda: now[0])
    names = []
    for _ in range(4):
        names.append(mine.submit(b"x", 1).id)
        mine.claim()
        mine.finish(names[-1], b"{}")
    mine.claim()
    assert [mine.get(name) is not None for name in names] == [False, False, True, True]
    now[0] = 3601.0
    mine.claim()
    assert [mine.get(name) for name in names] == [None] * 4


def test_a_queue_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_text("something else, and quite long at that" * 100)
    with pytest.raises(Unwritable, match="can't be used"):
        queue(tmp_path).submit(b"x", 1)


def test_a_full_queue_says_so(tmp_path: Path) -> None:
    mine = queue(tmp_path, most=1)
    mine.submit(b"x", 1)
    with pytest.raises(Full):
        mine.submit(b"y", 1)
