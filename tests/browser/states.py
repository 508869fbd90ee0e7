"""Every state that the sidebar shows, with a server that answers what the state needs: nothing is built or deployed for it.

What a check, a suggestion and a kernel say is the real server's; builds, releases and deployments are documents as it would send them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.server.books import document

PATH = "customer_lifetime_value_forecast_2024.ipynb"
NAME = "customer_lifetime_value_forecast_2024"
VERSION, BEFORE = "ba99600d5c1e7f32", "0d41aa17f0b6c9e8"
BENTO = f"{NAME}:{VERSION}"

LOAD = """import pandas as pd
from sklearn.ensemble import RandomForestRegressor

customers = pd.DataFrame({"months_since_first_purchase": range(120), "preferred_payment_method": ["card", "invoice"] * 60})
customers["total_amount_spent_last_12_months_eur"] = [float(n % 37) for n in range(120)]"""
FEATURE = 'customers["is_card"] = (customers["preferred_payment_method"] == "card").astype(int)'
RANKED = 'customers["rank_of_months_since_first_purchase"] = customers["months_since_first_purchase"].rank(pct=True)'
TRAIN = 'X = customers[["months_since_first_purchase", "is_card"]]\nmodel = RandomForestRegressor(random_state=0).fit(X, customers["total_amount_spent_last_12_months_eur"])'
UNSEEDED = TRAIN.replace("random_state=0", "n_estimators=20")
PREDICT = "predicted_lifetime_value_eur = model.predict(X)"

# Below `window.nb2prodFake`: what is answered instead of the server, and how a build is told to whoever listens.
FAKE = """(() => {
  const real = window.fetch, encoder = new TextEncoder(), streams = [];
  const fake = window.nb2prodFake = { answers: {}, check: {} };
  fake.tell = build => { for (const stream of streams) { stream.enqueue(encoder.encode(JSON.stringify(build) + '\\n')); } };
  const json = (document, status = 200) =>
    new Response(JSON.stringify(document), { status, headers: { 'Content-Type': 'application/json' } });
  window.fetch = async (asked, init) => {
    const url = new URL(asked instanceof Request ? asked.url : asked, location.href);
    const at = url.pathname.indexOf('/nb2prod/');
    if (at < 0) { return real(asked, init); }
    const method = (asked instanceof Request ? asked.method : init?.method) ?? 'GET';
    const path = url.pathname.slice(at + '/nb2prod/'.length);
    if (path === 'builds/events') {
      return new Response(new ReadableStream({ start: stream => { streams.push(stream); } }));
    }
    const answer = fake.answers[`${method} ${path}`];
    if (answer === 'later') { return new Promise(done => { fake.end = () => { done(json({ error: { message: 'ended' } }, 500)); }; }); }
    if (answer !== undefined) { return json(answer.body ?? answer, answer.status); }
    const response = await real(asked, init);
    return path === 'check' && response.ok ? json({ ...(await response.json()), ...fake.check }) : response;
  };
})()"""


def notebook(*, tagged: bool = True, feature: str = FEATURE, train: str = TRAIN) -> dict[str, Any]:
    """A notebook whose names are as long as people's are."""
    tags = ("data", "feature", "train", "predict") if tagged else ("", "", "", "")
    return document(*zip(tags, (LOAD, feature, train, PREDICT), strict=True))


@dataclass(frozen=True)
class State:
    """What the server says, which notebook is in front, and what the panel shows then (a selector)."""

    name: str
    shows: str
    tagged: bool = True
    feature: str = FEATURE
    train: str = TRAIN
    answers: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    builds: tuple[Mapping[str, Any], ...] = ()
    then: Callable[[Page], None] | None = None


