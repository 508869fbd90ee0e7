"""The process that tries: `python FOLDER/__main__.py`, with the project's folder on the import path."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_NAME = "_nb2prod_trial"
_FOLDER = Path(__file__).resolve().parent


def _package() -> None:
    """Make the modules beside this file known as one package, wherever it is: their folder stays off the import path."""
    spec = importlib.util.spec_from_file_location(
        _NAME, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[_NAME])


if __name__ == "__main__":
    # Python 3.10 has no option for it.
    sys.path[:] = [place for place in sys.path if place and Path(place).resolve() != _FOLDER]
    _package()
    answers, sys.stdout = sys.stdout, sys.stderr  # what the notebook's code prints is no answer
    importlib.import_module(f"{_NAME}.process").serve(sys.stdin, answers)
