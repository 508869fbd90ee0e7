"""`POST /nb2prod/check`, `/nb2prod/kernel` and `/nb2prod/suggest`: what a build of a document, saved or not, is expected to do. No code of it is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from nb2prod.errors import InputError
from nb2prod.server.base import Handler


class CheckHandler(Handler):
    """`{"path", "content"}` → the document of `nb2prod check --json`, the Bento's name, and the digest of what the notebook does."""

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body()
        path = self.notebook(self.text(body, "path"))
        self.answer(await self.in_thread(_check, _content(body), path))


class KernelHandler(Handler):
    """`{"path", "content"}` → the kernel that a build would run, and the environment that its service would be tried in.

    Apart from the check: it asks another interpreter, and the package index once.
    """

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body()
        path = self.notebook(self.text(body, "path"))
        self.answer(await self.waiting(_kernel, _content(body), path))


class SuggestHandler(Handler):
    """`{"path", "content"}` → the document of `nb2prod suggest --json`; the notebook stays as it is."""

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body()
        path = self.notebook(self.text(body, "path"))
        self.answer(await self.in_thread(_suggest, _content(body), path))


def _content(body: dict[str, Any]) -> str:
    content = body.get("content")
    if not isinstance(content, dict):
        raise InputError("the request has no notebook", "Its JSON belongs under the key 'content'.")
    return json.dumps(content)


def _check(text: str, path: Path) -> dict[str, Any]:
    from nb2prod import config
    from nb2prod.diagnostics import TITLES
    from nb2prod.forecast import forecast
    from nb2prod.notebook import loads
    from nb2prod.release.source import notebook_hash
    from nb2prod.server.fixes import fixes

    options = config.load(path)
    notebook = loads(text, path)
    found = forecast(notebook, options)
    diagnostics = [
        {
            **item.to_json(),
            "hint": item.panel_hint or item.hint,
            "title": TITLES[item.code],
            "fixes": [fix.to_json() for fix in fixes(item, notebook)],
        }
        for item in found.diagnostics
    ]
    return {
        **found.to_json(),
        "diagnostics": diagnostics,
        "name": config.bento_name(path, options),
        "notebook_hash": notebook_hash(text),
        "verdict": found.verdict().removeprefix("Forecast: "),
    }


def _kernel(text: str, path: Path) -> dict[str, Any]:
    from nb2prod import config
    from nb2prod.bento import kernel_outlook
    from nb2prod.notebook import loads

    return kernel_outlook.of(loads(text, path), config.load(path)).to_json()


def _suggest(text: str, path: Path) -> dict[str, Any]:
    from nb2prod.forecast import suggest
    from nb2prod.notebook import loads

    return suggest(loads(text, path)).to_json()
