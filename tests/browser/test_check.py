"""Checking and tagging in the browser: proposals, problems under cells, quick fixes, keys, menus, settings, access, themes."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import (
    accessibility_problems,
    group,
    running_lab,
    select_cell,
    set_source,
    show_panel,
    tags_of,
    way,
)
from tests.server.books import FEATURE, LOAD, PREDICT, RANKED, SLEEPS, TRAIN, document, houses, write

pytestmark = [pytest.mark.browser]

FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"

FOREST = (
    "from sklearn.ensemble import RandomForestRegressor\n"
    'X = df[["size_or", "rooms"]]\nmodel = RandomForestRegressor().fit(X, df["price"])'
)


def long_notebook():
    cells = [("", LOAD), ("feature", FEATURE)]
    cells += [("", f"# step {n}\nvalue_{n} = {n}\nprint(value_{n})") for n in range(296)]
    return document(*cells, ("train", TRAIN), ("predict", PREDICT))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    write(root / "houses.ipynb", houses())
    write(root / "long.ipynb", long_notebook())
    write(root / "untagged.ipynb", document(("", LOAD), ("", FEATURE), ("", TRAIN), ("", PREDICT)))
    write(root / "gone.ipynb", houses())
    write(root / "sleeping.ipynb", document(("", LOAD), ("feature", SLEEPS), ("train", TRAIN), ("predict", PREDICT)))
    with running_lab(root, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def page(lab, browser):
    page = lab.open(browser, "houses.ipynb", height=1000)
    show_panel(page)
    yield page
    page.close()


@pytest.fixture(autouse=True)
def as_it_was(page):
    """Each test begins with the same notebook in front."""
    yield
    page.unroute_all(behavior="ignoreErrors")
    page.evaluate(
        """async () => {
            for (const widget of [...jupyterapp.shell.widgets('main')]) {
                if (widget.context?.path !== 'houses.ipynb') { widget.dispose(); }
            }
            const widget = await jupyterapp.commands.execute('docmanager:open', {path: 'houses.ipynb'});
            await widget.context.ready;
            await widget.revealed;
            jupyterapp.shell.activateById(widget.id);
            await widget.context.revert();
        }"""
    )
    expect(page.locator("#nb2prod-panel h2")).to_have_text("houses.ipynb")
    expect(group(page, "problems")).to_contain_text("Nothing stands in the way")


def problem(page: Page, code: str):
    return group(page, "problems").locator(f'.nb2prod-Diagnostic[data-code="{code}"]')


def open_(page: Page, path: str) -> None:
    # A page that was loaded anew opens again what it had, and takes its time.
    page.evaluate("async () => { await jupyterapp.restored; }")
    page.evaluate("path => { void jupyterapp.commands.execute('docmanager:open', {path}); }", path)
    # Another notebook that is still being opened may take the front once more: this one must stay there.
    # `evaluate` awaits a promise; to `wait_for_function` one is as good as true.
    page.evaluate(
        """async path => {
            for (let n = 0; n < 4; n++) {
                const context = jupyterapp.shell.currentWidget?.context;
                if (context?.path !== path || !context.isReady) {
                    const own = [...jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
                    if (own) {
                        jupyterapp.shell.activateById(own.id);
                    }
                    n = -1;
                }
                await new Promise(done => setTimeout(done, 100));
            }
        }""",
        path,
    )
    expect(page.locator("#nb2prod-panel h2")).to_have_text(path)


def focus_notebook(page: Page) -> None:
    page.evaluate(
        """() => {
            const { content } = jupyterapp.shell.currentWidget;
            content.mode = 'command';
            content.activeCell.node.focus();
        }"""
    )


def test_a_quick_fix_changes_the_cell_and_can_be_undone(page):
    set_source(page, 3, FOREST)
    fix = problem(page, "T4").get_by_role("button", name="Add random_state=0")
    fix.click()
    expect(problem(page, "T4")).to_have_count(0)
    source = "jupyterapp.shell.currentWidget.content.model.cells.get(2).sharedModel.getSource()"
    assert "RandomForestRegressor(random_state=0)" in page.evaluate(source)
    page.evaluate("jupyterapp.commands.execute('notebook:undo-cell-action')")
    expect(problem(page, "T4")).to_be_visible()
    problem(page, "T4").get_by_role("button", name="Ignore T4").click()
    expect(problem(page, "T4")).to_have_count(0)
    assert "# nb2prod: ignore[T4]" in page.evaluate(source)


def test_a_problem_stands_under_its_cell_and_its_fix_works_there(page):
    select_cell(page, 3)
    set_source(page, 3, FOREST)
    under = page.locator(f"{FRONT} .jp-Cell.jp-mod-active .nb2prod-CellProblems")
    expect(under).to_contain_text("random_state")
    under.get_by_role("button", name="Add random_state=0").click()
    expect(under).to_be_hidden()


def test_proposals_are_taken_one_by_one_or_left(page):
    open_(page, "untagged.ipynb")
    page.get_by_role("button", name="Suggest tags").click()
    page.get_by_role("button", name="Dismiss Train for cell 3").click()
    page.get_by_role("button", name="Accept Predict for cell 4").click()
    expect(page.get_by_role("button", name=re.compile("^Accept Train"))).to_have_count(0)
    assert (tags_of(page, 3), tags_of(page, 4)) == ([], ["predict"])
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator(".nb2prod-Proposed")).to_have_count(0)
    assert tags_of(page, 2) == ["feature"]


def test_a_proposal_goes_when_its_cell_is_tagged_by_hand(page):
    open_(page, "untagged.ipynb")
    page.get_by_role("button", name="Suggest tags").click()
    proposed = page.get_by_role("button", name="Accept Predict for cell 4")
    expect(proposed).to_be_visible()
    select_cell(page, 4)
    page.locator(".nb2prod-RoleButton", has_text="Predict").click()
    expect(proposed).to_have_count(0)


def test_who_asks_while_the_notebook_is_still_loading_gets_an_answer(page):
    def late(route):
        page.wait_for_timeout(1500)
        route.continue_()

    page.route("**/api/contents/untagged.ipynb?*content=1*", late)
    page.evaluate("() => { void jupyterapp.commands.execute('docmanager:open', {path: 'untagged.ipynb'}); }")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("untagged.ipynb")
    way(page).get_by_role("button", name="Suggest tags").click()
    expect(way(page).get_by_role("button", name="Accept all")).to_be_visible()


def test_proposals_follow_cells_that_move(page):
    open_(page, "untagged.ipynb")
    page.get_by_role("button", name="Suggest tags").click()
    expect(page.get_by_role("button", name="Accept Predict for cell 4")).to_be_visible()
    page.evaluate("jupyterapp.shell.currentWidget.content.model.sharedModel.moveCell(3, 0)")
    page.get_by_role("button", name="Accept all").click()
    assert tags_of(page, 1) == ["predict"]
    assert "train" in tags_of(page, 4)


def test_an_untagged_notebook_is_left_alone(page):
    """What the check finds stands in the panel; the cells of somebody's exploration get no remarks."""
    open_(page, "untagged.ipynb")
    expect(way(page).get_by_role("button")).to_have_text(["Suggest tags"])
    set_source(page, 3, FOREST)
    expect(page.locator(f"{FRONT} .nb2prod-Diagnostic")).to_have_count(0)
    expect(group(page, "problems")).to_have_count(0)


def test_the_way_leads_from_tag_to_build(page):
    open_(page, "untagged.ipynb")
    step = way(page).locator("[aria-current=step]")
    expect(step).to_contain_text("Tag")
    way(page).get_by_role("button", name="Suggest tags").click()
    way(page).get_by_role("button", name="Accept all").click()
    expect(step).to_contain_text("Build")
    # The toolbar of a cell knows what the panel did to it.
    select_cell(page, 2)
    ring = page.locator(f'{FRONT} .jp-Cell.jp-mod-active .jp-cell-toolbar [data-jp-item-name="nb2prod-feature"]')
    expect(ring.locator(".lm-mod-toggled, [aria-pressed=true]").first).to_be_visible()
    set_source(page, 2, RANKED)
    expect(step).to_contain_text("Check")
    way(page).get_by_role("button", name="Show the first error").click()
    expect(page.locator(f"{FRONT} .jp-Cell.jp-mod-active")).to_contain_text("rank")


def test_a_notebook_of_another_language_has_nothing_to_tag(page):
    page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.model.setMetadata('kernelspec', {name: 'ir', language: 'R', display_name: 'R'})"
    )
    expect(page.locator("#nb2prod-panel")).to_contain_text("This notebook is in R")
    expect(page.locator(".nb2prod-RoleButton")).to_have_count(0)


