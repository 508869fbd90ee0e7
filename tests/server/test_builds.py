"""Builds as the server runs them: real processes, real kernels."""

import asyncio
import gc
import json
import logging
import os
import time

import pytest
from tornado.httpclient import HTTPClientError

from nb2prod.server import build_state
from nb2prod.server.build_queue import BuildQueue
from tests.server.books import LOAD, PREDICT, SLEEPS, TRAIN, document, houses, write

SLEEPING = document(("", LOAD), ("feature", SLEEPS), ("train", TRAIN), ("predict", PREDICT))


async def until(ask, build_id, *, seconds=240):
    """The build after its end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _, build = await ask("builds", build_id)
        if build["state"] in build_state.FINAL:
            return build
        await asyncio.sleep(0.2)
    raise AssertionError(f"still {build['state']}")


async def running_kernel(folder, *, seconds=90):
    """The process id that the sleeping notebook writes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (folder / "kernel.pid").is_file() and (folder / "kernel.pid").read_text():
            return int((folder / "kernel.pid").read_text())
        await asyncio.sleep(0.1)
    raise AssertionError("the kernel did not run the notebook")


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(pid, *, seconds=15):
    deadline = time.monotonic() + seconds
    while lives(pid) and time.monotonic() < deadline:  # noqa: ASYNC110 (another process's end is no event)
        await asyncio.sleep(0.1)
    return not lives(pid)


async def test_a_build_that_is_refused_says_where_and_why(ask, jp_root_dir):
    write(jp_root_dir / "x.ipynb", document(("", LOAD), ("train", TRAIN)))
    status, build = await ask("builds", method="POST", body={"path": "x.ipynb"})
    assert (status, build["state"], build["notebook"]) == (202, "queued", "x.ipynb")
    ended = await until(ask, build["id"])
    assert ended["state"] == "refused"
    assert [item["code"] for item in ended["diagnostics"]] == ["N2"]
    assert ended["diagnostics"][0]["title"] == "no predict cell"
    assert ended["bento"] is None


async def test_cancel_stops_the_kernel_and_the_server_answers_meanwhile(ask, jp_root_dir, own_home):
    write(jp_root_dir / "x.ipynb", SLEEPING)
    write(jp_root_dir / "y.ipynb", SLEEPING)
    _, build = await ask("builds", method="POST", body={"path": "x.ipynb"})
    _, waiting = await ask("builds", method="POST", body={"path": "y.ipynb"})
    kernel = await running_kernel(jp_root_dir)
    started = time.perf_counter()
    assert (await ask("version"))[0] == 200
    assert time.perf_counter() - started < 1
    _, now = await ask("builds", build["id"])
    assert (now["state"], now["stages"][-1]["name"], now["cells"][1]) == ("running", "record", 4)
    assert (await ask("builds", method="POST", body={"path": "x.ipynb"}))[0] == 400  # once at a time
    assert (await ask("builds", waiting["id"]))[1]["state"] == "queued"

    assert (await ask("builds", waiting["id"], method="DELETE"))[1]["state"] == "cancelled"
    status, now = await ask("builds", build["id"], method="DELETE")
    assert (status, now["cancelling"]) == (202, True)
    ended = await until(ask, build["id"], seconds=40)
    assert (ended["state"], ended["summary"]) == ("cancelled", "Cancelled; nothing was kept.")
    assert await gone(kernel)
    assert list((own_home / "staging").iterdir()) == []
    assert "record" in (await ask("builds", build["id"], "log"))[1]


async def test_a_worker_that_is_killed_is_a_failed_build(ask, jp_root_dir, jp_web_app):
    write(jp_root_dir / "x.ipynb", SLEEPING)
    _, build = await ask("builds", method="POST", body={"path": "x.ipynb"})
    kernel = await running_kernel(jp_root_dir)
    jp_web_app.settings["nb2prod_builds"]._processes[build["id"]].kill()
    ended = await until(ask, build["id"], seconds=40)
    assert ended["state"] == "failed"
    assert "ended without an outcome" in ended["summary"]
    assert await gone(kernel)


async def test_the_stream_tells_every_change_to_whoever_comes(ask, jp_root_dir, jp_fetch):
    write(jp_root_dir / "x.ipynb", document(("", LOAD), ("train", TRAIN)))
    lines = []

    def collect(chunk):
        lines.extend(json.loads(line) for line in chunk.decode().splitlines() if line)

    stream = asyncio.ensure_future(
        jp_fetch("nb2prod", "builds", "events", streaming_callback=collect, request_timeout=30)
    )
    await asyncio.sleep(0.5)
    _, build = await ask("builds", method="POST", body={"path": "x.ipynb"})
    await until(ask, build["id"])
    await asyncio.sleep(0.3)
    stream.cancel()
    states = [item["state"] for item in lines if item["id"] == build["id"]]
    assert states[0] == "queued"
    assert states[-1] == "refused"
    assert "running" in states


