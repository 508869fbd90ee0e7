"""What a served Bento runs: rows in, the notebook's predictions out.

This package is copied into each Bento as ``nb2prod_runtime`` and imports nothing else of nb2prod. The generated
``features.py`` and ``predict.py`` use three names of it: ``captured`` (the values the notebook kept), ``frozen``
(operations with the parameters of training) and ``rules`` (selections and rules on rows).
"""

from pathlib import Path

from .proxy import Captured

captured = Captured(Path(__file__).resolve().parent.parent / "artifacts")

__all__ = ["captured"]
