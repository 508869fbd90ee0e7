"""Deploying, asking and stopping a real release through the server."""

import os
import subprocess
import sys

import pytest

from tests.server.books import houses, write


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home with one proved release of the houses."""
    folder = tmp_path_factory.mktemp("built")
    write(folder / "houses.ipynb", houses())
    (folder / "nb2prod.toml").write_text('owner = "somebody@example.org"\n')
    home = {"NB2PROD_HOME": str(folder / "nb2prod"), "BENTOML_HOME": str(folder / "bentoml")}
    command = [sys.executable, "-m", "nb2prod", "build", str(folder / "houses.ipynb")]
    done = subprocess.run(command, env={**os.environ, **home}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def own_home(built, monkeypatch):
    for name, value in built.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
async def test_a_release_is_deployed_asked_and_stopped(ask):
    _, listed = await ask("releases")
    (release,) = listed["releases"]
    status, found = await ask("deployments", method="POST", body={"bento": release["bento"]})
    try:
        assert status == 201, found
        assert (found["name"], found["state"], found["bento"]) == ("houses", "serving", release["bento"])
        assert (await ask("deployments"))[1]["deployments"][0]["state"] == "serving"

        _, form = await ask("deployments", "houses", "form")
        assert [field["name"] for field in form["fields"]] == ["size", "rooms"]
        _, tried = await ask(
            "deployments", "houses", "predict", method="POST", body={"rows": [{"size": 10.0, "rooms": 2.0}]}
        )
        assert tried["status"] == 200
        assert tried["answer"]["predictions"] == pytest.approx([50.0])
        assert 0 < tried["milliseconds"] < 5000
        _, tried = await ask("deployments", "houses", "predict", method="POST", body={"rows": [{"size": "big"}]})
        assert tried["status"] == 422
        assert {item["field"] for item in tried["answer"]["error"]["details"]} == {"size", "rooms"}

        status, refused = await ask("deployments", "houses", "rollback", method="POST", body={})
        assert status == 400
        assert "previous" in refused["error"]["message"]
    finally:
        status, stopped = await ask("deployments", "houses", "stop", method="POST", body={})
    assert (status, stopped["state"]) == (200, "stopped")
    status, tried = await ask("deployments", "houses", "predict", method="POST", body={"rows": [{}]})
    assert status == 500
    assert "does not answer" in tried["error"]["message"]
