"""The edge rows of a proof: real rows that the notebook did not predict, and rows of training with one odd value put in.

Runs in the kernel's own Python as a part of the trial, which says what the notebook's statements make of each. Real rows come first: they hold the
missing values and rare categories that the data has; made ones hold what it may yet get.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Each row that is run takes its time in the plan; one that the contract refuses costs nothing there.
MOST_REAL, MOST_RUN, MOST_REFUSED = 30, 160, 60
_BASES = 8
_FEW = 50
_SECONDS = 2.0
_LOOKED_AT, _LABELS, _PAIRS, _STEPS = 120, 6, 8, 18

Encode = Callable[[pd.DataFrame], list[dict[str, Any]]]


Run = Callable[[pd.DataFrame], Any]


class TooSlow(BaseException):
    """An odd value that makes the notebook's code run on and on; not for its own `except Exception`."""


@dataclass(frozen=True)
class EdgeRow:
    """One row: `sent` as a request gives it, `frame` as pandas holds it (None where the contract refuses it)."""

    name: str
    sent: Mapping[str, Any]
    frame: pd.DataFrame | None


class Maker:
    """Makes the edge rows of one raw table.

    Args:
        raw: the raw table. predicted: the rows of it that the notebook predicted. columns: the signature's.
        encode: rows of the raw table as a request gives them; raises where JSON can't carry one. odd: the module of odd values.
    """

    def __init__(
        self,
        raw: pd.DataFrame,
        predicted: npt.NDArray[np.int64],
        columns: Sequence[dict[str, Any]],
        encode: Encode,
        odd: Any,
    ) -> None:
        self.raw, self.predicted, self.encode, self.odd = raw, predicted, encode, odd
        self.fields = [column for column in columns if column["field"]]
        self.targets = [column["name"] for column in columns if column["target"] and not column["field"]]
        self.values = [list(odd.of_column(column, raw[column["name"]])) for column in self.fields]
        step = max(1, len(predicted) // _BASES)
        self.bases = [int(row) for row in predicted[::step][:_BASES]]

    def rows(self) -> list[EdgeRow]:
        """The rows, real ones first, none twice."""
        if not self.fields:
            return []
        made = list(self._made())
        run = [row for row in made if row.frame is not None]
        refused = [row for row in made if row.frame is None]
        found = [*self._real(), *self._together(), *run[:MOST_RUN], *self._malformed(), *refused[:MOST_REFUSED]]
        return list({json.dumps(row.sent, sort_keys=True): row for row in reversed(found)}.values())[::-1]

    # rows of the data ---------------------------------------------------------------------------------------------------------

    def _real(self) -> Iterator[EdgeRow]:
        left = np.setdiff1d(np.arange(len(self.raw)), self.predicted)
        chosen: dict[int, str] = {}
        for words, rows in (*self._with_missing(left), *self._with_rare(left), *self._with_extremes(left)):
            for row in rows:
                chosen.setdefault(int(row), words)
        taken = 0
        for row, words in chosen.items():
            if taken < MOST_REAL and (made := self._row_of_data(row, words)) is not None:
                taken += 1
                yield made

    def _row_of_data(self, row: int, words: str) -> EdgeRow | None:
        frame = self._base(row)
        try:
            (sent,) = self.encode(frame)
        except Exception:  # a value that JSON can't carry: no request can be this row
            return None
        return EdgeRow(f"row {row} of the raw table, {words}", sent, frame)

    def _with_missing(self, left: npt.NDArray[np.int64]) -> Iterator[tuple[str, list[int]]]:
        names = [column["name"] for column in self.fields]
        missing = self.raw[names].isna().to_numpy()
        known = {tuple(row) for row in np.unique(missing[self.predicted], axis=0).tolist()}
        fresh: dict[tuple[bool, ...], int] = {}
        for row in left[missing[left].any(axis=1)][:20_000]:
            fresh.setdefault(tuple(missing[int(row)].tolist()), int(row))
        # Patterns that the replay does not hold first, then others: they are rare enough.
        for pattern in sorted(fresh, key=lambda p: (p in known, sum(p))):
            lacks = ", ".join(str(name) for name, gone in zip(names, pattern, strict=True) if gone)
            yield f"which lacks {lacks}", [fresh[pattern]]

    def _with_rare(self, left: npt.NDArray[np.int64]) -> Iterator[tuple[str, list[int]]]:
        for column in self.fields:
            values = self.raw[column["name"]]
            if column["type"] not in ("string", "integer", "boolean"):
                continue
            held = set(values.iloc[self.predicted].dropna())
            rest = values.iloc[left].dropna().drop_duplicates()
            fresh = rest[~rest.isin(held)]
            if len(fresh) <= _FEW:
                rows = left[values.iloc[left].index.get_indexer(fresh.index)] if values.index.is_unique else []
                yield f"whose {column['name']} the replay does not hold", list(rows[:3])

    def _with_extremes(self, left: npt.NDArray[np.int64]) -> Iterator[tuple[str, list[int]]]:
        for column in self.fields:
            values = self.raw[column["name"]].iloc[left]
            if column["type"] in ("integer", "number") and values.notna().any():
                at = values.to_numpy(dtype="float64", na_value=np.nan)
                ends = [int(left[np.nanargmin(at)]), int(left[np.nanargmax(at)])]
                yield f"whose {column['name']} is extreme", ends

    # rows beside the boundary between two answers ------------------------------------------------------------------------------

    def boundary(self, run: Run) -> list[EdgeRow]:
        """Rows a hair's breadth on either side of where the answer changes, between predicted rows with different labels.

        A label says little of the model behind it: only such rows show that it is a slightly other one. `run` answers many rows.
        """
        pairs = self._pairs(run)
        if not pairs:
            return []
        low, high = [0.0] * len(pairs), [1.0] * len(pairs)
        ends = run(pd.concat([self._between(a, b, 1.0) for a, b, _ in pairs], ignore_index=True))
        kept = [i for i, (_, _, label) in enumerate(pairs) if _label(ends, i) not in (None, label)]
        for _ in range(_STEPS):
            if not kept:
                return []
            frame = pd.concat([self._between(*pairs[i][:2], (low[i] + high[i]) / 2) for i in kept], ignore_index=True)
            middle = run(frame)
            for at, i in enumerate(kept):
                same = _label(middle, at) == pairs[i][2]
                low[i], high[i] = ((low[i] + high[i]) / 2, high[i]) if same else (low[i], (low[i] + high[i]) / 2)
        made = [self._between(*pairs[i][:2], part) for i in kept for part in (low[i], high[i])]
        return [
            EdgeRow(f"beside the boundary between two answers ({number})", self.encode(frame)[0], frame)
            for number, frame in enumerate(made, start=1)
        ]

    def _pairs(self, run: Run) -> list[tuple[int, int, Any]]:
        """Two predicted rows with different labels, and the first one's."""
        rows = [int(row) for row in self.predicted[:: max(1, len(self.predicted) // _LOOKED_AT)][:_LOOKED_AT]]
        answer = run(pd.concat([self._base(row) for row in rows], ignore_index=True))
        by_label: dict[Any, list[int]] = {}
        for at, row in enumerate(rows):
            label = _label(answer, at)
            if isinstance(label, (str, bool, int)):
                by_label.setdefault(label, []).append(row)
        if not 1 < len(by_label) <= _FEW:
            return []
        labels = sorted(by_label, key=lambda label: -len(by_label[label]))[:_LABELS]
        found = []
        for turn in range(_PAIRS):
            one, other = labels[turn % len(labels)], labels[(turn + 1) % len(labels)]
            mine, its = by_label[one], by_label[other]
            found.append((mine[turn % len(mine)], its[(turn * 7) % len(its)], one))
        return found

    def _between(self, one: int, other: int, part: float) -> pd.DataFrame:
        """A row whose numbers lie this part of the way from one row's to another's; all else is the first one's."""
        frame, end = self._base(one), self._base(other)
        for column in self.fields:
            name = column["name"]
            if column["type"] not in ("number", "integer") or column["dtype"] in ("object", "category"):
                continue
            a, b = frame[name].iloc[0], end[name].iloc[0]
            if not (pd.isna(a) or pd.isna(b)):
                value = float(a) + part * (float(b) - float(a))
                frame[name] = self._held(name, round(value) if column["type"] == "integer" else value)
        return frame

    # made rows ----------------------------------------------------------------------------------------------------------------

    def _made(self) -> Iterator[EdgeRow]:
        """A row of training with one odd value, what matters most first, each column in its turn."""
        turns: list[tuple[int, int, int, Any]] = []
        for place, known in enumerate(self.values):
            counts: dict[int, int] = {}
            for value in known:
                counts[value.rank] = counts.get(value.rank, 0) + 1
                turns.append((value.rank, counts[value.rank], place, value))
        turns.sort(key=lambda turn: turn[:3])
        for number, (_, _, place, value) in enumerate(turns):
            column = self.fields[place]
            yield self._with(f"{column['name']}: {value.words}", number, [(column, value)])

    def _together(self) -> Iterator[EdgeRow]:
        """All that may be missing is, and all texts are unseen."""
        for words, title in (("missing", "all that may be missing"), ("an unseen value", "every text unseen")):
            values = []
            for column, known in zip(self.fields, self.values, strict=True):
                value = next((item for item in known if item.words == words), None)
                if value is not None and value.held is not self.odd.REFUSED:
                    values.append((column, value))
            if len(values) > 1:
                yield self._with(title, 0, values)

    def _malformed(self) -> Iterator[EdgeRow]:
        sent = self._sent(0)
        if sent is None:
            return
        last = str(self.fields[-1]["name"])
        yield EdgeRow(f"{last} is left out", {k: v for k, v in sent.items() if k != last}, None)
        yield EdgeRow("a field that there is not", {**sent, f"{last} again": sent[last]}, None)
        yield EdgeRow("no field at all", {}, None)

    def _with(self, name: str, number: int, values: Sequence[tuple[dict[str, Any], Any]]) -> EdgeRow:
        sent = self._sent(number) or {}
        row = {**sent, **{str(column["name"]): value.sent for column, value in values}}
        if any(value.held is self.odd.REFUSED for _, value in values):
            return EdgeRow(name, row, None)
        frame = self._base(self.bases[number % len(self.bases)])
        for column, value in values:
            frame[column["name"]] = self._held(column["name"], value.held)
        return EdgeRow(name, row, frame)

    def _held(self, label: Any, held: Any) -> pd.Series[Any]:
        raw = self.raw[label]
        if held is self.odd.MISSING:
            gone = raw[raw.isna()]
            held = gone.iloc[0] if len(gone) else None if raw.dtype != object else np.nan
        made: pd.Series[Any] = pd.Series([held], dtype=raw.dtype)
        return made

    def _sent(self, number: int) -> dict[str, Any] | None:
        try:
            (sent,) = self.encode(self._base(self.bases[number % len(self.bases)]))
        except Exception:
            return None
        return sent

    def _base(self, row: int) -> pd.DataFrame:
        """This row of the raw table as it is, but for the target: no request gives it, and it is as in a row that the notebook predicted."""
        frame = self.raw.iloc[[row]].reset_index(drop=True)
        known = self.raw.iloc[[int(self.predicted[0])]].reset_index(drop=True)
        for name in self.targets:
            frame[name] = known[name]
        return frame


def _label(answer: Any, at: int) -> Any:
    return answer.predictions[at] if answer.codes[at] is None else None


def outcomes(rows: Sequence[EdgeRow], run: Run) -> list[dict[str, Any]]:
    """The rows with what is expected of each, as cases.json has them. `run` answers the one row of a frame by the notebook's own statements.

    A row that these run on for longer than two seconds is left out: a service could not be asked for it either.
    """
    found = []
    for row in rows:
        with contextlib.suppress(TooSlow):
            found.append({"name": row.name, "row": dict(row.sent), **_outcome(row, run)})
    return found


def _outcome(row: EdgeRow, run: Run) -> dict[str, Any]:
    if row.frame is None:
        return {"expected": {"refused": "by the type matrix"}}
    with _limited(_SECONDS):
        answer = run(row.frame)
    if answer.codes[0] is not None:
        return {"expected": {"raises": answer.reasons[0]}}
    return {"expected": {"value": answer.predictions[0]}, "features": answer.features[0]}


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
