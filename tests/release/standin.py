"""A server that stands in for a Bento's where a test is about its surroundings: it starts at once and does as it is told.

`python standin.py BENTO --host HOST --port PORT`, as `bentoml serve`. What it does is in the Bento's `behaviour.json`:
`ready` (true), `exit` (a status to end with at once), `answer` (what it predicts: the version), `crash_after` (seconds),
`delay` (seconds of each answer), `worker` (a child process of it dies again and again), `wrong` (what it predicts of rows that no proof asks: a is 5 or more),
`status` (of its answers to such rows).
"""

import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BENTO = Path(sys.argv[1])
TOLD = json.loads((BENTO / "behaviour.json").read_text())
NAME = (BENTO / "bento.yaml").read_text().split()[1] + f":{BENTO.name}"
ENDS = threading.Event()
COUNTS = {"requests": 0, "working": 0}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, document, kind="application/json"):
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if ENDS.is_set():
            self.send_header("Connection", "close")
            self.close_connection = True
        # Whole in one piece: killed, it has answered or has not, and a proxy may ask again.
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()

    def do_GET(self):
        if self.path == "/readyz":
            self.answer(200 if TOLD.get("ready", True) else 503, {})
        elif self.path == "/metrics":
            lines = [
                f'nb2prod_requests_total{{endpoint="/predict",status="200"}} {COUNTS["requests"]}',
                'nb2prod_requests_total{endpoint="/predict",status="500"} 1',
                f'nb2prod_request_seconds_bucket{{endpoint="/predict",le="0.1"}} {COUNTS["requests"]}',
                f'nb2prod_request_seconds_bucket{{endpoint="/predict",le="+Inf"}} {COUNTS["requests"]}',
            ]
            self.answer(200, "\n".join(lines) + "\n", "text/plain")
        else:
            self.answer(404, {})

    def do_POST(self):
        COUNTS["working"] += 1
        try:
            rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
            time.sleep(TOLD.get("delay", 0))
            COUNTS["requests"] += 1
            unproved = rows and rows[0]["a"] >= 5
            if unproved and "status" in TOLD:
                self.answer(TOLD["status"], {"error": {}})
                return
            told = TOLD["wrong"] if unproved and "wrong" in TOLD else TOLD.get("answer")
            own = "answer" in TOLD or (unproved and "wrong" in TOLD)
            predictions = [told if own else row["a"] * 2.0 for row in rows]
            self.answer(200, {"predictions": predictions, "errors": [], "model": NAME, "request_id": "1"})
        finally:
            COUNTS["working"] -= 1


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        # Not HTTPServer's: it asks for the host's name, which takes seconds where no name server answers.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, *_):
        pass


def end(*_):
    """As a server that drains: it takes nothing new and ends with its last answer."""

    ENDS.set()

    def drain():
        SERVER.shutdown()
        SERVER.server_close()
        while COUNTS["working"]:
            time.sleep(0.01)
        os._exit(0)

    threading.Thread(target=drain).start()


def worker():
    while True:
        subprocess.run(["sleep", "1.2"], check=False)


sys.stdout.write(f"serving {NAME}\n")
sys.stdout.flush()
if "exit" in TOLD:
    sys.stderr.write("no such column: it can't start\n")
    sys.exit(TOLD["exit"])
SERVER = Server((sys.argv[3], int(sys.argv[5])), Handler)
signal.signal(signal.SIGTERM, end)  # once there is what it ends: asked before, this dies as any program does
if TOLD.get("worker"):
    threading.Thread(target=worker, daemon=True).start()
if "crash_after" in TOLD:
    threading.Timer(TOLD["crash_after"], os._exit, [9]).start()
SERVER.serve_forever(poll_interval=0.02)
time.sleep(60)  # until the drain's thread ends this process
