"""Rows chosen so that few of them hold everything."""

import random

from nb2prod.parity.batches import batches
from nb2prod.parity.coverage import choose


def make(count=5_000):
    rng = random.Random(1)
    rows = [
        {
            "a": rng.uniform(-5, 5) if rng.random() > 0.1 else None,
            "b": rng.randrange(100),
            "c": rng.choice("xyz"),
            "d": None if rng.random() < 0.05 else f"text {rng.random()}",
            "e": rng.random() < 0.5,
        }
        for _ in range(count)
    ]
    rows[17]["c"] = "rare"
    rows[4321]["a"] = 1e9
    rows[99] = {"a": None, "b": None, "c": None, "d": None, "e": None}
    return rows


def test_the_choice_holds_missing_patterns_extremes_and_categories():
    rows = make()
    chosen = choose(rows, 60, seed=3)
    assert len(chosen) == 60
    assert chosen == sorted(set(chosen))
    patterns = {tuple(k for k, v in row.items() if v is None) for row in rows}
    assert {tuple(k for k, v in rows[at].items() if v is None) for at in chosen} == patterns
    assert {17, 4321, 99} <= set(chosen)
    for field in ("a", "b"):
        values = [row[field] for row in rows if row[field] is not None]
        held = [rows[at][field] for at in chosen if rows[at][field] is not None]
        assert (min(held), max(held)) == (min(values), max(values))


def test_every_label_is_held():
    rows = [{"a": 1.0}] * 1000
    labels = ["common"] * 1000
    labels[637] = "rare"
    assert 637 in choose(rows, 5, expected=labels)


def test_few_rows_are_all_taken():
    assert choose([{"a": 1}] * 3, 300) == [0, 1, 2]


def test_the_choice_is_the_same_for_a_seed_and_differs_for_another():
    rows = make()
    assert choose(rows, 100, seed=1) == choose(rows, 100, seed=1)
    assert choose(rows, 100, seed=1) != choose(rows, 100, seed=2)


def test_the_limit_holds_even_where_there_is_more_to_cover():
    rows = [{"a": str(at), "b": None if at % 2 else 1} for at in range(150)]
    assert len(choose(rows, 4)) == 4


def test_the_batches_hold_halves_orders_sizes_and_their_like():
    rows = make()
    found = list(batches(rows, range(200), seed=5))
    by_name = {item.name: item.positions for item in found}
    assert by_name["the first half"] + by_name["the second half"] == tuple(range(200))
    assert by_name["reversed"] == tuple(range(199, -1, -1))
    assert sorted(by_name["shuffled (1)"]) == list(range(200))
    assert by_name["shuffled (1)"] != by_name["shuffled (2)"]
    assert all(rows[at]["a"] is None for at in by_name["rows that lack a"])
    assert by_name["rows with c = 'rare'"] == (17,)
    assert any(len(set(item.positions)) == 1 and len(item.positions) > 1 for item in found)
    assert found == list(batches(rows, range(200), seed=5))


def test_one_row_alone_is_only_repeated():
    assert {len(set(item.positions)) for item in batches([{"a": 1}], [0], seed=0)} == {1}
