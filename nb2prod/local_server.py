"""A Bento served on this machine for as long as a program needs it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import guardian, ports
from nb2prod.service_client import Answer, Features, Rows, ServiceClient

_POLL = 0.1
_LOG_LINES = 15


class LocalServer:
    """Serves a Bento as `nb2prod serve` does; a context manager that waits until it is ready.

    However this process ends, the server ends with it.

    Args:
        bento: Name (its newest), name:version, or a Bento's folder.
        port: Port of 127.0.0.1; a free one by default.
        key: The API key, where the Bento asks for one.
        timeout: Seconds to become ready.
    """

    def __init__(
        self, bento: str | Path, *, port: int | None = None, key: str | None = None, timeout: float = 120.0
    ) -> None:
        self.bento = str(bento)
        self._port = port or ports.free()
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.client = ServiceClient(f"http://127.0.0.1:{self._port}", key=key)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.client.url

    def predict(self, rows: Rows) -> Answer:
        """As `ServiceClient.predict`."""
        return self.client.predict(rows)

    def features(self, rows: Rows) -> Features:
        """As `ServiceClient.features`."""
        return self.client.features(rows)

    def start(self) -> None:
        """Start it and wait until it is ready; raises `EnvironmentProblem`, with what it wrote, where it does not become so."""
        self._folder = tempfile.TemporaryDirectory(prefix="nb2prod-serve-", ignore_cleanup_errors=True)
        command = [sys.executable, "-m", "nb2prod", "serve", self.bento, "--port", str(self._port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", guardian.__file__, *command], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        deadline = time.monotonic() + self._timeout
        while not self.client.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.log()
                self.stop()
                raise EnvironmentProblem(
                    f"{self.bento} did not become ready:\n{said}", "Try it by hand: nb2prod serve."
                )
            time.sleep(_POLL)

    def stop(self) -> None:
        """End it, and all that it started; harmless where it has ended."""
        self.client.close()
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def log(self) -> str:
        """The last lines that it wrote."""
        if self._folder is None:
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_LINES:])

    @property
    def _log(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "log"

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
