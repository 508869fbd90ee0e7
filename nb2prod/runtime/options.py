"""``options.json``: what was decided about serving, each with a default."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class OptionProblem(Exception):
    """An option that can't be used; the text names it and what was expected."""


@dataclass(frozen=True)
class Options:
    """How the service behaves.

    Attributes:
        max_body_bytes: larger bodies are answered 413.
        max_rows: more rows in a request are answered 422.
        max_in_flight: requests at work or waiting in one worker; above, 429 with Retry-After.
        timeout: seconds until a request is answered 504 (the latency budget).
        body_timeout: seconds that a client may take to send its body; after that, 408.
        on_row_error: "refuse" the request for a malformed row, or "answer" the good rows and report the others.
        max_batch_rows: rows that run together, where batching is licensed.
        workers: processes.
        threads: the size of each worker's thread pool.
        api_keys_file: a file of ``name:sha256`` lines; the environment's NB2PROD_API_KEYS_FILE and NB2PROD_API_KEYS
            go before it.
        log_requests: log each request, not only the failed ones.
    """

    max_body_bytes: int = 10_000_000
    max_rows: int = 10_000
    max_in_flight: int = 512
    timeout: float = 30.0
    body_timeout: float = 30.0
    on_row_error: str = "refuse"
    max_batch_rows: int = 256
    workers: int = 1
    threads: int = 1
    api_keys_file: str | None = None
    log_requests: bool = False

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
        return cls.from_json(form)

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Options:
        """The options of the decoded document; see ``load``."""
        known = {item.name: item for item in fields(cls)}
        for name, value in form.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise OptionProblem(f"unknown option '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
            _check(name, value, known[name].default)
        return cls(**form)


def _check(name: str, value: Any, default: Any) -> None:
    if name == "on_row_error":
        if value not in ("refuse", "answer"):
            raise OptionProblem(f'option \'{name}\' must be "refuse" or "answer"')
    elif name == "api_keys_file":
        if value is not None and not isinstance(value, str):
            raise OptionProblem(f"option '{name}' must be the path of a file")
    elif isinstance(default, bool):
        if not isinstance(value, bool):
            raise OptionProblem(f"option '{name}' must be true or false")
    elif (
        isinstance(value, bool)
        or not isinstance(value, (int, float) if isinstance(default, float) else int)
        or value <= 0
    ):
        raise OptionProblem(f"option '{name}' must be a number above 0")
