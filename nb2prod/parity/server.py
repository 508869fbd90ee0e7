"""One server of a built Bento, in processes of its own, for as long as a proof needs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from nb2prod.environments import served
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import isolation, ports
from nb2prod.parity.client import Client
from nb2prod.parity.faults import ServiceFault

_GUARDIAN = Path(__file__).with_name("guardian.py")
_POLL = 0.05
_LOG_LINES = 15
_START_SECONDS = 180.0
_RESTARTS = 2
_TAKEN = "Address already in use"
_NO_START = (
    "What the served code imports or reads must be in the Bento: beside the notebook, or in an installed package."
)


class Server:
    """Serves the Bento at `bento` on a free port of 127.0.0.1; a context manager that waits until it is ready.

    It runs in `environment`, by default in that of the Bento's pins. The process has a fresh BENTOML_HOME, an empty current folder, the hash seed given, and none of the
    `hidden` top-level modules (by default what the Bento does not pin, and nb2prod). With `batching`
    off, the service works row by row. However this process ends, the server ends with it.
    """

    def __init__(
        self,
        bento: Path,
        *,
        hash_seed: int,
        batching: bool = True,
        hidden: Iterable[str] | None = None,
        environment: ServedEnvironment | None = None,
        timeout: float = _START_SECONDS,
    ) -> None:
        self.bento = bento.absolute()
        self.hash_seed = hash_seed
        self.batching = batching
        self._hidden = hidden
        self._environment = environment
        # The Bento's options may ask for keys that only its users have.
        self._key = secrets.token_urlsafe(24)
        self._timeout = timeout
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None
        self._started = 0.0
        self._port = 0
        self._restarts = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.client.url

    @property
    def client(self) -> Client:
        """A client of it."""
        if self._client is None:
            raise ServiceFault(f"the server of {self.bento} was not started")
        return self._client

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ServiceFault):
            error.add_log(self.log())
        self.stop()

    def start(self) -> None:
        """Start it and return at once; raises `EnvironmentProblem` where it can't be."""
        if not (self.bento / "bento.yaml").is_file():
            raise ServiceFault(
                f"{self.bento} is not a built Bento: it has no bento.yaml",
                "Name a Bento from `nb2prod list`, or the folder of an exported one.",
            )
        self._port = ports.free()
        self._client = Client(f"http://127.0.0.1:{self._port}", headers={"X-API-Key": self._key})
        self._started = time.monotonic()
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="nb2prod-proof-", ignore_cleanup_errors=True)
            self._process = self._spawned(Path(self._folder.name))
        except OSError as error:
            self.stop()
            raise EnvironmentProblem(
                f"the server of {self.bento} can't be started: {error.strerror or error}",
                "It needs some room for temporary files: free some, or set TMPDIR to another folder.",
            ) from error

    def _spawned(self, home: Path) -> subprocess.Popen[bytes]:
        environ = self._environ(home)
        serve = ["-m", "bentoml", "serve", str(self.bento), "--host", "127.0.0.1", "--port", str(self._port)]
        with (home / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-I", str(_GUARDIAN), str(self._where().python), *serve],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=home / "cwd",
                env=environ,
                start_new_session=True,
            )

    def _where(self) -> ServedEnvironment:
        self._environment = self._environment or served.of_bento(self.bento)
        return self._environment

    def wait(self) -> None:
        """Return once it is ready; raises `ServiceFault` with the log's end if it dies or takes too long."""
        deadline = self._started + self._timeout
        while not self._is_ready():
            if not self.alive:
                if _TAKEN in self.log() and self._restarts < _RESTARTS:
                    self._again()
                    continue
                raise self._fault("ended before it was ready", "The last lines of its log say why.")
            reason = self._refusal()
            if reason is not None:
                raise ServiceFault(f"the server of the Bento {self.bento} can't start: {reason}", _NO_START)
            if time.monotonic() > deadline:
                raise self._fault(f"was not ready within {self._timeout:g} s", "The last lines of its log may say why.")
            time.sleep(_POLL)

    def _refusal(self) -> str | None:
        """Why the service could not load its model, if it said so; BentoML starts it again and again."""
        for line in self.log().splitlines():
            if '"event": "not started"' in line:
                with contextlib.suppress(ValueError, KeyError):
                    return str(json.loads(line)["error"])
        return None

    def _is_ready(self) -> bool:
        # Between choosing a port and listening at it another process may have taken it: then that one answers.
        if self.client.status("/readyz", timeout=5) != 200:
            return False
        return self._process is not None and ports.is_held_below(self._port, self._process.pid)

    def _again(self) -> None:
        """The port was taken meanwhile: try another one."""
        self._restarts += 1
        self.stop()
        self.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it, and all that it started, and remove its folder. Never raises; harmless to call again."""
        if self._client is not None:
            self._client.close()
        process = self._process
        if process is not None:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def log(self) -> str:
        """The last lines that it wrote."""
        if self._folder is None:
            return ""
        try:
            text = (Path(self._folder.name) / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()]
        return "\n".join(lines[-_LOG_LINES:])

    def _fault(self, what: str, hint: str) -> ServiceFault:
        return ServiceFault(f"the server of the Bento {self.bento} {what}", hint, self.log())

    def _environ(self, home: Path) -> dict[str, str]:
        hidden = isolation.hidden_from(self.bento, self._where()) if self._hidden is None else self._hidden
        environ = isolation.environment(home, hidden=hidden, hash_seed=self.hash_seed)
        return {
            **environ,
            "NB2PROD_API_KEYS": f"proof:{hashlib.sha256(self._key.encode()).hexdigest()}",
            "NB2PROD_BATCHING": "on" if self.batching else "off",
            # Jobs that wait for the service in use are none of a proof's business.
            "NB2PROD_DATA": str(home / "data"),
        }
