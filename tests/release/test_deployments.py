"""Deployments: real processes, a real HAProxy, and servers that stand in for Bentos so that each test takes a moment."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release import deployments, records
from nb2prod.release.deployments import NotDeployed, Wish, deploy
from nb2prod.release.running import ledger as ledgers
from nb2prod.release.running import places, systemd
from nb2prod.release.running.ledger import Ledger
from tests.release.conftest import STANDIN

WAYS = [pytest.param(True, marks=pytest.mark.proxy, id="haproxy"), pytest.param(False, id="direct")]
PROXIED, DIRECT = Wish(proxied=True), Wish(proxied=False)
STEPS = ("deploy", "copied", "started", "ready", "proved", "switched", "live")


def eventually(found, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def server_of(name="flights"):
    """The live server's keeper's folder."""
    ledger = Ledger()
    number = ledger.placement(name).instance
    return places.kept(next(item for item in ledger.instances(name) if item.id == number))


def kept_processes():
    """Keepers that live, of any deployment of this home."""
    home = os.environ["NB2PROD_HOME"]
    listed = subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if home in line]


def whats(name="flights"):
    return [event.what for event in deployments.history(name)]


@pytest.mark.parametrize("proxied", WAYS)
def test_a_release_is_deployed_and_outlives_its_shell(releases, proxied):
    releases.make("aa11")
    script = (
        "import sys; from nb2prod.release.running import servers; "
        f"servers.SERVE = {STANDIN!r}; from nb2prod.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    flag = "--proxy" if proxied else "--no-proxy"
    done = subprocess.run(
        [sys.executable, "-c", script, "deploy", "flights", flag, "--json"],
        capture_output=True, text=True, timeout=60, start_new_session=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["version"], told["proxied"]) == ("serving", "aa11", proxied)
    item = deployments.status("flights")
    assert (item.state, item.health, item.version, item.owner) == ("serving", "ready", "aa11", "Ada")
    assert item.port >= places.FIRST_PORT
    assert item.url == told["url"]
    assert item.parity["passed"] is True
    assert item.uptime < 60
    assert item.gap is None
    assert (item.requests, item.errors) == (3, 1)  # its smoke test's, and the one that the stand-in admits
    assert item.p50 == 0.05
    assert whats() == list(STEPS)


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
        ({"ready": False}, "was not ready within 4 s"),
        ({"exit": 3}, "never became ready: the server ended with status 3"),
        ({"answer": -1}, "not answered as the notebook did"),
        ({"crash_after": 0.0}, "never became ready"),
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


def test_many_deployments_at_once_get_a_port_each(releases):
    for name in ("ant", "bee", "cat"):
        releases.make("aa11", name=name)
    problems = []

    def one(name):
        try:
            deploy(name, DIRECT)
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("ant", "bee", "cat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    items = deployments.all_deployments()
    assert [item.state for item in items] == ["serving"] * 3
    assert len({item.port for item in items}) == 3


def test_a_taken_port_is_said_and_nothing_is_recorded(releases):
    releases.make("aa11")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"port {port}"):
            deploy("flights", Wish(port=port, proxied=False))
    with pytest.raises(InputError, match="no deployment named 'flights'"):
        deployments.status("flights")


def test_the_port_of_another_deployment_is_refused(releases):
    releases.make("aa11")
    releases.make("aa11", name="other")
    port = deploy("flights", DIRECT).port
    deployments.stop("flights")
    with pytest.raises(InputError, match="belongs to the deployment flights"):
        deploy("other", Wish(port=port, proxied=False))


def test_what_runs_keeps_its_place(releases):
    releases.make("aa11")
    port = deploy("flights", DIRECT).port
    with pytest.raises(InputError, match=f"runs with port {port}"):
        deploy("flights", Wish(port=port + 1))
    assert deploy("flights").port == port
    assert whats().count("deploy") == 1  # it is live already


def test_a_release_without_an_owner_is_refused_unless_told_otherwise(releases):
    releases.make("aa11", owner=None)
    with pytest.raises(NotDeployed, match="has no owner"):
        deploy("flights", DIRECT)
    item = deploy("flights", replace(DIRECT, without_owner=True))
    assert any("no owner" in note for note in item.notes)


@pytest.mark.parametrize("proxied", WAYS)
def test_dead_processes_are_found_and_restore_brings_them_back(releases, proxied):
    releases.make("aa11")
    port = deploy("flights", Wish(proxied=proxied)).port
    for item in Ledger().instances("flights"):
        kept = places.kept(item)
        os.kill(kept.seen.child, signal.SIGKILL)
        os.kill(kept.pid, signal.SIGKILL)
    eventually(lambda: not server_of().alive)
    item = deployments.status("flights")
    assert item.state == "gone"
    assert "deploy --restore flights" in item.notes[0]
    (restored,) = deployments.restore()
    assert (restored.state, restored.version, restored.port) == ("serving", "aa11", port)
    assert deployments.restore("flights")[0].started == restored.started  # there is nothing to do


@pytest.mark.proxy
def test_a_dead_proxy_is_found_and_restored(releases):
    releases.make("aa11")
    deploy("flights", PROXIED)
    ledger = Ledger()
    number = ledger.placement("flights").proxy
    kept = places.kept(next(item for item in ledger.instances("flights") if item.id == number))
    os.kill(kept.pid, signal.SIGKILL)
    eventually(lambda: not kept.alive)
    item = deployments.status("flights")
    assert item.state == "degraded"
    assert "HAProxy is dead" in item.notes[0]
    assert deployments.restore("flights")[0].state == "serving"


@pytest.mark.proxy
def test_a_crash_of_the_server_or_of_haproxy_is_mended_and_counted(releases, load):
    releases.make("aa11")
    port = deploy("flights", PROXIED).port
    with load(port, threads=2) as callers:
        os.kill(server_of().seen.child, signal.SIGKILL)
        eventually(lambda: deployments.status("flights").crashes == 1)
        eventually(lambda: deployments.status("flights").state == "serving")
    assert callers.lost == []  # HAProxy holds them until the server listens again
    ledger = Ledger()
    number = ledger.placement("flights").proxy
    kept = places.kept(next(item for item in ledger.instances("flights") if item.id == number))
    os.kill(kept.seen.child, signal.SIGKILL)
    eventually(lambda: len(kept.seen.crashes) == 1 and kept.seen.ready)
    with load(port, threads=1) as callers:
        time.sleep(0.2)
    assert callers.lost == []


@pytest.mark.slow
def test_a_server_that_crashes_in_a_loop_is_given_up_and_said(releases, monkeypatch):
    releases.make("aa11", crash_after=1.0)
    deploy("flights", DIRECT)
    eventually(lambda: deployments.status("flights").state == "degraded")
    eventually(lambda: deployments.status("flights").state == "failed", 60)
    item = deployments.status("flights")
    assert "given up: it died 5 times" in item.notes[0]
    assert not server_of().alive
    releases.make("bb22")
    assert deploy("flights").state == "serving"


def test_a_worker_that_crashes_in_a_loop_is_said(releases):
    releases.make("aa11", worker=True)
    deploy("flights", DIRECT)
    eventually(lambda: deployments.status("flights").state == "degraded")
    assert "it keeps crashing" in deployments.status("flights").notes[0]


@pytest.mark.parametrize("proxied", WAYS)
def test_stop_answers_what_was_begun_and_restart_takes_the_same_port(releases, load, proxied):
    releases.make("aa11", delay=1.0)
    port = deploy("flights", Wish(proxied=proxied)).port
    with load(port, threads=3) as callers:
        time.sleep(0.3)
        item = deployments.stop("flights")
    assert item.state == "stopped"
    assert callers.answers[:3] == ["aa11"] * 3
    assert kept_processes() == []
    assert deployments.restore() == (item,) or deployments.status("flights").state == "stopped"
    again = deployments.restart("flights")
    assert (again.state, again.port, again.version) == ("serving", port, "aa11")


def test_what_is_stopped_until_restored_comes_back(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    assert deployments.stop("flights", until_restore=True).state == "stopped"
    assert deployments.restore()[0].state == "serving"


@pytest.mark.proxy
def test_a_restart_through_haproxy_loses_nothing(releases, load):
    releases.make("aa11")
    first = deploy("flights", PROXIED)
    with load(first.port) as callers:
        item = deployments.restart("flights")
    assert callers.lost == []
    assert item.version == "aa11"
    assert item.previous is None
    assert item.pid != first.pid


def test_a_release_that_is_deleted_while_live_goes_on(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    releases.make("bb22")
    deploy("flights")
    shutil.rmtree(releases.store)
    for item in records.records():
        records.remove(item)
    item = deployments.status("flights")
    assert item.state == "serving"
    assert any("its release record is gone" in note for note in item.notes)
    assert deployments.restart("flights").state == "serving"
    assert deployments.rollback("flights").version == "aa11"


def test_a_rollback_without_a_previous_release_is_refused(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    with pytest.raises(InputError, match="no previous release"):
        deployments.rollback("flights")


def test_a_record_of_a_newer_version_is_named_and_left_alone(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    connection = sqlite3.connect(Ledger().path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for call in (lambda: deployments.status("flights"), deployments.all_deployments, lambda: deploy("flights")):
        with pytest.raises(EnvironmentProblem, match=r"newer nb2prod \(schema 99") as raised:
            call()
        assert "keeps running" in raised.value.hint
    connection = sqlite3.connect(Ledger().path)
    connection.execute(f"PRAGMA user_version = {ledgers.SCHEMA}")
    connection.close()
    assert deployments.status("flights").state == "serving"


def test_a_damaged_record_is_named(releases):
    path = Ledger().path
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(EnvironmentProblem, match=r"deployments\.sqlite3 can't be used"):
        deployments.all_deployments()
    path.unlink()


def test_the_log_is_shown_and_followed(releases):
    releases.make("aa11")
    deploy("flights", DIRECT)
    assert list(deployments.logs("flights")) == ["serving flights:aa11"]
    following = deployments.logs("flights", follow=True)
    assert next(following) == "serving flights:aa11"
    with (server_of().folder / "log").open("a") as log:
        log.write("more\n")
    assert next(following) == "more"
    deployments.stop("flights")
    assert list(deployments.logs("flights", lines=1)) == ["more"]


def test_names_that_there_are_not_are_said_with_those_that_there_are(releases):
    with pytest.raises(InputError, match="no deployment named 'flights'") as raised:
        deployments.status("flights")
    assert "nb2prod deploy" in raised.value.hint
    releases.make("aa11")
    deploy("flights", DIRECT)
    with pytest.raises(InputError) as raised:
        deployments.stop("fligths")
    assert raised.value.hint == "There are: flights."


def test_a_deployment_serves_one_bento(releases):
    releases.make("aa11")
    releases.make("aa11", name="other")
    deploy("flights", DIRECT)
    with pytest.raises(InputError, match="serves flights, not other"):
        deploy("other", Wish(name="flights"))
    assert deploy("other", Wish(name="second", proxied=False)).name == "second"


def test_the_aliases_name_releases(releases):
    releases.make("aa11")
    releases.make("bb22")
    deploy("flights:aa11", DIRECT)
    deploy("flights:bb22")
    assert deploy("flights:previous").version == "aa11"
    assert deploy("flights:live").version == "aa11"


def test_a_changed_notebook_is_said(releases, tmp_path):
    made = releases.make("aa11")
    deploy("flights", DIRECT)
    assert deployments.status("flights").notebook_changed is None
    notebook = tmp_path / "flights.ipynb"
    notebook.write_text('{"cells": []}')
    (made.folder / "origin.json").write_text(json.dumps({"notebook": str(notebook)}))
    assert deployments.status("flights").notebook_changed is True


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


def test_keys_of_the_first_deploy_stay_whoever_starts_it_again(releases, monkeypatch):
    releases.make("aa11")
    monkeypatch.setenv("NB2PROD_API_KEYS", "ada:" + "0" * 64)
    deploy("flights", DIRECT)
    deployments.stop("flights")
    monkeypatch.delenv("NB2PROD_API_KEYS")
    deploy("flights", DIRECT)
    wanted = json.loads((server_of().folder / "wanted.json").read_text())
    assert wanted["environment"]["NB2PROD_API_KEYS"] == "ada:" + "0" * 64
    assert (server_of().folder / "wanted.json").stat().st_mode & 0o777 == 0o600
    assert Ledger().path.stat().st_mode & 0o777 == 0o600


def test_a_forgotten_deployment_leaves_nothing(releases):
    releases.make("aa11")
    port = deploy("flights", DIRECT).port
    assert deployments.stop("flights", forget=True).state == "stopped"
    assert deployments.all_deployments() == ()
    assert not places.folder("flights").exists()
    assert deploy("flights", Wish(proxied=False, port=port)).state == "serving"


def test_other_packages_than_proved_with_are_said(releases):
    made = releases.make("aa11")
    deploy("flights", DIRECT)
    path = made.folder / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pins": ["pytest==0.1", "nosuchpackage==2"]}))
    notes = deployments.status("flights").notes
    assert any("2 packages here are not those" in note and "nosuchpackage missing (2)" in note for note in notes)


def test_an_interrupted_deploy_clears_up(releases):
    releases.make("aa11")
    first = deploy("flights", DIRECT)
    releases.make("bb22", ready=False)
    script = (
        f"import sys; from nb2prod.release.running import servers; servers.SERVE = {STANDIN!r}; "
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


def test_the_systemd_unit_is_one_that_systemd_takes(releases, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "with space 100%"))
    path = systemd.write("flights")
    assert path == tmp_path / "with space 100%" / "systemd" / "user" / "nb2prod-flights.service"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    told = [line for line in done.stderr.splitlines() if "nb2prod" in line]
    assert (done.returncode, told) == (0, []), done.stderr
    monkeypatch.setenv("NB2PROD_HOME", "/tmp/a b%c")
    assert 'Environment="NB2PROD_HOME=/tmp/a b%%c"' in systemd.text("flights")
