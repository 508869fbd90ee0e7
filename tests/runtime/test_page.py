"""The page at ``/`` in a real browser."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.harness import running_browser
from tests.runtime.test_app import served

playwright = pytest.importorskip("playwright.sync_api")
uvicorn = pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = served(tmp_path_factory.mktemp("page"))
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing")
def test_a_person_fills_in_a_row_and_sees_the_answer(url: str) -> None:
    with running_browser() as browser:
        page = browser.new_page()
        asked: list[str] = []
        told: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(url)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.post_data or ""))
        page.get_by_label("Big").fill("9007199254740993")
        page.get_by_role("button", name="Predict").click()
        output = page.locator("output")
        playwright.expect(output).to_have_text(re.compile(r"y_pred = [01]\s+houses:abc"))
        assert '"Big":9007199254740993' in sent[0]
        page.get_by_text("The same from a program").click()
        playwright.expect(page.locator("#curl")).to_contain_text('"Big":9007199254740993')
        playwright.expect(page.locator("#python")).to_contain_text("requests.post(")
        page.get_by_label("Fare").fill("-5")
        page.get_by_role("button", name="Predict").click()
        playwright.expect(output).to_contain_text("ValueError in cell 3")
        assert told == []
        page.get_by_label("Fare").fill("plenty")
        page.get_by_role("button", name="Predict").click()
        playwright.expect(output).to_contain_text("Fare: expected a number, got a string")
        assert [line for line in told if "422" not in line] == []  # the browser's own word on the answer
        assert all(address.startswith((url, "data:")) for address in asked)


def test_the_page_shows_names_and_values_as_they_are(tmp_path: Path) -> None:
    from nb2prod.runtime import page
    from nb2prod.runtime.signature import Signature

    column = {"name": "</script><b>", "dtype": "str", "type": "string", "field": True}
    signature = Signature.from_json({"schema": 1, "columns": [column], "model": {"name": "<i>"}})
    made = page.render(signature, "<i>:1", [{"</script><b>": '"><img src=x>'}]).decode()
    assert "<b>" not in made
    assert "<i>" not in made
    assert "<img" not in made


def made_page(needs_key: bool = False) -> str:
    from nb2prod.runtime import page
    from nb2prod.runtime.signature import Signature

    columns = [
        {"name": "rooms", "dtype": "float64", "type": "number", "minimum": 0.0, "maximum": 4.5},
        {"name": "town", "dtype": "str", "type": "string", "categories": ["Basel", "Bern"], "nullable": True},
    ]
    form = {"schema": 1, "columns": columns, "model": {"name": "houses"}, "owner": "rents@example.org"}
    examples = [{"rooms": 3.0, "town": "Bern"}, {"rooms": 2.5, "town": None}]
    return page.render(Signature.from_json(form), "houses:12ab", examples, needs_key=needs_key).decode()


def test_fields_say_what_training_had_and_whole_numbers_are_written_so() -> None:
    made = made_page()
    assert 'value="3"' in made
    assert "in training 0 to 4.5" in made
    assert '<option value="Basel">' in made
    assert "Basel, Bern; may be empty" in made


def test_the_page_names_its_release_and_its_owner() -> None:
    made = made_page()
    assert "<code>houses:12ab</code>" in made
    assert "rents@example.org" in made
    assert '<option value="1">2 of 2</option>' in made


def test_a_key_is_asked_for_only_where_one_is_needed() -> None:
    assert 'type="password"' not in made_page()
    assert 'type="password"' in made_page(needs_key=True)
