"""`/nb2prod/releases`: what builds made, and their proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from nb2prod.errors import InputError
from nb2prod.server.base import Handler


class ReleasesHandler(Handler):
    """`GET`: the releases, the newest first of each name; `?name=` gives one name's only."""

    @authenticated
    @authorized
    async def get(self) -> None:
        name = self.get_query_argument("name", None)
        self.answer({"releases": await self.in_thread(_releases, name)})


class ReleaseHandler(Handler):
    """`GET`: a release with its plan; the version `latest` is the newest."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        self.answer(await self.in_thread(_release, name, version))


class ReleaseReportHandler(Handler):
    """`GET`: a release's parity report as JSON, or (`?format=html`) as a page."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        await send_report(self, (await self.in_thread(_found, name, version)).folder or Path())


async def send_report(handler: Handler, folder: Path) -> None:
    """Answer with the parity report that lies in this folder, in the form that the request asks for."""
    page = handler.get_query_argument("format", "json") == "html"
    file = folder / ("parity.html" if page else "parity.json")
    if not file.is_file():
        raise HTTPError(404, f"the report {file.name} is gone; build the notebook again")
    text = await handler.in_thread(file.read_text, encoding="utf-8")
    handler.finish(text, set_content_type="text/html; charset=utf-8" if page else "application/json")


def _releases(name: str | None) -> list[dict[str, Any]]:
    from nb2prod.release import records

    return [_short(item.to_json()) for item in records.records() if name in (None, item.name)]


def _short(document: dict[str, Any]) -> dict[str, Any]:
    """Without what only a release's own page shows."""
    return {key: value for key, value in document.items() if key not in ("pins", "captured")}


def _release(name: str, version: str) -> dict[str, Any]:
    item = _found(name, version)
    plan = json.loads(item.path("plan.json").read_text(encoding="utf-8"))
    return {**item.to_json(), "plan": plan}


def _found(name: str, version: str) -> Any:
    from nb2prod.release import records

    try:
        return records.find(f"{name}:{version}")
    except InputError as error:
        raise HTTPError(404, error.message) from error