def test_keys_tag_all_selected_cells(page):
    select_cell(page, 3)
    focus_notebook(page)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("t")
    page.keyboard.press("f")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=feature] .nb2prod-Cell-number")).to_have_text(
        ["2", "3", "4"]
    )
    page.keyboard.press("z")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=feature] .nb2prod-Cell-number")).to_have_text(["2"])


def test_the_cell_toolbar_tags_with_one_click(page):
    select_cell(page, 1)
    button = page.locator(f'{FRONT} .jp-Cell.jp-mod-active .jp-cell-toolbar [data-jp-item-name="nb2prod-feature"]')
    button.click()
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=feature] .nb2prod-Cell-number")).to_have_text(["1", "2"])


def test_the_context_menu_and_the_main_menu_have_the_roles(page):
    select_cell(page, 1)
    page.locator(f"{FRONT} .jp-Cell.jp-mod-active .jp-InputPrompt").click(button="right")
    page.locator(".lm-Menu-itemLabel", has_text="nb2prod Role").hover()
    page.locator('.lm-Menu-item[data-command="nb2prod:toggle-role"]', has_text="Data").click()
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=data] .nb2prod-Cell-number")).to_have_text(["1"])
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^nb2prod$")).hover()
    expect(page.locator('.lm-Menu-item[data-command="nb2prod:build"]')).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_the_palette_has_the_commands(page):
    page.keyboard.press("Control+Shift+c")
    page.locator(".lm-CommandPalette-input").fill("nb2prod build")
    expect(page.locator('.lm-CommandPalette-item[data-command="nb2prod:build"]')).to_be_visible()
    page.keyboard.press("Escape")


