"""Environments are made whole or not at all, once for all who need them, and again where they were changed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nb2prod.environments import store, uv
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem
from tests.environments.wheelhouse import order, wheel

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder with the wheels `ours` and `theirs`, and a home of the test's own."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    wheel(tmp_path / "wheels", "ours")
    wheel(tmp_path / "wheels", "theirs", "2.5")
    return Sources((str(tmp_path / "wheels"),), offline=True)


def value_of(made, module="ours"):
    asked = [str(made.python), "-c", f"import {module}; print({module}.value)"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def left_over():
    return [item.name for item in store.folder().iterdir() if item.name.startswith(".")]


def test_an_environment_has_its_pins_and_nothing_else_and_is_found_again(sources):
    made = store.ensure(order("ours==1.0"), sources)
    assert value_of(made) == "1"
    assert value_of(made, "theirs") == value_of(made, "pandas") == ""
    before = made.folder.stat().st_ino
    again = store.ensure(order("ours==1.0"), Sources(offline=True))
    assert again.folder.stat().st_ino == before
    assert [item.key for item in store.environments()] == [made.key]
    assert store.find(made.key) == again
    assert left_over() == []


def test_other_pins_or_another_python_are_another_environment():
    keys = {order("ours==1.0").key, order("ours==1.1").key, order("ours==1.0", "theirs==2.5").key}
    assert len(keys) == 3
    assert order("a==1", "b==2").key == order("b==2", "a==1").key


def test_byte_code_that_running_leaves_is_no_change(sources):
    made = store.ensure(order("ours==1.0"), sources)
    value_of(made)
    assert list(made.site.rglob("__pycache__/ours*"))
    assert store.find(made.key) is not None


@pytest.mark.parametrize("harm", ["edit", "add", "delete", "python"])
def test_what_was_changed_by_hand_is_noticed_and_made_again(sources, harm):
    made = store.ensure(order("ours==1.0"), sources)
    file = made.site / "ours.py"
    if harm == "edit":
        # In place: the file is shared with uv's cache, which is changed too.
        with file.open("a") as stream:
            stream.write("value = 2\n")
        assert value_of(made) == "2"
    elif harm == "add":
        (made.site / "more.py").write_text("value = 3\n")
    elif harm == "delete":
        file.unlink()
    else:
        made.python.unlink()
    assert store.find(made.key) is None
    again = store.ensure(order("ours==1.0"), sources)
    assert value_of(again) == "1"
    assert value_of(again, "more") == ""
    assert store.find(again.key) is not None


def test_two_that_need_the_same_one_make_it_once(sources, monkeypatch):
    calls = []
    run = uv.run
    monkeypatch.setattr(uv, "run", lambda *args, **named: (calls.append(args[0][0]), run(*args, **named))[1])
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(store.ensure(order("ours==1.0"), sources))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert calls.count("venv") == 1


def test_a_package_that_can_not_be_had_is_named_and_nothing_is_left(sources):
    with pytest.raises(EnvironmentProblem, match="nowhere"):
        store.ensure(order("ours==1.0", "nowhere==1.0"), sources)
    assert store.environments() == ()
    assert left_over() == []


def test_packages_that_do_not_import_are_found_when_the_environment_is_made(sources, tmp_path):
    (tmp_path / "wheels" / "ours-1.0-py3-none-any.whl").unlink()
    wheel(tmp_path / "wheels", "msgspec", "9.9", "raise ImportError('msgspec 9.9 refuses this Python')\n")
    with pytest.raises(EnvironmentProblem, match=r"msgspec 9\.9 refuses this Python"):
        store.ensure(order("msgspec==9.9"), sources)
    assert store.environments() == ()


def test_a_build_that_is_killed_leaves_nothing_that_is_taken_for_an_environment(sources, tmp_path):
    code = (
        "import sys, time; from nb2prod.environments import store, uv; from nb2prod.environments.uv import Sources\n"
        "from tests.environments.wheelhouse import order\n"
        "store._check_imports = lambda place: (print('here', flush=True), time.sleep(60))\n"
        "store.ensure(order('ours==1.0'), Sources((sys.argv[1],), offline=True))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "wheels")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert left_over()
    assert store.environments() == ()
    made = store.ensure(order("ours==1.0"), sources)
    assert value_of(made) == "1"
    assert left_over() == []


def test_an_interrupt_leaves_nothing(sources, monkeypatch):
    def interrupted(_place):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_check_imports", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.ensure(order("ours==1.0"), sources)
    assert store.environments() == ()
    assert left_over() == []


def test_removing_takes_all_of_it(sources):
    made = store.ensure(order("ours==1.0"), sources)
    store.remove(made)
    assert store.environments() == ()
    assert not made.folder.exists()


def test_a_home_that_can_not_be_written_is_named(sources, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "file"))
    with pytest.raises(EnvironmentProblem, match="can't be made"):
        store.ensure(order("ours==1.0"), sources)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a small disk needs root")
def test_a_full_disk_is_said_and_leaves_nothing(sources, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "none", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        monkeypatch.setenv("NB2PROD_HOME", str(small))
        with pytest.raises(EnvironmentProblem, match=r"[Nn]o space left"):
            store.ensure(order("ours==1.0", "theirs==2.5"), sources)
        assert not [item for item in small.glob("environments/*") if item.name != "locks"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_using_one_is_remembered(sources):
    made = store.ensure(order("ours==1.0"), sources)
    time.sleep(0.05)
    store.ensure(order("ours==1.0"), sources)
    (found,) = store.environments()
    assert found.used > made.made
