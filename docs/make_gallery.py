"""Builds the examples for the site's gallery: `python docs/make_gallery.py` writes each report to build/gallery/NAME/.

An example whose notebook and nb2prod are as they were is not built again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "example_notebooks"
GALLERY = ROOT / "build" / "gallery"
NAMES = ("breast_cancer", "diabetes_progression", "flight_delay")


def main() -> int:
    for name in NAMES:
        mark = fingerprint(EXAMPLES / f"{name}.ipynb")
        folder = GALLERY / name
        if (folder / "mark").is_file() and (folder / "mark").read_text() == mark:
            print(f"{name}: as it was")
            continue
        print(f"{name}: building", flush=True)
        build(EXAMPLES / f"{name}.ipynb", folder)
        (folder / "mark").write_text(mark)
    return 0


def fingerprint(notebook: Path) -> str:
    """Of the notebook and of all of nb2prod's code."""
    digest = hashlib.sha256(notebook.read_bytes())
    for path in sorted((ROOT / "nb2prod").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build(notebook: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="nb2prod-gallery-") as scratch:
        os.environ.update({"NB2PROD_HOME": f"{scratch}/home", "BENTOML_HOME": f"{scratch}/bentoml"})
        import nb2prod

        result = nb2prod.build(notebook)
        if result.bento is None or result.record is None:
            raise SystemExit(f"{notebook.name} was not proved")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("parity.html", "parity.json", "README.md"):
            shutil.copyfile(result.record / name, folder / name)


if __name__ == "__main__":
    sys.exit(main())
