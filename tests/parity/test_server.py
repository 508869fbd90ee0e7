"""The server under proof: isolated, waited for, and gone afterwards whatever happens."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from pathlib import Path

import pytest

from nb2prod.bento import package
from nb2prod.environments.served import OWN
from nb2prod.errors import EnvironmentProblem
from nb2prod.parity import isolation, ports
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.server import Server

ECHO = """
import importlib.util
import json
import os
import sys

import bentoml


def tried(name):
    try:
        __import__(name)
    except ModuleNotFoundError:
        return False
    return True


async def app(scope, receive, send):
    document = {
        "nb2prod": tried("nb2prod"),
        "found": importlib.util.find_spec("nb2prod") is not None,
        "json": tried("json"),
        "seed": os.environ["PYTHONHASHSEED"],
        "hash": hash("a text"),
        "batching": os.environ["NB2PROD_BATCHING"],
        "home": os.environ["BENTOML_HOME"],
        "secret": os.environ.get("NB2PROD_HOME") or os.environ.get("BENTOML_API_TOKEN"),
        "path": sys.path,
        "pid": os.getpid(),
        "group": os.getpgid(0),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


@bentoml.service(metrics={"enabled": False})
class Service:
    pass


Service.mount_asgi_app(app, path="/")
"""


def build(folder: Path, service: str, name: str) -> Path:
    project = folder / name
    project.mkdir()
    (project / "service.py").write_text(service)
    return package.build(project, package.BentoSpec(name, "0123456789abcdef", "3.11", ()), folder / "stage")


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    return build(tmp_path_factory.mktemp("echo"), ECHO, "echo")


def processes(mark: str) -> list[int]:
    """Processes whose environment holds this text: whatever a server started inherits it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def gone(mark: str, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while processes(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_served_bento_finds_no_nb2prod_and_nothing_of_ours(echo, monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path))
    monkeypatch.setenv("BENTOML_API_TOKEN", "a token")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    with Server(echo, hash_seed=12, batching=False) as one:
        first = one.client.get("/anything").document
        assert one.alive
        home = Path(first["home"])
        assert home.parent.is_dir()
    assert first["nb2prod"] is False
    assert first["found"] is False
    assert first["json"] is True
    assert first["seed"] == "12"
    assert first["batching"] == "off"
    assert first["secret"] is None
    assert str(Path.cwd()) not in first["path"][:2]
    assert not one.alive
    assert gone(str(home))
    assert not home.parent.exists()
    # Here, in the very same interpreter, it can be imported.
    done = subprocess.run([sys.executable, "-c", "import nb2prod"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_what_the_bento_does_not_pin_is_hidden(tmp_path):
    (tmp_path / "env" / "python").mkdir(parents=True)
    (tmp_path / "env" / "python" / "requirements.txt").write_text(
        "pandas==3\nNumPy==2 ; python_version>'3'\nbentoml==1.4.39\n"
    )
    hidden = isolation.hidden_from(tmp_path, OWN)
    assert {"nb2prod", "papermill", "jupyterlab", "IPython", "sklearn", "pytest"} <= hidden
    assert not hidden & {"pandas", "numpy", "bentoml", "pip", "json", "nb2prod_runtime"}

    blocker = isolation.write(tmp_path / "path", hidden)
    code = """
        import importlib.util, json, sys
        names = ("sklearn", "papermill", "nb2prod", "numpy", "json")
        print(json.dumps([importlib.util.find_spec(name) is not None for name in names]))
        import sklearn
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(blocker)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout) == [False, False, False, True, True]
    assert "ModuleNotFoundError: No module named 'sklearn'" in done.stderr


def test_without_pins_nb2prod_alone_is_hidden(tmp_path):
    assert isolation.hidden_from(tmp_path, OWN) == {"nb2prod"}
    (tmp_path / "env" / "python").mkdir(parents=True)
    (tmp_path / "env" / "python" / "requirements.txt").write_text("bentoml==1.4.39\n")
    assert isolation.hidden_from(tmp_path, OWN) == {"nb2prod"}


def test_the_next_sitecustomize_still_runs(tmp_path):
    blocker = isolation.write(tmp_path / "ours", {"nb2prod"})
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "sitecustomize.py").write_text("print('theirs')")
    done = subprocess.run(
        [sys.executable, "-c", "print('done')"],
        env={**os.environ, "PYTHONPATH": f"{blocker}{os.pathsep}{tmp_path / 'theirs'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["theirs", "done"]


def test_a_service_that_can_not_start_is_told_with_its_log(tmp_path):
    bento = build(tmp_path, ECHO, "broken")
    (bento / "src" / "service.py").write_text("raise RuntimeError('the artifact is not what was built')\n")
    started = time.monotonic()
    with pytest.raises(ServiceFault) as caught, Server(bento, hash_seed=1):
        pass
    assert "ended before it was ready" in caught.value.message
    assert "the artifact is not what was built" in caught.value.message
    assert "the artifact is not what was built" in caught.value.log
    assert time.monotonic() - started < 60


def test_a_service_that_can_not_load_its_model_is_not_waited_for(tmp_path):
    bento = build(tmp_path, ECHO, "unloadable")
    said = {"event": "not started", "error": "ProjectBroken: features.py can't be imported: No module named 'scripts'"}
    line = json.dumps(said)
    (bento / "src" / "service.py").write_text(f"import time\nprint({line!r}, flush=True)\ntime.sleep(600)\n")
    started = time.monotonic()
    with pytest.raises(ServiceFault, match=r"can't start: ProjectBroken: .* No module named 'scripts'"):
        Server(bento, hash_seed=1).__enter__()
    assert time.monotonic() - started < 60


def test_a_service_that_is_never_ready_is_given_up(tmp_path):
    bento = build(tmp_path, ECHO, "slow")
    (bento / "src" / "service.py").write_text("import time\ntime.sleep(600)\n")
    server = Server(bento, hash_seed=1, timeout=3)
    with pytest.raises(ServiceFault, match="was not ready within 3 s"), server:
        pass
    assert not server.alive


def test_a_folder_that_is_no_bento_is_refused(tmp_path):
    with (
        pytest.raises(ServiceFault, match=r"is not a built Bento: it has no bento\.yaml"),
        Server(tmp_path, hash_seed=1),
    ):
        pass


def test_a_service_that_dies_while_it_is_asked_is_told_with_its_log(tmp_path):
    dying = ECHO.replace("    document = {", '    print("giving up")\n    os._exit(3)\n    document = {')
    bento = build(tmp_path, ECHO, "dying")
    (bento / "src" / "service.py").write_text(dying.replace("async def app(scope, receive, send):", DYING_HEAD))
    with pytest.raises(ServiceFault) as caught, Server(bento, hash_seed=1) as server:
        server.client.get("/anything")
    assert "broke during GET /anything" in caught.value.message
    assert "giving up" in caught.value.message


DYING_HEAD = """async def app(scope, receive, send):
    if scope["path"] != "/anything":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
        return"""


HOLDER = """
import sys, time
from pathlib import Path
from nb2prod.parity.server import Server
with Server(Path(sys.argv[1]), hash_seed=1) as server:
    print(server.client.get("/anything").document["home"], flush=True)
    time.sleep(600)
"""


def test_a_port_that_is_taken_meanwhile_is_given_up_for_another(echo, small, monkeypatch):
    """Even where the other one answers /readyz: what is asked must be the Bento under proof."""
    with small.serving(small.Behaviour()) as other:
        taken = int(other.rpartition(":")[2])
        found = iter([taken, ports.free()])
        monkeypatch.setattr(ports, "free", lambda: next(found))
        with Server(echo, hash_seed=5) as server:
            assert server.url != other
            assert server.client.get("/anything").document["seed"] == "5"


def test_a_full_disk_is_told_in_words(echo, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    for process in (Server(echo, hash_seed=1), Worker(echo, hash_seed=1)):
        with pytest.raises(EnvironmentProblem, match="No space left on device") as caught:
            process.start()
        assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_is_left_however_the_prover_ends(echo, number):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(echo)], stdout=subprocess.PIPE, text=True)
    try:
        home = holder.stdout.readline().strip()
        assert len(processes(home)) >= 2
        holder.send_signal(number)
        holder.wait(30)
        assert gone(home), f"left: {processes(home)}"
    finally:
        holder.kill()


def test_an_interrupt_while_it_starts_leaves_no_server(echo):
    code = HOLDER.replace("with Server", "print('starting', flush=True)\nwith Server")
    mark = f"interrupted-while-starting-{uuid.uuid4()}"  # another run's processes are none of this one's
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(echo)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "MARK": mark},
    )  # fmt: skip
    try:
        holder.stdout.readline()
        time.sleep(1)
        holder.send_signal(signal.SIGINT)
        holder.wait(30)
        assert gone(mark)
    finally:
        holder.kill()


def test_a_worker_that_can_not_start_is_told_with_its_log(tmp_path):
    runtime = tmp_path / "nb2prod_runtime"
    runtime.mkdir()
    (runtime / "__init__.py").write_text("")
    (runtime / "worker.py").write_text("raise SystemExit('artifacts/model.skops is not what was built')")
    with (
        pytest.raises(ServiceFault, match=r"model\.skops is not what was built"),
        Worker(tmp_path, hash_seed=1) as worker,
    ):
        worker.predict([{"a": 1}])
