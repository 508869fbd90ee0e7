"""What a deployment goes through once it runs: crashes, kills, reboots, stops, and what is told of it."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from nb2prod.release import deployments, records
from nb2prod.release.deployments import Wish, deploy
from nb2prod.release.running import places, systemd
from nb2prod.release.running.ledger import Ledger
from tests.release.deployed import DIRECT, PROXIED, WAYS, eventually, kept_processes, server_of


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
    # What each caller had under way is lost with the server; who comes after it waits until the server listens again.
    assert len(callers.lost) <= 2
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


@pytest.mark.slow
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


def test_a_changed_notebook_is_said(releases, tmp_path):
    made = releases.make("aa11")
    deploy("flights", DIRECT)
    assert deployments.status("flights").notebook_changed is None
    notebook = tmp_path / "flights.ipynb"
    notebook.write_text('{"cells": []}')
    (made.folder / "origin.json").write_text(json.dumps({"notebook": str(notebook)}))
    assert deployments.status("flights").notebook_changed is True


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
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "a b%c"))
    assert f'Environment="NB2PROD_HOME={tmp_path}/a b%%c"' in systemd.text("flights")
