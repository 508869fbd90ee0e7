"""Who answers for a model: set without a build, kept through versions, and what becomes of alarms that nobody sees to."""

import datetime as dt
import json
import sqlite3

import pytest

from nb2prod import git
from nb2prod.cli import main
from nb2prod.errors import InputError
from nb2prod.release import alarms, deployments, ownership
from nb2prod.release.deployments import NotDeployed
from tests.release.deployed import DIRECT


def test_what_is_set_holds_for_each_version_until_it_is_taken_back(releases, capsys):
    first, second = releases.make("aa11", owner=None), releases.make("bb22", owner="Ada")
    assert main(["own", "flights", "--owner", "Team Sky", "--runbook", "https://wiki/flights"]) == 0
    assert "owner Team Sky; runbook https://wiki/flights" in capsys.readouterr().out
    for item in (first, second):
        held = ownership.holding("flights", item)
        assert (held.owner, held.runbook) == ("Team Sky", "https://wiki/flights")
    assert main(["own", "flights", "--runbook", "https://wiki/new"]) == 0
    held = ownership.holding("flights", first)
    assert (held.owner, held.runbook) == ("Team Sky", "https://wiki/new")  # the rest stays
    assert main(["own", "flights", "--as-built"]) == 0
    assert [ownership.holding("flights", item).owner for item in (first, second)] == [None, "Ada"]


def test_what_is_set_for_a_deployment_goes_before_its_releases(releases):
    release = releases.make("aa11")
    ownership.change("flights", owner="Team Sky")
    assert ownership.holding("flights", release, "elsewhere").owner == "Team Sky"
    with pytest.raises(InputError, match="no release of 'elsewhere'"):
        ownership.change("elsewhere", owner="Bob")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["own", "flights"], "nothing to set"),
        (["own", "flights", "--owner", "  "], "the owner is empty"),
        (["own", "flights", "--as-built"], "nothing was set for flights"),
        (["own", "flights", "--as-built", "--owner", "Bob"], "--as-built takes back"),
        (["own", "nobody_knows", "--owner", "Bob"], "no release of 'nobody_knows'"),
        (["own", "flights", "--acknowledge-within", "0"], "acknowledge-within"),
    ],
)
def test_what_can_not_be_set_is_said(releases, capsys, arguments, said):
    releases.make("aa11")
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_deploy_names_an_owner_and_status_shows_alarms_that_are_overdue(releases, capsys):
    """One deployment for the way from no owner to an overdue alarm: a server takes its time to start."""
    releases.make("aa11", owner=None)
    with pytest.raises(NotDeployed, match="has no owner") as refused:
        deployments.deploy("flights", DIRECT)
    assert "--owner WHO" in refused.value.hint
    assert main(["deploy", "flights", "--no-proxy", "--owner", "Ada"]) == 0
    item = deployments.status("flights")
    assert (item.owner, item.overdue_alarms) == ("Ada", 0)
    assert not any("no owner" in text for text in item.notes)
    alarms.raise_once("flights", "flights:aa11", "distance", "distance has drifted")
    _older(releases.home / alarms.FILE, hours=5)
    assert main(["status", "flights"]) == 0
    ownership.change("flights", acknowledge_hours=4)
    capsys.readouterr()
    assert main(["status", "flights", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["deployments"][0]
    assert told["overdue_alarms"] == 1
    assert any(text.startswith("OVERDUE alarm, 5 hours old") for text in told["notes"])
    alarms.acknowledge("flights", "new airport")
    assert main(["status", "flights"]) == 0


def test_mine_are_those_whose_owner_i_am(releases, capsys, monkeypatch):
    releases.make("aa11", name="ant", owner="Ada Lovelace, team-sky")
    releases.make("aa11", name="bee", owner="Bob")
    releases.make("aa11", name="cat", owner=None)
    monkeypatch.setattr(git, "setting", lambda key: "ada lovelace" if key == "user.name" else None)
    monkeypatch.delenv("NB2PROD_OWNER", raising=False)
    assert _mine(capsys) == ["ant:aa11"]
    monkeypatch.setenv("NB2PROD_OWNER", "TEAM-SKY, bob")
    assert _mine(capsys) == ["ant:aa11", "bee:aa11"]
    ownership.change("cat", owner="Bob")
    assert _mine(capsys) == ["ant:aa11", "bee:aa11", "cat:aa11"]
    monkeypatch.setattr(ownership, "identities", lambda: frozenset({"nobody"}))
    assert main(["list", "--mine"]) == 0
    assert "Set NB2PROD_OWNER" in capsys.readouterr().err


def _mine(capsys):
    capsys.readouterr()
    assert main(["list", "--mine", "--json"]) == 0
    return [item["bento"] for item in json.loads(capsys.readouterr().out)["releases"]]


def _older(path, hours):
    moment = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).isoformat(timespec="seconds")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alarm SET raised = ?", (moment,))
