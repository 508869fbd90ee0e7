"""A version gets its callers in stages: a real HAProxy draws them, servers stand in for Bentos, the controller looks when it is told to."""

import contextlib
import json
import os
import signal
import time

import pytest

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release import deployments
from nb2prod.release.deployments import Wish, deploy
from nb2prod.release.running import places, proxy
from nb2prod.release.running.ledger import Ledger
from nb2prod.release.stages import book, steps
from nb2prod.release.stages.plan import parse_stages
from nb2prod.rollouts import begin, hands
from nb2prod.rollouts.controller import Controller
from tests.release.deployed import DIRECT, PROXIED, eventually, kept_processes, whats

pytestmark = pytest.mark.proxy
NUMBERS = {"type": "number", "count": 1000, "histogram": {"edges": [0.0, 5.0, 15.0], "counts": [100, 300, 500, 100]}}
SIGNATURE = {
    "schema": 1,
    "model": {"name": "flights"},
    "columns": [{"name": "a", "role": "field", "type": "number", "dtype": "float64", "nullable": False}],
    "prediction": {"name": "y_pred", "dtype": "float64", "kind": "number"},
}


@pytest.fixture
def two(releases):
    """`two(**behaviour)` has `aa11` live, and `bb22`, which behaves so, beside it."""

    def make(**behaviour):
        for version, told in (("aa11", {}), ("bb22", behaviour)):
            releases.make(version, **told)
            source = releases.store / "flights" / version / "src"
            (source / "signature.json").write_text(json.dumps(SIGNATURE))
            (source / "reference.json").write_text(json.dumps({"columns": {}, "prediction": NUMBERS}))
            if version == "aa11":
                deploy("flights", PROXIED)
        return deployments.status("flights")

    return make


@pytest.fixture
def watched_by_test(monkeypatch):
    """No controller is started: the test looks itself."""
    monkeypatch.setattr(steps, "watch_over", lambda placement: None)


@pytest.fixture
def staged(two, watched_by_test, monkeypatch):
    """`staged("20,100", **behaviour)` has `aa11` live and `bb22`, which behaves so, as its canary; its controller is the test, which says what time it is."""
    moment = [time.time()]
    for module in ("begin", "controller", "hands"):
        monkeypatch.setattr(f"nb2prod.rollouts.{module}.seconds_now", lambda: moment[0])

    def make(stages="20,100", hold=0.0, budget=5.0, **behaviour):
        two(**behaviour)
        return begin.begin("flights", Wish(), begin.StagedWish(parse_stages(stages), hold, 3600.0, budget))

    make.pass_time = lambda seconds: moment.__setitem__(0, moment[0] + seconds)
    return make


def outcome():
    return book.newest("flights").rollout.outcome


def looked_until(controller, found, seconds=60.0):
    def look():
        controller.look()
        return found()

    eventually(look, seconds)


@pytest.mark.slow
def test_a_canary_that_is_like_the_stable_release_gets_all_callers(staged, load):
    item = staged("20,100", hold=60.0)
    assert (item.rollout.stage, item.rollout.share, item.version) == ("20 %", 0.2, "aa11")
    controller = Controller("flights")
    with load(item.port, threads=4) as callers:
        looked_until(controller, lambda: deployments.status("flights").rollout.awaited.startswith("the hold"), 120)
        shown = deployments.status("flights").rollout
        assert 0 < shown.wanted <= shown.requests
        assert 0.1 < callers.answers.count("bb22") / len(callers.answers) < 0.3
        staged.pass_time(61)
        looked_until(controller, lambda: outcome() == "promoted")
        time.sleep(0.2)
    assert callers.lost == []
    item = deployments.status("flights")
    assert (item.version, item.previous, item.state, item.rollout) == ("bb22", "aa11", "serving", None)
    assert callers.answers[-1] == "bb22"
    decided = book.decisions(book.newest("flights").id)
    assert [one.what for one in decided] == ["began", "advanced", "promoted"]
    assert decided[1].numbers["standing"]["requests"] >= decided[1].numbers["standing"]["wanted"]
    assert not controller.look()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "leading"),
    [({"wrong": 1.0}, "y_pred"), ({"wrong": None}, "nulls"), ({"status": 500}, "errors"), ({"status": 422}, "refusals"), ({"delay": 0.3}, "late")],
)  # fmt: skip
def test_a_canary_that_does_harm_is_withdrawn(staged, load, behaviour, leading):
    item = staged("20,100", budget=0.15, **behaviour)
    controller = Controller("flights")
    with load(item.port, threads=4) as callers:
        looked_until(controller, lambda: outcome() == "withdrawn", 120)
        answered = callers.answers.count("bb22")
        time.sleep(0.3)
        assert callers.answers.count("bb22") <= answered + 4  # those under way
    assert {status for status, _ in callers.lost} <= {behaviour.get("status")}
    item = deployments.status("flights")
    assert (item.version, item.state, item.rollout) == ("aa11", "serving", None)
    assert leading in item.notes[0]
    assert "withdrawn" in whats()


