"""A real Bento, built and served by BentoML in processes of its own, asked over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runtime import projects

BUILD = """
import sys, bentoml
from bentoml._internal.bento import BentoStore
bento = bentoml.bentos.build(
    "service:Service", name="houses", version=sys.argv[3], build_ctx=sys.argv[1], include=["*"],
    exclude=["__pycache__/", "*.pyc"], python={"packages": [], "lock_packages": False},
    docker={"python_version": "3.11"}, _bento_store=BentoStore(sys.argv[2]),
)
print(bento.path)
"""


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def predict(self, *rows: dict[str, Any]) -> Any:
        status, body = self.ask("POST", "/predict", {"rows": list(rows)})
        assert status == 200, body
        return json.loads(body)

    def workers(self) -> list[int]:
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in task.read_text().split()]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BENTOML", "NB2PROD"))}
    return {**kept, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "NB2PROD_DATA": str(home / "data")}


def build(folder: Path, **kwargs: Any) -> Path:
    project = projects.write(folder / "project", **kwargs)
    (folder / "stage").mkdir()
    command = [sys.executable, "-c", BUILD, str(project), str(folder / "stage"), "v1"]
    env = environment(folder / "home")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@contextlib.contextmanager
def serving(bento: Path, folder: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1", "--port", str(port)]
    log = folder / f"log-{port}"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, env=environment(folder / "home"), stdout=sink, stderr=sink)
    server = Server(process, port, log)
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if server.ask("GET", "/readyz")[0] == 200:
                    break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("bento"))


@pytest.fixture(scope="module")
def server(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(bento, tmp_path_factory.mktemp("serve")) as running:
        yield running


def test_a_built_bento_answers_over_http_with_its_version(server: Server) -> None:
    document = server.predict(projects.row(), projects.row(Fare=-1.0), projects.row(Age=None))
    assert document["model"] == "houses:v1"
    assert [value is None for value in document["predictions"]] == [False, True, False]
    assert document["errors"][0]["reason"] == "the notebook's code failed on this row: ValueError in cell 3"


@pytest.mark.parametrize("path", ["/", "/signature", "/livez", "/readyz", "/metrics", "/docs.json"])
def test_every_path_is_ours(server: Server, path: str) -> None:
    status, body = server.ask("GET", path)
    assert status == 200
    assert b"BentoML" not in body
    assert b"googletagmanager" not in body


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/nothing", None, {}, 404),
        ("GET", "/schema.json", None, {}, 404),
        ("GET", "/healthz", None, {}, 404),
        ("PUT", "/predict", b"{}", {}, 405),
        ("POST", "/livez", b"", {}, 405),
        ("POST", "/predict", b"{}", {"Content-Type": "text/plain"}, 415),
        ("POST", "/predict", b"{", {}, 400),
        ("POST", "/predict", b'{"rows":[{"Age":"x"}]}', {}, 422),
        ("POST", "/predict", b" " * 11_000_000, {}, 413),
    ],
)
def test_errors_over_http_are_in_the_one_envelope(
    server: Server, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    got, text = server.ask(method, path, body, headers)
    assert got == status
    assert set(json.loads(text)) == {"error", "request_id"}


def test_a_body_in_chunks_without_a_length_is_bounded_too(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(50):
                connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        assert b" 413 " in connection.recv(200)
    assert server.ask("GET", "/livez")[0] == 200


def test_the_log_is_json_lines_and_holds_no_value(server: Server) -> None:
    server.ask("POST", "/predict", {"rows": [projects.row(Sex="a secret", Age="a secret")]})
    server.predict(projects.row(Fare=-123456.0))
    text = server.log.read_text()
    assert "secret" not in text
    assert "123456" not in text
    told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert any(line["event"] == "ready" and line["model"] == "houses:v1" for line in told)


def test_concurrent_callers_get_the_answers_they_would_get_alone(server: Server) -> None:
    rows = [projects.row(Fare=-1.0 if at % 7 == 0 else float(at), Age=None if at % 3 else at + 0.5) for at in range(48)]
    alone = [server.predict(row)["predictions"] for row in rows]
    together: list[Any] = [None] * len(rows)

    def ask(start: int) -> None:
        for at in range(start, len(rows), 8):
            together[at] = server.predict(rows[at])["predictions"]

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_changed_byte_ends_the_start_with_a_message_that_names_the_file(bento: Path, tmp_path: Path) -> None:
    import shutil

    changed = tmp_path / "changed"
    shutil.copytree(bento, changed)
    with (changed / "src" / "artifacts" / "codes.json").open("ab") as file:
        file.write(b" ")
    command = [sys.executable, "-m", "bentoml", "serve", str(changed), "--port", "1"]
    env = environment(tmp_path / "home")
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert "codes.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_loses_no_request_and_two_workers_share_their_metrics(tmp_path: Path) -> None:
    bento = build(tmp_path, options={"workers": 2})
    with serving(bento, tmp_path) as server:
        assert len(server.workers()) == 2
        for _ in range(20):
            server.predict(projects.row())
        text = server.ask("GET", "/metrics")[1].decode()
        assert 'nb2prod_requests_total{endpoint="/predict",status="200"} 20.0' in text
        lost: list[Exception] = []
        answered = 0
        stop = threading.Event()

        def ask() -> None:
            nonlocal answered
            while not stop.is_set():
                try:
                    server.predict(projects.row())
                    answered += 1
                except ConnectionRefusedError:
                    return  # it no longer listens: nothing was lost
                except Exception as error:  # noqa: BLE001 - any of them is a request lost
                    lost.append(error)
                    return

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
        stop.set()
        for thread in threads:
            thread.join()
        assert answered > 0
        assert [error for error in lost if not isinstance(error, ConnectionResetError)] == []


def test_the_servers_own_process_loads_no_library_of_the_models(tmp_path: Path) -> None:
    folder = projects.write(tmp_path / "project")
    asked = "import service, sys; print([name for name in ('numpy', 'pandas', 'pyarrow', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
