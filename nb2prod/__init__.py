"""From a tagged notebook to a served model that is proved to compute what the notebook computes."""

from typing import Any

__version__ = "0.1.0"

_WIDGETS = ("DeployStatus", "ParityReport", "TryIt")


def __getattr__(name: str) -> Any:
    """`nb2prod.DeployStatus("name")` and its like, imported when they are asked for: the command line needs none."""
    if name in _WIDGETS:
        from nb2prod import widgets

        return getattr(widgets, name)
    raise AttributeError(f"module 'nb2prod' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_WIDGETS]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built sidebar: a folder of this package, and the name it is installed under."""
    return [{"src": "labextension", "dest": "nb2prod"}]
