"""Makes docs/images/watching.png: the page of a made-up release whose callers change after ten days. `python docs/make_watching_picture.py`"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "watching.png"
sys.path.insert(0, str(ROOT))


def written(folder: Path) -> Path:
    """The page of a release that was served for two weeks."""
    os.environ |= {"NB2PROD_HOME": str(folder / "home"), "BENTOML_HOME": str(folder / "bentoml")}
    from nb2prod.cli import main
    from tests.watching import served

    rng = np.random.default_rng(0)
    served.release(served.table(3000, rng))
    for day in range(14):
        served.log(served.table(300, rng, older=6.0 if day >= 10 else 0.0), day, errors=2)
    main(["watch", served.NAME, "--page", str(folder / "watching.html")])
    return folder / "watching.html"


def pictured(page_file: Path, picture: Path, *, width: int = 900, dark: bool = False) -> None:
    """The page as it looks in Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 760}, color_scheme="dark" if dark else "light")
        page.goto(page_file.as_uri())
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        pictured(written(Path(made)), PICTURE)
    print(PICTURE)
