"""What all endpoints share: who may ask, how a body is read, and the one form in which errors are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import responses
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from nb2prod.errors import EnvironmentProblem, InputError, Nb2ProdError
from nb2prod.server.paths import confined

_P = ParamSpec("_P")
_T = TypeVar("_T")

# One thread: forecasts are Python code and would only take turns; what is asked first is answered first.
_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nb2prod")


class Handler(APIHandler):
    """Base of the endpoints. Errors are `{"error": {"code", "message", "hint"}}`, whatever went wrong."""

    auth_resource = "nb2prod"

    def body(self) -> dict[str, Any]:
        """The request's JSON object; an empty one where nothing was sent."""
        try:
            document = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise InputError("the request's body is not JSON", str(error)) from error
        if not isinstance(document, dict):
            raise InputError("the request's body is not a JSON object", 'Send an object such as {"path": "x.ipynb"}.')
        return document

    def text(self, document: Mapping[str, Any], key: str) -> str:
        """A text that the body must have."""
        value = document.get(key)
        if not isinstance(value, str) or not value:
            raise InputError(f"the request has no {key!r}", f"It must be a text under the key {key!r}.")
        return value

    @property
    def root(self) -> Path:
        """The folder that this server shows."""
        return Path(self.contents_manager.root_dir).resolve()

    def notebook(self, path: str) -> Path:
        """Where a notebook of this server lies; it need not be there yet. Refuses what is outside of the root."""
        return confined(self.root, path, hidden=bool(self.contents_manager.allow_hidden))

    def answer(self, document: Any, status: int = 200) -> None:
        """The document as the whole answer."""
        self.set_status(status)
        self.finish(json.dumps(document, ensure_ascii=False, default=str))

    async def in_thread(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what computes for a while; the server goes on answering."""
        return await asyncio.get_running_loop().run_in_executor(_WORKER, lambda: work(*args, **kwargs))

    async def waiting(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what waits for other processes, in a thread of its own."""
        return await asyncio.to_thread(work, *args, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error in one form; what happened inside stays in the server's log."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, Nb2ProdError):
            self.set_status(500 if isinstance(error, EnvironmentProblem) else 400)
            document = error.to_json()
        elif isinstance(error, HTTPError):
            message = error.log_message or error.reason or responses.get(status_code, "the request failed")
            document = {"code": "http", "message": str(message), "hint": ""}
        else:
            document = {
                "code": "internal",
                "message": "nb2prod failed where it should not have",
                "hint": "The server's log says more.",
            }
        self.finish(json.dumps({"error": document}, ensure_ascii=False, default=str))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A request that can't be served is no event for the log; a defect is."""
        if isinstance(value, Nb2ProdError):
            return
        super().log_exception(typ, value, tb)
