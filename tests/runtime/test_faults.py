"""What a service meets in the open: bad bodies, slow clients, crowds, dying workers. It answers, or refuses, and lives on."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.runtime import projects, test_served
from tests.runtime.test_served import Server, build, serving

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def bento(folder: Path) -> Path:
    return build(folder, options={"workers": 2, "body_timeout": 2.0, "request_log": 1.0})


@pytest.fixture(scope="module")
def server(bento: Path, folder: Path) -> Iterator[Server]:
    with serving(bento, folder) as running:
        yield running


@pytest.fixture(autouse=True)
def lives_on(server: Server) -> Iterator[None]:
    yield
    assert server.predict(projects.row())["errors"] == []


def memory(server: Server) -> float:
    """Megabytes that the workers hold."""
    total = 0
    for pid in server.workers():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


def test_fifty_megabytes_are_refused_and_not_held(server: Server) -> None:
    before = memory(server)
    for _ in range(3):
        status, body = server.ask("POST", "/predict", b'{"rows":[' + b" " * 50_000_000 + b"]}")
        assert status == 413
        assert json.loads(body)["error"]["code"] == "too_large"
    assert memory(server) - before < 60


def test_a_body_nested_without_end_is_refused(server: Server) -> None:
    for text in (b"[" * 2_000_000, b'{"rows":' * 500_000, b'{"rows":[' + b'{"Age":' * 400_000):
        status, body = server.ask("POST", "/predict", text)
        assert status == 400
        assert json.loads(body)["error"]["code"] == "bad_request"


def test_a_gzip_bomb_is_not_opened(server: Server) -> None:
    bomb = gzip.compress(b'{"rows":[' + b" " * 200_000_000 + b"]}")
    before = memory(server)
    status, _ = server.ask("POST", "/predict", bomb, {"Content-Encoding": "gzip"})
    assert status == 415
    assert memory(server) - before < 60


def test_a_slow_client_is_given_up_and_delays_nobody(server: Server) -> None:
    slow = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        connection.sendall(HEAD + b'Content-Length: 1000\r\n\r\n{"rows":')
        slow.append(connection)
    started = time.monotonic()
    server.predict(projects.row())
    assert time.monotonic() - started < 1.5
    for connection in slow:
        assert b" 408 " in connection.recv(200)
        connection.close()


def test_a_head_without_end_is_cut_off(server: Server) -> None:
    before = memory(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(OSError):
            for at in range(40):
                connection.sendall(b"x-%d: " % at + b"y" * 1_000_000 + b"\r\n")
            connection.sendall(b"\r\n")
            connection.recv(200)
    assert memory(server) - before < 60


def test_a_thousand_open_connections_keep_nobody_out(server: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    held = []
    try:
        while len(held) < 1_000:
            held.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        assert server.ask("GET", "/livez")[0] == 200
        assert server.predict(projects.row())["errors"] == []
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_killing_one_of_two_workers_loses_only_what_it_had_at_work(server: Server) -> None:
    lost: list[str] = []
    answered = [0]
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                server.predict(projects.row())
                answered[0] += 1
            except (OSError, http.client.HTTPException) as error:
                lost.append(type(error).__name__)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    at_the_kill = answered[0]
    deadline = time.monotonic() + 60
    while killed in server.workers() or len(server.workers()) < 2:
        assert time.monotonic() < deadline, "the worker was not started again"
        time.sleep(0.1)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(lost) <= len(threads), lost
    assert answered[0] > at_the_kill


@pytest.mark.slow
def test_a_job_survives_the_kill_of_every_worker(server: Server) -> None:
    status, body = server.ask("POST", "/jobs", {"rows": [projects.row()] * 3})
    assert status == 202
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    name = json.loads(body)["id"]
    deadline = time.monotonic() + 90
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, body = server.ask("GET", f"/jobs/{name}")
            if status == 200 and json.loads(body)["state"] == "done":
                break
        assert time.monotonic() < deadline, body
        time.sleep(0.2)
    assert len(json.loads(body)["answer"]["predictions"]) == 3


# in a server of their own -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_with_a_full_disk_it_answers_and_the_log_counts_what_it_drops(bento: Path, tmp_path: Path) -> None:
    """No file may grow beyond a few bytes: as on a full disk, every write fails."""
    data = tmp_path / "home" / "data"
    data.mkdir(parents=True)
    with serving(bento, tmp_path) as server:
        while server.log.read_text().count('"event": "ready"') < 2:
            time.sleep(0.1)
        # As one leaves it that starts on the full disk.
        (tmp_path / "home" / "prometheus_multiproc_dir" / "counter_1.db").touch()
        for pid in server.workers():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (100, 100))
        for _ in range(10):
            server.predict(projects.row())
        status, _ = server.ask("POST", "/jobs", {"rows": [projects.row()]})
        assert status == 503
        deadline = time.monotonic() + 50
        while b"nb2prod_request_log_dropped_total 10.0" not in server.ask("GET", "/metrics")[1]:
            assert time.monotonic() < deadline, server.ask("GET", "/metrics")[1].decode()
            time.sleep(0.5)
        assert server.predict(projects.row())["errors"] == []


class Collector(BaseHTTPRequestHandler):
    """Takes what an exporter sends."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.taken.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def test_traces_go_to_the_configured_collector_and_hold_no_value(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    collector.taken = []
    thread = threading.Thread(target=collector.serve_forever, daemon=True)
    thread.start()
    real = test_served.environment
    url = f"http://127.0.0.1:{collector.server_port}"
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    monkeypatch.setattr(test_served, "environment", lambda home: {**real(home), **more})
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    try:
        with serving(bento, tmp_path) as server:
            headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "X-Request-ID": "mine"}
            body = {"rows": [projects.row(Sex="a secret")]}
            assert server.ask("POST", "/predict", body, headers)[0] == 200
            deadline = time.monotonic() + 20
            spans: dict[str, Any] = {}
            while "POST /predict" not in spans:
                assert time.monotonic() < deadline
                time.sleep(0.2)
                for path, text in list(collector.taken):
                    assert path == "/v1/traces"
                    for resource_spans in ExportTraceServiceRequest.FromString(text).resource_spans:
                        spans |= {s.name: s for scope in resource_spans.scope_spans for s in scope.spans}
    finally:
        collector.shutdown()
        collector.server_close()
    assert {"POST /predict", "decode", "model", "encode"} <= set(spans)
    top = spans["POST /predict"]
    assert top.trace_id.hex() == trace
    assert {s.parent_span_id for name, s in spans.items() if name in ("decode", "model", "encode")} == {top.span_id}
    told = {item.key: item.value for item in top.attributes}
    assert told["nb2prod.request_id"].string_value == "mine"
    assert told["http.response.status_code"].int_value == 200
    assert not any(b"secret" in text for _, text in collector.taken)


@pytest.mark.slow
def test_a_key_is_in_no_log_no_error_and_no_file_of_the_bento(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    key = "a-key-that-nobody-may-see"
    digest = hashlib.sha256(key.encode()).hexdigest()
    real = test_served.environment
    monkeypatch.setattr(test_served, "environment", lambda home: {**real(home), "NB2PROD_API_KEYS": f"ada:{digest}"})
    with serving(bento, tmp_path) as server:
        seen = [server.ask("POST", "/predict", b"{", {"X-API-Key": given})[1] for given in (key, key + "!", "")]
        seen += [server.ask("GET", path, None, {"X-API-Key": key})[1] for path in ("/metrics", "/docs.json", "/")]
        log = server.log.read_bytes()
    files = [file.read_bytes() for file in bento.rglob("*") if file.is_file()]
    assert not any(secret.encode() in text for secret in (key, digest) for text in (*seen, log, *files))
