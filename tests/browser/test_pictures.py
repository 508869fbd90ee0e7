"""Each state of the sidebar at three widths and in both themes: nothing is cut off or reaches over, and a picture is kept to be looked at.

The pictures go to `build/pictures/`, or where `NB2PROD_TEST_PICTURES` says.
"""

import json
import os
from pathlib import Path

import pytest

from tests.browser import states, watching_states
from tests.browser.harness import accessibility_problems, running_lab, show_panel

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = Path(os.environ.get("NB2PROD_TEST_PICTURES", Path(__file__).parents[2] / "build" / "pictures"))
WIDTHS = (250, 320, 480)
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# Boxes that reach over the panel's right edge, and texts that are cut off without a way to read them whole.
MISFITS = """() => {
  const panel = document.querySelector('#nb2prod-panel'), edge = panel.getBoundingClientRect().right + 1;
  const found = [];
  for (const element of panel.querySelectorAll('.nb2prod-Body *, .jp-SidePanel-header *')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || element.closest('svg') !== null && element.tagName !== 'svg') { continue; }
    const text = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    const style = getComputedStyle(element);
    const said = `${element.className?.baseVal ?? element.className} ${element.textContent.slice(0, 60)}`;
    if (box.right > edge && !element.parentElement.closest('pre, .nb2prod-Value')) { found.push(`reaches over: ${said}`); }
    if (text && element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline') {
      const isWhole = style.textOverflow === 'ellipsis' && element.closest('[title]') !== null;
      if (!isWhole && style.overflowX !== 'auto') { found.push(`cut off: ${said}`); }
    }
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    (root / states.PATH).write_text(json.dumps(states.notebook()))
    with running_lab(root, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module", params=["light", "dark"])
def theme(request):
    return request.param


@pytest.fixture(scope="module")
def page(lab, browser, theme):
    page = lab.open(browser, states.PATH, width=1100, height=2100, script=states.FAKE)
    page.evaluate(
        """async theme => {
            await jupyterapp.serviceManager.settings.save('nb2prod:panel', JSON.stringify({ pollInterval: 0.5 }));
            await jupyterapp.commands.execute('apputils:change-theme', { theme });
        }""",
        THEMES[theme],
    )
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=THEMES[theme])
    show_panel(page)
    yield page
    page.close()


def widen(page, width):
    """Drag the panel's edge until it is that wide."""
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first.bounding_box()
    panel = page.locator("#nb2prod-panel").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, 700)
    page.mouse.down()
    page.mouse.move(handle["x"] + handle["width"] / 2 + width - panel["width"], 700)
    page.mouse.up()
    assert abs(page.locator("#nb2prod-panel").bounding_box()["width"] - width) <= 1


@pytest.mark.parametrize("state", [*states.STATES, *watching_states.STATES], ids=lambda state: state.name)
def test_everything_fits_and_can_be_read(page, theme, state):
    states.show(page, state)
    PICTURES.mkdir(parents=True, exist_ok=True)
    problems = []
    for width in WIDTHS:
        widen(page, width)
        problems += [f"{width}: {item}" for item in page.evaluate(MISFITS)]
        page.locator("#nb2prod-panel").screenshot(path=PICTURES / f"{state.name}-{width}-{theme}.png")
    assert problems == []
    assert accessibility_problems(page, "#nb2prod-panel") == []
