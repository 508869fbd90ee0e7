"""`/nb2prod/builds`: start, follow, cancel and look at builds."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, authenticated

from nb2prod.errors import InputError
from nb2prod.server.base import Handler
from nb2prod.server.build_queue import BuildQueue
from nb2prod.server.build_state import Build, diagnostics_of
from nb2prod.server.paths import shown

SETTING = "nb2prod_builds"
_HEARTBEAT = 15.0
"""Seconds between empty lines on a quiet stream, so that either side notices the other's end."""


class _BuildHandler(Handler):
    @property
    def queue(self) -> BuildQueue:
        """The server's builds, read from disk when they are first asked for."""
        if SETTING not in self.settings:
            self.settings[SETTING] = BuildQueue()
        queue: BuildQueue = self.settings[SETTING]
        return queue

    def document(self, build: Build) -> dict[str, Any] | None:
        """The build for the browser; None where its notebook is not below this server's root."""
        path = shown(self.root, Path(build.notebook))
        return None if path is None else build.to_json(path)

    def asked(self, build_id: str) -> tuple[Build, dict[str, Any]]:
        """The build of the address, and its document."""
        try:
            build = self.queue.get(build_id)
        except InputError as error:
            raise HTTPError(404, error.message) from error
        document = self.document(build)
        if document is None:
            raise HTTPError(404, f"there is no build {build_id}")
        return build, document


class BuildsHandler(_BuildHandler):
    """`GET`: all builds, oldest first. `POST {"path", "options"}`: queue one of the saved notebook."""

    @authenticated
    @authorized
    def get(self) -> None:
        found = [document for build in self.queue.builds() if (document := self.document(build)) is not None]
        self.answer({"builds": found})

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body()
        path = self.notebook(self.text(body, "path"))
        options = body.get("options") or {}
        if not path.is_file():
            raise HTTPError(404, f"{body['path']}: no such file; save the notebook first")
        if not isinstance(options, dict):
            raise InputError("'options' is not an object", "Use the keys of nb2prod.toml.")
        await self.in_thread(_check_options, path, options)
        self.answer(self.document(self.queue.start(path, options)), status=202)


class BuildHandler(_BuildHandler):
    """`GET`: a build with its outcome. `DELETE`: cancel it; the kernel is stopped."""

    @authenticated
    @authorized
    async def get(self, build_id: str) -> None:
        build, document = self.asked(build_id)
        outcome = await self.in_thread(build.outcome) or {}
        self.answer({**document, **outcome, "diagnostics": diagnostics_of(outcome)})

    @authenticated
    @authorized
    def delete(self, build_id: str) -> None:
        self.asked(build_id)
        self.answer(self.document(self.queue.cancel(build_id)), status=202)


class BuildLogHandler(_BuildHandler):
    """`GET`: what the build printed so far, as plain text."""

    @authenticated
    @authorized
    async def get(self, build_id: str) -> None:
        build, _ = self.asked(build_id)
        text = (
            await self.in_thread(build.log.read_text, encoding="utf-8", errors="replace") if build.log.is_file() else ""
        )
        self.finish(text, set_content_type="text/plain; charset=utf-8")


class BuildReportHandler(_BuildHandler):
    """`GET`: the parity report of a build, of a refused one too, as JSON or (`?format=html`) as a page."""

    @authenticated
    @authorized
    async def get(self, build_id: str) -> None:
        from nb2prod.server.releases import send_report

        build, _ = self.asked(build_id)
        record = ((build.outcome() or {}).get("result") or {}).get("record")
        if record is None:
            raise HTTPError(404, "this build did not come as far as a proof")
        await send_report(self, Path(record))


class BuildEventsHandler(_BuildHandler):
    """`GET`: a line of JSON for each build as it is now, then one whenever a build changes, until the reader goes."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("Cache-Control", "no-store")
        # A proxy in front must not wait for more.
        self.set_header("X-Accel-Buffering", "no")
        stream = self.queue.watch()
        following = asyncio.ensure_future(anext(stream))
        try:
            await self.flush()  # the reader shall know that it is heard before there is anything to say
            while True:
                done, _ = await asyncio.wait([following], timeout=_HEARTBEAT)
                if done:
                    document = self.document(following.result())
                    following = asyncio.ensure_future(anext(stream))
                    if document is None:
                        continue
                    self.write(json.dumps(document, ensure_ascii=False))
                self.write("\n")
                await self.flush()
        except StreamClosedError:
            pass  # a page that closes is no event
        finally:
            following.cancel()
            # The generator can't be closed while somebody waits for its next item.
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await following
            await stream.aclose()  # type: ignore[attr-defined]

    def on_connection_close(self) -> None:
        """Nothing to note: the next write ends the stream."""

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """As lines of JSON, unless it is an error."""
        if self.get_status() < 400:
            kwargs.setdefault("set_content_type", "application/x-ndjson")
        return super().finish(*args, **kwargs)


def _check_options(path: Path, options: dict[str, Any]) -> None:
    """Wrong options are said before a build is queued."""
    from nb2prod import config

    config.load(path, options)
