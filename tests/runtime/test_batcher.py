"""Rows of many callers run together, in batches bounded by time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from nb2prod.runtime.batcher import Batcher, Overtime
from nb2prod.runtime.model import Answer, RowError
from nb2prod.runtime.rows import Rows


def rows(*values: int) -> Rows:
    return Rows((list(values),), len(values))


def busy(seconds: float) -> None:
    """Keeps the processor at work for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def runner(cost: Callable[[int], float], sizes: list[int]) -> Callable[[Rows], Answer]:
    """Doubles the numbers, fails the negative ones, and takes the time that ``cost`` says."""

    def run(given: Rows) -> Answer:
        sizes.append(given.count)
        time.sleep(cost(given.count))
        values = given.columns[0]
        errors = [RowError(at, "row_failed", "negative") for at, value in enumerate(values) if value < 0]
        return Answer([None if value < 0 else value * 2 for value in values], errors)

    return run


def test_what_waits_is_taken_together_and_shared_out_by_caller() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda _: 0.0, sizes), 256)

    async def story() -> list[Answer]:
        return await asyncio.gather(*(batcher.answer(rows(at, -1, at + 1), 5) for at in range(5)))

    answers = asyncio.run(story())
    assert sizes == [15]
    for at, answer in enumerate(answers):
        assert answer.predictions == [at * 2, None, at * 2 + 2]
        assert [error.row for error in answer.errors] == [1]


def test_a_cost_for_each_batch_is_no_reason_for_small_ones() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda _: 0.07, sizes), 256)
    batcher.measured(0.07)

    async def story() -> None:
        for _ in range(4):
            await asyncio.gather(*(batcher.answer(rows(at), 5) for at in range(32)))

    asyncio.run(story())
    assert sizes[:5] == [1, 2, 4, 8, 16]
    assert sizes[-3:] == [32, 32, 32]


def test_a_cost_for_each_row_makes_batches_small_and_leaves_room_for_others() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda count: busy(count * 0.01) or 0.0, sizes), 256)
    batcher.measured(0.01)

    async def story() -> list[Any]:
        waiting = asyncio.create_task(batcher.answer(rows(*range(60)), 60))
        turns = 0
        while not waiting.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 8, "between any two parts others have their turn"
        return (await waiting).predictions

    assert asyncio.run(story()) == [at * 2 for at in range(60)]
    assert max(sizes[1:]) <= 8


def test_callers_who_come_back_run_together_and_not_in_two_halves() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda _: busy(0.01) or 0.0, sizes), 256)
    batcher.measured(0.01)

    async def caller(at: int) -> None:
        for turn in range(8):
            await batcher.answer(rows(at), 15)
            await asyncio.sleep(0.0002 * ((at + turn) % 8))  # the way to the caller and back

    async def story() -> None:
        await asyncio.gather(*(caller(at) for at in range(8)))

    asyncio.run(story())
    assert sum(sizes) == 64
    assert len(sizes) <= 16


def test_callers_on_their_way_in_are_let_in_before_the_next_batch() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda _: 0.01, sizes), 256)

    async def caller(rounds: int) -> None:
        # As a new connection: the event loop accepts it, then reads it, then begins its task, one round each.
        for _ in range(rounds):
            await asyncio.sleep(0)
        await batcher.answer(rows(rounds), 5)

    async def story() -> None:
        await asyncio.gather(*(caller(rounds) for rounds in range(1, 33)))

    asyncio.run(story())
    assert sum(sizes) == 32
    assert len(sizes) <= 4, sizes  # with a batch after each round it would be as many as there are callers


def test_a_caller_alone_waits_for_nobody() -> None:
    batcher = Batcher(runner(lambda _: 0.0, []), 256)

    async def story() -> float:
        await asyncio.gather(*(batcher.answer(rows(at), 5) for at in range(20)))
        await asyncio.sleep(0.05)
        took = []
        for at in range(200):
            started = time.perf_counter()
            await batcher.answer(rows(at), 5)
            took.append(time.perf_counter() - started)
        return sorted(took)[100]

    assert asyncio.run(story()) < 0.0005


def test_rows_that_have_time_let_others_go_first_but_are_not_forgotten() -> None:
    order: list[str] = []

    def run(given: Rows) -> Answer:
        busy(0.005)
        order.append("patient" if given.columns[0][0] >= 1000 else "urgent")
        return Answer(list(given.columns[0]))

    batcher = Batcher(run, 256)

    async def story() -> int:
        later = asyncio.create_task(batcher.answer(rows(*range(1000, 1320)), None, patient=True))
        await asyncio.sleep(0)
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            await asyncio.gather(*(batcher.answer(rows(at), 5) for at in range(3)))
        turns = order.count("patient")
        assert (await later).predictions == list(range(1000, 1320))
        return turns

    assert asyncio.run(story()) >= 2
    assert order.count("urgent") > 20


def test_a_patient_turn_that_takes_longer_than_the_patience_gets_no_second_one(monkeypatch) -> None:
    monkeypatch.setattr("nb2prod.runtime.batcher._PATIENCE", 0.05)
    order: list[str] = []

    def run(given: Rows) -> Answer:
        patient = given.columns[0][0] >= 1000
        order.append("patient" if patient else "urgent")
        time.sleep(0.1 if patient else 0)
        return Answer(list(given.columns[0]))

    batcher = Batcher(run, 4)

    async def story() -> None:
        later = asyncio.create_task(batcher.answer(rows(*range(1000, 1040)), None, patient=True))
        await asyncio.sleep(0.01)
        assert order
        assert (await batcher.answer(rows(1), None)).predictions == [1]
        assert order.count("patient") <= 3  # of ten; two had begun before the request was put in
        later.cancel()

    asyncio.run(story())


def test_rows_that_had_not_begun_in_time_are_dropped() -> None:
    sizes: list[int] = []
    batcher = Batcher(runner(lambda _: 0.3, sizes), 1)
    batcher.measured(0.3)

    async def story() -> None:
        first = asyncio.create_task(batcher.answer(rows(1), 5))
        await asyncio.sleep(0.05)
        with pytest.raises(Overtime):
            await batcher.answer(rows(2, 3, 4), 0.1)
        assert (await first).predictions == [2]
        assert (await batcher.answer(rows(5), 5)).predictions == [10]

    asyncio.run(story())
    assert sizes == [1, 1]


def test_a_fault_reaches_every_caller_and_the_next_batch_runs() -> None:
    broken = [True]

    def run(given: Rows) -> Answer:
        if broken.pop() if broken else False:
            raise RuntimeError
        return Answer(given.columns[0])

    batcher = Batcher(run, 256)

    async def story() -> None:
        made = await asyncio.gather(*(batcher.answer(rows(at), 5) for at in range(3)), return_exceptions=True)
        assert [type(item) for item in made] == [RuntimeError] * 3
        assert (await batcher.answer(rows(7), 5)).predictions == [7]

    asyncio.run(story())
