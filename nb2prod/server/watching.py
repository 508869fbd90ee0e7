"""`/nb2prod/watching/{name}`: whether a release is still asked what its training showed, and who has seen to its alarms."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from nb2prod.errors import InputError
from nb2prod.server.base import Handler


class WatchingHandler(Handler):
    """`GET`: a look at the request log, as JSON or (`?format=html`) as a page. `POST {"acknowledge": why}`: the open alarms have been seen; a look."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        if self.get_query_argument("format", "json") == "html":
            page = await self.waiting(_page, name)
            self.finish(page, set_content_type="text/html; charset=utf-8")
            return
        self.answer(await self.waiting(_look, name))

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        self.answer(await self.waiting(_acknowledged, name, self.text(self.body(), "acknowledge")))


def _look(name: str) -> dict[str, Any]:
    seen, known = _seen(name)
    return {**seen.to_json(), "labels": None if known is None else known.to_json()}


def _page(name: str) -> str:
    from nb2prod.watching import page

    return page.document(*_seen(name))


def _acknowledged(name: str, why: str) -> dict[str, Any]:
    from nb2prod.release import alarms

    alarms.acknowledge(_found(name).name, why)
    return _look(name)


def _seen(name: str) -> Any:
    from nb2prod.watching import labelling, subject

    found = _found(name)
    return labelling.look_with_labels(found, subject.thresholds(found))


def _found(name: str) -> Any:
    from nb2prod.watching import subject

    try:
        return subject.find(name)
    except InputError as error:
        raise HTTPError(404, error.message) from error
