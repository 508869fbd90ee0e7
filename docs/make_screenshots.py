"""Makes the pictures of JupyterLab that the documentation shows: `python docs/make_screenshots.py`; takes three minutes on a quiet machine.

They go to docs/images/. The notebook is example_notebooks/flight_delay.ipynb, copied first and built once, with a home and a
Bento store of its own: nothing of the user's is read or written. What is deployed for a picture is stopped afterwards.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.harness import (  # noqa: E402
    Lab,
    group,
    running_browser,
    running_lab,
    select_cell,
    set_source,
    show_panel,
)

IMAGES = ROOT / "docs" / "images"
NOTEBOOK = ROOT / "example_notebooks" / "flight_delay.ipynb"
DARK = "JupyterLab Dark"
BUILD_MS = 900_000
SIDEBAR = 330


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        root, home = Path(folder) / "notebooks", Path(folder) / "home"
        root.mkdir()
        home.mkdir()
        shutil.copytree(NOTEBOOK.parent / "data", root / "data")
        shutil.copy(NOTEBOOK, root)
        (root / "nb2prod.toml").write_text('[flight_delay]\nowner = "delays@example.org"\n')
        untagged(root / "untagged.ipynb")
        with running_lab(root, home) as lab:
            photograph(lab, browser)


def untagged(path: Path) -> None:
    """The same notebook before anybody tagged it."""
    book = json.loads(NOTEBOOK.read_text())
    for cell in book["cells"]:
        cell["metadata"].pop("tags", None)
    path.write_text(json.dumps(book))


def photograph(lab: Lab, browser: Browser) -> None:
    page = opened(lab, browser, NOTEBOOK.name)
    tagged(page)
    take(page, "sidebar.png")
    with_problem(page)
    take(page, "check.png")
    page.evaluate("jupyterapp.shell.currentWidget.context.revert()")
    building(page)
    take(page, "build.png")
    expect(page.locator(".nb2prod-Way")).to_contain_text("is proved", timeout=BUILD_MS)
    with_path(page)
    take(page, "plan.png")
    show(page, "parity")
    take(page, "proved.png")
    deployed(page)
    take(page, "deployments.png")
    dark(page)
    take(page, "deployments-dark.png")
    group(page, "deployments").get_by_role("button", name="Stop", exact=True).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    expect(page.locator(".nb2prod-State")).to_have_text("stopped", timeout=60_000)
    show(page, "cells")
    tagged(page)
    take(page, "sidebar-dark.png")
    page.close()
    page = opened(lab, browser, "untagged.ipynb")
    page.get_by_role("button", name="Suggest tags").click()
    expect(page.get_by_role("button", name="Accept all")).to_be_visible()
    take(page, "suggest.png")
    page.close()


def opened(lab: Lab, browser: Browser, notebook: str) -> Page:
    page = lab.open(browser, notebook, width=1280, height=860)
    show_panel(page)
    # The panel as wide as one would drag it.
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first.bounding_box()
    panel = page.locator("#nb2prod-panel").bounding_box()
    if handle and panel:
        y = handle["y"] + handle["height"] / 2
        page.mouse.move(handle["x"] + handle["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(panel["x"] + SIDEBAR, y, steps=5)
        page.mouse.up()
    expect(page.locator(".nb2prod-Way-next")).to_have_text(
        "Build and prove" if notebook == NOTEBOOK.name else "Suggest tags"
    )
    return page


def tagged(page: Page) -> None:
    page.locator('.nb2prod-Section[data-nb2prod-role="feature"] .nb2prod-Cell').first.click()
    page.wait_for_selector('.nb2prod-RoleButton[data-nb2prod-role="feature"][aria-pressed="true"]')


def with_problem(page: Page) -> None:
    source = page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.get(13).sharedModel.getSource()")
    set_source(page, 14, f'{source}\ndf["delay_before"] = df.groupby("tailnum")["dep_delay"].shift(1)')
    problem = group(page, "problems").locator(".nb2prod-Diagnostic").first
    problem.get_by_role("button", name="cell 14").click()
    page.locator(".jp-Cell.jp-mod-active .nb2prod-CellProblems").scroll_into_view_if_needed()
    show(page, "problems")


def building(page: Page) -> None:
    select_cell(page, 9)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    show(page, "cells")
    page.get_by_role("button", name="Build and prove").click()
    save = page.locator(".jp-Dialog").get_by_role("button", name="Save and Build")
    progress = page.locator(".nb2prod-Build-now", has_text="Running cell")
    expect(save.or_(progress).first).to_be_visible()
    if save.is_visible():
        save.click()
    expect(progress).to_be_visible(timeout=BUILD_MS)
    expect(page.locator(".nb2prod-Stages progress")).not_to_have_attribute("value", "0")


def with_path(page: Page) -> None:
    for toast in page.locator(".Toastify__close-button").all():
        toast.click()
    plan = group(page, "plan")
    plan.get_by_label("Highlight the serving path").check()
    plan.get_by_role("button", name="cell 12, line 3").first.click()
    show(page, "plan")


def deployed(page: Page) -> None:
    group(page, "plan").get_by_label("Highlight the serving path").uncheck()
    panel = group(page, "deployments")
    panel.get_by_role("button", name="Deploy", exact=True).click()
    expect(panel.locator(".nb2prod-State")).to_have_text("serving", timeout=BUILD_MS)
    panel.get_by_role("button", name="Try it").click()
    for _ in range(25):
        panel.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_timeout(350)
    show(page, "deployments")


def dark(page: Page) -> None:
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", DARK)
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=DARK)


def show(page: Page, name: str) -> None:
    """Scroll the panel to a group, below what stays in sight."""
    group(page, name).evaluate(
        """element => {
            const view = element.closest('.nb2prod-Body');
            const scrolled = [...document.querySelectorAll('#nb2prod-panel, #nb2prod-panel *')].find(
                item => item.scrollHeight > item.clientHeight + 4 && getComputedStyle(item).overflowY === 'auto'
            );
            const top = view.querySelector('.nb2prod-Top');
            scrolled?.scrollBy(0, element.getBoundingClientRect().top - top.getBoundingClientRect().bottom);
        }"""
    )


def take(page: Page, file: str) -> None:
    page.mouse.move(900, 845)
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / file)
    print(IMAGES / file)


if __name__ == "__main__":
    main()
