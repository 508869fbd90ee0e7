"""Deployments: put to work, found, named, refused; real processes, servers that stand in for Bentos."""

import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from nb2prod.cli.deployments import _row
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release import deployments, records
from nb2prod.release.deployment import Deployment
from nb2prod.release.deployments import NotDeployed, Wish, deploy
from nb2prod.release.running import ledger as ledgers
from nb2prod.release.running import places, servers
from nb2prod.release.running.ledger import Ledger
from tests.release.conftest import STANDIN
from tests.release.deployed import DIRECT, STEPS, WAYS, whats


@pytest.mark.parametrize("proxied", WAYS)
def test_a_release_is_deployed_and_outlives_its_shell(releases, proxied):
    releases.make("aa11")
    script = (
        "import sys; from nb2prod.release.running import places, servers; "
        f"servers.program = lambda bento: {STANDIN!r}; places.FIRST_PORT = {places.FIRST_PORT}; from nb2prod.cli import main; sys.exit(main(sys.argv[1:]))"
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
def test_a_deployment_says_starting_until_it_serves(releases, proxied, monkeypatch):
    """From the moment at which it is known, also while its environment is made; and again when it comes back from a stop."""
    releases.make("aa11")
    program, seen, over = servers.program, [], threading.Event()
    monkeypatch.setattr(servers, "program", lambda bento: time.sleep(0.5) or program(bento))

    def look():
        while not over.is_set():
            seen.extend((item.state, item.notes) for item in deployments.all_deployments())
            time.sleep(0.02)

    for _ in range(2):
        over.clear()
        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            deploy("flights", Wish(proxied=proxied))
        finally:
            over.set()
            watcher.join()
        states = [state for state, _ in seen]
        assert set(states) <= {"starting", "serving", "stopped"}
        assert "starting" in states
        assert not any("step" in note for _, notes in seen for note in notes)
        seen.clear()
        deployments.stop("flights")


def test_a_first_deployment_that_is_killed_while_it_is_prepared_is_none_that_starts(releases):
    releases.make("aa11")
    Ledger().save(ledgers.Placement("flights", "flights", "127.0.0.1", 3999))
    item = deployments.status("flights")
    assert (item.state, item.notes[0]) == ("failed", "nothing was ever live")


def test_the_table_shows_no_percentile_of_a_few_requests():
    item = Deployment("a", "a", "1", "serving", "http://x", "x", 1, requests=29, p50=0.0123, p99=1.2345)
    assert _row(item)[5:7] == ("-", "-")
    assert _row(replace(item, requests=30))[5:7] == ("12.3ms", "1.23s")


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
    assert records.find("flights:live").version == "aa11"
    releases.make("aa11", name="other")
    with pytest.raises(InputError, match="other has no live release"):
        records.find("other:live")
    assert deployments.aliases() == {"flights:aa11": ("live",), "flights:bb22": ("previous",)}


@pytest.mark.parametrize("proxied", WAYS)
def test_a_port_that_another_program_takes_meanwhile_is_exchanged_for_a_free_one(releases, monkeypatch, proxied):
    releases.make("aa11")
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # another test's connections may linger there
    copied = places.copy_bento

    def copy(*arguments):
        taken.bind(("127.0.0.1", Ledger().placement("flights").port))
        taken.listen()
        return copied(*arguments)

    monkeypatch.setattr(places, "copy_bento", copy)
    with taken:
        item = deploy("flights", Wish(proxied=proxied))
        assert item.state == "serving"
        assert item.port != taken.getsockname()[1]