def build(number: int, state: str, **more: Any) -> dict[str, Any]:
    """A build as the server's stream tells it."""
    stages = [
        {"name": name, "since": float(at)}
        for at, name in enumerate(("environment", "record", "plan", "package", "prove"))
    ]
    reached = more.pop("reached", len(stages))
    return {
        "id": f"20260101-00000{number // 10}-aaaaa{number % 10}",
        "notebook": PATH,
        "state": state,
        "queued": "2026-01-01T00:00:00+00:00",
        "started": dt.datetime.now(dt.UTC).isoformat(),
        "ended": None,
        "stages": stages[:reached],
        "cells": None,
        "message": "",
        "cancelling": False,
        "bento": None,
        "summary": "",
        **more,
    }


def plan() -> dict[str, Any]:
    """A recorded plan."""
    return {
        "raw_table": "customers",
        "prediction": "predicted_lifetime_value_eur",
        "fields": ["months_since_first_purchase", "preferred_payment_method"],
        "target": ["total_amount_spent_last_12_months_eur"],
        "path": [{"cell": 2, "line": 1, "source": FEATURE}, {"cell": 4, "line": 1, "source": PREDICT}],
        "captured": [
            {"name": "median_of_months_since_first_purchase", "cell": 2, "line": 1, "reason": "customers['months_since_first_purchase'].median(), computed from all rows", "value": "59.5"},
            {"name": "model", "cell": 3, "line": 2, "reason": "read by the serving path as model", "value": "RandomForestRegressor(n_estimators=100, random_state=0)"},
        ],
        "filters": [
            {"cell": 2, "line": 3, "source": 'customers = customers[customers["total_amount_spent_last_12_months_eur"].notna()]', "class": "training-only", "evidence": "asks the target", "rows_before": 120, "rows_after": 118}
        ],
    }  # fmt: skip


def release(version: str = VERSION, **more: Any) -> dict[str, Any]:
    """A release with its plan."""
    return {
        "bento": f"{NAME}:{version}",
        "name": NAME,
        "version": version,
        "created": "2026-01-01T09:30:00+00:00",
        "notebook": PATH,
        "notebook_hash": "same",
        "data_hash": None,
        "parity": {"passed": True, "cases": {"replay": 12_345}},
        "plan": plan(),
        **more,
    }


def report(*, passed: bool = True) -> dict[str, Any]:
    """A parity report; one that failed has its first difference."""
    rows = {
        "replay": 12_345,
        "partition": 4_821,
        "edges": 171,
        "counterfactual": 66,
        "wire": 12_345,
        "target-free": 12_345,
    }
    kinds = [
        {"kind": kind, "status": "passed", "rows": count, "requests": 6, "differences": 0, "refused": 0, "note": ""}
        for kind, count in rows.items()
    ]
    values = [float(n % 37) * 1.5 for n in range(200)]
    other = [*values]
    mismatches: list[dict[str, Any]] = []
    if not passed:
        kinds[0] |= {"status": "failed", "differences": 31}
        other[::7] = [value * 1.2 for value in values[::7]]
        cause = {
            "text": "median_of_months_since_first_purchase is 59.5 in the notebook and 61.0 in the service",
            "feature": "months_since_first_purchase",
            "cell": 2,
            "source": FEATURE,
        }
        mismatches = [
            {"kind": "replay", "case": "133 rows at once", "reason": "", "row": 0, "row_id": 4711, "expected": 1234.5678901, "actual": 1481.48146812, "cause": cause}
        ]  # fmt: skip
    return {
        "passed": passed,
        "created": "2026-01-01T09:30:00+00:00",
        "prediction": "predicted_lifetime_value_eur",
        "bento": BENTO if passed else None,
        "kinds": kinds,
        "mismatches": mismatches,
        "notes": ["Fewer than 20 rows were replayed: that is a weak proof."] if not passed else [],
        "replay": {"expected": values, "actual": other},
    }


def deployment(state: str = "serving", **more: Any) -> dict[str, Any]:
    """A deployment of that release."""
    return {
        "name": NAME,
        "release": NAME,
        "version": VERSION,
        "bento": BENTO,
        "previous": None,
        "state": state,
        "url": "http://models.internal.example.org:30001",
        "uptime": 93_784.0,
        "health": "ready",
        "requests": 1_234_567,
        "errors": 1_021,
        "p50": 0.0042,
        "p99": 1.2345,
        "notebook": PATH,
        "notebook_changed": False,
        "rollout": None,
        "notes": [],
        "events": [],
        **more,
    }


