"""The whole way on the flight example, as a user goes it: tag, check, build, prove, deploy, change, build again, roll back."""

import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import accessibility_problems, group, running_lab, set_source, show_panel, tags_of, way

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"
BUILD_MS = 600_000
RANKED = 'df["precip"] = df["precip"].rank()'


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(EXAMPLES / "data", root / "data")
    book = json.loads((EXAMPLES / "flight_delay.ipynb").read_text())
    for cell in book["cells"]:
        cell["metadata"].pop("tags", None)
    (root / "flight_delay.ipynb").write_text(json.dumps(book, indent=1))
    with running_lab(root, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def page(lab, browser):
    page = lab.open(browser, "flight_delay.ipynb", width=1500, height=1000)
    show_panel(page)
    yield page
    # Nothing that was deployed may outlive the test.
    page.evaluate(
        """async () => {
            const { serverSettings } = jupyterapp.serviceManager;
            await fetch(serverSettings.baseUrl + 'nb2prod/deployments/flight_delay/stop', {
                method: 'POST', body: '{}',
                headers: { Authorization: `token ${serverSettings.token}` }
            });
        }"""
    )
    page.close()


def panel_button(page: Page, name: str):
    return page.locator("#nb2prod-panel").get_by_role("button", name=name, exact=True)


def build_bar(page: Page):
    return page.locator("#nb2prod-panel .nb2prod-Top")


def test_1_tags_are_suggested_and_accepted(page):
    expect(page.locator("#nb2prod-panel .nb2prod-Section[data-nb2prod-role=predict]")).to_contain_text(
        "A build needs one"
    )
    expect(panel_button(page, "Build and prove")).to_have_count(0)
    panel_button(page, "Suggest tags").click()
    proposed = page.locator(".nb2prod-Proposed")
    expect(proposed.filter(has_text="Predict")).to_have_count(1)
    before = proposed.count()
    proposed.filter(has_text="Predict").get_by_role("button", name=re.compile("^Accept")).click()
    expect(proposed).to_have_count(before - 1)
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=predict] .nb2prod-Cell-number")).to_have_text(["21"])
    panel_button(page, "Accept all").click()
    expect(proposed).to_have_count(0)
    assert tags_of(page, 20) == ["train"]
    assert "feature" in tags_of(page, 12)
    page.evaluate("jupyterapp.commands.execute('notebook:undo-cell-action')")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=train] .nb2prod-Cell")).to_have_count(0)
    page.evaluate("jupyterapp.commands.execute('notebook:redo-cell-action')")
    expect(page.locator(".nb2prod-Section[data-nb2prod-role=train] .nb2prod-Cell")).to_have_count(1)


def test_2_a_problem_appears_and_goes_as_the_cell_is_edited(page):
    expect(group(page, "problems")).to_contain_text("Nothing stands in the way")
    source = page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.get(11).sharedModel.getSource()")
    set_source(page, 12, f"{source}\n{RANKED}")
    problem = group(page, "problems").locator('.nb2prod-Diagnostic[data-code="F5"]')
    expect(problem).to_be_visible()
    problem.get_by_role("button", name=re.compile("cell 12")).click()
    under = page.locator(".jp-Cell.jp-mod-active .nb2prod-CellProblems")
    expect(under).to_contain_text("F5")
    expect(page.locator(".jp-Cell.jp-mod-active .nb2prod-Mark-error").first).to_contain_text("rank")
    expect(page.locator(".nb2prod-Status")).to_contain_text("1 error")
    set_source(page, 12, source)
    expect(problem).to_have_count(0)
    expect(under).to_be_hidden()
    expect(page.locator(".nb2prod-Status")).to_contain_text("no problems")


def test_3_a_build_asks_to_save_runs_and_is_proved(page, lab, browser):
    panel_button(page, "Build and prove").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Save and Build").click()
    expect(build_bar(page)).to_contain_text("Running cell", timeout=BUILD_MS)
    # Another window that comes later sees the same build.
    second = lab.open(browser, "flight_delay.ipynb")
    show_panel(second)
    expect(build_bar(second).get_by_role("button", name="Cancel")).to_be_visible()
    # And so does this one after it is loaded anew.
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    expect(page.locator("#nb2prod-panel .nb2prod-Stages")).to_be_visible(timeout=60_000)
    expect(build_bar(page)).to_contain_text("is proved", timeout=BUILD_MS)
    expect(build_bar(second)).to_contain_text("is proved")
    second.close()
    expect(page.locator(".nb2prod-Build-changed")).to_have_count(0)


