"""The service's API as a proof uses it: rows in, one outcome a row."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from nb2prod.errors import InputError
from nb2prod.parity.client import Client, Reply
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.report import Timing
from nb2prod.progress import Estimate

BATCH = 256
"""Rows of a request where it does not matter how many."""
ROW_BY_ROW = 32
"""The same where each row takes its time, so that none runs into the service's time limit."""
_THREADS = 2
_CROWD = 8
"""Requests at a time that meet in the service's micro-batches."""
_BUSY = (429, 503)
_PATIENCE = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before asking a busy service again."""

_MALFORMED = "row_malformed"
"""The code of a row that the contract refuses, where the service answers the others (`on_row_error`)."""

Row = Mapping[str, Any]
Writer = Callable[[Sequence[Row]], bytes]
"""Makes the body of a request of rows."""


@dataclass(frozen=True)
class Answer:
    """What became of one row.

    `value`: it was answered. `error`: answered with a row error. `refused`: the contract refused it (422).
    `broken`: none of these: another status, or an answer that is not of the API's form.
    """

    kind: Literal["value", "error", "refused", "broken"]
    value: Any = None
    reason: str = ""


@dataclass(frozen=True)
class Features:
    """Computed features by row; `names` is None where they go by position."""

    names: tuple[str, ...] | None
    values: tuple[Sequence[Any], ...]


class Service:
    """One running service. Keeps the time of each request in `times`; long series of requests are told with an estimate."""

    def __init__(self, client: Client, tell: Callable[[str], None] = lambda _: None) -> None:
        self.client = client
        self.tell = tell
        self.times: list[Timing] = []
        self.requests = 0

    def predict(self, rows: Sequence[Row], write: Writer | None = None, *, path: str = "/predict") -> list[Answer]:
        """One outcome a row, by one request if the service takes as many; `write` makes its body.

        Raises `ServiceFault` where no answer comes.
        """
        reply = self._post(path, rows, write)
        if _too_much(reply) and len(rows) > 1:
            middle = len(rows) // 2
            return [*self.predict(rows[:middle], write, path=path), *self.predict(rows[middle:], write, path=path)]
        if reply.status != 422 or len(rows) == 1:
            return outcomes(reply, len(rows))
        # One malformed row refuses the request: note it, and ask for the others again.
        refused = _refused_rows(reply, len(rows))
        others = [position for position in range(len(rows)) if position not in refused]
        if not refused or not others:
            return outcomes(reply, len(rows))
        answers = dict(zip(others, self.predict([rows[i] for i in others], write), strict=True))
        return [answers.get(i) or Answer("refused", None, refused[i]) for i in range(len(rows))]

    def fallback(self, rows: Sequence[Row]) -> list[Answer]:
        """The answers by rule, one outcome a row."""
        return self.predict(rows, path="/fallback")

    def predict_batches(self, rows: Sequence[Row], size: int = BATCH) -> list[Answer]:
        """All rows, `size` a request, in order."""
        batches = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [answer for batch in self.parallel(self.predict, batches) for answer in batch]

    def predict_singly(self, rows: Sequence[Row]) -> list[Answer]:
        """All rows, each in a request of its own, in order."""
        return [answer for (answer,) in self.parallel(self.predict, [[row] for row in rows])]

    def predict_at_once(self, rows: Sequence[Row]) -> list[Answer]:
        """The same, so many requests at a time that a service with micro-batches puts them together.

        What they take is not kept: most of it is waiting for one another.
        """
        kept = len(self.times)
        answers = self.parallel(self.predict, [[row] for row in rows], _CROWD)
        found = [answer for (answer,) in answers]
        del self.times[kept:]
        return found

    def features(self, rows: Sequence[Row]) -> Features | None:
        """The features of these rows; None where the service can't give them for all."""
        reply = self._post("/features", rows)
        if reply.status != 200 or not isinstance(reply.document, Mapping):
            return None
        return read_features(reply.document, len(rows))

    def features_of(self, rows: Sequence[Row], size: int = ROW_BY_ROW) -> list[Sequence[Any] | None]:
        """The features of each row, `size` rows a request; None for a row that has none."""
        batches = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [values for batch in self.parallel(self._features_of, batches) for values in batch]

    def _features_of(self, rows: Sequence[Row]) -> list[Sequence[Any] | None]:
        found = self.features(rows)
        if found is not None:
            return list(found.values)
        if len(rows) == 1:
            return [None]
        middle = len(rows) // 2
        return [*self._features_of(rows[:middle]), *self._features_of(rows[middle:])]

    def signature(self) -> Mapping[str, Any]:
        """GET /signature; `InputError` where this is no service of nb2prod's."""
        reply = self.client.get("/signature")
        if reply.status in (401, 403):
            if self.client.sends_key:
                raise InputError(
                    f"the service at {self.client.url} refused the key that was given",
                    "Give one of those that its NB2PROD_API_KEYS or the file of its option api_keys_file lists.",
                )
            raise InputError(
                f"the service at {self.client.url} asks for a key", "Give one with --key, or in NB2PROD_KEY."
            )
        document = reply.document
        if reply.status != 200 or not isinstance(document, Mapping) or not isinstance(document.get("columns"), list):
            raise InputError(
                f"{self.client.url} is not a service made by nb2prod: GET /signature answered {reply.status} "
                "without a signature",
                "Name the URL that the service itself answers at, as `nb2prod serve` prints it.",
            )
        return document

    def parallel(self, ask: Callable[[Any], Any], tasks: Sequence[Any], at_once: int = _THREADS) -> Iterator[Any]:
        """`ask` of each task, in order, a few at a time; interrupted, it drops what has not begun."""
        estimate = Estimate(self.tell, "for these requests")
        with _pool(at_once) as pool:
            for number, made in enumerate(pool.map(ask, tasks), start=1):
                estimate.done(number, len(tasks))
                yield made

    def _post(self, path: str, rows: Sequence[Row], write: Writer | None = None) -> Reply:
        body = (write or _plain)(rows)
        reply = self.client.post(path, body)
        self.requests += 1
        for wait in _PATIENCE:
            if reply.status not in _BUSY:
                break
            time.sleep(wait)
            reply = self.client.post(path, body)
        if path == "/predict" and reply.status == 200:
            self.times.append(Timing(len(rows), round(reply.seconds * 1000, 3)))
        return reply


