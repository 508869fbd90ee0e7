"""A Jupyter Server inside the test's own process, with the extension in it.

pytest-jupyter's fixtures come by import and not as a plugin: its event loop is made for every test that sees it.
"""

import json

import pytest
from pytest_jupyter.jupyter_core import *  # noqa: F403
from pytest_jupyter.jupyter_server import *  # noqa: F403
from pytest_jupyter.pytest_tornasync import *  # noqa: F403
from tornado.httpclient import HTTPClientError


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nb2prod.server": True}, "log_level": "INFO"}}


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """nb2prod's home and BentoML's, for this test alone."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "nb2prod"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    return tmp_path / "nb2prod"


@pytest.fixture
def ask(own_home, jp_fetch):
    """`await ask("builds", method="POST", body={...})` → status and document, for errors too."""

    async def asked(*path, method="GET", body=None, **options):
        given = {"body": json.dumps(body)} if body is not None else {}
        try:
            response = await jp_fetch("nb2prod", *path, method=method, request_timeout=120, **given, **options)
        except HTTPClientError as error:
            response = error.response
        if not response.headers["Content-Type"].startswith("application/json"):
            return response.code, response.body.decode()
        return response.code, json.loads(response.body)

    return asked