def test_4_the_plan_is_now_the_recorded_one(page):
    plan = group(page, "plan")
    expect(plan.get_by_role("button", name="Recorded run")).to_have_attribute("aria-pressed", "true")
    expect(plan).to_contain_text("What the run of flight_delay:")
    expect(plan).to_contain_text("plane_age_median")
    expect(plan).to_contain_text("training only")
    plan.get_by_label("Highlight the serving path").check()
    plan.get_by_role("button", name=re.compile("cell 12, line 3")).first.click()
    expect(page.locator(".jp-Cell.jp-mod-active .nb2prod-Line-path").first).to_be_visible()
    plan.get_by_label("Highlight the serving path").uncheck()
    expect(page.locator(".nb2prod-Line-path")).to_have_count(0)
    plan.get_by_role("button", name="Forecast").click()
    expect(plan).to_contain_text("nothing was run")
    plan.get_by_role("button", name="Recorded run").click()


def test_5_the_proof_is_shown_and_its_report_opens(page):
    parity = group(page, "parity")
    expect(parity.locator("tr", has_text="Replay")).to_contain_text("5,000")
    expect(parity.get_by_role("img", name=re.compile("notebook predicted"))).to_be_visible()
    parity.get_by_role("button", name="Open the report").click()
    frame = page.frame_locator("iframe.nb2prod-Report")
    expect(frame.locator("body")).to_contain_text("replay", timeout=30_000)
    page.evaluate("jupyterapp.commands.execute('application:close')")


def test_6_the_settings_say_where_it_is_deployed(page):
    def setting(target):
        page.evaluate(
            "async file => { await jupyterapp.serviceManager.settings.save('nb2prod:panel', file); }",
            json.dumps({"defaultTarget": target}),
        )
        page.reload()
        page.wait_for_selector("#jupyterlab-splash", state="detached")

    asked = []

    def refuse(route):
        if route.request.method != "POST":
            route.fallback()
            return
        asked.append(route.request.post_data_json)
        route.fulfill(
            status=500, json={"error": {"code": "environment", "message": "there is no engine here", "hint": ""}}
        )

    page.route(re.compile(r"/nb2prod/deployments(\?|$)"), refuse)
    for target in ("container", "process"):
        setting(target)
        way(page).get_by_role("button", name="Deploy", exact=True).click(timeout=60_000)
        dialog = page.locator(".jp-Dialog")
        expect(dialog).to_contain_text("there is no engine here")
        dialog.get_by_role("button").last.click()
    assert [document["target"] for document in asked] == ["container", "process"]
    page.unroute_all(behavior="ignoreErrors")


def test_7_it_is_deployed_and_answers(page):
    panel = group(page, "deployments")
    panel.get_by_role("button", name="Deploy", exact=True).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Deploy Anyway").click()
    expect(panel.locator(".nb2prod-State")).to_have_text("serving", timeout=BUILD_MS)
    panel.get_by_role("button", name="Try it").click()
    expect(panel.get_by_label("sched_dep_time")).not_to_have_value("")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(panel.locator(".nb2prod-Try-prediction")).to_have_text(re.compile("^[01]$"))
    expect(panel.locator(".nb2prod-Try-answer")).to_contain_text("ms")
    panel.get_by_label("distance").fill("far")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(panel.locator(".nb2prod-Try-answer")).to_contain_text("expected an integer, got a string")
    # Of two requests there are no percentiles.
    expect(panel.locator(".nb2prod-Metric", has_text="p50")).not_to_contain_text("ms")
    assert accessibility_problems(page, "#nb2prod-panel") == []


def test_8_a_change_is_said_built_deployed_and_rolled_back(page):
    set_source(page, 3, "late_after = 20\nthreshold = 0.4\nmin_flights = 250\ntest_size = 0.25\nseed = 42")
    panel = group(page, "deployments")
    expect(panel).to_contain_text("The notebook has changed since this release.")
    expect(build_bar(page)).to_contain_text("The notebook has changed since flight_delay:")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    panel_button(page, "Build and prove").click()
    if page.locator(".jp-Dialog").count():
        page.locator(".jp-Dialog").get_by_role("button", name="Save and Build").click()
    expect(build_bar(page).get_by_role("button", name="Cancel")).to_be_visible()
    expect(build_bar(page)).to_contain_text("is proved", timeout=BUILD_MS)
    newer = panel.get_by_role("button", name=re.compile("^Deploy [0-9a-f]{8}$"))
    newer.click()
    page.locator(".jp-Dialog").get_by_role("button", name="Deploy Anyway").click()
    expect(newer).to_have_count(0, timeout=BUILD_MS)
    panel.get_by_role("button", name="Releases").click()
    expect(panel.locator(".nb2prod-History li")).to_have_count(2)
    panel.get_by_role("button", name=re.compile("Compare with")).first.click()
    expect(page.locator(".nb2prod-Diff [data-kind=added]", has_text="20")).to_be_visible()
    page.locator(".jp-Dialog").get_by_role("button", name="Close").click()
    panel.get_by_role("button", name="Roll back").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Roll Back").click()
    expect(panel.get_by_role("button", name=re.compile("^Deploy [0-9a-f]{8}$"))).to_be_visible(timeout=BUILD_MS)
    panel.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    expect(panel.locator(".nb2prod-State")).to_have_text("stopped", timeout=60_000)