def test_the_panel_is_worked_by_keyboard_alone(page):
    select_cell(page, 1)
    page.locator(".nb2prod-RoleButton").first.focus()
    names = []
    for _ in range(12):
        names.append(page.evaluate("document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert names[:4] == ["Feature", "Train", "Predict", "More"]
    page.locator(".nb2prod-RoleButton", has_text="More").focus()
    page.keyboard.press("Enter")
    page.locator(".nb2prod-RoleButton", has_text="Data").focus()
    page.keyboard.press("Space")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=data] .nb2prod-Cell-number")).to_have_text(["1"])
    # The focus stays where it was, for the next key.
    assert page.evaluate("document.activeElement.textContent") == "Data"
    page.keyboard.press("Enter")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=data]")).to_have_count(0)
    page.locator(".nb2prod-Group[data-group=plan] .nb2prod-Group-toggle").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".nb2prod-Group[data-group=plan] .nb2prod-Facts")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".nb2prod-Group[data-group=plan] .nb2prod-Facts")).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_in_either_theme(page, theme):
    set_source(page, 3, FOREST)
    expect(problem(page, "T4")).to_be_visible()
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    page.wait_for_timeout(500)
    assert accessibility_problems(page, "#nb2prod-panel") == []
    assert accessibility_problems(page, ".nb2prod-CellProblems") == []


def test_a_server_that_fails_is_said_and_the_check_goes_on_when_it_is_back(page):
    page.route("**/nb2prod/check*", lambda route: route.abort())
    set_source(page, 3, FOREST)
    expect(group(page, "problems").get_by_role("alert")).to_contain_text("does not answer")
    page.unroute_all(behavior="ignoreErrors")
    group(page, "problems").get_by_role("button", name="Check again").click()
    expect(problem(page, "T4")).to_be_visible()


