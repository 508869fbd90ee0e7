"""The sidebar in a real JupyterLab, in a real browser."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import running_lab, show_panel
from tests.browser.notebooks import write_notebook

pytestmark = [pytest.mark.browser]

IN_VIEW = """element => {
    const box = element.getBoundingClientRect();
    const view = element.closest('.jp-WindowedPanel-outer').getBoundingClientRect();
    return box.top < view.bottom && box.bottom > view.top;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    write_notebook(root / "flights.ipynb")
    write_notebook(root / "tagged.ipynb")
    (root / "other").mkdir()
    # The same file name in another folder must not be taken for the first.
    write_notebook(root / "other" / "flights.ipynb")
    with running_lab(root, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def page(lab, browser):
    page = lab.open(browser, "flights.ipynb", height=700)
    show_panel(page)
    yield page
    page.close()


def section(page: Page, role: str):
    return page.locator(f'#nb2prod-panel .nb2prod-Section[data-nb2prod-role="{role}"]')


def listed(page: Page, role: str) -> list[int]:
    return [int(text) for text in section(page, role).locator(".nb2prod-Cell-number").all_inner_texts()]


def cell_button(page: Page, number: int):
    number_of_it = page.locator(".nb2prod-Cell-number").get_by_text(str(number), exact=True)
    return page.locator("#nb2prod-panel .nb2prod-Cell").filter(has=number_of_it).first


def role_button(page: Page, name: str):
    return page.locator("#nb2prod-panel").get_by_role("button", name=name, exact=True)


def bring_to_front(page: Page, path: str) -> None:
    # Not awaited: the command ends when the kernel is there, and the panel need not wait for that.
    page.evaluate("path => { void jupyterapp.commands.execute('docmanager:open', {path}); }", path)
    page.wait_for_function(
        """path => {
            const context = jupyterapp.shell.currentWidget?.context;
            return context?.path === path && context.isReady;
        }""",
        arg=path,
    )


def active_cell(page: Page) -> str:
    return page.evaluate("jupyterapp.shell.currentWidget.content.activeCell.model.id")


def select(page: Page, number: int) -> None:
    """Jump to a cell from the panel, and wait until the panel shows it as the selected one."""
    cell_button(page, number).click()
    expect(page.locator(".nb2prod-Selected-number")).to_have_text(f"Cell {number}")


def test_cells_are_listed_by_role_under_their_number(page):
    expect(page.locator("#nb2prod-panel h2")).to_have_text("flights.ipynb")
    expect(section(page, "feature").locator(".nb2prod-Cell")).to_have_count(2)
    assert {role: listed(page, role) for role in ("parameters", "data", "feature", "train", "predict", "none")} == {
        "parameters": [3],
        "data": [4],
        "feature": [5, 7],
        "train": [9],
        "predict": [10],
        "none": [2, 6, 8, 11],
    }
    expect(section(page, "fallback")).to_have_count(0)
    # A comment says less than the line of code that follows it.
    expect(cell_button(page, 5)).to_contain_text('flights["hour"]')


def test_the_server_has_nb2prod_and_nothing_is_said(page):
    expect(page.locator(".nb2prod-Notice")).to_have_count(0)


def test_a_click_jumps_to_the_cell(page):
    select(page, 11)
    assert active_cell(page) == "cell-11"
    assert page.locator('.jp-Cell[data-windowed-list-index="10"]').evaluate(IN_VIEW)
    select(page, 3)
    assert active_cell(page) == "cell-3"
    expect(cell_button(page, 3)).to_have_attribute("aria-current", "true")
    expect(role_button(page, "Parameters")).to_have_attribute("aria-pressed", "true")


def test_one_click_tags_the_selected_cell(page):
    select(page, 8)
    role_button(page, "Feature").click()
    expect(section(page, "feature").locator(".nb2prod-Cell-number")).to_have_text(["5", "7", "8"])
    expect(role_button(page, "Feature")).to_have_attribute("aria-pressed", "true")
    role_button(page, "Feature").click()
    expect(section(page, "feature").locator(".nb2prod-Cell-number")).to_have_text(["5", "7"])
    assert listed(page, "none") == [2, 6, 8, 11]


def test_tagging_changes_nothing_else_in_the_file(page, lab):
    before = json.loads((lab.root / "tagged.ipynb").read_text())
    other = lab.root / "tagged.ipynb"
    bring_to_front(page, "tagged.ipynb")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("tagged.ipynb")
    select(page, 7)
    role_button(page, "Train").click()
    role_button(page, "Feature").click()
    select(page, 3)
    role_button(page, "Parameters").click()
    expect(section(page, "parameters")).to_have_count(0)
    page.evaluate("jupyterapp.shell.currentWidget.context.save()")
    after = json.loads(other.read_text())

    # Tags that are none of ours stay; a cell that lost its last one has no empty list.
    assert after["cells"][6]["metadata"] == {"tags": ["slow", "train"]}
    assert after["cells"][2]["metadata"] == {}
    for index in (2, 6):
        after["cells"][index]["metadata"] = before["cells"][index]["metadata"]
    assert after["cells"] == before["cells"]
    bring_to_front(page, "flights.ipynb")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("flights.ipynb")


def test_undo_takes_a_tag_back(page):
    select(page, 6)
    role_button(page, "Train").click()
    expect(section(page, "train").locator(".nb2prod-Cell-number")).to_have_text(["6", "9"])
    page.evaluate("jupyterapp.commands.execute('notebook:undo-cell-action')")
    expect(section(page, "train").locator(".nb2prod-Cell-number")).to_have_text(["9"])


def test_a_cell_shows_its_roles(page):
    def badge(number):
        return page.evaluate(
            """number => {
                const cell = jupyterapp.shell.currentWidget.content.widgets[number - 1].node;
                return [cell.dataset.nb2prodRole ?? null, getComputedStyle(cell, '::after').content];
            }""",
            number,
        )

    select(page, 7)
    assert badge(7) == ["feature", '"Feature"']
    role_button(page, "Train").click()
    expect(page.locator('.jp-Cell.jp-mod-active[data-nb2prod-role="feature"]')).to_have_attribute(
        "style", re.compile("Feature · Train")
    )
    assert badge(7) == ["feature", '"Feature · Train"']
    role_button(page, "Train").click()
    select(page, 6)
    assert badge(6) == [None, "none"]


def test_a_tag_set_elsewhere_shows_at_once(page):
    page.evaluate(
        "jupyterapp.shell.currentWidget.content.model.cells.get(1).setMetadata('tags', ['fallback'])",
    )
    expect(section(page, "fallback").locator(".nb2prod-Cell-number")).to_have_text(["2"])
    page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.get(1).deleteMetadata('tags')")
    expect(section(page, "fallback")).to_have_count(0)


def test_a_moved_and_an_edited_cell_show_at_once(page):
    page.evaluate("jupyterapp.shell.currentWidget.content.model.sharedModel.moveCell(9, 1)")
    expect(section(page, "predict").locator(".nb2prod-Cell-number")).to_have_text(["2"])
    page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.get(1).sharedModel.setSource('late = 1')")
    expect(section(page, "predict").locator(".nb2prod-Cell-title")).to_have_text("late = 1")
    page.evaluate("jupyterapp.shell.currentWidget.content.model.sharedModel.moveCell(1, 9)")
    expect(section(page, "predict").locator(".nb2prod-Cell-number")).to_have_text(["10"])


def test_a_missing_predict_cell_is_said(page):
    select(page, 10)
    role_button(page, "Predict").click()
    expect(section(page, "predict")).to_contain_text("A build needs one")
    role_button(page, "Predict").click()
    expect(section(page, "predict").locator(".nb2prod-Cell-number")).to_have_text(["10"])


def test_a_markdown_cell_has_no_roles(page):
    page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    expect(page.locator(".nb2prod-Selected")).to_contain_text("Select a code cell")
    expect(role_button(page, "Feature")).to_be_disabled()


def test_a_command_tags_too(page):
    select(page, 11)
    page.evaluate("jupyterapp.commands.execute('nb2prod:toggle-role', {role: 'predict'})")
    expect(section(page, "predict").locator(".nb2prod-Cell-number")).to_have_text(["10", "11"])
    page.evaluate("jupyterapp.commands.execute('nb2prod:toggle-role', {role: 'predict'})")
    expect(section(page, "predict").locator(".nb2prod-Cell-number")).to_have_text(["10"])


def test_the_panel_follows_the_notebook_in_front(page):
    bring_to_front(page, "other/flights.ipynb")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("flights.ipynb")
    expect(section(page, "data").locator(".nb2prod-Cell")).to_have_count(1)
    select(page, 4)
    role_button(page, "Data").click()
    expect(section(page, "data")).to_have_count(0)
    bring_to_front(page, "flights.ipynb")
    expect(section(page, "data").locator(".nb2prod-Cell-number")).to_have_text(["4"])


def test_without_a_notebook_the_panel_says_what_it_is_for(page):
    page.evaluate("() => { for (const widget of [...jupyterapp.shell.widgets('main')]) { widget.dispose(); } }")
    expect(page.locator("#nb2prod-panel .nb2prod-Placeholder")).to_contain_text("Open a notebook")


def test_a_server_without_nb2prod_says_so(tmp_path, browser):
    root, home = tmp_path / "notebooks", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    write_notebook(root / "flights.ipynb")
    without = "--ServerApp.jpserver_extensions={'nb2prod.server': False, 'jupyterlab': True}"
    with running_lab(root, home, options=(without,)) as lab:
        page = lab.open(browser, "flights.ipynb")
        show_panel(page)
        notice = page.locator(".nb2prod-Notice")
        expect(notice).to_contain_text("This server does not have nb2prod")
        # Tags need no server: the sections work all the same.
        expect(section(page, "feature").locator(".nb2prod-Cell")).to_have_count(2)
        page.route("**/nb2prod/version*", lambda route: route.fulfill(json={"version": "0.1.0"}))
        notice.get_by_role("button").click()
        expect(notice).to_have_count(0)
        page.close()
