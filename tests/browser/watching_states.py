"""States of a deployment that is watched, as the panel shows them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.states import BENTO, CARD, NAME, State, deployment, known

FIELD = "months_since_first_purchase"


def series(name: str, state: str = "quiet", **more: Any) -> dict[str, Any]:
    """A series with ten bins."""
    counts = [120, 118, 121, 119, 120, 122, 118, 120, 121, 121]
    edges = [f"{low} to {low + 12}" for low in range(0, 108, 12)]
    return {
        "name": name,
        "kind": "values",
        "state": state,
        "evidence": 0.37,
        "size": {"value": 0.012, "low": 0.0, "high": 0.043},
        "since": None,
        "labels": [*edges, "108 and more"],
        "reference": counts,
        "current": counts[::-1],
        "rows": 1_200,
        "note": "",
        **more,
    }


def watching(**more: Any) -> dict[str, Any]:
    """What `nb2prod watch --json` says."""
    return {
        "name": NAME,
        "model": BENTO,
        "state": "quiet",
        "owner": "forecasting-team@example.org",
        "runbook": "https://runbooks.example.org/customer-lifetime-value",
        "alpha": 0.01,
        "materiality": 0.05,
        "promise": "chance of a false alarm over this release's life, all 4 series together: 1 %; changes below a total variation of 0.05 raise none",
        "rows": 1_234_567,
        "new_rows": 0,
        "days": [f"2026-02-{day:02d}" for day in range(1, 29)],
        "series": [
            series(FIELD),
            series("preferred_payment_method: rare or unseen", labels=["known", "rare or unseen"], reference=[1200, 6], current=[2400, 11]),
            series("prediction predicted_lifetime_value_eur"),
            series("rows without an answer", "waiting", evidence=1.0, size=None, note="the service's first 500 rows are its reference; 17 are there"),
        ],
        "unwatched": [{"name": "first_seen_at", "reason": "it is a time: time goes on, so that it always differs from training's"}],
        "alarms": [],
        "acknowledged": [],
        "notes": ["2 days between 2026-02-01 and 2026-02-28 without rows"],
        "labels": None,
        **more,
    }  # fmt: skip


ALARM = {
    "id": 7,
    "name": NAME,
    "model": BENTO,
    "subject": FIELD,
    "raised": "2026-02-27T06:00:00+00:00",
    "text": f"{FIELD} has drifted since 2026-02-23: total variation 0.58 (0.56 to 0.61)",
    "over": None,
    "acknowledged": None,
    "who": None,
    "why": None,
}
DRIFTED = series(
    FIELD,
    "drifted",
    evidence=7.2e9,
    since="2026-02-23",
    size={"value": 0.584, "low": 0.561, "high": 0.61},
    current=[0, 0, 2, 11, 39, 120, 244, 301, 260, 190],
)
LABELS = {
    "rows": 1_234_567, "labelled": 98_765, "coverage": 0.08, "state": "quiet", "loss_name": "absolute error",
    "loss": 123.456, "low": 120.1, "high": 131.9, "notebook_loss": 119.02,
}  # fmt: skip


def _look_anew(page: Page) -> None:
    """The states share a card: what one opened the next finds open."""
    button = page.locator(f"#nb2prod-panel {CARD}").get_by_role("button", name="Watching")
    if button.get_attribute("aria-expanded") == "true":
        button.click()
    button.click()
    page.locator("#nb2prod-panel .nb2prod-Body").evaluate("body => { body.scrollTop = body.scrollHeight; }")


PATH = f"GET watching/{NAME}"
STATES = (
    State(
        "watched",
        ".nb2prod-Watching-look >> text=Not watched",
        answers=known(deployment(), **{PATH: watching()}),
        then=_look_anew,
    ),
    State(
        "drifted",
        ".nb2prod-Watching-seen",
        answers=known(
            deployment(notes=[f"alarm, 2 days old, acknowledged by nobody: {ALARM['text']}"]),
            **{
                PATH: watching(
                    state="drifted",
                    series=[DRIFTED, *watching()["series"][1:]],
                    alarms=[ALARM],
                    acknowledged=[
                        {
                            **ALARM,
                            "id": 3,
                            "who": "ada",
                            "why": "the price list of March",
                            "text": "prediction predicted_lifetime_value_eur has drifted since 2026-02-11",
                        }
                    ],
                    labels=LABELS,
                )
            },
        ),
        then=_look_anew,
    ),
    State(
        "unwatchable",
        ".nb2prod-Watching >> text=can't be read",
        answers=known(
            deployment(),
            **{
                PATH: {
                    "status": 400,
                    "body": {
                        "error": {
                            "code": "input",
                            "message": "what training showed can't be read from /home/somebody/.local/share/nb2prod/deployments/x: no such file",
                            "hint": "",
                        }
                    },
                }
            },
        ),
        then=_look_anew,
    ),
)
