"""Check and suggest of a document as the browser holds it."""

import json
import statistics
import time

from tests.server.books import FEATURE, LOAD, PREDICT, RANKED, SLEEPS, TRAIN, document, houses


async def test_check_gives_the_forecast_of_a_document_that_was_never_saved(ask, jp_root_dir):
    status, found = await ask("check", method="POST", body={"path": "new.ipynb", "content": houses()})
    assert status == 200
    assert found["forecast"] is True
    assert found["refused"] is False
    assert found["sections"]["predict"] == [4]
    assert found["fields"] == ["size", "rooms"]
    assert {item["cell"] for item in found["captured"]} >= {2, 4}
    assert found["name"] == "new"
    assert found["notebook_hash"].startswith("sha256:")
    assert not (jp_root_dir / "new.ipynb").exists()


async def test_a_diagnostic_has_its_place_reason_remedy_and_title(ask):
    _, found = await ask("check", method="POST", body={"path": "x.ipynb", "content": houses(RANKED)})
    assert found["refused"] is True
    (error,) = [item for item in found["diagnostics"] if item["severity"] == "error"]
    assert (error["code"], error["cell"], error["line"], error["source"]) == ("F5", 2, 1, RANKED)
    assert error["message"]
    assert error["hint"]
    assert error["title"]


async def test_no_code_of_the_notebook_is_run(ask, jp_root_dir):
    body = {"path": "x.ipynb", "content": document(("feature", SLEEPS), ("", LOAD), ("predict", PREDICT))}
    started = time.monotonic()
    assert (await ask("check", method="POST", body=body))[0] == 200
    assert (await ask("suggest", method="POST", body=body))[0] == 200
    assert time.monotonic() - started < 30
    assert not list(jp_root_dir.rglob("kernel.pid"))


async def test_the_options_beside_the_notebook_are_used(ask, jp_root_dir):
    (jp_root_dir / "nb2prod.toml").write_text('[x]\nname = "house_prices"\n')
    _, found = await ask("check", method="POST", body={"path": "x.ipynb", "content": houses()})
    assert found["name"] == "house_prices"


async def test_options_that_cannot_be_read_are_said(ask, jp_root_dir):
    (jp_root_dir / "nb2prod.toml").write_text("name = \n")
    status, found = await ask("check", method="POST", body={"path": "x.ipynb", "content": houses()})
    assert status == 400
    assert found["error"]["code"] == "input"
    assert "nb2prod.toml" in found["error"]["message"]
    assert found["error"]["hint"]


async def test_suggest_proposes_tags_with_reasons(ask):
    untagged = document(("", LOAD), ("", FEATURE), ("", TRAIN), ("", PREDICT))
    _, found = await ask("suggest", method="POST", body={"path": "x.ipynb", "content": untagged})
    assert {(item["cell"], item["tag"]) for item in found["tags"]} >= {(2, "feature"), (3, "train"), (4, "predict")}
    assert all(item["reason"] and item["new"] for item in found["tags"])


async def test_a_body_without_a_notebook_is_refused(ask):
    for body in (
        {"path": "x.ipynb"},
        {"path": "x.ipynb", "content": "no"},
        {"content": houses()},
        {"path": "x.ipynb", "content": {}},
    ):
        status, found = await ask("check", method="POST", body=body)
        assert status == 400, body
        assert found["error"]["message"], body


async def test_a_path_outside_of_the_root_is_refused(ask, jp_root_dir, tmp_path):
    (tmp_path / "outside").mkdir()
    (jp_root_dir / "link").symlink_to(tmp_path / "outside")
    for path in ("../secret.ipynb", "a/../../secret.ipynb", "link/x.ipynb", ".hidden/x.ipynb", "/", "x\0.ipynb"):
        status, found = await ask("check", method="POST", body={"path": path, "content": houses()})
        assert status == 404, path
        assert set(found["error"]) == {"code", "message", "hint"}


async def test_a_hundred_cells_take_less_than_three_hundred_milliseconds(ask):
    cells = [("", LOAD), ("feature", FEATURE)]
    cells += [
        ("feature", f'df["f{n}"] = df["size"].fillna(df["size"].median()) * {n} + df["rooms"].clip(0, {n})')
        for n in range(96)
    ]
    body = {"path": "x.ipynb", "content": document(*cells, ("train", TRAIN), ("predict", PREDICT))}
    await ask("check", method="POST", body=body)
    seconds = []
    for _ in range(5):
        started = time.process_time()
        await ask("check", method="POST", body=body)
        seconds.append(time.process_time() - started)
    assert len(json.loads(json.dumps(body))["content"]["cells"]) == 100
    # Processor time of this process, which holds the server too: the clock would measure the other tests.
    assert min(seconds) < 0.3, statistics.median(seconds)


async def test_the_kernel_that_a_build_would_run_is_said_with_its_versions(ask):
    status, found = await ask("kernel", method="POST", body={"path": "x.ipynb", "content": houses()})
    assert status == 200
    assert found["kernel"] == "python3"
    assert found["own"] is True
    assert set(found["versions"]) >= {"pandas", "numpy"}
    assert found["sentence"].startswith("python3: Python 3.")
    assert found["problem"] is None


async def test_a_kernel_that_is_not_installed_is_said_before_a_build(ask, jp_root_dir):
    (jp_root_dir / "nb2prod.toml").write_text('kernel = "nowhere"\n')
    status, found = await ask("kernel", method="POST", body={"path": "x.ipynb", "content": houses()})
    assert status == 200
    assert "'nowhere' is not installed" in found["problem"]
    assert "kernelspec" in found["hint"]


async def test_without_tags_the_remedy_is_what_the_sidebar_has(ask):
    body = {"path": "x.ipynb", "content": document(("", LOAD), ("predcit", PREDICT))}
    _, found = await ask("check", method="POST", body=body)
    (item,) = [item for item in found["diagnostics"] if item["code"] == "N1"]
    assert item["hint"].startswith("Select a cell and press Feature, Train or Predict")
    assert "Property Inspector" not in item["hint"]
    assert "nb2prod suggest" not in item["hint"]
    assert "predcit" in item["hint"]
    assert item["fixes"]