ROLLOUT = {
    "version": VERSION,
    "stable": BEFORE,
    "stage": "10 %",
    "stages": ["shadow", "1 %", "10 %", "50 %", "100 %"],
    "share": 0.1,
    "paused": False,
    "evidence": 31.4,
    "needed": 1000.0,
    "leading": "prediction predicted_lifetime_value_eur: below 1200",
    "requests": 213,
    "wanted": 1020,
    "rates": {"errors": [0.0141, 0.0098], "refusals": [0, 0], "late": [0.0047, 0.0051], "nulls": [0.11, 0.108]},
    "awaited": "requests: the canary has answered 213, and harm would be seen after 1,020; the hold: 4 min more",
    "problem": "",
    "sentence": "ba99600d5c1e7f32 is a canary",
}

FORM = {
    "fields": [
        {"name": "months_since_first_purchase", "type": "integer", "nullable": False, "categories": None, "minimum": 0, "maximum": 119},
        {"name": "preferred_payment_method", "type": "string", "nullable": True, "categories": ["card", "invoice"], "minimum": None, "maximum": None},
    ],
    "examples": [{"months_since_first_purchase": 17, "preferred_payment_method": "invoice"}, {"months_since_first_purchase": 3, "preferred_payment_method": "card"}],
}  # fmt: skip
ANSWERED = {
    "status": 200,
    "milliseconds": 12.34,
    "answer": {"predictions": [1234.5678901234567], "errors": [], "model": BENTO},
}
MALFORMED = {
    "status": 422,
    "milliseconds": 3.2,
    "answer": {
        "error": {
            "code": "malformed_rows",
            "message": "1 of 1 rows are malformed",
            "details": [
                {"row": 0, "field": "months_since_first_purchase", "reason": "expected an integer, got a string"}
            ],
        }
    },
}
SAME = {"name": NAME, "notebook_hash": "same"}
CHANGED = {"name": NAME, "notebook_hash": "other"}


