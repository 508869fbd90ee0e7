"""The server's builds: one runs at a time in a process of its own, the others wait. All state is here, none in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nb2prod.errors import InputError
from nb2prod.server import build_state as states
from nb2prod.server.build_state import Build

GRACE = 20.0
"""Seconds that a cancelled build has to stop its kernel and clear up, before it is killed."""
_LINE = 2**26
"""A result carries the whole plan on one line."""


class BuildQueue:
    """Starts, follows and stops builds; whoever `watch`es is told of each change."""

    def __init__(self) -> None:
        self._builds = {build.id: _settled(build) for build in states.stored()}
        self._watchers: set[asyncio.Queue[Build]] = set()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._runner: asyncio.Task[None] | None = None

    def builds(self) -> tuple[Build, ...]:
        """All builds, oldest first."""
        return tuple(self._builds.values())

    def get(self, build_id: str) -> Build:
        """The build of this id; `InputError` where there is none."""
        if build_id not in self._builds:
            raise InputError(f"there is no build {build_id}", "Old builds are removed; their releases stay.")
        return self._builds[build_id]

    def start(self, notebook: Path, options: Mapping[str, Any]) -> Build:
        """Queue a build. `InputError` where the notebook is being built already."""
        running = [item for item in self._builds.values() if item.notebook == str(notebook) and not item.ended_already]
        if running:
            raise InputError(f"{notebook.name} is being built already", "Wait for that build, or cancel it.")
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        build = Build(f"{stamp}-{secrets.token_hex(3)}", str(notebook), states.now(), os.getpid(), dict(options))
        self._set(build, save=True)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run_all())
        return build

    def cancel(self, build_id: str) -> Build:
        """Stop it: at once if it waits, else as soon as its kernel is stopped. Harmless after its end."""
        build = self.get(build_id)
        if build.ended_already or build.cancelling:
            return build
        if build.state == "queued":
            return self._end(build, {"error": {"code": "cancelled"}})
        self._set(replace(build, cancelling=True))
        self._stop_process(build_id)
        return self._builds[build_id]

    async def watch(self) -> AsyncIterator[Build]:
        """Every build as it is now, oldest first, then each again whenever it changes."""
        queue: asyncio.Queue[Build] = asyncio.Queue()
        for build in self._builds.values():
            queue.put_nowait(build)
        self._watchers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    async def _run_all(self) -> None:
        while waiting := [
            item for item in self._builds.values() if item.state == "queued" and item.server == os.getpid()
        ]:
            await self._run(waiting[0])

    async def _run(self, build: Build) -> None:
        build = replace(build, state="running", started=states.now())
        self._set(build, save=True)
        last: Mapping[str, Any] | None = None
        try:
            with build.log.open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "nb2prod.server.build_worker", build.notebook, json.dumps(build.options)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    cwd=Path(build.notebook).parent,
                    start_new_session=True,
                    limit=_LINE,
                )
                self._processes[build.id] = process
                last = await self._follow(build.id, process)
        except OSError as error:
            last = {"error": {"code": "environment", "message": f"the build can't be started: {error}"}}
        finally:
            self._processes.pop(build.id, None)
            self._end(self._builds[build.id], last)

    async def _follow(self, build_id: str, process: asyncio.subprocess.Process) -> Mapping[str, Any] | None:
        """Note each event until the process ends; its last word, if it had one."""
        last, start = None, time.monotonic()
        assert process.stdout is not None
        if self._builds[build_id].cancelling:
            self._stop_process(build_id)
        async for line in process.stdout:
            event = json.loads(line)
            if "result" in event or "error" in event:
                last = event
            else:
                self._set(states.advanced(self._builds[build_id], event, time.monotonic() - start))
        await process.wait()
        if last is None and self._builds[build_id].cancelling:
            return {"error": {"code": "cancelled"}}
        return last

    def _stop_process(self, build_id: str) -> None:
        process = self._processes.get(build_id)
        if process is None or process.returncode is not None:
            return
        process.terminate()

        def kill() -> None:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

        asyncio.get_running_loop().call_later(GRACE, kill)

    def _end(self, build: Build, last: Mapping[str, Any] | None) -> Build:
        ended = states.finished(build, last)
        self._set(ended, save=True, outcome=last)
        return ended

    def _set(self, build: Build, *, save: bool = False, outcome: Mapping[str, Any] | None = None) -> None:
        self._builds[build.id] = build
        if save:
            # A full disk must not stop the build that is under way.
            with contextlib.suppress(OSError):
                states.save(build, outcome)
        for watcher in self._watchers:
            watcher.put_nowait(build)


def _settled(build: Build) -> Build:
    """What another server left unfinished will not go on."""
    if not states.abandoned(build):
        return build
    ended = replace(build, state="failed", ended=states.now(), summary="The Jupyter server stopped during this build.")
    with contextlib.suppress(OSError):
        states.save(ended)
    return ended