def test_options_that_can_not_be_read_are_said_with_their_remedy(page, lab):
    (lab.root / "nb2prod.toml").write_text("name = \n")
    try:
        set_source(page, 3, FOREST)
        expect(group(page, "problems").get_by_role("alert")).to_contain_text("not valid TOML")
        expect(group(page, "problems").get_by_role("alert")).to_contain_text("Write one `key = value` a line")
    finally:
        (lab.root / "nb2prod.toml").unlink()


def test_an_empty_parity_and_deployment_are_no_empty_boxes(page):
    expect(group(page, "plan")).to_contain_text("forecast")
    expect(group(page, "parity")).to_have_count(0)
    expect(group(page, "deployments")).to_have_count(0)


def test_settings_switch_badges_and_checks(page):
    select_cell(page, 2)
    badge = "getComputedStyle(jupyterapp.shell.currentWidget.content.activeCell.node, '::after').display"

    def set_(key, value):
        file = json.dumps({key: value})
        page.evaluate("async file => { await jupyterapp.serviceManager.settings.save('nb2prod:panel', file); }", file)

    assert page.evaluate(badge) != "none"
    set_("badges", False)
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_function("document.body.dataset.nb2prodBadges === 'off'")
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.isReady")
    select_cell(page, 2)
    assert page.evaluate(badge) == "none"
    set_("autoCheck", False)
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_function("document.body.dataset.nb2prodBadges === 'on'")
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.isReady")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("houses.ipynb")
    page.evaluate("jupyterapp.commands.execute('nb2prod:check')")
    expect(group(page, "problems")).to_contain_text("Nothing stands in the way")
    set_source(page, 3, FOREST)
    expect(group(page, "problems")).to_contain_text("Edited since the last check.")
    expect(problem(page, "T4")).to_have_count(0)
    group(page, "problems").get_by_role("button", name="Check now").click()
    expect(problem(page, "T4")).to_be_visible()
    set_("autoCheck", True)
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.isReady")


def test_a_keystroke_among_three_hundred_cells_draws_its_own_line_and_no_more(page):
    open_(page, "long.ipynb")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=none] .nb2prod-Cell")).to_have_count(297)
    expect(group(page, "problems")).to_contain_text("Nothing stands in the way", timeout=30_000)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/nb2prod/check" in request.url else None)
    changed = page.evaluate(
        """async () => {
            // Not the widget in front: the notebook of the test before may come to the front once more.
            const { content } = [...jupyterapp.shell.widgets('main')].find(one => one.context?.path === 'long.ipynb');
            const changed = [];
            const observer = new MutationObserver(list => changed.push(...list));
            observer.observe(document.getElementById('nb2prod-panel'), { subtree: true, childList: true, characterData: true, attributes: true });
            for (let n = 0; n < 25; n++) {
                content.model.cells.get(150).sharedModel.setSource(`value = ${n}`);
                await new Promise(done => setTimeout(done, 60));
            }
            observer.disconnect();
            return changed.length;
        }"""
    )
    # What a keystroke costs is what it draws and asks: its own line of the 300, and the server once it has paused.
    assert changed <= 25 * 4, changed
    expect(group(page, "problems")).to_contain_text("Nothing stands in the way", timeout=30_000)
    assert len(asked) <= 3, asked
    # JupyterLab adds the cells of a long notebook while nothing else is to do, and scrolls to none that is not there yet;
    # on a busy machine it takes so long that the notebook of the test before has come to the front meanwhile.
    open_(page, "long.ipynb")
    page.wait_for_function(
        """() => {
            const { content, context } = jupyterapp.shell.currentWidget;
            return context.path === 'long.ipynb' && content.widgets.every(cell => cell.node.isConnected);
        }""",
        timeout=120_000,
    )
    page.locator("#nb2prod-panel .nb2prod-Cell", has=page.get_by_text("300", exact=True)).first.click()
    expect(page.locator(f"{FRONT} .jp-Cell.jp-mod-active")).to_have_attribute("data-nb2prod-role", "predict")
    set_source(page, 299, FOREST)
    expect(page.locator(f"{FRONT} .nb2prod-CellProblems", has_text="random_state")).to_be_visible()