async def test_a_page_that_closes_leaves_nothing_in_the_log(ask, jp_root_dir, jp_base_url, jp_serverapp, caplog):
    """Its stream has ended while the server waited for a change to tell, and while it told one."""
    token = jp_serverapp.identity_provider.token
    # Jupyter Server's log does not propagate to where pytest listens.
    for name in ("tornado.application", "tornado.general", jp_serverapp.log.name):
        logging.getLogger(name).addHandler(caplog.handler)
    write(jp_root_dir / "x.ipynb", document(("", LOAD), ("train", TRAIN)))
    writers = []
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_serverapp.port)
        request = f"GET {jp_base_url}nb2prod/builds/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: token {token}\r\n\r\n"
        writer.write(request.encode())
        assert b"200" in await reader.readline()
        writers.append(writer)
    for writer in writers:
        writer.close()
    _, build = await ask("builds", method="POST", body={"path": "x.ipynb"})
    await until(ask, build["id"])
    gc.collect()  # a task that nobody waited for speaks up when it goes
    await asyncio.sleep(0.2)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_stranger_gets_nothing(jp_fetch, own_home):
    wrong = {"Authorization": "token of-someone-else"}
    for path in (("builds",), ("builds", "events"), ("releases",)):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch("nb2prod", *path, headers=wrong)
        assert caught.value.code == 403, path
    for path in (("builds",), ("check",), ("suggest",)):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch("nb2prod", *path, method="POST", body="{}", headers=wrong)
        assert caught.value.code == 403, path


async def test_a_request_with_a_cookie_needs_the_xsrf_token(http_server_client, jp_base_url, jp_serverapp, own_home):
    """Another page in the same browser can send the cookie, but not the token."""
    token = jp_serverapp.identity_provider.token
    login = await http_server_client.fetch(
        f"{jp_base_url}tree?token={token}", follow_redirects=False, raise_error=False
    )
    cookies = "; ".join(value.split(";")[0] for value in login.headers.get_list("Set-Cookie"))
    headers = {"Cookie": cookies}
    read = await http_server_client.fetch(f"{jp_base_url}nb2prod/builds", headers=headers, raise_error=False)
    assert read.code == 200
    sent = await http_server_client.fetch(
        f"{jp_base_url}nb2prod/builds", method="POST", body="{}", headers=headers, raise_error=False
    )
    assert sent.code == 403
    assert b"XSRF" in sent.body.upper()


async def test_what_does_not_exist_is_said(ask, jp_root_dir):
    assert (await ask("builds", "20260101-000000-abcdef"))[0] == 404
    assert (await ask("builds", method="POST", body={"path": "none.ipynb"}))[0] == 404
    assert (await ask("releases", "none", "latest"))[0] == 404
    assert (await ask("releases")) == (200, {"releases": []})
    write(jp_root_dir / "x.ipynb", houses())
    status, found = await ask("builds", method="POST", body={"path": "x.ipynb", "options": {"colour": 1}})
    assert status == 400
    assert "colour" in found["error"]["message"]


async def test_a_restarted_server_knows_old_builds_and_ends_those_left_open(own_home, tmp_path):
    done = build_state.Build(
        "20260101-000000-aaaaaa", str(tmp_path / "x.ipynb"), "2026-01-01T00:00:00+00:00", 2**22 + 7, state="proved"
    )
    left = build_state.Build(
        "20260101-000001-bbbbbb", str(tmp_path / "x.ipynb"), "2026-01-01T00:00:01+00:00", 2**22 + 7, state="running"
    )
    for build in (done, left):
        build_state.save(build)
    found = {build.id: build for build in BuildQueue().builds()}
    assert found[done.id] == done
    assert found[left.id].state == "failed"
    assert "server stopped" in found[left.id].summary
    assert BuildQueue().get(left.id).state == "failed"


@pytest.mark.slow
async def test_a_build_is_proved_and_its_release_and_report_are_there(ask, jp_root_dir):
    write(jp_root_dir / "houses.ipynb", houses())
    _, build = await ask("builds", method="POST", body={"path": "houses.ipynb"})
    ended = await until(ask, build["id"])
    assert ended["state"] == "proved", ended
    assert [stage["name"] for stage in ended["stages"]] == [
        "environment",
        "record",
        "plan",
        "package",
        "prove",
        "release",
    ]
    assert ended["cells"] == [4, 4]
    assert ended["result"]["path"]["fields"] == ["size", "rooms"]
    name, version = ended["bento"].split(":")

    _, listed = await ask("releases", params={"name": name})
    assert [item["bento"] for item in listed["releases"]] == [ended["bento"]]
    _, release = await ask("releases", name, "latest")
    assert release["version"] == version
    assert release["plan"]["raw_table"] == "df"
    _, checked = await ask("check", method="POST", body={"path": "houses.ipynb", "content": houses()})
    assert checked["notebook_hash"] == release["notebook_hash"]
    _, report = await ask("builds", build["id"], "report")
    assert report["passed"] is True
    assert (await ask("releases", name, version, "report"))[1] == report
    status, page = await ask("releases", name, version, "report", params={"format": "html"})
    assert status == 200
    assert "<html" in page


async def test_deployments_that_do_not_exist_and_wishes_that_make_no_sense(ask):
    assert await ask("deployments") == (200, {"deployments": []})
    for path in (("none",), ("none", "form")):
        assert (await ask("deployments", *path))[0] == 404, path
    for action in ("stop", "rollback", "restart", "predict"):
        body = {"rows": [{}]}
        assert (await ask("deployments", "none", action, method="POST", body=body))[0] == 404, action
    assert (await ask("deployments", "none", "explode", method="POST", body={}))[0] == 404
    for wish in ({}, {"bento": "none:1"}, {"bento": "x:1", "port": "80"}, {"bento": "x:1", "target": "moon"}):
        status, found = await ask("deployments", method="POST", body=wish)
        assert status == 400, wish
        assert found["error"]["message"], wish
