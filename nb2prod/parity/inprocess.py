"""The Bento's own code in a process without HTTP: what the answers over the wire are held against."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nb2prod.environments.served import ServedEnvironment
from nb2prod.parity.bento_process import BentoProcess
from nb2prod.parity.service import Answer, Features, read_answers, read_features

_SECONDS = 120.0
_CHUNK = 1 << 16


class Worker(BentoProcess):
    """`python -m nb2prod_runtime.worker PROJECT`, as isolated as the server; a context manager.

    `phantoms` of a request stand in for columns that the request does not have, the target first of all.
    """

    def __init__(
        self,
        bento: Path,
        *,
        hash_seed: int,
        hidden: Iterable[str] | None = None,
        environment: ServedEnvironment | None = None,
    ) -> None:
        super().__init__(bento, "nb2prod_runtime.worker", hash_seed=hash_seed, hidden=hidden, environment=environment)
        self._buffer = b""
        self._ready = False

    def predict(self, rows: Sequence[Mapping[str, Any]], phantoms: Mapping[str, Any] | None = None) -> list[Answer]:
        """One outcome a row; raises `ServiceFault` where the process died or hangs."""
        document = self._ask("predict", rows, phantoms)
        if "problem" in document:
            return [Answer("refused", None, _problem(document, i)) for i in range(len(rows))]
        return read_answers(document.get("predictions"), document.get("errors"), len(rows))

    def features(self, rows: Sequence[Mapping[str, Any]], phantoms: Mapping[str, Any] | None = None) -> Features | None:
        """The features of these rows; None where they can't be given for all."""
        return read_features(self._ask("features", rows, phantoms), len(rows))

    def _ask(self, op: str, rows: Sequence[Mapping[str, Any]], phantoms: Mapping[str, Any] | None) -> dict[str, Any]:
        if not self._ready:
            self._line()  # {"ready": true}
            self._ready = True
        request: dict[str, Any] = {"op": op, "rows": [dict(row) for row in rows]}
        if phantoms:
            request["phantoms"] = dict(phantoms)
        process = self.running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request, allow_nan=False).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise self.fault("ended") from error
        document = json.loads(self._line())
        return document if isinstance(document, dict) else {}

    def _line(self) -> bytes:
        process = self.running()
        assert process.stdout is not None
        deadline = time.monotonic() + _SECONDS
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise self.fault(f"did not answer within {_SECONDS:g} s")
            part = os.read(process.stdout.fileno(), _CHUNK)
            if not part:
                raise self.fault("ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _problem(document: Mapping[str, Any], row: int) -> str:
    details = document.get("details") or ()
    return next(
        (f"{item.get('field')}: {item.get('reason')}" for item in details if item.get("row") in (row, None)),
        str(document["problem"]),
    )
