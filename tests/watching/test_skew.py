"""What callers sent beside the training table: which fields differ, how often, by what plain pattern."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nb2prod.cli import main
from nb2prod.watching import patterns
from tests.watching.served import NAME, log, release, table

RNG = np.random.default_rng(4)
NUMBERS = RNG.normal(50, 20, 60).round(5)

NUMERIC = [
    ("cents", NUMBERS * 100, "hundredths"),
    ("of cents", NUMBERS / 100, "hundredths"),
    ("miles", NUMBERS * 1.609344, "kilometres of miles"),
    ("a factor", NUMBERS * 1.7, "a factor: sent is 1.7 times"),
    ("rounded", NUMBERS.round(1), "sent is rounded to 0.1"),
    ("whole", NUMBERS.round(0), "sent is rounded to 1"),
    ("cut", np.trunc(NUMBERS), "sent is cut to 1"),
    ("shifted", NUMBERS + 273.15, "a shift: sent is +273.15"),
    ("sign", -NUMBERS, "the other sign"),
    ("log", np.log1p(np.abs(NUMBERS)), "log1p"),
    ("default", np.full(60, -1.0), "a default: sent is -1.0"),
    ("noise", NUMBERS + RNG.normal(size=60), ""),
    ("float32", NUMBERS.astype("float32").astype("float64"), "float32"),
]


@pytest.mark.parametrize(("name", "sent", "words"), NUMERIC, ids=[case[0] for case in NUMERIC])
def test_patterns_of_numbers(name, sent, words):
    known = np.abs(NUMBERS) if name == "log" else NUMBERS
    found = patterns.of_numbers(sent, known)
    assert words in found
    assert bool(words) == bool(found)


TEXTS = [
    ("case", str.upper, "upper and lower case"),
    ("blanks", lambda text: f" {text} ", "blanks at the ends"),
    ("zeros", lambda text: f"00{text}", "a zero at the beginning"),
    ("names", lambda text: {"ab": "A", "cd": "C", "ef": "E"}[text], "other names: 'ab' is sent as 'A'"),
    ("default", lambda text: "unknown", "a default: sent is 'unknown'"),
]


@pytest.mark.parametrize(("name", "change", "words"), TEXTS, ids=[case[0] for case in TEXTS])
def test_patterns_of_texts(name, change, words):
    known = ["ab", "cd", "ef"] * 20
    assert words in patterns.of_texts([change(text) for text in known], known)


def test_patterns_of_times():
    known = pd.Series(pd.date_range("2026-01-01 03:17:05", periods=40, freq="37h", tz="UTC"))
    assert "a time zone: sent is 5 hours earlier" in patterns.of_times(known - pd.Timedelta(hours=5), known)
    local = known.dt.tz_convert("Europe/Berlin").dt.tz_localize(None).dt.tz_localize("UTC")
    assert "a time zone" in patterns.of_times(local, known)
    year = pd.Series(pd.date_range("2026-01-01", periods=300, freq="29h", tz="UTC"))
    summer = year.dt.tz_convert("Europe/Berlin").dt.tz_localize(None).dt.tz_localize("UTC")
    assert "summer time" in patterns.of_times(summer, year)
    assert "cut to the day" in patterns.of_times(known.dt.floor("D"), known)
    assert patterns.of_times(known[:2], known[:2]) == ""


@pytest.fixture
def told(rng, tmp_path):
    """What was sent, and what the table holds of the same things: age in days, towns in capitals, gaps as "none", an extra column."""
    rows = table(200, rng, lost=0.2).assign(visits=range(200))
    release(table(500, rng))
    sent = rows.assign(age=rows["age"] * 365, town=rows["town"].fillna("none"))
    log(sent, 0)
    later = rows.iloc[:150].drop(columns=["constant", "p"]).assign(more=1)
    later.to_parquet(tmp_path / "table.parquet")
    later.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("file", ["table.parquet", "table.csv"])
def test_fields_that_differ_are_told_with_their_pattern(told, file, capsys):
    code = main(["skew", NAME, str(told / file), "--key", "visits", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (found["joined"], found["sampled"]) == (150, 200)
    fields = {item["name"]: item for item in found["fields"]}
    assert fields["age"]["differing"] == 150
    assert "365 times" in fields["age"]["pattern"]
    assert 10 < fields["town"]["differing"] < 60
    assert "a default for missing: sent is 'none'" in fields["town"]["pattern"]
    assert fields["when"]["differing"] == 0
    assert fields["when"]["bound"] == pytest.approx(0.0198, abs=0.001)
    assert found["not_compared"] == ["constant"]
    assert main(["skew", NAME, str(told / file), "--key", "visits"]) == 1
    text = capsys.readouterr().out
    assert "age of " in text
    assert "not compared: constant" in text


def test_ambiguous_keys_are_left_out_and_nothing_joined_is_said(told, capsys):
    twice = pd.read_parquet(told / "table.parquet")
    pd.concat([twice, twice.iloc[:5].assign(age=0.0), twice.iloc[5:9]]).to_parquet(told / "twice.parquet")
    assert main(["skew", NAME, str(told / "twice.parquet"), "--key", "visits", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ambiguous"], found["joined"]) == (5, 145)
    twice.assign(visits=range(1000, 1150)).to_parquet(told / "none.parquet")
    assert main(["skew", NAME, str(told / "none.parquet"), "--key", "visits"]) == 2
    assert "none of 200 logged rows is in the table" in capsys.readouterr().err
    assert main(["skew", NAME, str(told / "table.csv"), "--key", "more"]) == 2
    assert "the key 'more' is no column of visits:aa11" in capsys.readouterr().err
    assert main(["skew", NAME, str(told / "gone.csv"), "--key", "visits"]) == 2


def test_what_is_the_same_is_said(rng, tmp_path, capsys):
    rows = table(100, rng).assign(visits=range(100))
    release(table(500, rng))
    log(rows, 0)
    rows.to_csv(tmp_path / "t.csv", index=False)
    assert main(["skew", NAME, str(tmp_path / "t.csv"), "--key", "visits"]) == 0
