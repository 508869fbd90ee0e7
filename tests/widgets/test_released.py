"""The widgets on a real release and its deployment: the proof as it is kept, and a form that asks the service."""

import gc
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import nbformat
import pytest
from nbconvert import HTMLExporter

import nb2prod
from nb2prod.errors import InputError
from nb2prod.parity import documents, report
from nb2prod.parity.report import Cause, Mismatch
from nb2prod.release import deployments, records
from tests.server.books import houses, write


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The homes in which the houses are built and deployed; the deployment ends with the module."""
    folder = tmp_path_factory.mktemp("released")
    write(folder / "houses.ipynb", houses())
    homes = {"NB2PROD_HOME": str(folder / "nb2prod"), "BENTOML_HOME": str(folder / "bentoml")}
    for command in (["build", str(folder / "houses.ipynb")], ["deploy", "houses", "--without-owner"]):
        done = subprocess.run(
            [sys.executable, "-m", "nb2prod", *command],
            env={**os.environ, **homes},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    yield homes
    subprocess.run([sys.executable, "-m", "nb2prod", "stop", "houses"], env={**os.environ, **homes}, check=True)


@pytest.fixture(autouse=True)
def in_home(home, monkeypatch):
    for name, value in home.items():
        monkeypatch.setenv(name, value)


def said(box):
    return box.children[0].value


def answered(box):
    return box.children[-1].value


def test_the_proof_is_shown_with_its_cases():
    box = nb2prod.ParityReport("houses", interval=60)
    item = records.find("houses")
    for expected in (item.bento, "passed", "houses.ipynb", "replay", "partition", "edges", "wire", "target-free"):
        assert expected in said(box), expected
    found = report.read(item.path("parity.json"))
    assert f"{found.cases['partition']:,}" in said(box)
    data = box._repr_mimebundle_()
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data=data)])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert item.bento in page
    box.close()


def test_a_difference_is_shown_with_its_line_and_as_no_markup():
    path = records.find("houses").path("parity.json")
    kept = path.read_text()
    cause = Cause("the feature area differs", cell=2, source="df['area'] = df['size'] < 3")
    first = Mismatch("replay", "alone", "differs", row=3, expected=1.5, actual="<b>2</b>", cause=cause)
    try:
        box = nb2prod.ParityReport("houses", interval=60)
        documents.write_json(replace(report.read(path), passed=False, mismatches=(first,)), path)
        box.refresh()
        for expected in ("failed", "3 (alone)", "1.5", "&lt;b&gt;2", "the feature area differs", "cell 2", "&lt; 3"):
            assert expected in said(box), expected
        path.write_text(kept[:100])
        box.refresh()
        assert "not known" in said(box)
        assert "parity.json" in said(box)
    finally:
        path.write_text(kept)
    box.refresh()
    assert "passed" in said(box)
    box.close()


def test_a_release_that_is_not_there_is_said():
    box = nb2prod.ParityReport("villas", interval=60)
    assert "not known" in said(box)
    assert "villas" in said(box)
    box.close()


def test_a_form_with_an_example_asks_the_service():
    box = nb2prod.TryIt("houses", interval=60)
    assert list(box.fields) == ["size", "rooms"]
    assert all(field.value for field in box.fields.values())
    assert "serving" in said(box)
    box.fields["size"].value, box.fields["rooms"].value = "10", "2"
    box.children[3].click()
    assert "prediction" in answered(box)
    assert " ms" in answered(box)
    answer = box.ask()
    assert answer["predictions"] == pytest.approx([50.0])
    assert str(answer["predictions"][0]) in answered(box)

    box.fields["size"].value = "<big>"
    box.ask()
    assert "refused" in answered(box)
    assert "size" in answered(box)
    assert "<big>" not in answered(box)
    box.close()


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_form_of_no_deployment_is_refused():
    with pytest.raises(InputError, match="villas"):
        nb2prod.TryIt("villas")
    gc.collect()


class Proxy(BaseHTTPRequestHandler):
    """Stands before a service that is down."""

    def do_POST(self):
        body = b"<html>Bad gateway</html>"
        self.send_response(502)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_what_is_no_answer_of_a_service_is_said(monkeypatch):
    box = nb2prod.TryIt("houses", interval=60)
    found = deployments.status("houses")
    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(deployments, "status", lambda name: replace(found, url=url))
        assert box.ask() is None
        assert "no answer from" in answered(box)
        server.shutdown()
    assert box.ask() is None
    assert "Does the deployment run?" in answered(box)
    monkeypatch.undo()
    box.close()


def test_the_example_is_one_that_the_service_answers():
    box = nb2prod.TryIt("houses", interval=60)
    answer = box.ask()
    assert json.dumps(answer["predictions"][0]) in answered(box)
    box.close()
