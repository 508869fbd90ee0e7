"""What the server extension answers, and to whom."""

import json

import pytest
from tornado.httpclient import HTTPClientError

import nb2prod


async def test_it_says_which_version_is_here(jp_fetch):
    response = await jp_fetch("nb2prod", "version")
    assert response.code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    assert json.loads(response.body) == {"version": nb2prod.__version__}


async def test_a_stranger_gets_no_answer(jp_fetch):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nb2prod", "version", headers={"Authorization": "token of-someone-else"})
    assert caught.value.code == 403
    assert nb2prod.__version__ not in caught.value.response.body.decode()


async def test_another_path_is_not_ours(jp_fetch):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nb2prod", "version", "more")
    assert caught.value.code == 404


async def test_the_server_loads_the_extension_without_complaint(jp_serverapp):
    assert jp_serverapp.extension_manager.extensions["nb2prod.server"].enabled
    assert set(jp_serverapp.extension_manager.linked_extensions) >= {"nb2prod.server"}
