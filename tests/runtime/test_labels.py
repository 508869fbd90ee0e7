"""POST /labels: what turned out to be true is kept beside the request log, whole or not at all."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nb2prod.runtime.app import App
from tests.runtime.asgi import JSON, Reply, ask
from tests.runtime.test_app import served

GOOD = {"request_id": "r1", "row": 0, "label": 1}


@pytest.fixture
def app(tmp_path: Path) -> App:
    return served(tmp_path / "project", options={"request_log": 1.0})


def told(app: App, body: Any, headers: dict[str, str] = JSON) -> Reply:
    return asyncio.run(ask(app, "POST", "/labels", json.dumps(body).encode(), headers))


def kept(data: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in (data / "houses" / "labels").glob("*.jsonl") for line in file.open()]


def test_labels_are_kept_and_counted(app: App, data: Path) -> None:
    reply = told(app, {"labels": [GOOD, {**GOOD, "row": 1, "label": "left"}]})
    assert (reply.status, reply.document["accepted"]) == (202, 2)
    assert told(app, {"labels": [{**GOOD, "label": 0.5}]}).status == 202
    found = kept(data)
    assert [(item["request_id"], item["row"], item["label"]) for item in found] == [
        ("r1", 0, 1),
        ("r1", 1, "left"),
        ("r1", 0, 0.5),
    ]
    assert all(item["at"].endswith("+00:00") for item in found)
    assert "/labels" in asyncio.run(ask(app, "GET", "/docs.json", b"", {})).document["paths"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ({"labels": GOOD}, 422),
        ({"labels": [GOOD], "more": 1}, 422),
        ({"labels": [GOOD, {"request_id": "r1", "row": 0}]}, 422),
        ({"labels": [{**GOOD, "row": -1}]}, 422),
        ({"labels": [{**GOOD, "row": True}]}, 422),
        ({"labels": [{**GOOD, "label": None}]}, 422),
        ({"labels": [{**GOOD, "label": [1]}]}, 422),
        ({"labels": [{**GOOD, "request_id": "x" * 65}]}, 422),
        ({"labels": [GOOD] * 10_001}, 422),
    ],
)
def test_what_is_malformed_is_refused_whole(app: App, data: Path, body: Any, status: int) -> None:
    assert told(app, body).status == status
    assert not (data / "houses" / "labels").exists()


def test_no_log_no_labels_and_a_disk_that_refuses(tmp_path: Path, app: App, data: Path) -> None:
    assert told(served(tmp_path / "other"), {"labels": [GOOD]}).status == 404
    assert asyncio.run(ask(app, "POST", "/labels", b"{", JSON)).status == 400
    (data / "houses").mkdir(parents=True)
    (data / "houses" / "labels").write_text("in the way")
    reply = told(app, {"labels": [GOOD]})
    assert (reply.status, reply.document["error"]["code"]) == (503, "unavailable")


def test_nothing_to_tell_is_no_fault(app: App, data: Path) -> None:
    assert told(app, {"labels": []}).document["accepted"] == 0
    assert not (data / "houses" / "labels").exists()
