"""Makes docs/images/parity.png from a release's parity report: `python docs/make_parity_picture.py [NAME]`.

NAME is a release from `nb2prod list`, by default flight_delay; build it first.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from nb2prod.release import records

PICTURE = Path(__file__).parent / "images" / "parity.png"


def main() -> None:
    report = records.find(sys.argv[1] if len(sys.argv) > 1 else "flight_delay").path("parity.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 880})
        page.goto(report.absolute().as_uri())
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)
        browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main()
