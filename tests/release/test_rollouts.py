"""A new version takes over, or does not, whatever happens meanwhile: no caller may notice. A real HAProxy, real kills."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from nb2prod.errors import EnvironmentProblem
from nb2prod.release import deployments, records
from nb2prod.release.deployments import NotDeployed, Wish, deploy
from nb2prod.release.running import places
from nb2prod.release.running.ledger import Ledger
from tests.release.conftest import STANDIN
from tests.release.deployed import DIRECT, PROXIED, STEPS, WAYS, eventually, kept_processes, whats


@pytest.mark.parametrize("proxied", WAYS)
def test_a_new_version_takes_over_and_a_rollback_returns(releases, load, proxied):
    releases.make("aa11")
    first = deploy("flights", Wish(proxied=proxied))
    releases.make("bb22")
    with load(first.port) as callers:
        second = deploy("flights")
        time.sleep(0.3)
        back = deployments.rollback("flights")
        time.sleep(0.3)
    assert (second.version, second.previous, second.port) == ("bb22", "aa11", first.port)
    assert (back.version, back.previous, back.state) == ("aa11", "bb22", "serving")
    assert {"aa11", "bb22"} == set(callers.answers)
    if proxied:
        assert callers.lost == []
        assert callers.done > 100
        assert back.gap == 0.0
    else:
        assert 0 < back.gap < 10
        assert any(f"{back.gap:.1f} s without an answer" in note for note in back.notes)


@pytest.mark.proxy
def test_a_request_that_takes_long_is_answered_by_the_version_that_took_it(releases, load):
    releases.make("aa11", delay=1.5)
    first = deploy("flights", PROXIED)
    releases.make("bb22")
    with load(first.port, threads=4) as callers:
        time.sleep(0.3)
        deploy("flights")
        time.sleep(0.2)
    assert callers.lost == []
    assert {"aa11", "bb22"} == set(callers.answers)


@pytest.mark.parametrize("proxied", WAYS)
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param({"ready": False}, "was not ready within 4 s", marks=pytest.mark.slow),
        ({"exit": 3}, "never became ready: the server ended with status 3"),
        ({"answer": -1}, "not answered as the notebook did"),
        pytest.param({"crash_after": 0.0}, "never became ready", marks=pytest.mark.slow),
    ],
)
def test_a_version_that_fails_is_rolled_back_by_itself(releases, load, proxied, behaviour, reason):
    releases.make("aa11")
    first = deploy("flights", Wish(proxied=proxied))
    releases.make("bb22", **behaviour)
    with load(first.port) as callers, pytest.raises(NotDeployed, match=reason) as raised:
        deploy("flights", timeout=30.0 if "ready" not in behaviour else 4.0)
    assert "aa11 is live as before" in raised.value.hint
    assert callers.lost == []
    assert set(callers.answers) == {"aa11"}
    item = deployments.status("flights")
    assert (item.state, item.version) == ("serving", "aa11")
    assert any("the last rollout failed: flights:bb22" in note for note in item.notes)
    assert whats()[-1] == "failed"
    assert len(Ledger().instances("flights")) == (2 if proxied else 1)


def test_a_server_that_can_t_start_is_told_with_its_own_words(releases):
    releases.make("aa11", exit=3)
    with pytest.raises(NotDeployed, match="no such column: it can't start"):
        deploy("flights", DIRECT)
    item = deployments.status("flights")
    assert (item.state, item.version) == ("failed", None)
    assert "never became ready" in item.notes[0]
    shutil.rmtree(releases.store / "flights" / "aa11")
    shutil.rmtree(places.bento("flights", "aa11"))
    records.remove(records.find("flights"))
    releases.make("bb22")
    assert deploy("flights", DIRECT).state == "serving"


@pytest.mark.parametrize("proxied", WAYS)
@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step == "switched" else pytest.mark.slow) for step in STEPS]
)
def test_killed_after_any_step_the_previous_version_answers(releases, load, killed, proxied, step):
    releases.make("aa11")
    first = deploy("flights", Wish(proxied=proxied))
    releases.make("bb22")
    with load(first.port) as callers:
        killed("step", step, "deploy", "flights")
        eventually(lambda: Ledger().placement("flights").rollout is None or deployments.status("flights") is None)
        eventually(lambda: deployments.status("flights").state == "serving")
        time.sleep(0.2)
    over = step == "live" or (step == "switched" and not proxied)
    item = deployments.status("flights")
    assert (item.version, item.state) == ("bb22" if over else "aa11", "serving")
    if proxied or not over:
        assert callers.lost == []
    assert callers.answers[-1] == item.version
    if not over:
        assert any("was interrupted after the step" in note for note in item.notes)
        assert whats()[-1] == "interrupted"
    assert deploy("flights").version == "bb22"
    assert len(Ledger().instances("flights")) == (2 if proxied else 1)
    expected = 3 if proxied else 2  # keeper and server, and the proxy's keeper (HAProxy itself doesn't name the home)
    eventually(lambda: len(kept_processes()) == expected)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("proxied", "target"),
    [
        pytest.param(True, "start", marks=pytest.mark.proxy),
        pytest.param(True, "point", marks=pytest.mark.proxy),
        pytest.param(True, "remove", marks=pytest.mark.proxy),
        (False, "exchange"),
    ],
)
def test_killed_between_two_steps_the_record_says_so_and_nothing_is_left(releases, load, killed, proxied, target, when):
    releases.make("aa11")
    first = deploy("flights", Wish(proxied=proxied))
    releases.make("bb22")
    with load(first.port) as callers:
        killed(target, when, "deploy", "flights")
        eventually(lambda: deployments.status("flights").state == "serving")
        eventually(lambda: Ledger().placement("flights").rollout is None or not deployments.status("flights"))
    if proxied:
        assert callers.lost == []
    item = deployments.status("flights")
    over = target == "remove" or (target == "exchange" and when == "after")
    assert (item.version, item.state) == ("bb22" if over else "aa11", "serving")
    expected = 3 if proxied else 2
    eventually(lambda: deployments.status("flights") and len(kept_processes()) == expected)


def test_killed_before_anything_was_ever_live_it_says_so_and_can_be_deployed_again(releases, killed):
    releases.make("aa11")
    killed("step", "started", "deploy", "flights", "--no-proxy")
    item = deployments.status("flights")
    assert (item.state, item.version) == ("failed", None)
    assert "interrupted after the step 'started'" in item.notes[0]
    assert deploy("flights").state == "serving"


def test_two_deploys_at_once_come_one_after_the_other(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    releases.make("bb22")
    releases.make("cc33")
    done = []
    threads = [
        threading.Thread(target=lambda tag=tag: done.append(deploy(tag).version))
        for tag in ("flights:bb22", "flights:cc33")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["bb22", "cc33"]
    item = deployments.status("flights")
    assert {item.version, item.previous} == {"bb22", "cc33"}
    assert item.state == "serving"
    assert whats().count("live") == 3


def test_a_deploy_that_waits_too_long_for_another_one_names_it(releases):
    releases.make("aa11")
    with places.lock("flights", wait=0), pytest.raises(EnvironmentProblem, match=str(os.getpid())):
        deploy("flights", DIRECT, timeout=0.3)


def test_a_full_disk_is_said_and_what_is_live_goes_on(releases, load, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("a full disk is made by mounting a small one, which needs root")
    monkeypatch.setenv("NB2PROD_HOME", str(small))
    try:
        releases.make("aa11")
        port = deploy("flights", DIRECT).port
        releases.make("bb22")
        (releases.store / "flights" / "bb22" / "src" / "big").write_bytes(b"x" * 3_000_000)
        with load(port) as callers:
            with pytest.raises(EnvironmentProblem, match="No space left on device"):
                deploy("flights")
            with (small / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * 512)
            with pytest.raises(EnvironmentProblem):
                deploy("flights")
            assert deployments.status("flights").state == "serving"
        assert callers.lost == []
        (small / "filler").unlink()
        (releases.store / "flights" / "bb22" / "src" / "big").unlink()
        assert deploy("flights").version == "bb22"
        deployments.stop("flights")
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def test_an_interrupted_deploy_clears_up(releases):
    releases.make("aa11")
    first = deploy("flights", DIRECT)
    releases.make("bb22", ready=False)
    script = (
        f"import sys; from nb2prod.release.running import servers; servers.program = lambda bento: {STANDIN!r}; "
        "from nb2prod.cli import main; sys.exit(main(['deploy', 'flights', '--json']))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        eventually(lambda: "started" in whats()[len(STEPS) :])
        process.send_signal(signal.SIGINT)
        told = json.loads(process.communicate(timeout=30)[0])
    assert process.returncode == 130
    assert told["error"]["code"] == "cancelled"
    item = deployments.status("flights")
    assert (item.version, item.state, item.started) == ("aa11", "serving", first.started)
    assert any("interrupted" in note for note in item.notes)
    assert len(kept_processes()) == 2
