"""What a served Bento runs: rows in, the notebook's predictions out.

This package is copied into each Bento as ``nb2prod_runtime`` and imports nothing else of nb2prod. The generated
``features.py`` and ``predict.py`` use three names of it: ``captured`` (the values the notebook kept), ``frozen``
(operations with the parameters of training) and ``rules`` (selections and rules on rows).
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .proxy import Captured

    captured: Captured

__all__ = ["captured"]


def __getattr__(name: str) -> object:
    """``captured``, when it is first asked for: the server's own process runs no model and need not load pandas."""
    if name != "captured":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .proxy import Captured

    made = globals()["captured"] = Captured(Path(__file__).resolve().parent.parent / "artifacts")
    return made
