"""What the tests of deployments share."""

import os
import subprocess
import time

import pytest

from nb2prod.release import deployments
from nb2prod.release.deployments import Wish
from nb2prod.release.running import places
from nb2prod.release.running.ledger import Ledger

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
