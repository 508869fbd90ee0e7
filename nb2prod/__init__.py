"""From a tagged notebook to a served model that is proved to compute what the notebook computes."""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built sidebar: a folder of this package, and the name it is installed under."""
    return [{"src": "labextension", "dest": "nb2prod"}]
