"""Where the files lie that travel with the package: pages of the documentation, and the examples with their data.

A wheel holds them in `nb2prod/shipped/`; a checkout, installed in editable form, has them where they are written.
"""

from __future__ import annotations

from pathlib import Path

from nb2prod.errors import EnvironmentProblem

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "shipped_files"
_CHECKOUT = _PACKAGE.parent


def pages() -> Path:
    """The folder of the documentation's Markdown pages; `EnvironmentProblem` where the installation lacks it."""
    return _folder("docs")


def examples() -> Path:
    """The folder of the example notebooks, their tables in `data/`; `EnvironmentProblem` where the installation lacks it."""
    return _folder("example_notebooks")


def _folder(name: str) -> Path:
    for root in (_SHIPPED, _CHECKOUT):
        if (root / name).is_dir():
            return root / name
    raise EnvironmentProblem(
        f"this installation of nb2prod lacks its folder {name!r}",
        "Install it again: pip install --force-reinstall nb2prod",
    )
