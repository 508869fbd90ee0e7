"""Makes the pictures of the JupyterLab sidebar that the documentation shows: `python docs/make_screenshots.py`.

They go to docs/images/: sidebar.png in JupyterLab's light theme, sidebar-dark.png in the dark one. The notebook is
example_notebooks/flight_delay.ipynb, copied first: nothing of it is changed or run.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.harness import Lab, running_browser, running_lab, show_panel  # noqa: E402

IMAGES = ROOT / "docs" / "images"
NOTEBOOK = ROOT / "example_notebooks" / "flight_delay.ipynb"
THEMES = {"sidebar.png": "JupyterLab Light", "sidebar-dark.png": "JupyterLab Dark"}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for file, theme in THEMES.items():
        with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
            root, home = Path(folder) / "notebooks", Path(folder) / "home"
            root.mkdir()
            home.mkdir()
            shutil.copy(NOTEBOOK, root)
            with running_lab(root, home, theme=theme) as lab:
                photograph(lab, browser, IMAGES / file)
        print(IMAGES / file)


def photograph(lab: Lab, browser: Browser, file: Path) -> None:
    page = lab.open(browser, NOTEBOOK.name, width=1280, height=800)
    show_panel(page)
    # The first feature cell: its buttons show what a tag looks like.
    page.locator('.nb2prod-Section[data-nb2prod-role="feature"] .nb2prod-Cell').first.click()
    page.wait_for_selector('.nb2prod-RoleButton[data-nb2prod-role="feature"][aria-pressed="true"]')
    page.mouse.move(900, 790)
    page.screenshot(path=file)
    page.close()


if __name__ == "__main__":
    main()