def test_a_renamed_and_a_deleted_file(page):
    open_(page, "gone.ipynb")
    # Only once its kernel is known does JupyterLab leave the notebook's model alone.
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
    page.evaluate("jupyterapp.serviceManager.contents.rename('gone.ipynb', 'renamed.ipynb')")
    expect(page.locator("#nb2prod-panel h2")).to_have_text("renamed.ipynb")
    set_source(page, 3, FOREST)
    expect(problem(page, "T4")).to_be_visible()
    page.evaluate("jupyterapp.serviceManager.contents.delete('renamed.ipynb')")
    page.wait_for_timeout(500)
    if page.locator(".jp-Dialog").count():
        page.locator(".jp-Dialog .jp-Dialog-button.jp-mod-accept").click()
    page.evaluate("jupyterapp.commands.execute('nb2prod:show-panel')")
    expect(page.locator("#nb2prod-panel")).to_be_visible()


def test_a_restarted_kernel_changes_nothing(page):
    set_source(page, 3, FOREST)
    expect(problem(page, "T4")).to_be_visible()
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_timeout(1500)
    expect(problem(page, "T4")).to_be_visible()
    problem(page, "T4").get_by_role("button", name="Add random_state=0").click()
    expect(problem(page, "T4")).to_have_count(0)


def test_cancel_stops_the_build_and_its_kernel(page, lab):
    open_(page, "sleeping.ipynb")
    bar = page.locator("#nb2prod-panel .nb2prod-Build")
    way(page).get_by_role("button", name="Build and prove").click()
    # JupyterLab wrote the kernel's name into the notebook when it opened it.
    page.get_by_role("dialog").get_by_role("button", name="Save and Build").click()
    expect(bar).to_contain_text("Running cell 2 of 4", timeout=90_000)
    expect(page.locator(".nb2prod-Status")).to_contain_text("building, cell 2 of 4")
    kernel = int((lab.root / "kernel.pid").read_text())
    bar.get_by_role("button", name="Cancel").click()
    expect(bar).to_contain_text("Cancelled; nothing was kept", timeout=40_000)
    assert not Path(f"/proc/{kernel}").exists()
    bar.get_by_role("button", name="Log").click()
    expect(page.locator(".nb2prod-Log")).to_contain_text("cell 1 of 4")


@pytest.mark.slow
def test_a_server_that_is_gone_is_said_and_all_goes_on_when_it_is_back(tmp_path, browser):
    root, home = tmp_path / "notebooks", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    write(root / "houses.ipynb", houses())
    with running_lab(root, home) as lab:
        page = lab.open(browser, "houses.ipynb")
        show_panel(page)
        expect(group(page, "problems")).to_contain_text("Nothing stands in the way")
    # JupyterLab says so too, in a dialog, whenever its own next request fails.
    lost = page.locator(".jp-Dialog", has_text="Server Connection Error")
    page.add_locator_handler(lost, lambda dialog: dialog.get_by_role("button").last.click())
    notice = page.locator(".nb2prod-Notice")
    expect(notice).to_contain_text("The server does not answer", timeout=60_000)
    # Tags need no server.
    select_cell(page, 1)
    page.locator(".nb2prod-RoleButton", has_text="More").click()
    page.locator(".nb2prod-RoleButton", has_text="Data").click()
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=data] .nb2prod-Cell-number")).to_have_text(["1"])
    with running_lab(root, home, again=lab):
        expect(notice).to_have_count(0, timeout=60_000)
        set_source(page, 3, FOREST)
        expect(problem(page, "T4")).to_be_visible(timeout=60_000)
        page.close()
