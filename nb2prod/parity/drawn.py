"""Rows that Hypothesis draws from the signature: over HTTP, alone and together, as in process; what differs is made as small as can be."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nb2prod.parity.bench import Bench
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.report import Mismatch
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.tally import Stopwatch, disagreement
from nb2prod.runtime.signature import Column

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_MOST_ROWS = 4
_KNOWN = 40
_LETTERS = "abcXYZ 019_-./:,'\"\\éßж東🙂\u0301\u200b\n"
_FAR = 10
"""How many times training's span a number may lie outside of it."""


class _Asking:
    """Asks for drawn rows and keeps the last disagreement: after all others, the smallest one is asked for once more."""

    def __init__(self, bench: Bench, service: Service, worker: Worker) -> None:
        self.bench, self.service, self.worker = bench, service, worker
        self.rows = 0
        self.found: Mismatch | None = None
        self.fault: ServiceFault | None = None

    def differs(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Whether any answer to these rows differs; a service that fails is kept for later, not asked on and on."""
        if self.fault is not None:
            return False
        try:
            found = self._difference(rows)
        except ServiceFault as error:
            self.fault = error
            return False
        self.found = found or self.found
        return found is not None

    def _difference(self, rows: Sequence[Mapping[str, Any]]) -> Mismatch | None:
        self.rows += len(rows)
        inside = self.worker.predict(rows)
        if len(rows) > 1 and any(answer.kind == "refused" for answer in inside):
            # In process a malformed row refuses them all.
            inside = [answer for row in rows for answer in self.worker.predict([row])]
        outside = self.service.predict(rows)
        for row, one, other in zip(rows, inside, outside, strict=True):
            if (found := self._compared("a drawn row, in process and over HTTP", rows, row, one, other)) is not None:
                return found
        if len(rows) > 1:
            (alone,) = self.service.predict(rows[:1])
            return self._compared("a drawn row, alone and among others", rows, rows[0], alone, outside[0])
        return None

    def _compared(
        self, case: str, rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any], one: Answer, other: Answer
    ) -> Mismatch | None:
        bench = self.bench
        kind, output = bench.signature.prediction.kind, bench.cases.prediction
        found = disagreement(one, other, bench.tolerance, output=output, kind=kind)
        if found is None:
            return None
        request = row if len(rows) == 1 else {"rows": [dict(item) for item in rows]}
        return Mismatch(
            kind="wire",
            case=case,
            reason=found.reason,
            output=f"{output}{found.place}",
            expected=found.expected,
            actual=found.actual,
            difference=found.size,
            request=request,
        )


def ask(bench: Bench, service: Service, worker: Worker) -> None:
    """Draw requests, the same for the same seed; a counterexample is shrunk and kept with the findings of the wire."""
    import hypothesis
    from hypothesis.errors import Flaky, NoSuchExample, Unsatisfiable

    asking = _Asking(bench, service, worker)
    tally = bench.tallies["wire"]
    settings = hypothesis.settings(
        max_examples=bench.limits.drawn,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    rng = random.Random(bench.seed)  # noqa: S311 - the same requests for the same seed
    with Stopwatch(tally, service), _home():
        _pass_over_modules()
        try:
            smallest = hypothesis.find(requests(bench), asking.differs, settings=settings, random=rng)
            if not any(asking.differs([row]) for row in smallest):
                asking.differs(smallest)
        except (NoSuchExample, Unsatisfiable):
            asking.found = None
        except Flaky:
            pass  # it differed once and not again: that is a difference all the same
        tally.rows += asking.rows
        if asking.fault is not None:
            raise asking.fault
        if asking.found is not None:
            tally.differ(asking.found)


def requests(bench: Bench) -> SearchStrategy[list[dict[str, Any]]]:
    """A strategy for the rows of a request, by the signature's types and ranges and by values that the replay's rows have."""
    from hypothesis import strategies as st

    fields: dict[str, SearchStrategy[Any]] = {}
    for column in bench.signature.fields:
        seen = list({repr(row.get(column.key)): row.get(column.key) for row in bench.cases.rows[:500]}.values())
        known = [value for value in seen if value is not None][:_KNOWN]
        choices = [_drawn(column, known)]
        if known:
            choices.insert(0, st.sampled_from(known))
        if column.nullable:
            choices.append(st.none())
        fields[column.key] = st.one_of(choices)
    return st.lists(st.fixed_dictionaries(fields), min_size=1, max_size=_MOST_ROWS)


def _drawn(column: Column, known: Sequence[Any]) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    low, high = _range(column)
    match column.type:
        case "number":
            return st.floats(low, high, allow_nan=False, allow_infinity=False) | st.integers(int(low), int(high))
        case "integer":
            whole = st.integers(int(low), int(high))
            return whole | whole.filter(lambda value: abs(value) < 2**53).map(float)
        case "boolean":
            return st.booleans()
        case "string":
            return st.text(st.sampled_from(_LETTERS), max_size=12)
        case "datetime" if column.dtype.startswith("datetime64") and known:
            return _moments(column)
        case "datetime":
            return st.sampled_from(list(known)) if known else st.none()
        case _:
            return st.booleans() | st.integers(-1000, 1000) | st.text(st.sampled_from(_LETTERS), max_size=5)


def _moments(column: Column) -> SearchStrategy[str]:
    import datetime as dt

    from hypothesis import strategies as st

    zone = "+00:00" if "," in column.dtype else ""
    made = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1))  # noqa: DTZ001 - its offset is written beside it
    return made.map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}{zone}")


def _range(column: Column) -> tuple[float, float]:
    """Training's range and well beyond; whole numbers stay within what their smallest type holds."""
    low, high = column.minimum, column.maximum
    if not all(isinstance(bound, (int, float)) and not isinstance(bound, bool) for bound in (low, high)):
        return (-100, 100) if column.type == "integer" else (-1e6, 1e6)
    span = _FAR * max(high - low, 1)
    if column.dtype.lower() in _SMALL:
        return low, high
    floor = 0 if column.dtype.lower().startswith("uint") else low - span
    return max(floor, -1e15), min(high + span, 1e15)


_SMALL = frozenset({"int8", "uint8", "int16", "uint16", "float16"})


def _pass_over_modules() -> None:
    """Have Hypothesis draw nothing from the source of the modules that are loaded.

    It would parse all that are not installed, and the requests of a seed would depend on them: on a checkout of nb2prod, not on the
    Bento. It offers no setting for this; where a version keeps no such note, it draws as it does.
    """
    from hypothesis.internal.conjecture import providers

    noted: object = getattr(providers, "_seen_modules", None)
    if isinstance(noted, set):
        noted.update(map(id, list(sys.modules.values())))


@contextmanager
def _home() -> Iterator[None]:
    """Hypothesis keeps notes in a folder of the present one, which is the user's."""
    from hypothesis.configuration import set_hypothesis_home_dir

    with tempfile.TemporaryDirectory(prefix="nb2prod-drawn-", ignore_cleanup_errors=True) as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
