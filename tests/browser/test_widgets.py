"""The widgets in JupyterLab and in Notebook 7: what they show changes while another cell runs."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from tests.browser.harness import running_lab

pytestmark = [pytest.mark.browser]

# A deployment that the test changes by writing a file: how a real one is looked at is tested elsewhere.
STAND_IN = """
import json, pathlib, time
from dataclasses import replace
from nb2prod.release import deployments
from nb2prod.release.deployment import Deployment

def status(name):
    return Deployment(name, "houses", "0123456789abcdef", url="http://127.0.0.1:1", host="127.0.0.1", port=1,
                      **json.loads(pathlib.Path("state.json").read_text()))

def stop(name):
    pathlib.Path("state.json").write_text(json.dumps({"state": "stopped", "requests": 8}))
    return status(name)

deployments.status, deployments.stop = status, stop
import nb2prod
"""
CELLS = [STAND_IN, 'nb2prod.DeployStatus("houses", interval=0.2)', "time.sleep(8)\nprint('slept')"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    cells = [new_code_cell(source) for source in CELLS]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells[1].metadata["tags"] = ["data"]
    for name in ("lab", "notebook"):
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), root / f"{name}.ipynb")
    options = ("--JupyterNotebookApp.expose_app_in_browser=True",)
    with running_lab(root, tmp_path_factory.mktemp("home"), options=options) as running:
        yield running


def follow(page, root):
    (root / "state.json").write_text(json.dumps({"state": "serving", "requests": 7, "health": "ready"}))
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    widget = page.locator(".jp-OutputArea .nb2prod-widget")
    expect(widget).to_contain_text("serving", timeout=60_000)
    expect(widget).to_contain_text("houses:0123456789abcdef")
    (root / "state.json").write_text(json.dumps({"state": "degraded", "requests": 8}))
    expect(widget).to_contain_text("degraded")
    # It was said while the last cell still slept; the click waits until the kernel is free.
    assert page.locator(".jp-OutputArea", has_text="slept").count() == 0
    widget.get_by_role("button", name="Stop").click()
    expect(page.locator(".jp-OutputArea", has_text="slept")).to_be_visible(timeout=30_000)
    expect(widget).to_contain_text("stopped")


BADGE = """() => {
    const style = getComputedStyle(document.querySelector('.jp-Cell[data-nb2prod-role="data"]'), '::after');
    return [style.content, style.height, style.top, style.right];
}"""
"""What the label of a tagged cell says, and where it hangs."""
LABEL = ['"Data"', "14px", "-3px", "17px"]


def test_in_jupyterlab(lab, browser):
    page = lab.open(browser, "lab.ipynb")
    follow(page, lab.root)
    assert page.evaluate(BADGE) == LABEL
    page.close()


def test_in_notebook_7(lab, browser):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(f"{lab.url}/notebooks/notebook.ipynb?token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=120_000
    )
    follow(page, lab.root)
    assert page.evaluate(BADGE) == LABEL
    page.close()
