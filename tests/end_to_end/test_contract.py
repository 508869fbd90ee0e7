"""Every example's service keeps to the OpenAPI document that it gives, whatever it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2prod.parity.server import Server
from tests.end_to_end import test_examples

home, built = test_examples.home, test_examples.built
EXAMPLES = ("breast_cancer", "diabetes_progression", "flight_delay")


def bento_of(home: test_examples.Home, built: dict[str, dict[str, Any]], name: str) -> Path:
    tag, _, version = built[name]["bento"].partition(":")
    return home.folder / "bentoml" / "bentos" / tag / version


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_schemathesis_finds_nothing(
    home: test_examples.Home, built: dict[str, dict[str, Any]], name: str, tmp_path: Path
) -> None:
    with Server(bento_of(home, built, name), hash_seed=1) as server:
        (tmp_path / "docs.json").write_text(json.dumps(server.client.get("/docs.json").document))
        # By the names of the document's security schemes: it knows then which of the requests it makes have no good key.
        config = f"[auth.openapi.bearer]\nbearer = '{server._key}'\n[auth.openapi.key]\napi_key = '{server._key}'\n"
        (tmp_path / "schemathesis.toml").write_text(config)
        command = [
            Path(sys.executable).parent / "schemathesis",
            "run",
            "docs.json",
            "--url",
            server.url,
            "--checks",
            "all",
        ]
        command += ["--max-examples", "60", "--seed", "1", "--request-timeout", "60"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:]


def value(column: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Anything for a field: what it takes, mostly, and what it does not."""
    fitting = {
        "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 100),
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
        "boolean": st.booleans(),
        "string": st.text(max_size=30) | st.sampled_from(column["categories"] or ["", "UA", "N12345"]),
        "datetime": st.datetimes().map(lambda moment: moment.isoformat()),
    }.get(column["type"], st.none())
    seen = st.just(column["example"])
    odd = st.none() | st.text(max_size=5) | st.integers() | st.booleans() | st.lists(st.integers(), max_size=2)
    return st.one_of(fitting, seen, seen, seen, odd) if column["field"] else st.nothing()


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_ten_thousand_drawn_requests_give_no_fault_and_change_no_neighbour(
    home: test_examples.Home, built: dict[str, dict[str, Any]], name: str
) -> None:
    bento = bento_of(home, built, name)
    columns = [c for c in json.loads((bento / "src" / "signature.json").read_text())["columns"] if c["field"]]
    row = st.fixed_dictionaries({str(c["name"]): value(c) for c in columns})
    good = json.loads((bento / "src" / "examples.json").read_text())["rows"][0]
    requests = [0]
    with Server(bento, hash_seed=1) as server:
        alone = server.client.post("/predict", {"rows": [good]}).document["predictions"]

        @settings(max_examples=1_700, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(row, max_size=4), st.integers(0, 4))
        def asked(rows: list[dict[str, Any]], at: int) -> None:
            body = [*rows[:at], good, *rows[at:]]
            place = min(at, len(rows))
            for path in ("/predict", "/features"):
                reply = server.client.post(path, {"rows": body})
                requests[0] += 1
                assert reply.status in (200, 422), reply
                if path == "/predict" and reply.status == 200:
                    assert reply.document["predictions"][place] == alone[0]
                    assert len(reply.document["predictions"]) == len(body)

        asked()
    assert requests[0] >= 3_334
