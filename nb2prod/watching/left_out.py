"""Rows of a log that leaves fields out (`request_log_exclude`), asked again all the same.

What was sent in these fields is not known. So each row is asked several times, with values that training had in them. Where all of these get one answer, the answer
does not depend on what was left out, as far as was tried, and can be held against the logged one; where they do not, nothing can be said of the row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nb2prod.errors import InputError
from nb2prod.parity.service import Answer
from nb2prod.runtime.signature import Column, Signature

FILLINGS = 6
"""So often is a row asked, each time with other values."""
_CATEGORIES = 5

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """The fields that a log leaves out, and rows of values for them."""

    fields: tuple[str, ...]
    fillings: tuple[Row, ...]

    @property
    def names(self) -> str:
        """The fields in words."""
        return ", ".join(map(repr, self.fields))

    @property
    def note(self) -> str:
        """What was done about it."""
        return (
            f"the request log leaves out {self.names}: each row was asked with {len(self.fillings)} values of that from training,"
            " and compared where all of these get one answer"
        )

    def settled(
        self,
        rows: Sequence[Row],
        ask: Callable[[Sequence[Row]], list[Answer]],
        same: Callable[[Answer, Answer], bool],
    ) -> list[Answer | None]:
        """The answer of each row that is the same with all fillings; None where it is not."""
        first, *others = self.fillings
        answers: list[Answer | None] = list(ask([{**row, **first} for row in rows]))
        for filling in others:
            open_rows = [at for at, answer in enumerate(answers) if answer is not None]
            made = ask([{**rows[at], **filling} for at in open_rows]) if open_rows else []
            for at, answer in zip(open_rows, made, strict=True):
                known = answers[at]
                if known is not None and not same(known, answer):
                    answers[at] = None
        return answers


def left_out(lacking: Sequence[str], signature: Signature, bento: Path, seed: int = 0) -> LeftOut | None:
    """What is known of these fields, which the rows of a log lack; None where they lack none.

    Raises `InputError` where one of them is no field that the log's own version was sent.
    """
    if not lacking:
        return None
    own = {column.key: column for column in signature.fields}
    for name in lacking:
        if name not in own:
            raise InputError(
                f"rows can't be asked again without the field {name!r}: callers do not send it",
                "Features and predictions are watched all the same: nb2prod watch.",
            )
    try:
        reference: Mapping[str, Any] = json.loads((bento / "src" / "reference.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"what training showed can't be read from {bento}: {error}", "Build it again.") from error
    columns = reference.get("columns") or {}
    known = {name: _values(own[name], columns.get(name) or {}) for name in lacking}
    rng = np.random.default_rng(seed)
    # Each in an order of its own: the fields are not meant to go together.
    orders = {name: rng.permutation(len(values)) for name, values in known.items()}
    fillings = [
        {name: values[orders[name][at % len(values)]] for name, values in known.items()} for at in range(FILLINGS)
    ]
    told = {json.dumps(filling, sort_keys=True): filling for filling in fillings}
    return LeftOut(tuple(lacking), tuple(told.values()))


def _values(column: Column, facts: Mapping[str, Any]) -> list[Any]:
    """Values of a field that training had: its categories, or quantiles, and none where it takes null."""
    found = [item["value"] for item in facts.get("categories") or ()][:_CATEGORIES]
    found = found or list((facts.get("quantiles") or {}).values())
    if column.type == "integer":
        found = [int(value) for value in found]
    found = found or [column.example]
    return [*found, None] if column.nullable else found
