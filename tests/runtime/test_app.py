"""The service's contract, asked within this process: routes, limits, keys, one envelope."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from nb2prod.runtime.app import App
from nb2prod.runtime.http import Failure
from nb2prod.runtime.keys import Keys
from nb2prod.runtime.metrics import Metrics
from nb2prod.runtime.options import OptionProblem, Options
from tests.runtime import projects
from tests.runtime.asgi import JSON, Reply, ask, get, post
from tests.runtime.test_model import PREDICT, RULES


def served(folder: Path, *, keys: str | None = None, **kwargs: Any) -> App:
    options = kwargs.pop("options", {})
    project = projects.write(folder, **kwargs)
    app = App(
        project,
        options=Options.from_json({**options, **({"api_keys_file": keys} if keys else {})}),
        metrics=fresh_metrics,
    )
    app.load()
    return app


def fresh_metrics(signature: Any, version: str) -> Metrics:
    """Metrics of this application alone."""
    return Metrics(signature, version, registry=CollectorRegistry())


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    return served(tmp_path_factory.mktemp("app") / "project", features=RULES, predict=PREDICT)


def envelope(reply: Reply, status: int, code: str) -> dict[str, Any]:
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    document = reply.document
    assert document["error"]["code"] == code
    assert document["error"]["message"]
    assert isinstance(document["error"]["details"], list)
    assert document["request_id"] == reply.headers["x-request-id"]
    return dict(document["error"])


def test_predictions_come_in_the_rows_order_with_the_model_s_name(app: App) -> None:
    reply = post(app, "/predict", {"rows": [projects.row(), projects.row(Age=None)]}, {"X-Request-ID": "abc-1"})
    assert reply.status == 200
    assert set(reply.document) == {"predictions", "errors", "model", "request_id"}
    assert len(reply.document["predictions"]) == 2
    assert reply.document["model"] == "houses:abc"
    assert reply.document["request_id"] == reply.headers["x-request-id"] == "abc-1"


def test_no_rows_no_predictions(app: App) -> None:
    assert post(app, "/predict", {"rows": []}).document["predictions"] == []
    assert post(app, "/features", {"rows": []}).document["features"] == []


def test_features_are_answered_by_name(app: App) -> None:
    reply = post(app, "/features", {"rows": [projects.row(Age=None)]})
    assert reply.document["features"][0]["Age"] == 30.0


def test_refused_and_failed_rows_are_errors_beside_the_others_answers(app: App) -> None:
    reply = post(app, "/predict", {"rows": [projects.row(Fare=-1.0), projects.row(), projects.row(Fare=666.0)]})
    assert reply.status == 200
    document = reply.document
    assert [value is None for value in document["predictions"]] == [True, False, True]
    assert [(error["row"], error["code"]) for error in document["errors"]] == [(0, "row_refused"), (2, "row_failed")]


ERRORS = [
    ("GET", "/nothing", b"", {}, 404, "not_found"),
    ("GET", "/predict/", b"", {}, 404, "not_found"),
    ("GET", "/healthz", b"", {}, 404, "not_found"),
    ("GET", "/predict", b"", {}, 405, "method_not_allowed"),
    ("PUT", "/predict", b"{}", JSON, 405, "method_not_allowed"),
    ("POST", "/livez", b"", {}, 405, "method_not_allowed"),
    ("DELETE", "/signature", b"", {}, 405, "method_not_allowed"),
    ("POST", "/predict", b"{}", {}, 415, "unsupported_media_type"),
    ("POST", "/predict", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    ("POST", "/predict", b"\x1f\x8b", {**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
    ("POST", "/predict", b"{", JSON, 400, "bad_request"),
    ("POST", "/predict", b"", JSON, 400, "bad_request"),
    ("POST", "/predict", b"[" * 50_000, JSON, 400, "bad_request"),
    ("POST", "/predict", b"{}", JSON, 422, "malformed_rows"),
    ("POST", "/predict", b'{"rows":[{}]}', JSON, 422, "malformed_rows"),
    ("POST", "/predict", b"{}", {**JSON, "Content-Length": "99999999999"}, 413, "too_large"),
    ("POST", "/predict", [b"x" * 6_000_000] * 2, JSON, 413, "too_large"),
    ("POST", "/predict", b'{"rows":[' + b",".join([b"{}"] * 10_001) + b"]}", JSON, 422, "malformed_rows"),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), ERRORS)
def test_every_error_is_in_the_one_envelope(
    app: App, method: str, path: str, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    reply = asyncio.run(ask(app, method, path, body, headers))
    envelope(reply, status, code)
    assert (status != 405) or reply.headers["allow"]


def test_malformed_rows_are_all_listed_and_their_values_are_not(app: App) -> None:
    row = projects.row(Age="a secret", Big=1.5, Sex=5)
    error = envelope(post(app, "/predict", {"rows": [projects.row(), row, {"Sex ": "x"}]}), 422, "malformed_rows")
    assert error["message"] == "2 of 3 rows are malformed"
    assert {(d["row"], d["field"]) for d in error["details"]} >= {(1, "Age"), (1, "Big"), (1, "Sex"), (2, "Sex ")}
    assert "secret" not in json.dumps(error)
    assert any("did you mean 'Sex'?" in d["reason"] for d in error["details"])


def test_head_is_get_without_its_body(app: App) -> None:
    reply = get(app, "/signature", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) == len(get(app, "/signature").body)


def test_the_signature_and_health_are_json(app: App) -> None:
    assert get(app, "/livez").document == {"status": "alive"}
    assert get(app, "/readyz").document == {"status": "ready"}
    signature = get(app, "/signature").document
    assert [column["name"] for column in signature["columns"]] == list(projects.training().columns)


def test_a_caller_s_request_id_is_kept_only_if_it_is_a_plain_one(app: App) -> None:
    for named in ("x" * 65, "a b", "<script>", ""):
        assert get(app, "/livez", {"X-Request-ID": named}).headers["x-request-id"] != named


def test_the_examples_of_the_document_are_answered(app: App) -> None:
    document = get(app, "/docs.json").document
    assert document["openapi"] == "3.1.0"
    for path, name in (("/predict", "predictions"), ("/features", "features")):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            reply = post(app, path, example["value"])
            assert reply.status == 200
            assert reply.document["errors"] == []
            assert len(reply.document[name]) == len(example["value"]["rows"]) > 0


def test_the_document_types_the_row(app: App) -> None:
    row = get(app, "/docs.json").document["components"]["schemas"]["Row"]
    assert row["required"] == list(projects.FIELDS)
    assert row["additionalProperties"] is False
    assert row["properties"]["Age"]["type"] == ["number", "null"]
    assert row["properties"]["Big"]["type"] == "integer"
    assert row["properties"]["Sex"]["type"] == "string"


def test_the_page_asks_nothing_of_anyone_else(app: App) -> None:
    reply = get(app, "/")
    page = reply.body.decode()
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    for name in projects.FIELDS:
        assert f">{name} <small>" in page


def test_metrics_have_no_label_that_a_caller_chooses(app: App) -> None:
    post(app, "/predict", {"rows": [projects.row(Sex="unseen", Age=None)]})
    post(app, "/predict", {"rows": [{"my own field": 1}]})
    get(app, "/my/own/path")
    text = get(app, "/metrics").body.decode()
    assert "my own" not in text
    assert "/my/own" not in text
    assert re.search(r'nb2prod_requests_total\{endpoint="/predict",status="200"\} [1-9]', text)
    assert re.search(r'nb2prod_missing_values_total\{field="Age"\} [1-9]', text)
    assert re.search(r'nb2prod_malformed_values_total\{field="\(unknown\)"\} [1-9]', text)
    assert 'nb2prod_build_info{model="houses",notebook="houses.ipynb",version="abc"} 1.0' in text


def test_many_callers_share_a_batch_and_each_gets_its_own(app: App) -> None:
    """A caller with bad rows changes nothing for the others."""

    async def everyone() -> list[Reply]:
        bodies = [[projects.row(Fare=666.0 if at % 5 == 0 else float(at))] * (at % 3 + 1) for at in range(60)]
        asked = (ask(app, "POST", "/predict", json.dumps({"rows": rows}).encode(), JSON) for rows in bodies)
        return await asyncio.gather(*asked)

    replies = asyncio.run(everyone())
    for at, reply in enumerate(replies):
        rows = at % 3 + 1
        alone = post(app, "/predict", {"rows": [projects.row(Fare=666.0 if at % 5 == 0 else float(at))] * rows})
        assert reply.status == 200, reply.document
        assert reply.document["predictions"] == alone.document["predictions"]
        assert [error["row"] for error in reply.document["errors"]] == (list(range(rows)) if at % 5 == 0 else [])


def test_a_large_request_is_answered_whole(app: App) -> None:
    rows = [projects.row(Fare=-1.0 if at % 100 == 0 else at + 0.5) for at in range(1000)]
    document = post(app, "/predict", {"rows": rows}).document
    assert len(document["predictions"]) == 1000
    assert [error["row"] for error in document["errors"]] == list(range(0, 1000, 100))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
GOOD = projects.row()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), json_values, max_size=4), st.booleans())
def test_no_generated_request_gets_a_5xx_and_a_good_neighbour_is_answered(
    app: App, changes: dict[str, Any], whole: bool
) -> None:
    rows = [GOOD, {**GOOD, **changes}] if whole else changes
    reply = post(app, "/predict", json.dumps({"rows": rows}).encode())
    assert reply.status in (200, 400, 422)
    if reply.status == 200 and whole:
        assert reply.document["predictions"][0] == post(app, "/predict", {"rows": [GOOD]}).document["predictions"][0]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_no_bytes_get_a_5xx(app: App, body: bytes) -> None:
    assert post(app, "/predict", body).status in (400, 422)


# -- options ----------------------------------------------------------------------------------------------------------


def test_good_rows_are_answered_beside_malformed_ones_where_that_was_chosen(tmp_path: Path) -> None:
    app = served(tmp_path, options={"on_row_error": "answer"})
    rows = [projects.row(Age="x", Sex=1), projects.row(), projects.row(Fare=-1.0), {}]
    document = post(app, "/predict", {"rows": rows}).document
    assert [value is None for value in document["predictions"]] == [True, False, True, True]
    told = {(error["row"], error["field"], error["code"]) for error in document["errors"]}
    assert {(0, "Age", "row_malformed"), (0, "Sex", "row_malformed"), (2, None, "row_failed")} <= told
    assert post(app, "/predict", {"rows": [{}]}).document["predictions"] == [None]
    envelope(post(app, "/predict", {"rows": 1}), 422, "malformed_rows")


SLOW = """
import time