@pytest.mark.slow
def test_a_canary_that_dies_loses_no_request_and_is_withdrawn(staged, load):
    item = staged("50,100")
    canary = Ledger().placement("flights").canary
    kept = places.kept(next(one for one in Ledger().instances("flights") if one.id == canary.instance))
    controller = Controller("flights")
    with load(item.port, threads=4) as callers:
        time.sleep(0.5)
        os.kill(kept.pid, signal.SIGKILL)
        looked_until(controller, lambda: outcome() == "withdrawn")
        time.sleep(0.2)
    assert callers.lost == []
    assert "dead" in deployments.status("flights").notes[0]


def test_without_traffic_it_waits_and_is_given_up(staged):
    staged("10,100")
    controller = Controller("flights")
    staged.pass_time(3599)
    controller.look()
    assert deployments.status("flights").rollout.awaited == "requests: the canary was asked none yet"
    staged.pass_time(2)
    assert not controller.look()
    item = deployments.status("flights")
    assert (item.version, item.rollout, outcome()) == ("aa11", None, "given up")
    assert "given up" in item.notes[0]


def test_by_hand(staged, load):
    item = staged("10,60,100", hold=1e6)
    hands.act("flights", "pause", "lunch")
    assert deployments.status("flights").rollout.paused
    with pytest.raises(InputError, match="can't be paused now"):
        hands.act("flights", "pause")
    assert hands.act("flights", "advance").rollout.share == 0.6
    with load(item.port) as callers:
        eventually(lambda: len(callers.answers) > 200)
    assert 0.4 < callers.answers.count("bb22") / len(callers.answers) < 0.8
    for wrong in (
        lambda: deploy("flights"),
        lambda: deployments.rollback("flights"),
        lambda: deployments.restart("flights"),
    ):
        with pytest.raises(InputError, match="a staged rollout of bb22 is under way"):
            wrong()
    item = hands.act("flights", "abort", "we talked")
    assert (item.rollout, item.version, item.state) == (None, "aa11", "serving")
    known = [(one.what, one.reason) for one in book.decisions(book.newest("flights").id)]
    assert known[1:] == [("paused", "lunch"), ("advanced", "by hand"), ("aborted", "we talked")]
    with pytest.raises(InputError, match="no staged rollout is under way"):
        hands.act("flights", "advance")


@pytest.mark.slow
def test_a_caller_that_sends_a_key_stays_with_its_version(staged):
    import http.client

    item = staged("50,100")
    met = {}
    for key in range(40):
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", item.port)
            connection.request("POST", "/predict", '{"rows": [{"a": 5}]}', {"X-Rollout-Key": f"caller {key}"})
            met.setdefault(key, set()).add(json.loads(connection.getresponse().read())["model"])
            connection.close()
    assert all(len(models) == 1 for models in met.values())
    assert set.union(*met.values()) == {"flights:aa11", "flights:bb22"}
    Controller("flights").look()
    assert book.newest("flights").rollout.tallies[0].all == 40


@pytest.mark.slow
def test_haproxy_that_is_started_again_keeps_the_share(staged, load):
    item = staged("30,100", hold=1e6)
    placement = Ledger().placement("flights")
    kept = places.kept(next(one for one in Ledger().instances("flights") if one.id == placement.proxy))
    Controller("flights").look()
    os.kill(kept.seen.child, signal.SIGKILL)
    eventually(lambda: steps.can_draw(Ledger(), placement) if _answers(kept) else False)
    with load(item.port) as callers:
        eventually(lambda: len(callers.answers) > 200)
    assert 0.15 < callers.answers.count("bb22") / len(callers.answers) < 0.45
    Controller("flights").look()
    assert book.newest("flights").rollout.tallies[0].all > 200


def _answers(kept):
    try:
        return proxy.Switch(kept.folder).share("a") is not None
    except EnvironmentProblem:
        return False


def test_what_can_not_be_rolled_out_in_stages_is_refused(releases, monkeypatch):
    wish = begin.StagedWish(parse_stages("10,100"))
    releases.make("aa11")
    with pytest.raises(InputError, match="nothing is live in flights"):
        begin.begin("flights", Wish(), wish)
    deploy("flights", DIRECT)
    with pytest.raises(InputError, match="live already"):
        begin.begin("flights", Wish(), wish)
    releases.make("bb22")
    with pytest.raises(EnvironmentProblem, match="without HAProxy"):
        begin.begin("flights", Wish(), wish)
    monkeypatch.setattr(proxy, "installed", lambda: None)
    with pytest.raises(EnvironmentProblem) as raised:
        begin.begin("flights", Wish(), wish)
    assert "apt-get install haproxy" in raised.value.hint


