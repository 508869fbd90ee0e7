"""``options.json``: what was decided about serving, each with a default.

The same names stand in the table ``serving`` of ``nb2prod.toml``, and in the model card with the words given here. Keys
are no options: they come from the environment or a file of the machine that serves, and are never part of a Bento.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class OptionProblem(Exception):
    """An option that can't be used; the text names it and what was expected."""


@dataclass(frozen=True)
class Kind:
    """What values an option takes."""

    takes: Callable[[Any], bool]
    expected: str


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _one_of(*words: str) -> Kind:
    return Kind(lambda value: value in words, " or ".join(f'"{word}"' for word in words))


COUNT = Kind(lambda value: type(value) is int and value > 0, "a whole number above 0")
SECONDS = Kind(lambda value: _number(value) and value > 0, "a number of seconds above 0")
HOURS = Kind(lambda value: _number(value) and value > 0, "a number of hours above 0")
DAYS = Kind(lambda value: _number(value) and value > 0, "a number of days above 0")
SHARE = Kind(lambda value: _number(value) and 0 <= value <= 1, "a number from 0 (none) to 1 (all)")
FLAG = Kind(lambda value: isinstance(value, bool), "true or false")
FILE = Kind(lambda value: value is None or (isinstance(value, str) and bool(value.strip())), "the path of a file")
NAMES = Kind(
    lambda value: isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value),
    'a list of field names, as in ["name", "address"]',
)


def _option(default: Any, kind: Kind, about: str) -> Any:
    return field(default=default, metadata={"kind": kind, "about": about})


@dataclass(frozen=True)
class Options:
    """How the service behaves; ``about`` of each field says what it decides."""

    latency_budget: float = _option(30.0, SECONDS, "seconds in which a request is answered; after that, cannot_answer")
    cannot_answer: str = _option(
        "fail",
        _one_of("fail", "fallback", "queue"),
        "over the budget, too many at once, or the model's code fails on a row: an error (504, 429, an entry in errors),"
        " the rule-based answer of the fallback cell, or for whole requests 202 and a job",
    )
    on_row_error: str = _option(
        "refuse",
        _one_of("refuse", "answer"),
        "a malformed row refuses its request, or the good rows are answered and the others reported",
    )
    max_in_flight: int = _option(512, COUNT, "requests at work or waiting in one worker; above, 429 with Retry-After")
    max_body_bytes: int = _option(10_000_000, COUNT, "larger bodies are answered 413")
    max_rows: int = _option(10_000, COUNT, "more rows in a request are answered 422")
    max_batch_rows: int = _option(256, COUNT, "rows that run together, where that was proved safe")
    body_timeout: float = _option(30.0, SECONDS, "seconds that a client may take to send its body; after that, 408")
    workers: int = _option(1, COUNT, "processes")
    threads: int = _option(1, COUNT, "threads that numerical libraries may use in each worker")
    api_keys_file: str | None = _option(
        None, FILE, "a file of name:sha256 lines on the machine that serves; the environment's goes before it"
    )
    log_requests: bool = _option(False, FLAG, "a line in the log for each request, not only for failed ones")
    jobs: bool = _option(True, FLAG, "POST /jobs: answers later, from a queue on disk")
    max_jobs: int = _option(1_000, COUNT, "jobs that may wait; above, 429 with Retry-After")
    job_hours: float = _option(24.0, HOURS, "hours that a finished job's answer is kept")
    request_log: float = _option(
        0.0, SHARE, "share of requests whose rows and answers are kept in Parquet files by day"
    )
    request_log_exclude: tuple[str, ...] = _option((), NAMES, "fields that the request log never holds")
    request_log_days: float = _option(
        90.0, DAYS, "days that the request log keeps a request; what watching counted of it stays counted"
    )
    request_log_bytes: int = _option(1_000_000_000, COUNT, "size of the request log on disk; the oldest files go first")

    def __post_init__(self) -> None:
        object.__setattr__(self, "request_log_exclude", tuple(self.request_log_exclude))

    @classmethod
    def load(cls, path: Path) -> Options:
        """Read ``options.json``; without the file, the defaults.

        Raises:
            OptionProblem: it can't be read, or an option is unknown or has a value of the wrong kind.
        """
        if not path.is_file():
            return cls()
        try:
            form = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OptionProblem(f"{path.name} can't be read: {error}") from error
        if not isinstance(form, dict):
            raise OptionProblem(f"{path.name} must be an object with the options")
        return cls.from_json(form)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Options:
        """The options of the decoded document; see ``load``."""
        known = {item.name: item for item in fields(cls)}
        for name, value in form.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                told = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
                raise OptionProblem(f"unknown option '{name}'; {told}")
            kind: Kind = known[name].metadata["kind"]
            if not kind.takes(value):
                raise OptionProblem(f"option '{name}' is {value!r}; expected {kind.expected}")
        made = cls(**form)
        if made.cannot_answer == "queue" and not made.jobs:
            raise OptionProblem('option \'cannot_answer\' is "queue"; expected "jobs" to be true then')
        return made

    def to_json(self) -> dict[str, Any]:
        """The document, defaults included: what was decided stands in the Bento in so many words."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def check_fit(self, names: Collection[str], *, fallback: bool) -> None:
        """Raise ``OptionProblem`` where an option asks for what this model does not have."""
        for name in self.request_log_exclude:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                told = f"did you mean '{near[0]}'?" if near else f"the fields are {', '.join(sorted(names))}"
                raise OptionProblem(f"option 'request_log_exclude' has '{name}', which is no field; {told}")
        if self.cannot_answer == "fallback" and not fallback:
            raise OptionProblem(
                "option 'cannot_answer' is \"fallback\"; expected a cell tagged 'fallback' in the notebook, "
                "whose last value is the rule-based answer"
            )

    def explained(self) -> list[tuple[str, Any, str, bool]]:
        """Name, value, what it decides, and whether it was set: for the model card."""
        return [
            (item.name, getattr(self, item.name), item.metadata["about"], getattr(self, item.name) != item.default)
            for item in fields(self)
        ]
