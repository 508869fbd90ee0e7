"""The Bento's own code in a process without HTTP: what the answers over the wire are held against."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nb2prod.environments import served
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import isolation
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.service import Answer, Features, read_answers, read_features

_SECONDS = 120.0
_LOG_LINES = 15
_CHUNK = 1 << 16


class Worker:
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
        source = bento.absolute() / "src"
        self._project = source if source.is_dir() else bento.absolute()
        self._environment = environment or served.of_bento(bento.absolute())
        self._hidden = isolation.hidden_from(bento, self._environment) if hidden is None else hidden
        self.hash_seed = hash_seed
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._ready = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return at once; it is waited for by the first request.

        Raises `EnvironmentProblem` where it can't be started.
        """
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="nb2prod-proof-", ignore_cleanup_errors=True)
            self._process = self._spawned(Path(self._folder.name))
        except OSError as error:
            self.stop()
            raise EnvironmentProblem(
                f"the code in {self._project} can't be run: {error.strerror or error}",
                "It needs some room for temporary files: free some, or set TMPDIR to another folder.",
            ) from error

    def _spawned(self, home: Path) -> subprocess.Popen[bytes]:
        environ = isolation.environment(home, hidden=self._hidden, hash_seed=self.hash_seed, path=[self._project])
        with (home / "log").open("wb") as log:
            return subprocess.Popen(
                [str(self._environment.python), "-m", "nb2prod_runtime.worker", str(self._project)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=home / "cwd",
                env=environ,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it. Never raises; harmless to call again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

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
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request, allow_nan=False).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise self._fault("ended") from error
        document = json.loads(self._line())
        return document if isinstance(document, dict) else {}

    def _line(self) -> bytes:
        process = self._running()
        assert process.stdout is not None
        deadline = time.monotonic() + _SECONDS
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise self._fault(f"did not answer within {_SECONDS:g} s")
            part = os.read(process.stdout.fileno(), _CHUNK)
            if not part:
                raise self._fault("ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServiceFault(f"the process that runs {self._project} was not started")
        return self._process

    def _fault(self, what: str) -> ServiceFault:
        log = ""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                text = (Path(self._folder.name) / "log").read_text(encoding="utf-8", errors="replace")
                log = "\n".join([line for line in text.splitlines() if line.strip()][-_LOG_LINES:])
        return ServiceFault(
            f"the Bento's code, run without HTTP from {self._project}, {what}",
            "The last lines that it wrote say why.",
            log,
        )


def _problem(document: Mapping[str, Any], row: int) -> str:
    details = document.get("details") or ()
    return next(
        (f"{item.get('field')}: {item.get('reason')}" for item in details if item.get("row") in (row, None)),
        str(document["problem"]),
    )
