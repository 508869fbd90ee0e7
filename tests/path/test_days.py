"""By how much training's days differ: found where the table has a time, none where chance explains it."""

import numpy as np
import pandas as pd
import pytest

from nb2prod.path.trial import days, reference

RNG = np.random.default_rng(8)


def told(frame, name):
    column, numbers = days.days_of(frame)
    assert column == "when"
    return days.by_day(frame[name], numbers, reference.describe_column(frame[name]))


def table(moments):
    """Two hundred rows a day for eight weeks; `busy` is another on weekends, `flat` is the same every day."""
    day = np.repeat(np.arange(56), 200)
    weekend = day % 7 >= 5
    return pd.DataFrame(
        {
            "flat": RNG.normal(size=len(day)),
            "busy": RNG.normal(size=len(day)) + 1.5 * weekend,
            "kind": np.where(RNG.random(len(day)) < np.where(weekend, 0.7, 0.3), "a", "b"),
            "gaps": np.where(RNG.random(len(day)) < 0.1, np.nan, RNG.integers(0, 5, len(day))),
            "when": moments(
                pd.Timestamp("2026-01-05") + pd.to_timedelta(day * 24 + RNG.integers(0, 24, len(day)), unit="h")
            ),
        }
    )


@pytest.mark.parametrize(
    "moments", [lambda m: m, lambda m: m.tz_localize("UTC"), lambda m: m.strftime("%Y-%m-%dT%H:%M:%SZ")]
)
def test_a_weekly_pattern_is_found_and_chance_is_none(moments):
    frame = table(moments)
    assert told(frame, "flat") == {"days": 56, "concentration": None}
    assert told(frame, "gaps") == {"days": 56, "concentration": None}
    for name in ("busy", "kind"):
        found = told(frame, name)
        assert 1 < found["concentration"] < 60
        week, weekend = found["groups"]
        assert (week["weekdays"], week["days"], week["concentration"]) == ([0, 1, 2, 3, 4], 40, None)
        assert (weekend["weekdays"], weekend["days"], weekend["concentration"]) == ([5, 6], 16, None)
        assert sum(week["counts"]) == 8000


def test_no_time_few_days_or_few_rows_tell_nothing():
    frame = table(lambda m: m)
    assert days.days_of(frame.drop(columns="when")) is None
    assert days.days_of(frame[frame["when"] < "2026-01-12"]) is None
    assert days.days_of(frame.iloc[::20]) is None
    assert days.days_of(frame.assign(when="2026-01-05 is a day")) is None
    assert days.days_of(frame.iloc[:0]) is None


def test_columns_and_predictions_are_told_beside_each_other():
    frame = table(lambda m: m)
    rows = np.flatnonzero(RNG.random(len(frame)) < 0.5)
    predictions = np.where(frame["busy"].to_numpy()[rows] > 1, "late", "early")
    described = reference.describe(frame[["flat", "busy"]], predictions, prediction_name="p")
    days.tell(described, frame, rows, predictions)
    assert described["time"] == "when"
    assert described["columns"]["flat"]["by_day"]["concentration"] is None
    assert described["columns"]["busy"]["by_day"]["concentration"] < 60
    assert described["prediction"]["by_day"]["concentration"] < 60
    plain = reference.describe(frame[["flat"]], [[0.1, 0.9]] * len(rows))
    days.tell(plain, frame, rows, [[0.1, 0.9]] * len(rows))
    assert "by_day" not in plain["prediction"]["positions"][0]
    without = reference.describe(frame[["flat"]], None)
    days.tell(without, frame.drop(columns="when"), rows, None)
    assert "time" not in without