def features(rows):
    time.sleep(0.15 * len(rows))
    return rows
"""
ANSWER = "def predict(rows):\n    return rows['Age']\n"


def test_over_the_latency_budget_is_504_and_the_service_lives_on(tmp_path: Path) -> None:
    app = served(tmp_path, features=SLOW, predict=ANSWER, options={"latency_budget": 0.5})

    async def story() -> None:
        many = json.dumps({"rows": [projects.row()] * 20}).encode()
        one = json.dumps({"rows": [projects.row()]}).encode()
        started = time.monotonic()
        waiting = asyncio.create_task(ask(app, "POST", "/predict", many, JSON))
        await asyncio.sleep(0.2)
        asked = time.monotonic()
        assert (await ask(app, "GET", "/livez")).status == 200
        assert time.monotonic() - asked < 0.2, "health waits for no batch"
        envelope(await waiting, 504, "timeout")
        assert time.monotonic() - started < 1.5
        await asyncio.sleep(0.3)
        assert (await ask(app, "POST", "/predict", one, JSON)).status == 200

    asyncio.run(story())
    assert "nb2prod_timeouts_total 1.0" in get(app, "/metrics").body.decode()


def test_over_the_concurrency_limit_is_429_with_retry_after(tmp_path: Path) -> None:
    app = served(tmp_path, features=SLOW, predict=ANSWER, options={"max_in_flight": 2})

    async def story() -> list[Reply]:
        body = json.dumps({"rows": [projects.row()]}).encode()
        return await asyncio.gather(*(ask(app, "POST", "/predict", body, JSON) for _ in range(5)))

    replies = asyncio.run(story())
    assert sorted(reply.status for reply in replies) == [200, 200, 429, 429, 429]
    refused = next(reply for reply in replies if reply.status == 429)
    envelope(refused, 429, "too_many_requests")
    assert refused.headers["retry-after"] == "1"


def test_a_body_that_never_ends_is_given_up(tmp_path: Path) -> None:
    app = served(tmp_path, options={"body_timeout": 0.2})
    reply = asyncio.run(ask(app, "POST", "/predict", [b'{"rows"', b":"], JSON, stall=True))
    envelope(reply, 408, "request_timeout")


def test_before_it_is_loaded_the_service_is_alive_but_not_ready(tmp_path: Path) -> None:
    app = App(projects.write(tmp_path), options=Options())
    assert get(app, "/livez").status == 200
    envelope(get(app, "/readyz"), 503, "unavailable")
    envelope(post(app, "/predict", {"rows": []}), 503, "unavailable")


def test_a_fault_of_ours_is_500_without_its_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = served(tmp_path)

    def broken(*_: object) -> None:
        raise RuntimeError("a secret value")

    app.answering.batchers["predictions"]._run = broken
    with caplog.at_level(logging.INFO, "nb2prod.serve"):
        reply = post(app, "/predict", {"rows": [projects.row()]})
    envelope(reply, 500, "internal_error")
    assert b"secret" not in reply.body
    told = [record for record in caplog.records if record.message == "fault"]
    assert told[0].fields["error"] == "RuntimeError"
    assert "secret" not in str([vars(record) for record in caplog.records])


def test_no_value_is_ever_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = served(tmp_path, options={"log_requests": True})
    with caplog.at_level(logging.DEBUG):
        post(app, "/predict", {"rows": [projects.row(Sex="secret", Age="secret", secret="secret")]})
        post(app, "/predict", {"rows": [projects.row(Sex="secret", Fare=-1.0)]})
        post(app, "/predict", b'{"rows": "secret')
        get(app, "/secret")
    assert caplog.records
    assert "secret" not in str([vars(record) for record in caplog.records])


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_with_keys_all_but_health_need_one(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"# who\nteam-a:{digest('one')}\n\n{digest('two')}\n")
    app = served(tmp_path / "project", keys=str(keys))
    for path in ("/livez", "/readyz"):
        assert get(app, path).status == 200
    for path in ("/", "/signature", "/metrics", "/docs.json", "/nothing"):
        reply = get(app, path)
        envelope(reply, 401, "unauthorized")
        assert reply.headers["www-authenticate"] == "Bearer"
    body = {"rows": [projects.row()]}
    envelope(post(app, "/predict", body), 401, "unauthorized")
    envelope(post(app, "/predict", body, {"X-API-Key": "three"}), 401, "unauthorized")
    envelope(post(app, "/predict", body, {"X-API-Key": digest("one")}), 401, "unauthorized")
    assert post(app, "/predict", body, {"X-API-Key": "one"}).status == 200
    assert post(app, "/predict", body, {"Authorization": "Bearer two"}).status == 200
    assert "security" in get(app, "/docs.json", {"X-API-Key": "one"}).document


def test_keys_are_changed_without_a_restart(tmp_path: Path) -> None:
    now = [0.0]
    file = tmp_path / "keys"
    file.write_text(digest("old"))
    keys = Keys(str(file), clock=lambda: now[0])

    def known(key: str) -> bool:
        try:
            keys.check({"headers": [(b"x-api-key", key.encode())]})
        except Failure:
            return False
        return True

    assert known("old")
    file.write_text(f"{digest('new')}\n{digest('newer')}")
    now[0] = 2.0
    assert [known("old"), known("new"), known("newer")] == [False, True, True]
    file.write_text("half")
    now[0] = 4.0
    assert known("new")


@pytest.mark.parametrize("text", ["", "# nobody\n", "one:short", "key in the clear"])
def test_a_list_of_keys_that_is_none_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(OptionProblem) as caught:
        Keys(str(file))
    assert "clear" not in str(caught.value)
    with pytest.raises(OptionProblem):
        Keys(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"max_row": 1}, "did you mean 'max_rows'"),
        ({"max_rows": 0}, "above 0"),
        ({"max_rows": 1.5}, "'max_rows' is 1.5; expected a whole number above 0"),
        ({"max_rows": True}, "is True; expected a whole number"),
        ({"latency_budget": "1"}, "is '1'; expected a number of seconds"),
        ({"latency_budget": float("nan")}, "is nan; expected a number of seconds"),
        ({"cannot_answer": "maybe"}, '"fail" or "fallback" or "queue"'),
        ({"cannot_answer": "queue", "jobs": False}, '"jobs" to be true'),
        ({"request_log": 1.5}, "from 0"),
        ({"request_log_exclude": "Age"}, "a list of field names"),
        ({"nonsense": 1}, "known: api_keys_file"),
        ({"on_row_error": "ignore"}, '"refuse" or "answer"'),
        ({"log_requests": 1}, "true or false"),
        ({"api_keys_file": 1}, "path"),
    ],
)
def test_an_option_that_can_not_be_used_is_named(form: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionProblem, match=message):
        Options.from_json(form)


def test_options_all_have_defaults(tmp_path: Path) -> None:
    assert Options.load(tmp_path / "options.json") == Options()
    (tmp_path / "options.json").write_text('{"latency_budget": 2, "workers": 2}')
    assert Options.load(tmp_path / "options.json") == Options(latency_budget=2, workers=2)
