"""Watching through the server: a look, its page, and an alarm that somebody has seen."""

import numpy as np
import pytest

from tests.watching.served import NAME, log, release, table


@pytest.fixture
def drifted(own_home):
    rng = np.random.default_rng(5)
    release(table(800, rng))
    for day in range(2):
        log(table(300, rng, older=15.0), day)


async def test_a_look_its_page_and_an_alarm_that_was_seen(ask, drifted):
    status, seen = await ask("watching", NAME)
    assert (status, seen["state"], seen["rows"]) == (200, "drifted", 600)
    assert "age" in {item["subject"] for item in seen["alarms"]}
    status, page = await ask("watching", NAME, params={"format": "html"})
    assert status == 200
    assert "age has drifted since" in page
    status, refused = await ask("watching", NAME, method="POST", body={"acknowledge": ""})
    assert status == 400
    status, seen = await ask("watching", NAME, method="POST", body={"acknowledge": "new prices"})
    assert (status, seen["alarms"]) == (200, [])
    assert {item["why"] for item in seen["acknowledged"]} == {"new prices"}
    status, refused = await ask("watching", NAME, method="POST", body={"acknowledge": "again"})
    assert (status, refused["error"]["message"]) == (400, f"{NAME} has no open alarm")


async def test_what_there_is_not_is_not_found(ask, own_home):
    status, document = await ask("watching", "nothing")
    assert status == 404
    assert "no release of 'nothing'" in document["error"]["message"]
