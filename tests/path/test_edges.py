"""The edge rows: what they hold, that the runtime reads them as they say, and what is expected of each."""

import time

import numpy as np
import pandas as pd
import pytest

from nb2prod.path.trial import edges, moments, odd_values
from nb2prod.runtime import describe
from nb2prod.runtime.encoding import encode
from nb2prod.runtime.rows import Decoder
from nb2prod.runtime.signature import Signature

ROWS = 60


def raw():
    rng = np.random.default_rng(4)
    days = pd.date_range("2020-01-31", periods=ROWS, freq="31h").floor("s")
    frame = pd.DataFrame(
        {
            "age": np.where(np.arange(ROWS) % 7 == 0, np.nan, rng.uniform(1, 80, ROWS)),
            "fare": rng.uniform(0, 200, ROWS),
            "half": rng.uniform(0, 2, ROWS).astype("float32"),
            "count": rng.integers(0, 6, ROWS),
            "small": rng.integers(0, 100, ROWS).astype("uint8"),
            "member": rng.random(ROWS) < 0.5,
            "port": rng.choice(["S", "C", "Q"], ROWS),
            "size": pd.Categorical(rng.choice(["low", "high"], ROWS)),
            "day": days,
            "moment": days.tz_localize("America/New_York", ambiguous=True),
            "written": days.strftime("%d/%m/%Y"),
            "maybe": pd.array([None if i % 9 == 0 else i for i in range(ROWS)], dtype="Int64"),
            "target": rng.integers(0, 2, ROWS),
        }
    )
    frame.loc[3, "port"] = None
    frame.loc[50, ["age", "port"]] = None
    frame.loc[51, "port"] = "X"
    return frame


@pytest.fixture(scope="module")
def made():
    frame = raw()
    columns = describe.columns(
        frame, fields=[name for name in frame if name != "target"], targets=["target"], nullable=["fare"]
    )
    signature = Signature.from_json({"schema": 1, "columns": columns})
    maker = edges.Maker(frame, np.arange(40), columns, lambda rows: encode(rows, signature), odd_values)
    return frame, signature, maker.rows()


def test_the_runtime_reads_each_row_as_pandas_holds_it(made):
    """The type matrix written down twice, and a value's way from JSON: both must say the same of all rows."""
    frame, signature, rows = made
    decoder = Decoder(signature)
    fields = [column.name for column in signature.fields]
    for row in rows:
        decoded = decoder.check({"rows": [dict(row.sent)]})
        assert (row.frame is None) == bool(decoded.problems), (row.name, row.sent, decoded.problems)
        if row.frame is not None:
            pd.testing.assert_frame_equal(decoder.frame(decoded.rows)[fields], row.frame[fields], obj=row.name)
            assert (row.frame[fields].dtypes == frame[fields].dtypes).all(), row.name


def test_real_rows_come_first_and_hold_what_the_replay_does_not(made):
    _, _, rows = made
    assert rows[0].name == "row 50 of the raw table, which lacks age, port"
    assert any(row.name == "row 51 of the raw table, whose port the replay does not hold" for row in rows)
    assert not any(f"row {number} of the raw table" in row.name for row in rows for number in range(40))


def test_each_field_is_missing_in_turn_and_all_at_once(made):
    _, signature, rows = made
    by_name = {row.name: row for row in rows}
    for column in signature.fields:
        row = by_name[f"{column.key}: missing"]
        assert row.sent[column.key] is None
        assert (row.frame is not None) == column.nullable
    together = by_name["all that may be missing"].sent
    assert {key for key, value in together.items() if value is None} >= {"age", "fare", "port", "maybe"}


@pytest.mark.parametrize(
    "name",
    [
        "port: an unseen value",
        "size: an unseen value",
        "port: an empty text",
        "port: whitespace",
        "port: beyond ASCII",
        "port: a rare value",
        "fare: beyond the greatest",
        "fare: an integer instead of a float",
        "fare: an integer past 2^53",
        "count: a float instead of an integer",
        "count: an integer past 2^53",
        "member: true",
        "written: a date in another format",
        "day: a day without a time",
        "moment: with another offset",
        "moment: without an offset",
    ],
)
def test_a_kind_of_row_is_there(made, name):
    assert any(row.name == name for row in made[2])


def test_no_row_is_there_twice(made):
    sent = [repr(sorted(row.sent.items(), key=repr)) for row in made[2]]
    assert len(sent) == len(set(sent))


class Answered:
    def __init__(self, prediction=None, reason=None):
        self.predictions, self.features = [prediction], [[1.0]]
        self.reasons, self.codes = [reason], [reason and "row_failed"]


def test_the_three_outcomes_and_what_takes_too_long(monkeypatch):
    monkeypatch.setattr(edges, "_SECONDS", 0.2)
    frames = {name: pd.DataFrame({"name": [name]}) for name in ("value", "fails", "endless")}

    def run(frame):
        match frame["name"][0]:
            case "value":
                return Answered(4.5)
            case "fails":
                return Answered(reason="ValueError in cell 3")
            case _:
                try:
                    time.sleep(30)
                except Exception:  # noqa: BLE001 - as notebooks write it
                    pytest.fail("the notebook's own `except Exception` must not see it")

    rows = [edges.EdgeRow(name, {"name": name}, frame) for name, frame in frames.items()]
    found = edges.outcomes([*rows, edges.EdgeRow("refused", {"name": 1}, None)], run)
    assert found == [
        {"name": "value", "row": {"name": "value"}, "expected": {"value": 4.5}, "features": [1.0]},
        {"name": "fails", "row": {"name": "fails"}, "expected": {"raises": "ValueError in cell 3"}},
        {"name": "refused", "row": {"name": 1}, "expected": {"refused": "by the type matrix"}},
    ]


def test_local_times_across_a_change_of_clocks_have_edges():
    texts = [f"2023-03-{i % 28 + 1:02d}T09:30:00+0{1 + i % 2}:00" for i in range(ROWS)]
    (column,) = describe.columns(pd.DataFrame({"local": texts}), fields=["local"], targets=[], nullable=[])
    odd = odd_values.of_column(column, pd.Series(texts))
    assert any(one.sent.endswith(("+0000", "+00:00")) for one in odd if isinstance(one.sent, str))


def test_texts_and_objects_of_several_offsets_are_moments_in_utc():
    texts = pd.Series(["2023-03-25T22:15:00+0100", "2023-03-26T09:30:00+0200", "no time"])
    assert moments.of_texts(texts, "%Y-%m-%dT%H:%M:%S%z").dropna().dt.hour.tolist() == [21, 7]
    objects = pd.Series([pd.Timestamp(text).to_pydatetime() for text in texts[:2]], dtype=object)
    assert moments.of_objects(objects).dt.hour.tolist() == [21, 7]
    assert moments.of_objects(pd.Series([pd.Timestamp("2023-03-25").date()], dtype=object)).dt.day.tolist() == [25]
