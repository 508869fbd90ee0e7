"""A small notebook's run as cases, and real HTTP servers that answer as it did, or not quite."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from nb2prod.parity import target
from nb2prod.parity.cases import Cases

AGE_MEDIAN = 28.0
FIELDS = ("age", "fare", "sex", "port", "count", "member")


def features(row: dict[str, Any]) -> list[float]:
    """The feature code: a fill with the training median, dummies of training, a ratio."""
    age = AGE_MEDIAN if row["age"] is None else row["age"]
    port = row["port"] or "S"
    return [
        float(age),
        float(row["fare"] / (row["count"] + 1)),
        float(row["sex"] == "female"),
        float(port == "C"),
        float(port == "Q"),
        float(row["member"]),
    ]


FEATURE_NAMES = ("age", "fare_each", "sex_female", "port_C", "port_Q", "member")
WEIGHTS = (0.031, -0.17, 1.9, 0.4, -0.3, 0.08)


def predict(row: dict[str, Any]) -> float:
    return sum(weight * value for weight, value in zip(WEIGHTS, features(row), strict=True)) + 0.5


def make_rows(count: int, seed: int = 5) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        {
            "age": None if rng.random() < 0.2 else round(rng.uniform(1, 80), 1),
            "fare": round(rng.uniform(0, 200), 2),
            "sex": rng.choice(["male", "female"]),
            "port": rng.choices(["S", "C", "Q", None], [60, 25, 14, 1])[0],
            "count": rng.randrange(6),
            "member": rng.random() < 0.5,
        }
        for _ in range(count)
    ]


def make_cases(count: int = 400, **others: Any) -> Cases:
    rows = make_rows(count)
    form: dict[str, Any] = {
        "notebook": "small.ipynb",
        "prediction": "y_pred",
        "rows": tuple(rows),
        "expected": tuple(predict(row) for row in rows),
        "row_ids": tuple(range(1000, 1000 + count)),
        "phantoms": {"survived": [0, 1]},
        "feature_names": FEATURE_NAMES,
        "feature_values": tuple(features(row) for row in rows),
    }
    return Cases(**{**form, **others})


SIGNATURE = {
    "schema": 1,
    "model": {"name": "small", "version": "0123456789abcdef"},
    "notebook": "small.ipynb",
    "raw_table": "df",
    "row_kind": "frame",
    "columns": [
        {"name": "survived", "dtype": "int64", "field": False, "target": True, "type": "integer", "phantom": 0},
        {"name": "age", "dtype": "float64", "type": "number", "nullable": True},
        {"name": "fare", "dtype": "float64", "type": "number"},
        {"name": "sex", "dtype": "str", "type": "string"},
        {"name": "port", "dtype": "str", "type": "string", "nullable": True},
        {"name": "count", "dtype": "int64", "type": "integer"},
        {"name": "member", "dtype": "bool", "type": "boolean"},
    ],
    "prediction": {"name": "y_pred", "dtype": "float64", "kind": "number", "labels": None},
    "features": {"kind": "frame", "names": list(FEATURE_NAMES)},
    "batching": True,
}

Rows = list[dict[str, Any]]
Made = tuple[list[Any], list[dict[str, Any]]]


class Behaviour:
    """What a service does with a request; tests replace a part of it to make a service that is wrong."""

    def __init__(self, **parts: Callable[..., Any]) -> None:
        for name, part in parts.items():
            setattr(self, name, part)

    def refuse(self, row: dict[str, Any]) -> str | None:
        """The name of a field that the contract refuses."""
        return next((name for name in row if name not in FIELDS), None)

    def predict(self, rows: Rows) -> Made:
        return [predict(row) for row in rows], []

    def features(self, rows: Rows) -> list[list[float]]:
        return [features(row) for row in rows]

    def write(self, handler: BaseHTTPRequestHandler, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def _handler(behaviour: Behaviour) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            found = {"/signature": SIGNATURE, "/readyz": {"ready": True}, "/livez": {"live": True}}.get(self.path)
            behaviour.write(self, 200 if found else 404, found or {"error": {"code": "not_found", "message": ""}})

        def do_POST(self) -> None:
            rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
            details = [
                {"row": at, "field": name, "reason": f"{name} is not a field"}
                for at, row in enumerate(rows)
                if (name := behaviour.refuse(row)) is not None
            ]
            if details:
                error = {"code": "invalid_rows", "message": "rows refused", "details": details}
                behaviour.write(self, 422, {"error": error})
            elif self.path == "/features":
                behaviour.write(
                    self,
                    200,
                    {"features": [dict(zip(FEATURE_NAMES, f, strict=True)) for f in behaviour.features(rows)]},
                )
            else:
                predictions, errors = behaviour.predict(rows)
                document = {"predictions": predictions, "errors": errors, "model": "small:0123456789abcdef"}
                behaviour.write(self, 200, {**document, "request_id": "1"})

    return Handler


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """A server of this behaviour; gives its URL."""
    server = Quiet(("127.0.0.1", 0), _handler(behaviour))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def small() -> SimpleNamespace:
    """The small notebook: its rows, cases, feature code and servers."""
    return SimpleNamespace(
        make_cases=make_cases,
        make_rows=make_rows,
        predict=predict,
        features=features,
        feature_names=FEATURE_NAMES,
        fields=FIELDS,
        signature=SIGNATURE,
        Behaviour=Behaviour,
        serving=serving,
        target=target,
        median=AGE_MEDIAN,
    )