def known(*deployments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Answers of a server that has that release, and these deployments."""
    at = f"GET releases/{NAME}/latest"
    return {
        "GET version": {"version": "0.1.0"},
        at: release(),
        "GET releases": {"releases": [release(), release(BEFORE, created="2025-12-30T08:00:00+00:00")]},
        f"GET releases/{NAME}/{VERSION}/report": report(),
        "GET deployments": {"deployments": list(deployments)},
        f"GET deployments/{NAME}/form": FORM,
        **more,
    }


def unknown() -> dict[str, Any]:
    """Answers of a server on which nothing was built."""
    missing = {"status": 404, "body": {"error": {"code": "http", "message": "no release", "hint": ""}}}
    return {
        "GET version": {"version": "0.1.0"},
        f"GET releases/{NAME}/latest": missing,
        "GET deployments": {"deployments": []},
    }


def _press(name: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        page.locator("#nb2prod-panel").get_by_role("button", name=name, exact=True).first.click()

    return press


def _deploying(page: Page) -> None:
    page.locator("#nb2prod-panel .nb2prod-Way-next", has_text="Deploy").click()


def _asked(answer: Mapping[str, Any]) -> Callable[[Page], None]:
    def ask(page: Page) -> None:
        page.evaluate(
            "([path, answer]) => { nb2prodFake.answers[path] = answer; }",
            [f"POST deployments/{NAME}/predict", {"body": dict(answer)}],
        )
        panel = page.locator("#nb2prod-panel .nb2prod-Deployment")
        if panel.locator(".nb2prod-Try").count() == 0:
            panel.get_by_role("button", name="Try it").click()
        panel.get_by_role("button", name="Ask", exact=True).click()
        panel.locator(".nb2prod-Try-answer > *").first.wait_for()

    return ask


def _nothing_answered(page: Page) -> None:
    page.locator("#nb2prod-panel .nb2prod-Deployment").get_by_role("button", name="Try it").click()
    _press("Releases")(page)


BAR, WAY, CARD = ".nb2prod-Build", ".nb2prod-Way", ".nb2prod-Deployment"
REFUSED = {
    "code": "F6", "title": "values of other rows", "severity": "error", "cell": 2, "line": 1, "source": RANKED, "fixes": [],
    "message": "shift() on customers['months_since_first_purchase'] makes each row's value of the rows before it. A request's row comes alone.",
    "hint": "Have the history come with the row:\n    customers['previous_amount'] = customers['previous_amount_loaded_with_the_table']\nor leave this feature out.",
}  # fmt: skip

# A build stays the notebook's newest one: the states without any come first.
STATES = (
    State("untagged", f"{WAY} >> text=Suggest tags", tagged=False, answers=unknown()),
    State("suggested", ".nb2prod-Proposed", tagged=False, answers=unknown(), then=_press("Suggest tags")),
    State("errors", '.nb2prod-Diagnostic[data-code="F5"]', feature=RANKED, train=UNSEEDED, answers=unknown()),
    State("checked", f"{WAY} >> text=Build and prove", answers=unknown()),
    State("queued", f"{BAR} >> text=Waiting", builds=(build(1, "queued", started=None, reached=0),)),
    State("running", f"{BAR} >> text=Running cell 3 of 4", builds=(build(1, "running", cells=[2, 4], reached=2),)),
    State("proving", f"{BAR} >> text=Comparing", builds=(build(1, "proving"),)),
    State(
        "cancelled",
        f"{BAR} >> text=nothing was kept",
        builds=(build(1, "cancelled", summary="Cancelled; nothing was kept."),),
    ),
    State(
        "refused",
        f"{BAR} >> text=stands in the way",
        answers={**unknown(), "GET builds/20260101-000000-aaaaa2": {**build(2, "refused"), "diagnostics": [REFUSED]}},
        builds=(build(2, "refused", summary="1 line stands in the way."),),
    ),
    State(
        "failed",
        f"{BAR} >> text=Failed",
        answers={
            **unknown(),
            "GET builds/20260101-000000-aaaaa3": {
                **build(3, "failed"),
                "diagnostics": [],
                "error": {
                    "code": "environment",
                    "message": "x",
                    "hint": "Install it where the kernel runs:\n    pip install some-package-with-a-long-name==12.34.56",
                },
            },
        },
        builds=(
            build(
                3,
                "failed",
                summary="The kernel has no module some_package_with_a_long_name, which the notebook imports.",
            ),
        ),
    ),
    State(
        "differs",
        ".nb2prod-Mismatch",
        answers={
            **unknown(),
            "GET builds/20260101-000000-aaaaa4": {
                **build(4, "refused"),
                "diagnostics": [],
                "result": {"path": None, "record": "x"},
            },
            "GET builds/20260101-000000-aaaaa4/report": report(passed=False),
        },
        builds=(build(4, "refused", summary="The service does not give the notebook's answers: 31 differ."),),
    ),
    State(
        "proved",
        f"{WAY} >> text=runs nowhere yet",
        answers={
            **known(),
            "GET builds/20260101-000000-aaaaa5": {**build(5, "proved", bento=BENTO), "diagnostics": []},
        },
        builds=(build(5, "proved", bento=BENTO, summary=f"Proved: {BENTO}"),),
    ),
    State(
        "deploying", f"{CARD}-head >> text=starting", answers=known(**{"POST deployments": "later"}), then=_deploying
    ),
    State(
        "starting",
        f"{CARD} >> text=being proved",
        answers=known(
            deployment(
                "starting",
                version=None,
                bento=None,
                health="no answer",
                uptime=None,
                requests=None,
                errors=None,
                p50=None,
                p99=None,
                notes=[f"{VERSION} is up and is being proved"],
            )
        ),
    ),
    State(
        "young",
        f"{CARD} >> text=requests so far",
        answers=known(
            deployment(
                requests=7,
                errors=0,
                uptime=12.0,
                notes=["it has no owner: nb2prod own flight_delay --owner WHO"],
            )
        ),
        then=_nothing_answered,
    ),
    State(
        "rollout",
        f"{CARD} >> text=Evidence of harm",
        answers=known(
            deployment(version=BEFORE, bento=f"{NAME}:{BEFORE}", rollout=ROLLOUT, notes=[ROLLOUT["sentence"]])
        ),
    ),
    State("answered", ".nb2prod-Try-prediction", answers=known(deployment(previous=BEFORE)), then=_asked(ANSWERED)),
    State(
        "malformed",
        ".nb2prod-Try-answer >> text=expected an integer",
        answers=known(deployment()),
        then=_asked(MALFORMED),
    ),
    State(
        "changed",
        f"{WAY} >> text=has changed since",
        answers=known(deployment(notebook_changed=True, notes=["the notebook has changed since this was built"])),
        check=CHANGED,
    ),
    State(
        "degraded",
        f"{CARD}[data-state=degraded]",
        answers=known(
            deployment(
                "degraded",
                notes=["it keeps crashing: 4 times in the last five minutes; the worker was killed by signal 9"],
            )
        ),
    ),
    State(
        "gone",
        f"{CARD}[data-state=gone]",
        answers=known(
            deployment(
                "gone",
                health="no answer",
                uptime=None,
                notes=[
                    f"its keeper (process 4711) is dead, and nobody stopped it: `nb2prod deploy --restore {NAME}` brings it back"
                ],
            )
        ),
    ),
    State(
        "stopped",
        f"{CARD}[data-state=stopped]",
        answers=known(deployment("stopped", health="no answer", uptime=None, previous=BEFORE)),
    ),
    State(
        "newer",
        f"{CARD} >> text=Deploy ba99600d",
        answers=known(
            deployment(version=BEFORE, bento=f"{NAME}:{BEFORE}"),
            deployment(name="fraud", release="fraud", version="1234567890", bento="fraud:1234567890"),
        ),
    ),
)


def show(page: Page, state: State) -> None:
    """Bring the panel into this state."""
    # What the state before left open.
    if page.evaluate("nb2prodFake.end !== undefined && (nb2prodFake.end(), delete nb2prodFake.end)"):
        page.locator(".jp-Dialog button").last.click()
    for button in page.locator("#nb2prod-panel button:text-is('Dismiss all')").all():
        button.click()
    page.evaluate(
        "([answers, check]) => { Object.assign(nb2prodFake, { answers, check }); }",
        [dict(state.answers), {**SAME, **state.check}],
    )
    page.evaluate(
        """async book => {
            const { content } = jupyterapp.shell.currentWidget;
            book.cells.forEach((cell, at) => {
                const model = content.model.cells.get(at);
                if (model.sharedModel.getSource() !== cell.source) { model.sharedModel.setSource(cell.source); }
                if (JSON.stringify(model.getMetadata('tags') ?? []) !== JSON.stringify(cell.metadata.tags ?? [])) {
                    model.setMetadata('tags', cell.metadata.tags ?? []);
                }
            });
            content.activeCellIndex = 1;
        }""",
        notebook(tagged=state.tagged, feature=state.feature, train=state.train),
    )  # fmt: skip
    # A panel that is shown looks at the deployments at once.
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.evaluate("jupyterapp.shell.activateById('nb2prod-panel')")
    for told in state.builds:
        page.evaluate("build => { nb2prodFake.tell(build); }", dict(told))
    if state.answers:
        # A check under a new name has its release asked for anew.
        page.evaluate(
            """async () => {
                const own = nb2prodFake.check;
                nb2prodFake.check = { ...own, name: 'another' };
                await jupyterapp.commands.execute('nb2prod:check');
                nb2prodFake.check = own;
                await jupyterapp.commands.execute('nb2prod:check');
            }"""
        )
    if state.then is not None:
        state.then(page)
    page.locator(f"#nb2prod-panel {state.shows}").first.wait_for()
