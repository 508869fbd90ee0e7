"""A process that runs a Bento's own code without HTTP, as isolated as a server."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from nb2prod.environments import served
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import isolation
from nb2prod.parity.faults import ServiceFault

_LOG_LINES = 15


class BentoProcess:
    """`python -m MODULE PROJECT` in the served environment, with pipes; a context manager. It ends when its standard input does.

    Args:
        bento: the folder of a Bento, or of its project.
        module: the module of the runtime that runs.
        hash_seed: of Python's hashes.
        hidden: modules that it must not find; by default those that the Bento does not pin.
        environment: by default that of the Bento's pins.
    """

    def __init__(
        self,
        bento: Path,
        module: str,
        *,
        hash_seed: int,
        hidden: Iterable[str] | None = None,
        environment: ServedEnvironment | None = None,
    ) -> None:
        source = bento.absolute() / "src"
        self._project = source if source.is_dir() else bento.absolute()
        self._module = module
        self._environment = environment or served.of_bento(bento.absolute())
        self._hidden = isolation.hidden_from(bento, self._environment) if hidden is None else hidden
        self.hash_seed = hash_seed
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

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
                [str(self._environment.python), "-m", self._module, str(self._project)],
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

    def running(self) -> subprocess.Popen[bytes]:
        """The process. Raises `ServiceFault` where it was not started."""
        if self._process is None:
            raise ServiceFault(f"the process that runs {self._project} was not started")
        return self._process

    def fault(self, what: str) -> ServiceFault:
        """That it did `what` instead of answering, with the end of its log."""
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