def test_a_shadow_stage_needs_a_request_log(staged):
    with pytest.raises(InputError, match="keeps no request log"):
        staged("shadow,100")
    assert deployments.status("flights").rollout is None


@pytest.mark.slow
def test_stopping_ends_the_rollout_and_a_canary_that_is_not_proved_begins_none(staged, releases):
    staged("10,100")
    deployments.stop("flights")
    assert outcome() == "aborted"
    assert kept_processes() == []
    deployments.restart("flights")
    releases.make("cc33", answer=-1)
    with pytest.raises(
        deployments.NotDeployed if hasattr(deployments, "NotDeployed") else Exception,
        match="not answered as the notebook did",
    ):
        begin.begin("flights", Wish(), begin.StagedWish(parse_stages("10,100")))
    assert deployments.status("flights").state == "serving"


BEGINS = ["staged rollout", "copied", "started", "ready", "proved", "canary"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "when"),
    [
        *(("step", step) for step in BEGINS),
        ("share", "before"),
        ("write", "before"),
        ("write", "after"),
        ("share", "after"),
    ],
)
def test_killed_while_it_begins_it_has_begun_or_has_not(two, watched_by_test, killed, load, target, when):
    item = two()
    with load(item.port) as callers:
        killed(target, when, "deploy", "flights", "--stages", "30,100", "--hold", "1d")
        found = deployments.status("flights")
        time.sleep(0.3)
    assert callers.lost == []
    begun = when == "canary" or target != "step"
    assert (found.state, found.version, found.rollout is not None) == ("serving", "aa11", begun)
    assert ("bb22" in callers.answers) == begun
    with contextlib.suppress(InputError):
        hands.act("flights", "abort")
    item = deployments.status("flights")
    assert (item.state, item.version, item.rollout) == ("serving", "aa11", None)
    assert Ledger().placement("flights").kept_instances == tuple(one.id for one in Ledger().instances("flights"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "target", "when"),
    [
        *(("--advance", target, when) for target, when in (("decide", "before"), ("decide", "after"), ("point", "before"), ("point", "after"))),
        *(("--advance", "step", when) for when in ("switched", "live")),
        ("--advance", "remove", "before"),
        *(("--abort", target, when) for target, when in (("decide", "after"), ("point back", "before"), ("point back", "after"), ("drain", "after"))),
    ],
)  # fmt: skip
def test_killed_while_it_ends_it_ends_as_was_decided(staged, killed, load, act, target, when):
    item = staged("40,100", hold=1e6)
    with load(item.port) as callers:
        eventually(lambda: "bb22" in callers.answers)
        killed(target, when, "rollout", "flights", act)
        decided = (target, when) != ("decide", "before")

        def settled():
            return deployments.status("flights").rollout is None or not decided

        eventually(settled)
        time.sleep(0.3)
    assert callers.lost == []
    item = deployments.status("flights")
    live = "bb22" if act == "--advance" and decided else "aa11"
    assert (item.state, item.version, callers.answers[-1]) == (
        "serving",
        live,
        live if decided else callers.answers[-1],
    )
    assert outcome() == (("promoted" if act == "--advance" else "aborted") if decided else None)


@pytest.mark.slow
def test_a_controller_of_its_own_goes_on_whatever_is_killed(two, load):
    item = two()
    with load(item.port, threads=4) as callers:
        begin.begin("flights", Wish(), begin.StagedWish(parse_stages("20,50,100"), hold=3.0))
        kept = steps.controller("flights")
        eventually(lambda: book.newest("flights").rollout.tallies)
        os.kill(kept.seen.child, signal.SIGKILL)
        counted = book.newest("flights").rollout.tallies[0].all
        eventually(lambda: book.newest("flights").rollout.tallies[0].all > counted)
        os.kill(kept.pid, signal.SIGKILL)
        eventually(lambda: not kept.alive)
        assert deployments.status("flights").rollout is not None
        eventually(lambda: kept.alive)
        eventually(lambda: deployments.status("flights").version == "bb22", 120)
        eventually(lambda: not kept.alive)
    assert callers.lost == []
    decided = book.decisions(book.newest("flights").id)
    assert [one.what for one in decided] == ["began", "advanced", "advanced", "promoted"]


@pytest.mark.slow
def test_a_full_disk_does_not_keep_a_harmful_canary_in(staged, load, monkeypatch):
    item = staged("40,100", status=500)

    def full(*_, **__):
        raise EnvironmentProblem("the record can't be used: database or disk is full")

    with load(item.port) as callers:
        eventually(lambda: len(callers.lost) > 60)
        with monkeypatch.context() as disk:
            disk.setattr(book, "change", full)
            with pytest.raises(EnvironmentProblem):
                Controller("flights").look()
        time.sleep(0.2)
        before = len(callers.lost)
        time.sleep(0.3)
        assert len(callers.lost) == before
    Controller("flights").look()
    assert deployments.status("flights").version == "aa11"
