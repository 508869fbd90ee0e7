"""The raw tables of the drawn notebooks: made by formula, with what is rare in rows that no notebook predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

ROWS = 72
TRAINED = 48
TARGETS = ("price", "label")
NUMBERS = ("living", "lot", "fare", "rooms", "klass")
"""Numeric columns without gaps."""
GAPS = ("age", "income")
"""Numeric columns with gaps: of `age` only in rows that are not predicted, of `income` everywhere."""
KINDS = ("kind", "make", "city", "flag")
"""Text columns of few values, some of them only in rows that are not predicted."""
NOTES = ("", "two big rooms", "near the park", "big garden", "needs work", "sea view and big terrace", "quiet")


@dataclass(frozen=True)
class Data:
    """The files of one notebook: `single`, or `train` and `test`; `predicted` are the rows that it is meant to predict (positions in `single`)."""

    single: pd.DataFrame
    predicted: npt.NDArray[np.int64]

    @property
    def train(self) -> pd.DataFrame:
        """The first rows, with the targets."""
        return self.single.iloc[:TRAINED].reset_index(drop=True)

    @property
    def test(self) -> pd.DataFrame:
        """The other rows, without the targets."""
        return self.single.iloc[TRAINED:].drop(columns=list(TARGETS)).reset_index(drop=True)


def make(salt: int, predicted: npt.NDArray[np.int64]) -> Data:
    """72 rows; `salt` shifts the values, `predicted` are the rows that hold nothing rare."""
    i = np.arange(ROWS)
    rare = np.setdiff1d(i, predicted)
    late = np.isin(i, rare)
    kind = np.where(late & (i % 3 == 0), "house", "flat")
    make_of = np.array(["Audi", "Fiat", "Opel", "Seat"], dtype=object)[(i + salt) % 4]
    make_of[rare[[3, 17, 31]]] = "Bugatti"
    city = np.where(late & (i % 5 == 1), "Bonn", np.array(["Oslo", "Rome"])[(i * 7 + salt) % 2])
    flag = np.where(i == rare[12], "Y", "N")
    grade = np.array(["a", "b", "c"], dtype=object)[(i * 5 + salt) % 3]
    grade[i % 13 == 4] = None
    age = np.where(late & (i % 7 == 2), np.nan, 20.0 + (i * 3 + salt) % 31)
    income = np.where(i % 11 == 5, np.nan, 900.0 + 37 * ((i + salt) % 29))
    code = np.array([str(10 + (k * 3) % 17) for k in i], dtype=object)
    code[rare[[6, 22]]] = "unknown"
    sold = pd.Timestamp("2021-01-04") + pd.to_timedelta((i * 17 + salt) % 1400, unit="D")
    note = np.array(NOTES, dtype=object)[(i * 3 + salt) % len(NOTES)]
    note[note == ""] = None
    living, lot = 40.0 + (i + salt) % 17, 300.0 + 7 * ((i * 2 + salt) % 23)
    fare, rooms, klass = 5.0 + 3 * ((i + salt) % 11), 1 + (i * 5 + salt) % 6, 1 + (i + salt) % 3
    price = 100.0 + 2.5 * living + 30 * (kind == "house") + 7 * klass + 13 * ((i + salt) % 37) + 90 * (city == "Bonn")
    label = np.where(price > np.median(price), "high", "low")
    return Data(
        pd.DataFrame(
            {
                "id": 1000 + i, "kind": kind, "make": make_of, "city": city, "flag": flag, "grade": grade, "living": living,
                "lot": lot, "fare": fare, "rooms": rooms, "klass": klass, "age": age, "income": income, "code": code,
                "sold": sold.strftime("%Y-%m-%d"), "note": note, "price": price, "label": label,
            }
        ),
        predicted,
    )  # fmt: skip
