"""`nb2prod parity` against running services: exit codes, keys, releases that can't be told, and what is told of bad input."""

import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nb2prod.cli import main
from nb2prod.parity import documents
from nb2prod.parity.report import KindResult, ParityReport
from nb2prod.release import record, records

VERSION = "0123456789abcdef"


@pytest.fixture
def released(small, monkeypatch, tmp_path):
    """The small notebook's release, as `build` leaves it; gives a function that writes it."""
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NB2PROD_KEY", raising=False)
    monkeypatch.setattr(documents, "write", lambda report, folder: documents.write_json(report, folder / "parity.json"))

    def write(**changes):
        form = {
            "passed": True, "notebook": "small.ipynb", "prediction": "y_pred", "target": "small", "bento": "small",
            "created": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "seed": 0, "hash_seeds": (), "batching": (),
            "batching_licensed": True, "tolerance": 1e-9, "loosened": {}, "kinds": (KindResult("replay", "passed", 1),),
        }  # fmt: skip
        report = ParityReport(**{**form, **changes})
        item = record.ReleaseRecord(
            name="small", version=VERSION, created="2026-01-01T00:00:00+00:00", notebook="small.ipynb",
            notebook_hash="sha256:1", data_hash="sha256:2", parameters={}, git=None, python="3.11.7", pins=(), owner=None,
            captured=(),
        )  # fmt: skip
        contents = records.Contents(report, small.make_cases(60), {"path": []}, "# Card", '{"cells": []}')
        return records.write(item, contents).folder

    write()
    return write


def parity(*arguments):
    return main(["parity", *arguments])


def test_a_running_service_is_proved_by_the_cases_of_its_release(small, released, capsys):
    with small.serving(small.Behaviour()) as url:
        assert parity(url, "--json") == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["passed"]
    assert document["bento"] is None
    assert f"by the cases of small:{VERSION}" in told.err


def test_a_service_that_differs_exits_with_1_and_names_the_feature(small, released, capsys):
    wrong = small.Behaviour(
        predict=lambda rows: ([small.predict({**row, "fare": row["fare"] + 1}) for row in rows], []),
        features=lambda rows: [small.features({**row, "fare": row["fare"] + 1}) for row in rows],
    )
    with small.serving(wrong) as url:
        assert parity(url) == 1
    told = capsys.readouterr().out
    assert "parity refused" in told
    assert "the feature fare_each is" in told


def test_a_feature_that_differs_fails_though_all_predictions_are_equal(small, released, capsys):
    hidden = small.Behaviour(
        features=lambda rows: [[v + (i == 4) for i, v in enumerate(small.features(row))] for row in rows]
    )
    with small.serving(hidden) as url:
        assert parity(url) == 1
    assert "port_Q" in capsys.readouterr().out


def test_a_release_is_named_where_the_service_can_not_tell(small, released, monkeypatch, capsys):
    monkeypatch.setitem(small.signature, "model", {"name": "small"})
    with small.serving(small.Behaviour()) as url:
        assert parity(url) == 2
        assert "--release NAME:VERSION" in capsys.readouterr().err
        assert parity(url, "--release", f"small:{VERSION}") == 0


def test_a_release_that_is_gone_is_told(small, released, capsys):
    with small.serving(small.Behaviour()) as url:
        assert parity(url, "--release", "small:ffff") == 2
        assert "small" in capsys.readouterr().err
        folder = released()
        (folder / "cases.json").unlink()
        assert parity(url) == 2
    assert "cases.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("schema", "words"),
    [(0, "this nb2prod reads 1"), (99, "this nb2prod reads 1"), ("x", "does not hold a parity report")],
)
def test_a_report_of_another_schema_is_refused_in_words(small, released, capsys, schema, words):
    path = released() / "parity.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with small.serving(small.Behaviour()) as url:
        assert parity(url) == 2
    assert words in capsys.readouterr().err


def locked(small):
    """A service that wants a key."""
    allowed = {"seen": []}

    def write(handler, status, document):
        key = handler.headers.get("X-API-Key")
        allowed["seen"].append(key)
        if key != "s3cret":
            status, document = 401, {"error": {"code": "key", "message": "a key is wanted"}}
        small.Behaviour().write(handler, status, document)

    return small.Behaviour(write=write)


def test_a_key_opens_a_service_that_wants_one(small, released, monkeypatch, capsys):
    with small.serving(locked(small)) as url:
        assert parity(url) == 2
        assert "Give one with --key" in capsys.readouterr().err
        assert parity(url, "--key", "s3cret") == 0
        monkeypatch.setenv("NB2PROD_KEY", "s3cret")
        assert parity(url) == 0
    assert "s3cret" not in "".join(capsys.readouterr())


def loose(small):
    return small.Behaviour(predict=lambda rows: ([small.predict(row) * (1 + 1e-7) for row in rows], []))


def test_it_proves_with_the_tolerance_of_the_release_or_with_the_one_given(small, released, capsys):
    with small.serving(loose(small)) as url:
        assert parity(url) == 1
        assert parity(url, "--tolerance", "y_pred=1e-6") == 0
        assert "loosened to 1e-06" in capsys.readouterr().out
        released(loosened={"y_pred": 1e-6})
        assert parity(url) == 0
        assert parity(url, "--tolerance", "1e-9") == 1


@pytest.mark.parametrize(
    ("given", "words"), [("price=1e-6", "no output"), ("much", "is no tolerance"), ("y_pred=-1", "is no tolerance"), ("2", "is no tolerance")]
)  # fmt: skip
def test_a_tolerance_that_is_none_is_refused(small, released, capsys, given, words):
    with small.serving(small.Behaviour()) as url:
        assert parity(url, "--tolerance", given) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def half(handler, status, document):
    body = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body if handler.command == "GET" else body[: len(body) // 2])
    handler.close_connection = True


def test_half_a_body_is_told(small, released, capsys):
    with small.serving(small.Behaviour(write=half)) as url:
        assert parity(url) == 2
    assert "broke off in the middle of its answer" in capsys.readouterr().err


def test_a_url_that_is_not_ours_is_told(released, capsys):
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert parity(f"http://127.0.0.1:{server.server_address[1]}") == 2
    finally:
        server.shutdown()
        server.server_close()
    assert "not" in capsys.readouterr().err
    assert parity("http://127.0.0.1:9") == 2
    assert "nothing answers at http://127.0.0.1:9" in capsys.readouterr().err