def _plain(rows: Sequence[Row]) -> bytes:
    return json.dumps({"rows": [dict(row) for row in rows]}, allow_nan=False).encode()


@contextlib.contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def outcomes(reply: Reply, count: int) -> list[Answer]:
    """One outcome a row of this reply to a request of `count` rows."""
    if reply.status == 200:
        return _answered(reply.document, count)
    reason = f"{reply.status}: {_message(reply.document)}"
    if reply.status == 422:
        refused = _refused_rows(reply, count)
        return [Answer("refused", None, refused.get(i, reason)) for i in range(count)]
    return [Answer("broken", None, reason)] * count


def read_answers(predictions: Any, errors: Any, count: int) -> list[Answer]:
    """The outcomes that `predictions` and `errors` of an answer say, checked for their form."""
    if not isinstance(predictions, list) or not isinstance(errors, list):
        return [Answer("broken", None, "the answer has no lists of predictions and errors")] * count
    if len(predictions) != count:
        return [Answer("broken", None, f"{count} rows were sent, {len(predictions)} predictions came back")] * count
    answers = [Answer("value", value) for value in predictions]
    for error in errors:
        row = error.get("row") if isinstance(error, Mapping) else None
        if type(row) is not int or not 0 <= row < count:
            return [Answer("broken", None, "an entry in errors names no row of the request")] * count
        if predictions[row] is not None:
            answers[row] = Answer("broken", predictions[row], "the row has both a prediction and an error")
        else:
            refused, reason = error.get("code") == _MALFORMED, _reason(error)
            answers[row] = Answer("refused" if refused else "error", None, reason)
            if not reason:
                answers[row] = Answer("broken", None, "an entry in errors does not say why")
    return answers


def read_features(document: Mapping[str, Any], count: int) -> Features | None:
    """The features in an answer of `count` rows; None where it does not hold that many."""
    rows = document.get("features")
    if not isinstance(rows, list) or len(rows) != count or not rows:
        return None
    if all(isinstance(row, Mapping) for row in rows):
        names = tuple(rows[0])
        return Features(names, tuple([row.get(name) for name in names] for row in rows))
    told = document.get("names")
    values = tuple(row if isinstance(row, list) else [row] for row in rows)
    return Features(tuple(map(str, told)) if isinstance(told, list) else None, values)


def _answered(document: Any, count: int) -> list[Answer]:
    if not isinstance(document, Mapping):
        return [Answer("broken", None, "the answer is no JSON object")] * count
    answers = read_answers(document.get("predictions"), document.get("errors"), count)
    for row, reason in _ruled(document):
        if 0 <= row < count and answers[row].kind == "value":
            answers[row] = Answer("error", None, f"answered by the fallback's rules: {reason}")
    return answers


def _ruled(document: Any) -> list[tuple[int, str]]:
    """Rows that the fallback's rules answered in place of the model, and why."""
    told = document.get("fallbacks") if isinstance(document, Mapping) else None
    items = [item for item in told if isinstance(item, Mapping)] if isinstance(told, list) else []
    return [(item["row"], str(item.get("reason"))) for item in items if type(item.get("row")) is int]


def _too_much(reply: Reply) -> bool:
    """Whether these are more rows than the service takes at once, or can answer in its time."""
    if reply.status == 422:
        return any(item.get("row") is None and item.get("field") == "rows" for item in _details(reply))
    late = any(reason in ("over_budget", "busy") for _, reason in _ruled(reply.document))
    return late or reply.status in (202, 413, 504)


def _details(reply: Reply) -> list[Mapping[str, Any]]:
    error = reply.document.get("error") if isinstance(reply.document, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    return [item for item in details if isinstance(item, Mapping)] if isinstance(details, list) else []


def _refused_rows(reply: Reply, count: int) -> dict[int, str]:
    """Position -> the words of its refusal."""
    found: dict[int, str] = {}
    for detail in _details(reply):
        row = detail.get("row")
        if type(row) is int and 0 <= row < count:
            found.setdefault(row, _reason(detail))
    return found


def _reason(entry: Mapping[str, Any]) -> str:
    field = entry.get("field")
    reason = str(entry.get("reason") or entry.get("message") or "")
    return f"{field}: {reason}" if field else reason


def _message(document: Any) -> str:
    error = document.get("error") if isinstance(document, Mapping) else None
    return str(error.get("message", "")) if isinstance(error, Mapping) else "no error envelope"


def check_ready(client: Client) -> None:
    """Return if something answers there; raises `ServiceFault` in words otherwise."""
    if client.status("/livez", timeout=10) is None:
        raise ServiceFault(f"nothing answers at {client.url}", "Check that the service runs, its address and its port.")
