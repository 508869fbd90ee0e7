"""`/nb2prod/deployments`: put releases to work, look after them, and ask them."""

from __future__ import annotations

import json
import time
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.web import HTTPError, authenticated

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.server.base import Handler

ACTIONS = ("rollback", "stop", "restart", "advance", "abort", "pause", "resume")
_SECONDS = 30.0


class DeploymentsHandler(Handler):
    """`GET`: all deployments as they are now. `POST {"bento", "name", "port", "target", "without_owner"}`: deploy; answers once it is live."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.answer({"deployments": await self.waiting(_all)})

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body()
        bento = self.text(body, "bento")
        self.answer(await self.waiting(_deploy, bento, body), status=201)


class DeploymentHandler(Handler):
    """`GET`: one deployment as it is now."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        self.answer(await self.waiting(_status, name))


class DeploymentActionHandler(Handler):
    """`POST`: roll back, stop or restart; answers once that is done."""

    @authenticated
    @authorized
    async def post(self, name: str, action: str) -> None:
        await self.waiting(_status, name)
        self.answer(await self.waiting(_act, name, action))


class DeploymentFormHandler(Handler):
    """`GET`: the fields of a request, and made examples."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        self.answer(await self.waiting(_form, name))


class DeploymentPredictHandler(Handler):
    """`POST {"rows", "key"}`: ask the deployment; its status, its answer and the time are the answer, whatever it said."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        body = self.body()
        rows = body.get("rows")
        if not isinstance(rows, list):
            raise InputError("the request has no rows", "Send {'rows': [{...}]}.")
        found = await self.waiting(_status, name)
        headers = {"Content-Type": "application/json"}
        if body.get("key"):
            headers["X-API-Key"] = str(body["key"])
        request = HTTPRequest(
            f"{found['url']}/predict",
            method="POST",
            headers=headers,
            body=json.dumps({"rows": rows}),
            request_timeout=_SECONDS,
            follow_redirects=False,
        )
        started = time.perf_counter()
        try:
            response = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (TimeoutError, OSError, HTTPClientError) as error:
            raise EnvironmentProblem(f"{name} does not answer at {found['url']}: {error}", "Is it running?") from error
        milliseconds = (time.perf_counter() - started) * 1000
        try:
            answer = json.loads(response.body)
        except ValueError as error:
            raise EnvironmentProblem(f"{name} answered {response.code} without JSON", "See its log.") from error
        self.answer({"status": response.code, "milliseconds": round(milliseconds, 2), "answer": answer})


def _all() -> list[dict[str, Any]]:
    from nb2prod.release import deployments

    return [item.to_json() for item in deployments.all_deployments()]


def _status(name: str) -> dict[str, Any]:
    from nb2prod.release import deployments

    try:
        return deployments.status(name).to_json()
    except InputError as error:
        raise HTTPError(404, error.message) from error


def _deploy(bento: str, body: dict[str, Any]) -> dict[str, Any]:
    from nb2prod.release import deployments

    target = body.get("target", "process")
    if target not in ("process", "container"):
        raise InputError(f"'target' is {target!r}", "Expected 'process' or 'container'.")
    port = body.get("port")
    if port is not None and not (isinstance(port, int) and 0 < port < 65536):
        raise InputError(f"'port' is {port!r}", "Expected a number from 1 to 65535.")
    wish = deployments.Wish(
        name=body.get("name"),
        port=port,
        container={"engine": None} if target == "container" else None,
        without_owner=body.get("without_owner") is True,
    )
    return deployments.deploy(bento, wish).to_json()


def _act(name: str, action: Any) -> dict[str, Any]:
    from nb2prod.release import deployments

    if action == "rollback":
        return deployments.rollback(name).to_json()
    if action == "stop":
        return deployments.stop(name).to_json()
    if action == "restart":
        return deployments.restart(name).to_json()
    from nb2prod.rollouts import hands

    return hands.act(name, action, "in JupyterLab").to_json()


def _form(name: str) -> dict[str, Any]:
    from nb2prod.release import asking

    _status(name)
    return asking.form(name).to_json()
