"""What a test needs of the machine, by marker; where it is missing the test is skipped and says why.

`NB2PROD_TEST_REQUIRES=browser,container,proxy` turns those skips into failures: continuous integration must not pass by
leaving out what it was set up for.
"""

import contextlib
import os
import shutil
import signal
import sys

import pytest

from tests import runtime_alias


def _missing_chromium():
    return None if shutil.which("chromium") else "no Chromium on this machine (apt-get install chromium)"


def _missing_container_engine():
    if os.geteuid() != 0:
        return "building an image without an engine's daemon needs root"
    if not all(map(shutil.which, ("podman", "runc", "mmdebstrap"))):
        return "no podman, runc or mmdebstrap on this machine (apt-get install podman runc mmdebstrap)"
    return None


def _missing_proxy():
    # Imported where it is asked for: tests of the runtime run on Pythons too that the tool itself does not.
    from nb2prod.release.running import proxy

    return None if proxy.installed() else "no HAProxy on this machine (apt-get install haproxy)"


NEEDS = {"proxy": _missing_proxy, "browser": _missing_chromium, "container": _missing_container_engine}


# Before a test module imports what runs in a Bento.
runtime_alias.install()


def pytest_configure():
    """An interrupt reaches what the tests start, wherever they are started themselves; and what they compile is kept.

    A shell's background jobs and nohup ignore SIGINT, and all that they start does so too: the tests of interrupts would wait for
    processes that nobody can interrupt, and leave them behind.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        with contextlib.suppress(ValueError):  # not in the main thread: then who started this has done it
            signal.signal(signal.SIGINT, signal.default_int_handler)
    # The tests start hundreds of processes; each would compile all that it imports anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_runtest_setup(item):
    required = os.environ.get("NB2PROD_TEST_REQUIRES", "").split(",")
    for marker, missing in NEEDS.items():
        if item.get_closest_marker(marker) is None:
            continue
        reason = missing()
        if reason is None:
            continue
        if marker in required:
            pytest.fail(reason)
        pytest.skip(reason)
