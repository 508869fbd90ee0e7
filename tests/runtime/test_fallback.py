"""Where the model can't answer, the notebook's rules do, and the answer says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nb2prod.runtime.app import App
from nb2prod.runtime.options import OptionProblem
from tests.runtime import projects
from tests.runtime.asgi import JSON, Reply, ask, get, post
from tests.runtime.test_app import ANSWER, SLOW, envelope, fresh_metrics

RULES = """
def fallback(rows):
    # cell 9
    if (rows["Fare"] > 400).any():
        raise ValueError(f"too much for any rule: {rows['Fare'].max()}")
    return (rows["Sex"] == "female").astype(int) + 10
"""


def ruled(folder: Path, **kwargs: Any) -> App:
    project = projects.write(folder / "project", **kwargs)
    (project / "fallback.py").write_text(RULES)
    app = App(project, version="v1", metrics=fresh_metrics)
    app.load()
    return app


def test_a_row_on_which_the_models_code_fails_gets_the_rules_answer(tmp_path: Path) -> None:
    app = ruled(tmp_path, options={"cannot_answer": "fallback"})
    rows = [projects.row(), projects.row(Fare=-1.0, Sex="female"), projects.row(Fare=-2.0)]
    document = post(app, "/predict", {"rows": rows}).document
    assert document["predictions"][0] in (0, 1)
    assert document["predictions"][1:] == [11, 10]
    assert document["fallbacks"] == [{"row": 1, "reason": "row_failed"}, {"row": 2, "reason": "row_failed"}]
    assert document["errors"] == []
    assert 'nb2prod_fallbacks_total{reason="row_failed"} 2.0' in get(app, "/metrics").body.decode()


def test_a_row_on_which_both_fail_is_an_error_and_its_neighbours_are_answered(tmp_path: Path) -> None:
    features = projects.FEATURES.replace("if fare < 0:", "if fare < 0 or fare > 400:")
    app = ruled(tmp_path, features=features, options={"cannot_answer": "fallback"})
    document = post(app, "/predict", {"rows": [projects.row(Fare=500.0), projects.row(Fare=-1.0)]}).document
    assert document["predictions"] == [None, 10]
    assert [(error["row"], error["code"]) for error in document["errors"]] == [(0, "row_failed")]
    assert document["fallbacks"] == [{"row": 1, "reason": "row_failed"}]


def test_over_the_budget_the_rules_answer_in_time(tmp_path: Path) -> None:
    options = {"cannot_answer": "fallback", "latency_budget": 0.4}
    app = ruled(tmp_path, features=SLOW, predict=ANSWER, options=options)
    document = post(app, "/predict", {"rows": [projects.row()] * 20}).document
    assert document["predictions"] == [10] * 20
    assert {item["reason"] for item in document["fallbacks"]} == {"over_budget"}


def test_beyond_the_limit_of_requests_at_once_the_rules_answer_up_to_twice_as_many(tmp_path: Path) -> None:
    options = {"cannot_answer": "fallback", "max_in_flight": 2}
    app = ruled(tmp_path, features=SLOW, predict=ANSWER, options=options)

    async def story() -> list[Reply]:
        body = json.dumps({"rows": [projects.row()]}).encode()
        return await asyncio.gather(*(ask(app, "POST", "/predict", body, JSON) for _ in range(6)))

    replies = asyncio.run(story())
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 200, 429, 429]
    reasons = [item["reason"] for r in replies if r.status == 200 for item in r.document["fallbacks"]]
    assert reasons == ["busy", "busy"]


def test_the_rules_can_be_asked_alone_and_are_documented(tmp_path: Path) -> None:
    app = ruled(tmp_path)
    document = post(app, "/fallback", {"rows": [projects.row(Sex="female")]}).document
    assert document["predictions"] == [11]
    assert "fallbacks" not in post(app, "/predict", {"rows": [projects.row()]}).document
    assert "/fallback" in get(app, "/docs.json").document["paths"]


def test_without_rules_there_is_no_such_path_and_no_such_option(tmp_path: Path) -> None:
    project = projects.write(tmp_path / "project", options={"cannot_answer": "fallback"})
    with pytest.raises(OptionProblem, match="a cell tagged 'fallback'"):
        App(project, metrics=fresh_metrics).load()
    (project / "options.json").unlink()
    app = App(project, metrics=fresh_metrics)
    app.load()
    envelope(post(app, "/fallback", {"rows": []}), 404, "not_found")
